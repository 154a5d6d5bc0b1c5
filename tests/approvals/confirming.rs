//! Confirmations: the human whom an agent acts for says yes beside those who review, and no one else does.

use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::{NotCounted, Pending, QuestionState, Tally};

use crate::office::{Office, pay, reviewers, run};

fn confirm(office: &Office, pending: &Pending, who: &Identity) -> Result<Tally, NotCounted> {
    let question = office.question(pending);
    office.reviews.confirm(&question, who, &question.view().digest())
}

fn reviewed_and_confirmed() -> ApprovalTerms {
    ApprovalTerms::per(Per::Call).review(reviewers("finance")).confirm()
}

/// P6: attack 168, whichever of them is first
#[test]
fn a_review_and_a_confirmation_are_both_needed_and_only_the_human_confirms() {
    let office = Office::new(Rule::ask("both").approval(reviewed_and_confirmed()));
    let (_task, grant) = office.errand(&office.attest(ada_s("payer")));
    let pending = office.ask(&grant, &pay(98));
    let (ada, bob) = (office.person("ada", "sales"), office.person("bob", "finance"));
    assert_eq!(confirm(&office, &pending, &bob), Err(NotCounted::NotEligible));
    let named_alike = office.attest(Assertion::agent("ada").group("finance"));
    assert_eq!(confirm(&office, &pending, &named_alike), Err(NotCounted::NotEligible));
    let tally = office.approve(&pending, &bob).unwrap();
    assert_eq!((tally.state, tally.have, tally.need), (QuestionState::Waiting, 1, 2));
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalRequired);
    assert_eq!(confirm(&office, &pending, &ada).unwrap().state, QuestionState::Approved);
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
    office.verify();
}

fn ada_s(agent: &str) -> Assertion {
    Assertion::agent(agent).acts_for("ada", Kind::Human)
}

#[test]
fn who_is_asked_to_confirm_finds_the_question_listed() {
    let ask = Rule::ask("confirmed").approval(ApprovalTerms::per(Per::Call).confirm());
    let office = Office::new(ask);
    let (_task, grant) = office.errand(&office.attest(ada_s("payer")));
    let pending = office.ask(&grant, &pay(98));
    let listed = |name: &str| office.reviews.list(&office.person(name, "finance")).len();
    assert_eq!((listed("ada"), listed("bob")), (1, 0));
    confirm(&office, &pending, &office.person("ada", "x")).unwrap();
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
}

/// A confirmation chooses no width, and narrows none.
#[test]
fn a_width_that_a_reviewer_chose_is_not_narrowed_by_a_confirmation() {
    let terms = reviewed_and_confirmed().offer([Width::CALL, Width::calls(3)]);
    let office = Office::new(Rule::ask("both").approval(terms));
    let (_task, grant) = office.errand(&office.attest(ada_s("payer")));
    let pending = office.ask(&grant, &pay(98));
    confirm(&office, &pending, &office.person("ada", "x")).unwrap();
    let question = office.question(&pending);
    let (bob, shown) = (office.person("bob", "finance"), question.view().digest());
    office.reviews.approve(&question, &bob, &shown, Width::calls(3)).unwrap();
    for _ in 0..3 {
        assert_eq!(run(office.authorize(&grant, &pay(98)).unwrap()), 98);
    }
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalSpent);
    office.verify();
}

/// P6: of a chain it is the last who confirms; where that is no human, no one could.
#[test]
fn the_last_of_a_chain_confirms_and_nothing_is_asked_where_that_is_an_agent() {
    let ask = || Rule::ask("confirmed").approval(ApprovalTerms::per(Per::Call).confirm());
    let office = Office::new(ask());
    let chain = |last: (&str, Kind)| {
        Assertion::agent("payer").acts_for("bob", Kind::Human).acts_for(last.0, last.1)
    };
    let (_task, grant) = office.errand(&office.attest(chain(("ada", Kind::Human))));
    let pending = office.ask(&grant, &pay(98));
    let bob = office.person("bob", "x");
    assert_eq!(confirm(&office, &pending, &bob), Err(NotCounted::NotEligible), "on the way");
    let said = confirm(&office, &pending, &office.person("ada", "x")).unwrap();
    assert_eq!(said.state, QuestionState::Approved);

    let office = Office::new(ask());
    let (_task, grant) = office.errand(&office.attest(chain(("planner", Kind::Agent))));
    let denial = office.authorize(&grant, &pay(98)).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    assert!(denial.pending().is_none(), "{}", denial.explain());
}
