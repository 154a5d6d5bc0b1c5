//! Who can send to a node, and has not the fleet's key, or has only heard what was said.

use hallpass::fleet::Fleet;
use hallpass::prelude::*;

use crate::world::{Over, REFUSED, World, secret};

const FOREIGN: &str = r#""foreign_message""#;

/// Messages of nodes that were heard, and are said again, cut, changed or in another order
#[test]
fn what_was_heard_between_nodes_is_denied_and_recorded_when_it_is_said_again() {
    let world = World::of_three(Over::Loopback);
    let (home, wire) = (&world.nodes[0].address, &world.nodes[1].wire);
    let (_task, grant) = world.grant(0);
    world.ask(1, &grant).unwrap().start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    let seen = wire.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 3, "hello, call, outcome");
    let (hello, call, outcome) = (&seen[0].0, &seen[1].0, &seen[2].0);
    let changed = |message: &[u8], at: usize| {
        let mut changed = message.to_vec();
        changed[at] ^= 1;
        changed
    };
    let said = [
        ("replayed", call.clone()),
        ("out of its order", outcome.clone()),
        ("cut", outcome[..outcome.len() - 1].to_vec()),
        ("changed", changed(outcome, outcome.len() - 1)),
        ("another counter", changed(outcome, 2 + 16)),
        ("an answer", seen[1].1.clone()),
        ("a hello that was changed", changed(hello, hello.len() - 40)),
        ("noise", vec![7; 400]),
        ("nothing", Vec::new()),
    ];
    for (n, (what, message)) in said.iter().enumerate() {
        assert_eq!(wire.carry(home, message), REFUSED, "{what}");
        assert_eq!(world.count(0, FOREIGN), n + 1, "{what}");
    }
    // A hello begins a session that who repeats it has no keys of.
    assert_ne!(wire.carry(home, hello), REFUSED);
    assert_eq!(world.count(0, r#""permitted""#), 1);
}

#[test]
fn a_message_that_comes_late_gives_nothing_twice() {
    let world = World::of_three(Over::Loopback);
    let (home, wire) = (&world.nodes[0].address, &world.nodes[1].wire);
    let (task, grant) = world.grant(0);
    wire.withhold();
    // Asked again in another session, under the same id.
    let permit = world.ask(1, &grant).unwrap();
    let late = wire.withheld();
    assert_ne!(wire.carry(home, &late), REFUSED, "it is the home's answer to that id, again");
    assert_eq!(world.count(0, r#""permitted""#), 1);
    permit.start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    // Once it is over, a copy is none that is permitted anew.
    wire.withhold();
    let permit = world.ask(1, &grant).unwrap();
    let late = wire.withheld();
    permit.start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    wire.carry(home, &late);
    assert_eq!((world.count(0, r#""permitted""#), world.count(0, r#""outcome":"ok""#)), (2, 2));
    assert_eq!(task.complete().running.len(), 0);
}

/// A node of another fleet, with a key of its own, under a name of this one
#[test]
fn a_strangers_node_is_denied_and_recorded() {
    let world = World::of_three(Over::Loopback);
    let (_task, grant) = world.grant(0);
    let mut strange = World::empty(Over::Loopback);
    let transport = strange.transport("n0");
    // It believes the home to be a node of its own fleet, at the address of the real one.
    let address = world.nodes[0].address.clone();
    strange.add("n0", transport, |_| address);
    let broker = Broker::builder(Policy::from_toml(crate::world::POLICY).unwrap())
        .issuer("acme/n1")
        .keys(hallpass::key::KeyRing::from_secret(secret(60)))
        .clock(strange.clock.clone())
        .build()
        .unwrap();
    let fleet = Fleet::builder("acme", "n1")
        .answers_at("http://127.0.0.1:1")
        .transport(strange.transport("n1"))
        .join(&broker, &secret(0), strange.store.clone())
        .unwrap();
    for _ in 0..300 {
        strange.pass(std::time::Duration::from_millis(20));
        fleet.tend();
    }
    assert!(fleet.status().lease.is_some());
    let agent = broker.assert_identity("agent-7").unwrap();
    let call = Call::new("read", serde_json::json!({})).unwrap();
    let denial = fleet.authorize(&grant, &agent, call, &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Elsewhere);
    assert!(world.count(0, FOREIGN) >= 3, "each of its tries is on record");
    assert_eq!(world.count(0, r#""permitted""#), 0);
}
