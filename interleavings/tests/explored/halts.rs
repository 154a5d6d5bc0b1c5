//! Halts against each other: an operator's, its end, and one that a tripwire puts on.

use hallpass::Halt;
use hallpass::audit::Event;
use hallpass::prelude::*;

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

/// The log tells of halts in the order in which they took effect: after its last word on one, that is
/// how it stands.
#[test]
fn the_log_says_last_of_a_halt_what_holds() {
    let policy = policy([pings("p")]);
    explore(2000, move || {
        let lapse = seconds(30);
        let world = World::with(&policy, |b| b.halt_after(1, seconds(60)).halts_lapse_after(lapse));
        let (task, grant) = world.pinging();
        let halt = || Halt::identity("a").unwrap();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| world.control.resume(&halt()));
            scope.spawn(|| drop(world.authorize(&grant, &pong())));
            world.control.halt(halt());
        });
        let mut told = None;
        for record in world.records() {
            match record.event {
                Event::Halted { until, .. } => told = Some(until),
                Event::Resumed { .. } => told = None,
                _ => {}
            }
        }
        assert_eq!(world.control.halts().len(), usize::from(told.is_some()));
        world.clock.advance(lapse);
        let stays = told.is_some_and(|until| until.is_none());
        assert_eq!(world.control.halts(), stays.then(halt).into_iter().collect::<Vec<_>>());
        drop(task);
    });
}

/// A tripwire and an operator's halt of the same identity, against its calls: what starts after the
/// operator was answered was reported to them, and another identity's calls go on.
#[test]
fn what_trips_stops_the_offender_and_no_other() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let world = World::with(&policy, |b| b.halt_after(2, seconds(60)));
        let (task, grant) = world.pinging();
        let stranger = world.agent("stranger");
        let (own, watch) = (world.open(&stranger), Watch::default());
        let strangers = own.request(to_ping(), &here()).unwrap();
        let permit = world.authorize(&grant, &ping()).unwrap();
        let reported = shuttle::thread::scope(|scope| {
            scope.spawn(|| watch.run(permit));
            scope.spawn(|| world.call(&strangers, &ping()).unwrap());
            scope.spawn(|| world.authorize(&grant, &pong()).map(drop).unwrap_err());
            world.authorize(&grant, &pong()).map(drop).unwrap_err();
            let reported = world.control.halt(Halt::tool("pong").unwrap()).running;
            assert!(reported.is_empty(), "of another tool nothing runs");
            world.control.halt(Halt::identity("a").unwrap()).running
        });
        assert_eq!(world.control.halts().len(), 2);
        assert_eq!(world.call(&grant, &ping()).unwrap_err().reason(), Reason::Halted);
        world.call(&strangers, &ping()).unwrap();
        assert!(reported.len() <= 1);
        drop((task, own));
        let records = world.records();
        let halted = records.iter().filter(|own| matches!(own.event, Event::Halted { .. }));
        assert!((2..=3).contains(&halted.count()));
    });
}

/// Once the tripwire has halted it, nothing of it starts: the denial that trips is answered after that.
#[test]
fn once_the_denial_that_trips_is_answered_nothing_of_the_offender_starts() {
    let policy = policy([pings("p")]);
    explore(1500, move || {
        let world = World::with(&policy, |b| b.halt_after(2, seconds(60)));
        let (task, grant) = world.pinging();
        let permit = world.authorize(&grant, &ping()).unwrap();
        shuttle::thread::scope(|scope| {
            let probes = [0, 1].map(|_| scope.spawn(|| drop(world.authorize(&grant, &pong()))));
            let running = scope.spawn(|| permit.start().map(hallpass::Running::succeed));
            for probe in probes {
                probe.join().unwrap();
            }
            assert_eq!(world.call(&grant, &ping()).unwrap_err().reason(), Reason::Halted);
            drop(running.join().unwrap());
        });
        drop(task);
        world.records();
    });
}

fn pong() -> Call {
    Call::new("pong", serde_json::json!({})).unwrap()
}
