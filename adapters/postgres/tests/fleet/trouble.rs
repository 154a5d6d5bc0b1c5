//! A server that stops, hangs and comes back, and a second node of a name.

use std::time::Duration;

use hallpass::Halt;
use hallpass::fleet::{Fleet, NodeState, Store as _};
use hallpass::prelude::*;
use hallpass_postgres::PostgresStore;

use crate::database::{Database, PATIENCE};
use crate::proxy::Proxy;
use crate::world::{ALL, LEASE, World, real_time, secret, wait_until};

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_stops_and_comes_back_costs_the_lease_and_loses_no_act() {
    let database = Database::start();
    let world = World::of(2, &database);
    let (task, grant) = world.nodes[1].grant("read").unwrap();
    let kept = world.nodes[1].permit(&grant, "read").unwrap();
    world.finish(&world.nodes[0].fleet.halt(Halt::tool("drop").unwrap()));

    database.server.down();
    wait_until(|| world.nodes.iter().all(|node| node.store.read(0).is_err()));
    assert!(world.nodes[0].store.trouble().is_some());
    assert_eq!(world.nodes[0].denied("list"), None, "leases are good still");
    let act = world.nodes[0].fleet.halt(Halt::tool("read").unwrap());
    assert_eq!(
        world.nodes[0].denied("read"),
        Some(Reason::Halted),
        "at once, where it was asked for"
    );
    world.pass(LEASE + LEASE / 10);
    assert!(act.look().is_err());
    assert!(world.nodes.iter().all(|node| node.denied("list") == Some(Reason::NoLease)));
    assert_eq!(kept.start().unwrap_err().reason(), Reason::NoLease);
    assert_eq!(task.complete().tasks, 1, "ends are ends");

    database.server.up();
    world.wait_for_stores();
    let done = world.finish(&act);
    assert_eq!(done.number, 2);
    world.pass(LEASE);
    for node in &world.nodes {
        assert_eq!(node.denied("list"), None);
        assert_eq!(node.denied("read"), Some(Reason::Halted));
        assert_eq!(node.store.trouble(), None);
    }
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_hangs_holds_up_nothing_that_does_not_need_it() {
    let database = Database::start();
    let proxy = Proxy::before(database.server.port);
    let config = proxy.to(&database.config());
    let store = PostgresStore::builder(config, "acme", "acme").within(PATIENCE).open().unwrap();
    let mut world = World::of(0, &database);
    world.add("n0", store, None);
    world.pass(LEASE);
    let node = &world.nodes[0];
    proxy.hold_answers();
    world.clock.advance(LEASE / 2);
    let fleet = node.fleet.clone();
    let thread = std::thread::spawn(move || fleet.tend());
    proxy.wait_until_held();
    // The lease is good still, and ends are ends.
    let (task, grant) = node.grant("read").unwrap();
    drop(node.permit(&grant, "read").unwrap().start().unwrap());
    let act = node.fleet.halt(Halt::tool("read").unwrap());
    assert_eq!(node.denied("read"), Some(Reason::Halted));
    assert!(act.look().is_err());
    let _ = node.fleet.tend();
    assert_eq!(task.complete().tasks, 1);
    world.clock.advance(LEASE / 2 + Duration::from_millis(1));
    assert_eq!(node.denied("list"), Some(Reason::NoLease));
    assert!(!thread.is_finished(), "it waits all the while");
    proxy.let_go();
    thread.join().unwrap();
    assert_eq!(world.finish(&act).number, 1);
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_second_node_under_a_name_waits_and_the_first_never_comes_back() {
    let database = Database::start();
    let mut world = World::of(1, &database);
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let kept = world.nodes[0].permit(&grant, "read").unwrap();
    let second = world.add("n0", database.store(), None);
    world.pass(4 * LEASE);
    assert_eq!(world.nodes[second].denied("read"), Some(Reason::NoLease), "the name is another's");
    assert_eq!(world.nodes[0].denied("read"), None);

    // The first stands still, as stopped.
    let first = world.nodes.remove(0);
    world.pass(LEASE);
    assert_eq!(world.nodes[0].denied("read"), Some(Reason::NoLease), "its lease may be good still");
    world.pass(LEASE);
    assert_eq!(world.nodes[0].denied("read"), None);
    first.fleet.tend();
    assert_eq!(first.fleet.status().state, Some(NodeState::Gone));
    assert!(first.broker.standing().is_empty());
    assert!(kept.start().is_err());
    world.pass(LEASE);
    first.fleet.tend();
    assert_eq!(first.denied("read"), Some(Reason::NoLease));
    assert_eq!(world.nodes[0].denied("read"), None);
    assert_eq!(database.owner.ask("SELECT count(*) FROM hallpass.node"), ["1"]);
}

/// On the machine's own clock, driven by threads of their own, and sooner than by renewals: they hear of it.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn an_end_at_one_of_three_brokers_is_refused_at_the_others_once_it_has_returned() {
    const LONG: Duration = Duration::from_secs(15);
    let database = Database::start();
    let nodes: Vec<_> = ["n1", "n2", "n3"]
        .map(|name| {
            let broker = Broker::new(Policy::from_toml(ALL).unwrap()).unwrap();
            let builder = Fleet::builder("acme", name).lease(LONG);
            let fleet = builder.join(&broker, &secret(), database.store()).unwrap();
            let tending = fleet.start_tending().unwrap();
            (broker, fleet, tending)
        })
        .into();
    wait_until(|| nodes.iter().all(|(_, fleet, _)| fleet.status().lease.is_some()));
    let call = |broker: &Broker, tool: &str| {
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let grant = task.request(Scope::tool(tool).any_args(), &Context::new())?;
        let call = Call::new(tool, serde_json::json!({})).unwrap();
        let permit = broker.gate().authorize(&grant, &agent, call, &Context::new())?;
        permit.start().map(|running| running.succeed())
    };
    for (round, (_, actor, _)) in nodes.iter().enumerate() {
        let tool = format!("tool-{round}");
        assert!(nodes.iter().all(|(broker, ..)| call(broker, &tool).is_ok()));
        let begun = real_time();
        let done = actor.halt(Halt::tool(&tool).unwrap()).wait(PATIENCE).unwrap();
        let took = real_time() - begun;
        assert!(done.unheard.is_empty(), "{done:?}");
        for (broker, ..) in &nodes {
            assert_eq!(call(broker, &tool).unwrap_err().reason(), Reason::Halted);
        }
        // A renewal is due after four seconds at the soonest, and after five at the latest.
        assert!(took < LONG / 5, "{took:?}");
    }
    assert_eq!(database.store().read(0).unwrap().head.number, 3);
}
