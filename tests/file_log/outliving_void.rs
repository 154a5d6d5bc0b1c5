//! Questions that do not outlive the process that asked them, and why.

use hallpass::NotCounted;
use hallpass::audit::Event;
use hallpass::policy::{ApprovalTerms, Moment, Per, Width};
use hallpass::prelude::*;
use serde_json::json;

use super::bank::{Bank, MINUTE, ask, four_eyes, line, pay, policy};
use super::outliving::ask_and_die;
use super::world::Folder;

/// attack 163, over a restart
#[test]
fn another_rule_tool_or_approval_after_the_restart_voids_the_question() {
    let changes: [(&str, Policy, bool); 4] = [
        ("the same", policy([four_eyes()]), true),
        ("another rule beside", policy([four_eyes(), Rule::forbid("no").tool("ping.x")]), true),
        (
            "another approval",
            policy([ask(ApprovalTerms::per(Per::Call).review(line("finance").count(2)))]),
            false,
        ),
        ("no ask", policy([]), false),
    ];
    for (what, after, stands) in changes {
        for approved in [false, true] {
            let mut bank = Bank::new(policy([four_eyes()]));
            let payer = bank.attest("payer");
            let (task, grant) = bank.open("bills", &payer);
            let pending = bank.ask(&grant, pay(98));
            if approved {
                bank.approve(&pending.id(), &bank.person("ada")).unwrap();
            }
            let text = pending.to_text().unwrap();
            bank.dies((task, grant, pending), after.clone());
            assert_eq!(bank.gate().pending(&text).is_some(), stands, "{what} {approved}");
            let voided = if stands { vec![] } else { vec!["void policy".to_owned()] };
            assert_eq!(bank.voided(), voided, "{what} {approved}");
            let resumed = bank.broker.resume("bills", &bank.attest("payer"));
            assert_eq!(resumed.is_ok(), stands, "{what} {approved}");
            drop(resumed);
            bank.verify();
        }
    }
}

/// attack 116, over a restart: the role was taken away by restating it, which the next life knows nothing of
#[test]
fn a_reviewer_who_was_restated_before_the_restart_has_agreed_to_nothing() {
    let rules = || policy([four_eyes()]);
    for (subject, taken_back, stands) in
        [("ada", false, false), ("ada", true, true), ("payer", false, false), ("eve", false, true)]
    {
        let mut bank = Bank::new(rules());
        let payer = bank.attest("payer");
        let (task, grant) = bank.open("bills", &payer);
        let pending = bank.ask(&grant, pay(98));
        bank.approve(&pending.id(), &bank.person("ada")).unwrap();
        let facts = match subject {
            "payer" => Assertion::agent("payer").group("sales"),
            name => Assertion::human(name).group("sales"),
        };
        bank.broker.control().restate(facts).unwrap().finish();
        if taken_back {
            bank.broker.control().unrestate(subject).map(|own| own.finish());
        }
        let text = pending.to_text().unwrap();
        bank.dies((task, grant, pending), rules());
        assert_eq!(bank.gate().pending(&text).is_some(), stands, "{subject} {taken_back}");
        // What the life before that saw is over with it.
        bank.dies((), rules());
        assert_eq!(bank.gate().pending(&text).is_some(), stands, "{subject} {taken_back}");
    }
}

