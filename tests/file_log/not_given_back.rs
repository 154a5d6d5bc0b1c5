//! What a restart gives back to no one: time that has passed, uses, roles, and what nothing is known of.

use hallpass::audit::{Asked, Event, How, ThreadedSink};
use hallpass::clock::Clock as _;
use hallpass::policy::{ApprovalTerms, BreakGlassTerms, Moment, Per};
use hallpass::prelude::*;
use hallpass::testing::{FailingSink, HangingSink};
use hallpass::{NotCounted, QuestionState};
use serde_json::json;

use super::bank::{Bank, MINUTE, ask, everything, four_eyes, line, pay, policy};
use super::outliving::ask_and_die;

fn ping() -> Call {
    Call::new("ping", json!({})).unwrap()
}

fn taken_up_for(bank: &Bank, who: &Identity) -> Result<(), Reason> {
    bank.broker.resume("bills", who).map(drop).map_err(|denial| denial.reason())
}

#[test]
fn a_task_is_taken_up_by_none_whose_attestation_is_over_or_of_another_broker() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    ask_and_die(&mut bank, rules());
    let elsewhere = Bank::new(policy([])).attest("payer");
    assert_eq!(taken_up_for(&bank, &elsewhere), Err(Reason::ForeignIdentity));
    let late = bank.clock.read().unwrap().wall.checked_add(MINUTE).unwrap();
    let short = bank.attest(Assertion::agent("payer").until(late));
    bank.clock.advance(MINUTE);
    assert_eq!(taken_up_for(&bank, &short), Err(Reason::IdentityExpired));
    assert_eq!(taken_up_for(&bank, &bank.attest("payer")), Ok(()));
}

/// The time of a task goes on while it lies in the log, and after.
#[test]
fn a_task_is_not_taken_up_from_its_ceiling_on() {
    let rules = || {
        let long = ApprovalTerms::per(Per::Call).review(line("finance")).expires(60 * MINUTE);
        policy([ask(long)])
    };
    for (minutes, resumed) in [(59, Ok(())), (60, Err(Reason::TaskOver))] {
        let mut bank = Bank::new(rules());
        ask_and_die(&mut bank, rules());
        bank.clock.advance(minutes * MINUTE);
        // No sweep has come by.
        assert_eq!(taken_up_for(&bank, &bank.attest("payer")), resumed);
    }
    // Past it before the next life begins.
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let pending = bank.ask(&grant, pay(98));
    bank.clock.advance(60 * MINUTE);
    bank.dies((task, grant, pending), rules());
    assert_eq!(taken_up_for(&bank, &bank.attest("payer")), Err(Reason::TaskOver));
    assert_eq!((bank.voided(), bank.interrupted()), (vec!["expired time".to_owned()], 1));
    bank.verify();
}

/// What the log has not taken has not happened, and what it may have taken can't happen twice.
#[test]
fn a_task_whose_taking_up_is_not_known_to_be_recorded_is_held_by_no_one() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let pending = bank.ask(&grant, pay(98));
    let mut refusing = None;
    assert_eq!(bank.broker.flush(), 0);
    bank.is_killed_and_logs((task, grant, pending), rules(), |own, log| {
        let sink = FailingSink::new(log);
        refusing = Some(sink.clone());
        own.log(sink)
    });
    refusing.unwrap().fail_next(1);
    let payer = bank.attest("payer");
    assert_eq!(taken_up_for(&bank, &payer), Err(Reason::LogRefused));
    // It waits still, and is taken up once the log takes that.
    let (task, grant) = bank.resume("bills", &payer);
    let pending = bank.ask(&grant, pay(98));
    assert_eq!(bank.broker.flush(), 0);
    let mut hanging = None;
    bank.is_killed_and_logs((task, grant, pending), rules(), |own, log| {
        let sink = HangingSink::new(log);
        hanging = Some(sink.clone());
        own.log(ThreadedSink::new(sink)).log_timeout(std::time::Duration::from_millis(1))
    });
    let hanging = hanging.unwrap();
    hanging.hang();
    let payer = bank.attest("payer");
    assert_eq!(taken_up_for(&bank, &payer), Err(Reason::LogRefused));
    assert_eq!(taken_up_for(&bank, &payer), Err(Reason::TaskOver));
    hanging.release();
    bank.verify();
    let ended = |record: &hallpass::audit::Record| {
        matches!(record.event, Event::Ended { how: How::Dropped, .. })
    };
    assert_eq!(bank.records().iter().filter(|own| ended(own)).count(), 1);
}

