//! Many threads, and limits.
//!
//! Of 144, the benches measure that a decision costs the same with many rules and grants.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hallpass::Halt;
use hallpass::prelude::*;
use serde_json::json;

use crate::world::{HOUR, MINUTE, SECOND, World, broad, call, plain};

/// attack 139: of sixty-four threads, exactly as many get a permit as there are uses
#[test]
fn uses_are_counted_exactly_under_contention() {
    for uses in [1, 7, 40] {
        let world = World::new([broad().uses(uses)]);
        let (_task, grant) = world.granted();
        let (ready, permitted) = (Barrier::new(64), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    ready.wait();
                    match world.run(&grant, plain()) {
                        Ok(()) => drop(permitted.fetch_add(1, Ordering::SeqCst)),
                        Err(reason) => assert_eq!(reason, Reason::UsesSpent),
                    }
                });
            }
        });
        assert_eq!(permitted.into_inner() as u64, uses);
        assert!(world.verify().unwrap().without_outcome.is_empty());
    }
}

/// attack 140: what never started comes back exactly once, however it ended, and what started does
/// not come back
#[test]
fn a_reservation_is_given_back_exactly_once() {
    type Way = fn(&World, Permit);
    let back: [(&str, Way); 6] = [
        ("dropped", |_, permit| drop(permit)),
        ("never polled", |_, permit| {
            drop(permit.run_async(async |_| std::future::pending::<Result<(), ()>>().await));
        }),
        ("lapsed, then dropped", |world, permit| {
            world.clock.advance(30 * SECOND);
            drop(permit);
        }),
        ("lapsed, then started", |world, permit| {
            world.clock.advance(30 * SECOND);
            assert!(permit.start().is_err());
        }),
        ("halted, then started", |world, permit| {
            world.control.halt(Halt::Everything);
            assert!(permit.start().is_err());
            world.control.resume(&Halt::Everything);
        }),
        ("dropped while the log refuses", |world, permit| {
            world.sink.fail_next(1);
            drop(permit);
            assert_eq!(world.broker.flush(), 1);
        }),
    ];
    let spent: [(&str, Way); 3] = [
        ("ok", |_, permit| permit.start().unwrap().succeed()),
        ("error", |_, permit| permit.start().unwrap().fail()),
        ("interrupted", |_, permit| drop(permit.start().unwrap())),
    ];
    let rule = || broad().ttl(HOUR).uses(2).budget("args.x", 20);
    let ten = || call(json!({ "x": 10 }));
    for (ways, left) in [(&back[..], 2), (&spent[..], 1)] {
        for (note, way) in ways {
            let world = World::new([rule()]);
            let (_task, grant) = world.granted();
            way(&world, world.authorize(&grant, ten()).unwrap());
            for _ in 0..left {
                assert_eq!(world.run(&grant, ten()), Ok(()), "{note}");
            }
            assert_eq!(world.attempt(&grant, ten()), Err(Reason::UsesSpent), "{note}");
        }
    }
    // A record that the sink refuses gives back, too, and a permit that lapsed while others were made
    // gives back when the next call finds it, and not again when it is dropped.
    let world = World::new([rule()]);
    let (_task, grant) = world.granted();
    world.sink.fail_next(1);
    assert_eq!(world.attempt(&grant, ten()), Err(Reason::LogRefused));
    let kept = world.authorize(&grant, ten()).unwrap();
    world.clock.advance(30 * SECOND);
    assert_eq!(world.run(&grant, ten()), Ok(()));
    let second = world.authorize(&grant, ten()).unwrap();
    drop(kept);
    assert_eq!(world.attempt(&grant, ten()), Err(Reason::UsesSpent));
    drop(second);
    assert_eq!(world.run(&grant, ten()), Ok(()));
    assert_eq!(world.attempt(&grant, ten()), Err(Reason::UsesSpent));
    world.verify().unwrap();
}

/// attack 140: a rate is not given back, because it limits attempts
#[test]
fn a_rate_counts_attempts() {
    let world = World::new([broad().rate(2, MINUTE)]);
    let (_task, grant) = world.granted();
    assert_eq!(world.attempt(&grant, plain()), Ok(()));
    assert_eq!(world.attempt(&grant, plain()), Ok(()));
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::RateExceeded));
}

/// attack 154: a budget counts what is there, exactly, and never wraps
#[test]
fn a_budget_takes_only_numbers_that_count() {
    let world = World::new([broad().budget("args.x", 100)]);
    let (_task, grant) = world.granted();
    let attempt = |args: &str| world.attempt(&grant, Call::from_json("t", args).unwrap());
    let rows = [
        "{}",
        r#"{"x":null}"#,
        r#"{"x":"5"}"#,
        r#"{"x":true}"#,
        r#"{"x":[1]}"#,
        r#"{"x":-1}"#,
        r#"{"x":-0.0000001}"#,
        r#"{"x":100.0000001}"#,
        r#"{"x":9223372036854775807}"#,
        r#"{"x":18446744073709551615}"#,
        r#"{"x":99999999999999999999999999999999999999}"#,
    ];
    for args in rows {
        assert_eq!(attempt(args), Err(Reason::BudgetSpent), "{args}");
    }
    for args in [r#"{"x":99.5}"#, r#"{"x":0}"#, r#"{"x":0.5}"#] {
        let permit = world.authorize(&grant, Call::from_json("t", args).unwrap()).unwrap();
        permit.run(|_| Ok::<_, ()>(())).unwrap();
    }
    assert_eq!(attempt(r#"{"x":0.0000001}"#), Err(Reason::BudgetSpent), "it is spent exactly");
    assert_eq!(attempt(r#"{"x":0}"#), Ok(()));

    // The largest sums there are do not wrap into small ones.
    let most = "99999999999999999999999999999999999999";
    let most_number = hallpass::value::Number::parse(most).unwrap();
    let world = World::new([broad().budget("args.x", most_number)]);
    let (_task, grant) = world.granted();
    let huge = || Call::from_json("t", &format!(r#"{{"x":{most}}}"#)).unwrap();
    assert_eq!(world.run(&grant, huge()), Ok(()));
    assert_eq!(world.attempt(&grant, huge()), Err(Reason::BudgetSpent));
    assert_eq!(world.attempt(&grant, call(json!({ "x": 1 }))), Err(Reason::BudgetSpent));
    assert_eq!(world.attempt(&grant, call(json!({ "x": 0 }))), Ok(()));

    // By many threads at once, too, no more is spent than there is.
    let world = World::new([broad().budget("args.x", 100)]);
    let (_task, grant) = world.granted();
    let permitted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..4 {
                    if world.run(&grant, call(json!({ "x": 3 }))).is_ok() {
                        permitted.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(permitted.into_inner(), 33);
}
