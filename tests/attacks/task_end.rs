//! However a task ends, all that it held ends.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Waking, Poll, Waker};
use std::thread;

use hallpass::audit::{Event, How, Outcome};
use hallpass::prelude::*;
use hallpass::{Ended, Halt};

use crate::revocation::{ended, gone, world};
use crate::world::{MINUTE, World, broad, plain, policy};

/// attack 93: once an end has returned, no thread gets a permit or starts one
#[test]
fn no_thread_gets_a_permit_after_the_end_has_returned() {
    type End = fn(&World, Task);
    let ends: [End; 4] = [
        |_, task| drop(task.complete()),
        |_, task| drop(task),
        |world, task| {
            assert!(!world.control.revoke_task(task.name()).unwrap().is_empty());
            drop(task);
        },
        |world, task| {
            world.control.halt(Halt::Everything);
            drop(task);
        },
    ];
    for end in ends {
        for _ in 0..25 {
            let world = world();
            let (task, grant) = world.granted();
            let over = AtomicBool::new(false);
            let ready = std::sync::Barrier::new(4);
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        ready.wait();
                        let mut after = 0;
                        while after < 3 {
                            let was_over = over.load(Ordering::SeqCst);
                            after += usize::from(was_over);
                            let Ok(permit) = world.authorize(&grant, plain()) else { continue };
                            assert!(!was_over, "permitted after the end");
                            let was_over = over.load(Ordering::SeqCst);
                            let ran = permit.run(|_| Ok::<_, ()>(()));
                            assert!(!(was_over && ran.is_ok()), "started after the end");
                        }
                    });
                }
                ready.wait();
                end(&world, task);
                over.store(true, Ordering::SeqCst);
            });
            assert!(world.verify().unwrap().without_outcome.is_empty());
        }
    }
}

/// attack 94: the handle dropped by a panic
#[test]
fn a_panic_ends_the_task() {
    let world = world();
    let (task, grant) = world.granted();
    let errand = catch_unwind(AssertUnwindSafe(|| {
        let _task = task;
        panic!("the errand panics");
    }));
    assert!(errand.is_err());
    gone(&world, &grant);
    assert_eq!(ended(&world), How::Dropped);
}

/// attack 94: the handle dropped by `?`
#[test]
fn an_early_return_ends_the_task() {
    fn errand(world: &World) -> Result<Grant, Denial> {
        let task = world.broker.open(&world.agent, Purpose::new("test"))?;
        let grant = task.request(Scope::tool("t").any_args(), &world.context)?;
        let never = task.request(Scope::tool("u").any_args(), &world.context);
        // What is asked for is not permitted, so `?` drops the task here.
        if let Err(denial) = never {
            assert_eq!(denial.reason(), Reason::NotCovered);
            return Ok(grant);
        }
        task.complete();
        Ok(grant)
    }
    let world = world();
    let grant = errand(&world).unwrap();
    gone(&world, &grant);
    assert_eq!(ended(&world), How::Dropped);
}

/// attack 94, attack 138: a future that is cancelled half-way takes its task with it, and the call
/// that was running is recorded as interrupted
#[test]
fn a_cancelled_future_ends_the_task() {
    let world = world();
    let (task, grant) = world.granted();
    let permit = world.authorize(&grant, plain()).unwrap();
    {
        let errand = async {
            let _task = task;
            permit.run_async(async |_| pending::<Result<(), ()>>().await).await
        };
        let mut errand = pin!(errand);
        let mut waking = Waking::from_waker(Waker::noop());
        assert!(matches!(errand.as_mut().poll(&mut waking), Poll::Pending));
        assert_eq!(world.broker.standing().tasks[0].permits, 1, "it is running");
        // Dropped here, between two polls.
    }
    gone(&world, &grant);
    let outcomes: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Outcome { outcome, .. } => Some(outcome),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [Outcome::Interrupted]);
    assert!(world.verify().unwrap().without_outcome.is_empty());
}

/// attack 94: a future that is never polled, and a permit dropped unstarted
#[test]
fn what_never_started_is_abandoned() {
    let world = World::new([broad().uses(1)]);
    let (task, grant) = world.granted();
    let permit = world.authorize(&grant, plain()).unwrap();
    drop(permit.run_async(async |_| pending::<Result<(), ()>>().await));
    assert_eq!(world.attempt(&grant, plain()), Ok(()), "the use came back");
    assert!(world.events().iter().any(|event| matches!(
        event,
        Event::Outcome { outcome: Outcome::Abandoned, task_over: false, .. }
    )));
    drop(task);
    gone(&world, &grant);
}

/// attack 99: a name used again is another task, to which no old token belongs
#[test]
fn a_task_of_the_same_name_is_another_task() {
    let world = world();
    let open = || world.broker.open_named("errand", &world.agent, Purpose::new("test"));
    let first = open().unwrap();
    let old = first.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(open().map(drop).unwrap_err().reason(), Reason::TaskNameTaken);
    let generation = first.generation();
    first.complete();
    let second = open().unwrap();
    assert!(second.generation() > generation);
    let new = second.request(Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(world.attempt(&old, plain()), Err(Reason::TaskOver));
    assert_eq!(world.attempt(&new, plain()), Ok(()));
    assert!(second.revoke_grant(&old).is_empty(), "nor does the new task hold the old grant");
}

/// attack 99: a name whose task is past its ceiling is free again, and the old task stays over
#[test]
fn a_name_is_free_again_after_the_ceiling() {
    let world = World::of(policy([broad().ttl(2 * MINUTE)]), |builder| builder.ceiling(MINUTE));
    let open = || world.broker.open_named("errand", &world.agent, Purpose::new("test"));
    let first = open().unwrap();
    let old = first.request(Scope::tool("t").any_args(), &world.context).unwrap();
    world.clock.advance(MINUTE);
    let _second = open().unwrap();
    assert_eq!(world.attempt(&old, plain()).unwrap_err().code(), Code::Expired);
    assert_eq!(ended(&world), How::Ceiling);
    assert_eq!(first.complete(), Ended::default(), "it was over already");
    assert_eq!(world.broker.standing().tasks.len(), 1, "and its handle ends no other");
}

/// attack 102: a call that outlives its task is reported by the end, and its outcome says so
#[test]
fn a_call_that_outlives_its_task_is_recorded_as_such() {
    type End = fn(&World, Task) -> Vec<u64>;
    let ends: [End; 3] = [
        |_, task| task.complete().running,
        |_, task| task.fail("the user closed the window").running,
        |world, task| {
            assert!(!world.control.revoke_task(task.name()).unwrap().is_empty());
            match world.events().pop() {
                Some(Event::Ended { running, .. }) => running,
                other => panic!("{other:?}"),
            }
        },
    ];
    for end in ends {
        let world = world();
        let (task, grant) = world.granted();
        let unstarted = world.authorize(&grant, plain()).unwrap();
        let running = world.authorize(&grant, plain()).unwrap().start().unwrap();
        let number = running.number();
        assert_eq!(end(&world, task), [number], "the one that runs, and not the other");
        running.succeed();
        let mut events = world.events();
        assert!(matches!(events.pop(), Some(Event::Settled(_))), "nothing else is left");
        assert!(matches!(
            events.pop(),
            Some(Event::Outcome { of, outcome: Outcome::Ok, task_over: true, .. }) if of == number
        ));
        assert_eq!(unstarted.start().unwrap_err().reason(), Reason::TaskOver);
        assert!(world.verify().unwrap().without_outcome.is_empty());
    }
}
