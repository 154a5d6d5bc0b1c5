//! Answers that are lost, or late: what was committed is not done twice, and not said undone.

use std::time::Duration;

use hallpass::Halt;
use hallpass::fleet::{Mark, NodeState, Store as _};
use hallpass::prelude::*;
use hallpass_postgres::PostgresStore;

use crate::contract::{entry, row};
use crate::database::Database;
use crate::proxy::Proxy;
use crate::world::{LEASE, World, wait_until};

/// Long enough for an answer on a machine that does much else, and short enough to wait for one that does not come.
const SHORT: Duration = Duration::from_millis(1500);

fn behind(proxy: &Proxy, database: &Database) -> PostgresStore {
    let config = proxy.to(&database.config());
    let builder = PostgresStore::builder(config, "acme", &database.fleet).within(SHORT);
    let store = builder.open().unwrap();
    wait_until(|| store.read(0).is_ok());
    store
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn an_act_whose_answer_is_lost_is_one_act() {
    let database = Database::start();
    let proxy = Proxy::before(database.server.port);
    let mut world = World::of(1, &database);
    let node = world.add("n1", behind(&proxy, &database), None);
    world.pass(LEASE);
    let mark = world.nodes[node].fleet.mark();

    // Committed, and the answer does not come.
    proxy.hold_answers();
    let act = world.nodes[node].fleet.halt(Halt::tool("read").unwrap());
    world.nodes[node].fleet.tend();
    assert!(act.look().is_err());
    wait_until(|| world.nodes[0].store.read(0).unwrap().head.number == mark.number + 1);
    proxy.cut();
    world.wait_for_stores();
    let done = world.finish(&act);
    assert_eq!(done.number, mark.number + 1);
    world.pass(2 * LEASE);
    let found = world.nodes[0].store.read(0).unwrap();
    assert_eq!((found.head.number, found.entries.len()), (done.number, 1), "once");
    assert!(world.nodes.iter().all(|node| node.denied("read") == Some(Reason::Halted)));
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_renewal_whose_answer_is_lost_gives_no_lease_and_the_next_one_does() {
    let database = Database::start();
    let proxy = Proxy::before(database.server.port);
    let mut world = World::of(0, &database);
    let node = world.add("n1", behind(&proxy, &database), None);
    world.pass(LEASE);
    let counter = || database.owner.ask("SELECT counter FROM hallpass.node WHERE name = 'n1'");
    let before = counter();
    proxy.hold_answers();
    world.clock.advance(LEASE / 2);
    world.nodes[node].fleet.tend();
    wait_until(|| counter() != before);
    world.clock.advance(LEASE / 2);
    assert_eq!(world.nodes[node].denied("read"), Some(Reason::NoLease));
    proxy.cut();
    world.wait_for_stores();
    world.pass(LEASE);
    assert_eq!(world.nodes[node].denied("read"), None);
}

/// A commit that waits for a standby is under no limit of time, and is not stopped: the limit is of what comes before.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_commit_that_waits_is_not_cancelled_and_is_there_in_the_end() {
    let database = Database::start_with("");
    let store = database.builder().within(SHORT).open().unwrap();
    let head = store.read(0).unwrap().head;
    database.set("synchronous_standby_names", "away");
    // The session has to know of it.
    wait_until(|| store.write(&row("n9", 9, 0, NodeState::Gone), None, 0).is_err());
    wait_until(|| store.read(0).is_ok());
    let first = entry(&head, 1);
    let error = store.append(&first, &head).unwrap_err().to_string();
    assert!(error.contains("did not answer in time"), "{error}");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%append%'";
    for _ in 0..3 {
        wait_until(|| store.read(0).is_ok());
        // Not there for anybody, and not gone either.
        assert_eq!(store.read(0).unwrap().head, head);
        assert_eq!(database.owner.ask(waiting), ["1"]);
        // Behind it, another waits for the row of the mark until its time is over, and is stopped: nothing of it happens.
        assert!(store.append(&entry(&head, 2), &head).is_err());
    }
    database.owner.run("SET synchronous_commit = local").unwrap();
    database.set("synchronous_standby_names", "");
    wait_until(|| store.read(0).is_ok_and(|found| found.head == first.mark()));
    assert_eq!(store.read(0).unwrap().entries, std::slice::from_ref(&first));
    assert!(!store.append(&first, &head).unwrap(), "a second time");
    assert!(!store.append(&entry(&head, 2), &head).unwrap());
    assert!(store.append(&entry(&first.mark(), 3), &first.mark()).unwrap());
}

/// attack: an operator stops a commit that waits for its standby; the server says that it is done, with a warning
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_warning_at_a_commit_says_that_nothing_is_known() {
    let database = Database::start_with("");
    let store = database.store();
    database.owner.run("SET synchronous_commit = local").unwrap();
    database.set("synchronous_standby_names", "away");
    let own = row("n1", 1, 0, NodeState::Live);
    let writing = {
        let (store, own) = (store.clone(), own.clone());
        std::thread::spawn(move || store.write(&own, None, 0))
    };
    let cancel =
        "SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    wait_until(|| database.owner.ask(cancel) == ["true"]);
    let error = writing.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("warned while it committed"), "{error}");
    assert_eq!(store.read(0).unwrap().rows, [own], "here it is, and on no standby");
    database.set("synchronous_standby_names", "");
    wait_until(|| store.append(&entry(&Mark::START, 1), &Mark::START).is_ok_and(|done| done));
}
