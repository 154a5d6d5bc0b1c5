//! What an end says of the calls that run, and how it waits for them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context as Cx, Poll, Wake, Waker};
use std::time::Duration;

use hallpass::audit::{Event, How, Outcome};

use crate::ending::{family, how};
use crate::world::{here, ping, seconds, to_ping};

/// attack 102
#[test]
fn a_call_that_outlives_its_task_has_its_outcome_recorded_as_such() {
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    let number = running.number();
    let waiting = world.authorize(&grant, &ping()).unwrap();
    assert_eq!(task.complete().running, [number], "the one that has not started is none");
    drop(waiting);
    running.succeed();
    let outcomes: Vec<_> = world
        .log
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Outcome { of, outcome, task_over, .. } => Some((of, outcome, task_over)),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [(number + 1, Outcome::Abandoned, true), (number, Outcome::Ok, true)]);
}

#[test]
fn an_end_can_wait_for_the_calls_that_are_running() {
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    let (over, is_over) = channel();
    let ended = std::thread::scope(|scope| {
        let tool = scope.spawn(move || {
            is_over.recv().unwrap();
            running.succeed();
        });
        let gate = &world;
        let grant = &grant;
        scope.spawn(move || {
            // The end takes effect before anything is waited for.
            while gate.authorize(grant, &ping()).is_ok() {
                std::thread::yield_now();
            }
            over.send(()).unwrap();
        });
        let ended = task.complete_and_wait(Duration::MAX);
        tool.join().unwrap();
        ended
    });
    assert!(ended.running.is_empty());
}

#[test]
fn an_end_waits_no_longer_than_it_was_told() {
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    let ended = task.complete_and_wait(Duration::ZERO);
    assert_eq!(ended.running, [running.number()]);
    running.succeed();
}

/// The end is there at once; the future resolves with the last call, is woken by it, and is worth the record.
#[test]
fn an_end_as_a_future_resolves_with_the_last_running_call() {
    #[derive(Default)]
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let calls = [world.start(&grant, &ping()), world.start(&grant, &ping())];
    let [first, second] = calls;
    let mut completed = Box::pin(task.completed());
    assert!(world.authorize(&grant, &ping()).is_err(), "it has ended before it is polled");
    assert_eq!(how(&world), Some(How::Completed));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut poll = || completed.as_mut().poll(&mut Cx::from_waker(&waker));
    assert!(poll().is_pending());
    drop(first);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "another call is done");
    assert!(poll().is_pending(), "one runs on");
    second.succeed();
    assert_eq!(woken.0.load(Ordering::SeqCst), 2);
    let Poll::Ready(ended) = poll() else { panic!("no call runs any more") };
    assert_eq!((ended.tasks, ended.running.len()), (1, 0));
    ended.and_flush(seconds(60)).unwrap();
    let outcomes = world.log.records().into_iter().filter_map(|record| match record.event {
        Event::Outcome { outcome, task_over, .. } => Some((outcome, task_over)),
        _ => None,
    });
    assert!(outcomes.eq([(Outcome::Interrupted, true), (Outcome::Ok, true)]));
}

#[test]
fn an_end_as_a_future_of_a_task_that_runs_nothing_is_there_when_it_is_polled() {
    let world = family();
    let agent = world.agent("a");
    for by_control in [false, true] {
        let task = world.open(&agent);
        if by_control {
            let _ = world.control.revoke_task(task.name()).unwrap();
        }
        let mut completed = Box::pin(task.completed());
        let polled = completed.as_mut().poll(&mut Cx::from_waker(Waker::noop()));
        let Poll::Ready(ended) = polled else { panic!("no call runs") };
        assert_eq!((ended.tasks, ended.running.len()), (usize::from(!by_control), 0));
    }
}

#[test]
fn a_tool_that_panics_is_interrupted_and_its_task_goes_on() {
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let permit = world.authorize(&grant, &ping()).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        permit.run(|_| -> Result<(), ()> { std::panic::resume_unwind(Box::new("tool")) })
    }));
    assert!(panicked.is_err());
    let last = world.log.records().pop().unwrap();
    assert!(matches!(last.event, Event::Outcome { outcome: Outcome::Interrupted, .. }));
    world.call(&grant, &ping()).unwrap();
    assert!(task.complete().running.is_empty());
}

#[test]
fn a_tool_whose_future_is_dropped_is_interrupted() {
    struct Flag;
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {}
    }
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let permit = world.authorize(&grant, &ping()).unwrap();
    let mut call =
        Box::pin(permit.run_async(async |_| std::future::pending::<Result<(), ()>>().await));
    let waker = Waker::from(Arc::new(Flag));
    assert!(call.as_mut().poll(&mut Cx::from_waker(&waker)).is_pending());
    drop(call);
    let last = world.log.records().pop().unwrap();
    assert!(matches!(last.event, Event::Outcome { outcome: Outcome::Interrupted, .. }));
    drop(task);
}
