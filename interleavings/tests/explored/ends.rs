//! An end against calls, and against permits that are about to run.

use std::sync::Mutex;

use hallpass::prelude::*;
use hallpass::{Broker, Ended, Halt};

use crate::record;
use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

/// Ends what a task of the agent `a` holds, in one of the ways there are; gives back what is reported
/// as running elsewhere than in the log.
type End = fn(&World, Task, &Grant) -> Vec<u64>;

const ENDS: [End; 9] = [
    |world, _task, grant| told(world.control.revoke_grant(grant.id())),
    |world, task, _| told(world.control.revoke_task(task.name()).unwrap()),
    |world, _task, _| told(world.control.revoke_identity("a").unwrap()),
    |world, _task, _| told(world.control.revoke_tool("ping").unwrap()),
    |world, _task, grant| told(world.gate.give_up(grant.token(), grant.holder()).unwrap()),
    |_, task, _| task.complete().running,
    |_, task, _| task.revoke().running,
    |_, task, _| {
        drop(task);
        Vec::new()
    },
    |_, task, _| task.complete_and_wait(seconds(1)).running,
];

fn told(ended: Ended) -> Vec<u64> {
    assert!(!ended.is_empty(), "there was something to end");
    ended.running
}

const HALTS: [fn(&Task) -> Halt; 4] = [
    |_| Halt::Everything,
    |_| Halt::identity("a").unwrap(),
    |task| Halt::task(task.name()).unwrap(),
    |_| Halt::tool("ping").unwrap(),
];

#[test]
fn a_call_and_an_end_meet_in_one_order_or_the_other() {
    let policy = policy([pings("p")]);
    for end in ENDS {
        let policy = policy.clone();
        explore(300, move || {
            let world = World::new(&policy);
            let (task, grant) = world.pinging();
            let watch = Watch::default();
            let mut reported = Vec::new();
            shuttle::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let over = watch.is_over();
                        if let Ok(permit) = world.authorize(&grant, &ping()) {
                            assert!(!over, "permitted after the end had returned");
                            watch.run(permit);
                        }
                    });
                }
                reported = end(&world, task, &grant);
                watch.over();
            });
            world.nothing_lives([&grant]);
            let records = world.records();
            reported.extend(record::running(&records));
            watch.agrees(&reported, &records);
        });
    }
}

#[test]
fn a_permit_about_to_run_starts_before_the_end_and_is_reported_or_not_at_all() {
    let policy = policy([pings("p")]);
    for end in ENDS {
        let policy = policy.clone();
        explore(400, move || {
            let world = World::new(&policy);
            let (task, grant) = world.pinging();
            let permit = world.authorize(&grant, &ping()).unwrap();
            let watch = Watch::default();
            let mut reported = Vec::new();
            shuttle::thread::scope(|scope| {
                scope.spawn(|| watch.run(permit));
                reported = end(&world, task, &grant);
                watch.over();
            });
            let records = world.records();
            reported.extend(record::running(&records));
            watch.agrees(&reported, &records);
        });
    }
}

/// All that an identity has ends, its tasks and what it holds in others', before any of it is written; and another's
/// calls go on.
#[test]
fn revoking_an_identity_with_several_tasks_meets_calls_of_each() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let world = World::new(&policy);
        let (first, second) = (world.pinging(), world.pinging());
        let of_other = world.open(&world.agent("b"));
        let held = of_other.request_for(&world.agent("a"), to_ping(), &here()).unwrap();
        let others = of_other.request(to_ping(), &here()).unwrap();
        let watch = Watch::default();
        let mut reported = Vec::new();
        shuttle::thread::scope(|scope| {
            for grant in [&first.1, &second.1, &held] {
                scope.spawn(|| {
                    let over = watch.is_over();
                    if let Ok(permit) = world.authorize(grant, &ping()) {
                        assert!(!over, "permitted after the end had returned");
                        watch.run(permit);
                    }
                });
            }
            scope.spawn(|| world.call(&others, &ping()).unwrap());
            let ended = world.control.revoke_identity("a").unwrap();
            watch.over();
            assert_eq!((ended.tasks, ended.grants), (2, 1));
            reported = ended.running;
        });
        for grant in [&first.1, &second.1, &held] {
            assert!(world.authorize(grant, &ping()).is_err(), "a grant of an end lives");
        }
        world.call(&others, &ping()).unwrap();
        let records = world.records();
        watch.agrees(&reported, &records);
        drop((first, second, of_other));
    });
}

