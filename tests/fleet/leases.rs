//! Without a good lease a node gives nothing.

use std::time::Duration;

use hallpass::Halt;
use hallpass::fleet::{NodeState, Store as _};
use hallpass::prelude::*;

use crate::world::{LEASE, STEP, World};

/// How often a node has raised its row.
fn counter(world: &World, name: &str) -> u64 {
    let rows = world.store.read(0).unwrap().rows;
    rows.iter().find(|row| &*row.name == name).unwrap().counter
}

/// A hint shortens the wait, and makes no work of itself: what tells of entries that are not there makes a node ask a little
/// sooner, and not as often as it is told.
#[test]
fn a_node_that_hears_of_an_entry_takes_it_before_its_next_renewal() {
    let world = World::of(2);
    let [here, there] = &world.nodes[..] else { unreachable!() };
    let news = there.link.news.lock().unwrap().clone().unwrap();
    // Just renewed, so that nothing is due for long.
    let mut at = counter(&world, "n1");
    while counter(&world, "n1") == at {
        world.pass(STEP);
    }
    at = counter(&world, "n1");
    let act = here.fleet.halt(Halt::tool("read").unwrap());
    here.fleet.tend();
    assert!(news(1), "somebody is there to be told");
    world.pass(LEASE / 20 + STEP);
    assert_eq!(there.fleet.mark().number, 1);
    // Once to take it, and once to say so.
    assert_eq!(counter(&world, "n1"), at + 2);
    world.finish(&act);

    at = counter(&world, "n1");
    for number in 0..100 {
        news(if number < 50 { 1 } else { u64::MAX - number });
        there.fleet.tend();
    }
    world.clock.advance(LEASE / 20);
    there.fleet.tend();
    assert!(
        counter(&world, "n1") <= at + 2,
        "what is applied is no news, and what is not there is asked for once"
    );
    drop(world);
    assert!(!news(2), "nobody is there any more");
}

#[test]
fn a_node_that_is_cut_off_goes_silent_by_itself_and_ends_go_through() {
    let world = World::of(1);
    let node = &world.nodes[0];
    let (task, grant) = node.grant("read").unwrap();
    let mut other = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
    let (kept, runs) = (node.permit(&grant, "read").unwrap(), node.permit(&grant, "read").unwrap());
    let runs = runs.start().unwrap();
    node.link.cut(true);
    world.pass(LEASE + STEP);

    let denial = node.permit(&grant, "read").unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::NoLease, Code::Unavailable));
    assert_eq!(node.denied("read"), Some(Reason::NoLease), "nor is a task opened");
    let asked = task.request(Scope::tool("read").any_args(), &Context::new());
    assert_eq!(asked.unwrap_err().reason(), Reason::NoLease);
    let renewed = task.renew(&mut other, &node.agent, &Context::new());
    assert_eq!(renewed.unwrap_err().reason(), Reason::NoLease);
    assert_eq!(kept.start().unwrap_err().reason(), Reason::NoLease);
    let call = Call::new("read", serde_json::json!({})).unwrap();
    let dry = node.broker.gate().check(&grant, &node.agent, &call, &Context::new());
    assert_eq!(dry.unwrap_err().reason(), Reason::NoLease);
    drop(runs);
    assert_eq!(node.broker.gate().give_up(&grant, &node.agent).unwrap().grants, 1);
    assert_eq!(task.complete().tasks, 1);
    assert!(node.broker.standing().is_empty());

    node.link.cut(false);
    world.pass(LEASE / 2);
    assert_eq!(node.denied("read"), None);
}

/// A lease counted from the answer would outlast what the fleet waits for.
#[test]
fn a_lease_is_counted_from_before_the_store_was_asked() {
    let world = World::of(1);
    let node = &world.nodes[0];
    let clock = world.clock.clone();
    let slow = LEASE / 2;
    node.link.on_write(move || clock.advance(slow));
    world.pass(LEASE);
    let left = node.fleet.status().lease.unwrap();
    assert!(left <= LEASE - slow, "{left:?}");
    // One that answers too late gives none.
    let clock = world.clock.clone();
    node.link.on_write(move || clock.advance(LEASE));
    world.pass(LEASE);
    assert_eq!(node.denied("read"), Some(Reason::NoLease));
}

