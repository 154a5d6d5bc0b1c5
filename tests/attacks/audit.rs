//! The log of a broker, in memory: what is done to it, and what it does to those who need it.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hallpass::audit::{ChainTag, Event, Fault, MemoryLog, Outcome, Record, Stage};
use hallpass::prelude::*;
use hallpass::value::Value;
use hallpass::{BrokerError, Halt, RunError};
use serde_json::json;

use crate::world::{SECOND, World, broad, call, log_keys, plain, policy, start, verified};

pub(crate) type Lines = Vec<(String, ChainTag)>;

/// A world with a short history of every usual kind.
pub(crate) fn written() -> World {
    let world = World::new([broad().uses(2)]);
    let (task, grant) = world.granted();
    world.run(&grant, call(json!({ "x": 1 }))).unwrap();
    world.attempt(&grant, call(json!({ "x": 2 }))).unwrap();
    world.run(&grant, plain()).unwrap();
    world.run(&grant, plain()).unwrap_err();
    task.complete();
    world
}

pub(crate) fn checked(lines: &Lines) -> Result<u64, Fault> {
    let lines = lines.iter().map(|(line, tag)| (line.as_str(), *tag));
    verified(lines, &log_keys(), None).map(|verified| verified.anchor.seq)
}

/// The numbers that a record stands for.
fn numbers_of(record: &Record) -> RangeInclusive<u64> {
    match &record.event {
        Event::DeniedAgain(denials) => denials.from..=record.seq,
        _ => record.seq..=record.seq,
    }
}

/// attack 133: a full log refuses and forgets nothing; numbers stay unique and gap-free, whatever the
/// sink refuses in between
#[test]
fn numbers_have_no_gap_whatever_the_sink_refuses() {
    let world = World::new([broad()]);
    let (task, grant) = world.granted();
    let mut refused = 0;
    for round in 0_u64..60 {
        match round % 5 {
            0 => world.sink.fail_next(1 + round % 3),
            3 => world.sink.panic_next(),
            _ => {}
        }
        refused += usize::from(world.run(&grant, plain()).is_err());
    }
    assert!(refused >= 10, "{refused}");
    world.sink.recover();
    task.complete();
    assert_eq!(world.broker.flush(), 0);
    let numbers: Vec<u64> = world.records().iter().flat_map(numbers_of).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(world.verify().unwrap().without_outcome.is_empty());
    assert!(world.kinds().contains(&"withdrawn"));

    let full = MemoryLog::with_limit(6);
    let world = World::of(policy([broad()]), |builder| builder.log(full.clone()));
    let (task, grant) = world.granted();
    let mut runs = 0;
    while world.run(&grant, plain()).is_ok() {
        runs += 1;
    }
    assert_eq!(full.len(), 6);
    assert!(runs <= 2, "{runs}");
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::LogRefused));
    task.complete();
    assert!(world.broker.standing().is_empty(), "an end needs no log");
    let snapshot = full.snapshot();
    let lines = snapshot.entries().map(|entry| (entry.line, *entry.tag));
    assert_eq!(verified(lines, &log_keys(), None).unwrap().anchor.seq, 6);
}

