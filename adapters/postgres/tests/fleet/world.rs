//! Nodes of one fleet over one server, on one clock that a test moves.

use std::time::Duration;

use hallpass::clock::{Clock as _, ManualClock, SystemClock, Timestamp};
use hallpass::fleet::{ActError, Acting, Done, Fleet, FleetBuilder, Mark, Store};
use hallpass::key::SecretKey;
use hallpass::prelude::*;
use hallpass_postgres::PostgresStore;

use crate::database::{Database, PATIENCE};

pub(crate) const LEASE: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(20);

pub(crate) const ALL: &str = r#"
    version = 1
    rule = [{ id = "all", effect = "permit", what = { tool = "any", args = "any" } }]
"#;
pub(crate) const READ: &str = r#"
    version = 1
    rule = [{ id = "read", effect = "permit", what = { tool = "read", args = "any" } }]
"#;

pub(crate) struct Node {
    pub(crate) broker: Broker,
    pub(crate) fleet: Fleet,
    pub(crate) store: PostgresStore,
    agent: Identity,
}

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) nodes: Vec<Node>,
}

pub(crate) fn secret() -> SecretKey {
    SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap()
}

impl World {
    /// This many nodes, all with a lease.
    pub(crate) fn of(nodes: usize, database: &Database) -> World {
        let wall = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let mut world = World { clock: ManualClock::new(wall), nodes: Vec::new() };
        for number in 0..nodes {
            world.add(&format!("n{number}"), database.store(), None);
        }
        world.pass(LEASE);
        assert!(world.nodes.iter().all(|node| node.fleet.status().lease.is_some()));
        world
    }

    /// Another node, which has not asked anything yet.
    pub(crate) fn add(&mut self, name: &str, store: PostgresStore, past: Option<Mark>) -> usize {
        let built = Broker::builder(Policy::from_toml(ALL).unwrap()).clock(self.clock.clone());
        let broker = built.build().unwrap();
        let builder = Fleet::builder("acme", name).lease(LEASE);
        let builder = past.into_iter().fold(builder, FleetBuilder::past);
        let fleet = builder.join(&broker, &secret(), store.clone()).unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        self.nodes.push(Node { broker, fleet, store, agent });
        self.nodes.len() - 1
    }

    /// Lets time pass, and every node do what is due.
    pub(crate) fn pass(&self, span: Duration) {
        let mut left = span;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.clock.advance(step);
            left -= step;
            for node in &self.nodes {
                node.fleet.tend();
            }
        }
    }

    /// Lets time pass until an act is final.
    pub(crate) fn finish(&self, act: &Acting) -> Done {
        for _ in 0..500 {
            match act.look() {
                Ok(done) => return done,
                Err(ActError::NotYet(_)) => self.pass(STEP),
                Err(error) => panic!("{error}"),
            }
        }
        panic!("{:?}", act.look());
    }

    /// Waits, without a step of the nodes' clock, until each store has an answer again.
    pub(crate) fn wait_for_stores(&self) {
        for node in &self.nodes {
            wait_until(|| node.store.read(0).is_ok());
        }
    }
}

impl Node {
    pub(crate) fn grant(&self, tool: &str) -> Result<(Task, Grant), Denial> {
        let task = self.broker.open(&self.agent, Purpose::new("errand"))?;
        let grant = task.request(Scope::tool(tool).any_args(), &Context::new())?;
        Ok((task, grant))
    }

    pub(crate) fn permit(&self, grant: &Grant, tool: &str) -> Result<Permit, Denial> {
        let call = Call::new(tool, serde_json::json!({})).unwrap();
        self.broker.gate().authorize(grant, &self.agent, call, &Context::new())
    }

    /// Why a fresh task can't call a tool, if it can't.
    pub(crate) fn denied(&self, tool: &str) -> Option<Reason> {
        let called = self.grant(tool).and_then(|(_task, grant)| self.permit(&grant, tool)?.start());
        called.err().map(|denial| denial.reason())
    }

    pub(crate) fn trouble(&self) -> String {
        self.fleet.status().trouble.unwrap_or_default().into()
    }
}

/// Until something is so that takes real time: a server that starts, a connection that is made.
pub(crate) fn wait_until(is_so: impl Fn() -> bool) {
    let begun = real_time();
    while !is_so() {
        assert!(real_time() - begun < PATIENCE, "it never was");
        std::thread::yield_now();
    }
}

/// The machine's own clock.
pub(crate) fn real_time() -> Duration {
    let wall = SystemClock::new().read().unwrap().wall;
    Duration::from_millis(wall.unix_millis().try_into().unwrap())
}
