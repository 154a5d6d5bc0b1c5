//! Amending: somebody who may answer makes another call of one that waits, which others answer.

use hallpass::audit::{AnswerGiven, Asked, Event};
use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::{above, max};
use hallpass::{NotCounted, Pending, Question, QuestionState};
use serde_json::json;

use crate::office::{MINUTE, Office, four_eyes, pay, payments, reviewers, run};

fn amend(
    office: &Office,
    pending: &Pending,
    who: &Identity,
    call: Call,
) -> Result<Question, NotCounted> {
    let question = office.question(pending);
    office.reviews.amend(&question, who, &question.view().digest(), call)
}

/// attack 160: the reviewer changes the call to suit himself and says yes to it
#[test]
fn an_amended_call_is_another_question_that_others_answer_and_exactly_it_runs() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let (ada, bob) = (office.person("ada", "finance"), office.person("bob", "finance"));
    let pending = office.ask(&grant, &pay(98));
    let amended = amend(&office, &pending, &ada, pay(50)).unwrap();
    let fresh = pending.amended().unwrap();
    assert_eq!((pending.state(), fresh.state()), (QuestionState::Amended, QuestionState::Waiting));
    assert_eq!(amended.id(), fresh.id());
    let view = amended.view().to_string();
    for line in ["argument amount: 50", "before: argument amount: 98", "amended by: \"ada\""] {
        assert!(view.contains(line), "{view}");
    }
    assert!(!view.contains("asked for by: \"ada\""), "{view}");
    // Who amended it is a party from then on, under every name.
    for own in ["ada", "ADA"] {
        let own = office.person(own, "finance");
        assert_eq!(office.approve(&fresh, &own), Err(NotCounted::NotEligible));
        assert_eq!(office.deny(&fresh, &own), Err(NotCounted::NotEligible));
        assert_eq!(amend(&office, &fresh, &own, pay(1)).err(), Some(NotCounted::NotEligible));
    }
    // What was held before runs nothing.
    assert!(matches!(office.approve(&pending, &bob), Err(NotCounted::NotWaiting(_))));
    office.approved(&fresh, &bob);
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid);
    assert!(office.authorize(&grant, &pay(98)).is_err());
    assert_eq!(run(office.redeem(&fresh, &grant).unwrap()), 50);
    assert_eq!(office.refused(&fresh, &grant), Reason::ApprovalSpent);
    office.verify();
}

#[test]
fn amended_twice_neither_of_those_who_did_answers() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let people = ["ada", "bob", "eve"].map(|name| office.person(name, "finance"));
    let first = office.ask(&grant, &pay(98));
    amend(&office, &first, &people[0], pay(50)).unwrap();
    let second = first.amended().unwrap();
    amend(&office, &second, &people[1], pay(20)).unwrap();
    let third = second.amended().unwrap();
    let view = office.question(&third).view().to_string();
    for line in ["before: argument amount: 50", "amended by: \"ada\"", "amended by: \"bob\""] {
        assert!(view.contains(line), "{view}");
    }
    for who in &people[..2] {
        assert_eq!(office.approve(&third, who), Err(NotCounted::NotEligible));
    }
    office.approved(&third, &people[2]);
    assert_eq!(run(office.redeem(&third, &grant).unwrap()), 20);
    office.verify();
}

