//! What the reaper's thread does again and again, sweeping in steps and writing what is owed, against ends.

use hallpass::prelude::*;

use crate::record;
use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

fn reap(world: &World) {
    for _ in 0..3 {
        world.broker.sweep(1);
    }
    world.broker.flush();
}

/// Ends of a live task and of its grants meet a reaper that removes another one, which is past its time, with its
/// permit that lapsed: each ends once, and nothing of either starts after that.
#[test]
fn ends_and_the_reaper_end_everything_once() {
    let policy = policy([pings("p")]);
    let ends: [fn(&World, Task, &Grant) -> Vec<u64>; 4] = [
        |_, task, _| task.complete().running,
        |world, task, _| {
            let ended = world.control.revoke_task(task.name()).unwrap();
            ended.running
        },
        |world, _task, _| world.control.revoke_identity("a").unwrap().running,
        |world, _task, grant| world.control.revoke_grant(grant.id()).running,
    ];
    for end in ends {
        let policy = policy.clone();
        explore(500, move || {
            let world = World::with(&policy, |builder| builder.ceiling(seconds(60)));
            let (past, old) = world.pinging();
            let lapsing = world.authorize(&old, &ping()).unwrap();
            world.clock.advance(seconds(59));
            let (task, grant) = world.pinging();
            let permit = world.authorize(&grant, &ping()).unwrap();
            world.clock.advance(seconds(1));
            let watch = Watch::default();
            let mut reported = Vec::new();
            shuttle::thread::scope(|scope| {
                scope.spawn(|| reap(&world));
                scope.spawn(|| watch.run(permit));
                scope.spawn(|| {
                    assert!(
                        lapsing.start().is_err(),
                        "it had lapsed, and its task was past its time"
                    );
                });
                reported = end(&world, task, &grant);
                watch.over();
            });
            world.nothing_lives([&grant, &old]);
            drop(past);
            let records = world.records();
            reported.extend(record::running(&records));
            watch.agrees(&reported, &records);
            let ended = records.iter().filter(|own| own.event.kind() == "ended").count();
            assert_eq!(ended, 2, "each of the tasks, once");
            reap(&world);
            assert_eq!(world.broker.stats().sweep_debts, 0);
        });
    }
}

/// A log that refuses for a while: whichever thread writes next, what the reaper leaves and what ends meanwhile comes in order.
#[test]
fn a_reaper_whose_log_refuses_leaves_everything_owed_and_in_order() {
    let policy = policy([pings("p")]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let (other, theirs) = world.pinging();
        world.sink.fail_next(u64::MAX);
        shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                world.clock.advance(seconds(700));
                reap(&world);
            });
            scope.spawn(|| {
                task.complete();
                world.sink.recover();
            });
            scope.spawn(|| drop(other.request(to_ping(), &here())));
            let _ = world.authorize(&theirs, &ping());
        });
        drop(other);
        world.nothing_lives([&grant, &theirs]);
        world.records();
    });
}
