//! Questions that outlive the process that asked them.

use hallpass::audit::explain;
use hallpass::clock::Timestamp;
use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Per, Tool, Width};
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any};
use hallpass::{Halt, NotCounted, QuestionState};
use serde_json::json;

use super::bank::{Bank, MINUTE, ask, everything, four_eyes, line, pay, policy};

/// Asks, and has the process die: the text and the view of what waits.
pub(crate) fn ask_and_die(bank: &mut Bank, policy: Policy) -> (String, String, String) {
    let payer = bank.attest("payer");
    let (task, grant) = bank.open("bills", &payer);
    let pending = bank.ask(&grant, pay(98));
    let (id, text) = (pending.id(), pending.to_text().unwrap());
    let view = bank.question(&id).view().to_string();
    bank.dies((task, grant, pending), policy);
    (id, text, view)
}

#[test]
fn a_question_waits_again_under_its_id_in_the_same_words_and_exactly_its_call_runs() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (id, text, view) = ask_and_die(&mut bank, rules());
    let ada = bank.person("ada");
    // Before anybody takes the task up again, people can look and answer.
    let [listed] = &bank.reviews().list(&ada)[..] else { panic!() };
    assert_eq!((listed.id(), listed.view().to_string()), (id.clone(), view));
    assert_eq!(bank.approve(&id, &ada).unwrap().state, QuestionState::Approved);
    let payer = bank.attest("payer");
    let (task, grant) = bank.resume("bills", &payer);
    assert!(task.pending().is_empty());
    let receipt =
        bank.redeem(&text, &grant).unwrap().run(|running| Ok::<_, ()>(running.args().to_json()));
    assert_eq!(*receipt.unwrap().raw(), pay(98).args().to_json());
    let again = bank.redeem(&text, &grant).unwrap_err();
    assert_eq!(again.reason(), Reason::ApprovalSpent);
    assert!(bank.authorize(&grant, pay(98)).unwrap_err().pending().is_some(), "another question");
    bank.verify();
    let told = explain(&bank.records(), "bills");
    assert!(told[0].sentences.iter().any(|own| own.text.contains("took the task up again")));
}

/// The yes was given before, and is good for the frozen call alone, once, and as long as it was to be.
#[test]
fn a_yes_of_before_is_good_for_its_call_once_and_no_longer_than_it_was() {
    let rules = || {
        policy([ask(ApprovalTerms::per(Per::Call).review(line("finance")).good_for(10 * MINUTE))])
    };
    for late in [false, true] {
        let mut bank = Bank::new(rules());
        let payer = bank.attest("payer");
        let (task, grant) = bank.open("bills", &payer);
        let pending = bank.ask(&grant, pay(98));
        bank.approve(&pending.id(), &bank.person("ada")).unwrap();
        let text = pending.to_text().unwrap();
        bank.dies((task, grant, pending), rules());
        bank.clock.advance(if late { 10 * MINUTE } else { 9 * MINUTE });
        let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
        if late {
            assert_eq!(bank.redeem(&text, &grant).unwrap_err().reason(), Reason::ApprovalVoid);
            assert_eq!(
                bank.authorize(&grant, pay(98)).unwrap_err().reason(),
                Reason::ApprovalRequired
            );
        } else {
            assert_eq!(
                bank.authorize(&grant, pay(99)).unwrap_err().reason(),
                Reason::ApprovalRequired
            );
            // An equal call is served, too.
            let permit = bank.authorize(&grant, pay(98)).unwrap();
            assert_eq!(bank.redeem(&text, &grant).unwrap_err().reason(), Reason::ApprovalSpent);
            permit.start().unwrap().succeed();
            assert_eq!(bank.redeem(&text, &grant).unwrap_err().reason(), Reason::ApprovalSpent);
        }
        bank.verify();
    }
}

/// attack 113, over a restart: what has been answered is written by then
#[test]
fn a_no_is_in_the_log_before_who_said_it_is_told_that_it_counts() {
    let rules = || policy([four_eyes()]);
    for denied in [false, true] {
        let mut bank = Bank::new(rules());
        let (task, grant) = bank.open("bills", &bank.attest("payer"));
        let pending = bank.ask(&grant, pay(98));
        bank.approve(&pending.id(), &bank.person("ada")).unwrap();
        if denied {
            let question = bank.question(&pending.id());
            bank.reviews().deny(&question, &bank.person("bob"), "no").unwrap();
        }
        let text = pending.to_text().unwrap();
        bank.is_killed((task, grant, pending), rules(), |own| own);
        assert_eq!(bank.gate().pending(&text).is_some(), !denied);
    }
}

