//! Three nodes on one clock that a test moves, over one store, that reach each other over sockets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::fleet::{Fleet, FleetPermit, MemoryStore, Transport, TransportError};
use hallpass::key::{KeyRing, SecretKey};
use hallpass::prelude::*;
use hallpass_fleet_http::{HttpTransport, Listener, Protection, Serving};
use tokio::runtime::Runtime;

use crate::certificates::Authority;

pub(crate) const LEASE: Duration = Duration::from_secs(2);

pub(crate) const POLICY: &str = r#"
    version = 1
    rule = [{ id = "all", effect = "permit", what = { tool = "any", args = "any" } }]
"#;

/// What is between the nodes.
pub(crate) enum Over {
    Loopback,
    Unix,
    Tls(Authority),
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) store: MemoryStore,
    pub(crate) threads: Arc<Runtime>,
    pub(crate) over: Over,
    pub(crate) nodes: Vec<Node>,
    folder: tempfile::TempDir,
}

pub(crate) struct Node {
    pub(crate) broker: Broker,
    pub(crate) fleet: Fleet,
    pub(crate) agent: Identity,
    /// How it asks others.
    pub(crate) wire: Wire,
    /// Where it listens.
    pub(crate) address: String,
    pub(crate) serving: Option<Serving>,
}

/// A transport that keeps what it carries.
#[derive(Clone)]
pub(crate) struct Wire {
    transport: HttpTransport,
    pub(crate) seen: Arc<Mutex<Vec<Exchange>>>,
    withheld: Arc<Mutex<Withheld>>,
}

/// A message and its answer.
type Exchange = (Vec<u8>, Vec<u8>);

#[derive(Default)]
enum Withheld {
    #[default]
    Nothing,
    /// The next request that is sealed is kept, and gets no answer.
    Next,
    Kept(Vec<u8>),
}

/// The kind of a message, and which of them is a sealed request.
const KIND: usize = 1;
const REQUEST: u8 = 3;

impl Wire {
    pub(crate) fn withhold(&self) {
        *self.withheld.lock().unwrap() = Withheld::Next;
    }

    pub(crate) fn withheld(&self) -> Vec<u8> {
        match std::mem::take(&mut *self.withheld.lock().unwrap()) {
            Withheld::Kept(message) => message,
            Withheld::Nothing | Withheld::Next => panic!("nothing was sent"),
        }
    }

    /// Sends what has been sent before, or what nobody has said.
    pub(crate) fn carry(&self, address: &str, message: &[u8]) -> Vec<u8> {
        Transport::send(&self.transport, "n0", address, message).unwrap()
    }
}

impl Transport for Wire {
    fn send(&self, node: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut withheld = self.withheld.lock().unwrap();
        if matches!(*withheld, Withheld::Next) && message[KIND] == REQUEST {
            *withheld = Withheld::Kept(message.to_vec());
            return Err(TransportError::new("withheld"));
        }
        drop(withheld);
        let answer = Transport::send(&self.transport, node, address, message)?;
        self.seen.lock().unwrap().push((message.to_vec(), answer.clone()));
        Ok(answer)
    }
}

pub(crate) fn secret(first: u8) -> SecretKey {
    SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
}

pub(crate) fn runtime() -> Arc<Runtime> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Arc::new(runtime.unwrap())
}

/// What is refused by a node, as it answers it.
pub(crate) const REFUSED: [u8; 2] = [1, 5];

impl World {
    /// Three nodes, all with a lease.
    pub(crate) fn of_three(over: Over) -> World {
        let mut world = World::empty(over);
        for name in ["n0", "n1", "n2"] {
            let transport = world.transport(name);
            world.add(name, transport, |address| address.to_owned());
        }
        world.join_all();
        world
    }

    pub(crate) fn empty(over: Over) -> World {
        let wall = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        World {
            clock: ManualClock::new(wall),
            store: MemoryStore::new(),
            threads: runtime(),
            over,
            nodes: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn protection(&self, name: &str) -> Protection {
        match &self.over {
            Over::Loopback | Over::Unix => Protection::local(),
            Over::Tls(authority) => authority.protect(name, &[name]),
        }
    }

    pub(crate) fn transport(&self, name: &str) -> HttpTransport {
        let transport = HttpTransport::new(self.threads.handle().clone(), self.protection(name));
        // The machine may be busy: what is slow is no failure where no test is of that.
        transport.time_limit(Duration::from_secs(30)).unwrap()
    }

    /// Another node, which others are told to reach by what `told` makes of its address.
    pub(crate) fn add(
        &mut self,
        name: &str,
        transport: HttpTransport,
        told: impl FnOnce(&str) -> String,
    ) {
        let address = match &self.over {
            Over::Loopback => "http://127.0.0.1:0".to_owned(),
            Over::Unix => format!("unix:{}/{name}.sock", self.folder.path().display()),
            Over::Tls(_) => "https://127.0.0.1:0".to_owned(),
        };
        let listener = Listener::bind(&address, self.protection(name)).unwrap();
        let address = listener.address().to_owned();
        let broker = Broker::builder(Policy::from_toml(POLICY).unwrap())
            .issuer(&format!("acme/{name}"))
            .keys(KeyRing::from_secret(secret(60)))
            .clock(self.clock.clone())
            .build()
            .unwrap();
        let builder = Fleet::builder("acme", name).lease(LEASE).answers_at(&told(&address));
        let wire = Wire { transport, seen: Arc::default(), withheld: Arc::default() };
        let builder = builder.transport(wire.clone());
        let builder = ["n0", "n1", "n2"].iter().fold(builder, |all, node| {
            if *node == name { all } else { all.vouched_by(node, "agent-*") }
        });
        let fleet = builder.join(&broker, &secret(0), self.store.clone()).unwrap();
        let serving = Some(listener.serve(self.threads.handle(), fleet.clone()).unwrap());
        let agent = broker.assert_identity("agent-7").unwrap();
        self.nodes.push(Node { broker, fleet, agent, wire, address, serving });
    }

    pub(crate) fn join_all(&self) {
        self.pass(2 * LEASE);
        assert!(self.nodes.iter().all(|node| node.fleet.status().lease.is_some()));
    }

    /// Has every node read the rows of all, as an act does.
    pub(crate) fn know_each_other(&self) {
        for node in &self.nodes {
            let act = node.fleet.halt(hallpass::Halt::tool("other").unwrap());
            self.pass(LEASE);
            assert!(act.look().is_ok());
        }
    }

    pub(crate) fn pass(&self, span: Duration) {
        let step = Duration::from_millis(20);
        for _ in 0..span.as_millis() / step.as_millis() {
            self.clock.advance(step);
            self.nodes.iter().for_each(|node| _ = node.fleet.tend());
        }
    }

    pub(crate) fn grant(&self, home: usize) -> (Task, Grant) {
        let node = &self.nodes[home];
        let task = node.broker.open(&node.agent, Purpose::new("errand")).unwrap();
        let grant = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
        (task, grant)
    }

    pub(crate) fn ask(&self, node: usize, grant: &Grant) -> Result<FleetPermit, Denial> {
        let node = &self.nodes[node];
        let call = Call::new("read", serde_json::json!({ "n": 12345678901234567890u64 })).unwrap();
        node.fleet.authorize(grant, &node.agent, call, &Context::new())
    }

    /// How many records of a node's say something.
    pub(crate) fn count(&self, node: usize, what: &str) -> usize {
        let log = self.nodes[node].broker.log().unwrap().snapshot();
        log.entries().filter(|entry| entry.line.contains(what)).count()
    }
}
