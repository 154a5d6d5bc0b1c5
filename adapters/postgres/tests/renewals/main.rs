//! What renewals cost the server:
//! `cargo test -p hallpass-postgres --features fleet --test renewals -- --ignored --nocapture`. `HALLPASS_SECONDS` says for how long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hallpass::clock::{Clock as _, SystemClock};
use hallpass::fleet::{NodeRow, NodeState, Store as _};

use crate::database::Database;

#[path = "../fleet/database.rs"]
#[allow(dead_code, reason = "shared with the tests of fleets")]
mod database;
#[path = "../real/server.rs"]
#[allow(dead_code, reason = "shared with the tests of roles")]
mod server;

const NODES: usize = 1000;
const CONNECTIONS: usize = 20;
const LEASE: Duration = Duration::from_secs(2);

/// How often a node renews on average: up to a fifth sooner than after a third of a lease.
fn period() -> Duration {
    LEASE / 3 * 9 / 10
}

/// The processor time that a process and its children have had, those that ended included, in hundredths of a second.
fn spent(postmaster: u32) -> u64 {
    let mut sum = 0;
    for folder in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(folder.path().join("stat")) else { continue };
        let Some((start, rest)) = stat.rsplit_once(") ") else { continue };
        let pid: u32 = start.split(' ').next().unwrap().parse().unwrap();
        // After the name: state, parent, ..., user and system time as the 12th and 13th, those of children after them.
        let fields: Vec<&str> = rest.split(' ').collect();
        if pid == postmaster || fields[1] == postmaster.to_string() {
            let times = if pid == postmaster { 11..15 } else { 11..13 };
            sum += fields[times].iter().map(|time| time.parse::<u64>().unwrap()).sum::<u64>();
        }
    }
    sum
}

fn row(node: usize, counter: u64) -> NodeRow {
    // As long as that of a node that has an address and tells of one act.
    let bytes = vec![u8::try_from(counter % 251).unwrap(); 120].into();
    let mut incarnation = [7; 16];
    incarnation[..8].copy_from_slice(&node.to_be_bytes());
    NodeRow {
        name: format!("node-{node}").into(),
        incarnation,
        counter,
        state: NodeState::Live,
        bytes,
    }
}

/// A connection's share of the nodes, one renewal after the other, each when it is due.
#[test]
#[ignore = "a figure, on a server of PostgreSQL"]
fn what_renewals_of_a_thousand_nodes_cost_the_server() {
    let seconds = std::env::var("HALLPASS_SECONDS").map_or(10, |said| said.parse().unwrap());
    let span = Duration::from_secs(seconds);
    let database = Database::start();
    let stores: Vec<_> = (0..CONNECTIONS).map(|_| database.store()).collect();
    for node in 0..NODES {
        assert!(stores[node % CONNECTIONS].write(&row(node, 0), None, 0).unwrap().0);
    }
    let postmaster = database.server.postmaster();
    let (late, renewed) = (AtomicU64::new(0), AtomicU64::new(0));
    let clock = SystemClock::new();
    let now = || clock.read().unwrap().monotonic;
    let (begun, before) = (now(), spent(postmaster));
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = stores
            .iter()
            .enumerate()
            .map(|(number, store)| {
                let (now, late, renewed) = (&now, &late, &renewed);
                scope.spawn(move || {
                    let own = NODES / CONNECTIONS;
                    let between = period() / u32::try_from(own).unwrap();
                    let mut took = Vec::new();
                    for turn in 0.. {
                        let due = begun + between * turn;
                        if due - begun >= span {
                            break;
                        }
                        match due.checked_sub(now()) {
                            Some(rest) => std::thread::sleep(rest),
                            None => drop(late.fetch_add(1, Ordering::Relaxed)),
                        }
                        let turn = usize::try_from(turn).unwrap();
                        let (node, counter) = (turn % own * CONNECTIONS + number, turn / own);
                        let counter = u64::try_from(counter).unwrap();
                        let asked = now();
                        let over = row(node, counter).version();
                        assert!(store.write(&row(node, counter + 1), Some(&over), 0).unwrap().0);
                        took.push(now() - asked);
                        renewed.fetch_add(1, Ordering::Relaxed);
                    }
                    took
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let (elapsed, after) = (now() - begun, spent(postmaster));
    took.sort();
    let at = |parts: usize| took[(took.len() - 1) * parts / 1000];
    let cores = Duration::from_millis((after - before) * 10).as_secs_f64() / elapsed.as_secs_f64();
    let rate = took.len() as f64 / elapsed.as_secs_f64();
    println!(
        "{NODES} nodes, leases of {LEASE:?}, {CONNECTIONS} connections, {elapsed:?}: {rate:.0} renewals a second, \
         {cores:.3} cores of the server ({:.0} µs each); a renewal took {:?} at the median, {:?} at the 99th; {} begun late",
        cores / rate * 1e6,
        at(500),
        at(990),
        late.load(Ordering::Relaxed),
    );
}