/// As a no: an operator took it back, or a reviewer has another call asked in its place
#[test]
fn what_was_taken_back_or_amended_does_not_wait_again() {
    let rules = || policy([four_eyes()]);
    for amended in [false, true] {
        let mut bank = Bank::new(rules());
        let (task, grant) = bank.open("bills", &bank.attest("payer"));
        let pending = bank.ask(&grant, pay(98));
        assert_eq!(bank.broker.flush(), 0);
        let question = bank.question(&pending.id());
        if amended {
            let (ada, shown) = (bank.person("ada"), question.view().digest());
            bank.reviews().amend(&question, &ada, &shown, pay(10)).unwrap();
        } else {
            bank.reviews().cancel(&question).unwrap();
        }
        let text = pending.to_text().unwrap();
        bank.is_killed((task, grant, pending, question), rules(), |own| own);
        assert!(bank.gate().pending(&text).is_none(), "{amended}");
        assert_eq!(bank.reviews().list(&bank.person("eve")).len(), usize::from(amended));
    }
}

/// attacks 74 and 75: what was given is not given back with the task
#[test]
fn nothing_of_before_is_presented_to_a_task_that_is_taken_up_again() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let payer = bank.attest("payer");
    let (task, grant) = bank.open("bills", &payer);
    let token = grant.token().expose().to_owned();
    bank.ask(&grant, pay(98));
    bank.dies((task, grant), rules());
    let payer = bank.attest("payer");
    assert!(bank.broker.standing().grants.is_empty());
    let (task, _grant) = bank.resume("bills", &payer);
    assert_eq!(task.generation(), 1);
    let ping = Call::new("ping", json!({})).unwrap();
    let denial = bank.gate().authorize(&token, &payer, ping, &Context::new()).unwrap_err();
    // The ring of the next life did not make it; under a ring that did, its grant is not there.
    assert_eq!(denial.reason(), Reason::UnknownKey, "{}", denial.explain());
    drop(task);
}

#[test]
fn a_task_is_taken_up_once_by_who_had_opened_it_and_by_nothing_else() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (_, text, _) = ask_and_die(&mut bank, rules());
    let reason = |name: &str, who: &Identity| bank.broker.resume(name, who).unwrap_err().reason();
    let payer = bank.attest("payer");
    assert_eq!(reason("others", &payer), Reason::TaskOver);
    for other in [
        bank.attest("thief"),
        bank.attest(Assertion::workload("payer")),
        bank.attest(Assertion::agent("payer").acts_for("ada", Kind::Human)),
    ] {
        assert_eq!(reason("bills", &other), Reason::NotTheHolder);
    }
    let opened = bank.broker.open_named("bills", &payer, Purpose::new("pay-bill"));
    assert_eq!(opened.unwrap_err().reason(), Reason::TaskNameTaken, "a name takes nothing up");
    bank.broker.control().halt(Halt::identity("payer").unwrap());
    assert_eq!(reason("bills", &payer), Reason::Halted);
    bank.broker.control().resume(&Halt::identity("payer").unwrap());
    let (task, _) = bank.resume("bills", &payer);
    assert_eq!(reason("bills", &payer), Reason::TaskNameTaken);
    task.complete();
    assert!(bank.gate().pending(&text).is_none());
    assert_eq!(reason("bills", &payer), Reason::TaskOver);
    let live = bank.broker.open_named("bills", &payer, Purpose::new("pay-bill")).unwrap();
    assert_eq!(reason("bills", &payer), Reason::TaskNameTaken, "one that has a handle");
    drop(live);
    bank.verify();
}

/// attacks 104 and 105: by every name there was
#[test]
fn those_who_took_part_before_the_restart_can_not_answer_after_it() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let finance = |name: &str| Assertion::human(name).group("finance");
    let boss = bank.attest(finance("boss").alias("chief@acme.test"));
    let (task, grant) = bank.open("bills", &boss);
    let pending = bank.ask(&grant, pay(98));
    // To a delegate of the asker, known by another name, which is delegated to after the question.
    let helper = bank.attest(finance("helper").alias("second"));
    let below = task.delegate(&grant, &helper, Scope::tool("ping").any_args(), &Context::new());
    let text = pending.to_text().unwrap();
    let below = below.unwrap_or_else(|denial| panic!("{}", denial.explain()));
    bank.dies((task, grant, pending, below), rules());
    let id = bank.gate().pending(&text).unwrap().id();
    for name in ["boss", "BOSS", "chief+x@acme.test", "helper", "second", " Second"] {
        let who = bank.attest(finance("other").alias(name.trim()));
        let answer = bank.approve(&id, &who);
        assert_eq!(answer.unwrap_err(), NotCounted::NotEligible, "{name}");
    }
    assert!(bank.approve(&id, &bank.person("ada")).is_ok());
}

