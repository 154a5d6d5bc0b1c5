//! A desk at which reviewers let one yes reach several calls.

use hallpass::policy::{ApprovalTerms, ArgType, Moment, Per, Tool, Width};
use hallpass::prelude::*;
use hallpass::{NotCounted, Pending, QuestionState, Tally};
use serde_json::json;

use crate::office::{MINUTE, Office, reviewers};

pub(crate) fn terms() -> ApprovalTerms {
    ApprovalTerms::per(Per::Call).review(reviewers("finance")).expires(5 * MINUTE)
}

/// What is read and fetched, under such asks. A permit for delegates, too.
pub(crate) fn policy(asks: impl IntoIterator<Item = ApprovalTerms>) -> Policy {
    let every = [Moment::Request, Moment::Call, Moment::Delegate];
    let permit = Rule::permit("use").on(every).tools(["fs.read", "web.get", "bank.pay"]);
    let permit = permit.any_args().any_resource().ttl(60 * MINUTE).depth(3);
    let asks = asks.into_iter().enumerate().map(|(at, terms)| {
        Rule::ask(format!("ask-{at}")).tools(["fs.read", "web.get", "bank.pay"]).approval(terms)
    });
    let tools = [
        Tool::new("fs.read").arg("path", ArgType::Path),
        #[cfg(feature = "url")]
        Tool::new("web.get").arg("link", ArgType::Url),
        #[cfg(not(feature = "url"))]
        Tool::new("web.get"),
        Tool::new("bank.pay"),
    ];
    Policy::builder().tools(tools).rule(permit).rules(asks).build().unwrap()
}

pub(crate) struct Desk {
    pub(crate) office: Office,
    pub(crate) task: Task,
    pub(crate) grant: Grant,
}

impl Desk {
    pub(crate) fn of(policy: Policy) -> Desk {
        let office = Office::with(policy, |builder| builder);
        let payer = office.attest("payer");
        let task = office.broker.open(&payer, Purpose::new("errand")).unwrap();
        let all = ["fs.read", "web.get", "bank.pay"].map(|tool| Scope::tool(tool).any_args());
        let all = all.into_iter().map(Scope::any_resource).reduce(Scope::and).unwrap();
        let grant = task.request(all, &Context::new()).unwrap();
        Desk { office, task, grant }
    }

    pub(crate) fn new(terms: ApprovalTerms) -> Desk {
        Desk::of(policy([terms]))
    }

    pub(crate) fn approve(
        &self,
        pending: &Pending,
        who: &str,
        width: Width,
    ) -> Result<Tally, NotCounted> {
        let who = self.office.person(who, "finance");
        let question = self.office.question(pending);
        self.office.reviews.approve(&question, &who, &question.view().digest(), width)
    }

    /// Asks about a call, and has it approved that far.
    pub(crate) fn approved(&self, call: &Call, width: Width) -> Pending {
        let pending = self.office.ask(&self.grant, call);
        let tally = self.approve(&pending, "ada", width).unwrap();
        assert_eq!(tally.state, QuestionState::Approved);
        pending
    }

    pub(crate) fn permit(&self, call: &Call) -> Permit {
        self.office.authorize(&self.grant, call).unwrap()
    }

    pub(crate) fn runs(&self, call: &Call) {
        self.permit(call).start().unwrap().succeed();
    }

    /// Asks of a call whether it is permitted; where it is not, nothing else stops it than that people are asked.
    pub(crate) fn is_served(&self, call: &Call) -> bool {
        match self.office.gate.check(&self.grant, self.grant.holder(), call, &Context::new()) {
            Ok(_) => true,
            Err(denial) => {
                assert_eq!(denial.reason(), Reason::ApprovalRequired, "{}", denial.explain());
                false
            }
        }
    }
}

pub(crate) fn pay(amount: i64) -> Call {
    Call::new("bank.pay", json!({ "to": "CH93", "amount": amount })).unwrap()
}

pub(crate) fn read(path: &str) -> Call {
    Call::new("fs.read", json!({ "path": path })).unwrap()
}

#[cfg(feature = "url")]
pub(crate) fn get(link: &str) -> Call {
    Call::new("web.get", json!({ "link": link })).unwrap()
}
