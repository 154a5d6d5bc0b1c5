//! A log that hangs: nothing that takes access away waits for it, nothing is given meanwhile, and it tells
//! all of it once it is back.

use std::sync::mpsc;
use std::task::{Context as Polled, Waker};
use std::thread;
use std::time::Duration;

use hallpass::audit::{Event, How, Outcome};
use hallpass::clock::Timestamp;
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::testing::ManualClock;
use hallpass::{Ended, Halt, Running};

use crate::hanging::{Hanging, given};
use crate::world::{MINUTE, SECOND, broad, plain, policy};

type End = fn(&Hanging, Task, Grant) -> Ended;

/// Every way to end what a task holds.
const ENDS: [(&str, End); 13] = [
    ("complete", |_, task, _| task.complete()),
    ("fail", |_, task, _| task.fail("it went wrong")),
    ("revoke", |_, task, _| task.revoke()),
    ("complete and wait", |_, task, _| task.complete_and_wait(Duration::ZERO)),
    ("completed, and not waited for", |_, task, _| {
        let mut completed = Box::pin(task.completed());
        let polled = completed.as_mut().poll(&mut Polled::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "a call runs");
        Ended::default()
    }),
    ("drop", |_, task, _| {
        drop(task);
        Ended::default()
    }),
    ("revoke a grant", |_, task, grant| {
        let ended = task.revoke_grant(&grant);
        std::mem::forget(task);
        ended
    }),
    ("give up", |world, task, grant| {
        std::mem::forget(task);
        world.gate.give_up(&grant, &world.agent).unwrap()
    }),
    ("control a grant", |world, task, grant| {
        std::mem::forget(task);
        world.control.revoke_grant(grant.id())
    }),
    ("control a task", |world, task, _| world.control.revoke_task(task.name()).unwrap()),
    ("an identity", |world, _task, _| world.control.revoke_identity("agent-7").unwrap()),
    ("a tool", |world, task, _| {
        std::mem::forget(task);
        world.control.revoke_tool("t").unwrap()
    }),
    ("halt", |world, task, _| {
        std::mem::forget(task);
        world.control.halt(Halt::Everything)
    }),
];

/// P2, P9, P10, P11, attack 193: every end returns while the sink hangs for ever, nothing starts after it,
/// the call that ran is told, and the log tells it all in order once it is back.
#[test]
fn every_end_returns_while_the_log_hangs() {
    for threaded in [false, true] {
        for (name, end) in ENDS {
            let world = Hanging::with(threaded, |builder| builder);
            let (task, grant) = world.granted();
            let running = given(|| world.authorize(&grant)).start().unwrap();
            let permit = given(|| world.authorize(&grant));
            let (unused, number) = (permit.number(), running.number());
            let token = Token::from_text(grant.token().expose().to_owned());
            let ended = world.while_hanging(|| {
                let ended = end(&world, task, grant);
                assert!(permit.start().is_err(), "{name}: P11");
                let denied = world.gate.authorize(&token, &world.agent, plain(), &world.context);
                assert!(denied.is_err(), "{name}: P11");
                running.succeed();
                ended
            });
            let is_told = ended != Ended::default();
            assert!(!is_told || ended.running == [number], "{name}: {ended:?}");
            assert!(is_told || ["drop", "completed, and not waited for"].contains(&name));
            let told = world.told();
            let at = |what: &dyn Fn(&Event<'_>) -> bool| {
                told.iter().position(what).unwrap_or_else(|| panic!("{name}: {told:?}"))
            };
            let generation = task_of(&told, number);
            let end = at(&|event| match event {
                Event::Ended { generation: of, .. } => *of == generation,
                // One that was asked for again while the log was behind is not the one that was used.
                Event::GrantEnded { running, .. } => running.contains(&number),
                event => matches!(event, Event::Halted { .. }),
            });
            let outcome = |permit: u64, what: Outcome| {
                at(
                    &|event| matches!(event, Event::Outcome { of, outcome, .. } if (*of, *outcome) == (permit, what)),
                )
            };
            let abandoned = outcome(unused, Outcome::Abandoned);
            let ok = outcome(number, Outcome::Ok);
            assert!(end < abandoned && abandoned < ok, "{name}: {told:?}");
        }
    }
}

