//! A broker whose tools run with secrets.

use std::time::Duration;

use hallpass::BrokerBuilder;
use hallpass::audit::{MemoryLog, Record};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use serde_json::json;

/// What `db.query` runs with.
pub(crate) const ORDERS: &str = "orders/pW9!x2-Qm7Lz0T";
/// What `mail.send` runs with.
pub(crate) const MAIL: &str = "mail~k3y?8f6a1c40e2";

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) clock: ManualClock,
    pub(crate) vault: Vault,
    pub(crate) agent: Identity,
}

/// `db.query` and `mail.send` run with a secret each, `both` with both, and `ping` with none.
pub(crate) fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap()
}

pub(crate) const POLICY: &str = r#"
    version = 1
    tool = [
        { name = "db.query", credential = "orders-db" },
        { name = "mail.send", credential = "mail-key" },
        { name = "both", credential = ["orders-db", "mail-key"] },
        { name = "ping" },
    ]
    rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" }, grant = { uses = 100 } }]
"#;

impl World {
    pub(crate) fn new() -> World {
        World::with(policy(), |builder| builder)
    }

    pub(crate) fn with(
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> World {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let vault = sealed();
        let builder = Broker::builder(policy).clock(clock.clone()).vault(&vault);
        let broker = settings(builder).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        World { gate: broker.gate(), broker, clock, vault, agent }
    }

    pub(crate) fn open(&self) -> (Task, Grant) {
        let task = self.broker.open(&self.agent, Purpose::new("errand")).unwrap();
        let tools = ["mail.send", "both", "ping"].map(Scope::tool);
        let scope = tools
            .into_iter()
            .fold(Scope::tool("db.query").any_args(), |scope, tool| scope.and(tool.any_args()));
        let grant = task.request(scope, &Context::new()).unwrap();
        (task, grant)
    }

    pub(crate) fn authorize(&self, grant: &Grant, tool: &str) -> Permit {
        let call = Call::new(tool, json!({ "text": "{{orders-db}}" })).unwrap();
        self.gate.authorize(grant, &self.agent, call, &Context::new()).unwrap()
    }

    /// The records of one kind.
    pub(crate) fn records(&self, kind: &str) -> Vec<Record> {
        let log: &MemoryLog = self.broker.log().unwrap();
        log.records().into_iter().filter(|record| record.event.kind() == kind).collect()
    }
}

pub(crate) fn sealed() -> Vault {
    let vault = Vault::new().unwrap();
    vault.seal("orders-db", Secret::new(ORDERS).unwrap()).unwrap();
    vault.seal("mail-key", Secret::new(MAIL).unwrap()).unwrap();
    vault
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