/// attack 135: a sink that refuses withholds every kind of access, and nothing that takes it away
#[test]
fn a_sink_that_refuses_withholds_access_and_no_end() {
    let world = World::new([broad().uses(2)]);
    let (task, grant) = world.granted();

    world.sink.fail_next(1);
    let open = world.broker.open_named("next", &world.agent, Purpose::new("test"));
    assert_eq!(open.map(drop).unwrap_err().reason(), Reason::LogRefused);
    assert_eq!(world.broker.standing().tasks.len(), 1);
    let retry = world.broker.open_named("next", &world.agent, Purpose::new("test"));
    assert!(retry.is_ok(), "the name was not taken");
    drop(retry);

    world.sink.fail_next(1);
    let request = task.request(Scope::tool("t").any_args(), &world.context);
    assert_eq!(request.unwrap_err().reason(), Reason::LogRefused);
    assert_eq!(world.broker.standing().grants.len(), 1);

    for _ in 0..5 {
        world.sink.fail_next(1);
        let denial = world.authorize(&grant, plain()).unwrap_err();
        assert_eq!((denial.code(), denial.reason()), (Code::Unavailable, Reason::LogRefused));
    }
    assert_eq!(world.broker.standing().tasks[0].permits, 0);

    // An outcome is owed, and the use is spent by the call that ran.
    let running = world.authorize(&grant, plain()).unwrap().start().unwrap();
    world.sink.fail_after(0);
    running.succeed();
    assert!(world.broker.record_debts() > 0);
    // As long as it is owed, nothing is given.
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::LogRefused));
    // A revocation and an end go through.
    let ended = task.complete();
    assert!(ended.running.is_empty());
    assert!(world.broker.standing().is_empty());
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::TaskOver));

    world.sink.recover();
    assert_eq!(world.broker.flush(), 0);
    assert!(world.verify().unwrap().without_outcome.is_empty());
    let permitted = world.kinds().into_iter().filter(|kind| *kind == "permitted").count();
    assert_eq!(permitted, 1, "what was withheld is in the log as withdrawn");
}

/// attack 135: denials are recorded, at every stage and of every cause, tokens that cannot be read
/// included
#[test]
fn every_denial_is_recorded_with_its_reason() {
    let world =
        World::new([broad().uses(1), Rule::forbid("f").tool("t").arg("x", hallpass::scope::eq(1))]);
    let (task, grant) = world.granted();
    let stage = |world: &World| match world.events().pop() {
        Some(Event::Denied { stage, reason, code, .. }) => {
            (stage, reason.into_owned(), code.into_owned())
        }
        other => panic!("the last record is not a denial: {other:?}"),
    };
    let said = |stage: Stage, denial: &Denial| {
        (stage, denial.reason().to_string(), denial.code().to_string())
    };
    let denial = world.broker.open(&world.agent, Purpose::new("")).map(drop).unwrap_err();
    assert_eq!(stage(&world), said(Stage::Open, &denial));
    let denial = task.request(Scope::tool("u"), &world.context).unwrap_err();
    assert_eq!(stage(&world), said(Stage::Request, &denial));
    let denial = task.request(Scope::default(), &world.context).unwrap_err();
    assert_eq!(stage(&world), said(Stage::Request, &denial));
    for text in ["", "hp1.", "\n", "hp1.AAAA.BBBB", "\u{1F600}"] {
        let denial = world.present(text).unwrap_err();
        assert_eq!(stage(&world), said(Stage::Call, &denial), "{text:?}");
    }
    let denial = world.authorize(&grant, call(json!({ "x": 1 }))).unwrap_err();
    assert_eq!(stage(&world), said(Stage::Call, &denial));
    let bad = plain().on(Resource::new("", ""));
    let denial = world.authorize(&grant, bad).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedCall);
    assert_eq!(stage(&world), said(Stage::Call, &denial));
    let bad = Context::new().with("seen", Value::Bool(true));
    let answer = world.gate.authorize(grant.token(), &world.agent, plain(), &bad);
    let denial = answer.map(drop).unwrap_err();
    assert_eq!(denial.reason(), Reason::MalformedContext);
    assert_eq!(stage(&world), said(Stage::Call, &denial));
    let permit = world.authorize(&grant, plain()).unwrap();
    let denial = world.authorize(&grant, plain()).unwrap_err();
    assert_eq!(denial.reason(), Reason::UsesSpent);
    assert_eq!(stage(&world), said(Stage::Call, &denial));
    world.control.halt(Halt::Everything);
    let denial = permit.start().unwrap_err();
    let run = world.events().into_iter().rev().find_map(|event| match event {
        Event::Denied { stage: Stage::Run, reason, .. } => Some(reason.into_owned()),
        _ => None,
    });
    assert_eq!(run, Some(denial.reason().to_string()));
}

