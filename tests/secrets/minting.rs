//! A broker whose tools run with what a provider mints.

use std::time::Duration;

use hallpass::audit::{MemoryLog, Origin, Record};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use hallpass::testing::ScriptedProvider;
use hallpass::{BrokerBuilder, Receipt, RunError};
use serde_json::json;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Both tools of a database run with what is minted, `ping` with nothing.
pub(crate) const POLICY: &str = r#"
    version = 1
    tool = [
        { name = "db.read", credential = "orders-db" },
        { name = "db.write", credential = "orders-db" },
        { name = "ping" },
    ]
    rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" }, grant = { ttl = "5m", uses = 100, depth = 2 }, on = ["request", "call", "delegate"] }]
"#;

/// What became of a call: the secret that its tool ran with, or why it was denied.
pub(crate) type Ran = Result<String, Reason>;

pub(crate) struct Mint {
    pub(crate) broker: Broker,
    pub(crate) clock: ManualClock,
    pub(crate) provider: ScriptedProvider,
    pub(crate) agent: Identity,
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap())
}

impl Mint {
    pub(crate) fn new() -> Mint {
        Mint::with(ScriptedProvider::new("database"), |builder| builder)
    }

    pub(crate) fn with(
        provider: ScriptedProvider,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Mint {
        Mint::of(POLICY, provider, settings)
    }

    pub(crate) fn of(
        policy: &str,
        provider: ScriptedProvider,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Mint {
        let clock = clock();
        let provider = provider.clock(&clock);
        let builder = Broker::builder(Policy::from_toml(policy).unwrap())
            .clock(clock.clone())
            .name("orders")
            .provider("orders-db", provider.clone())
            .tended_by_host();
        let broker = settings(builder).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        Mint { broker, clock, provider, agent }
    }

    pub(crate) fn open(&self) -> (Task, Grant) {
        let task = self.broker.open(&self.agent, Purpose::new("errand")).unwrap();
        let grant = self.grant(&task);
        (task, grant)
    }

    pub(crate) fn grant(&self, task: &Task) -> Grant {
        task.request(scope(), &Context::new()).unwrap()
    }

    pub(crate) fn permit(&self, grant: &Grant, tool: &str) -> Permit {
        let call = Call::new(tool, json!({})).unwrap();
        self.broker.gate().authorize(grant, grant.holder(), call, &Context::new()).unwrap()
    }

    /// Runs a tool, which gives the secret that it ran with.
    pub(crate) fn run(&self, grant: &Grant, tool: &str) -> Ran {
        ran(self.permit(grant, tool))
    }

    /// Tends once.
    pub(crate) fn tend(&self) -> (usize, usize, usize) {
        let tended = self.broker.tend(60 * SECOND);
        (tended.withdrawn, tended.gone, tended.owed)
    }

    /// The records about credentials, and the one that ends a task, by their kinds.
    pub(crate) fn story(&self) -> Vec<&'static str> {
        let told = |kind: &str| {
            kind.starts_with("credential_") || kind == "ended" || kind == "grant_ended"
        };
        let kinds = self.log().records().into_iter().map(|record: Record| record.event.kind());
        kinds.filter(|kind| told(kind)).collect()
    }

    pub(crate) fn log(&self) -> &MemoryLog {
        self.broker.log().unwrap()
    }

    /// The names that the log says are not gone.
    pub(crate) fn unsettled(&self) -> Vec<Box<str>> {
        self.broker.flush();
        self.broker.verify_log().unwrap().credentials
    }
}

pub(crate) fn scope() -> Scope {
    let tools = ["db.write", "ping"].map(Scope::tool);
    let first = Scope::tool("db.read").any_args();
    tools.into_iter().fold(first, |scope, tool| scope.and(tool.any_args()))
}

pub(crate) fn ran(permit: Permit) -> Ran {
    let run = permit.run_with(|_, secrets| {
        let secret = secrets.get("orders-db").and_then(|own| own.expose_text());
        secret.map(str::to_owned).ok_or("no secret")
    });
    match run.map(Receipt::raw) {
        Ok(secret) => Ok(secret),
        Err(RunError::Denied(denial)) => Err(denial.reason()),
        Err(RunError::Tool(error)) => panic!("{error}"),
    }
}

pub(crate) fn origin() -> Origin<'static> {
    Origin::new("hallpass", "hallpass")
}
