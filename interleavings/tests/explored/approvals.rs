//! Those who answer a question, who redeem what they agreed to, and what ends it.

use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass::{Pending, QuestionState, Running};

use crate::schedule::explore;
use crate::watch::Watch;
use crate::world::{World, here, ping, pings, policy, seconds};

/// One of finance has to agree to a call of `ping`.
fn asked(count: u32) -> Policy {
    of_terms(|terms| terms, count)
}

fn of_terms(set: impl FnOnce(ApprovalTerms) -> ApprovalTerms, count: u32) -> Policy {
    let line = Reviewers::in_groups(has_any(["finance"])).count(count);
    let terms = set(ApprovalTerms::per(Per::Call).review(line));
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

/// attack 165: two who redeem, and one who calls again: one of them runs it.
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

/// attack 165: a no that has been answered before the call starts: it does not start.
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

/// attack 165: an answer and the end of the task: whichever is first, nothing of it is left and the log is lawful.
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

/// attack 165: a yes and a reload of what it was asked under: nothing runs on it once the reload has returned.
#[test]
fn what_a_reload_changed_is_not_redeemed_once_it_has_returned() {
    nothing_runs_after_a_reload(asked(2));
}

/// As above, where as many agree and may still: the rule says something else, and that alone.
#[test]
fn what_was_asked_in_other_words_is_not_redeemed_once_the_reload_has_returned() {
    nothing_runs_after_a_reload(of_terms(|terms| terms.good_for(seconds(800)), 1));
}

fn nothing_runs_after_a_reload(two: Policy) {
    let one = asked(1);
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

/// Whether it is permitted, and runs.
fn runs(permit: Result<Permit, Denial>) -> bool {
    permit.and_then(Permit::start).map(Running::succeed).is_ok()
}

/// attack 165: one yes, one no, and one who redeems: it runs, and the no was too late, or the no counts and nothing runs.
#[test]
fn a_yes_and_a_no_at_once_come_to_one_of_them() {
    let policy = asked(1);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        let (ada, bob) = (person(&world, "ada"), person(&world, "bob"));
        let question = world.broker.reviews().open(&pending.id()).unwrap();
        let (ran, denied) = shuttle::thread::scope(|scope| {
            scope.spawn(|| approve(&world, &pending, &ada));
            let no = scope.spawn(|| world.broker.reviews().deny(&question, &bob, "no").is_ok());
            let ran =
                runs(redeem(&world, &pending, &grant)) || runs(redeem(&world, &pending, &grant));
            (ran, no.join().unwrap())
        });
        assert!(!(ran && denied), "it ran, and a no counted");
        assert!(ran || denied, "a no that is in time counts");
        let ends = if denied {
            [QuestionState::Denied, QuestionState::Withdrawn]
        } else {
            [QuestionState::Spent; 2]
        };
        assert!(ends.contains(&pending.state()), "{}", pending.state());
        assert!(!denied || !runs(redeem(&world, &pending, &grant)), "no is final");
        drop(task);
        world.records();
    });
}

/// attack 165: a question that a caller was told has expired is not answered, whichever thread read the clock first.
#[test]
fn a_yes_that_meets_the_end_of_its_time_is_before_it_or_does_not_count() {
    let policy = of_terms(|terms| terms.expires(seconds(10)).good_for(seconds(100)), 1);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        let ada = person(&world, "ada");
        let (answered, told) = shuttle::thread::scope(|scope| {
            let answered = scope.spawn(|| approve(&world, &pending, &ada));
            world.clock.advance(seconds(10));
            let told = pending.state();
            (answered.join().unwrap(), told)
        });
        let expired = told == QuestionState::Expired;
        assert_ne!(answered.is_some(), expired, "told {told}, answered {answered:?}");
        assert_eq!(runs(redeem(&world, &pending, &grant)), !expired);
        drop(task);
        world.records();
    });
}

/// attack 165: a yes that a caller was told has lapsed is not redeemed.
#[test]
fn a_redeemer_who_meets_the_end_of_the_yes_is_before_it_or_gets_nothing() {
    let policy = of_terms(|terms| terms.good_for(seconds(10)), 1);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        approve(&world, &pending, &person(&world, "ada")).unwrap();
        let (permit, told) = shuttle::thread::scope(|scope| {
            let permit = scope.spawn(|| redeem(&world, &pending, &grant));
            world.clock.advance(seconds(10));
            let told = pending.state();
            (permit.join().unwrap(), told)
        });
        let lapsed = told == QuestionState::Lapsed;
        assert!(lapsed || told == QuestionState::Spent, "{told}");
        assert_eq!(permit.is_ok(), !lapsed, "told {told}");
        drop((permit, task));
        world.records();
    });
}

/// attack 165: two who redeem against the end of the task: one starts before the end returns, and is reported, or none does.
#[test]
fn what_is_redeemed_while_its_task_ends_does_not_start_after() {
    let policy = asked(1);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        approve(&world, &pending, &person(&world, "ada")).unwrap();
        let watch = Watch::default();
        let ended = shuttle::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let over = watch.is_over();
                    let permit = redeem(&world, &pending, &grant);
                    assert!(!(over && permit.is_ok()), "redeemed after the end had returned");
                    permit.map(|permit| watch.run(permit))
                });
            }
            let ended = task.complete();
            watch.over();
            ended
        });
        assert!(watch.ran() <= 1, "one yes ran more than once");
        let state = pending.state();
        assert!(matches!(state, QuestionState::Void | QuestionState::Spent), "{state}");
        watch.agrees(&ended.running, &world.records());
        world.nothing_lives([&grant]);
    });
}

/// attacks 116 and 165: a reviewer who loses the role, against the answer and against who redeems it.
#[test]
fn a_yes_is_not_redeemed_once_its_reviewer_has_lost_the_role() {
    let policy = asked(1);
    explore(3000, move || {
        let world = World::new(&policy);
        let (task, grant) = world.pinging();
        let pending = parked(&world, &grant);
        let ada = person(&world, "ada");
        let watch = Watch::default();
        let permit = shuttle::thread::scope(|scope| {
            scope.spawn(|| {
                let over = watch.is_over();
                let answered = approve(&world, &pending, &ada);
                assert!(!(over && answered.is_some()), "answered without the role");
            });
            let redeemed = scope.spawn(|| {
                let over = watch.is_over();
                let permit = redeem(&world, &pending, &grant);
                assert!(!(over && permit.is_ok()), "redeemed by one without the role");
                permit
            });
            let moved = world.control.restate(Assertion::human("ada").group("sales")).unwrap();
            watch.over();
            moved.finish();
            redeemed.join().unwrap()
        });
        // What was redeemed before may start: the role was there when it was spent.
        let ran = runs(permit);
        assert!(!runs(redeem(&world, &pending, &grant)), "redeemed by one without the role");
        let state = pending.state();
        assert!(ran || state != QuestionState::Approved, "{state}");
        drop(task);
        world.records();
    });
}
