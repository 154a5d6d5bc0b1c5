//! A release that people are asked about, item by item.

use hallpass::policy::{ApprovalTerms, Moment, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{NotCounted, Pending, QuestionState};
use serde_json::json;

use crate::office::{MINUTE, Office, reviewers};

pub(crate) fn terms() -> ApprovalTerms {
    ApprovalTerms::per(Per::Task).review(reviewers("ops"))
}

pub(crate) fn permit() -> Rule {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let permit = Rule::permit("deployers").on(every).tools(["deploy", "status"]).any_args();
    permit.ttl(5 * MINUTE).depth(3)
}

/// Deployments are asked about; looking at their status is not.
pub(crate) fn policy(terms: ApprovalTerms) -> Policy {
    let ask = Rule::ask("releases").owner("release@acme.test").tool("deploy").approval(terms);
    Policy::builder().rules([permit(), ask]).build().unwrap()
}

pub(crate) struct Release {
    pub(crate) office: Office,
    pub(crate) task: Task,
}

pub(crate) fn deploy(service: &str) -> Scope {
    Scope::tool("deploy").arg("service", eq(service))
}

pub(crate) fn call(service: &str) -> Call {
    Call::new("deploy", json!({ "service": service })).unwrap()
}

/// Three deployments, and a look at how they are.
pub(crate) fn three() -> Scope {
    let all = ["api", "web", "db"].map(deploy).into_iter().reduce(Scope::and).unwrap();
    Scope::tool("status").any_args().and(all)
}

pub(crate) fn here() -> Context {
    Context::new()
}

impl Release {
    pub(crate) fn of(policy: Policy) -> Release {
        let office = Office::with(policy, |builder| builder);
        let agent = office.attest("deployer");
        let task = office.broker.open(&agent, Purpose::new("release").ticket("R-1")).unwrap();
        Release { office, task }
    }

    pub(crate) fn new(terms: ApprovalTerms) -> Release {
        Release::of(policy(terms))
    }

    pub(crate) fn asked(&self, denial: &Denial) -> Pending {
        assert_eq!(denial.reason(), Reason::ApprovalRequired, "{}", denial.explain());
        denial.pending().unwrap_or_else(|| panic!("{}", denial.explain())).clone()
    }

    pub(crate) fn ask(&self, scope: Scope) -> Pending {
        self.asked(&self.task.request(scope, &here()).unwrap_err())
    }

    pub(crate) fn says(
        &self,
        pending: &Pending,
        who: &str,
        items: &[u32],
    ) -> Result<QuestionState, NotCounted> {
        let question = self.office.question(pending);
        let shown = question.view().digest();
        let who = self.office.person(who, "ops");
        let tally = self.office.reviews.approve_items(&question, &who, &shown, items);
        tally.map(|tally| tally.state)
    }

    pub(crate) fn refuses(
        &self,
        pending: &Pending,
        items: &[u32],
    ) -> Result<QuestionState, NotCounted> {
        let who = self.office.person("bob", "ops");
        let question = self.office.question(pending);
        let tally = self.office.reviews.deny_items(&question, &who, items, "not today");
        tally.map(|tally| tally.state)
    }

    pub(crate) fn approve(&self, pending: &Pending) {
        let question = self.office.question(pending);
        let (ada, shown) = (self.office.person("ada", "ops"), question.view().digest());
        let tally = self.office.reviews.approve(&question, &ada, &shown, Width::CALL).unwrap();
        assert_eq!((tally.state, tally.have, tally.need), (QuestionState::Approved, 1, 1));
    }

    pub(crate) fn not_taken(&self, pending: &Pending) -> Reason {
        self.task.take(pending, &here()).unwrap_err().reason()
    }

    pub(crate) fn runs(&self, grant: &Grant, call: Call) -> Result<(), Reason> {
        let permit = self.office.gate.authorize(grant, grant.holder(), call, &here());
        permit.map_err(|denial| denial.reason())?.start().unwrap().succeed();
        Ok(())
    }
}
