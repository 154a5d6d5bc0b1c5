//! P2: nothing left behind. However a task ends, what stands is empty and every token and permit of it
//! is dead.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::{Broker, RunError};

/// A task with a grant, an open permit and a running call.
struct Errand {
    task: Option<Task>,
    token: Token,
    open: Option<Permit>,
    running: Option<hallpass::Running>,
}

fn broker() -> (Broker, hallpass::identity::Identity) {
    let rule = Rule::permit("all").any_tool().any_args();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    (broker, caller)
}

fn call() -> Call {
    Call::new("t", serde_json::json!({ "x": 1 })).unwrap()
}

fn errand(broker: &Broker, caller: &hallpass::identity::Identity) -> Errand {
    let task = broker.open(caller, Purpose::new("reporting")).unwrap();
    let grant = task.request(Scope::tool("t").any_args(), &Context::new()).unwrap();
    let permit =
        || broker.gate().authorize(grant.token(), caller, call(), &Context::new()).unwrap();
    let (open, running) = (permit(), permit().start().unwrap());
    let token = Token::from_text(grant.token().expose().to_owned());
    Errand { task: Some(task), token, open: Some(open), running: Some(running) }
}

fn is_dead(broker: &Broker, caller: &hallpass::identity::Identity, errand: Errand) {
    assert!(broker.standing().is_empty());
    let denial = broker.gate().authorize(&errand.token, caller, call(), &Context::new());
    assert_eq!(denial.map(drop).unwrap_err().reason(), Reason::TaskOver);
    let ran = errand.open.unwrap().run(|_| -> Result<(), ()> { panic!("it must not run") });
    assert!(matches!(ran, Err(RunError::Denied(denial)) if denial.reason() == Reason::TaskOver));
    // What was running goes on, and its outcome is recorded.
    errand.running.unwrap().succeed();
    let verified = broker.verify_log().unwrap();
    assert!(verified.without_outcome.is_empty());
}

/// P2, P11
#[test]
fn every_way_of_ending_a_task_ends_all_of_it() {
    type Way = fn(&Broker, Task);
    let ways: [Way; 8] = [
        |_, task| drop(task.complete()),
        |_, task| drop(task.fail("it went wrong")),
        |_, task| drop(task.revoke()),
        |_, task| drop(task),
        |broker, task| assert!(!broker.control().revoke_task(task.name()).unwrap().is_empty()),
        |_, task| {
            let through = || -> Result<(), std::num::ParseIntError> {
                let _task = task;
                "no number".parse::<u8>()?;
                Ok(())
            };
            through().unwrap_err();
        },
        |_, task| {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let _task = task;
                resume_unwind(Box::new("the errand"));
            }));
            unwound.unwrap_err();
        },
        |_, task| {
            std::thread::spawn(move || drop(task)).join().unwrap();
        },
    ];
    for way in ways {
        let (broker, caller) = broker();
        let mut errand = errand(&broker, &caller);
        assert!(!broker.standing().is_empty());
        way(&broker, errand.task.take().unwrap());
        is_dead(&broker, &caller, errand);
    }
}

/// P2: a guard that is leaked ends at its ceiling.
#[test]
fn a_leaked_task_ends_at_its_ceiling() {
    let clock = hallpass::testing::ManualClock::new(crate::universe::at(0));
    let rule = Rule::permit("all").any_tool().any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let broker = Broker::builder(policy).clock(clock.clone()).ceiling(hour).build().unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let mut errand = errand(&broker, &caller);
    std::mem::forget(errand.task.take());
    clock.advance(hour);
    assert!(broker.standing().is_empty());
    let denial = broker.gate().authorize(&errand.token, &caller, call(), &Context::new());
    assert_eq!(denial.map(drop).unwrap_err().code(), Code::Expired);
    assert!(errand.open.unwrap().start().is_err());
}

/// P2: an agent whose grant has lain idle for too long has no permit left over from it either.
#[test]
fn a_grant_that_went_idle_takes_its_permits_with_it() {
    let clock = hallpass::testing::ManualClock::new(crate::universe::at(0));
    let seconds = std::time::Duration::from_secs;
    let rule = Rule::permit("all").any_tool().any_args().idle(seconds(10));
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let errand = errand(&broker, &caller);
    // As long as its other call runs, it is in use.
    clock.advance(seconds(10));
    assert!(!broker.standing().grants.is_empty());
    errand.running.unwrap().succeed();
    clock.advance(seconds(10));
    assert!(broker.standing().grants.is_empty());
    assert_eq!(errand.open.unwrap().start().unwrap_err().reason(), Reason::Expired);
}

/// P2: nor has anyone to whom it delegated.
#[test]
fn a_grant_that_went_idle_takes_the_permits_of_its_delegates_with_it() {
    let clock = hallpass::testing::ManualClock::new(crate::universe::at(0));
    let seconds = std::time::Duration::from_secs;
    let planner = eq("robot");
    let policy = Policy::builder()
        .rule(Rule::permit("own").any_tool().any_args().who_id(planner.clone()).idle(seconds(10)))
        .rule(Rule::permit("hand-on").any_tool().any_args().who_id(planner).on([Moment::Delegate]))
        .rule(Rule::permit("theirs").any_tool().any_args().who_id(eq("worker")))
        .build()
        .unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let (robot, worker) =
        (broker.assert_identity("robot").unwrap(), broker.assert_identity("worker").unwrap());
    let task = broker.open(&robot, Purpose::new("reporting")).unwrap();
    let everything = || Scope::tool("t").any_args();
    let parent = task.request(everything(), &Context::new()).unwrap();
    let child = task.delegate(&parent, &worker, everything(), &Context::new()).unwrap();
    let permit = broker.gate().authorize(child.token(), &worker, call(), &Context::new()).unwrap();
    clock.advance(seconds(10));
    assert!(broker.standing().grants.is_empty());
    assert_eq!(permit.start().unwrap_err().reason(), Reason::Expired);
}
