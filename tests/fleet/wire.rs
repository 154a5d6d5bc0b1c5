//! What is between nodes that ask each other, and nodes that do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::fleet::{AsyncTransport, Fleet, FleetPermit, Sending, Transport, TransportError};
use hallpass::key::{KeyRing, SecretKey};
use hallpass::prelude::*;

use crate::world::{LEASE, STEP, World};

/// What is between the nodes: it finds them by their addresses, and loses what it is told to.
#[derive(Clone, Default)]
pub(crate) struct Wire {
    pub(crate) nodes: Arc<Mutex<BTreeMap<String, Fleet>>>,
    /// Every message that was sent, with its answer.
    pub(crate) seen: Arc<Mutex<Vec<Exchange>>>,
    /// What becomes of the answers to the next messages of this length or more.
    pub(crate) loses: Arc<Mutex<Vec<usize>>>,
    /// Messages of which length or more do not arrive, and what did not.
    pub(crate) withholds: Arc<Mutex<Vec<usize>>>,
    pub(crate) withheld: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Messages of this length or more do not arrive; the first of them is kept.
    holds: Arc<Mutex<Option<usize>>>,
    held: Arc<Mutex<Option<Vec<u8>>>>,
}

/// A message and its answer.
pub(crate) type Exchange = (Vec<u8>, Vec<u8>);

/// Longer than a hello, and shorter than a call.
pub(crate) const CALL: usize = 250;

impl Wire {
    pub(crate) fn carry(&self, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        if self.holds.lock().unwrap().is_some_and(|least| message.len() >= least) {
            self.held.lock().unwrap().get_or_insert_with(|| message.to_vec());
            return Err(TransportError::new("held up"));
        }
        let node = self.nodes.lock().unwrap().get(address).cloned();
        let node = node.ok_or_else(|| TransportError::new("no route"))?;
        let mut withholds = self.withholds.lock().unwrap();
        if withholds.first().is_some_and(|least| message.len() >= *least) {
            withholds.remove(0);
            self.withheld.lock().unwrap().push(message.to_vec());
            return Err(TransportError::new("withheld"));
        }
        drop(withholds);
        let answer = node.answer(message);
        self.seen.lock().unwrap().push((message.to_vec(), answer.clone()));
        let mut loses = self.loses.lock().unwrap();
        if loses.first().is_some_and(|least| message.len() >= *least) {
            loses.remove(0);
            return Err(TransportError::new("the answer is lost"));
        }
        Ok(answer)
    }

    /// Holds up messages of this length or more.
    pub(crate) fn hold(&self, least: usize) {
        *self.holds.lock().unwrap() = Some(least);
    }

    /// The first message that was held up. From now on none is.
    pub(crate) fn held(&self) -> Vec<u8> {
        *self.holds.lock().unwrap() = None;
        self.held.lock().unwrap().take().unwrap()
    }

    pub(crate) fn sent(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Transport for Wire {
    fn send(&self, _: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.carry(address, message)
    }
}

pub(crate) struct AsyncWire(pub(crate) Wire);

impl AsyncTransport for AsyncWire {
    fn send<'t>(&'t self, _: &'t str, address: &'t str, message: Vec<u8>) -> Sending<'t> {
        Box::pin(async move { self.0.carry(address, &message) })
    }
}

pub(crate) fn ring() -> KeyRing {
    KeyRing::from_secret(SecretKey::from_bytes(&(60..92).collect::<Vec<u8>>()).unwrap())
}

impl World {
    /// A node that asks and answers others, and lets those attest any agent that are named.
    pub(crate) fn add_calling(&mut self, name: &str, wire: &Wire, vouched: &[&str]) -> usize {
        self.add_built(
            name,
            |broker| broker.issuer(&format!("acme/{name}")).keys(ring()),
            |fleet| {
                let fleet = fleet.answers_at(&format!("at-{name}")).transport(wire.clone());
                vouched.iter().fold(fleet, |fleet, node| fleet.vouched_by(node, "agent-*"))
            },
        );
        let at = self.nodes.len() - 1;
        let fleet = self.nodes[at].fleet.clone();
        wire.nodes.lock().unwrap().insert(format!("at-{name}"), fleet);
        at
    }

    /// A home, another node, and what is between them.
    pub(crate) fn calling() -> (World, Wire) {
        let (mut world, wire) = (World::empty(), Wire::default());
        world.add_calling("n0", &wire, &["n1"]);
        world.add_calling("n1", &wire, &["n0"]);
        world.pass(2 * LEASE);
        assert!(world.nodes.iter().all(|node| node.fleet.status().lease.is_some()));
        (world, wire)
    }

    pub(crate) fn call_at(
        &self,
        node: usize,
        grant: &Grant,
        tool: &str,
    ) -> Result<FleetPermit, Denial> {
        let node = &self.nodes[node];
        let call = Call::new(tool, serde_json::json!({ "n": 12345678901234567890u64 })).unwrap();
        node.fleet.authorize(grant, &node.agent, call, &Context::new().with("zone", "eu"))
    }

    /// As [`pass`](World::pass), with the nodes of another part of the same fleet.
    pub(crate) fn pass_with(&self, span: Duration, other: &World) {
        for _ in 0..span.as_millis() / STEP.as_millis() {
            self.pass(STEP);
            other.nodes.iter().for_each(|node| _ = node.fleet.tend());
        }
    }

    pub(crate) fn count(&self, node: usize, what: &str) -> usize {
        let log = self.nodes[node].broker.log().unwrap().snapshot();
        log.entries().filter(|entry| entry.line.contains(what)).count()
    }
}

/// What a future that never waits comes to.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it waits"),
    }
}