/// attack 116, over a restart: also of those for whom the holder asked
#[test]
fn a_question_of_one_whose_requester_was_restated_does_not_come_back() {
    let rules = || policy([four_eyes()]);
    for restated in [None, Some("boss"), Some("eve")] {
        let mut bank = Bank::new(rules());
        let (task, above) = bank.open("bills", &bank.person("boss"));
        let payer = bank.attest("payer");
        let grant = task.request_for(&payer, all(), &Context::new()).unwrap();
        let text = bank.ask(&grant, pay(98)).to_text().unwrap();
        if let Some(name) = restated {
            let facts = Assertion::human(name).group("sales");
            bank.broker.control().restate(facts).unwrap().finish();
        }
        bank.dies((task, above, grant), rules());
        let stands = restated != Some("boss");
        assert_eq!(bank.gate().pending(&text).is_some(), stands, "{restated:?}");
    }
}

fn all() -> Scope {
    Scope::tool("bank.pay").any_args().and(Scope::tool("ping").any_args())
}

/// attack 104, over a restart: who opened the task does not answer what others ask in it
#[test]
fn who_opened_the_task_does_not_answer_after_the_restart_what_its_holders_asked() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (task, above) = bank.open("bills", &bank.person("boss"));
    let payer = bank.attest("payer");
    let grant = task.request_for(&payer, all(), &Context::new()).unwrap();
    let id = bank.ask(&grant, pay(98)).id();
    bank.dies((task, above, grant), rules());
    let answer = |name: &str| bank.approve(&id, &bank.person(name)).map(|own| own.state);
    assert_eq!(answer("boss"), Err(NotCounted::NotEligible));
    assert_eq!(answer("ada"), Ok(QuestionState::Approved));
}

fn incident() -> [Rule; 2] {
    let glass = Rule::permit("incident").on([Moment::BreakGlass]).tools(["bank.pay"]).any_args();
    let glass = glass.ttl(15 * MINUTE).uses(3);
    let glass = glass.break_glass(BreakGlassTerms::reviewed_by(line("security")));
    let on = [Moment::BreakGlass, Moment::Call];
    [glass, four_eyes().on(on)]
}

/// What breaking the glass gave is not taken up again, nor is anything of it kept but that it happened.
#[test]
fn a_task_in_which_the_glass_was_broken_is_not_taken_up() {
    for broken in [false, true] {
        let rules = || policy(incident());
        let alerted = |own: hallpass::BrokerBuilder| own.break_glass_alert(|_| Ok(()), MINUTE);
        let mut bank = Bank::with(rules(), alerted);
        let boss = bank.attest(Assertion::human("boss"));
        let (task, grant) = bank.open("bills", &boss);
        let waits = bank.ask(&grant, pay(98)).to_text().unwrap();
        let mut held = None;
        if broken {
            let scope = Scope::tool("bank.pay").any_args();
            let glass = task.break_glass(scope, "bills are due", &Context::new());
            let glass = glass.unwrap_or_else(|denial| panic!("{}", denial.explain()));
            bank.ask(&glass, pay(97));
            held = Some(glass);
        }
        let sealed = |record: hallpass::audit::Record| match record.event {
            Event::Asked(Asked { break_glass, sealed, .. }) => {
                Some((break_glass, sealed.is_some()))
            }
            _ => None,
        };
        let sealed: Vec<_> = bank.records().into_iter().filter_map(sealed).collect();
        let own = [(false, true), (true, false)];
        assert_eq!(sealed, own[..1 + usize::from(broken)]);
        bank.dies_and((task, grant, held), rules(), alerted);
        assert_eq!(bank.gate().pending(&waits).is_none(), broken);
        let resumed = taken_up_for(&bank, &bank.attest(Assertion::human("boss")));
        assert_eq!(resumed, if broken { Err(Reason::TaskOver) } else { Ok(()) });
    }
}

/// attack 188: where a rule keeps what a permit took that never started, so does the next life
#[test]
fn a_permit_that_never_started_gives_nothing_back_over_a_restart_where_the_rule_keeps_it() {
    for (keeps, in_hand) in [(true, false), (true, true), (false, false), (false, true)] {
        let rules = || {
            let pay = Rule::permit("pay").tools(["bank.pay"]).any_args().any_resource().uses(2);
            let ping = Rule::permit("ping").tools(["ping"]).any_args();
            let pay = if keeps { pay.no_refund() } else { pay };
            Policy::builder().rules([pay, ping, four_eyes()]).build().unwrap()
        };
        let mut bank = Bank::new(rules());
        let (task, grant) = bank.open("bills", &bank.attest("payer"));
        for amount in 0..3 {
            let id = bank.ask(&grant, pay(amount)).id();
            bank.approve(&id, &bank.person("ada")).unwrap();
        }
        let permit = bank.authorize(&grant, pay(0)).unwrap();
        let held = in_hand.then_some(permit);
        bank.dies((task, grant, held), rules());
        let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
        let run = |amount| {
            let permit = bank.authorize(&grant, pay(amount));
            permit.map(|own| own.start().unwrap().succeed()).map_err(|denial| denial.reason())
        };
        // The yes, and the use.
        assert_eq!(run(1), Ok(()));
        let left = if keeps { Reason::ApprovalRequired } else { Reason::UsesSpent };
        match keeps {
            true => {
                assert_eq!(run(0), Err(left), "{in_hand}");
                assert_eq!(run(2), Err(Reason::UsesSpent), "{in_hand}");
            }
            false => {
                assert_eq!(run(0), Ok(()), "{in_hand}");
                assert_eq!(run(2), Err(left), "{in_hand}");
            }
        }
        bank.verify();
    }
}

