//! Parking: what is asked, what is not, and how much.

use hallpass::QuestionState;
use hallpass::audit::{Asked, Event};
use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::{eq, min};
use serde_json::json;

use crate::office::{MINUTE, Office, four_eyes, pay, payments, reviewers};

#[test]
fn a_call_that_only_an_ask_withholds_is_parked_and_its_denial_says_by_what() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let denial = office.authorize(&grant, &pay(98)).unwrap_err();
    assert_eq!(
        (denial.code(), denial.reason()),
        (Code::ApprovalRequired, Reason::ApprovalRequired)
    );
    let pending = denial.pending().unwrap();
    assert_eq!(pending.state(), QuestionState::Waiting);
    assert_eq!(office.reviews.list(&office.person("ada", "finance")).len(), 1);
    assert!(office.reviews.list(&office.person("bob", "sales")).is_empty());
    let asked = office.events().into_iter().find(|event| matches!(event, Event::Asked(_)));
    let Some(Event::Asked(Asked { question, who, rules, .. })) = asked else { panic!() };
    assert_eq!((&*question, &*who, rules.len()), (&*pending.id(), "payer", 1));
    office.verify();
}

#[test]
fn the_same_call_asked_again_meets_the_same_question_and_another_does_not() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let first = office.ask(&grant, &pay(98));
    assert_eq!(office.ask(&grant, &pay(98)).id(), first.id());
    let again = Call::new("bank.pay", json!({ "amount": 98.0, "to": "CH93" })).unwrap();
    assert_eq!(office.ask(&grant, &again).id(), first.id());
    let others = [
        pay(99),
        Call::new("bank.refund", json!({ "to": "CH93", "amount": 98 })).unwrap(),
        pay(98).on(Resource::new("account", "main")),
        pay(98).material("invoice", hallpass::value::Digest::of(b"1")),
    ];
    for other in others {
        assert_ne!(office.ask(&grant, &other).id(), first.id());
    }
    drop(task);
    let (_task, grant) = office.errand(&office.attest("payer"));
    assert_ne!(office.ask(&grant, &pay(98)).id(), first.id(), "of another task");
}

#[test]
fn without_a_permit_no_one_is_asked_and_a_dry_run_asks_no_one() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let dry = office.gate.check(&grant, grant.holder(), &pay(98), &Context::new()).unwrap_err();
    assert_eq!(dry.reason(), Reason::ApprovalRequired);
    assert!(dry.pending().is_none());
    let other = Call::new("bank.close", json!({})).unwrap();
    assert!(office.authorize(&grant, &other).unwrap_err().pending().is_none());
    assert!(!office.events().iter().any(|event| matches!(event, Event::Asked(_))));
}

/// attack 106
#[test]
fn a_question_that_only_its_asker_could_answer_is_not_asked_and_operators_are_told_why() {
    let ada = reviewers("finance");
    let only = hallpass::policy::Reviewers::with_id(eq("ada"));
    let either = hallpass::policy::Reviewers::any([only.clone(), ada]);
    for (lines, parked) in [(only, false), (either, true)] {
        let terms = ApprovalTerms::per(Per::Call).review(lines);
        let office = Office::new(Rule::ask("four-eyes").approval(terms));
        let payer = office
            .attest(Assertion::agent("payer").acts_for("Ada", hallpass::identity::Kind::Human));
        let (_task, grant) = office.errand(&payer);
        let denial = office.authorize(&grant, &pay(98)).unwrap_err();
        assert_eq!(denial.reason(), Reason::ApprovalRequired);
        assert_eq!(denial.pending().is_some(), parked);
        let told = denial.explain().to_string();
        assert_eq!(told.contains("leaves too few who may review"), !parked, "{told}");
    }
}

