//! P11, P2, P9 under threads: an end that has returned is final for all of them, and a limit is one
//! limit for all of them.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use hallpass::prelude::*;
use hallpass::{Broker, Halt};

const THREADS: usize = 8;

fn policy(rule: impl FnOnce(Rule) -> Rule) -> Policy {
    let rule = rule(Rule::permit("all").any_tool().any_args());
    Policy::builder().rule(rule).build().unwrap()
}

fn call() -> Call {
    Call::new("t", serde_json::json!({ "n": 1 })).unwrap()
}

fn everything() -> Scope {
    Scope::tool("t").any_args()
}

/// P9, attack 139: of N uses exactly N are permitted, however many threads ask.
#[test]
fn of_so_many_uses_exactly_so_many_are_permitted() {
    for uses in [1u64, 7, 64] {
        let broker = Broker::new(policy(|rule| rule.uses(uses))).unwrap();
        let caller = broker.assert_identity("robot").unwrap();
        let task = broker.open(&caller, Purpose::new("p")).unwrap();
        // Two grants, as a counter belongs to the rule.
        let grants = [(); 2].map(|()| task.request(everything(), &Context::new()).unwrap());
        let (permitted, barrier) = (AtomicUsize::new(0), Barrier::new(THREADS));
        thread::scope(|scope| {
            for n in 0..THREADS {
                let (gate, grant) = (broker.gate(), &grants[n % 2]);
                let (caller, permitted, barrier) = (&caller, &permitted, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for _ in 0..uses {
                        match gate.authorize(grant.token(), caller, call(), &Context::new()) {
                            Ok(permit) => {
                                permit.run(|_| Ok::<_, ()>(())).unwrap();
                                permitted.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(denial) => assert_eq!(denial.reason(), Reason::UsesSpent),
                        }
                    }
                });
            }
        });
        assert_eq!(permitted.load(Ordering::SeqCst) as u64, uses);
        let verified = broker.verify_log().unwrap();
        assert!(verified.without_outcome.is_empty());
    }
}

/// P9: what a permit reserved comes back when it is dropped, from whatever thread, and none is lost
/// or doubled.
#[test]
fn no_refund_is_lost_or_doubled() {
    let broker = Broker::new(policy(|rule| rule.uses(4).budget("args.n", 4))).unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let task = broker.open(&caller, Purpose::new("p")).unwrap();
    let grant = task.request(everything(), &Context::new()).unwrap();
    let at_once = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let gate = broker.gate();
                for _ in 0..100 {
                    let answer = gate.authorize(grant.token(), &caller, call(), &Context::new());
                    if let Ok(permit) = answer {
                        assert!(at_once.fetch_add(1, Ordering::SeqCst) < 4);
                        at_once.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                }
            });
        }
    });
    let gate = broker.gate();
    let permits: Vec<Permit> = (0..4)
        .map(|_| gate.authorize(grant.token(), &caller, call(), &Context::new()).unwrap())
        .collect();
    let fifth = gate.authorize(grant.token(), &caller, call(), &Context::new());
    assert_eq!(fifth.map(drop).unwrap_err().reason(), Reason::UsesSpent);
    drop(permits);
    broker.verify_log().unwrap();
}

