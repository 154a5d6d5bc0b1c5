//! Those who answer a question, who redeem what they agreed to, and what ends it.

use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass::{Pending, QuestionState, Running};

use crate::schedule::explore;
use crate::world::{World, here, ping, pings, policy};

/// One of finance has to agree to a call of `ping`.
fn asked(count: u32) -> Policy {
    let line = Reviewers::in_groups(has_any(["finance"])).count(count);
    let terms = ApprovalTerms::per(Per::Call).review(line);
    policy([pings("p"), Rule::ask("four-eyes").tool("ping").approval(terms)])
}

fn person(world: &World, name: &str) -> Identity {
    world.broker.assert_identity(Assertion::human(name).group("finance")).unwrap()
}

fn parked(world: &World, grant: &Grant) -> Pending {
    world.authorize(grant, &ping()).unwrap_err().pending().unwrap().clone()
}

/// What becomes of a yes.
fn approve(world: &World, pending: &Pending, who: &Identity) -> Option<QuestionState> {
    let reviews = world.broker.reviews();
    let question = reviews.open(&pending.id())?;
    let shown = question.view().digest();
    reviews.approve(&question, who, &shown, Width::CALL).ok().map(|tally| tally.state)
}

fn redeem(world: &World, pending: &Pending, grant: &Grant) -> Result<Permit, Denial> {
    world.gate.redeem(pending, grant, grant.holder(), &here())
}

/// Two who redeem, and one who calls again: one of them runs it.
#[test]
fn one_approval_runs_once_however_many_redeem_it() {
    let policy = asked(1);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        approve(&world, &pending, &person(&world, "ada")).unwrap();
        let runs = |permit: Result<Permit, Denial>| {
            let running = permit.ok().and_then(|permit| permit.start().ok());
            usize::from(running.map(Running::succeed).is_some())
        };
        let ran: usize = shuttle::thread::scope(|scope| {
            let first = scope.spawn(|| runs(redeem(&world, &pending, &grant)));
            let second = scope.spawn(|| runs(redeem(&world, &pending, &grant)));
            let again = runs(world.authorize(&grant, &ping()));
            first.join().unwrap() + second.join().unwrap() + again
        });
        assert_eq!(ran, 1);
        drop(task);
        world.records();
    });
}

/// A no that has been answered before the call starts: it does not start.
#[test]
fn a_no_that_counted_is_before_the_start_or_there_is_none() {
    let policy = asked(1);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        let ada = person(&world, "ada");
        approve(&world, &pending, &ada).unwrap();
        let permit = redeem(&world, &pending, &grant).unwrap();
        let question = world.broker.reviews().open(&pending.id()).unwrap();
        let (started, refused) = shuttle::thread::scope(|scope| {
            let no = scope.spawn(|| world.broker.reviews().deny(&question, &ada, "no").is_ok());
            let started = permit.start().map(Running::succeed).is_ok();
            (started, no.join().unwrap())
        });
        assert_ne!(started, refused, "it started, or it was taken back");
        drop(task);
        world.records();
    });
}

/// An answer and the end of the task: whichever is first, nothing of it is left and the log is lawful.
#[test]
fn an_answer_that_meets_the_end_of_its_task_is_in_the_log_before_it_or_does_not_count() {
    let policy = asked(1);
    explore(1000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let (ada, bob) = (person(&world, "ada"), person(&world, "bob"));
        let pending = parked(&world, &grant);
        approve(&world, &pending, &ada).unwrap();
        let permit = redeem(&world, &pending, &grant).unwrap();
        let question = world.broker.reviews().open(&pending.id()).unwrap();
        shuttle::thread::scope(|scope| {
            scope.spawn(|| drop(task));
            scope.spawn(|| world.broker.reviews().deny(&question, &bob, "no").map(drop));
            approve(&world, &pending, &bob);
        });
        assert!(!matches!(pending.state(), QuestionState::Waiting | QuestionState::Approved));
        drop(permit);
        world.nothing_lives([&grant]);
        world.records();
    });
}

/// A yes and a reload of what it was asked under: nothing runs on it once the reload has returned.
#[test]
fn what_a_reload_changed_is_not_redeemed_once_it_has_returned() {
    let (one, two) = (asked(1), asked(2));
    explore(1000, move || {
        let world = World::new(&one);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        let ada = person(&world, "ada");
        let permit = shuttle::thread::scope(|scope| {
            let answered = scope.spawn(|| {
                approve(&world, &pending, &ada);
                redeem(&world, &pending, &grant)
            });
            world.broker.reload(&two).unwrap();
            answered.join().unwrap()
        });
        assert!(permit.is_err() || permit.unwrap().start().is_err(), "of another policy");
        assert!(redeem(&world, &pending, &grant).is_err());
        world.broker.reload(&one).unwrap().finish();
        assert!(redeem(&world, &pending, &grant).is_err(), "and not of that one again");
        drop(task);
        world.records();
    });
}
