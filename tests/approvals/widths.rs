//! Widths: how far one yes reaches beyond the call that was shown, and what ends that.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::audit::Event;
use hallpass::identity::Kind;
use hallpass::policy::{ApprovalTerms, Part, Per, Width};
use hallpass::prelude::*;
use hallpass::{Halt, NotCounted, QuestionState};
use serde_json::json;

use crate::desk::{Desk, pay, policy, terms};
use crate::office::{MINUTE, reviewers, run};

#[test]
fn a_reviewer_takes_a_width_that_is_offered_and_no_other() {
    let offered = [Width::calls(5), Width::task(), Width::lasting(10 * MINUTE)];
    let others = [Width::CALL, Width::calls(4), Width::task().with_uses(1), Width::calls(1000)];
    let desk = Desk::new(terms().offer(offered));
    let pending = desk.office.ask(&desk.grant, &pay(0));
    assert_eq!(desk.office.question(&pending).offers(), offered);
    for width in others {
        assert_eq!(desk.approve(&pending, "ada", width), Err(NotCounted::NotOffered), "{width}");
    }
    assert_eq!(pending.state(), QuestionState::Waiting);
    for (amount, width) in (1..).zip(offered) {
        assert_eq!(desk.approved(&pay(amount), width).state(), QuestionState::Approved);
    }
    // Where nothing is said, the one call alone is offered.
    let desk = Desk::new(terms());
    let pending = desk.office.ask(&desk.grant, &pay(0));
    assert_eq!(desk.office.question(&pending).offers(), [Width::CALL]);
    assert_eq!(desk.approve(&pending, "ada", Width::calls(5)), Err(NotCounted::NotOffered));
    desk.office.verify();
}

#[test]
fn an_equal_call_is_served_as_often_as_the_width_says_and_every_use_is_recorded() {
    let desk = Desk::new(terms().offer([Width::calls(3)]));
    let pending = desk.approved(&pay(1), Width::calls(3));
    assert!(!desk.is_served(&pay(2)), "another call is another question");
    desk.runs(&pay(1));
    assert_eq!(run(desk.office.redeem(&pending, &desk.grant).unwrap()), 1);
    assert_eq!(pending.state(), QuestionState::Approved);
    desk.runs(&pay(1));
    assert_eq!(pending.state(), QuestionState::Spent);
    assert_eq!(desk.office.refused(&pending, &desk.grant), Reason::ApprovalSpent);
    assert_ne!(desk.office.ask(&desk.grant, &pay(1)).id(), pending.id());
    let named = desk.office.events().into_iter().filter(|event| match event {
        Event::Permitted { approvals, .. } => *approvals == [pending.id()],
        _ => false,
    });
    assert_eq!(named.count(), 3);
    desk.office.verify();
}

#[test]
fn a_width_ends_with_its_time_with_the_task_or_with_the_usual_time() {
    let offers = [Width::lasting(10 * MINUTE), Width::task(), Width::calls(50)];
    for (width, length) in offers.into_iter().zip([10 * MINUTE, 30 * MINUTE, 5 * MINUTE]) {
        let desk = Desk::new(terms().offer(offers));
        let pending = desk.approved(&pay(1), width);
        desk.office.clock.advance(length - Duration::from_millis(1));
        let live = desk.is_served(&pay(1));
        assert!(live, "{width}");
        desk.office.clock.advance(Duration::from_millis(1));
        if width != Width::task() {
            assert!(!desk.is_served(&pay(1)), "{width}");
            assert_eq!(pending.state(), QuestionState::Lapsed, "{width}");
        }
        desk.office.verify();
    }
    // 20 calls, unless said.
    let desk = Desk::new(terms().offer([Width::task()]));
    let pending = desk.approved(&pay(1), Width::task());
    (0..20).for_each(|_| desk.runs(&pay(1)));
    assert_eq!(pending.state(), QuestionState::Spent);
    assert!(!desk.is_served(&pay(1)));
}

#[test]
fn three_permits_that_never_started_give_their_use_back_and_the_next_does_not() {
    let desk = Desk::new(terms().offer([Width::calls(3)]));
    let pending = desk.approved(&pay(1), Width::calls(3));
    (0..3).for_each(|_| drop(desk.permit(&pay(1))));
    // Three are held at once, and two of them are lost: three came back before.
    let held = [desk.permit(&pay(1)), desk.permit(&pay(1)), desk.permit(&pay(1))];
    assert_eq!(pending.state(), QuestionState::Spent);
    let [one, two, three] = held;
    drop((one, two));
    assert_eq!(pending.state(), QuestionState::Spent);
    three.start().unwrap().succeed();
    assert!(!desk.is_served(&pay(1)));
    desk.office.verify();
}

