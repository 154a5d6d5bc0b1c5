//! A grant that a caller was told has expired stays expired, whichever thread read the clock first (attack 194).

use hallpass::audit::{Event, Stage};
use hallpass::prelude::*;

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

/// What gives something on a grant. Each leaves a record if it succeeds.
type Give = fn(&World, &Task, &mut Grant) -> Result<(), Denial>;

const GIVES: [Give; 3] = [
    |_, task, grant| {
        let agent = grant.holder().clone();
        task.renew(grant, &agent, &here())
    },
    |world, _, grant| world.authorize(grant, &ping()).map(drop),
    |_, task, grant| {
        let agent = grant.holder().clone();
        task.delegate(grant, &agent, to_ping(), &here()).map(drop)
    },
];

/// attack 194: idle, so that the table alone decides; the token itself is good for longer
#[test]
fn nothing_is_given_on_a_grant_once_somebody_was_told_that_it_has_expired() {
    let policy = policy([pings("p").idle(seconds(10))]);
    for give in GIVES {
        let policy = policy.clone();
        explore(400, move || {
            let world = World::new(&policy);
            let (task, mut grant) = world.pinging();
            let (agent, token) =
                (world.agent("a"), Token::from_text(grant.token().expose().into()));
            shuttle::thread::scope(|scope| {
                scope.spawn(|| drop(give(&world, &task, &mut grant)));
                world.clock.advance(seconds(10));
                let asked = world.gate.authorize(&token, &agent, ping(), &here());
                drop(asked);
            });
            let records = world.records();
            let mut told = false;
            for record in records.iter().skip_while(|own| own.event.kind() != "granted").skip(1) {
                match &record.event {
                    Event::Denied { stage: Stage::Call, reason, .. } => told |= reason == "expired",
                    Event::Granted { .. } | Event::Permitted { .. } => {
                        assert!(!told, "given after somebody was told that it had expired");
                    }
                    _ => {}
                }
            }
            drop(task);
        });
    }
}

/// attack 194: a permit of a grant that idles out does not start once somebody was told so
#[test]
fn nothing_starts_once_somebody_was_told_that_its_grant_has_expired() {
    let policy = policy([pings("p").idle(seconds(10))]);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let permit = world.authorize(&grant, &ping()).unwrap();
        let (running, told) = shuttle::thread::scope(|scope| {
            let running = scope.spawn(|| permit.start());
            world.clock.advance(seconds(10));
            let asked = world.authorize(&grant, &ping()).map(drop);
            let told = asked.is_err_and(|denial| denial.reason() == Reason::Expired);
            (running.join().unwrap(), told)
        });
        // While its call runs a grant is in use, and does not idle out.
        assert!(!(told && running.is_ok()), "started after its grant had expired");
        drop(running);
        drop(task);
        world.records();
    });
}

/// Sweeping what has expired, as a reaper does, against those who use and renew it: it ends once, and
/// nothing is given after.
#[test]
fn what_is_swept_ends_once_and_gives_nothing_after() {
    let policy = policy([pings("p").idle(seconds(10))]);
    explore(2000, move || {
        let world = World::new(&policy);
        let (task, mut grant) = world.pinging();
        let (agent, token) = (world.agent("a"), Token::from_text(grant.token().expose().into()));
        let swept = Watch::default();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                let late = swept.is_over();
                let permit = world.gate.authorize(&token, &agent, ping(), &here());
                assert!(!(late && permit.is_ok()), "permitted after it was swept");
                permit.map(|permit| swept.run(permit))
            });
            scope.spawn(|| {
                let late = swept.is_over();
                let renewed = task.renew(&mut grant, &agent, &here());
                assert!(!(late && renewed.is_ok()), "renewed after it was swept");
            });
            scope.spawn(|| world.broker.sweep(8));
            world.clock.advance(seconds(10));
            if world.broker.sweep(8) > 0 {
                swept.over();
            }
        });
        drop(task);
        world.records();
    });
}