#[test]
fn waiting_for_an_end_that_was_not_cut_short_leaves_nothing_running() {
    let policy = policy([pings("p")]);
    explore(2000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let permits = [0, 1].map(|_| world.authorize(&grant, &ping()).unwrap());
        let watch = Watch::default();
        let mut left = Vec::new();
        shuttle::thread::scope(|scope| {
            for permit in permits {
                scope.spawn(|| watch.run(permit));
            }
            left = task.complete_and_wait(seconds(1)).running;
            watch.over();
        });
        watch.agrees(&left, &world.records());
    });
}

#[test]
fn a_halt_stops_a_permit_about_to_run_or_reports_it() {
    let policy = policy([pings("p")]);
    for halt in HALTS {
        let policy = policy.clone();
        explore(800, move || {
            let world = World::new(&policy);
            let (task, grant) = world.pinging();
            let permit = world.authorize(&grant, &ping()).unwrap();
            let watch = Watch::default();
            let mut reported = Vec::new();
            shuttle::thread::scope(|scope| {
                scope.spawn(|| watch.run(permit));
                scope.spawn(|| {
                    if let Ok(permit) = world.authorize(&grant, &ping()) {
                        watch.run(permit);
                    }
                });
                reported = world.control.halt(halt(&task)).running;
                watch.over();
            });
            drop(task);
            watch.agrees(&reported, &world.records());
        });
    }
}

#[test]
fn of_two_ends_of_one_grant_one_ends_it() {
    let policy = policy([pings("p")]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let id = grant.id();
        let ended = shuttle::thread::scope(|scope| {
            let other = scope.spawn(|| !world.control.revoke_grant(id).is_empty());
            let third = scope.spawn(|| world.gate.give_up(grant.token(), grant.holder()).is_ok());
            let own = !task.revoke_grant(&grant).is_empty();
            [own, other.join().unwrap(), third.join().unwrap()]
        });
        assert_eq!(ended.iter().filter(|ended| **ended).count(), 1, "{ended:?}");
        world.nothing_lives([&grant]);
        drop(task);
        world.records();
    });
}

/// A child that is made while its parent ends does not outlive it.
#[test]
fn a_delegation_and_the_end_of_its_parent_leave_no_child() {
    let policy = policy([pings("p").depth(8)]);
    let ends: [fn(&World, &Grant, &str); 3] = [
        |world, parent, _| assert!(!world.control.revoke_grant(parent.id()).is_empty()),
        |world, _, task| assert!(!world.control.revoke_task(task).unwrap().is_empty()),
        |world, _, _| assert!(world.control.revoke_identity("a").unwrap().count() > 0),
    ];
    for end in ends {
        let policy = policy.clone();
        explore(600, move || {
            let world = World::new(&policy);
            let (task, parent) = world.pinging();
            let worker = world.agent("worker");
            let over = Watch::default();
            let child = shuttle::thread::scope(|scope| {
                let child = scope.spawn(|| {
                    let was_over = over.is_over();
                    let child = task.delegate(&parent, &worker, to_ping(), &here());
                    assert!(!(was_over && child.is_ok()), "a child of what had ended");
                    if let Ok(child) = &child
                        && let Ok(permit) = world.authorize(child, &ping())
                    {
                        over.run(permit);
                    }
                    child
                });
                end(&world, &parent, task.name());
                over.over();
                child.join().unwrap()
            });
            world.nothing_lives([&parent].into_iter().chain(&child));
            drop(task);
            let records = world.records();
            over.agrees(&record::running(&records), &records);
        });
    }
}

#[test]
fn a_name_is_one_tasks_at_a_time() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let world = World::new(&policy);
        let agent = world.agent("a");
        let open = |broker: &Broker| broker.open_named("nightly", &agent, Purpose::new("errand"));
        let first = open(&world.broker).unwrap();
        let opened: Mutex<Vec<Task>> = Mutex::default();
        shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    if let Ok(task) = open(&world.broker) {
                        opened.lock().unwrap().push(task);
                    }
                });
            }
            first.complete();
        });
        let opened = opened.into_inner().unwrap();
        assert!(opened.len() <= 1, "two live tasks of one name");
        assert_eq!(world.broker.standing().tasks.len(), opened.len());
        for task in &opened {
            let grant = task.request(to_ping(), &here()).unwrap();
            world.call(&grant, &ping()).unwrap();
        }
        drop(opened);
        assert!(world.broker.standing().is_empty());
        open(&world.broker).unwrap().complete();
        world.records();
    });
}