/// attack 188: how long all grants of a rule live counts from the first, whatever died since
#[test]
fn the_whole_life_of_grants_goes_on_over_a_restart() {
    let rules = || {
        let pay = Rule::permit("pay").tools(["bank.pay", "ping"]).any_args().any_resource();
        let pay = pay.max_life(8 * MINUTE).ttl(5 * MINUTE);
        Policy::builder().rules([pay, four_eyes()]).build().unwrap()
    };
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let last = grant.expires().checked_add(3 * MINUTE).unwrap();
    bank.ask(&grant, pay(98));
    bank.clock.advance(4 * MINUTE);
    bank.dies((task, grant), rules());
    let (task, grant) = bank.resume("bills", &bank.attest("payer"));
    assert_eq!(grant.expires(), last);
    bank.clock.advance(4 * MINUTE);
    assert!(everything(&task).is_err());
}

#[test]
fn what_was_approved_before_the_restart_leaves_room_for_other_questions() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let id = bank.ask(&grant, pay(1)).id();
    bank.approve(&id, &bank.person("ada")).unwrap();
    bank.dies_and((task, grant), rules(), |own| own.max_questions(1, 1));
    let (_task, grant) = bank.resume("bills", &bank.attest("payer"));
    bank.ask(&grant, pay(2));
    let full = bank.authorize(&grant, pay(3)).unwrap_err();
    assert_eq!(full.reason(), Reason::TooMany);
}

/// The next life says so at once, of each.
#[test]
fn a_question_whose_time_is_over_by_the_restart_is_recorded_as_expired() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let late = bank.ask(&grant, pay(1)).to_text().unwrap();
    bank.clock.advance(4 * MINUTE);
    let in_time = bank.ask(&grant, pay(2)).to_text().unwrap();
    bank.clock.advance(11 * MINUTE);
    bank.dies((task, grant), rules());
    assert_eq!(bank.voided(), ["expired time"]);
    assert!(bank.gate().pending(&in_time).is_some());
    let late = bank.gate().pending(&late);
    assert!(late.is_none_or(|own| own.state() == QuestionState::Expired));
    bank.verify();
}

/// Its parent is gone with the process, and what was to be delegated is not requested instead.
#[test]
fn a_plan_of_a_delegation_does_not_come_back() {
    let terms = || ApprovalTerms::per(Per::Task).review(line("finance"));
    let rules = || {
        let plans = Rule::ask("plans").on([Moment::Delegate]).tool("bank.pay").approval(terms());
        policy([plans])
    };
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let helper = bank.attest("helper");
    let scope = Scope::tool("bank.pay").any_args();
    let plan = task.delegate(&grant, &helper, scope, &Context::new()).unwrap_err();
    let pending = plan.pending().unwrap_or_else(|| panic!("{}", plan.explain()));
    bank.approve(&pending.id(), &bank.person("ada")).unwrap();
    let text = pending.to_text().unwrap();
    bank.authorize(&grant, ping()).unwrap().start().unwrap().succeed();
    bank.dies((task, grant, plan), rules());
    assert!(bank.gate().pending(&text).is_none());
    assert_eq!(bank.voided(), ["void restart"]);
    assert_eq!(taken_up_for(&bank, &bank.attest("payer")), Err(Reason::TaskOver));
    bank.verify();
}

/// What never started comes back three times, however many restarts there were.
#[test]
fn restarts_give_a_yes_back_no_more_often_than_one_life_does() {
    let rules = || policy([four_eyes()]);
    let mut bank = Bank::new(rules());
    let (task, grant) = bank.open("bills", &bank.attest("payer"));
    let id = bank.ask(&grant, pay(98)).id();
    bank.approve(&id, &bank.person("ada")).unwrap();
    // Something else keeps the task open.
    bank.ask(&grant, pay(1));
    let mut held = Some((task, grant));
    let mut permitted = 0;
    for _ in 0..6 {
        let (task, grant) = held.take().unwrap();
        let permit = bank.authorize(&grant, pay(98));
        permitted += u32::from(permit.is_ok());
        bank.dies((permit, task, grant), rules());
        held = Some(bank.resume("bills", &bank.attest("payer")));
    }
    assert_eq!(permitted, 4);
    bank.verify();
}
