//! A broker whose clock is moved by hand and whose log fails on cue.

use std::time::Duration;

use hallpass::BrokerBuilder;
use hallpass::audit::{MemoryLog, Record};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::testing::FailingSink;
use serde_json::json;

use crate::record;

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) log: MemoryLog,
    pub(crate) sink: FailingSink<MemoryLog>,
}

impl World {
    pub(crate) fn new(policy: &Policy) -> World {
        World::with(policy, |builder| builder)
    }

    pub(crate) fn with(policy: &Policy, set: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> World {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let builder = Broker::builder(policy.clone()).clock(clock.clone()).log(sink.clone());
        let broker = set(builder).build().unwrap();
        World { gate: broker.gate(), control: broker.control(), broker, clock, log, sink }
    }

    pub(crate) fn agent(&self, name: &str) -> Identity {
        self.broker.assert_identity(name).unwrap()
    }

    pub(crate) fn open(&self, who: &Identity) -> Task {
        self.broker.open(who, Purpose::new("errand")).unwrap()
    }

    /// A task of the agent `a`, and a grant for the tool `ping`.
    pub(crate) fn pinging(&self) -> (Task, Grant) {
        let task = self.open(&self.agent("a"));
        let grant = task.request(to_ping(), &here()).unwrap();
        (task, grant)
    }

    pub(crate) fn authorize(&self, grant: &Grant, call: &Call) -> Result<Permit, Denial> {
        self.gate.authorize(grant.token(), grant.holder(), call.clone(), &here())
    }

    /// Authorizes the call and runs it well.
    pub(crate) fn call(&self, grant: &Grant, call: &Call) -> Result<(), Denial> {
        self.authorize(grant, call)?.start()?.succeed();
        Ok(())
    }

    /// All records, after making sure that everything is in the log, that it verifies, and that its
    /// records agree with each other.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.sink.recover();
        assert_eq!(self.broker.flush(), 0);
        let verified = self.broker.verify(&self.log).expect("the log verifies");
        assert_eq!(verified.without_outcome, Vec::<u64>::new());
        let records = self.log.records();
        record::agree(&records);
        records
    }

    /// Makes sure that no grant lives, and that none that was given can be used.
    pub(crate) fn nothing_lives<'g>(&self, given: impl IntoIterator<Item = &'g Grant>) {
        assert_eq!(self.broker.standing().grants, Vec::new());
        for grant in given {
            assert!(self.authorize(grant, &ping()).is_err(), "a grant of an end lives");
        }
    }
}

pub(crate) fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

/// A permit for the tool `ping`, with any arguments, at every moment.
pub(crate) fn pings(id: &str) -> Rule {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    Rule::permit(id).tool("ping").any_args().on(everywhere).ttl(seconds(600))
}

pub(crate) fn ping() -> Call {
    ping_with(json!({}))
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
