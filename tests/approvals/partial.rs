//! Plans of which people may answer a part each.

use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::scope::{eq, one_of};
use hallpass::{NotCounted, Pending, QuestionState};

use crate::office::{Office, reviewers};

struct Release {
    office: Office,
    task: Task,
}

impl Release {
    fn by(policy: &Policy, deployer: Assertion) -> Release {
        let office = Office::with(policy.clone(), |builder| builder);
        let agent = office.attest(deployer);
        let task = office.broker.open(&agent, Purpose::new("release")).unwrap();
        Release { office, task }
    }

    fn ask(&self, scope: Scope) -> Pending {
        let denial = self.task.request(scope, &Context::new()).unwrap_err();
        denial.pending().unwrap_or_else(|| panic!("{}", denial.explain())).clone()
    }
}

fn deploy(service: &str) -> Scope {
    Scope::tool("deploy").arg("service", eq(service))
}

/// P6: each item has its own asks, and who may answer one has no say in another
#[test]
fn a_no_to_the_whole_plan_refuses_what_its_reviewer_may_answer_and_nothing_else() {
    let ops = ApprovalTerms::per(Per::Task).review(reviewers("ops"));
    let board = ApprovalTerms::per(Per::Task).review(reviewers("board"));
    let confirmed = ApprovalTerms::per(Per::Task).confirm();
    let rules = [
        Rule::permit("deployers").tool("deploy").any_args(),
        Rule::ask("ops").tool("deploy").arg("service", one_of(["api", "web"])).approval(ops),
        Rule::ask("board").tool("deploy").arg("service", eq("db")).approval(board),
        Rule::ask("confirmed").tool("deploy").arg("service", eq("web")).approval(confirmed),
    ];
    let policy = Policy::builder().rules(rules).build().unwrap();
    let states = |pending: &Pending| pending.items().into_iter().map(|(_, own)| own).collect();
    let of = |refuse: &dyn Fn(&Release, &Pending)| -> Vec<QuestionState> {
        let deployer = Assertion::agent("deployer").acts_for("eve", Kind::Human);
        let release = Release::by(&policy, deployer);
        let pending = release.ask(deploy("api").and(deploy("db")).and(deploy("web")));
        refuse(&release, &pending);
        release.office.verify();
        states(&pending)
    };
    let (no, waits) = (QuestionState::Denied, QuestionState::Waiting);
    let deny = |release: &Release, pending: &Pending, who: &Identity| {
        let question = release.office.question(pending);
        release.office.reviews.deny(&question, who, "no").map(|tally| tally.state)
    };
    let by = |name: &'static str, group: &'static str| {
        move |release: &Release, pending: &Pending| {
            let who = release.office.person(name, group);
            assert_eq!(deny(release, pending, &who), Ok(QuestionState::Partial));
            // By number it counts for all that are named, or for none.
            let question = release.office.question(pending);
            let named = release.office.reviews.deny_items(&question, &who, &[1, 2, 3], "no");
            assert_eq!(named, Err(NotCounted::NotEligible));
        }
    };
    assert_eq!(of(&by("zoe", "board")), [waits, no, waits]);
    assert_eq!(of(&by("ada", "ops")), [no, waits, no]);
    assert_eq!(of(&by("eve", "none")), [waits, waits, no], "whom the deployer acts for");
    let yes = |release: &Release, pending: &Pending| {
        let (zoe, question) =
            (release.office.person("zoe", "board"), release.office.question(pending));
        let shown = question.view().digest();
        let reviews = &release.office.reviews;
        let all = reviews.approve_items(&question, &zoe, &shown, &[1, 2]);
        assert_eq!(all, Err(NotCounted::NotEligible));
        let tally = reviews.approve(&question, &zoe, &shown, Width::CALL).unwrap();
        assert_eq!((tally.state, tally.have, tally.need), (QuestionState::Partial, 1, 1));
    };
    assert_eq!(of(&yes), [waits, QuestionState::Approved, waits]);
}
