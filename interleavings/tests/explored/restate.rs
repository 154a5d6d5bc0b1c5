//! Restating against decisions: once it has returned, nothing starts on what was true before.

use hallpass::prelude::*;
use hallpass::scope::below;

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, to_ping};

fn at_risk(id: &str, risk: i64) -> Assertion {
    Assertion::agent(id).attr("risk", risk)
}

#[test]
fn once_a_restatement_has_returned_nothing_starts_on_what_it_took_away() {
    let by_risk = policy([pings("p").who_attr("risk", below(50))]);
    explore(1500, move || {
        let world = World::new(&by_risk);
        let agent = world.broker.assert_identity(at_risk("a", 10)).unwrap();
        let worker = world.broker.assert_identity(at_risk("w", 10)).unwrap();
        let task = world.open(&agent);
        let grant = task.request(to_ping(), &here()).unwrap();
        let mut renewed = task.request(to_ping(), &here()).unwrap();
        let permit = world.authorize(&grant, &ping()).unwrap();
        let watch = Watch::default();
        let (requested, child) = shuttle::thread::scope(|scope| {
            scope.spawn(|| watch.run(permit));
            scope.spawn(|| {
                let over = watch.is_over();
                let permit = world.authorize(&grant, &ping());
                assert!(!(over && permit.is_ok()), "permitted what was taken away");
                permit.map(|permit| watch.run(permit))
            });
            let requested = scope.spawn(|| {
                let over = watch.is_over();
                let requested = task.request(to_ping(), &here());
                assert!(!(over && requested.is_ok()), "given what was taken away");
                let child = task.delegate(&grant, &worker, to_ping(), &here());
                assert!(!(over && child.is_ok()), "delegated what was taken away");
                (requested, child)
            });
            scope.spawn(|| {
                let over = watch.is_over();
                let renewal = task.renew(&mut renewed, &agent, &here());
                assert!(!(over && renewal.is_ok()), "renewed what was taken away");
            });
            let scan = world.control.restate(at_risk("a", 90)).unwrap();
            watch.over();
            scan.finish();
            requested.join().unwrap()
        });
        world.nothing_lives([&grant, &renewed].into_iter().chain(&requested).chain(&child));
        drop(task);
        world.records();
    });
}

/// A restatement and a reload at once: what neither would give does not live, whichever comes first.
#[test]
fn a_restatement_and_a_reload_at_once_both_hold() {
    let lax = policy([pings("p").who_attr("risk", below(50))]);
    let strict = policy([pings("p").who_attr("risk", below(20))]);
    explore(1000, move || {
        let world = World::new(&lax);
        let agent = world.broker.assert_identity(at_risk("a", 10)).unwrap();
        let task = world.open(&agent);
        let grant = task.request(to_ping(), &here()).unwrap();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| world.control.restate(at_risk("a", 30)).unwrap().finish());
            scope.spawn(|| world.call(&grant, &ping()));
            world.broker.reload(&strict).unwrap().finish();
        });
        world.nothing_lives([&grant]);
        drop(task);
        world.records();
    });
}