fn task_of(told: &[Event<'_>], permit: u64) -> u64 {
    match &told[permit as usize - 1] {
        Event::Permitted { generation, .. } => *generation,
        other => panic!("record {permit} permits nothing: {other:?}"),
    }
}

/// P11, attack 193: an end of many has ended all of them when it returns, however slow the log is.
#[test]
fn an_end_of_many_waits_for_none_of_them() {
    let world = Hanging::with(false, |builder| builder);
    let held: Vec<(Task, Grant)> = (0..100).map(|_| world.granted()).collect();
    let ended = world.while_hanging(|| {
        let ended = world.control.revoke_identity("agent-7").unwrap();
        assert!(world.broker.standing().grants.is_empty());
        for (_, grant) in &held {
            assert!(world.authorize(grant).is_err());
        }
        ended
    });
    assert!(ended.tasks >= 100, "{ended:?}");
    let told = world.told();
    let revoked =
        told.iter().filter(|event| matches!(event, Event::Ended { how: How::Revoked, .. })).count();
    assert_eq!(revoked, ended.tasks);
}

/// P11, attack 195: a task that was ended by its name before the log had its opening is not handed out.
#[test]
fn a_task_that_was_ended_while_its_opening_is_written_is_not_handed_out() {
    let world = Hanging::with(false, |builder| builder);
    world.sink.hang();
    let (ended, opened) = thread::scope(|scope| {
        let open =
            || world.broker.open_named("nightly", &world.agent, Purpose::new("test")).map(drop);
        let opening = scope.spawn(open);
        world.sink.wait_until_entered();
        let ended = world.control.revoke_task("nightly");
        world.sink.release();
        (ended, opening.join().unwrap())
    });
    assert_eq!(ended.unwrap().tasks, 1);
    assert_eq!(opened.unwrap_err().reason(), Reason::TaskOver);
    let told = world.told();
    let kind = |event: &Event<'_>| match event {
        Event::Opened { .. } => Some("opened"),
        Event::Ended { .. } => Some("ended"),
        _ => None,
    };
    assert!(told.iter().filter_map(kind).eq(["opened", "ended"]), "{told:?}");
}

/// P9, P11, attack 193: what a sweep, a reload or a restatement ends has ended when that returns, and each end is
/// owed until the log is back.
#[test]
fn what_a_scan_ends_is_ended_and_owed_while_the_log_hangs() {
    type Way = fn(&Hanging, &ManualClock);
    let suspended = Rule::forbid("suspended").who_attr("suspended", eq(true));
    let ways: [(&str, Reason, Way); 3] = [
        ("a sweep", Reason::Expired, |world, clock| {
            clock.advance(10 * MINUTE);
            world.broker.sweep(1000);
        }),
        ("a reload", Reason::Drifted, |world, _| {
            world.broker.reload(&policy([])).unwrap().finish();
        }),
        ("a restatement", Reason::Drifted, |world, _| {
            let facts = Assertion::agent("agent-7").attr("suspended", true);
            world.control.restate(facts).unwrap().finish();
        }),
    ];
    for (name, why, way) in ways {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let world = Hanging::under(policy([broad(), suspended.clone()]), false, |builder| {
            builder.clock(clock.clone()).ceiling(60 * MINUTE).default_ttl(5 * MINUTE)
        });
        let held: Vec<(Task, Grant)> = (0..20).map(|_| world.granted()).collect();
        world.while_hanging(|| {
            way(&world, &clock);
            assert!(world.broker.standing().grants.is_empty(), "{name}");
            assert!(world.broker.record_debts() > held.len(), "{name}: each is owed");
            for (_, grant) in &held {
                assert!(world.authorize(grant).is_err(), "{name}");
            }
        });
        let told = world.told();
        let ended = told.iter().filter(
            |event| matches!(event, Event::GrantEnded { why: told, .. } if **told == *why.as_str()),
        );
        assert_eq!(ended.count(), held.len(), "{name}");
    }
}

/// P10: while the log hangs nothing is given, and anyone who asks is told so in time.
#[test]
fn nothing_is_given_while_the_log_hangs() {
    for threaded in [false, true] {
        let world = Hanging::with(threaded, |builder| builder);
        let (task, grant) = world.granted();
        world.while_hanging(|| {
            let reasons = [
                world.authorize(&grant).map(drop).unwrap_err(),
                task.request(Scope::tool("t").any_args(), &world.context).map(drop).unwrap_err(),
                world.broker.open(&world.agent, Purpose::new("more")).map(drop).unwrap_err(),
            ];
            for denial in reasons {
                assert_eq!(
                    (denial.reason(), denial.code()),
                    (Reason::LogRefused, Code::Unavailable)
                );
            }
            assert!(world.broker.flush() > 0 && world.broker.record_debts() > 0);
        });
        // What was in the sink's hands is taken back, each by its own record; the rest was withdrawn.
        assert_eq!(world.broker.standing().grants.len(), 1, "but the one from before");
        let told = world.told();
        let given = told.iter().filter(|event| matches!(event, Event::Granted { .. })).count();
        let ended = told.iter().filter(|event| matches!(event, Event::GrantEnded { .. })).count();
        assert_eq!(given - ended, 1, "{told:?}");
        assert!(world.broker.verify(&world.log).unwrap().without_outcome.is_empty());
        drop(task);
    }
}

