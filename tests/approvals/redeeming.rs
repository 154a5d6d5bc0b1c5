//! Redeeming: exactly what was approved, once, decided afresh.

use std::time::Duration;

use hallpass::policy::{ApprovalTerms, Per};
use hallpass::prelude::*;
use hallpass::scope::max;
use hallpass::token::Form;
use hallpass::value::Digest;
use hallpass::{Halt, QuestionState};

use crate::office::{MINUTE, Office, four_eyes, pay, payments, reviewers, run};

fn office() -> (Office, Identity) {
    let office = Office::new(four_eyes());
    let ada = office.person("ada", "finance");
    (office, ada)
}

#[test]
fn what_people_agreed_to_runs_once_from_the_call_that_was_kept() {
    let (office, ada) = office();
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalRequired);
    office.approved(&pending, &ada);
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
    assert_eq!(pending.state(), QuestionState::Spent);
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalSpent);
    office.verify();
}

/// attack 109
#[test]
fn an_equal_call_of_a_retry_is_served_by_the_approval_and_a_second_is_asked_again() {
    let (office, ada) = office();
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &ada);
    office.gate.check(&grant, grant.holder(), &pay(98), &Context::new()).unwrap();
    assert!(office.authorize(&grant, &pay(99)).is_err());
    assert_eq!(run(office.authorize(&grant, &pay(98)).unwrap()), 98);
    let again = office.ask(&grant, &pay(98));
    assert_ne!(again.id(), pending.id());
    office.verify();
}

#[test]
fn a_permit_that_never_started_gives_the_approval_back_three_times() {
    let (office, ada) = office();
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &ada);
    for _ in 0..3 {
        drop(office.redeem(&pending, &grant).unwrap());
        assert_eq!(pending.state(), QuestionState::Approved);
    }
    drop(office.redeem(&pending, &grant).unwrap());
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalSpent);
    office.verify();
}

#[test]
fn where_a_rule_keeps_what_never_started_the_approval_does_not_come_back() {
    let permit = Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource();
    let rules = [permit.uses(5).no_refund(), four_eyes().tool("bank.pay")];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    drop(office.redeem(&pending, &grant).unwrap());
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalSpent);
}

#[test]
fn a_permit_that_the_log_refuses_spends_nothing() {
    let (office, ada) = office();
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &ada);
    office.broker.flush();
    for _ in 0..5 {
        office.sink.fail_next(1);
        assert_eq!(office.refused(&pending, &grant), Reason::LogRefused);
    }
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
    office.verify();
}

/// attacks 155 and 164: a fresh grant of the task redeems it, another task's or a narrower one does not
#[test]
fn any_live_grant_of_the_task_and_asker_redeems_and_no_other() {
    let (office, ada) = office();
    let payer = office.attest("payer");
    let (task, first) = office.errand(&payer);
    let pending = office.ask(&first, &pay(98));
    office.approved(&pending, &ada);
    let narrow = task.request(Scope::tool("bank.pay").arg("amount", max(5)), &Context::new());
    assert_eq!(office.refused(&pending, &narrow.unwrap()), Reason::OutOfScope);
    let (_other, theirs) = office.errand(&payer);
    assert_eq!(office.refused(&pending, &theirs), Reason::NotTheHolder);
    let clerk = office.attest("clerk");
    let wanted = Scope::tool("bank.pay").any_args();
    let clerks = task.request_for(&clerk, wanted.clone(), &Context::new()).unwrap();
    assert_eq!(office.refused(&pending, &clerks), Reason::NotTheHolder);
    first.revoke();
    let fresh = task.request(wanted, &Context::new()).unwrap();
    assert_eq!(run(office.redeem(&pending, &fresh).unwrap()), 98);
}

/// attacks 110 and 159: what an argument refers to was changed while people thought
#[test]
fn what_the_arguments_refer_to_is_stated_again_and_has_to_be_the_same() {
    let (office, ada) = office();
    let (_task, grant) = office.errand(&office.attest("payer"));
    let script = Digest::of(b"make deploy");
    let pending = office.ask(&grant, &pay(98).material("script", script));
    assert!(office.question(&pending).view().to_string().contains(&script.to_string()));
    office.approved(&pending, &ada);
    let swapped = pending.clone().material("script", Digest::of(b"rm -rf /"));
    let more = pending.clone().material("script", script).material("other", script);
    for wrong in [&pending, &swapped, &more] {
        assert_eq!(office.refused(wrong, &grant), Reason::ApprovalStale);
    }
    let same = pending.clone().material("script", script);
    assert_eq!(run(office.redeem(&same, &grant).unwrap()), 98);
}