/// attack 166, over a restart
#[test]
fn what_was_denied_too_often_stays_cool_and_questions_stay_capped() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let payer = bank.attest("payer");
    let (task, grant) = bank.open("bills", &payer);
    let ada = bank.person("ada");
    let waits = bank.ask(&grant, pay(7)).id();
    for amount in 0..3 {
        let id = bank.ask(&grant, pay(amount)).id();
        bank.reviews().deny(&bank.question(&id), &ada, "no").unwrap();
    }
    let held = bank.authorize(&grant, pay(1)).unwrap_err();
    assert_eq!(held.reason(), Reason::TooMany);
    bank.dies((task, grant), rules());
    let (task, grant) = bank.resume("bills", &bank.attest("payer"));
    assert_eq!(bank.authorize(&grant, pay(1)).unwrap_err().reason(), Reason::TooMany);
    bank.clock.advance(10 * MINUTE);
    let grant = everything(&task).unwrap();
    assert_eq!(bank.authorize(&grant, pay(1)).unwrap_err().reason(), Reason::ApprovalRequired);
    bank.dies_and((task, grant), rules(), |own| own.max_questions(2, 2));
    let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
    assert!(bank.question(&waits).state() == QuestionState::Waiting);
    let third = bank.authorize(&grant, pay(2)).unwrap_err();
    assert_eq!(third.reason(), Reason::TooMany, "both that wait count");
    let known = bank.authorize(&grant, pay(7)).unwrap_err();
    assert_eq!(known.pending().unwrap().id(), waits, "the same call is the same question");
}

/// attack 188, within a task
#[test]
fn what_a_task_had_spent_stays_spent() {
    let rules = || {
        let pay = Rule::permit("pay").tools(["bank.pay"]).any_args().any_resource().uses(2);
        let ping = Rule::permit("ping").tools(["ping"]).any_args();
        Policy::builder().rules([pay, ping, four_eyes()]).build().unwrap()
    };
    let mut bank = Bank::new(rules());
    let payer = bank.attest("payer");
    let (task, grant) = bank.open("bills", &payer);
    let ada = bank.person("ada");
    for amount in 0..2 {
        let id = bank.ask(&grant, pay(amount)).id();
        bank.approve(&id, &ada).unwrap();
    }
    bank.authorize(&grant, pay(0)).unwrap().start().unwrap().succeed();
    // One that never started gives back what it took, before and after.
    drop(bank.authorize(&grant, pay(1)).unwrap());
    for _ in 0..5 {
        let ping = Call::new("ping", json!({})).unwrap();
        bank.authorize(&grant, ping).unwrap().start().unwrap().succeed();
    }
    let third = bank.ask(&grant, pay(2)).id();
    bank.dies((task, grant), rules());
    bank.approve(&third, &bank.person("ada")).unwrap();
    let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
    bank.authorize(&grant, pay(1)).unwrap().start().unwrap().succeed();
    let spent = bank.authorize(&grant, pay(2)).unwrap_err();
    assert_eq!(spent.reason(), Reason::UsesSpent);
    bank.verify();
}

/// attack 153, over a restart: a call of before counts as seen
#[test]
fn what_a_task_had_seen_stays_seen() {
    let rules = || {
        let pay = Rule::permit("pay").tools(["bank.pay", "ping"]).any_args();
        let tainted = Rule::forbid("tainted").tool("bank.pay").seen(has_any(["web"]));
        let tools = [Tool::new("bank.pay"), Tool::new("ping").label("web")];
        Policy::builder().tools(tools).rules([pay, tainted, four_eyes()]).build().unwrap()
    };
    for seen in [false, true] {
        let mut bank = Bank::new(rules());
        let (task, grant) = bank.open("bills", &bank.attest("payer"));
        let pending = bank.ask(&grant, pay(1));
        bank.approve(&pending.id(), &bank.person("ada")).unwrap();
        if seen {
            let ping = Call::new("ping", json!({})).unwrap();
            bank.authorize(&grant, ping).unwrap().start().unwrap().succeed();
        }
        let text = pending.to_text().unwrap();
        bank.dies((task, grant, pending), rules());
        let task = bank.broker.resume("bills", &bank.attest("payer")).unwrap();
        let grant = task.request(Scope::tool("bank.pay").any_args(), &Context::new());
        match grant {
            Ok(grant) => assert!(!seen && bank.redeem(&text, &grant).is_ok()),
            Err(denial) => assert!(seen && denial.reason() == Reason::Forbidden),
        }
    }
}

