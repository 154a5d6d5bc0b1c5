//! What there is at all nodes at once: those that are not heard are named, and what no member wrote is recorded.

use hallpass::fleet::{MemoryStore, NodeRow, NodeState, Operator, Store as _};
use hallpass::prelude::*;

use crate::world::{LEASE, World, secret};

const ASKS: &str = r#"
    version = 1
    rule = [
        { id = "all", effect = "permit", what = { tool = "any", args = "any" } },
        { id = "ask", effect = "ask", what = { tool = "export" }, approval = { review = [{ id = "ada", count = 1 }], per = "call", expires = "5m" } },
    ]
"#;

#[test]
fn what_stands_waits_and_is_owed_at_all_nodes_is_told_by_each() {
    let (world, wire) = World::calling();
    let (_task, _grant) = world.nodes[0].grant("read").unwrap();
    let (_other, other) = world.nodes[1].grant("write").unwrap();
    for node in &world.nodes[..2] {
        let seen = node.fleet.standing().unwrap();
        let told: Vec<_> = seen
            .nodes
            .iter()
            .map(|(name, own)| (&**name, own.tasks.len(), own.grants.len()))
            .collect();
        assert_eq!(told, [("n0", 1, 1), ("n1", 1, 1)]);
        assert_eq!(*seen.not_heard, []);
        assert_eq!(*seen.nodes[1].1.grants[0].id, *other.id().to_string());
        assert_eq!(*seen.nodes[1].1.tasks[0].requester, *"agent-7");
        assert!(
            node.fleet
                .obligations()
                .unwrap()
                .nodes
                .iter()
                .all(|(_, own)| own.obligations.is_empty())
        );
        assert!(
            node.fleet.waiting().unwrap().nodes.iter().all(|(_, own)| own.questions.is_empty())
        );
    }
    // Who is none of them asks the same, with the fleet's key.
    let mut operator = Operator::new("acme", &secret(0), world.store.clone()).unwrap();
    assert_eq!(*operator.standing().unwrap().not_heard, ["n0".into(), "n1".into()]);
    let mut operator = operator.transport(wire.clone(), None);
    let seen = operator.standing().unwrap();
    assert_eq!((seen.nodes.len(), seen.not_heard.len()), (2, 0));
    assert_eq!(operator.obligations().unwrap().nodes.len(), 2);
    // A stranger has none of their answers.
    let refused = world.count(0, r#""foreign_message""#);
    let mut stranger = Operator::new("acme", &secret(9), MemoryStore::new()).unwrap();
    assert_eq!(stranger.standing().unwrap().nodes.len(), 0);
    wire.nodes.lock().unwrap().remove("at-n1");
    let seen = operator.standing().unwrap();
    assert_eq!((seen.nodes.len(), &*seen.not_heard), (1, &["n1".into()][..]));
    let hello = wire.seen.lock().unwrap()[0].0.clone();
    assert_eq!(world.nodes[0].fleet.answer(&hello[..hello.len() - 1]), [1, 5]);
    assert_eq!(world.count(0, r#""foreign_message""#), refused + 1);
}

#[test]
fn questions_that_wait_are_told_with_who_asked_for_what() {
    let mut world = World::empty();
    let clock = world.clock.clone();
    let asks = |_| Broker::builder(Policy::from_toml(ASKS).unwrap()).clock(clock);
    let at = world.add_built("n0", asks, |own| own);
    world.pass(LEASE);
    let (_task, grant) = world.nodes[at].grant("export").unwrap();
    let denial = world.nodes[at].permit(&grant, "export").map(drop).unwrap_err();
    let question = denial.pending().unwrap().id().to_string();
    let seen = world.nodes[at].fleet.waiting().unwrap();
    let told = &seen.nodes[0].1.questions;
    assert_eq!((told.len(), &*told[0].id, &*told[0].holder), (1, &*question, "agent-7"));
    assert_eq!(*told[0].tools, ["export".into()]);
}

#[test]
fn a_node_that_is_over_has_nothing_and_one_that_is_silent_is_not_heard() {
    let mut world = World::of(3);
    world.nodes[1].fleet.leave();
    world.pass(LEASE);
    world.nodes[2].is_stopped = true;
    world.finish(&world.nodes[0].fleet.halt(hallpass::Halt::tool("x").unwrap()));
    world.pass(LEASE);
    let seen = world.nodes[0].fleet.standing().unwrap();
    let heard: Vec<&str> = seen.nodes.iter().map(|(name, _)| &**name).collect();
    assert_eq!((&*heard, &*seen.not_heard), (&["n0"][..], &["n2".into()][..]));
}

/// Anyone who can write the store writes neither acts nor nodes with it, and the log has that it was tried.
#[test]
fn what_no_member_wrote_into_the_store_is_recorded_once() {
    let mut world = World::of(2);
    let forged = NodeRow {
        name: "n9\n".into(),
        incarnation: [1; 16],
        counter: 1,
        state: NodeState::Live,
        bytes: Box::default(),
    };
    assert!(world.store.write(&forged, None, 0).unwrap().0);
    let act = world.nodes[0].fleet.halt(hallpass::Halt::tool("x").unwrap());
    world.pass(LEASE);
    // A row that no member wrote is waited for as long as a lease can last.
    let _ = world.finish(&act);
    assert_eq!(world.count(0, r#""foreign_message""#), 1, "however often it is read");
    let head = world.nodes[0].fleet.mark();
    let entry = hallpass::fleet::Entry {
        number: head.number + 1,
        id: [9; 16],
        digest: [9; 32],
        bytes: vec![1; 64].into(),
    };
    assert!(world.store.append(&entry, &head).unwrap());
    world.pass(LEASE);
    assert_eq!(
        (world.count(0, r#""foreign_message""#), world.nodes[0].denied("read")),
        (2, Some(Reason::NoLease))
    );
    assert!(world.nodes[0].broker.verify_log().is_ok());
    world.nodes[1].is_stopped = true;
}
