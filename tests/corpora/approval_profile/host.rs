//! A host that asks people before documents are read, as the profile's examples do.

use std::time::Duration;

use hallpass::audit::Event;
use hallpass::clock::{Clock as _, ManualClock, Timestamp};
use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::{any, has_any};
use hallpass::{NotCounted, Pending, Question, Tally};
use serde_json::json;
use testkit::corpora::{Json, text};

const ACTIONS: [&str; 3] = ["can_read", "can_write", "invoke"];

pub(super) struct Host {
    pub(super) broker: Broker,
    pub(super) gate: Gate,
    pub(super) clock: ManualClock,
    good_for: Duration,
}

/// This number of managers agree to what is read.
pub(super) fn four_eyes(count: u32) -> Policy {
    policy(count, (Duration::from_secs(600), Duration::from_secs(300)))
}

fn policy(count: u32, (expires, good_for): (Duration, Duration)) -> Policy {
    let line = || Reviewers::in_groups(has_any(["managers"])).count(count);
    let terms = |per| ApprovalTerms::per(per).review(line()).expires(expires).good_for(good_for);
    let read = Rule::permit("read").tools(ACTIONS).any_args().any_resource();
    let tools = Rule::permit("deploy").tool("deploy").any_args();
    let asks = [
        Rule::ask("manager_approval").tools(ACTIONS).approval(terms(Per::Call)),
        Rule::ask("plan_approval").tool("deploy").approval(terms(Per::Task)),
    ];
    Policy::builder().rules([read, tools]).rules(asks).build().unwrap()
}

pub(super) fn at(time: &Json) -> Timestamp {
    Timestamp::parse_rfc3339(text(time)).unwrap()
}

/// Who an evaluation request is about: a user, or an agent that acts for one.
pub(super) fn subject(request: &Json) -> Assertion {
    let user = text(&request["subject"]["id"]);
    match request["subject"]["properties"]["act"]["sub"].as_str() {
        Some(agent) => Assertion::agent(agent).acts_for(user, Kind::Human),
        None => Assertion::human(user),
    }
}

pub(super) fn call(request: &Json) -> Call {
    let resource = &request["resource"];
    let call = Call::new(text(&request["action"]["name"]), json!({})).unwrap();
    call.on(Resource::new(text(&resource["type"]), text(&resource["id"])))
}

pub(super) fn call_of(action: &str, document: &str, args: &Json) -> Call {
    Call::new(action, args).unwrap().on(Resource::new("document", document))
}

pub(super) fn read(document: &str) -> Call {
    call_of("can_read", document, &json!({}))
}

impl Host {
    pub(super) fn new() -> Host {
        let begun = Timestamp::parse_rfc3339("2026-04-30T20:15:00Z").unwrap();
        Host::of(begun, (Duration::from_secs(600), Duration::from_secs(300)))
    }

    /// One whose people have so long to answer, and whose yes is good for so long.
    pub(super) fn of(begun: Timestamp, times: (Duration, Duration)) -> Host {
        let clock = ManualClock::new(begun);
        let builder = Broker::builder(policy(1, times)).clock(clock.clone());
        let broker = builder.ceiling(Duration::from_secs(7 * 86_400)).build().unwrap();
        let gate = broker.gate();
        Host { broker, gate, clock, good_for: times.1 }
    }

    pub(super) fn load(&self, policy: Policy) {
        self.broker.reload(&policy).unwrap().finish();
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.read().unwrap().wall
    }

    pub(super) fn good_for(&self) -> Duration {
        self.good_for
    }

    pub(super) fn day(&self) -> Duration {
        Duration::from_secs(86_400)
    }

    pub(super) fn person(&self, name: &str) -> Identity {
        self.member(name, "managers")
    }

    fn member(&self, name: &str, group: &str) -> Identity {
        self.broker.assert_identity(Assertion::human(name).group(group)).unwrap()
    }

