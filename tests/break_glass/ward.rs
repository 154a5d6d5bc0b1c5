//! A database on call: somebody breaks the glass, and somebody else looks at it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{Event, MemoryLog};
use hallpass::clock::{Clock as _, ManualClock, Timestamp};
use hallpass::policy::{ApprovalTerms, BreakGlassTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass::testing::FailingSink;
use hallpass::{BrokerBuilder, Debt, Reviews};
use serde_json::json;
use testkit::FlushedLog;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Ward {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) reviews: Reviews,
    pub(crate) clock: ManualClock,
    pub(crate) log: FlushedLog,
    pub(crate) sink: FailingSink<MemoryLog>,
    /// What somebody was alerted of.
    pub(crate) alerts: Arc<Mutex<Vec<Event<'static>>>>,
}

/// Reviewed by security, within a day.
pub(crate) fn terms() -> BreakGlassTerms {
    BreakGlassTerms::reviewed_by(Reviewers::in_groups(has_any(["security"])))
}

/// `sre` breaks the glass for any call of `db.admin`, for 15 minutes and three calls.
pub(crate) fn incident() -> Rule {
    Rule::permit("incident")
        .on([Moment::BreakGlass])
        .who_groups(has_any(["sre"]))
        .tool("db.admin")
        .any_args()
        .ttl(15 * MINUTE)
        .uses(3)
        .break_glass(terms())
}

/// Everybody else asks, and is told to wait for the owners.
pub(crate) fn owners_agree(per: Per) -> Rule {
    let terms = ApprovalTerms::per(per).review(Reviewers::in_groups(has_any(["owners"])));
    Rule::ask("owners-agree").tool("db.admin").approval(terms)
}

pub(crate) fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

pub(crate) fn scope() -> Scope {
    Scope::tool("db.admin").any_args()
}

pub(crate) fn admin(what: &str) -> Call {
    Call::new("db.admin", json!({ "what": what })).unwrap()
}

impl Ward {
    pub(crate) fn new(rules: impl IntoIterator<Item = Rule>) -> Ward {
        Ward::with(rules, |builder| builder)
    }

    pub(crate) fn with(
        rules: impl IntoIterator<Item = Rule>,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Ward {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let alerts: Arc<Mutex<Vec<Event<'static>>>> = Arc::default();
        let told = alerts.clone();
        let alert = move |event: &Event<'_>| {
            let json = serde_json::to_string(event)?;
            told.lock().unwrap().push(serde_json::from_str(&json)?);
            Ok(())
        };
        let builder = Broker::builder(policy(rules)).clock(clock.clone()).log(sink.clone());
        let builder = builder.break_glass_alert(alert, MINUTE);
        let broker = settings(builder).build().unwrap();
        let (gate, reviews) = (broker.gate(), broker.reviews());
        let log = FlushedLog::of(&broker, log);
        Ward { gate, reviews, broker, clock, log, sink, alerts }
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.read().unwrap().wall
    }

    pub(crate) fn attest(&self, who: impl Into<Assertion>) -> Identity {
        self.broker.assert_identity(who).unwrap()
    }

    pub(crate) fn person(&self, name: &str, group: &str) -> Identity {
        self.attest(Assertion::human(name).group(group))
    }

    pub(crate) fn open(&self, who: &Identity) -> Task {
        self.broker.open(who, Purpose::new("incident").ticket("INC-7")).unwrap()
    }

    /// Breaks the glass in a task of its own.
    pub(crate) fn breaks(&self, who: &Identity) -> Result<(Task, Grant), Denial> {
        let task = self.open(who);
        let grant = task.break_glass(scope(), "orders are down", &Context::new())?;
        Ok((task, grant))
    }

    /// Breaks the glass, and is done: what is owed is left.
    pub(crate) fn broke(&self, who: &Identity) {
        drop(self.breaks(who).unwrap());
    }

    /// Why somebody can't break the glass.
    pub(crate) fn refused(&self, who: &Identity) -> Reason {
        self.breaks(who).map(drop).expect_err("the glass is broken").reason()
    }

    pub(crate) fn call(&self, grant: &Grant, what: &str) -> Result<Permit, Denial> {
        self.gate.authorize(grant, grant.holder(), admin(what), &Context::new())
    }

    pub(crate) fn debt(&self) -> Debt {
        let [debt] = &self.reviews.debts()[..] else { panic!("{:?}", self.reviews.debts()) };
        debt.clone()
    }

    /// The log verifies, whatever has happened.
    pub(crate) fn verify(&self) {
        self.broker.verify(&self.log).unwrap();
    }

    pub(crate) fn events(&self) -> Vec<Event<'static>> {
        self.log.records().into_iter().map(|record| record.event).collect()
    }
}

pub(crate) fn run(permit: Permit) {
    permit.run(|_| Ok::<_, ()>(())).unwrap();
}
