//! Whatever is done, in whatever order, the log verifies, and says who agreed to each permit.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::audit::explain;
use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::{Halt, Pending};

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, payments, reviewers};

/// This many of finance have to agree, and may have their yes reach three calls of other amounts.
fn wide(count: u32) -> Rule {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance").count(count));
    Rule::ask("four-eyes").approval(terms.offer([Width::CALL, Width::calls(3)]).vary(["amount"]))
}

/// A seed is said where it fails.
#[test]
fn whatever_is_done_the_log_verifies() {
    for seed in 1..400_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        let office = Office::new(wide(1));
        let payer = office.attest("payer");
        let people = ["ada", "bob", "eve"].map(|name| office.person(name, "finance"));
        let (mut task, mut grant) = office.errand(&payer);
        let (mut pending, mut permits): (Vec<Pending>, Vec<Permit>) = (vec![], vec![]);
        // Whose yes counted, by the question; and as it was when each permit was given.
        let mut agreed: Agreed = BTreeMap::new();
        let mut when_permitted: BTreeMap<u64, Agreed> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for _ in 0..60 {
            let at = next(1 + pending.len() as u64) as usize;
            let who = &people[next(3) as usize];
            match next(17) {
                0..3 => match office.authorize(&grant, &pay(next(4) as i64)) {
                    Ok(permit) => permits.push(permit),
                    Err(denial) => pending.extend(denial.pending().cloned()),
                },
                3..6 => {
                    if let Some(own) = pending.get(at)
                        && let Some(question) = office.reviews.open(&own.id())
                    {
                        let shown = question.view().digest();
                        let width = [Width::CALL, Width::calls(3)][next(2) as usize];
                        let answer = office.reviews.approve(&question, who, &shown, width);
                        if answer.is_ok() {
                            let own = agreed.entry(pending[at].id().to_string()).or_default();
                            own.insert(who.subject().as_str().to_owned());
                        }
                    }
                }
                6 => {
                    if let Some(question) =
                        pending.get(at).and_then(|own| office.reviews.open(&own.id()))
                    {
                        let _ = office.reviews.deny(&question, who, "no");
                    }
                }
                7..10 => {
                    if let Some(own) = pending.get(at) {
                        match office.redeem(own, &grant) {
                            Ok(permit) => permits.push(permit),
                            Err(denial) => pending.extend(denial.pending().cloned()),
                        }
                    }
                }
                10 => drop(permits.pop()),
                11 => {
                    if let Some(Ok(running)) = permits.pop().map(Permit::start) {
                        running.succeed();
                    }
                }
                12 => office.clock.advance(MINUTE / 3),
                13 => office.reload(&payments(wide(1 + next(2) as u32))),
                14 => {
                    office.sink.fail_next(1);
                }
                15 => {
                    let _ = pending.get(at).map(Pending::cancel);
                    office.broker.sweep(10);
                }
                _ => match next(4) {
                    0 => {
                        task.complete();
                        office.sink.fail_next(0);
                        (task, grant) = office.errand(&payer);
                    }
                    1 => {
                        let facts = Assertion::human("ada").group("sales");
                        let _ = office.broker.control().restate(facts).unwrap().finish();
                    }
                    2 => {
                        let _ = office.broker.control().unrestate("ada").map(|own| own.finish());
                    }
                    _ => {
                        if let Ok(own) =
                            task.request(Scope::tool("bank.pay").any_args(), &Context::new())
                        {
                            grant = own;
                        }
                    }
                },
            }
            for permit in permits.iter().filter(|permit| told.insert(permit.number())) {
                when_permitted.insert(permit.number(), agreed.clone());
            }
        }
        office.sink.fail_next(0);
        drop(permits);
        drop(task);
        office.broker.flush();
        if let Err(fault) = office.broker.verify(&office.log) {
            panic!("seed {seed}: {fault:?}");
        }
        let records = office.log.records();
        let names: BTreeSet<_> = records.iter().filter_map(|own| own.event.task()).collect();
        let stories = names.into_iter().flat_map(|name| explain(&records, name));
        for call in stories.flat_map(|story| story.calls) {
            let Some(agreed) = when_permitted.remove(&call.seq) else { continue };
            assert!(!call.agreements.is_empty(), "seed {seed}: every payment is asked about");
            for own in &call.agreements {
                let people = own.agreed().map(str::to_owned).collect();
                assert_eq!(agreed.get(&own.question), Some(&people), "seed {seed}: {call:?}");
            }
        }
        assert!(when_permitted.is_empty(), "seed {seed}: {when_permitted:?} is not explained");
    }
}

/// Whose yes counted, by the question.
type Agreed = BTreeMap<String, BTreeSet<String>>;

/// No lock is taken in another order anywhere.
#[test]
fn everything_at_once_ends() {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..30 {
            let office = Office::new(four_eyes());
            let payer = office.attest("payer");
            let ada = office.person("ada", "finance");
            let (task, grant) = office.errand(&payer);
            std::thread::scope(|scope| {
                let (office, grant, ada) = (&office, &grant, &ada);
                scope.spawn(move || {
                    for n in 0..40 {
                        office.reload(&payments(of_finance(1 + n % 2)));
                    }
                });
                scope.spawn(move || {
                    for _ in 0..40 {
                        office.broker.control().halt(Halt::identity("ada").unwrap());
                        office.broker.control().resume(&Halt::identity("ada").unwrap());
                        let facts = Assertion::human("ada").group("sales");
                        office.broker.control().restate(facts).unwrap().finish();
                        office.broker.control().unrestate("ada");
                    }
                });
                scope.spawn(move || {
                    for _ in 0..80 {
                        for question in office.reviews.list(ada) {
                            let shown = question.view().digest();
                            let _ = office.reviews.approve(&question, ada, &shown, Width::CALL);
                            let _ = question.state();
                        }
                    }
                });
                scope.spawn(move || {
                    for n in 0..80 {
                        office.broker.sweep(10);
                        let _ = n;
                    }
                });
                for at in 0..2 {
                    scope.spawn(move || {
                        for n in 0..60 {
                            match office.authorize(grant, &pay(n % 5 + at)) {
                                Ok(permit) => drop(permit.start().map(|running| running.succeed())),
                                Err(denial) => {
                                    if let Some(own) = denial.pending() {
                                        own.wait(std::time::Duration::from_micros(50));
                                        let _ = office.redeem(own, grant);
                                    }
                                }
                            }
                        }
                    });
                }
            });
            drop(task);
            office.verify();
        }
        done.send(()).unwrap();
    });
    wait.recv_timeout(std::time::Duration::from_secs(60)).expect("a deadlock, or a panic");
}
