//! A broker whose clock is moved by hand and whose log fails on cue.

use std::time::Duration;

use hallpass::audit::MemoryLog;
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::testing::FailingSink;
use hallpass::{BrokerBuilder, Running};
use serde_json::json;
use testkit::FlushedLog;

/// A rule that speaks at all of these says how far a grant may be handed on.
pub(crate) const EVERYWHERE: [Moment; 3] = [Moment::Request, Moment::Call, Moment::Delegate];

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) log: FlushedLog,
    pub(crate) sink: FailingSink<MemoryLog>,
}

impl World {
    pub(crate) fn new(policy: Policy) -> World {
        World::with(policy, |builder| builder)
    }

    pub(crate) fn with(
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> World {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let builder = Broker::builder(policy).clock(clock.clone()).log(sink.clone());
        let broker = settings(builder).build().unwrap();
        let log = FlushedLog::of(&broker, log);
        World { gate: broker.gate(), control: broker.control(), broker, clock, log, sink }
    }

    pub(crate) fn rules(rules: impl IntoIterator<Item = Rule>) -> World {
        World::new(policy(rules))
    }

    pub(crate) fn agent(&self, name: &str) -> Identity {
        self.broker.assert_identity(name).unwrap()
    }

    pub(crate) fn open(&self, who: &Identity) -> Task {
        self.broker.open(who, Purpose::new("errand")).unwrap()
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub(crate) fn authorize(&self, grant: &Grant, call: &Call) -> Result<Permit, Denial> {
        self.gate.authorize(grant.token(), grant.holder(), call.clone(), &Context::new())
    }

    /// Authorizes the call and starts it.
    pub(crate) fn start(&self, grant: &Grant, call: &Call) -> Running {
        self.authorize(grant, call).unwrap().start().unwrap()
    }

    /// Authorizes the call and runs it well.
    pub(crate) fn call(&self, grant: &Grant, call: &Call) -> Result<(), Denial> {
        self.authorize(grant, call)?.start()?.succeed();
        Ok(())
    }

    /// Why the call is denied.
    pub(crate) fn denied(&self, grant: &Grant, call: &Call) -> Reason {
        let denial = self.authorize(grant, call).expect_err("the call is permitted");
        denial.reason()
    }

    /// The kinds of all records, oldest first.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.log.records().iter().map(|record| record.event.kind()).collect()
    }
}

pub(crate) fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

/// A permit for the tool `ping`, with any arguments.
pub(crate) fn pings(id: &str) -> Rule {
    Rule::permit(id).tool("ping").any_args()
}

/// Permits no ping any more.
pub(crate) fn frozen() -> Policy {
    policy([pings("p"), Rule::forbid("freeze").tool("ping")])
}

pub(crate) fn ping() -> Call {
    Call::new("ping", json!({})).unwrap()
}

pub(crate) fn ping_with(args: serde_json::Value) -> Call {
    Call::new("ping", args).unwrap()
}

pub(crate) fn to_ping() -> Scope {
    Scope::tool("ping").any_args()
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn here() -> Context {
    Context::new()
}
