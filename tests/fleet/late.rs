//! Calls elsewhere that come too late: of an earlier life of the asker, on a token that ends, past the home's lease.

use std::time::Duration;

use hallpass::Halt;
use hallpass::prelude::*;

use crate::wire::CALL;
use crate::world::{LEASE, STEP, World};

/// It never came before, so no counter knows it.
#[test]
fn what_an_earlier_life_of_the_asker_has_sent_is_not_taken_once_another_has_its_name() {
    let (mut world, wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    world.call_at(1, &grant, "read").unwrap().start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    // A call is held up on the way.
    wire.hold(CALL);
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::Elsewhere);
    let held = wire.held();
    world.nodes[1].is_stopped = true;
    let again = world.add_calling("n1", &wire, &["n0"]);
    world.pass(3 * LEASE);
    assert!(world.nodes[again].fleet.status().lease.is_some());
    // The home knows of it.
    world.finish(&world.nodes[0].fleet.halt(Halt::tool("other").unwrap()));
    let before = (world.count(0, r#""permitted""#), world.count(0, r#""foreign_message""#));
    assert_eq!(world.nodes[0].fleet.answer(&held), [1, 5]);
    let after = (world.count(0, r#""permitted""#), world.count(0, r#""foreign_message""#));
    assert_eq!((before.0, before.1 + 1), after);
}

#[test]
fn a_token_that_ends_before_the_start_starts_nothing_elsewhere() {
    let (world, _wire) = World::calling();
    let brief = r#"
        version = 1
        rule = [{ id = "all", effect = "permit", what = { tool = "any", args = "any" }, grant = { ttl = "600ms" } }]
    "#;
    world.finish(&world.nodes[0].fleet.reload(brief, 0).unwrap());
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let permits = [(); 2].map(|()| world.call_at(1, &grant, "read").unwrap());
    let [early, late] = permits;
    world.pass(Duration::from_millis(580));
    early.start().unwrap().succeed();
    world.pass(STEP);
    assert_eq!(late.start().map(drop).unwrap_err().reason(), Reason::Expired);
}

/// What the home permits it answers for, and it answers for nothing beyond its lease.
#[test]
fn a_leave_lasts_no_longer_than_the_lease_of_its_home() {
    let (mut world, _wire) = World::calling();
    while world.nodes[0].fleet.status().lease.unwrap() < LEASE - STEP {
        world.pass(STEP);
    }
    world.nodes[0].is_stopped = true;
    world.pass(LEASE - Duration::from_millis(400));
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let permits = [(); 2].map(|()| world.call_at(1, &grant, "read").unwrap());
    let [early, late] = permits;
    world.pass(Duration::from_millis(300));
    early.start().unwrap().succeed();
    world.pass(Duration::from_millis(100));
    assert!(world.nodes[0].fleet.status().lease.is_none());
    assert_eq!(late.start().map(drop).unwrap_err().reason(), Reason::PermitLapsed);
}