    pub(super) fn errand(&self) -> (Task, Grant) {
        self.errand_of(Assertion::agent("renewal_assistant"))
    }

    pub(super) fn errand_of(&self, who: Assertion) -> (Task, Grant) {
        let who = self.broker.assert_identity(who).unwrap();
        let task = self.broker.open(&who, Purpose::new("renewal")).unwrap();
        let grant = self.grant(&task);
        (task, grant)
    }

    /// A fresh grant of the task: access lasts for minutes, and people take longer.
    pub(super) fn grant(&self, task: &Task) -> Grant {
        let each = ACTIONS.map(|action| Scope::tool(action).any_args().resource(any(), any()));
        task.request(each.into_iter().collect(), &Context::new()).unwrap()
    }

    pub(super) fn authorize(&self, grant: &Grant, call: &Call) -> Result<Permit, Denial> {
        self.gate.authorize(grant, grant.holder(), call.clone(), &Context::new())
    }

    pub(super) fn redeem(&self, pending: &Pending, grant: &Grant) -> Result<Permit, Denial> {
        self.gate.redeem(pending, grant, grant.holder(), &Context::new())
    }

    pub(super) fn runs(&self, pending: &Pending, grant: &Grant) {
        self.redeem(pending, grant).unwrap().start().unwrap().succeed();
    }

    pub(super) fn asked(&self, grant: &Grant, call: &Call) -> Pending {
        let denial = self.authorize(grant, call).unwrap_err();
        denial.pending().unwrap_or_else(|| panic!("{}", denial.explain())).clone()
    }

    /// Two deployments, asked for at once.
    pub(super) fn plan(&self, task: &Task) -> Pending {
        let deploy = |what: &str| Scope::tool("deploy").arg("what", hallpass::scope::eq(what));
        let wanted = deploy("api").and(deploy("db"));
        task.request(wanted, &Context::new()).unwrap_err().pending().unwrap().clone()
    }

    pub(super) fn question(&self, pending: &Pending) -> Question {
        self.broker.reviews().open(&pending.id()).unwrap()
    }

    pub(super) fn approve(&self, pending: &Pending, who: &str) {
        self.try_approve(pending, who).unwrap();
    }

    pub(super) fn try_approve(&self, pending: &Pending, who: &str) -> Result<Tally, NotCounted> {
        let Some(question) = self.broker.reviews().open(&pending.id()) else {
            return Err(NotCounted::NotWaiting(pending.state()));
        };
        let (who, shown) = (self.person(who), question.view().digest());
        self.broker.reviews().approve(&question, &who, &shown, Width::CALL)
    }

    pub(super) fn deny(&self, pending: &Pending, who: &str) {
        self.try_deny(pending, who).unwrap();
    }

    pub(super) fn try_deny(&self, pending: &Pending, who: &str) -> Result<Tally, NotCounted> {
        self.try_deny_of(pending, who, "managers")
    }

    pub(super) fn try_deny_of(
        &self,
        pending: &Pending,
        who: &str,
        group: &str,
    ) -> Result<Tally, NotCounted> {
        let Some(question) = self.broker.reviews().open(&pending.id()) else {
            return Err(NotCounted::NotWaiting(pending.state()));
        };
        self.broker.reviews().deny(&question, &self.member(who, group), "no")
    }

    /// Its text with one character changed.
    pub(super) fn edited(&self, pending: &Pending) -> String {
        let mut text = pending.to_text().unwrap();
        let last = text.pop().unwrap();
        text.push(if last == 'A' { 'B' } else { 'A' });
        text
    }

    /// The questions that the record of a permit names.
    pub(super) fn approvals_of(&self, permit: &Permit) -> Vec<String> {
        self.broker.flush();
        let records = self.broker.log().unwrap().records();
        let of = records.into_iter().find(|record| record.seq == permit.number()).unwrap();
        let Event::Permitted { approvals, .. } = of.event else { panic!("{of:?}") };
        approvals.into_iter().map(|own| own.into_owned()).collect()
    }
}