/// What the log can't tell of a task leaves its questions void: sums of arguments, and calls under another policy.
#[test]
fn a_task_of_which_it_is_not_known_what_it_has_spent_is_not_taken_up() {
    let with = |budget: bool, other: bool| {
        let pay = Rule::permit("pay").tools(["bank.pay", "ping"]).any_args();
        let pay = if budget { pay.budget("args.amount", 100) } else { pay };
        let other = other.then(|| Rule::forbid("other").tool("x"));
        Policy::builder().rules([pay, four_eyes()]).rules(other).build().unwrap()
    };
    for (budget, other, called) in
        [(true, false, false), (true, false, true), (false, true, false), (false, true, true)]
    {
        let mut bank = Bank::new(with(budget, false));
        let (task, grant) = bank.open("bills", &bank.attest("payer"));
        let ids = [1, 2].map(|amount| bank.ask(&grant, pay(amount)).id());
        if called {
            bank.approve(&ids[0], &bank.person("ada")).unwrap();
            bank.authorize(&grant, pay(1)).unwrap().start().unwrap().succeed();
        }
        bank.dies((task, grant), with(budget, other));
        let resumed = bank.broker.resume("bills", &bank.attest("payer"));
        assert_eq!(resumed.is_err(), called, "{budget} {other}");
        drop(resumed);
        assert_eq!(bank.voided(), if called { vec!["void restart"] } else { vec![] });
        bank.verify();
    }
}

/// What was asked does not stand in the log in plain, and another key opens nothing.
#[test]
fn a_question_is_sealed_and_void_without_its_key() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let payer = bank.attest(Assertion::agent("payer").attr("badge", "b-4711"));
    let (task, grant) = bank.open("bills", &payer);
    let secret = Call::new("bank.pay", json!({ "amount": 1, "to": "CH-plain-4711" })).unwrap();
    let pending = bank.ask(&grant, secret);
    bank.approve(&pending.id(), &bank.person("ada")).unwrap();
    assert_eq!(bank.broker.flush(), 0);
    for text in files(&bank.folder) {
        // Four digits stand in an id now and then.
        let is_told = ["b-4711", "plain-4711"].iter().any(|own| text.contains(own));
        assert!(!is_told, "{text}");
    }
    // Too long to be kept.
    let long = Call::new("bank.pay", json!({ "amount": 2, "note": "n".repeat(70 << 10) })).unwrap();
    let dropped = bank.ask(&grant, long);
    bank.dies((task, grant), rules());
    assert!(bank.gate().pending(&pending.to_text().unwrap()).is_some());
    assert!(bank.gate().pending(&dropped.to_text().unwrap()).is_none());
    assert_eq!(bank.voided(), ["void restart"]);
}

fn files(folder: &Folder) -> Vec<String> {
    let all = std::fs::read_dir(folder.path()).unwrap().map(|own| own.unwrap().path());
    let lines = all.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    lines.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// One that is not taken up is over once nothing can come of its questions, or at its ceiling.
#[test]
fn a_task_that_is_not_taken_up_ends_with_its_questions() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    ask_and_die(&mut bank, rules());
    bank.broker.sweep(100);
    assert_eq!(bank.broker.standing().tasks.len(), 1);
    bank.clock.advance(15 * MINUTE);
    bank.broker.sweep(100);
    assert!(bank.broker.standing().is_empty());
    let ends = |event: &Event<'_>| matches!(event, Event::Ended { .. });
    assert_eq!(bank.records().iter().filter(|own| ends(&own.event)).count(), 1);
    assert_eq!(bank.voided(), ["expired time"]);
    let denial = bank.broker.resume("bills", &bank.attest("payer")).unwrap_err();
    assert_eq!(denial.reason(), Reason::TaskOver);
    bank.verify();
}