#[test]
fn a_yes_is_good_for_as_long_as_its_rule_says() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance")).good_for(2 * MINUTE);
    let office = Office::new(Rule::ask("four-eyes").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let ada = office.person("ada", "finance");
    let pending = office.ask(&grant, &pay(98));
    office.clock.advance(MINUTE);
    office.approved(&pending, &ada);
    office.clock.advance(2 * MINUTE);
    assert_eq!(pending.state(), QuestionState::Lapsed);
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid);
    assert!(office.authorize(&grant, &pay(98)).is_err());
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &ada);
    office.clock.advance(2 * MINUTE - Duration::from_millis(1));
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
    office.verify();
}

/// attack 113: a no before the start takes the yes back
#[test]
fn a_yes_is_taken_back_until_the_call_starts() {
    let (office, ada) = office();
    let (_task, grant) = office.errand(&office.attest("payer"));
    let bob = office.person("bob", "finance");
    let pending = office.ask(&grant, &pay(1));
    office.approved(&pending, &ada);
    assert_eq!(office.deny(&pending, &ada).unwrap().state, QuestionState::Withdrawn);
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid);

    let pending = office.ask(&grant, &pay(2));
    office.approved(&pending, &ada);
    let permit = office.redeem(&pending, &grant).unwrap();
    assert_eq!(office.deny(&pending, &bob).unwrap().state, QuestionState::Withdrawn);
    assert_eq!(permit.start().err().unwrap().reason(), Reason::ApprovalVoid);
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid, "it does not come back");

    let pending = office.ask(&grant, &pay(3));
    office.approved(&pending, &ada);
    let running = office.redeem(&pending, &grant).unwrap().start().unwrap();
    assert!(office.deny(&pending, &bob).is_err(), "it runs");
    running.succeed();
    office.verify();
}

#[test]
fn what_today_says_of_the_call_holds_for_what_was_approved() {
    let (office, ada) = office();
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &ada);
    office.broker.control().halt(Halt::tool("bank.pay").unwrap());
    assert_eq!(office.refused(&pending, &grant), Reason::Halted);
    office.broker.control().resume(&Halt::tool("bank.pay").unwrap());
    office.clock.advance(5 * MINUTE);
    assert_eq!(office.refused(&pending, &grant), Reason::Expired, "the grant");
    let fresh = task.request(Scope::tool("bank.pay").any_args(), &Context::new()).unwrap();
    task.complete();
    assert_eq!(office.refused(&pending, &fresh), Reason::TaskOver);
    assert_eq!(pending.state(), QuestionState::Void);
}

#[test]
fn where_what_is_presented_has_to_be_bound_it_is_bound_to_the_call_that_was_asked_for() {
    let permit = Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource();
    let rules = [permit.presentation(Form::CallBound), four_eyes().tool("bank.pay")];
    let policy = Policy::builder().rules(rules).build().unwrap();
    let office = Office::with(policy, |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let now = office.now();
    let once = |call: &Call| grant.token().present(call, now).unwrap();
    let (gate, who, context) = (&office.gate, grant.holder(), Context::new());
    let denial = gate.authorize(&once(&pay(98)), who, pay(98), &context).unwrap_err();
    let pending = denial.pending().unwrap();
    office.approved(pending, &office.person("ada", "finance"));
    let plain = gate.redeem(pending, &grant, who, &context).unwrap_err();
    assert_eq!(plain.reason(), Reason::NoPermit);
    assert!(gate.redeem(pending, &once(&pay(99)), who, &context).is_err());
    assert_eq!(run(gate.redeem(pending, &once(&pay(98)), who, &context).unwrap()), 98);
}

#[test]
fn a_question_of_another_broker_is_not_redeemed() {
    let (one, ada) = office();
    let (_task, grant) = one.errand(&one.attest("payer"));
    let pending = one.ask(&grant, &pay(98));
    one.approved(&pending, &ada);
    let two = Office::with(payments(four_eyes()), |builder| builder);
    let (_other, theirs) = two.errand(&two.attest("payer"));
    assert_eq!(two.refused(&pending, &theirs), Reason::ApprovalVoid);
}
