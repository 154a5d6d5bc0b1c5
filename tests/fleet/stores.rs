//! Stores that hang, lie, or were put back.

use std::sync::mpsc::channel;

use hallpass::Halt;
use hallpass::fleet::{Entry, Fleet, MemoryStore, NodeRow, NodeState, Store};
use hallpass::prelude::*;

use crate::contract::PROMISES;
use crate::world::{LEASE, World, secret};

#[test]
fn the_store_in_memory_keeps_what_every_store_promises() {
    for (promise, holds) in PROMISES {
        let store = MemoryStore::new();
        println!("{promise}");
        holds(&|| Box::new(store.clone()));
    }
}

/// Who can write the database can stop the fleet, and make no act.
#[test]
fn an_entry_that_no_member_made_stops_the_node_and_is_not_applied() {
    let world = World::of(2);
    world.finish(&world.nodes[0].fleet.halt(Halt::tool("read").unwrap()));
    let head = world.nodes[0].fleet.mark();
    // As a member of another fleet, with another secret, would say: resume.
    let other = World::empty();
    let broker = Broker::new(Policy::from_toml(crate::world::ALL).unwrap()).unwrap();
    let fleet =
        Fleet::builder("acme", "n9").join(&broker, &secret(9), other.store.clone()).unwrap();
    fleet.tend();
    let _ = fleet.halt(Halt::tool("read").unwrap()).wait(LEASE).unwrap();
    let _ = fleet.resume(&Halt::tool("read").unwrap()).wait(LEASE).unwrap();
    let foreign = other.store.read(1).unwrap().entries.remove(0);
    assert!(world.store.append(&Entry { number: 2, ..foreign }, &head).unwrap());
    world.pass(LEASE);
    for node in &world.nodes {
        assert_eq!(node.fleet.mark(), head);
        assert_eq!(node.denied("read"), Some(Reason::NoLease));
        assert_eq!(node.broker.control().halts(), [Halt::tool("read").unwrap()]);
        let trouble = node.fleet.status().trouble.unwrap();
        assert!(trouble.contains("entry 2"), "{trouble}");
    }
}

#[test]
fn a_store_that_was_put_back_is_not_the_one_it_was() {
    let mut world = World::of(1);
    let early = world.store.read(0).unwrap();
    world.finish(&world.nodes[0].fleet.halt(Halt::tool("read").unwrap()));
    let mark = world.nodes[0].fleet.mark();
    let rolled_back = early.head;
    for node in &world.nodes {
        node.link.change(move |snapshot| {
            snapshot.head = rolled_back;
            snapshot.entries.clear();
        });
    }
    world.pass(LEASE);
    assert_eq!(world.nodes[0].denied("list"), Some(Reason::NoLease));
    assert!(world.nodes[0].fleet.status().trouble.is_some());

    // A node that joins afresh can't tell, unless it is told.
    world.store = MemoryStore::new();
    let unaware = world.add("n1");
    let told = world.add_past("n2", Some(mark));
    world.pass(LEASE);
    assert_eq!(world.nodes[unaware].denied("read"), None);
    assert_eq!(world.nodes[told].denied("read"), Some(Reason::NoLease));
    assert!(world.nodes[told].fleet.status().trouble.is_some());
    let _ = world.nodes[unaware].fleet.halt(Halt::tool("x").unwrap());
    world.pass(LEASE);
    assert_eq!(world.nodes[told].denied("list"), Some(Reason::NoLease), "another past");
}

/// Only a member's word excuses a node from being waited for.
#[test]
fn a_row_that_was_written_by_hand_does_not_hurry_an_act() {
    for state in [NodeState::Silent, NodeState::Gone, NodeState::Left] {
        let world = World::of(2);
        let rows = world.store.read(0).unwrap().rows;
        let row = rows.iter().find(|row| &*row.name == "n1").unwrap();
        world.nodes[1].link.cut(true);
        let by_hand = NodeRow { state, ..row.clone() };
        assert!(world.store.write(&by_hand, Some(&row.version()), 0).unwrap().0);
        let act = world.nodes[0].fleet.halt(Halt::tool("read").unwrap());
        world.pass(LEASE - LEASE / 10);
        assert!(act.look().is_err(), "{state:?}");
        world.finish(&act);
        assert_eq!(world.nodes[1].denied("read"), Some(Reason::NoLease));
    }
}

#[test]
fn a_store_that_hangs_holds_up_nothing_that_does_not_need_it() {
    let world = World::of(1);
    let node = &world.nodes[0];
    let (hangs, hung) = channel();
    let (lets_go, let_go) = channel::<()>();
    node.link.on_write(move || {
        hangs.send(()).unwrap();
        let _ = let_go.recv();
    });
    world.clock.advance(LEASE / 2);
    let fleet = node.fleet.clone();
    let thread = std::thread::spawn(move || fleet.tend());
    hung.recv().unwrap();
    // The lease is good still, and ends are ends.
    let (task, grant) = node.grant("read").unwrap();
    drop(node.permit(&grant, "read").unwrap().start().unwrap());
    let act = node.fleet.halt(Halt::tool("read").unwrap());
    assert_eq!(node.denied("read"), Some(Reason::Halted));
    assert!(act.look().is_err());
    let _ = node.fleet.tend();
    assert_eq!(task.complete().tasks, 1);
    world.clock.advance(LEASE);
    assert_eq!(node.denied("list"), Some(Reason::NoLease));
    drop(lets_go);
    thread.join().unwrap();
    assert_eq!(world.finish(&act).0.number, 1);
}