/// attack 136: a log has one writer
#[test]
fn a_second_broker_on_one_log_is_refused() {
    let log = MemoryLog::new();
    let build = || Broker::builder(policy([broad()])).log(log.clone()).build();
    let first = build().unwrap();
    assert!(matches!(build().map(drop), Err(BrokerError::Log(_))));
    drop(first);
    assert!(matches!(build().map(drop), Err(BrokerError::Log(_))), "nor after it, in one life");
}

/// attack 137: a record says what was, whatever the host does with its things afterwards
#[test]
fn a_record_does_not_change_with_what_it_was_made_of() {
    let world = World::new([broad().when("env", hallpass::scope::eq("prod"))]);
    let mut context = Context::new().with("env", Value::from("prod"));
    let task = world.open();
    let grant = task.request(Scope::tool("t").any_args(), &context).unwrap();
    let asked = call(json!({ "x": 1 }));
    let permit =
        world.gate.authorize(grant.token(), &world.agent, asked.clone(), &context).unwrap();
    let before = world.lines();
    context = context.with("env", Value::from("test"));
    let denied = world.gate.authorize(grant.token(), &world.agent, asked.clone(), &context);
    assert!(denied.is_err(), "the changed context is asked, not the old one");
    assert_eq!(world.lines()[..before.len()], before);
    let records = world.records();
    let ran = permit.run(|running| Ok::<_, ()>(running.call().clone())).unwrap().raw();
    assert_eq!(ran, asked, "and the permit runs the call that was decided about");
    drop(task);
    assert_eq!(world.records()[..records.len()], records);
    world.verify().unwrap();
}

/// attack 138: whatever becomes of a permit, it has one outcome, also on panic
#[test]
fn every_permit_has_exactly_one_outcome() {
    type Fate = fn(Permit);
    let fates: [(Fate, Outcome); 8] = [
        (|permit| drop(permit.run(|_| Ok::<_, ()>(()))), Outcome::Ok),
        (
            |permit| {
                let ran = permit.run(|_| Err::<(), _>("no"));
                assert!(matches!(ran, Err(RunError::Tool(_))))
            },
            Outcome::Error,
        ),
        (
            |permit| {
                let panicked = catch_unwind(AssertUnwindSafe(|| {
                    permit.run(|_| -> Result<(), ()> { panic!("the tool panics") })
                }));
                assert!(panicked.is_err());
            },
            Outcome::Interrupted,
        ),
        (drop, Outcome::Abandoned),
        (|permit| permit.start().unwrap().succeed(), Outcome::Ok),
        (|permit| permit.start().unwrap().fail(), Outcome::Error),
        (|permit| drop(permit.start().unwrap()), Outcome::Interrupted),
        (
            |permit| {
                let panicked = catch_unwind(AssertUnwindSafe(|| {
                    let _permit = permit;
                    panic!("the host panics before the call");
                }));
                assert!(panicked.is_err());
            },
            Outcome::Abandoned,
        ),
    ];
    let world = World::new([broad()]);
    let (task, grant) = world.granted();
    for (fate, expected) in fates {
        let permit = world.authorize(&grant, plain()).unwrap();
        let number = permit.number();
        fate(permit);
        let outcomes: Vec<_> = world
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Outcome { of, outcome, .. } if of == number => Some(outcome),
                _ => None,
            })
            .collect();
        assert_eq!(outcomes, [expected]);
    }
    // One that is kept past its time is closed by the next call, and not a second time when dropped.
    let kept = world.authorize(&grant, plain()).unwrap();
    world.clock.advance(30 * SECOND);
    world.run(&grant, plain()).unwrap();
    assert_eq!(kept.start().unwrap_err().reason(), Reason::PermitLapsed);
    task.complete();
    assert!(world.verify().unwrap().without_outcome.is_empty(), "and none has two");
    assert!(world.records()[0].at == start());
}
