//! A reload against decisions: each is of one epoch, and nothing starts under another.

use hallpass::audit::Event;
use hallpass::prelude::*;
use hallpass::{Halt, Running};

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, to_ping};

#[test]
fn every_decision_is_of_one_epoch() {
    let (old, new) = (policy([pings("old")]), policy([pings("new")]));
    explore(1500, move || {
        let world = World::new(&old);
        let (task, grant) = world.pinging();
        let reloaded = Watch::default();
        shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let late = reloaded.is_over();
                    let permit = world.authorize(&grant, &ping()).unwrap();
                    let rules: Vec<_> = permit.rules().map(str::to_owned).collect();
                    assert!(["old", "new"].iter().any(|rule| rules == [*rule]), "{rules:?}");
                    assert!(!late || rules == ["new"], "decided by a policy that was replaced");
                    let (over, old) = (reloaded.is_over(), rules == ["old"]);
                    match permit.start() {
                        Ok(running) => {
                            assert!(!(over && old), "started under a policy that was replaced");
                            running.succeed();
                        }
                        Err(denial) => assert!(old, "{denial}"),
                    }
                });
            }
            scope.spawn(|| task.request(to_ping(), &here()).unwrap());
            let reload = world.broker.reload(&new).unwrap();
            reloaded.over();
            assert_eq!(reload.finish().grants, []);
        });
        for record in world.records() {
            if let Event::Permitted { epoch, rules, .. } | Event::Granted { epoch, rules, .. } =
                record.event
            {
                assert_eq!(rules, [if epoch == 1 { "old" } else { "new" }]);
            }
        }
    });
}

#[test]
fn once_a_reload_has_returned_nothing_starts_on_what_it_took_away() {
    let ways = [policy([]), policy([pings("p"), Rule::forbid("freeze").tool("ping")])];
    for taken_away in ways {
        let given = policy([pings("p")]);
        explore(1000, move || {
            let world = World::new(&given);
            let (task, grant) = world.pinging();
            let permit = world.authorize(&grant, &ping()).unwrap();
            let reloaded = Watch::default();
            let requested = shuttle::thread::scope(|scope| {
                // What had started before goes on, and no reload reports it.
                scope.spawn(|| {
                    let over = reloaded.is_over();
                    let running = permit.start();
                    assert!(!(over && running.is_ok()), "started on what was taken away");
                    running.map(Running::succeed)
                });
                scope.spawn(|| {
                    let over = reloaded.is_over();
                    let permit = world.authorize(&grant, &ping());
                    assert!(!(over && permit.is_ok()), "permitted what was taken away");
                });
                let requested = scope.spawn(|| {
                    let over = reloaded.is_over();
                    let requested = task.request(to_ping(), &here());
                    assert!(!(over && requested.is_ok()), "given what was taken away");
                    requested
                });
                let reload = world.broker.reload(&taken_away).unwrap();
                reloaded.over();
                reload.finish();
                requested.join().unwrap()
            });
            world.nothing_lives([&grant].into_iter().chain(&requested));
            drop(task);
            world.records();
        });
    }
}

/// A reload reports nothing of what is running, so a halt that is lifted at once asks for it.
#[test]
fn a_permit_of_the_epoch_before_runs_by_the_time_the_reload_returns_or_never() {
    let (old, new) = (policy([pings("old")]), policy([pings("new")]));
    explore(1500, move || {
        let world = World::new(&old);
        let (task, grant) = world.pinging();
        let permit = world.authorize(&grant, &ping()).unwrap();
        let watch = Watch::default();
        let mut running = Vec::new();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| watch.run(permit));
            let reload = world.broker.reload(&new).unwrap();
            running = world.control.halt(Halt::Everything).running;
            world.control.resume(&Halt::Everything);
            watch.over();
            reload.finish();
        });
        drop(task);
        watch.agrees(&running, &world.records());
    });
}

/// Two reloads at once, and a renewal between them: epochs rise one by one, and what the last one
/// would not give does not live.
#[test]
fn two_reloads_and_a_renewal_leave_what_the_last_policy_gives() {
    let (given, taken_away) = (policy([pings("p")]), policy([]));
    let other = policy([pings("q")]);
    explore(1000, move || {
        let world = World::new(&given);
        let (task, mut grant) = world.pinging();
        let agent = world.agent("a");
        let last = shuttle::thread::scope(|scope| {
            let first = scope.spawn(|| {
                let reload = world.broker.reload(&taken_away).unwrap();
                let epoch = reload.epoch();
                reload.finish();
                epoch
            });
            let renewal = scope.spawn(|| task.renew(&mut grant, &agent, &here()).is_ok());
            let second = world.broker.reload(&other).unwrap();
            let epoch = second.epoch();
            second.finish();
            renewal.join().unwrap();
            let mut epochs = [(first.join().unwrap(), false), (epoch, true)];
            epochs.sort_unstable();
            assert_eq!(epochs.map(|(epoch, _)| epoch), [2, 3]);
            epochs[1].1
        });
        if !last {
            world.nothing_lives([&grant]);
        }
        drop(task);
        world.records();
    });
}

/// Everything that only looks takes locks, too: none of it twice, and none in the wrong order.
#[test]
fn looking_stops_nothing_and_is_stopped_by_nothing() {
    let (old, new) = (policy([pings("old")]), policy([pings("new")]));
    explore(800, move || {
        let world = World::new(&old);
        let (task, grant) = world.pinging();
        let (agent, worker) = (world.agent("a"), world.agent("w"));
        shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                world.broker.preview(&new);
                world.broker.stats();
                world.broker.standing();
                world.gate.tools(grant.token(), &agent, &here()).map(drop)
            });
            scope.spawn(|| {
                let child = task.delegate(&grant, &worker, to_ping(), &here());
                world.broker.sweep(4);
                world.gate.check(grant.token(), &agent, &ping(), &here()).map(drop)?;
                child.map(drop)
            });
            world.broker.reload(&new).unwrap().finish();
            world.control.halt(Halt::tool("pong").unwrap());
        });
        drop(task);
        world.records();
    });
}
