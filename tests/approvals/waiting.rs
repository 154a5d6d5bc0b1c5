//! Waiting for people, as a future: woken by whatever settles the question.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Polled, Poll, Wake, Waker};

use hallpass::QuestionState;
use hallpass::prelude::*;

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, payments, run};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.poll(&mut Polled::from_waker(&Waker::from(woken.clone())))
}

/// What settles a question, and where it stands then.
type Settles = fn(&Office, &hallpass::Pending, Task) -> QuestionState;

#[test]
fn whatever_settles_a_question_wakes_what_waits_for_it() {
    let all: [(&str, Settles); 7] = [
        ("a yes", |office, pending, task| {
            office.approved(pending, &office.person("ada", "finance"));
            std::mem::forget(task);
            QuestionState::Approved
        }),
        ("a no", |office, pending, task| {
            office.deny(pending, &office.person("ada", "finance")).unwrap();
            std::mem::forget(task);
            QuestionState::Denied
        }),
        ("taking it back", |_, pending, task| {
            pending.cancel().unwrap();
            std::mem::forget(task);
            QuestionState::Cancelled
        }),
        ("the end of the task", |_, _, task| {
            task.complete();
            QuestionState::Cancelled
        }),
        ("a sweep after its time", |office, _, task| {
            office.clock.advance(15 * MINUTE);
            office.broker.sweep(usize::MAX);
            std::mem::forget(task);
            QuestionState::Expired
        }),
        ("an amendment", |office, pending, task| {
            let (ada, question) = (office.person("ada", "finance"), office.question(pending));
            let shown = question.view().digest();
            office.reviews.amend(&question, &ada, &shown, pay(1)).unwrap();
            std::mem::forget(task);
            QuestionState::Amended
        }),
        ("a reload", |office, _, task| {
            office.reload(&payments(of_finance(2)));
            std::mem::forget(task);
            QuestionState::Void
        }),
    ];
    for (what, settle) in all {
        let office = Office::new(four_eyes());
        let (task, grant) = office.errand(&office.attest("payer"));
        let pending = office.ask(&grant, &pay(98));
        let woken = Arc::new(Woken::default());
        let mut decided = pin!(pending.decided());
        assert!(poll(decided.as_mut(), &woken).is_pending(), "{what}");
        let state = settle(&office, &pending, task);
        assert_eq!(woken.times(), 1, "{what}");
        assert_eq!(poll(decided.as_mut(), &woken), Poll::Ready(state), "{what}");
    }
}

#[test]
fn an_answer_that_settles_nothing_wakes_no_one() {
    let office = Office::new(of_finance(2));
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let woken = Arc::new(Woken::default());
    let mut decided = pin!(pending.decided());
    assert!(poll(decided.as_mut(), &woken).is_pending());
    office.approve(&pending, &office.person("ada", "finance")).unwrap();
    office.approve(&pending, &office.person("max", "sales")).unwrap_err();
    assert_eq!(woken.times(), 0);
    assert!(poll(decided.as_mut(), &woken).is_pending());
    office.approved(&pending, &office.person("bob", "finance"));
    assert_eq!(poll(decided.as_mut(), &woken), Poll::Ready(QuestionState::Approved));
    run(office.redeem(&pending, &grant).unwrap());
}

/// A future that is dropped stops waiting and cancels nothing; one that comes late is answered at once.
#[test]
fn a_future_that_is_dropped_changes_nothing_and_a_late_one_is_ready() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let woken = Arc::new(Woken::default());
    {
        let mut decided = pin!(pending.decided());
        assert!(poll(decided.as_mut(), &woken).is_pending());
    }
    office.approved(&pending, &office.person("ada", "finance"));
    assert_eq!((woken.times(), Arc::strong_count(&woken)), (0, 1));
    let mut late = pin!(pending.decided());
    assert_eq!(poll(late.as_mut(), &woken), Poll::Ready(QuestionState::Approved));
}
