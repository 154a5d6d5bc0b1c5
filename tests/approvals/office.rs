//! A bank's office: an agent that pays, and people who look at it.

use std::time::Duration;

use hallpass::audit::{Event, MemoryLog, Sink};
use hallpass::clock::{Clock as _, ManualClock, Timestamp};
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass::testing::FailingSink;
use hallpass::{BrokerBuilder, NotCounted, Pending, Question, QuestionState, Reviews, Tally};
use serde_json::json;
use testkit::FlushedLog;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Office {
    pub(crate) broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) reviews: Reviews,
    pub(crate) clock: ManualClock,
    pub(crate) log: FlushedLog,
    pub(crate) sink: FailingSink<MemoryLog>,
}

/// Payments, and an ask over them.
pub(crate) fn payments(ask: Rule) -> Policy {
    let pay = Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource();
    Policy::builder().rules([pay, ask.tools(["bank.pay", "bank.refund"])]).build().unwrap()
}

pub(crate) fn reviewers(group: &str) -> Reviewers {
    Reviewers::in_groups(has_any([group]))
}

/// One of finance has to agree.
pub(crate) fn four_eyes() -> Rule {
    Rule::ask("four-eyes").approval(ApprovalTerms::per(Per::Call).review(reviewers("finance")))
}

/// This many of finance have to agree.
pub(crate) fn of_finance(count: u32) -> Rule {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance").count(count));
    Rule::ask("four-eyes").approval(terms)
}

pub(crate) fn pay(amount: i64) -> Call {
    Call::new("bank.pay", json!({ "to": "CH93", "amount": amount })).unwrap()
}

impl Office {
    pub(crate) fn new(ask: Rule) -> Office {
        Office::with(payments(ask), |builder| builder)
    }

    pub(crate) fn with(
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Office {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let builder = Broker::builder(policy).clock(clock.clone()).log(sink.clone());
        let broker = settings(builder).build().unwrap();
        let (gate, reviews) = (broker.gate(), broker.reviews());
        let log = FlushedLog::of(&broker, log);
        Office { gate, reviews, broker, clock, log, sink }
    }

    /// An office whose sink is wrapped in another.
    pub(crate) fn over<S: Sink + 'static>(
        policy: Policy,
        wrap: impl FnOnce(FailingSink<MemoryLog>) -> S,
    ) -> Office {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let log = MemoryLog::new();
        let sink = FailingSink::new(log.clone());
        let builder = Broker::builder(policy).clock(clock.clone()).log(wrap(sink.clone()));
        let broker = builder.build().unwrap();
        let (gate, reviews) = (broker.gate(), broker.reviews());
        let log = FlushedLog::of(&broker, log);
        Office { gate, reviews, broker, clock, log, sink }
    }

    pub(crate) fn attest(&self, who: impl Into<Assertion>) -> Identity {
        self.broker.assert_identity(who).unwrap()
    }

    pub(crate) fn person(&self, name: &str, group: &str) -> Identity {
        self.attest(Assertion::human(name).group(group))
    }

    /// Opens a task of the agent, and gets a grant for everything.
    pub(crate) fn errand(&self, agent: &Identity) -> (Task, Grant) {
        let task = self.broker.open(agent, Purpose::new("pay-bill").ticket("INV-1")).unwrap();
        let wanted = Scope::tool("bank.pay").any_args().any_resource();
        let refund = Scope::tool("bank.refund").any_args().any_resource();
        let grant = task.request(wanted.and(refund), &Context::new()).unwrap();
        (task, grant)
    }

    pub(crate) fn authorize(&self, grant: &Grant, call: &Call) -> Result<Permit, Denial> {
        self.gate.authorize(grant, grant.holder(), call.clone(), &Context::new())
    }

    /// The question that the call is parked by.
    pub(crate) fn ask(&self, grant: &Grant, call: &Call) -> Pending {
        let denial = self.authorize(grant, call).expect_err("the call is permitted");
        assert_eq!(denial.reason(), Reason::ApprovalRequired);
        denial.pending().expect("nothing was asked").clone()
    }

    pub(crate) fn question(&self, pending: &Pending) -> Question {
        self.reviews.open(&pending.id()).unwrap()
    }

    pub(crate) fn approve(&self, pending: &Pending, who: &Identity) -> Result<Tally, NotCounted> {
        let question = self.question(pending);
        self.reviews.approve(&question, who, &question.view().digest(), Width::CALL)
    }

    /// Says yes, and that is enough.
    pub(crate) fn approved(&self, pending: &Pending, who: &Identity) {
        assert_eq!(self.approve(pending, who).unwrap().state, QuestionState::Approved);
    }

    pub(crate) fn deny(&self, pending: &Pending, who: &Identity) -> Result<Tally, NotCounted> {
        self.reviews.deny(&self.question(pending), who, "no")
    }

    pub(crate) fn redeem(&self, pending: &Pending, grant: &Grant) -> Result<Permit, Denial> {
        self.gate.redeem(pending, grant, grant.holder(), &Context::new())
    }

    /// Why it can't be redeemed.
    pub(crate) fn refused(&self, pending: &Pending, grant: &Grant) -> Reason {
        self.redeem(pending, grant).expect_err("it is redeemed").reason()
    }

    pub(crate) fn reload(&self, policy: &Policy) {
        self.broker.reload(policy).unwrap().finish();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.read().unwrap().wall
    }

    pub(crate) fn events(&self) -> Vec<Event<'static>> {
        self.log.records().into_iter().map(|record| record.event).collect()
    }

    pub(crate) fn verify(&self) {
        self.broker.verify(&self.log).unwrap();
    }
}

/// Runs a permit: the amount that the tool was given.
pub(crate) fn run(permit: Permit) -> i64 {
    let running = permit.start().unwrap();
    let amount = running.args().number("amount").unwrap().to_i64().unwrap();
    running.succeed();
    amount
}
