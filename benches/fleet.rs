//! What a node of a fleet pays at its own gate, against a broker alone: pairs of batches one after the other, in either
//! order, and the median of their ratios, so that what else the machine does hits both. Printed, and nothing fails.
//!
//! `cargo bench -p hallpass-benches --features fleet --bench fleet`; `HALLPASS_PAIRS` says how many.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::time::{Duration, Instant};

use hallpass::fleet::{Fleet, MemoryStore, Tending};
use hallpass::key::SecretKey;
use hallpass::prelude::*;

/// How many calls are timed at once.
const BATCH: u32 = 500;

const POLICY: &str = r#"
    version = 1
    rule = [{ id = "read", effect = "permit", what = { tool = "read", args = "any" }, grant = { uses = 100000 } }]
"#;

/// A broker and who calls, and what keeps it a node, if it is one.
struct Side {
    broker: Broker,
    agent: Identity,
    _node: Option<(Fleet, Tending)>,
}

impl Side {
    fn new(is_in_fleet: bool) -> Side {
        let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let node = is_in_fleet.then(|| {
            let secret = SecretKey::generate().unwrap();
            let builder = Fleet::builder("acme", "n1").lease(Duration::from_secs(60));
            let fleet = builder.join(&broker, &secret, MemoryStore::new()).unwrap();
            let tending = fleet.start_tending().unwrap();
            while fleet.status().lease.is_none() {
                std::thread::yield_now();
            }
            (fleet, tending)
        });
        Side { broker, agent, _node: node }
    }

    /// How long a batch takes, in a task of its own.
    fn batch(&self, starts: bool) -> Duration {
        let (gate, context) = (self.broker.gate(), Context::new());
        let task = self.broker.open(&self.agent, Purpose::new("bench")).unwrap();
        let grant = task.request(Scope::tool("read").any_args(), &context).unwrap();
        let calls: Vec<Call> = (0..BATCH)
            .map(|n| Call::new("read", serde_json::json!({ "path": "/q3", "n": n })).unwrap())
            .collect();
        let before = Instant::now();
        for call in calls {
            let permit = gate.authorize(&grant, &self.agent, call, &context).unwrap();
            match starts {
                true => permit.start().unwrap().succeed(),
                false => drop(permit),
            }
        }
        before.elapsed()
    }
}

fn main() {
    let pairs = std::env::var("HALLPASS_PAIRS").ok().and_then(|said| said.parse().ok());
    let pairs: usize = pairs.unwrap_or(400).max(1);
    let (alone, node) = (Side::new(false), Side::new(true));
    println!(
        "{:40} {:>10} {:>10} {:>24}",
        "", "alone ns", "fleet ns", "ratio (quarter, median, three)"
    );
    for (what, starts) in [("authorize", false), ("authorize, start, succeed", true)] {
        let (mut ratios, mut own, mut its) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..pairs {
            let (first, second) = if pair % 2 == 0 { (&alone, &node) } else { (&node, &alone) };
            let (one, other) = (first.batch(starts), second.batch(starts));
            let (of_alone, of_node) = if pair % 2 == 0 { (one, other) } else { (other, one) };
            ratios.push(of_node.as_secs_f64() / of_alone.as_secs_f64());
            own.push(of_alone / BATCH);
            its.push(of_node / BATCH);
        }
        ratios.sort_by(f64::total_cmp);
        own.sort();
        its.sort();
        let at = |quarter: usize| ratios[(pairs - 1) * quarter / 4];
        let (own, its) = (own[pairs / 2].as_nanos(), its[pairs / 2].as_nanos());
        println!("{what:40} {own:>10} {its:>10} {:>8.3} {:>7.3} {:>7.3}", at(1), at(2), at(3));
    }
}
