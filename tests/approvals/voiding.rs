//! What ends a question or an approval: another policy, another role, the end of its task.

use hallpass::audit::Event;
use hallpass::policy::{ApprovalTerms, Per, Tool, Width};
use hallpass::prelude::*;
use hallpass::{Halt, QuestionState};

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, payments, reviewers, run};

fn permit() -> Rule {
    Rule::permit("pay").tools(["bank.pay", "bank.refund"]).any_args().any_resource()
}

fn policy(rules: impl IntoIterator<Item = Rule>, label: &str) -> Policy {
    let tools = ["bank.pay", "bank.refund"].map(|tool| Tool::new(tool).label(label));
    Policy::builder().tools(tools).rules(rules).build().unwrap()
}

/// P6, attacks 110 and 163: one part of a deciding rule, or of the tool's entry, is another
#[test]
fn a_reload_voids_what_it_touches_and_nothing_else() {
    let ask = || four_eyes().tool("bank.pay");
    let other = Rule::forbid("other").tool("other").when("x", hallpass::scope::eq(1));
    let longer = ApprovalTerms::per(Per::Call).review(reviewers("finance")).expires(MINUTE);
    let touched = [
        ("the ask's reviewers", policy([permit(), of_finance(2).tool("bank.pay")], "a")),
        (
            "its time",
            policy([permit(), Rule::ask("four-eyes").tool("bank.pay").approval(longer)], "a"),
        ),
        ("the permit", policy([permit().uses(5), ask()], "a")),
        ("the permit's owner", policy([permit().owner("treasury"), ask()], "a")),
        ("the tool's entry", policy([permit(), ask()], "b")),
        ("the ask is gone", policy([permit()], "a")),
    ];
    for (what, next) in touched {
        for answered in [false, true] {
            let office = Office::with(policy([permit(), ask()], "a"), |builder| builder);
            let (_task, grant) = office.errand(&office.attest("payer"));
            let pending = office.ask(&grant, &pay(98));
            if answered {
                office.approved(&pending, &office.person("ada", "finance"));
            }
            office.reload(&policy([permit(), ask(), other.clone()], "a"));
            let stands = if answered { QuestionState::Approved } else { QuestionState::Waiting };
            assert_eq!(pending.state(), stands, "{what}");
            office.reload(&next);
            assert_eq!(pending.state(), QuestionState::Void, "{what}");
            assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid, "{what}");
            let voided = |event: &Event<'_>| matches!(event, Event::Voided { .. });
            assert_eq!(office.events().iter().filter(|event| voided(event)).count(), 1);
            office.verify();
        }
    }
}

/// attack 163: a reload that leaves the deciding rules alone
#[test]
fn an_approval_outlives_a_reload_that_leaves_its_rules_alone() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    let more = Rule::permit("read").tool("read").any_args();
    let same = four_eyes().tools(["bank.pay", "bank.refund"]);
    let next = Policy::builder().rules([permit(), same, more]).build().unwrap();
    office.reload(&next);
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
}

#[test]
fn an_ask_that_acts_only_now_is_a_question_of_its_own_and_the_old_approval_counts_for_its_own() {
    let rules = |more: Option<Rule>| {
        let ask = four_eyes().tool("bank.pay");
        Policy::builder().rules([permit(), ask]).rules(more).build().unwrap()
    };
    let office = Office::with(rules(None), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let first = office.ask(&grant, &pay(98));
    office.approved(&first, &office.person("ada", "finance"));
    let terms = ApprovalTerms::per(Per::Call).review(reviewers("board"));
    office.reload(&rules(Some(Rule::ask("board").tool("bank.pay").approval(terms))));
    let denial = office.redeem(&first, &grant).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    let second = denial.pending().unwrap().clone();
    assert_ne!(second.id(), first.id());
    assert_eq!(first.state(), QuestionState::Approved);
    let both = office.attest(Assertion::human("eve").groups(["finance", "board"]));
    office.approved(&second, &both);
    assert_eq!(run(office.redeem(&second, &grant).unwrap()), 98);
    office.verify();
}

/// P6, attack 116
#[test]
fn a_reviewer_who_lost_the_role_did_not_agree() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    office.broker.control().restate(Assertion::human("ada").group("sales")).unwrap().finish();
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid);
    office.broker.control().unrestate("ada").unwrap().finish();
    assert_eq!(office.refused(&pending, &grant), Reason::ApprovalVoid, "void is final");
    let retried = office.ask(&grant, &pay(98));
    assert_ne!(retried.id(), pending.id());
    office.verify();
}

#[test]
fn one_who_lost_the_role_is_not_missed_where_enough_others_agreed() {
    let office = Office::new(of_finance(1));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    office.approved(&pending, &office.person("bob", "finance"));
    office.broker.control().restate(Assertion::human("ada").group("sales")).unwrap().finish();
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
}

#[test]
fn the_yes_of_somebody_who_is_halted_does_not_count_meanwhile() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.approved(&pending, &office.person("ada", "finance"));
    office.broker.control().halt(Halt::identity("ada").unwrap());
    assert!(office.redeem(&pending, &grant).is_err());
    assert_eq!(pending.state(), QuestionState::Approved);
    office.broker.control().resume(&Halt::identity("ada").unwrap());
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
}

/// The last yes that is needed completes nothing with that of somebody who is halted.
#[test]
fn a_question_is_not_completed_by_the_yes_of_somebody_who_is_halted() {
    let office = Office::new(of_finance(2));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let says = |name| office.approve(&pending, &office.person(name, "finance")).unwrap().state;
    assert_eq!(says("ada"), QuestionState::Waiting);
    office.broker.control().halt(Halt::identity("ada").unwrap());
    assert_eq!(says("bob"), QuestionState::Waiting);
    assert_eq!(says("carol"), QuestionState::Approved);
    assert_eq!(run(office.redeem(&pending, &grant).unwrap()), 98);
}

/// P2
#[test]
fn with_its_task_a_question_is_over_whatever_it_was() {
    let office = Office::new(four_eyes());
    let ada = office.person("ada", "finance");
    let (task, grant) = office.errand(&office.attest("payer"));
    let (waiting, approved) = (office.ask(&grant, &pay(1)), office.ask(&grant, &pay(2)));
    let spent = office.ask(&grant, &pay(3));
    office.approved(&approved, &ada);
    office.approved(&spent, &ada);
    let permit = office.redeem(&spent, &grant).unwrap();
    let question = office.question(&waiting);
    task.complete();
    assert_eq!(waiting.state(), QuestionState::Cancelled);
    assert_eq!(approved.state(), QuestionState::Void);
    assert!(office.reviews.list(&ada).is_empty());
    assert!(office.reviews.open(&waiting.id()).is_none());
    assert!(
        office.reviews.approve(&question, &ada, &question.view().digest(), Width::CALL).is_err()
    );
    drop(permit);
    assert_eq!(spent.state(), QuestionState::Void, "nothing comes back to a task that is over");
    office.verify();
}

#[test]
fn the_sweep_lets_go_of_what_is_past_its_time() {
    let office = Office::with(payments(four_eyes()), |builder| builder);
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    office.clock.advance(15 * MINUTE);
    office.broker.sweep(usize::MAX);
    let expired = office.events().into_iter().filter_map(|event| match event {
        Event::Voided { question, state, .. } => Some((question.into_owned(), state.into_owned())),
        _ => None,
    });
    assert_eq!(expired.collect::<Vec<_>>(), [(pending.id(), "expired".to_owned())]);
}
