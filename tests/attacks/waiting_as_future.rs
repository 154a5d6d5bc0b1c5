//! A log that hangs while futures wait for it: they hold no thread, and what is denied or listed waits for nothing.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as Polled, Poll, Waker};
use std::time::Duration;

use hallpass::BrokerBuilder;
use hallpass::audit::{Event, Outcome};
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Width};
use hallpass::prelude::*;
use hallpass::scope::has_any;
use hallpass::{Running, Session};

use crate::hanging::{Hanging, given};
use crate::world::{MINUTE, broad, plain, policy};

/// A timer that rings when it is told to.
#[derive(Clone, Default)]
struct Bell {
    rings: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    waiting: Arc<Mutex<Vec<Waker>>>,
}

impl Bell {
    fn ring(&self) {
        self.rings.store(true, Ordering::SeqCst);
        self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let own = self.clone();
        std::future::poll_fn(move |polled| {
            if own.rings.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            own.waiting.lock().unwrap().push(polled.waker().clone());
            Poll::Pending
        })
    }
}

type Own<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

fn poll<T>(future: &mut Own<'_, T>) -> Poll<T> {
    future.as_mut().poll(&mut Polled::from_waker(Waker::noop()))
}

/// The answer of what waits for nothing but a thread of the log's own.
fn answered<T>(mut future: Own<'_, T>) -> T {
    loop {
        match poll(&mut future) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}

/// A broker whose futures wait by the bell, and whose log hangs in a thread of its own.
fn hanging(rules: impl IntoIterator<Item = Rule>) -> (Hanging, Bell) {
    hanging_with(rules, |builder| builder)
}

fn hanging_with(
    rules: impl IntoIterator<Item = Rule>,
    change: impl FnOnce(BrokerBuilder) -> BrokerBuilder,
) -> (Hanging, Bell) {
    let bell = Bell::default();
    let timer = bell.clone();
    let build = |builder: BrokerBuilder| {
        // So long that a thread which waited for it would be noticed.
        change(builder.log_timeout(5 * MINUTE).log_timer(move |_| timer.wait()))
    };
    (Hanging::under(policy(rules), true, build), bell)
}

fn authorize<'w>(world: &'w Hanging, grant: &'w Grant) -> Own<'w, Result<Permit, Denial>> {
    Box::pin(world.gate.authorize_async(grant, &world.agent, plain(), &world.context))
}

fn outcomes(world: &Hanging) -> Vec<Outcome> {
    let told = world.told().into_iter();
    told.filter_map(|event| match event {
        Event::Outcome { outcome, .. } => Some(outcome),
        _ => None,
    })
    .collect()
}

/// attack 193: a thousand calls of one thread, and a log that hangs
#[test]
fn a_thousand_calls_wait_for_a_log_that_hangs_on_one_thread_and_denials_and_lists_do_not() {
    let (world, bell) = hanging([broad()]);
    let (task, grant) = world.granted();
    world.sink.hang();
    let mut waiting: Vec<_> = (0..1000).map(|_| authorize(&world, &grant)).collect();
    assert!(waiting.iter_mut().all(|call| poll(call).is_pending()));
    for _ in 0..1000 {
        let other = Call::new("other", serde_json::json!({})).unwrap();
        let asked = world.gate.authorize_async(&grant, &world.agent, other, &world.context);
        let mut asked: Own<'_, Result<Permit, Denial>> = Box::pin(asked);
        let Poll::Ready(Err(denial)) = poll(&mut asked) else {
            panic!("a denial waits for the log")
        };
        assert_eq!(denial.reason(), Reason::OutOfScope);
        assert_eq!(world.gate.tools(&grant, &world.agent, &world.context).unwrap().len(), 1);
    }
    assert!(waiting.iter_mut().all(|call| poll(call).is_pending()), "their time is not up");
    bell.ring();
    for call in &mut waiting {
        let Poll::Ready(Err(denial)) = poll(call) else { panic!("its time is up") };
        assert_eq!((denial.reason(), denial.code()), (Reason::LogRefused, Code::Unavailable));
    }
    assert_eq!(bell.asked.load(Ordering::SeqCst), 1000, "each waits once");
    world.sink.release();
    task.complete();
    assert_eq!(outcomes(&world), [Outcome::Abandoned; 1000], "each was taken back, on record");
}

#[test]
fn what_waits_is_permitted_once_the_log_is_back() {
    let (world, _bell) = hanging([broad()]);
    let (_task, grant) = world.granted();
    world.sink.hang();
    let mut waiting: Vec<_> = (0..8).map(|_| authorize(&world, &grant)).collect();
    assert!(waiting.iter_mut().all(|call| poll(call).is_pending()));
    world.sink.release();
    for call in waiting {
        answered(call).unwrap().start().unwrap().succeed();
    }
    assert_eq!(outcomes(&world), [Outcome::Ok; 8]);
}

#[test]
fn a_call_that_is_dropped_while_it_waits_is_taken_back() {
    let (world, _bell) = hanging([Rule::permit("once").tool("t").any_args().uses(1)]);
    let (_task, grant) = world.granted();
    world.sink.hang();
    let mut dropped = authorize(&world, &grant);
    assert!(poll(&mut dropped).is_pending());
    let denial = world.authorize(&grant).unwrap_err();
    assert_eq!(denial.reason(), Reason::UsesSpent);
    drop(dropped);
    world.sink.release();
    let permit = answered(authorize(&world, &grant)).unwrap();
    permit.start().unwrap().succeed();
    assert_eq!(outcomes(&world), [Outcome::Abandoned, Outcome::Ok]);
}

#[test]
fn a_timer_that_panics_has_rung() {
    let broken = |builder: BrokerBuilder| builder.log_timer(|_| async { panic!("no runtime") });
    let (world, _bell) = hanging_with([broad()], broken);
    let (_task, grant) = world.granted();
    world.sink.hang();
    let Poll::Ready(Err(denial)) = poll(&mut authorize(&world, &grant)) else {
        panic!("nothing is waited for without a timer")
    };
    assert_eq!(denial.reason(), Reason::LogRefused);
    world.sink.release();
}

#[test]
fn without_a_timer_a_future_waits_on_its_thread_and_in_time() {
    let world = Hanging::with(true, |builder| builder);
    let (_task, grant) = world.granted();
    world.sink.hang();
    let Poll::Ready(Err(denial)) = poll(&mut authorize(&world, &grant)) else {
        panic!("it waited on its thread")
    };
    assert_eq!(denial.reason(), Reason::LogRefused);
    world.sink.release();
}

/// The record that comes before a call which people agreed to.
#[test]
fn a_call_that_people_agreed_to_is_announced_without_holding_a_thread() {
    let terms = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["owners"])));
    let (world, bell) = hanging([broad(), Rule::ask("ask").tool("t").approval(terms)]);
    let (task, grant) = world.granted();
    let ada = Assertion::human("ada").group("owners");
    let ada = world.broker.assert_identity(ada).unwrap();
    let pending = world.authorize(&grant).unwrap_err().pending().unwrap().clone();
    for question in world.broker.reviews().list(&ada) {
        let shown = question.view().digest();
        world.broker.reviews().approve(&question, &ada, &shown, Width::CALL).unwrap();
    }
    let redeemed = world.gate.redeem_async(&pending, &grant, &world.agent, &world.context);
    let first = answered(Box::pin(redeemed)).unwrap();
    world.sink.hang();
    let mut starts: Own<'_, Result<Running, Denial>> = Box::pin(first.start_async());
    assert!(poll(&mut starts).is_pending());
    bell.ring();
    let Poll::Ready(Err(denial)) = poll(&mut starts) else { panic!("its time is up") };
    assert_eq!(denial.reason(), Reason::LogRefused);
    world.sink.release();
    world.broker.flush_within(MINUTE).unwrap();
    bell.rings.store(false, Ordering::SeqCst);
    // What never started has come back.
    let again = world.authorize(&grant).unwrap();
    let ran = again.run_async(async |_| Ok::<_, ()>(7));
    assert_eq!(answered(Box::pin(ran)).unwrap().scrubbed(), 7);
    task.complete();
}

