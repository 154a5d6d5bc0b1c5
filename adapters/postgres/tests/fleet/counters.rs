//! Counters that nodes share, on a server.

use std::time::Duration;

use hallpass::fleet::{CounterRow, NodeState, Store as _};

use crate::contract::row;
use crate::database::Database;

/// What counts nothing any more goes, a few with each new one; what counts stays.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_counter_whose_time_is_over_goes_when_another_is_made() {
    let database = Database::start();
    let store = database.store();
    let make =
        |key: u8, past: fn(hallpass::clock::Timestamp) -> Option<hallpass::clock::Timestamp>| {
            store
                .count(&[[key; 32]], &mut |now, rows| {
                    rows[0] = CounterRow { bytes: vec![key], past: past(now) };
                })
                .unwrap();
        };
    let keys = || database.owner.ask("SELECT get_byte(key, 0) FROM hallpass.counter ORDER BY 1");
    make(1, |now| now.checked_sub(Duration::from_secs(1)));
    make(2, |now| now.checked_add(Duration::from_secs(3600)));
    make(3, |_| None);
    assert_eq!(keys(), ["2", "3"]);
    make(2, |now| now.checked_sub(Duration::from_secs(1)));
    assert_eq!(keys(), ["2", "3"], "nothing new was made");
    make(4, |_| None);
    assert_eq!(keys(), ["3", "4"]);
}

/// Nothing waits for a node that was stopped between what it read and what it writes, and it writes nothing over what others wrote.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_node_that_is_stopped_as_it_counts_holds_up_no_other() {
    let database = Database::start();
    let (store, other) = (database.store(), database.store());
    let mut times = 0;
    store
        .count(&[[1; 32]], &mut |_, rows| {
            times += 1;
            if times == 1 {
                assert!(rows[0].is_empty());
                // As another node does meanwhile; and a renewal of this one, which has a connection of its own.
                other.count(&[[1; 32]], &mut |_, rows| rows[0].bytes = vec![7]).unwrap();
                let own = row("n1", 1, 0, NodeState::Live);
                assert!(store.write(&own, None, 0).unwrap().0);
            }
            rows[0].bytes.push(1);
        })
        .unwrap();
    assert_eq!(
        (times, database.owner.ask("SELECT encode(bytes, 'hex') FROM hallpass.counter")),
        (2, vec!["0701".to_owned()])
    );
}

/// A counter that was removed and made again is not the one that was read, whatever it has.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_counter_that_was_made_anew_meanwhile_is_read_again() {
    let database = Database::start();
    let (store, other) = (database.store(), database.store());
    let set = |bytes: &[u8]| {
        other.count(&[[1; 32]], &mut |_, rows| rows[0].bytes = bytes.into()).unwrap();
    };
    set(&[1]);
    let mut seen = Vec::new();
    store
        .count(&[[1; 32]], &mut |_, rows| {
            if seen.is_empty() {
                set(&[]);
                set(&[1, 1]);
            }
            seen.push(rows[0].bytes.clone());
            rows[0].bytes.push(9);
        })
        .unwrap();
    assert_eq!(seen, [vec![1], vec![1, 1]]);
}

/// Rules that need no counter make no connection for them.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_node_has_one_connection_until_it_counts_and_then_two() {
    let database = Database::start();
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hp_node'";
    let store = database.store();
    assert!(store.write(&row("n1", 1, 0, NodeState::Live), None, 0).unwrap().0);
    assert_eq!(database.owner.ask(connections), ["1"]);
    for _ in 0..3 {
        store.count(&[[1; 32]], &mut |_, _| ()).unwrap();
        store.clone().count(&[[2; 32]], &mut |_, _| ()).unwrap();
    }
    assert_eq!(database.owner.ask(connections), ["2"]);
    drop(store);
    crate::world::wait_until(|| database.owner.ask(connections) == ["0"]);
}
