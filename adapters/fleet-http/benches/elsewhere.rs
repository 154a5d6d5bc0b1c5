//! Calls at another node than their task's home, over HTTP/2 on the loopback, one after the other: from the question to
//! the leave to start, with the home's log in memory. `cargo bench --package hallpass-fleet-http` prints the median and
//! the 99th of ten thousand; another number may be given.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what is measured is the time that passes, and printed"
)]

use std::time::{Duration, Instant};

use hallpass::fleet::{Fleet, MemoryStore, Tending, Transport as _};
use hallpass::key::{KeyRing, SecretKey};
use hallpass::prelude::*;
use hallpass_fleet_http::{HttpTransport, Listener, Protection, Serving};
use tokio::runtime::Runtime;

const CALLS: usize = 10_000;

/// Before it is measured: connections, sessions, threads.
const WARM: usize = 500;

const POLICY: &str = r#"
    version = 1
    rule = [{ id = "all", effect = "permit", what = { tool = "any", args = "any" } }]
"#;

struct Node {
    broker: Broker,
    fleet: Fleet,
    address: String,
    _tending: Tending,
    _serving: Serving,
}

fn node(name: &str, other: &str, store: &MemoryStore, threads: &Runtime) -> Node {
    let key = |first: u8| SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap();
    let listener = Listener::bind("http://127.0.0.1:0", Protection::local()).unwrap();
    let address = listener.address().to_owned();
    let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
        .issuer(&format!("acme/{name}"))
        .keys(KeyRing::from_secret(key(1)))
        .build()
        .unwrap();
    let fleet = Fleet::builder("acme", name)
        .answers_at(&address)
        .transport(HttpTransport::new(threads.handle().clone(), Protection::local()))
        .vouched_by(other, "agent-*")
        .join(&broker, &key(100), store.clone())
        .unwrap();
    let _tending = fleet.start_tending().unwrap();
    let _serving = listener.serve(threads.handle(), fleet.clone()).unwrap();
    while fleet.status().lease.is_none() {
        std::thread::yield_now();
    }
    Node { broker, fleet, address, _tending, _serving }
}

/// The median and the 99th of what takes time, without what is done before each.
fn measure(what: &str, calls: usize, mut before: impl FnMut(), mut once: impl FnMut()) {
    let mut took: Vec<Duration> = (0..WARM + calls)
        .map(|_| {
            before();
            let begun = Instant::now();
            once();
            begun.elapsed()
        })
        .skip(WARM)
        .collect();
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default();
    println!("{what}: median {:?}, 99th {:?}, of {calls}", at(50), at(99));
}

fn main() {
    let calls = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(CALLS);
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (threads, store) = (threads.unwrap(), MemoryStore::new());
    let home = node("n1", "n2", &store, &threads);
    let there = node("n2", "n1", &store, &threads);
    let agent = home.broker.assert_identity("agent-7").unwrap();
    let task = home.broker.open(&agent, Purpose::new("report")).unwrap();
    let grant = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
    let agent = there.broker.assert_identity("agent-7").unwrap();

    let wire = HttpTransport::new(threads.handle().clone(), Protection::local());
    // What is no message is refused, and is on record: it shows what the wire takes alone, and no more is asked of it.
    measure(
        "the wire alone",
        calls.min(1000),
        || {},
        || {
            assert_eq!(wire.send("n1", &home.address, &[0; 400]).unwrap().len(), 2);
        },
    );
    // A home has 256 calls of one identity out at another node: it is told in time what became of them.
    let tell = || _ = there.fleet.deliver();
    measure("a call elsewhere", calls, tell, || {
        let call = Call::new("read", serde_json::json!({ "path": "/reports/q3" })).unwrap();
        let permit = there.fleet.authorize(&grant, &agent, call, &Context::new()).unwrap();
        permit.start().unwrap().succeed();
    });
    drop(task.complete());
}