fn session(world: &Hanging) -> Session {
    let wanted = Scope::tool("t").any_args();
    given(|| world.broker.session(&world.agent, Purpose::new("test"), wanted.clone()))
}

fn call<'w>(world: &'w Hanging, session: &'w Session) -> Own<'w, Result<Permit, Denial>> {
    Box::pin(session.authorize_async(plain(), &world.context))
}

/// What a session asks for is asked for once, and by another call where the one that asked is gone.
#[test]
fn a_session_asks_without_holding_a_thread() {
    let (world, _bell) = hanging([broad()]);
    let session = session(&world);
    world.sink.hang();
    let mut calls: Vec<_> = (0..5).map(|_| call(&world, &session)).collect();
    assert!(calls.iter_mut().all(|call| poll(call).is_pending()));
    assert_eq!(world.broker.standing().grants.len(), 1, "one asks");
    drop(calls.remove(0));
    assert_eq!(world.broker.standing().grants.len(), 0, "what it asked for was taken back");
    assert!(calls.iter_mut().all(|call| poll(call).is_pending()));
    assert_eq!(world.broker.standing().grants.len(), 1, "another asks");
    world.sink.release();
    while !calls.is_empty() {
        calls.retain_mut(|call| match poll(call) {
            Poll::Ready(permit) => {
                permit.unwrap().start().unwrap().succeed();
                false
            }
            Poll::Pending => true,
        });
        std::thread::yield_now();
    }
    session.end();
    assert!(world.broker.standing().is_empty());
}

/// Its older tokens are superseded and the new ones were not handed out: the session asks anew.
#[test]
fn a_renewal_that_is_dropped_while_it_waits_ends_what_it_renewed_and_the_session_asks_anew() {
    let clock = hallpass::testing::ManualClock::new(crate::world::start());
    let timed = clock.clone();
    let rule = broad().ttl(MINUTE);
    let (world, _bell) = hanging_with([rule], |builder| builder.clock(timed));
    let session = session(&world);
    answered(call(&world, &session)).unwrap().start().unwrap().succeed();
    clock.advance(Duration::from_secs(50));
    world.sink.hang();
    let mut renews = call(&world, &session);
    assert!(poll(&mut renews).is_pending());
    drop(renews);
    assert_eq!(world.broker.standing().grants.len(), 0);
    let mut asks = call(&world, &session);
    assert!(poll(&mut asks).is_pending());
    assert_eq!(world.broker.standing().grants.len(), 1);
    world.sink.release();
    answered(asks).unwrap().start().unwrap().succeed();
    session.end();
    world.told();
}
