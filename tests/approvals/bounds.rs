//! How long people have, and how much they are asked at once.

use hallpass::policy::{ApprovalTerms, Per, Width};
use hallpass::prelude::*;
use hallpass::{NotCounted, Pending, QuestionState};

use crate::office::{MINUTE, Office, four_eyes, pay, payments, reviewers, run};
use crate::release::{Release, call, deploy, here, terms};

/// P2: no question outlives the ceiling of its task.
#[test]
fn people_have_no_longer_than_the_task_has() {
    let office = Office::with(payments(four_eyes()), |builder| builder.ceiling(10 * MINUTE));
    let (task, grant) = office.errand(&office.attest("payer"));
    office.clock.advance(MINUTE);
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(pending.expires(), task.ceiling());
}

/// Of several asks the shortest times hold, whichever rule says them.
#[test]
fn the_shortest_times_of_all_asks_hold() {
    let tools = ["bank.pay", "bank.refund"];
    let ask = |id: &str, expires: u32, good_for: u32| {
        let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance"));
        let terms = terms.expires(expires * MINUTE).good_for(good_for * MINUTE);
        Rule::ask(id).tools(tools).approval(terms)
    };
    let permit = Rule::permit("pay").tools(tools).any_args().any_resource();
    let rules = [permit, ask("one", 5, 3), ask("two", 9, 2)];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(pending.expires().since(office.now()), 5 * MINUTE);
    office.approved(&pending, &office.person("ada", "finance"));
    office.clock.advance(2 * MINUTE);
    assert_eq!(pending.state(), QuestionState::Lapsed);
    office.verify();
}

/// As many items as a person can be asked to read, and one more.
#[test]
fn a_plan_of_more_items_than_can_be_numbered_is_not_asked_about() {
    let all = |number: usize| {
        let each = (0..number).map(|at| deploy(&format!("s{at}")));
        each.reduce(Scope::and).unwrap()
    };
    let release = Release::new(terms());
    assert_eq!(release.ask(all(64)).items().len(), 64);
    let denial = release.task.request(all(65), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    assert!(denial.pending().is_none(), "{}", denial.explain());
    release.office.verify();
}

/// What time alone ended is not listed as waiting, though nothing else has looked.
#[test]
fn a_question_past_its_time_is_not_what_the_task_waits_for() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(task.pending().len(), 1);
    office.clock.advance(15 * MINUTE);
    assert!(task.pending().is_empty());
    assert_eq!(pending.state(), QuestionState::Expired);
}

/// P6: more yes than needed is still the same yes
#[test]
fn a_further_yes_neither_prolongs_what_was_agreed_nor_gives_back_what_was_used() {
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("finance")).good_for(4 * MINUTE);
    let office = Office::new(Rule::ask("wide").approval(terms.offer([Width::calls(2)])));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let says = |pending: &Pending, name: &str| {
        let (who, question) = (office.person(name, "finance"), office.question(pending));
        office.reviews.approve(&question, &who, &question.view().digest(), Width::calls(2)).unwrap()
    };
    let used = office.ask(&grant, &pay(1));
    says(&used, "ada");
    run(office.redeem(&used, &grant).unwrap());
    says(&used, "bob");
    run(office.redeem(&used, &grant).unwrap());
    assert_eq!(office.refused(&used, &grant), Reason::ApprovalSpent);
    let late = office.ask(&grant, &pay(2));
    says(&late, "ada");
    office.clock.advance(3 * MINUTE);
    says(&late, "bob");
    office.clock.advance(MINUTE);
    assert_eq!(late.state(), QuestionState::Lapsed);
    office.verify();
}

/// What a rule keeps is spent, and no permit is left that a no could hold up.
#[test]
fn a_yes_that_a_rule_keeps_is_not_taken_back_once_its_permit_was_dropped() {
    let tools = ["bank.pay", "bank.refund"];
    let permit = Rule::permit("pay").tools(tools).any_args().any_resource().uses(9).no_refund();
    let rules = [permit, four_eyes().tools(tools)];
    let office = Office::with(Policy::builder().rules(rules).build().unwrap(), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let ada = office.person("ada", "finance");
    office.approved(&pending, &ada);
    drop(office.redeem(&pending, &grant).unwrap());
    assert_eq!(pending.state(), QuestionState::Spent);
    let late = Err(NotCounted::NotWaiting(QuestionState::Spent));
    assert_eq!(office.deny(&pending, &ada), late);
    office.verify();
}

/// Each item is good from when it was complete.
#[test]
fn the_items_of_a_plan_lapse_one_by_one() {
    let release = Release::new(terms().expires(9 * MINUTE).good_for(2 * MINUTE));
    let pending = release.ask(deploy("api").and(deploy("db")).and(deploy("web")));
    release.says(&pending, "ada", &[1]).unwrap();
    release.office.clock.advance(MINUTE);
    release.says(&pending, "ada", &[2]).unwrap();
    release.office.clock.advance(MINUTE);
    let grant = release.task.take_part(&pending, &here()).unwrap();
    assert_eq!(release.runs(&grant, call("db")), Ok(()));
    assert_eq!(release.runs(&grant, call("api")), Err(Reason::OutOfScope), "it has lapsed");
    let states = || pending.items().into_iter().map(|(_, own)| own).collect::<Vec<_>>();
    let (lapsed, spent) = (QuestionState::Lapsed, QuestionState::Spent);
    assert_eq!(states(), [lapsed, spent, QuestionState::Waiting]);
    release.office.clock.advance(7 * MINUTE);
    assert_eq!(pending.state(), lapsed, "nothing can come of it any more");
    release.office.verify();
}