#[test]
fn a_machine_that_slept_or_whose_clock_was_set_back_has_no_lease() {
    let world = World::of(1);
    let node = &world.nodes[0];
    let start = hallpass::clock::Clock::read(&world.clock).unwrap().wall;
    world.clock.set_wall(start.checked_sub(Duration::from_secs(5)).unwrap());
    assert_eq!(node.denied("read"), Some(Reason::NoLease));
    world.pass(LEASE);
    assert_eq!(node.denied("read"), None, "the next renewal is counted anew");
    world.clock.suspend(LEASE);
    assert_eq!(node.denied("read"), Some(Reason::NoLease));
    world.clock.fail();
    assert_eq!(node.denied("read"), Some(Reason::ClockUnreadable));
    world.clock.recover();
    world.pass(LEASE);
    assert_eq!(node.denied("read"), None);
}

#[test]
fn the_first_renewal_gives_no_lease_and_the_second_does() {
    let mut world = World::empty();
    let node = world.add("n0");
    let link = world.nodes[node].link.clone();
    let writes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (fleet, seen) = (world.nodes[node].fleet.clone(), writes.clone());
    link.on_write(move || seen.lock().unwrap().push(fleet.status().lease.is_some()));
    world.nodes[node].fleet.tend();
    assert_eq!(*writes.lock().unwrap(), [false, false], "two, and none before the second");
    assert!(world.nodes[node].fleet.status().lease.is_some());
}

#[test]
fn a_node_that_leaves_or_is_dropped_gives_nothing_any_more() {
    let mut world = World::of(3);
    world.nodes[1].fleet.leave();
    assert_eq!(world.nodes[1].denied("read"), Some(Reason::NoLease));
    world.pass(LEASE);
    assert_eq!(world.nodes[1].denied("read"), Some(Reason::NoLease));
    let (_, took) = world.finish(&world.nodes[0].fleet.halt(hallpass::Halt::tool("x").unwrap()));
    assert!(took < LEASE, "no act waits for a node that left");

    let node = world.nodes.remove(2);
    let (broker, agent) = (node.broker, node.agent);
    drop(node.fleet);
    let opened = broker.open(&agent, Purpose::new("errand"));
    assert_eq!(opened.map(drop).unwrap_err().reason(), Reason::NoLease);
}

/// A process that was given up is there still, and so is what was stopped at it.
#[test]
fn a_node_that_was_given_up_still_tells_what_was_stopped_at_it() {
    let world = World::of(2);
    let [here, there] = &world.nodes[..] else { unreachable!() };
    there.link.cut(true);
    world.finish(&here.fleet.halt(Halt::tool("one").unwrap()));
    world.pass(2 * LEASE);
    there.broker.control().halt(Halt::tool("read").unwrap());
    for _ in 0..2 {
        world.pass(Duration::from_secs(31));
        world.finish(&here.fleet.halt(Halt::tool("one").unwrap()));
        world.pass(LEASE);
    }
    there.link.cut(false);
    world.pass(2 * LEASE);
    assert_eq!(there.fleet.status().state, Some(NodeState::Gone));
    assert_eq!(here.denied("read"), Some(Reason::Halted));
}

#[test]
fn a_node_that_leaves_tells_first_what_was_stopped_at_it() {
    let world = World::of(2);
    let [here, there] = &world.nodes[..] else { unreachable!() };
    there.broker.control().halt(Halt::tool("read").unwrap());
    there.fleet.leave();
    world.pass(LEASE);
    assert_eq!(there.fleet.status().state, Some(NodeState::Left));
    assert_eq!(here.denied("read"), Some(Reason::Halted));
}

#[test]
fn how_renewals_go_is_told() {
    let world = World::of(1);
    let before = world.nodes[0].fleet.status().renewals;
    assert!(before.given > 0 && before.missed == 0 && before.took.is_some());
    world.pass(LEASE);
    let given = world.nodes[0].fleet.status().renewals.given;
    assert!(given >= before.given + 3, "{given}");
    world.nodes[0].link.cut(true);
    world.pass(LEASE);
    let after = world.nodes[0].fleet.status().renewals;
    assert!(after.given == given && after.missed > 3, "{after:?}");
}
