//! What was denied too often rests: that rule's questions about that tool, and nothing else.

use hallpass::QuestionState;
use hallpass::policy::{ApprovalTerms, Per};
use hallpass::prelude::*;
use hallpass::scope::eq;

use crate::office::{MINUTE, Office, four_eyes, pay, reviewers};
use crate::release::{Release, deploy, here, permit, terms};

/// A no that takes a yes back is none to the question: people agreed that it may be asked.
#[test]
fn what_was_taken_back_is_not_counted_as_denied() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let ada = office.person("ada", "finance");
    for amount in 1..=4 {
        let pending = office.ask(&grant, &pay(amount));
        office.approved(&pending, &ada);
        assert_eq!(office.deny(&pending, &ada).unwrap().state, QuestionState::Withdrawn);
    }
    office.ask(&grant, &pay(5));
    office.verify();
}

fn scope(tool: &str, service: &str) -> Scope {
    Scope::tool(tool).arg("service", eq(service))
}

fn two_tools(asks: impl IntoIterator<Item = Rule>) -> Release {
    Release::of(Policy::builder().rule(permit()).rules(asks).build().unwrap())
}

/// attack 166: what no one has denied does not rest with what was
#[test]
fn the_items_of_a_plan_that_were_not_denied_do_not_rest() {
    let release = two_tools([Rule::ask("ops").tools(["deploy", "status"]).approval(terms())]);
    for service in ["a", "b", "c"] {
        let pending = release.ask(scope("deploy", service).and(scope("status", service)));
        assert_eq!(pending.items().len(), 2);
        assert_eq!(release.refuses(&pending, &[1]), Ok(QuestionState::Partial));
    }
    let denial = release.task.request(scope("deploy", "d"), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooMany);
    release.ask(scope("status", "d"));
    release.office.verify();
}

/// attack 166: nor do the questions of a rule that has asked about none of what was denied
#[test]
fn another_rule_than_that_whose_items_were_denied_asks_still() {
    let board = ApprovalTerms::per(Per::Task).review(reviewers("board"));
    let release = two_tools([
        Rule::ask("ops").tool("deploy").arg("service", eq("api")).approval(terms()),
        Rule::ask("board").tool("deploy").arg("service", eq("db")).approval(board),
    ]);
    for ttl in 1..=3 {
        let both = deploy("api").and(deploy("db")).ttl(ttl * MINUTE);
        let pending = release.ask(both);
        assert_eq!(release.refuses(&pending, &[1]), Ok(QuestionState::Partial));
    }
    let denial = release.task.request(deploy("api"), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::TooMany);
    release.ask(deploy("db"));
    release.office.verify();
}

/// Denials are counted by rule and by tool: those of two make no rest of either.
#[test]
fn denials_of_another_rule_or_tool_do_not_add_up() {
    let board = ApprovalTerms::per(Per::Task).review(reviewers("ops"));
    let release = two_tools([
        Rule::ask("ops").tools(["deploy", "status"]).arg("service", eq("api")).approval(terms()),
        Rule::ask("more").tool("deploy").arg("service", eq("db")).approval(board),
    ]);
    for (tool, service) in
        [("deploy", "api"), ("deploy", "api"), ("status", "api"), ("deploy", "db")]
    {
        let pending = release.ask(scope(tool, service));
        assert_eq!(release.refuses(&pending, &[1]), Ok(QuestionState::Denied));
    }
    release.ask(scope("deploy", "api"));
    release.office.verify();
}

/// One no to a whole plan is one, however many of its items are of a tool.
#[test]
fn a_plan_that_is_denied_as_a_whole_is_denied_once() {
    let release = Release::new(terms());
    let pending =
        release.ask(["a", "b", "c", "d"].map(deploy).into_iter().reduce(Scope::and).unwrap());
    assert_eq!(release.refuses(&pending, &[1, 2, 3, 4]), Ok(QuestionState::Denied));
    release.ask(deploy("e"));
    release.office.verify();
}

/// What has rested is asked about again, until it is denied as often as before.
#[test]
fn after_its_rest_it_takes_as_many_denials_again() {
    let office = Office::new(four_eyes());
    let (task, _grant) = office.errand(&office.attest("payer"));
    let ada = office.person("ada", "finance");
    for round in 0..2 {
        let wanted = Scope::tool("bank.pay").any_args();
        let grant = task.request(wanted, &here()).unwrap();
        for amount in 1..=3 {
            let pending = office.ask(&grant, &pay(3 * round + amount));
            office.deny(&pending, &ada).unwrap();
        }
        assert_eq!(office.authorize(&grant, &pay(9)).unwrap_err().reason(), Reason::TooMany);
        office.clock.advance(10 * MINUTE);
    }
    office.verify();
}
