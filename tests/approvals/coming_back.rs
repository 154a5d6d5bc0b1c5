//! An approval comes back from a permit that never started, and only to where it was good.

use std::time::Duration;

use hallpass::QuestionState;
use hallpass::audit::MemoryLog;
use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::testing::HangingSink;

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, payments, reviewers};

fn permit() -> Rule {
    Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource()
}

/// A permit of before the reloads never starts, and its approval is not one of today's.
#[test]
fn an_approval_that_was_spent_while_its_rule_changed_does_not_come_back() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    let permit = office.redeem(&pending, &grant).unwrap();
    office.reload(&payments(of_finance(2)));
    office.reload(&payments(four_eyes()));
    drop(permit);
    assert_ne!(pending.state(), QuestionState::Approved);
    assert!(office.redeem(&pending, &grant).is_err(), "a yes survives a reload");
}

/// An eligible no before the start wins; also after another start of it failed.
#[test]
fn a_no_before_the_start_wins_although_a_start_failed_before() {
    let rules = |more: Option<Rule>| {
        let ask = four_eyes().tool("bank.pay");
        Policy::builder().rules([permit(), ask]).rules(more).build().unwrap()
    };
    let office = Office::with(rules(None), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let first = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    office.approved(&first, &ada);
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("board"));
    office.reload(&rules(Some(Rule::ask("board").tool("bank.pay").approval(terms))));
    let both = office.attest(Assertion::human("eve").groups(["finance", "board"]));
    let second = office.redeem(&first, &grant).unwrap_err().pending().unwrap().clone();
    office.approved(&second, &both);
    let permit = office.redeem(&first, &grant).unwrap();
    assert_eq!(office.deny(&second, &both).unwrap().state, QuestionState::Withdrawn);
    assert!(permit.start().is_err());
    assert_eq!(first.state(), QuestionState::Approved);
    let third = office.redeem(&first, &grant).unwrap_err().pending().unwrap().clone();
    office.approved(&third, &both);
    let permit = office.redeem(&first, &grant).unwrap();
    let denied = office.deny(&first, &ada);
    assert_eq!(denied.map(|own| own.state), Ok(QuestionState::Withdrawn));
    assert!(permit.start().is_err());
}

/// What is spent and has not started is not forgotten: the yes can still be taken back.
#[test]
fn what_was_spent_and_has_not_started_is_remembered() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    office.approved(&pending, &ada);
    let permit = office.redeem(&pending, &grant).unwrap();
    for amount in 1000..1070 {
        office.ask(&grant, &pay(amount)).cancel().unwrap();
    }
    let question = office.reviews.open(&pending.id()).expect("it is forgotten");
    assert_eq!(office.reviews.deny(&question, &ada, "no").unwrap().state, QuestionState::Withdrawn);
    assert!(permit.start().is_err());
}

/// As long as a permit of a wide yes may start, the yes can be taken back, also past its time.
#[test]
fn what_is_past_its_time_and_may_start_is_remembered() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance"));
    let terms = terms.offer([Width::calls(2)]).good_for(Duration::from_secs(10));
    let office = Office::new(Rule::ask("wide").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let (ada, question) = (office.person("ada", "finance"), office.question(&pending));
    office.reviews.approve(&question, &ada, &question.view().digest(), Width::calls(2)).unwrap();
    let permit = office.redeem(&pending, &grant).unwrap();
    office.clock.advance(Duration::from_secs(15));
    for amount in 1000..1070 {
        office.ask(&grant, &pay(amount)).cancel().unwrap();
    }
    let question = office.reviews.open(&pending.id()).expect("it is forgotten");
    assert_eq!(office.reviews.deny(&question, &ada, "no").unwrap().state, QuestionState::Withdrawn);
    assert!(permit.start().is_err());
}

/// A task that asks again and again does not fill the memory.
#[test]
fn what_was_settled_long_ago_is_forgotten() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let ids: Vec<String> = (0..70)
        .map(|amount| {
            let pending = office.ask(&grant, &pay(amount));
            pending.cancel().unwrap();
            pending.id()
        })
        .collect();
    let known = ids.iter().filter(|id| office.reviews.open(id).is_some()).count();
    assert!((64..=65).contains(&known), "{known}");
    assert!(office.reviews.open(&ids[0]).is_none());
}

/// P2: with the task everything of it is over.
#[test]
fn what_was_forgotten_is_over_with_its_task() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    office.approved(&pending, &ada);
    let permit = office.redeem(&pending, &grant).unwrap();
    for amount in 1000..1070 {
        office.ask(&grant, &pay(amount)).cancel().unwrap();
    }
    drop(permit);
    task.complete();
    assert_ne!(pending.state(), QuestionState::Approved, "its task is over");
}

#[test]
fn a_no_after_the_end_leaves_a_log_that_verifies() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    office.approved(&pending, &ada);
    let permit = office.redeem(&pending, &grant).unwrap();
    let question = office.question(&pending);
    task.complete();
    let said = office.reviews.deny(&question, &ada, "no");
    assert!(said.is_err(), "{said:?}");
    drop(permit);
    office.verify();
}

#[test]
fn a_permit_that_lapsed_gives_the_approval_back_to_the_next_redeemer() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    let hung = office.redeem(&pending, &grant).unwrap();
    office.clock.advance(MINUTE);
    let again = office.redeem(&pending, &grant);
    assert!(again.is_ok(), "{:?}", again.err());
    assert!(hung.start().is_err());
}

/// People are not asked again for what they agreed to.
#[test]
fn a_permit_that_lapsed_serves_a_retry() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    let _hung = office.redeem(&pending, &grant).unwrap();
    office.clock.advance(MINUTE);
    assert!(office.authorize(&grant, &pay(98)).is_ok());
}

/// What the log did not take in time was never given: that is not a permit that did not start.
#[test]
fn what_the_log_did_not_take_costs_no_approval_however_often() {
    let log = MemoryLog::new();
    let sink = HangingSink::new(log.clone());
    let broker = Broker::builder(payments(four_eyes()))
        .log(sink.clone())
        .log_timeout(Duration::from_millis(1))
        .build()
        .unwrap();
    let (gate, reviews) = (broker.gate(), broker.reviews());
    let payer = broker.assert_identity("payer").unwrap();
    let ada = broker.assert_identity(Assertion::human("ada").group("finance")).unwrap();
    let task = broker.open(&payer, Purpose::new("pay-bill")).unwrap();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &Context::new()).unwrap();
    let denial = gate.authorize(&grant, &payer, pay(98), &Context::new()).unwrap_err();
    let pending = denial.pending().unwrap();
    let question = reviews.open(&pending.id()).unwrap();
    reviews.approve(&question, &ada, &question.view().digest(), Width::CALL).unwrap();
    for _ in 0..5 {
        broker.flush();
        sink.hang();
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| broker.open(&payer, Purpose::new("other")).map(drop));
            sink.wait_until_entered();
            gate.redeem(pending, &grant, &payer, &Context::new()).unwrap_err();
            sink.release();
            inside.join().unwrap().unwrap();
        });
        broker.flush();
    }
    assert_eq!(pending.state(), QuestionState::Approved);
    gate.redeem(pending, &grant, &payer, &Context::new()).unwrap().start().unwrap().succeed();
    task.complete();
    broker.flush();
    broker.verify(&log).unwrap();
}
