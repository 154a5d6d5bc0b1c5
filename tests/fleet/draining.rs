//! Nodes that leave in order.

use std::time::Duration;

use hallpass::fleet::NodeState;
use hallpass::prelude::*;

use crate::world::{LEASE, World};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_node_that_drains_waits_for_what_is_open_and_opens_nothing_more() {
    let (world, _wire) = World::calling();
    let node = &world.nodes[0];
    let (task, grant) = node.grant("read").unwrap();
    let (_other, elsewhere) = world.nodes[1].grant("read").unwrap();
    // A home that has joined since the rows were read is known to the next call.
    assert_eq!(world.call_at(0, &elsewhere, "read").unwrap_err().reason(), Reason::ForeignToken);
    world.pass(LEASE);
    std::thread::scope(|scope| {
        let draining = scope.spawn(|| node.fleet.drain(LONG, LONG));
        while node.broker.open(&node.agent, Purpose::new("errand")).is_ok() {}
        let denial = node.broker.open(&node.agent, Purpose::new("errand")).map(drop).unwrap_err();
        assert_eq!((denial.reason(), denial.code()), (Reason::Draining, Code::Unavailable));
        // No leave is given; what is open here goes on, and calls elsewhere do.
        assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::Draining);
        node.permit(&grant, "read").unwrap().start().unwrap().succeed();
        world.call_at(0, &elsewhere, "read").unwrap().start().unwrap().succeed();
        assert!(!draining.is_finished());
        let running = node.permit(&grant, "read").unwrap().start().unwrap();
        task.complete();
        assert!(!draining.is_finished(), "a call is running");
        running.succeed();
        let drained = draining.join().unwrap();
        assert!(drained.has_left && drained.ended.is_empty() && drained.running == 0);
    });
    assert_eq!(node.fleet.status().state, Some(NodeState::Left));
    assert_eq!(node.denied("read"), Some(Reason::NoLease), "it gives nothing any more");
    // No act waits for it.
    let halt = hallpass::Halt::tool("x").unwrap();
    let (done, took) = world.finish(&world.nodes[1].fleet.halt(halt));
    assert!(done.unheard.is_empty() && took < LEASE);
}

#[test]
fn what_is_open_when_the_time_is_over_is_ended_and_what_runs_is_told() {
    let world = World::of(1);
    let node = &world.nodes[0];
    let (_task, grant) = node.grant("read").unwrap();
    let running = node.permit(&grant, "read").unwrap().start().unwrap();
    let kept = node.permit(&grant, "read").unwrap();
    let drained = node.fleet.drain(Duration::ZERO, Duration::ZERO);
    assert_eq!((drained.ended.count(), drained.ended.running.len()), (1, 1));
    assert_eq!((drained.running, drained.has_left), (1, true));
    assert!(kept.start().is_err());
    running.succeed();
    assert!(node.broker.standing().is_empty());
}

/// However an opening and the draining of its node come about each other.
#[test]
fn nothing_is_open_once_a_node_has_drained() {
    for _ in 0..200 {
        let world = World::of(1);
        let node = &world.nodes[0];
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| {
                let mut opened = Vec::new();
                while let Ok(task) = node.broker.open(&node.agent, Purpose::new("errand")) {
                    opened.push(task);
                }
                opened
            });
            node.fleet.drain(Duration::ZERO, Duration::ZERO);
            let opened = opening.join().unwrap();
            let standing = node.broker.standing();
            assert!(standing.tasks.is_empty(), "{} of {}", standing.tasks.len(), opened.len());
        });
    }
}

#[test]
fn a_node_whose_store_is_away_drains_in_a_bounded_time() {
    let mut world = World::empty();
    world.add_built("n0", |broker| broker, |fleet| fleet.lease(Duration::from_millis(200)));
    world.pass(LEASE);
    let node = &world.nodes[0];
    node.link.cut(true);
    let drained = node.fleet.drain(Duration::ZERO, Duration::ZERO);
    assert!(!drained.has_left);
    assert_eq!(node.denied("read"), Some(Reason::NoLease));
}