#[test]
fn a_use_that_comes_back_after_its_time_is_not_used() {
    let desk = Desk::new(terms().offer([Width::calls(3)]).good_for(MINUTE));
    let pending = desk.approved(&pay(1), Width::calls(3));
    desk.office.clock.advance(MINUTE - Duration::from_secs(1));
    let (lost, kept) = (desk.permit(&pay(1)), desk.permit(&pay(1)));
    desk.office.clock.advance(Duration::from_secs(2));
    assert_eq!(pending.state(), QuestionState::Spent, "two may start still");
    assert!(!desk.is_served(&pay(1)));
    drop(lost);
    assert!(!desk.is_served(&pay(1)));
    kept.start().unwrap().succeed();
    assert_eq!(pending.state(), QuestionState::Lapsed);
    desk.office.verify();
}

/// attack 113: a no takes back what was not used, and the permits that have not started
#[test]
fn a_no_takes_back_the_rest_of_a_wide_yes_and_lets_go_on_what_runs() {
    for uses in [2, 5] {
        let desk = Desk::new(terms().offer([Width::calls(uses)]));
        let pending = desk.approved(&pay(1), Width::calls(uses));
        let running = desk.permit(&pay(1)).start().unwrap();
        let permit = desk.permit(&pay(1));
        let bob = desk.office.person("bob", "finance");
        let said = desk.office.deny(&pending, &bob).unwrap();
        assert_eq!(said.state, QuestionState::Withdrawn);
        assert_eq!(permit.start().err().unwrap().reason(), Reason::ApprovalVoid);
        assert!(!desk.is_served(&pay(1)));
        running.succeed();
        assert_eq!(pending.state(), QuestionState::Withdrawn, "nothing comes back");
        desk.office.verify();
    }
}

/// P6, attack 116: between two uses
#[test]
fn a_reload_a_lost_role_and_the_end_of_the_task_end_what_is_left_of_a_wide_yes() {
    let wide = || terms().offer([Width::calls(5)]).vary(["amount"]);
    let desk = || {
        let desk = Desk::of(policy([wide()]));
        let pending = desk.approved(&pay(1), Width::calls(5));
        desk.runs(&pay(2));
        let permit = desk.permit(&pay(3));
        (desk, pending, permit)
    };
    let (own, pending, permit) = desk();
    own.office.reload(&policy([wide().same("amount", Part::Folder)]));
    own.office.reload(&policy([wide()]));
    assert_eq!(pending.state(), QuestionState::Void);
    assert!(permit.start().is_err());
    assert!(!own.is_served(&pay(1)) && !own.is_served(&pay(2)));
    own.office.verify();

    let (own, pending, permit) = desk();
    let facts = Assertion::human("ada").group("sales");
    own.office.broker.control().restate(facts).unwrap().finish();
    assert!(!own.is_served(&pay(4)));
    assert_eq!(pending.state(), QuestionState::Void);
    assert!(permit.start().is_err(), "it had not started");
    own.office.verify();

    let (own, pending, permit) = desk();
    own.office.broker.control().halt(Halt::identity("ada").unwrap());
    assert!(!own.is_served(&pay(4)), "a halted reviewer does not count meanwhile");
    own.office.broker.control().resume(&Halt::identity("ada").unwrap());
    assert!(own.is_served(&pay(4)));
    let Desk { office, task, .. } = own;
    task.complete();
    assert_eq!(pending.state(), QuestionState::Void);
    assert!(permit.start().is_err());
    office.verify();
}

/// attacks 155 and 164: a width belongs to its task and its holder
#[test]
fn a_width_serves_its_holder_in_its_task_and_no_delegate_of_it() {
    let desk = Desk::new(terms().offer([Width::calls(9)]).vary(["amount"]));
    let pending = desk.approved(&pay(1), Width::calls(9));
    let (office, context) = (&desk.office, Context::new());
    let scope = || Scope::tool("bank.pay").any_args();
    let helper = office.attest("clerk");
    let child = desk.task.delegate(&desk.grant, &helper, scope(), &context).unwrap();
    let refused = |grant: &Grant, who: &Identity| {
        for call in [pay(1), pay(2)] {
            let denial = office.gate.authorize(grant, who, call, &context).unwrap_err();
            assert_eq!(denial.reason(), Reason::ApprovalRequired);
        }
    };
    refused(&child, &helper);
    // The same agent for somebody else, and in another task.
    let for_bob = office.attest(Assertion::agent("payer").acts_for("bob", Kind::Human));
    let theirs = desk.task.request_for(&for_bob, scope(), &context).unwrap();
    refused(&theirs, &for_bob);
    let other = office.broker.open(desk.grant.holder(), Purpose::new("errand")).unwrap();
    let elsewhere = other.request(scope(), &context).unwrap();
    refused(&elsewhere, desk.grant.holder());
    // A fresh grant of the same task and holder is served, within what it covers.
    let narrow = Scope::tool("bank.pay")
        .arg("amount", hallpass::scope::max(5))
        .arg("to", hallpass::scope::eq("CH93"));
    let fresh = desk.task.request(narrow, &context).unwrap();
    office.authorize(&fresh, &pay(2)).unwrap().start().unwrap().succeed();
    assert_eq!(office.authorize(&fresh, &pay(6)).unwrap_err().reason(), Reason::OutOfScope);
    assert_eq!(pending.state(), QuestionState::Approved);
    office.verify();
}