/// attack 160: another tool, arguments that policy refuses, an edit that gets by an ask
#[test]
fn an_amended_call_is_decided_like_any_other_and_gets_by_no_ask() {
    let terms = || ApprovalTerms::per(Per::Call).review(reviewers("finance"));
    let board = ApprovalTerms::per(Per::Call).review(reviewers("board"));
    let rules = [
        Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource(),
        Rule::ask("large").tool("bank.pay").arg("amount", above(50)).approval(terms()),
        Rule::ask("huge").tool("bank.pay").arg("amount", above(1000)).approval(board),
        Rule::forbid("never").tool("bank.pay").arg("amount", above(9000)),
    ];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let (task, grant) = office.errand(&office.attest("payer"));
    let (ada, bob) = (office.person("ada", "finance"), office.person("bob", "finance"));
    let pending = office.ask(&grant, &pay(98));
    let refused = |call: Call| amend(&office, &pending, &ada, call).err();
    let other = Call::new("bank.close", json!({})).unwrap();
    assert_eq!(refused(other), Some(NotCounted::NotPermitted(Reason::OutOfScope)));
    assert_eq!(refused(pay(9001)), Some(NotCounted::NotPermitted(Reason::Forbidden)));
    assert_eq!(pending.state(), QuestionState::Waiting, "it stays");
    // Below what is asked about, it waits for those who were asked all the same.
    amend(&office, &pending, &ada, pay(10)).unwrap();
    let small = pending.amended().unwrap();
    assert_eq!(office.refused(&small, &grant), Reason::ApprovalRequired);
    office.approved(&small, &bob);
    assert_eq!(run(office.redeem(&small, &grant).unwrap()), 10);
    // Above what more are asked about, for those, too.
    let pending = office.ask(&grant, &pay(98));
    amend(&office, &pending, &ada, pay(2000)).unwrap();
    let huge = pending.amended().unwrap();
    assert_eq!(office.approve(&huge, &bob).unwrap().state, QuestionState::Waiting);
    office.approved(&huge, &office.person("mia", "board"));
    // It is redeemed with what covers it, and nothing else.
    let narrow = task.request(Scope::tool("bank.pay").arg("amount", max(5)), &Context::new());
    assert_eq!(office.refused(&huge, &narrow.unwrap()), Reason::OutOfScope);
    assert_eq!(run(office.redeem(&huge, &grant).unwrap()), 2000);
    // Without a live grant of the asker there is nothing to amend for.
    let pending = office.ask(&grant, &pay(98));
    office.clock.advance(5 * MINUTE);
    let late = amend(&office, &pending, &ada, pay(50)).err();
    assert!(matches!(late, Some(NotCounted::NotPermitted(_))), "{late:?}");
    office.verify();
}

#[test]
fn who_may_not_review_what_was_not_shown_and_what_is_settled_is_not_amended() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let ada = office.person("ada", "finance");
    let pending = office.ask(&grant, &pay(98));
    for other in [office.person("zoe", "sales"), office.person("payer", "finance")] {
        let refused = amend(&office, &pending, &other, pay(50)).err();
        assert_eq!(refused, Some(NotCounted::NotEligible));
    }
    let question = office.question(&pending);
    let older = office.question(&office.ask(&grant, &pay(1))).view().digest();
    let stale = office.reviews.amend(&question, &ada, &older, pay(50)).err();
    assert_eq!(stale, Some(NotCounted::StaleView));
    office.approved(&pending, &ada);
    let bob = office.person("bob", "finance");
    let late = amend(&office, &pending, &bob, pay(50)).err();
    assert_eq!(late, Some(NotCounted::NotWaiting(QuestionState::Approved)));
    assert!(pending.amended().is_none());
    // Where no one else could answer it, it stays as it is.
    let only = hallpass::policy::Reviewers::with_id(hallpass::scope::eq("ada"));
    let terms = ApprovalTerms::per(Per::Call).review(only);
    let alone = Office::new(Rule::ask("ada-alone").approval(terms));
    let (_other, theirs) = alone.errand(&alone.attest("payer"));
    let pending = alone.ask(&theirs, &pay(98));
    let refused = amend(&alone, &pending, &alone.person("ada", "x"), pay(50)).err();
    assert_eq!(refused, Some(NotCounted::NotPermitted(Reason::ApprovalRequired)));
    assert_eq!(pending.state(), QuestionState::Waiting);
    drop(task);
    office.verify();
    alone.verify();
}

#[test]
fn the_log_says_who_amended_what_and_what_came_of_it() {
    let office = Office::with(payments(four_eyes()), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    amend(&office, &pending, &office.person("ada", "finance"), pay(50)).unwrap();
    let events = office.events();
    let asked = events.iter().rev().find_map(|event| match event {
        Event::Asked(Asked { amends: Some(amends), parties, .. }) => Some((amends, parties)),
        _ => None,
    });
    let (amends, parties) = asked.unwrap();
    assert_eq!(**amends, *pending.id());
    assert!(parties.iter().any(|party| party == "ada"));
    let said = events.iter().any(|event| match event {
        Event::Answered(AnswerGiven { answer, state, .. }) => {
            answer.as_str() == "amend" && state == "amended"
        }
        _ => false,
    });
    assert!(said);
    let again = office.authorize(&grant, &pay(50)).unwrap_err();
    let fresh = pending.amended().unwrap();
    assert_eq!(again.pending().unwrap().id(), fresh.id(), "the same call is the same question");
    let question = office.question(&fresh);
    let (bob, shown) = (office.person("bob", "finance"), question.view().digest());
    office.reviews.approve(&question, &bob, &shown, Width::CALL).unwrap();
    office.authorize(&grant, &pay(50)).unwrap().start().unwrap().succeed();
    office.verify();
}