#[test]
fn a_confirmation_is_asked_only_of_the_human_acted_for() {
    let ask = Rule::ask("confirmed").approval(ApprovalTerms::per(Per::Call).confirm());
    let office = Office::new(ask);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let denial = office.authorize(&grant, &pay(98)).unwrap_err();
    assert!(denial.pending().is_none());
    assert!(denial.explain().to_string().contains("acts for none"), "{}", denial.explain());

    let human = hallpass::identity::Kind::Human;
    let payer = office.attest(Assertion::agent("clerk").acts_for("ada", human));
    let (_other, grant) = office.errand(&payer);
    let pending = office.ask(&grant, &pay(98));
    let (ada, bob) = (office.person("ada", "any"), office.person("bob", "any"));
    let question = office.question(&pending);
    let shown = question.view().digest();
    assert!(
        office.reviews.approve(&question, &ada, &shown, Width::CALL).is_err(),
        "no review is asked"
    );
    assert!(office.reviews.confirm(&question, &bob, &shown).is_err());
    let tally = office.reviews.confirm(&question, &ada, &shown).unwrap();
    assert_eq!((tally.state, tally.have, tally.need), (QuestionState::Approved, 1, 1));
    assert_eq!(crate::office::run(office.redeem(&pending, &grant).unwrap()), 98);
    office.verify();
}

#[test]
fn a_call_without_the_material_that_a_rule_wants_is_not_asked_about() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance")).material("invoice");
    let office = Office::new(Rule::ask("four-eyes").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let denial = office.authorize(&grant, &pay(98)).unwrap_err();
    assert!(denial.pending().is_none());
    let told = denial.explain().to_string();
    assert!(told.contains("material `invoice`"), "{told}");
    office.ask(&grant, &pay(98).material("invoice", hallpass::value::Digest::of(b"1")));
}

/// attack 119
#[test]
fn open_questions_are_capped_for_a_task_and_for_an_identity() {
    let office = Office::with(payments(four_eyes()), |builder| builder.max_questions(2, 3));
    let payer = office.attest("payer");
    let (_first, grant) = office.errand(&payer);
    let one = office.ask(&grant, &pay(1));
    office.ask(&grant, &pay(2));
    let denial = office.authorize(&grant, &pay(3)).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::TooMany, Code::LimitReached));
    assert_eq!(office.ask(&grant, &pay(1)).id(), one.id(), "what is open is found still");
    let (_second, other) = office.errand(&payer);
    office.ask(&other, &pay(4));
    assert_eq!(office.authorize(&other, &pay(5)).unwrap_err().reason(), Reason::TooMany);
    let (_third, strangers) = office.errand(&office.attest("clerk"));
    office.ask(&strangers, &pay(1));

    one.cancel().unwrap();
    office.ask(&other, &pay(5));
    office.clock.advance(15 * MINUTE);
    let (_fourth, later) = office.errand(&payer);
    office.ask(&later, &pay(6));
}

#[test]
fn after_three_denials_of_a_rules_questions_nothing_is_asked_for_a_while() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let ada = office.person("ada", "finance");
    for amount in 0..3 {
        let pending = office.ask(&grant, &pay(amount));
        assert_eq!(office.deny(&pending, &ada).unwrap().state, QuestionState::Denied);
    }
    let denial = office.authorize(&grant, &pay(9)).unwrap_err();
    assert_eq!((denial.code(), denial.retry_after()), (Code::LimitReached, Some(10 * MINUTE)));
    assert!(denial.pending().is_none());
    let refund = Call::new("bank.refund", json!({ "amount": 1 })).unwrap();
    office.ask(&grant, &refund);
    office.clock.advance(10 * MINUTE);
    let grant = office.errand(&office.attest("payer"));
    office.ask(&grant.1, &pay(9));
}

#[test]
fn a_question_of_several_asks_names_them_all_and_one_yes_counts_in_each_where_it_fits() {
    let large = ApprovalTerms::per(Per::Call).review(reviewers("board"));
    let rules = [
        Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource(),
        four_eyes().tool("bank.pay"),
        Rule::ask("large").tool("bank.pay").arg("amount", min(100)).approval(large),
    ];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(500));
    let ada = office.person("ada", "finance");
    let tally = office.approve(&pending, &ada).unwrap();
    assert_eq!((tally.state, tally.have, tally.need), (QuestionState::Waiting, 1, 2));
    let both = office.attest(Assertion::human("eve").groups(["finance", "board"]));
    let tally = office.approve(&pending, &both).unwrap();
    assert_eq!(tally.state, QuestionState::Approved);
    let second = office.ask(&grant, &pay(600));
    assert_eq!(office.approve(&second, &both).unwrap().state, QuestionState::Approved);
}