#[test]
fn several_asks_offer_what_all_of_them_do_and_vary_what_all_of_them_let() {
    let one = terms().offer([Width::calls(2), Width::calls(5)]).vary(["amount", "to"]);
    let two = terms().offer([Width::calls(5), Width::task()]).vary(["amount"]);
    let desk = Desk::of(policy([one.clone(), two]));
    let pending = desk.office.ask(&desk.grant, &pay(1));
    assert_eq!(desk.office.question(&pending).offers(), [Width::calls(5)]);
    assert_eq!(desk.approve(&pending, "ada", Width::calls(2)), Err(NotCounted::NotOffered));
    desk.approve(&pending, "ada", Width::calls(5)).unwrap();
    assert!(desk.is_served(&pay(2)));
    let elsewhere = json!({ "to": "XX66", "amount": 1 });
    assert!(!desk.is_served(&Call::new("bank.pay", elsewhere).unwrap()));
    // With nothing in common no yes would be one to both, and no one is asked.
    let desk = Desk::of(policy([one, terms()]));
    let denial = desk.office.authorize(&desk.grant, &pay(1)).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    assert!(denial.pending().is_none());
    assert!(denial.explain().to_string().contains("no width in common"), "{}", denial.explain());
}

#[test]
fn of_several_reviewers_the_narrowest_decides() {
    let two = ApprovalTerms::per(Per::Call).review(reviewers("finance").count(2));
    let two = two.offer([Width::CALL, Width::calls(2), Width::task()]).vary(["amount"]);
    for (widths, served) in [
        ([Width::task(), Width::calls(2)], 2),
        ([Width::CALL, Width::task()], 1),
        ([Width::task(), Width::task()], 20),
    ] {
        let desk = Desk::new(two.clone());
        let pending = desk.office.ask(&desk.grant, &pay(1));
        let first = desk.approve(&pending, "ada", widths[0]).unwrap();
        assert_eq!(first.state, QuestionState::Waiting);
        desk.approve(&pending, "bob", widths[1]).unwrap();
        assert_eq!(desk.is_served(&pay(2)), served > 1, "{widths:?}");
        (0..served).for_each(|_| desk.runs(&pay(1)));
        assert!(!desk.is_served(&pay(1)), "{widths:?}");
        desk.office.verify();
    }
}

#[test]
fn of_several_reviewers_the_first_end_decides() {
    let two = ApprovalTerms::per(Per::Call).review(reviewers("finance").count(2));
    let desk = Desk::new(two.offer([Width::task(), Width::lasting(MINUTE)]));
    let pending = desk.office.ask(&desk.grant, &pay(1));
    desk.approve(&pending, "ada", Width::lasting(MINUTE)).unwrap();
    desk.approve(&pending, "bob", Width::task()).unwrap();
    assert!(desk.is_served(&pay(1)));
    desk.office.clock.advance(MINUTE);
    assert!(!desk.is_served(&pay(1)));
    desk.office.verify();
}

/// attacks 117 and 165: more workers than uses
#[test]
fn as_many_calls_run_as_the_width_says_however_many_workers_ask_at_once() {
    for uses in [1, 3] {
        let offer = [Width::CALL, Width::calls(3)];
        let desk = Desk::new(terms().offer(offer).vary(["amount"]));
        let width = if uses == 1 { Width::CALL } else { Width::calls(3) };
        let pending = desk.approved(&pay(1), width);
        let (ran, start) = (AtomicUsize::new(0), Barrier::new(8));
        std::thread::scope(|scope| {
            for at in 0..8 {
                let (desk, pending, ran, start) = (&desk, &pending, &ran, &start);
                scope.spawn(move || {
                    start.wait();
                    let permit = match at % 2 {
                        0 => desk.office.redeem(pending, &desk.grant),
                        _ => desk.office.authorize(&desk.grant, &pay(1)),
                    };
                    if let Ok(permit) = permit {
                        permit.start().unwrap().succeed();
                        ran.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(ran.into_inner(), uses);
        assert_eq!(pending.state(), QuestionState::Spent);
        desk.office.verify();
    }
}