/// attack 193: a reaper, a broker and a future that are dropped wait for no sink; the hook gets what is owed.
#[test]
fn dropping_anything_waits_for_no_sink() {
    let world = Hanging::with(false, |builder| builder);
    let (task, _grant) = world.granted();
    let reaper = world.broker.start_reaper(Duration::from_millis(1)).unwrap();
    assert!(world.broker.start_reaper(Duration::ZERO).is_err());
    world.while_hanging(|| {
        drop(reaper);
        drop(task);
        drop(world.broker.flushed());
        drop(Box::pin(world.broker.flushed()));
    });
    // Of another broker, since the reaper's thread may be at the log for a moment after it is dropped.
    let (owed, unwritten) = mpsc::channel();
    let world = Hanging::with(false, |builder| {
        builder.on_unwritten(move |entries| owed.send(entries.len()).unwrap())
    });
    let task = world.broker.open(&world.agent, Purpose::new("last")).unwrap();
    drop(task);
    let Hanging { broker, gate, control, sink, .. } = world;
    let before = sink.appends();
    drop((broker, gate, control));
    assert_eq!(unwritten.recv_timeout(MINUTE), Ok(1));
    assert_eq!(sink.appends(), before, "no sink is called");
}

/// attack 193: a thread that holds the sink's own lock and drops a task waits for no other
#[test]
fn a_thread_inside_the_sinks_own_lock_can_end_a_task() {
    use std::sync::{Arc, Mutex};

    use hallpass::audit::{Entry, Kept, Sink, SinkError, Tail};

    #[derive(Clone, Default)]
    struct Locking(Arc<Mutex<Vec<String>>>);
    impl Sink for Locking {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            Ok(None)
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            let mut lines = self.0.lock().unwrap();
            lines.extend(batch.iter().map(|entry| entry.line.to_owned()));
            Ok(Kept::now(batch.len()))
        }
    }
    let sink = Locking::default();
    let broker = Broker::builder(policy([broad()])).log(sink.clone()).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("test")).unwrap();
    let held = sink.0.lock().unwrap();
    drop(task);
    drop(held);
    assert_eq!(broker.flush(), 0);
    assert!(sink.0.lock().unwrap().last().unwrap().contains(r#""kind":"ended""#));
}

/// P11, attack 195: a second end, a halt and what stands tell of a call that runs on after its task's end.
#[test]
fn a_call_that_runs_on_is_told_until_it_is_done() {
    let world = Hanging::with(false, |builder| builder.log_timeout(SECOND));
    let (task, grant) = world.granted();
    let running: Running = world.authorize(&grant).unwrap().start().unwrap();
    let (number, name) = (running.number(), task.name().to_owned());
    let first = world.control.revoke_task(&name).unwrap();
    assert_eq!((first.tasks, &*first.running), (1, &[number][..]));
    let again: [Ended; 5] = [
        world.control.revoke_task(&name).unwrap(),
        world.control.revoke_identity("agent-7").unwrap(),
        world.control.halt(Halt::Everything),
        world.control.revoke_grant(grant.id()),
        task.complete(),
    ];
    for ended in again {
        assert_eq!((ended.count(), &*ended.running), (0, &[number][..]));
    }
    let late = world.broker.standing().late_calls;
    let told: Vec<_> = late.iter().map(|call| (call.permit, &*call.task)).collect();
    assert_eq!((told, world.broker.stats().late_calls), (vec![(number, &*name)], 1));
    running.succeed();
    assert!(world.broker.standing().late_calls.is_empty());
    assert_eq!(world.broker.stats().late_calls, 0);
    assert!(world.control.revoke_task(&name).unwrap().running.is_empty());
}

/// attack 196: permits that never start are counted
#[test]
fn abandoned_permits_are_counted() {
    let world = Hanging::with(false, |builder| builder);
    let (_task, grant) = world.granted();
    for _ in 0..3 {
        assert!(world.authorize(&grant).is_ok());
    }
    world.authorize(&grant).unwrap().start().unwrap().succeed();
    assert_eq!(world.broker.stats().abandoned, 3);
}

/// What is closed gives nothing, has ended everything and written it.
#[test]
fn a_broker_that_is_closed_gives_nothing() {
    let world = Hanging::with(false, |builder| builder);
    let (task, grant) = world.granted();
    let ended = world.broker.close(MINUTE);
    assert_eq!((ended.tasks, world.broker.record_debts()), (1, 0));
    assert!(world.authorize(&grant).is_err());
    let denial = world.broker.open(&world.agent, Purpose::new("late")).unwrap_err();
    assert_eq!(denial.reason(), Reason::LogRefused);
    assert!(world.broker.standing().is_empty());
    drop(task);
    let told = world.told();
    assert!(told.iter().any(|event| matches!(event, Event::Ended { how: How::Closed, .. })));
}

/// Rows of ended tasks go at the pace at which grants are made, without a sweep by the host.
#[test]
fn what_ended_tasks_held_does_not_pile_up() {
    let world = Hanging::with(false, |builder| builder.max_grants_per_task(4000));
    for _ in 0..5 {
        let (task, _) = world.granted();
        for _ in 1..4000 {
            let _ = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
        }
        let denial = task.request(Scope::tool("t").any_args(), &world.context).unwrap_err();
        assert_eq!(denial.reason(), Reason::TooMany);
        task.complete();
    }
    let left = world.broker.stats().sweep_debts;
    assert!(left < 4000, "{left} rows are left");
}
