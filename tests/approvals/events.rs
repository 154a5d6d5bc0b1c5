//! What changes for those who answer, told as it happens.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as Polled, Poll, Wake, Waker};
use std::time::Duration;

use hallpass::prelude::*;
use hallpass::{Pending, QuestionState, ReviewEvent, ReviewEvents, Reviews};

use crate::office::{MINUTE, Office, four_eyes, of_finance, pay, payments};
use crate::release::{Release, terms, three};

const NOW: Duration = Duration::ZERO;

fn changed(pending: &Pending, state: QuestionState) -> ReviewEvent {
    ReviewEvent::Changed { question: pending.id(), state }
}

/// All that was told and not read.
fn told(events: &mut ReviewEvents) -> Vec<ReviewEvent> {
    std::iter::from_fn(|| events.wait(NOW)).collect()
}

/// What happens to a question, and where it stands then.
type Happens = (&'static str, fn(&Office, &Pending, Task), &'static [QuestionState]);

#[test]
fn what_happens_to_a_question_is_told_once_to_each_reader() {
    let all: [Happens; 8] = [
        (
            "a yes of two, and the other",
            |office, pending, task| {
                office.approve(pending, &office.person("ada", "finance")).unwrap();
                office.approved(pending, &office.person("bob", "finance"));
                std::mem::forget(task);
            },
            &[QuestionState::Waiting, QuestionState::Approved],
        ),
        (
            "a no",
            |office, pending, task| {
                office.deny(pending, &office.person("ada", "finance")).unwrap();
                std::mem::forget(task);
            },
            &[QuestionState::Denied],
        ),
        (
            "an answer that does not count",
            |office, pending, task| {
                office.approve(pending, &office.person("zoe", "sales")).unwrap_err();
                std::mem::forget(task);
            },
            &[],
        ),
        (
            "taking it back",
            |_, pending, task| {
                pending.cancel().unwrap();
                std::mem::forget(task);
            },
            &[QuestionState::Cancelled],
        ),
        ("the end of the task", |_, _, task| drop(task.complete()), &[QuestionState::Cancelled]),
        (
            "a sweep after its time",
            |office, _, task| {
                office.clock.advance(15 * MINUTE);
                office.broker.sweep(usize::MAX);
                std::mem::forget(task);
            },
            &[QuestionState::Expired],
        ),
        (
            "a look after its time",
            |office, pending, task| {
                office.clock.advance(15 * MINUTE);
                assert_eq!(pending.state(), QuestionState::Expired);
                std::mem::forget(task);
            },
            &[QuestionState::Expired],
        ),
        (
            "a reload",
            |office, _, task| {
                office.reload(&payments(four_eyes()));
                std::mem::forget(task);
            },
            &[QuestionState::Void],
        ),
    ];
    for (what, happens, states) in all {
        let office = Office::new(of_finance(2));
        let (task, grant) = office.errand(&office.attest("payer"));
        let mut readers = [(); 2].map(|()| office.reviews.events());
        let pending = office.ask(&grant, &pay(98));
        assert_eq!(office.ask(&grant, &pay(98)).id(), pending.id(), "the same is asked once");
        happens(&office, &pending, task);
        let states = [QuestionState::Waiting].iter().chain(states);
        let expected: Vec<_> = states.map(|state| changed(&pending, *state)).collect();
        for events in &mut readers {
            assert_eq!(told(events), expected, "{what}");
        }
        assert_eq!(told(&mut office.reviews.events()), [], "it begins when it is asked for");
    }
}

#[test]
fn an_amended_question_and_what_is_asked_in_its_place_are_told() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let (mut events, pending) = (office.reviews.events(), office.ask(&grant, &pay(98)));
    let (ada, question) = (office.person("ada", "finance"), office.question(&pending));
    office.reviews.amend(&question, &ada, &question.view().digest(), pay(9)).unwrap();
    let next = pending.amended().unwrap();
    let expected = [
        changed(&pending, QuestionState::Waiting),
        changed(&next, QuestionState::Waiting),
        changed(&pending, QuestionState::Amended),
    ];
    assert_eq!(told(&mut events), expected);
}