#[test]
fn a_plan_waits_again_item_by_item() {
    let terms = || ApprovalTerms::per(Per::Task).review(line("finance"));
    let rules = || policy([Rule::ask("plans").tool("bank.pay").approval(terms())]);
    let mut bank = Bank::new(rules());
    let payer = bank.attest("payer");
    let task = bank.broker.open_named("bills", &payer, Purpose::new("pay-bill")).unwrap();
    let item = |to: &str| Scope::tool("bank.pay").other_args().arg("z", eq(1)).arg("to", eq(to));
    let scope = || item("a").and(item("b")).and(item("c"));
    let plan = task.request(scope(), &Context::new()).unwrap_err();
    let plan = plan.pending().unwrap().clone();
    let ada = bank.person("ada");
    let question = bank.question(&plan.id());
    let (shown, view) = (question.view().digest(), question.view().to_string());
    bank.reviews().approve_items(&question, &ada, &shown, &[1]).unwrap();
    bank.reviews().deny_items(&question, &ada, &[2], "no").unwrap();
    let text = plan.to_text().unwrap();
    bank.dies((task, plan, question), rules());
    let task = bank.broker.resume("bills", &bank.attest("payer")).unwrap();
    let pending = bank.gate().pending(&text).unwrap();
    let question = bank.question(&pending.id());
    assert_eq!(question.view().to_string(), view);
    assert_eq!(question.state(), QuestionState::Partial);
    let same = task.request(scope(), &Context::new()).unwrap_err();
    assert_ne!(same.pending().unwrap().id(), pending.id(), "of the first item nothing is asked");
    assert!(task.request(item("a"), &Context::new()).is_ok());
    assert!(task.request(item("b"), &Context::new()).is_err());
    let ada = bank.person("ada");
    bank.reviews().approve_items(&question, &ada, &shown, &[3]).unwrap();
    let grant = task.take_part(&pending, &Context::new()).unwrap();
    assert_eq!(grant.scope().len(), 2);
    bank.verify();
}

/// Less was asked for than policy gives, and later: so it is after a restart, too.
#[test]
fn a_plan_is_taken_for_the_time_it_was_asked_for() {
    let terms = || ApprovalTerms::per(Per::Task).review(line("finance"));
    let rules = || policy([Rule::ask("plans").tool("bank.pay").approval(terms())]);
    for restarts in [false, true] {
        let mut bank = Bank::new(rules());
        let payer = bank.attest("payer");
        let mut task = bank.broker.open_named("bills", &payer, Purpose::new("pay-bill")).unwrap();
        let starts = Timestamp::parse_rfc3339("2026-01-01T00:02:00Z").unwrap();
        let ends = starts.checked_add(MINUTE).unwrap();
        let scope = Scope::tool("bank.pay").any_args().starting(starts).ttl(MINUTE);
        let plan = task.request(scope, &Context::new()).unwrap_err();
        let mut pending = plan.pending().unwrap().clone();
        bank.approve(&pending.id(), &bank.person("ada")).unwrap();
        if restarts {
            let text = pending.to_text().unwrap();
            bank.dies((task, pending), rules());
            task = bank.broker.resume("bills", &bank.attest("payer")).unwrap();
            pending = bank.gate().pending(&text).unwrap();
        }
        let grant = task.take(&pending, &Context::new()).unwrap();
        assert_eq!((grant.starts(), grant.expires()), (Some(starts), ends), "{restarts}");
        let early = bank.authorize(&grant, pay(1)).unwrap_err();
        assert_eq!(early.reason(), Reason::NotYet);
    }
}

#[test]
fn a_width_has_after_the_restart_the_uses_that_were_left() {
    let terms = || ApprovalTerms::per(Per::Call).review(line("finance"));
    let wide = || terms().offer([Width::calls(3)]).vary(["amount"]);
    let rules = || policy([ask(wide())]);
    let mut bank = Bank::new(rules());
    let payer = bank.attest("payer");
    let (task, grant) = bank.open("bills", &payer);
    let pending = bank.ask(&grant, pay(1));
    let question = bank.question(&pending.id());
    let shown = question.view().digest();
    bank.reviews().approve(&question, &bank.person("ada"), &shown, Width::calls(3)).unwrap();
    bank.authorize(&grant, pay(2)).unwrap().start().unwrap().succeed();
    // Permitted and not started when it dies: it comes back.
    let unstarted = bank.authorize(&grant, pay(3)).unwrap();
    bank.dies((task, grant, pending, question, unstarted), rules());
    let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
    for amount in [4, 5] {
        bank.authorize(&grant, pay(amount)).unwrap().start().unwrap().succeed();
    }
    assert_eq!(bank.authorize(&grant, pay(6)).unwrap_err().reason(), Reason::ApprovalRequired);
    bank.verify();
}
