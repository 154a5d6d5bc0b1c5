//! A broker to attack: its clock is moved by hand, its log fails on cue, its keys are known.

use std::time::Duration;

use hallpass::audit::{
    Anchor, ChainTag, Event, Fault, MemoryLog, Origin, Record, Verification, verify,
};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{KeyRing, LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::testing::FailingSink;
use hallpass::{BrokerBuilder, Task};
use testkit::FlushedLog;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) control: Control,
    pub(crate) clock: ManualClock,
    pub(crate) sink: FailingSink<MemoryLog>,
    pub(crate) log: FlushedLog,
    pub(crate) agent: Identity,
    pub(crate) context: Context,
}

pub(crate) fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap()
}

/// The same secret each time it is called for with the same number.
pub(crate) fn secret(first: u8) -> SecretKey {
    SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
}

/// The ring every world has.
pub(crate) fn ring() -> KeyRing {
    KeyRing::from_secret(secret(0))
}

/// The keys of every world's log.
pub(crate) fn log_keys() -> LogKeys {
    LogKeys::from_secret(secret(100))
}

/// Verifies what a broker with the usual names and these keys wrote.
pub(crate) fn verified<'a>(
    lines: impl IntoIterator<Item = (&'a str, ChainTag)>,
    keys: &LogKeys,
    anchor: Option<&Anchor>,
) -> Result<Verification, Fault> {
    verify(lines, keys, &Origin::new("hallpass", "hallpass"), anchor)
}

pub(crate) fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

/// A permit for the tool `t` with any arguments: nothing stands in the way but what a test adds.
pub(crate) fn broad() -> Rule {
    Rule::permit("broad").tool("t").any_args()
}

pub(crate) fn call(args: serde_json::Value) -> Call {
    Call::new("t", args).unwrap()
}

pub(crate) fn plain() -> Call {
    call(serde_json::json!({}))
}

impl World {
    pub(crate) fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        World::of(policy(rules), |builder| builder)
    }

    pub(crate) fn of(policy: Policy, change: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> Self {
        let clock = ManualClock::new(start());
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let builder = Broker::builder(policy)
            .clock(clock.clone())
            .log(sink.clone())
            .keys(ring())
            .log_keys(log_keys());
        let broker = change(builder).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        World {
            gate: broker.gate(),
            control: broker.control(),
            log: FlushedLog::of(&broker, log),
            broker,
            clock,
            sink,
            agent,
            context: Context::new(),
        }
    }

    pub(crate) fn open(&self) -> Task {
        self.broker.open(&self.agent, Purpose::new("test")).unwrap()
    }

    /// A task with one grant, of the tool `t` with any arguments.
    pub(crate) fn granted(&self) -> (Task, Grant) {
        let task = self.open();
        let grant = task.request(Scope::tool("t").any_args(), &self.context).unwrap();
        (task, grant)
    }

    pub(crate) fn authorize(&self, grant: &Grant, call: Call) -> Result<Permit, Denial> {
        self.gate.authorize(grant.token(), &self.agent, call, &self.context)
    }

    /// Authorizes and gives the permit back unused.
    pub(crate) fn attempt(&self, grant: &Grant, call: Call) -> Result<(), Reason> {
        self.authorize(grant, call).map(drop).map_err(|denial| denial.reason())
    }

    /// Authorizes and runs to the end.
    pub(crate) fn run(&self, grant: &Grant, call: Call) -> Result<(), Reason> {
        let permit = self.authorize(grant, call).map_err(|denial| denial.reason())?;
        match permit.run(|_| Ok::<_, ()>(())) {
            Ok(_) => Ok(()),
            Err(hallpass::RunError::Denied(denial)) => Err(denial.reason()),
            Err(hallpass::RunError::Tool(_)) => unreachable!("the tool does not fail"),
        }
    }

    /// What the gate says to this text in place of a token.
    pub(crate) fn present(&self, text: &str) -> Result<(), Denial> {
        let token = Token::from_text(text.to_owned());
        self.gate.authorize(&token, &self.agent, plain(), &self.context).map(drop)
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.log.records()
    }

    pub(crate) fn events(&self) -> Vec<Event<'static>> {
        self.records().into_iter().map(|record| record.event).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.events().iter().map(Event::kind).collect()
    }

    /// The reason of the last record, which must be a denial.
    pub(crate) fn recorded_denial(&self) -> String {
        match self.events().pop() {
            Some(Event::Denied { reason, .. }) => reason.into_owned(),
            other => panic!("the last record is not a denial: {other:?}"),
        }
    }

    pub(crate) fn lines(&self) -> Vec<(String, ChainTag)> {
        let snapshot = self.log.snapshot();
        snapshot.entries().map(|entry| (entry.line.to_owned(), *entry.tag)).collect()
    }

    pub(crate) fn verify(&self) -> Result<Verification, Fault> {
        let lines = self.lines();
        let lines = lines.iter().map(|(line, tag)| (line.as_str(), *tag));
        verified(lines, &log_keys(), None)
    }
}