/// P11, attacks 93, 103, 48 and 140: threads authorize and start without pause; once the end has
/// returned, nothing that is tried afterwards starts, whether its permit was handed out before or not.
#[test]
fn nothing_starts_once_an_end_has_returned() {
    type Ending = fn(&Broker, Option<Task>, &Grant);
    let endings: [(Ending, bool); 7] = [
        (|_, task, _| drop(task.unwrap().complete()), true),
        (|_, task, _| drop(task), true),
        (
            |broker, task, _| {
                assert!(
                    !broker
                        .control()
                        .revoke_task(task.as_ref().unwrap().name())
                        .unwrap()
                        .is_empty()
                )
            },
            true,
        ),
        (|_, task, grant| assert!(!task.as_ref().unwrap().revoke_grant(grant).is_empty()), true),
        (|broker, _, grant| assert!(!broker.control().revoke_grant(grant.id()).is_empty()), true),
        (|broker, _, _| drop(broker.control().halt(Halt::Everything)), true),
        // A reload takes away what was handed out; what today's policy gives is asked for again.
        (|broker, _, _| drop(broker.reload(&Policy::builder().build().unwrap()).unwrap()), false),
    ];
    for (end, _) in endings {
        for round in 0..12 {
            let broker = Broker::new(policy(|rule| rule)).unwrap();
            let caller = broker.assert_identity("robot").unwrap();
            let task = broker.open(&caller, Purpose::new("p")).unwrap();
            let grant = task.request(everything(), &Context::new()).unwrap();
            let (ended, started) = (AtomicBool::new(false), AtomicUsize::new(0));
            let barrier = Barrier::new(4);
            let held = thread::scope(|scope| {
                let threads: Vec<_> = (0..3)
                    .map(|_| {
                        scope.spawn(|| {
                            let gate = broker.gate();
                            let mut held = Vec::new();
                            barrier.wait();
                            loop {
                                // Read before: only what is tried after the end has returned counts.
                                let over = ended.load(Ordering::SeqCst);
                                let answer =
                                    gate.authorize(grant.token(), &caller, call(), &Context::new());
                                match answer {
                                    Ok(permit) => {
                                        assert!(!over, "permitted after the end had returned");
                                        if held.len() < 4 {
                                            held.push(permit);
                                            continue;
                                        }
                                        let over = ended.load(Ordering::SeqCst);
                                        if let Ok(running) = permit.start() {
                                            assert!(!over, "started after the end had returned");
                                            started.fetch_add(1, Ordering::SeqCst);
                                            running.succeed();
                                        }
                                    }
                                    Err(_) if over => return held,
                                    Err(_) => {}
                                }
                            }
                        })
                    })
                    .collect();
                barrier.wait();
                while started.load(Ordering::SeqCst) < round {
                    thread::yield_now();
                }
                end(&broker, Some(task), &grant);
                ended.store(true, Ordering::SeqCst);
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            for permit in held {
                assert!(permit.start().is_err(), "a permit handed out before has started");
            }
            let verified = broker.verify_log().unwrap();
            assert!(verified.without_outcome.is_empty());
        }
    }
}

/// P11: a call that is already running when its task ends is named by the end, or has its outcome in
/// the log before it.
#[test]
fn an_end_names_every_call_that_is_running() {
    for _ in 0..40 {
        let broker = Broker::new(policy(|rule| rule)).unwrap();
        let caller = broker.assert_identity("robot").unwrap();
        let task = broker.open(&caller, Purpose::new("p")).unwrap();
        let grant = task.request(everything(), &Context::new()).unwrap();
        let (told, ran) = thread::scope(|scope| {
            let runners: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut ran = Vec::new();
                        while let Ok(permit) =
                            broker.gate().authorize(grant.token(), &caller, call(), &Context::new())
                        {
                            if let Ok(running) = permit.start() {
                                ran.push(running.number());
                                running.succeed();
                            }
                        }
                        ran
                    })
                })
                .collect();
            thread::yield_now();
            let told = task.complete().running;
            let ran: Vec<u64> =
                runners.into_iter().flat_map(|runner| runner.join().unwrap()).collect();
            (told, ran)
        });
        let records = broker.log().unwrap().records();
        let end = records
            .iter()
            .find(|r| matches!(r.event, hallpass::audit::Event::Ended { .. }))
            .unwrap()
            .seq;
        for number in ran {
            let outcome = records.iter().find(
                |r| matches!(&r.event, hallpass::audit::Event::Outcome { of, .. } if *of == number),
            );
            assert_eq!(told.contains(&number), outcome.unwrap().seq > end);
        }
        broker.verify_log().unwrap();
    }
}

/// P11, attack 103: halting a person stops what is done for them, with any holder.
#[test]
fn a_halt_over_a_person_stops_the_tasks_of_those_who_act_for_them() {
    let broker = Broker::new(policy(|rule| rule)).unwrap();
    let planner = Assertion::agent("planner").acts_for("ada", Kind::Human);
    let planner = broker.assert_identity(planner).unwrap();
    let worker = broker.assert_identity("worker").unwrap();
    let task = broker.open(&planner, Purpose::new("p")).unwrap();
    let grant = task.request_for(&worker, everything(), &Context::new()).unwrap();
    let gate = broker.gate();
    let permit = gate.authorize(grant.token(), &worker, call(), &Context::new()).unwrap();
    broker.control().halt(Halt::identity("ada").unwrap());
    let denial = gate.authorize(grant.token(), &worker, call(), &Context::new());
    assert_eq!(denial.map(drop).unwrap_err().reason(), Reason::Halted);
    assert_eq!(permit.start().unwrap_err().reason(), Reason::Halted);
}
