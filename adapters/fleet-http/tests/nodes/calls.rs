//! Calls at other nodes, over each kind of connection.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::fleet::{AsyncTransport, Transport};
use hallpass::prelude::*;

use crate::certificates::Authority;
use crate::proxy::Proxy;
use crate::world::{Over, REFUSED, World};

#[test]
fn calls_run_at_the_other_nodes_over_each_kind_of_connection() {
    for over in [Over::Loopback, Over::Unix, Over::Tls(Authority::new())] {
        let world = World::of_three(over);
        world.know_each_other();
        for home in 0..3 {
            let (task, grant) = world.grant(home);
            for there in (0..3).filter(|there| *there != home) {
                let permit = world.ask(there, &grant).unwrap();
                assert_eq!(permit.home(), Some(&*format!("n{home}")));
                let running = permit.start().unwrap();
                assert_eq!(running.args().to_json(), r#"{"n":12345678901234567890}"#);
                running.succeed();
                assert_eq!(world.nodes[there].fleet.deliver(), 0);
            }
            assert_eq!(task.complete().running.len(), 0);
            // Of the others nothing is in this log: their tasks are at home there.
            let records = [r#""permitted""#, r#""outcome":"ok""#, r#""foreign_message""#];
            assert_eq!(records.map(|what| world.count(home, what)), [2, 2, 0]);
        }
        assert!(world.nodes.iter().all(|node| node.broker.verify_log().is_ok()));
    }
}

#[test]
fn a_host_that_is_asynchronous_asks_on_a_runtime_of_its_own() {
    let world = World::of_three(Over::Loopback);
    let transport = world.transport("n1");
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let address = &world.nodes[0].address;
    let sent =
        other.block_on(AsyncTransport::send(&transport, "n0", address, vec![0; 40])).unwrap();
    assert_eq!(sent, REFUSED);
}

#[test]
fn threads_that_ask_at_once_share_four_connections_at_the_most() {
    let world = World::of_three(Over::Loopback);
    let proxy = Proxy::to(&world.nodes[0].address);
    let (transport, answered) = (world.transport("n1"), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let to = &proxy.address;
                    let answer = Transport::send(&transport, "n0", to, &[0; 40]).unwrap();
                    answered.fetch_add(usize::from(answer == REFUSED), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(answered.load(Ordering::SeqCst), 64 * 8);
    assert!((1..=4).contains(&proxy.connections()), "{}", proxy.connections());
}

/// A node that others reach through what can be broken.
fn through_a_proxy() -> (World, Proxy) {
    let mut world = World::empty(Over::Loopback);
    let mut proxy = None;
    let transport = world.transport("n0");
    world.add("n0", transport, |address| proxy.insert(Proxy::to(address)).address.clone());
    let transport = world.transport("n1");
    world.add("n1", transport, str::to_owned);
    world.join_all();
    (world, proxy.unwrap())
}

#[test]
fn a_connection_that_is_gone_is_made_anew() {
    let (world, proxy) = through_a_proxy();
    let (task, grant) = world.grant(0);
    for n in 1..=4 {
        world.ask(1, &grant).unwrap().start().unwrap().succeed();
        assert_eq!(world.nodes[1].fleet.deliver(), 0);
        assert_eq!(world.count(0, r#""permitted""#), n);
        proxy.cut();
    }
    assert_eq!(world.count(0, r#""outcome":"ok""#), 4);
    assert_eq!(task.complete().running.len(), 0);
}

#[test]
fn a_call_whose_answer_was_lost_is_decided_once() {
    let (world, proxy) = through_a_proxy();
    let (task, grant) = world.grant(0);
    world.ask(1, &grant).unwrap().start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    proxy.lose_an_answer();
    let permit = world.ask(1, &grant).unwrap();
    assert_eq!(world.count(0, r#""permitted""#), 2);
    permit.start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    assert_eq!(world.count(0, r#""outcome":"ok""#), 2);
    assert_eq!(task.complete().running.len(), 0);
}

#[test]
fn a_home_that_joined_later_is_known_once_it_was_asked_for() {
    let world = World::of_three(Over::Loopback);
    let (_task, grant) = world.grant(2);
    assert_eq!(world.ask(0, &grant).unwrap_err().reason(), Reason::ForeignToken);
    world.pass(Duration::from_millis(200));
    world.ask(0, &grant).unwrap().start().unwrap().succeed();
}

#[test]
fn a_node_that_is_given_up_on_has_the_home_told() {
    let world = World::of_three(Over::Loopback);
    let (_task, grant) = world.grant(0);
    drop(world.ask(1, &grant).unwrap());
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    assert_eq!(world.count(0, r#""outcome":"abandoned""#), 1);
    // The leave runs out where it is not started in time, however it came.
    let permit = world.ask(1, &grant).unwrap();
    world.pass(Duration::from_secs(1));
    assert_eq!(permit.start().map(drop).unwrap_err().reason(), Reason::PermitLapsed);
}