/// attack 116, over two restarts: that one of its uses was used does not keep the rest from being void for good
#[test]
fn what_is_left_of_a_wide_yes_of_a_restated_reviewer_does_not_come_back_later() {
    let wide = || {
        let terms = ApprovalTerms::per(Per::Call).review(line("finance"));
        ask(terms.offer([Width::CALL, Width::calls(3)]).vary(["amount"]))
    };
    let rules = || policy([wide()]);
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let pending = bank.ask(&grant, pay(1));
    let question = bank.question(&pending.id());
    let shown = question.view().digest();
    bank.reviews().approve(&question, &bank.person("ada"), &shown, Width::calls(3)).unwrap();
    bank.authorize(&grant, pay(2)).unwrap().start().unwrap().succeed();
    // Another question keeps the task open.
    let other = Call::new("bank.pay", json!({ "amount": 5, "note": "another" })).unwrap();
    let waits = bank.ask(&grant, other);
    bank.broker.control().restate(Assertion::human("ada").group("sales")).unwrap().finish();
    let text = pending.to_text().unwrap();
    bank.dies((task, grant, pending, question, waits), rules());
    assert!(bank.gate().pending(&text).is_none());
    bank.dies((), rules());
    assert!(bank.gate().pending(&text).is_none(), "it came back");
    let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
    assert_eq!(bank.authorize(&grant, pay(3)).unwrap_err().reason(), Reason::ApprovalRequired);
    assert_eq!(bank.voided(), ["void reviewers"]);
    bank.verify();
}

/// As above, where names are folded since: the log has them as they were spelled before
#[test]
fn who_was_restated_or_delegated_to_is_known_again_where_names_are_folded_since() {
    let rules = |folds: bool| {
        let pay = Rule::permit("pay").tools(["bank.pay", "ping"]).any_args().depth(1);
        let pay = pay.on([Moment::Request, Moment::Delegate, Moment::Call]);
        let builder = Policy::builder().rules([pay, four_eyes()]);
        if folds { builder.fold_names() } else { builder }.build().unwrap()
    };
    for restated in [false, true] {
        let mut bank = Bank::new(rules(false));
        let (task, above) = bank.open("bills", &bank.attest("boss"));
        let payer = bank.attest("Payer");
        let all = || Scope::tool("bank.pay").any_args().and(Scope::tool("ping").any_args());
        let grant = task.request_for(&payer, all(), &Context::new()).unwrap();
        let helper = bank.attest(Assertion::human("Helper").group("finance"));
        let below = task.delegate(&grant, &helper, Scope::tool("ping").any_args(), &Context::new());
        let pending = bank.ask(&grant, pay(98));
        if restated {
            bank.approve(&pending.id(), &bank.person("Ada")).unwrap();
            let facts = Assertion::human("Ada").group("sales");
            bank.broker.control().restate(facts).unwrap().finish();
        }
        let (id, text) = (pending.id(), pending.to_text().unwrap());
        bank.dies((task, above, grant, below.unwrap(), pending), rules(true));
        if restated {
            assert!(bank.gate().pending(&text).is_none());
        } else {
            let answer = bank.approve(&id, &bank.person("helper"));
            assert_eq!(answer.unwrap_err(), NotCounted::NotEligible);
        }
    }
}

/// P11, over a restart: what takes an approval away is written when it returns
#[test]
fn what_took_an_approval_away_is_not_undone_by_a_kill() {
    let rules = || policy([four_eyes()]);
    type End = fn(&Bank);
    let ends: [(&str, End); 4] = [
        ("restated", |bank| {
            let facts = Assertion::human("ada").group("sales");
            bank.broker.control().restate(facts).unwrap().finish();
        }),
        ("reloaded", |bank| {
            bank.broker.reload(&policy([])).unwrap().finish();
        }),
        ("ended", |bank| {
            let ended = bank.broker.control().revoke_task("bills").unwrap();
            assert!(ended.and_flush(MINUTE).is_ok());
        }),
        ("revoked", |bank| {
            let ended = bank.broker.control().revoke_identity("payer").unwrap();
            assert!(ended.and_flush(MINUTE).is_ok());
        }),
    ];
    for (what, end) in ends {
        let mut bank = Bank::new(rules());
        let (task, grant) = bank.open("bills", &bank.attest("payer"));
        let pending = bank.ask(&grant, pay(98));
        bank.approve(&pending.id(), &bank.person("ada")).unwrap();
        end(&bank);
        let text = pending.to_text().unwrap();
        bank.is_killed((task, grant, pending), rules(), |own| own);
        assert!(bank.gate().pending(&text).is_none(), "{what}");
    }
}
