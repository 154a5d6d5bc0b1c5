//! One process for each name, and names for each.

use hallpass::fleet::{Fleet, FleetError, MemoryStore, NodeState};
use hallpass::prelude::*;

use crate::world::{ALL, LEASE, STEP, World, secret};

#[test]
fn two_processes_of_one_name_never_have_a_lease_together() {
    let mut world = World::of(1);
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let twin = world.add("n0");
    for _ in 0..400 {
        world.pass(STEP);
        assert!(world.nodes[twin].fleet.status().lease.is_none());
    }
    // The one that was first is cut off: the other takes the name once its lease can't be good.
    world.nodes[0].link.cut(true);
    let mut taken = false;
    for _ in 0..400 {
        world.pass(STEP);
        let leases = [0, twin].map(|node| world.nodes[node].fleet.status().lease.is_some());
        assert_ne!(leases, [true, true]);
        taken |= leases[1];
    }
    assert!(taken);
    // It never comes back, and its tasks are over.
    world.nodes[0].link.cut(false);
    world.pass(LEASE);
    assert_eq!(world.nodes[0].fleet.status().state, Some(NodeState::Gone));
    assert_eq!(world.nodes[0].denied("read"), Some(Reason::NoLease));
    assert!(world.nodes[0].broker.standing().is_empty());
    let log = world.nodes[0].broker.log().unwrap().snapshot();
    assert!(log.entries().any(|entry| entry.line.contains("\"lost\"")), "{:?}", grant.id());
    assert!(world.nodes[twin].fleet.status().lease.is_some());
}

#[test]
fn a_node_that_joins_has_applied_all_there_is_before_it_gives_anything() {
    let mut world = World::of(1);
    for n in 0..600 {
        let halt = hallpass::Halt::tool(&format!("t{n}")).unwrap();
        let _ = world.nodes[0].fleet.halt(halt);
    }
    let (_, took) = world.finish(&world.nodes[0].fleet.reload(crate::world::READ, 0).unwrap());
    assert!(took < LEASE);
    let late = world.add("n1");
    world.pass(LEASE);
    assert_eq!(world.nodes[late].fleet.mark(), world.nodes[0].fleet.mark());
    assert_eq!(world.nodes[late].broker.control().halts().len(), 600);
    assert_eq!(world.nodes[late].denied("read"), None);
    assert_eq!(world.nodes[late].denied("write"), Some(Reason::NotCovered));
}

#[test]
fn names_and_settings_have_limits_and_a_broker_joins_once() {
    let broker = Broker::new(Policy::from_toml(ALL).unwrap()).unwrap();
    let join = |fleet: &str, node: &str, lease: u64, drift: u32| {
        let builder = Fleet::builder(fleet, node).drift(drift);
        let builder = builder.lease(std::time::Duration::from_millis(lease));
        builder.join(&broker, &secret(0), MemoryStore::new()).map(drop)
    };
    assert!(matches!(join("Acme", "n0", 2000, 10), Err(FleetError::Name(_))));
    assert!(matches!(join("acme", "", 2000, 10), Err(FleetError::Name(_))));
    assert!(matches!(join("acme", "n0", 199, 10), Err(FleetError::Setting("lease", _))));
    assert!(matches!(join("acme", "n0", 60_001, 10), Err(FleetError::Setting("lease", _))));
    assert!(matches!(join("acme", "n0", 2000, 0), Err(FleetError::Setting("drift", _))));
    assert!(matches!(join("acme", "n0", 2000, 51), Err(FleetError::Setting("drift", _))));
    assert_eq!(join("acme", "n0", 2000, 10), Ok(()));
    assert_eq!(join("acme", "n1", 2000, 10), Err(FleetError::Joined));
}
