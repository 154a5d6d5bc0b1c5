//! A process that is killed while it runs what people agreed to, between any two steps.

use hallpass::audit::{Durability, Event, FileLog, Outcome, explain};
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use serde_json::json;

use super::restarted::{records, unlock};
use super::world::{Folder, ORIGIN, builder_of, keys, options};

/// The step after which it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Approved,
    Permitted,
    Started,
    Ran,
}

fn four_eyes() -> Policy {
    let line = Reviewers::in_groups(has_any(["finance"]));
    let ask = Rule::ask("four-eyes")
        .tool("bank.pay")
        .approval(ApprovalTerms::per(Per::Call).review(line));
    let pay = Rule::permit("pay").tool("bank.pay").any_args();
    Policy::builder().rules([pay, ask]).build().unwrap()
}

fn open(folder: &Folder) -> Broker {
    let log = options(Durability::Flushed).open(folder.path(), &keys(), &ORIGIN).unwrap();
    builder_of(four_eyes()).log_keys(keys()).resume_from(&log).build().unwrap()
}

/// Has it approved and run, up to this step; the question's text.
fn live_until(step: Step, broker: &Broker) -> String {
    let (gate, context) = (broker.gate(), Context::new());
    let payer = broker.assert_identity("payer").unwrap();
    let task = broker.open_named("pay-bill", &payer, Purpose::new("pay-bill")).unwrap();
    let grant = task.request(Scope::tool("bank.pay").any_args(), &context).unwrap();
    let call = Call::new("bank.pay", json!({ "amount": 98 })).unwrap();
    let denial = gate.authorize(&grant, &payer, call, &context).unwrap_err();
    let pending = denial.pending().unwrap();
    let text = pending.to_text().unwrap();
    let ada = broker.assert_identity(Assertion::human("ada").group("finance")).unwrap();
    let question = broker.reviews().open(&pending.id()).unwrap();
    let shown = question.view().digest();
    broker.reviews().approve(&question, &ada, &shown, Width::CALL).unwrap();
    if step >= Step::Permitted {
        let permit = gate.redeem(pending, &grant, &payer, &context).unwrap();
        if step >= Step::Started {
            let running = permit.start().unwrap();
            match step {
                Step::Ran => running.succeed(),
                _ => std::mem::forget(running),
            }
        } else {
            std::mem::forget(permit);
        }
    }
    assert_eq!(broker.flush(), 0);
    std::mem::forget(task);
    text
}

/// attack 170: not run, not run, unknown; and never again
#[test]
fn a_process_killed_between_two_steps_of_an_approved_call_never_runs_it_twice_and_the_log_says_whether_it_did()
 {
    let steps = [
        (Step::Approved, None, None),
        (Step::Permitted, Some(Outcome::Abandoned), Some(false)),
        (Step::Started, Some(Outcome::Unknown), None),
        (Step::Ran, Some(Outcome::Ok), Some(true)),
    ];
    for (step, outcome, has_run) in steps {
        let folder = Folder::new();
        let broker = open(&folder);
        let text = live_until(step, &broker);
        std::mem::forget(broker);
        unlock(&folder);

        let broker = open(&folder);
        assert_eq!(broker.flush(), 0);
        // Who comes back with the text finds something to redeem only where nothing had started.
        let stands = step < Step::Started;
        assert_eq!(broker.gate().pending(&text).is_some(), stands, "{step:?}");
        assert_eq!(broker.reviews().open(&text).is_some(), stands, "{step:?}");
        let records = records(&folder);
        let outcomes: Vec<_> = records
            .iter()
            .filter_map(|own| match own.event {
                Event::Outcome { outcome, .. } => Some(outcome),
                _ => None,
            })
            .collect();
        assert_eq!(outcomes, Vec::from_iter(outcome), "{step:?}");
        let [story] = &explain(&records, "pay-bill")[..] else { panic!("{step:?}") };
        let calls: Vec<_> = story.calls.iter().map(|call| call.has_run()).collect();
        assert_eq!(calls.first().copied().flatten(), has_run, "{step:?}");
        let payer = broker.assert_identity("payer").unwrap();
        let resumed = broker.resume("pay-bill", &payer);
        assert_eq!(resumed.is_ok(), stands, "{step:?}");
        if let (Ok(task), Some(pending)) = (&resumed, broker.gate().pending(&text)) {
            let all = Scope::tool("bank.pay").any_args();
            let grant = task.request(all, &Context::new()).unwrap();
            let redeem = || broker.gate().redeem(&pending, &grant, &payer, &Context::new());
            redeem().unwrap().start().unwrap().succeed();
            assert_eq!(redeem().unwrap_err().reason(), Reason::ApprovalSpent, "{step:?}");
        }
        assert_eq!(broker.flush(), 0);
        drop((resumed, broker));
        FileLog::read(folder.path(), &keys(), &ORIGIN, None).unwrap();
    }
}