/// What is told is what a look shows: of a part that no one answered in time, the rest stands.
#[test]
fn the_end_of_the_time_to_answer_the_rest_of_a_plan_is_told() {
    let release = Release::new(terms().expires(5 * MINUTE).good_for(10 * MINUTE));
    let pending = release.ask(three());
    release.says(&pending, "ada", &[1]).unwrap();
    let mut events = release.office.reviews.events();
    release.office.clock.advance(5 * MINUTE);
    assert_eq!(pending.state(), QuestionState::Partial);
    assert_eq!(told(&mut events), [changed(&pending, QuestionState::Partial)]);
    release.office.clock.advance(5 * MINUTE);
    assert_eq!(pending.state(), QuestionState::Lapsed);
    assert_eq!(told(&mut events), [changed(&pending, QuestionState::Lapsed)]);
}

/// Bounded: a reader that falls behind is told to look, once, and everything after that.
#[test]
fn a_reader_that_falls_behind_or_whose_people_change_is_told_to_look_at_the_list() {
    let office = Office::new(four_eyes());
    let payer = office.attest("payer");
    let (mut events, mut all) = (office.reviews.events(), Vec::new());
    for _ in 0..150 {
        let (task, grant) = office.errand(&payer);
        all.push(changed(&office.ask(&grant, &pay(98)), QuestionState::Waiting));
        task.complete();
    }
    assert_eq!(told(&mut events), [ReviewEvent::LookAgain]);
    let (_task, grant) = office.errand(&payer);
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(told(&mut events), [changed(&pending, QuestionState::Waiting)]);
    // Who may answer is another by now.
    office.deny(&pending, &office.person("ada", "finance")).unwrap();
    let facts = || Assertion::human("ada").group("sales");
    office.broker.control().restate(facts()).unwrap().finish();
    office.broker.control().unrestate("ada").unwrap().finish();
    assert_eq!(told(&mut events), [ReviewEvent::LookAgain]);
    assert_eq!(told(&mut events), []);
}

/// A waker that looks at the list: it deadlocks if a lock is held where it is woken.
struct Looks {
    reviews: Reviews,
    ada: Identity,
    seen: Mutex<Vec<usize>>,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let listed = self.reviews.list(&self.ada).len();
        self.seen.lock().unwrap().push(listed);
    }
}

#[test]
fn a_future_is_woken_by_what_is_next_with_no_lock_held() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let (reviews, ada) = (office.broker.reviews(), office.person("ada", "finance"));
    let looks = Arc::new(Looks { reviews, ada, seen: Mutex::default() });
    let waker = Waker::from(looks.clone());
    let mut events = office.reviews.events();
    let mut next = |expected: Option<ReviewEvent>| {
        let mut polled = Polled::from_waker(&waker);
        let answer = pin!(events.next_event()).poll(&mut polled);
        assert_eq!(answer, expected.map_or(Poll::Pending, Poll::Ready));
    };
    next(None);
    let pending = office.ask(&grant, &pay(98));
    next(Some(changed(&pending, QuestionState::Waiting)));
    next(None);
    office.approved(&pending, &office.person("bob", "finance"));
    next(Some(changed(&pending, QuestionState::Approved)));
    next(None);
    let scan = office.broker.control().restate(Assertion::human("zoe").group("sales")).unwrap();
    assert_eq!(looks.seen.lock().unwrap().len(), 3, "woken before the scan");
    drop(scan);
    next(Some(ReviewEvent::LookAgain));
    next(None);
    task.complete();
    next(Some(changed(&pending, QuestionState::Void)));
    assert_eq!(*looks.seen.lock().unwrap(), [1, 0, 0, 0]);
}

#[test]
fn a_reader_that_is_dropped_leaves_nothing() {
    struct Counted(AtomicUsize);
    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let woken = Arc::new(Counted(AtomicUsize::new(0)));
    let waker = Waker::from(woken.clone());
    let mut events = office.reviews.events();
    assert!(pin!(events.next_event()).poll(&mut Polled::from_waker(&waker)).is_pending());
    drop((events, waker));
    assert_eq!(Arc::strong_count(&woken), 1);
    office.ask(&grant, &pay(98));
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_thread_that_waits_is_let_go_by_the_next_event() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let mut events = office.reviews.events();
    let waits = std::thread::spawn(move || events.wait(Duration::from_secs(60)));
    let pending = office.ask(&grant, &pay(98));
    assert_eq!(waits.join().unwrap(), Some(changed(&pending, QuestionState::Waiting)));
}
