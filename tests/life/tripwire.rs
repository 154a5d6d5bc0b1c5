//! The tripwire: repeated denials halt who is denied.

use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::Event;
use hallpass::clock::Clock as _;
use hallpass::prelude::*;

use crate::halt::pong;
use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

#[test]
fn repeated_denials_halt_the_offender_and_nobody_else() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(3, seconds(60)));
    let (bad, good) = (world.agent("bad"), world.agent("good"));
    let (his, hers) = (world.open(&bad), world.open(&good));
    let probing = his.request(to_ping(), &here()).unwrap();
    let working = hers.request(to_ping(), &here()).unwrap();
    for _ in 0..2 {
        assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
        world.call(&probing, &ping()).unwrap();
    }
    // Two within the window; by the third, the first has left it.
    world.pass(seconds(60));
    assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
    assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
    world.call(&probing, &ping()).unwrap();
    assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
    assert_eq!(world.denied(&probing, &ping()), Reason::Halted);
    assert_eq!(world.control.halts(), [Halt::identity("bad").unwrap()]);
    world.call(&working, &ping()).unwrap();

    assert!(world.control.resume(&Halt::identity("bad").unwrap()));
    world.call(&probing, &ping()).unwrap();
}

/// attack 192
#[test]
fn a_halt_of_the_tripwire_lapses_where_the_host_says_so_and_an_operators_does_not() {
    let world = World::with(policy([pings("p")]), |b| {
        b.halt_after(2, seconds(60)).halts_lapse_after(seconds(30))
    });
    let bad = world.agent("bad");
    let task = world.open(&bad);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    let trip = || {
        for _ in 0..2 {
            assert_eq!(world.denied(&grant, &pong()), Reason::OutOfScope);
        }
        assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    };
    trip();
    assert_eq!(world.control.halts(), [Halt::identity("bad").unwrap()]);
    let halted = world.log.records().into_iter().find_map(|record| match record.event {
        Event::Halted { until, .. } => until.map(|until| until.since(record.at)),
        _ => None,
    });
    assert_eq!(halted, Some(seconds(30)), "the log says when it lapses");
    world.pass(seconds(29));
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.pass(seconds(1));
    assert_eq!(world.control.halts(), []);
    world.call(&grant, &ping()).unwrap();
    assert!(!world.control.resume(&Halt::identity("bad").unwrap()), "it is off");

    trip();
    world.control.halt(Halt::identity("bad").unwrap());
    world.pass(seconds(30));
    world.broker.sweep(100);
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted, "an operator's stays");
    assert!(world.control.resume(&Halt::identity("bad").unwrap()));
    world.call(&grant, &ping()).unwrap();
    trip();
    assert!(
        world.control.resume(&Halt::identity("bad").unwrap()),
        "one that would lapse can be resumed"
    );
    world.call(&grant, &ping()).unwrap();
    running.succeed();
    for length in [Duration::ZERO, Duration::from_micros(999), seconds(8 * 24 * 60 * 60)] {
        let builder = Broker::builder(policy([])).halts_lapse_after(length);
        assert!(builder.build().is_err(), "{length:?}");
    }
}

/// The log says when a halt lapses as it begins, and never of one that stays.
#[test]
fn a_tripwire_says_nothing_of_one_who_is_halted_for_longer() {
    let world = World::with(policy([pings("p")]), |b| {
        b.halt_after(1, seconds(60)).halts_lapse_after(seconds(30))
    });
    let start = world.clock.read().unwrap().wall;
    let bad = world.agent("bad");
    let task = world.open(&bad);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let before = Token::from_text(grant.token().expose().to_owned());
    task.renew(&mut grant, &bad, &here()).unwrap();
    let trip = || {
        let denial = world.gate.authorize(&before, &bad, ping(), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::Superseded, "asked before halts are");
    };
    let told = || {
        assert_eq!(world.broker.flush(), 0);
        let halts = world.log.records().into_iter().filter_map(|record| match record.event {
            Event::Halted { until, .. } => Some(until.map(|until| until.since(start))),
            _ => None,
        });
        halts.collect::<Vec<_>>()
    };
    trip();
    trip();
    assert_eq!(told(), [Some(seconds(30))], "the second says nothing that was not known");
    world.pass(seconds(10));
    trip();
    assert_eq!(told()[1..], [Some(seconds(40))]);
    world.control.halt(Halt::identity("bad").unwrap());
    trip();
    assert_eq!(told()[2..], [None]);
    world.pass(seconds(60));
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
}

/// An identity that opens tasks that are refused is denied, too.
#[test]
fn denied_opens_count_for_the_tripwire() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(3, seconds(60)));
    let bad = world.agent("bad");
    let task = world.broker.open_named("errand", &bad, Purpose::new("errand")).unwrap();
    let grant = task.request(to_ping(), &here()).unwrap();
    for purpose in [Purpose::new(""), Purpose::new("errand"), Purpose::new("a b")] {
        assert!(world.broker.open_named("errand", &bad, purpose).is_err());
    }
    assert_eq!(world.control.halts(), [Halt::identity("bad").unwrap()]);
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
}

#[test]
fn presenting_anothers_token_trips_for_the_one_who_presents_it() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(2, seconds(60)));
    let (thief, victim) = (world.agent("thief"), world.agent("victim"));
    let task = world.open(&victim);
    let grant = task.request(to_ping(), &here()).unwrap();
    for _ in 0..2 {
        let denial = world.gate.authorize(grant.token(), &thief, ping(), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotTheHolder);
    }
    assert_eq!(world.control.halts(), [Halt::identity("thief").unwrap()]);
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn what_the_host_denies_itself_is_recorded_as_that_without_a_clock_too() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    world.clock.fail();
    let denial = world.gate.deny(&agent, "pong", Reason::UnknownTool, "there are two of that name");
    assert_eq!(denial.reason(), Reason::UnknownTool);
    world.clock.recover();
    let denied = world.log.records().into_iter().find_map(|record| match record.event {
        Event::Denied { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(denied.as_deref(), Some("unknown_tool"));
}

#[test]
fn what_is_no_doing_of_the_asker_trips_nothing() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(1, seconds(60)));
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.sink.fail_next(1);
    assert_eq!(world.denied(&grant, &ping()), Reason::LogRefused);
    world.clock.fail();
    assert_eq!(world.denied(&grant, &ping()), Reason::ClockUnreadable);
    world.clock.recover();
    world.control.halt(Halt::Everything);
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.control.resume(&Halt::Everything);
    assert!(world.control.halts().is_empty());
    world.call(&grant, &ping()).unwrap();
}
