//! Who is asked, and what asking does not cost the asker.

use hallpass::policy::{ApprovalTerms, Moment, Per};
use hallpass::prelude::*;
use hallpass::value::Digest;

use crate::office::{MINUTE, Office, four_eyes, pay, payments, reviewers, run};

fn permit() -> Rule {
    Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource()
}

/// An agent that asks and takes back while the log refuses fills no memory.
#[test]
fn nothing_is_parked_while_as_many_records_wait_as_can() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    office.broker.flush();
    office.sink.fail_next(u64::MAX);
    for n in 0..66_000 {
        // Equal ones would be counted alone.
        let other = Call::new("bank.close", serde_json::json!({ "n": n })).unwrap();
        office.authorize(&grant, &other).unwrap_err();
    }
    let denial = office.authorize(&grant, &pay(1)).unwrap_err();
    assert_eq!((denial.reason(), denial.pending().is_none()), (Reason::LogRefused, true));
}

/// People take their time, and an asker that looks again does not offend.
#[test]
fn polling_a_waiting_question_does_not_halt_the_asker() {
    let office = Office::with(payments(four_eyes()), |builder| builder.halt_after(5, MINUTE));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    for _ in 0..10 {
        let _ = office.redeem(&pending, &grant);
    }
    office.approved(&pending, &office.person("ada", "finance"));
    run(office.redeem(&pending, &grant).unwrap());
}

/// Material is a digest by its nature.
#[test]
fn material_and_refuse_cut_together_can_be_asked() {
    let terms =
        ApprovalTerms::per(Per::Call).review(reviewers("finance")).material("s").refuse_cut();
    let office = Office::new(Rule::ask("m").approval(terms));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let call = pay(98).material("s", Digest::of(b"x"));
    assert!(office.authorize(&grant, &call).unwrap_err().pending().is_some());
}

#[test]
fn an_ask_at_requests_or_delegations_alone_withholds_something() {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let mut passed = Vec::new();
    for (what, on) in [("request", Moment::Request), ("delegate", Moment::Delegate)] {
        for per in [Per::Call, Per::Task] {
            let terms = ApprovalTerms::per(per).review(reviewers("finance"));
            let ask = Rule::ask("four-eyes").approval(terms).on([on]).tool("bank.pay");
            let rules = [permit().on(every).depth(3), ask];
            let Ok(policy) = Policy::builder().rules(rules).build() else { continue };
            let office = Office::with(policy, |builder| builder);
            let payer = office.attest("payer");
            let task = office.broker.open(&payer, Purpose::new("pay-bill")).unwrap();
            let scope = || Scope::tool("bank.pay").any_args();
            let Ok(grant) = task.request(scope(), &Context::new()) else { continue };
            let other = office.attest("worker");
            let given = match on {
                Moment::Delegate => task.delegate(&grant, &other, scope(), &Context::new()),
                _ => Ok(grant),
            };
            if let Ok(given) = given
                && office.authorize(&given, &pay(98)).is_ok()
            {
                passed.push(format!("on {what}, per {per:?}"));
            }
        }
    }
    assert!(passed.is_empty(), "no one was asked: {passed:?}");
}
