//! Who may answer, and who is one person, by what is attested of people today.

use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{has_any, same_as};
use hallpass::{NotCounted, QuestionState};

use crate::office::{MINUTE, Office, four_eyes, pay, run};

/// attack 116: before the answer, too
#[test]
fn who_was_restated_out_of_the_group_is_not_listed_and_answers_nothing() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    assert_eq!(office.reviews.list(&ada).len(), 1);
    office.broker.control().restate(Assertion::human("ada").group("sales")).unwrap().finish();
    assert!(office.reviews.list(&ada).is_empty());
    assert_eq!(office.approve(&pending, &ada), Err(NotCounted::NotEligible));
    assert_eq!(office.deny(&pending, &ada), Err(NotCounted::NotEligible));
    office.broker.control().unrestate("ada").unwrap().finish();
    office.approved(&pending, &ada);
}

/// What a line compares a reviewer with is what is attested of the asker today.
#[test]
fn the_manager_is_the_one_whom_the_asker_has_today() {
    let terms =
        ApprovalTerms::per(Per::Call).review(Reviewers::with_id(same_as("asker.attrs.manager")));
    let office = Office::new(Rule::ask("manager").approval(terms));
    let payer = |manager: &str| Assertion::agent("payer").attr("manager", manager);
    let (_task, grant) = office.errand(&office.attest(payer("mia")));
    let (mia, max) = (office.person("mia", "x"), office.person("max", "x"));
    let (first, second) = (office.ask(&grant, &pay(1)), office.ask(&grant, &pay(2)));
    office.approved(&first, &mia);
    office.broker.control().restate(payer("max")).unwrap().finish();
    assert_eq!(office.approve(&second, &mia), Err(NotCounted::NotEligible));
    office.approved(&second, &max);
    assert_eq!(office.refused(&first, &grant), Reason::ApprovalVoid, "mia is the manager no more");
    assert_eq!(run(office.redeem(&second, &grant).unwrap()), 2);
    office.verify();
}

/// P10: what is not said of the asker is not met by what is not said of a reviewer.
#[test]
fn who_has_no_manager_has_no_one_to_ask() {
    let manager = same_as("asker.attrs.manager");
    let team = Reviewers::in_groups(has_any(["finance"])).attr("team", same_as("asker.attrs.team"));
    for line in [Reviewers::with_id(manager), team] {
        let terms = ApprovalTerms::per(Per::Call).review(line);
        let office = Office::new(Rule::ask("manager").approval(terms));
        let (_task, grant) = office.errand(&office.attest("payer"));
        let pending = office.ask(&grant, &pay(1));
        let ada = office.person("ada", "finance");
        assert!(office.reviews.list(&ada).is_empty());
        assert_eq!(office.approve(&pending, &ada), Err(NotCounted::NotEligible));
    }
}

/// Whom this broker did not attest, or not any more, finds nothing.
#[test]
fn nothing_is_listed_for_a_foreign_identity_nor_for_one_that_is_over() {
    let (office, other) = (Office::new(four_eyes()), Office::new(four_eyes()));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let _pending = office.ask(&grant, &pay(98));
    let own = office.attest(
        Assertion::human("ada").group("finance").until(office.now().checked_add(MINUTE).unwrap()),
    );
    assert!(office.reviews.list(&other.person("ada", "finance")).is_empty());
    assert_eq!(office.reviews.list(&own).len(), 1);
    office.clock.advance(MINUTE);
    assert!(office.reviews.list(&own).is_empty());
}

/// What a question says of itself once it is void, to everyone.
#[test]
fn a_void_question_is_answered_by_no_one_and_says_that_it_is_void() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let permit = Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource();
    office.reload(&Policy::builder().rule(permit).build().unwrap());
    let void = Err(NotCounted::NotWaiting(QuestionState::Void));
    for who in [office.person("ada", "finance"), office.person("zoe", "sales")] {
        assert_eq!(office.approve(&pending, &who), void);
        assert_eq!(office.deny(&pending, &who), void);
    }
}
