//! A log that refuses, against calls: no permit without its record, and what it reserved comes back
//! exactly once.

use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass::audit::Event;
use hallpass::prelude::*;

use crate::record;
use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

/// attack 140
#[test]
fn what_a_refused_permit_reserved_comes_back_exactly_once() {
    let policy = policy([pings("p").uses(3)]);
    for refusals in [1, 2, 3] {
        let policy = policy.clone();
        explore(600, move || {
            let world = World::new(&policy);
            let (task, grant) = world.pinging();
            let calls = Watch::default();
            shuttle::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| match world.authorize(&grant, &ping()) {
                        Ok(permit) => assert!(calls.run(permit)),
                        Err(denial) => assert_eq!(denial.reason(), Reason::LogRefused),
                    });
                }
                world.sink.fail_next(refusals);
            });
            world.sink.recover();
            let rest = std::iter::from_fn(|| world.call(&grant, &ping()).ok()).count();
            assert_eq!(calls.ran() + rest, 3);
            drop(task);
            calls.agrees(&[], &world.records());
        });
    }
}

/// The log refuses while everything ends: the ends stand, and are written once it takes records again.
#[test]
fn an_end_stands_whatever_the_log_says() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let watch = Watch::default();
        let requested = shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                if let Ok(permit) = world.authorize(&grant, &ping()) {
                    watch.run(permit);
                }
            });
            let requested = scope.spawn(|| task.request(to_ping(), &here()));
            world.sink.fail_next(2);
            assert!(!world.control.revoke_task(task.name()).unwrap().is_empty());
            watch.over();
            requested.join().unwrap()
        });
        world.nothing_lives([&grant].into_iter().chain(&requested));
        drop(task);
        let records = world.records();
        watch.agrees(&record::running(&records), &records);
    });
}

/// A handle that is dropped waits for no writer. Its record is owed until another thread writes it, be
/// it one that gives access or one that flushes, and a flush leaves none that was placed before it.
#[test]
fn what_is_owed_is_written_by_who_comes_next() {
    let policy = policy([pings("p")]);
    explore(2000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let other = world.open(&world.agent("b"));
        let permit = world.authorize(&grant, &ping()).unwrap();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| drop(other));
            scope.spawn(|| drop(permit));
            scope.spawn(|| {
                world.broker.flush_within(seconds(60)).unwrap();
            });
            world.call(&grant, &ping()).map(drop)
        })
        .unwrap();
        let owed = world.broker.record_debts();
        assert_eq!(world.broker.flush(), 0);
        assert!(owed <= 3, "{owed} records owed");
        let written = world.log.records();
        let ended = written.iter().any(|record| matches!(record.event, Event::Ended { .. }));
        let outcomes =
            written.iter().filter(|record| matches!(record.event, Event::Outcome { .. })).count();
        assert_eq!((ended, outcomes), (true, 2));
        drop(task);
        world.records();
    });
}

/// The number and the tag of where the log stands are of one record, whenever they are asked for.
#[test]
fn where_the_log_stands_is_one_of_its_records() {
    let policy = policy([pings("p")]);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let permit = world.authorize(&grant, &ping()).unwrap();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| drop(permit));
            scope.spawn(|| world.broker.verify(&world.log).map(drop).unwrap());
            world.call(&grant, &ping()).map(drop)
        })
        .unwrap();
        assert_eq!(world.broker.flush(), 0);
        let written = world.log.records();
        let outcomes = written.iter().filter(|it| matches!(it.event, Event::Outcome { .. }));
        assert_eq!(outcomes.count(), 2);
        drop(task);
        world.records();
    });
}

#[test]
fn a_log_that_takes_one_more_record_lets_nothing_run_without_one() {
    let policy = policy([pings("p").uses(2)]);
    explore(600, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        let ran = AtomicUsize::new(0);
        let recorded = world.log.len();
        world.sink.fail_after(1);
        shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    if world.call(&grant, &ping()).is_ok() {
                        ran.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(world.log.len(), recorded + 1);
        let ran = ran.into_inner();
        assert!(ran <= 1, "{ran} calls ran, and one record was taken");
        world.sink.recover();
        let rest = std::iter::from_fn(|| world.call(&grant, &ping()).ok()).count();
        assert_eq!(ran + rest, 2);
        world.records();
    });
}
