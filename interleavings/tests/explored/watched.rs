//! A tool that waits for the end of its authority, against everything that ends it. A wake-up that is missed
//! is found as a deadlock.

use hallpass::Halt;
use hallpass::prelude::*;
use hallpass::scope::below;

use crate::schedule::explore;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

/// Gives the task back that it did not end itself: its drop would wake, too.
type End = fn(&World, Task, &Grant) -> Option<Task>;

const ENDS: [End; 9] = [
    |world, task, _| {
        world.control.revoke_task(task.name()).unwrap();
        Some(task)
    },
    |world, task, grant| {
        world.control.revoke_grant(grant.id());
        Some(task)
    },
    |world, task, _| {
        world.control.revoke_identity("a").unwrap();
        Some(task)
    },
    |world, task, grant| {
        world.gate.give_up(grant.token(), grant.holder()).unwrap();
        Some(task)
    },
    |_, task, _| {
        drop(task);
        None
    },
    |world, task, _| {
        world.control.halt(Halt::tool("ping").unwrap());
        Some(task)
    },
    // A denial trips the wire.
    |world, task, grant| {
        let pong = Call::new("pong", serde_json::json!({})).unwrap();
        for _ in 0..2 {
            world.authorize(grant, &pong).map(drop).unwrap_err();
        }
        Some(task)
    },
    // What has drifted is found at its first use.
    |world, task, grant| {
        let scan = world.control.restate(Assertion::agent("a").attr("risk", 90)).unwrap();
        world.authorize(grant, &ping()).map(drop).unwrap_err();
        drop(scan);
        Some(task)
    },
    // What has expired ends as it is swept.
    |world, task, _| {
        world.clock.advance(seconds(600));
        world.broker.sweep(8);
        Some(task)
    },
];

#[test]
fn whatever_ends_a_call_wakes_what_waits_for_it() {
    let policy = policy([pings("p").who_attr("risk", below(50))]);
    for end in ENDS {
        let policy = policy.clone();
        explore(400, move || {
            let world = World::with(&policy, |b| b.halt_after(2, seconds(60)));
            let agent =
                world.broker.assert_identity(Assertion::agent("a").attr("risk", 1)).unwrap();
            let task = world.open(&agent);
            let grant = task.request(to_ping(), &here()).unwrap();
            let running = world.authorize(&grant, &ping()).unwrap().start().unwrap();
            shuttle::thread::scope(|scope| {
                let ended = [running.ended(), running.ended()];
                let waiting = ended.map(|ended| scope.spawn(|| shuttle::future::block_on(ended)));
                let kept = end(&world, task, &grant);
                for thread in waiting {
                    thread.join().unwrap();
                }
                drop(kept);
            });
            assert!(!running.is_live());
            running.succeed();
            world.records();
        });
    }
}

/// The call's own end wakes it, too, and one that is dropped stops nothing.
#[test]
fn a_call_that_is_done_is_waited_for_no_longer() {
    let policy = policy([pings("p")]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let running = world.authorize(&grant, &ping()).unwrap().start().unwrap();
        let (ended, dropped) = (running.ended(), running.ended());
        shuttle::thread::scope(|scope| {
            let waiting = scope.spawn(|| shuttle::future::block_on(ended));
            scope.spawn(|| drop(dropped));
            running.succeed();
            waiting.join().unwrap();
        });
        drop(task);
        world.records();
    });
}

/// The future of an end is woken by the last call of the task, however these meet, and is told nothing that runs.
#[test]
fn an_end_that_is_waited_for_resolves_with_the_last_call() {
    let policy = policy([pings("p")]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let start = || world.authorize(&grant, &ping()).unwrap().start().unwrap();
        let (first, second) = (start(), start());
        shuttle::thread::scope(|scope| {
            let waiting = scope.spawn(|| shuttle::future::block_on(task.completed()));
            scope.spawn(|| first.succeed());
            drop(second);
            let ended = waiting.join().unwrap();
            assert_eq!((ended.tasks, ended.running.len()), (1, 0));
            let standing = world.broker.standing();
            assert!(standing.is_empty() && standing.late_calls.is_empty());
        });
        world.records();
    });
}
