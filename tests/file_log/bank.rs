//! A bank whose broker dies and goes on with its log.

use std::time::Duration;

use hallpass::audit::{Durability, Event, FileLog, How, Record};
use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::LogKeys;
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass::{BrokerBuilder, NotCounted, Pending, Question, Reviews, Tally};
use serde_json::json;

use super::restarted::{records, unlock};
use super::world::{Folder, ORIGIN, builder_of, keys, options};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Bank {
    pub(crate) folder: Folder,
    pub(crate) clock: ManualClock,
    pub(crate) broker: Broker,
    pub(crate) keys: fn() -> LogKeys,
}

pub(crate) fn line(group: &str) -> Reviewers {
    Reviewers::in_groups(has_any([group]))
}

/// An ask over payments.
pub(crate) fn ask(terms: ApprovalTerms) -> Rule {
    Rule::ask("four-eyes").tool("bank.pay").approval(terms)
}

pub(crate) fn four_eyes() -> Rule {
    ask(ApprovalTerms::per(Per::Call).review(line("finance")))
}

/// Payments and a ping, and these rules over them.
pub(crate) fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    let pay = Rule::permit("pay").tools(["bank.pay", "ping"]).any_args().any_resource();
    let pay = pay.depth(1).on([Moment::Request, Moment::Delegate, Moment::Call]);
    Policy::builder().rules([pay]).rules(rules).build().unwrap()
}

pub(crate) fn pay(amount: i64) -> Call {
    Call::new("bank.pay", json!({ "amount": amount, "note": "é \u{202e}x" })).unwrap()
}

fn build(
    folder: &Folder,
    clock: &ManualClock,
    keys: LogKeys,
    policy: Policy,
    settings: impl FnOnce(BrokerBuilder, FileLog) -> BrokerBuilder,
) -> Broker {
    let log = options(Durability::Flushed).open(folder.path(), &keys, &ORIGIN).unwrap();
    let builder = builder_of(policy).clock(clock.clone()).log_keys(keys).resume_from(&log);
    settings(builder, log).build().unwrap()
}

impl Bank {
    pub(crate) fn new(policy: Policy) -> Bank {
        Bank::with(policy, |own| own)
    }

    pub(crate) fn with(
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) -> Bank {
        let folder = Folder::new();
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let broker = build(&folder, &clock, keys(), policy, |own, _| settings(own));
        Bank { folder, clock, broker, keys }
    }

    /// The process is killed, with these in its hands, and another goes on with the log under this policy.
    pub(crate) fn dies(&mut self, held: impl Sized, policy: Policy) {
        self.dies_and(held, policy, |own| own);
    }

    pub(crate) fn dies_and(
        &mut self,
        held: impl Sized,
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) {
        assert_eq!(self.broker.flush(), 0);
        self.is_killed(held, policy, settings);
    }

    /// As it dies, with whatever waits to be written.
    pub(crate) fn is_killed(
        &mut self,
        held: impl Sized,
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
    ) {
        self.is_killed_and_logs(held, policy, |own, _| settings(own));
    }

    /// As it is killed; the next one may write its log through something else.
    pub(crate) fn is_killed_and_logs(
        &mut self,
        held: impl Sized,
        policy: Policy,
        settings: impl FnOnce(BrokerBuilder, FileLog) -> BrokerBuilder,
    ) {
        std::mem::forget((held, self.broker.clone()));
        unlock(&self.folder);
        let next = build(&self.folder, &self.clock, (self.keys)(), policy, settings);
        std::mem::forget(std::mem::replace(&mut self.broker, next));
        self.flush();
    }

    pub(crate) fn gate(&self) -> Gate {
        self.broker.gate()
    }

    pub(crate) fn reviews(&self) -> Reviews {
        self.broker.reviews()
    }

    pub(crate) fn attest(&self, who: impl Into<Assertion>) -> Identity {
        self.broker.assert_identity(who).unwrap()
    }

    pub(crate) fn person(&self, name: &str) -> Identity {
        self.attest(Assertion::human(name).group("finance"))
    }

    pub(crate) fn open(&self, name: &str, who: &Identity) -> (Task, Grant) {
        let purpose = Purpose::new("pay-bill").ticket("INV-1").intent("a bill");
        let task = self.broker.open_named(name, who, purpose).unwrap();
        let grant = everything(&task).unwrap();
        (task, grant)
    }

    /// Takes the task up again, and gets a grant for everything.
    pub(crate) fn resume(&self, name: &str, who: &Identity) -> (Task, Grant) {
        let task = self.broker.resume(name, who).unwrap();
        let grant = everything(&task).unwrap();
        (task, grant)
    }

    pub(crate) fn authorize(&self, grant: &Grant, call: Call) -> Result<Permit, Denial> {
        self.gate().authorize(grant, grant.holder(), call, &Context::new())
    }

    pub(crate) fn ask(&self, grant: &Grant, call: Call) -> Pending {
        let denial = self.authorize(grant, call).expect_err("it is permitted");
        denial.pending().unwrap_or_else(|| panic!("{}", denial.explain())).clone()
    }

    pub(crate) fn question(&self, id: &str) -> Question {
        self.reviews().open(id).expect("it is not there")
    }

    pub(crate) fn approve(&self, id: &str, who: &Identity) -> Result<Tally, NotCounted> {
        let question = self.question(id);
        self.reviews().approve(&question, who, &question.view().digest(), Width::CALL)
    }

    pub(crate) fn redeem(&self, text: &str, grant: &Grant) -> Result<Permit, Denial> {
        let pending = self.gate().pending(text).expect("its text finds nothing");
        self.gate().redeem(&pending, grant, grant.holder(), &Context::new())
    }

    /// Has all of it written, however short the broker's patience with its log is.
    fn flush(&self) {
        assert!((0..1_000).any(|_| self.broker.flush() == 0), "the log takes nothing");
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.flush();
        records(&self.folder)
    }

    /// How many tasks an earlier life has left that could not be gone on with.
    pub(crate) fn interrupted(&self) -> usize {
        let is_it =
            |record: &Record| matches!(record.event, Event::Ended { how: How::Interrupted, .. });
        self.records().iter().filter(|own| is_it(own)).count()
    }

    /// Why each question was voided, in order.
    pub(crate) fn voided(&self) -> Vec<String> {
        let why = |record: Record| match record.event {
            Event::Voided { state, why, .. } => Some(format!("{state} {why}")),
            _ => None,
        };
        self.records().into_iter().filter_map(why).collect()
    }

    /// What was written is lawful.
    pub(crate) fn verify(&self) {
        self.flush();
        FileLog::read(self.folder.path(), &(self.keys)(), &ORIGIN, None).unwrap();
    }
}

pub(crate) fn everything(task: &Task) -> Result<Grant, Denial> {
    let all = Scope::tool("bank.pay").any_args().and(Scope::tool("ping").any_args());
    task.request(all, &Context::new())
}
