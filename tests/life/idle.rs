//! Idleness: what runs is in use.

use hallpass::Running;
use hallpass::prelude::*;
use serde_json::json;

use crate::world::{EVERYWHERE, World, here, ping, pings, seconds, to_ping};

/// An idle time of two minutes, and half an hour to live.
fn dumps() -> World {
    let rule = Rule::permit("dump").tool("ping").any_args().on(EVERYWHERE).depth(2);
    World::rules([rule.ttl(seconds(1800)).idle(seconds(120))])
}

#[test]
fn a_grant_does_not_go_idle_while_its_own_call_runs() {
    let world = dumps();
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let dump = world.start(&grant, &ping());
    world.pass(seconds(180));
    world.call(&grant, &ping()).expect("its first call still runs: it is in use");
    assert_eq!(world.broker.standing().grants.len(), 1);
    world.pass(seconds(180));
    assert_eq!(world.broker.sweep(100), 0, "nothing of it is past its time");
    dump.succeed();
    world.pass(seconds(119));
    world.call(&grant, &ping()).expect("idleness begins when the last running call has ended");
    world.pass(seconds(120));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
    assert!(world.broker.standing().grants.is_empty());
}

/// However a call ends, it ends the use.
#[test]
fn a_call_that_fails_or_is_dropped_ends_the_use_as_well() {
    let ends: [fn(Running); 3] = [|call| call.succeed(), |call| call.fail(), drop];
    for end in ends {
        let world = dumps();
        let agent = world.agent("agent-1");
        let task = world.open(&agent);
        let grant = task.request(to_ping(), &here()).unwrap();
        let (long, short) = (world.start(&grant, &ping()), world.start(&grant, &ping()));
        world.pass(seconds(200));
        end(short);
        world.pass(seconds(200));
        world.call(&grant, &ping()).expect("another call still runs");
        end(long);
        world.pass(seconds(119));
        assert_eq!(world.broker.standing().grants.len(), 1);
        world.pass(seconds(1));
        assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
    }
}

#[test]
fn a_delegates_call_keeps_all_above_it_in_use() {
    let world = dumps();
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    let running = world.start(&child, &ping());
    world.pass(seconds(300));
    world.call(&parent, &ping()).expect("what was delegated from it is in use");
    running.succeed();
    world.pass(seconds(120));
    assert_eq!(world.denied(&parent, &ping()), Reason::Expired);
    assert_eq!(world.denied(&child, &ping()), Reason::Expired);
}

/// A permit that was not started is not a use; and no use outlives the time to live.
#[test]
fn an_open_permit_keeps_nothing_in_use_and_a_running_call_gives_no_time() {
    let world = dumps();
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let open = world.authorize(&grant, &ping()).unwrap();
    world.pass(seconds(120));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
    drop(open);
    // Asking again in the same task begins no other idle time.
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    world.pass(seconds(1800));
    let denial = world.authorize(&grant, &Call::new("ping", json!({})).unwrap()).unwrap_err();
    assert!(denial.explain().to_string().contains("reached its `ttl` of 30m"));
    running.succeed();
}

#[test]
fn a_quick_permit_of_an_abandoned_grant_is_still_idle() {
    let world = World::rules([pings("p").idle(seconds(10))]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    drop(world.authorize(&grant, &ping()).unwrap());
    world.pass(seconds(10));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired, "it was never started");
}
