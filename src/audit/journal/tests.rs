mod flood;
mod hanging;
mod keys;
mod maintained;
mod model;
mod outage;
mod threads;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{OnceLock, Weak};
use std::thread;
use std::time::Duration;

use super::*;
use crate::audit::verify::{next_keys, verify_headless};
use crate::audit::{Event, How, MemoryLog, Record, Tail};
use crate::clock::Timestamp;
use crate::testing::FailingSink;

pub(super) fn chain() -> ChainKey {
    ChainKey::of_byte(3)
}

const LONG: Duration = Duration::from_secs(600);

fn journal() -> (MemoryLog, FailingSink<MemoryLog>, Journal) {
    let log = MemoryLog::new();
    let sink = FailingSink::new(log.clone());
    let journal = on(Arc::new(sink.clone()));
    (log, sink, journal)
}

fn on(sink: Arc<dyn Sink>) -> Journal {
    Journal::headless(sink, chain(), LONG).unwrap()
}

impl Journal {
    /// Tries to write everything; how many records are owed then.
    fn retry(&self) -> usize {
        let _ = self.flush(self.last_seq(), LONG);
        self.debts()
    }

    fn unheard(&self) -> usize {
        self.queue.lock().unheard()
    }

    fn waiting(&self) -> usize {
        self.queue.lock().len()
    }
}

fn withdrawn(why: &str) -> Unsettled {
    Unsettled { why: Refused::Sink(SinkError::new(why)), stands: false }
}

/// Gives access, so it is withdrawn when the sink refuses it.
fn opened(task: &str) -> Body {
    body(&opened_event(task))
}

fn opened_event(task: &str) -> Event<'static> {
    Event::Opened {
        task: task.to_owned().into(),
        generation: 1,
        who: "spiffe://acme.test/agent/payer".into(),
        who_kind: "agent".into(),
        acts_for: vec![],
        purpose: "pay-bill".into(),
        ticket: None,
        intent: None,
        ceiling: Timestamp::MAX,
    }
}

/// Stands whatever the sink says.
fn ended(task: &str) -> Body {
    body(&ended_event(task))
}

fn ended_event(task: &str) -> Event<'static> {
    let (task, how, reason) = (task.to_owned().into(), How::Completed, None);
    Event::Ended { task, generation: 1, how, reason, running: vec![], unsettled: false }
}

fn body(event: &Event<'_>) -> Body {
    Body::new(Timestamp::MIN, event).unwrap()
}

/// The kinds and tasks of the log's records; verifies it on the way.
fn story(log: &MemoryLog, journal: &Journal) -> Vec<(String, String)> {
    let snapshot = log.snapshot();
    let lines = snapshot.entries().map(|entry| (entry.line, *entry.tag));
    let verified = verify_headless(lines, &chain(), Some(&journal.anchor())).unwrap();
    assert_eq!(verified.anchor, journal.anchor());
    snapshot.records().iter().map(told).collect()
}

fn told(record: &Record) -> (String, String) {
    let kind = match &record.event {
        Event::Withdrawn { was, .. } => format!("withdrawn {was}"),
        event => event.kind().to_owned(),
    };
    (kind, record.event.task().unwrap_or_default().to_owned())
}

fn is(kind: &str, task: &str) -> (String, String) {
    (kind.to_owned(), task.to_owned())
}

#[test]
fn the_first_to_settle_writes_what_all_have_placed_in_one_batch() {
    let (log, sink, journal) = journal();
    let first = journal.place(opened("a")).unwrap();
    let second = journal.place(opened("b")).unwrap();
    let third = journal.place(opened("c")).unwrap();
    assert_eq!(journal.debts(), 3);
    assert_eq!(journal.settle(second), Ok(2));
    assert_eq!((log.len(), journal.debts()), (3, 0));
    assert_eq!(journal.settle(first), Ok(1));
    assert_eq!(journal.settle(third), Ok(3));
    assert_eq!(sink.attempts(), 3);
    assert_eq!(story(&log, &journal), [is("opened", "a"), is("opened", "b"), is("opened", "c")]);
}

/// attack 135
#[test]
fn what_gives_access_is_withdrawn_when_the_sink_refuses() {
    let (log, sink, journal) = journal();
    sink.fail_next(1);
    let place = journal.place(opened("a")).unwrap();
    assert_eq!(journal.settle(place), Err(withdrawn("refused on cue")));
    assert_eq!((log.len(), journal.debts()), (0, 1));
    assert_eq!(journal.retry(), 0);
    assert_eq!(story(&log, &journal), [is("withdrawn opened", "a")]);
}

/// attack 135
/// What looks on while others write tells the two apart without a lock.
#[test]
fn a_withdrawal_that_is_written_is_not_taken_for_the_record() {
    let (log, sink, journal) = journal();
    let [given, withdrawn] = ["a", "b"].map(|task| {
        let place = journal.place(opened(task)).unwrap();
        if task == "b" {
            sink.fail_next(1);
        }
        journal.retry();
        place
    });
    assert_eq!(journal.retry(), 0);
    assert_eq!(story(&log, &journal), [is("opened", "a"), is("withdrawn opened", "b")]);
    assert!(!journal.is_written_as_placed(&withdrawn));
    assert!(journal.settle(given).is_ok() && journal.settle(withdrawn).is_err());
}

#[test]
fn what_stands_is_owed_as_it_is_and_paid_before_anything_later() {
    let (log, sink, journal) = journal();
    sink.fail_after(0);
    journal.note(ended("a"));
    journal.note(ended("b"));
    assert_eq!(journal.debts(), 2);
    assert_eq!(journal.retry(), 2);
    sink.recover();
    let place = journal.place(opened("c")).unwrap();
    assert_eq!(journal.settle(place), Ok(3));
    assert_eq!(journal.debts(), 0);
    assert_eq!(story(&log, &journal), [is("ended", "a"), is("ended", "b"), is("opened", "c")]);
}

#[test]
fn a_refusal_before_it_refuses_a_place_too_and_each_placer_hears_once() {
    let (log, sink, journal) = journal();
    let first = journal.place(opened("a")).unwrap();
    let second = journal.place(opened("b")).unwrap();
    sink.fail_next(1);
    assert!(journal.settle(second).is_err());
    assert_eq!(journal.debts(), 2);
    assert_eq!(journal.retry(), 0, "the withdrawals are written before the first placer asks");
    assert!(journal.settle(first).is_err());
    assert_eq!(story(&log, &journal), [is("withdrawn opened", "a"), is("withdrawn opened", "b")]);
    assert!(journal.unheard() == 0);
}

#[test]
fn a_refusal_is_of_the_whole_batch_and_each_placer_hears_of_its_own() {
    let (log, sink, journal) = journal();
    let first = journal.place(opened("a")).unwrap();
    journal.note(ended("b"));
    let third = journal.place(opened("c")).unwrap();
    sink.fail_next(1);
    assert_eq!(journal.settle(first), Err(withdrawn("refused on cue")));
    let fourth = journal.place(opened("d")).unwrap();
    assert_eq!(journal.settle(fourth), Ok(4));
    assert_eq!(journal.settle(third), Err(withdrawn("refused on cue")));
    let told = ["withdrawn opened", "ended", "withdrawn opened", "opened"];
    let story = story(&log, &journal).into_iter().map(|(kind, _)| kind);
    assert!(story.eq(told));
}

/// A sink that keeps a part of a batch gets the rest again, and may refuse that.
#[test]
fn what_was_kept_of_a_batch_stands_and_the_rest_is_withdrawn() {
    let (log, sink, journal) = journal();
    let places = ["a", "b", "c"].map(|task| journal.place(opened(task)).unwrap());
    sink.fail_after(1);
    let answers = places.map(|place| journal.settle(place).is_ok());
    assert_eq!((answers, log.len(), journal.debts()), ([true, false, false], 1, 2));
    sink.recover();
    assert_eq!(journal.retry(), 0);
    let told = ["opened", "withdrawn opened", "withdrawn opened"];
    let story = story(&log, &journal).into_iter().map(|(kind, _)| kind);
    assert!(story.eq(told));
}

/// attack 141
#[test]
fn a_panicking_sink_is_a_refusal_and_the_journal_lives_on() {
    let (log, sink, journal) = journal();
    sink.panic_next();
    let place = journal.place(opened("a")).unwrap();
    assert_eq!(journal.settle(place), Err(withdrawn("the sink panicked")));
    let place = journal.place(opened("b")).unwrap();
    assert_eq!(journal.settle(place), Ok(2));
    assert_eq!(story(&log, &journal), [is("withdrawn opened", "a"), is("opened", "b")]);
}

/// attack 133: a write that failed half-way must not put two records under one number
#[test]
fn a_sink_that_kept_what_it_said_it_refused_gets_nothing_any_more() {
    struct HalfWay(MemoryLog);
    impl Sink for HalfWay {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.0.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            let _ = self.0.append(batch)?;
            Err(SinkError::new("kept, and yet refused"))
        }
    }
    let log = MemoryLog::new();
    let journal = on(Arc::new(HalfWay(log.clone())));
    for task in ["a", "b", "c"] {
        assert!(journal.settle(journal.place(opened(task)).unwrap()).is_err());
    }
    assert_eq!((log.len(), journal.retry(), journal.anchor()), (1, 3, chain().start()));
}

/// attack 136
#[test]
fn a_second_journal_on_one_log_is_refused() {
    let log = MemoryLog::new();
    let first = on(Arc::new(log.clone()));
    assert!(Journal::headless(Arc::new(log.clone()), chain(), LONG).is_err());
    assert_eq!(first.settle(first.place(opened("a")).unwrap()), Ok(1));
}

/// attack 141
#[test]
fn a_sink_that_panics_when_it_is_opened_is_an_error() {
    struct Panicking;
    impl Sink for Panicking {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            panic!("on open")
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            Ok(Kept::now(batch.len()))
        }
    }
    assert!(Journal::headless(Arc::new(Panicking), chain(), LONG).is_err());
}

/// attack 187: however often the sink refuses, each record is under the key that the last one before it
/// says
#[test]
fn the_key_changes_with_the_record_that_says_so() {
    for kept in 0..4 {
        let (log, sink, journal) = journal();
        let next = Arc::new(ChainKey::of(next_keys().active_key()));
        sink.fail_after(kept);
        journal.note(ended("a"));
        journal.note(Body::rekeying(Timestamp::MIN, next));
        journal.note(ended("b"));
        assert_eq!(journal.retry() as u64, 3 - kept);
        sink.recover();
        assert_eq!(journal.retry(), 0);
        assert_eq!(story(&log, &journal), [is("ended", "a"), is("rekeyed", ""), is("ended", "b")]);
    }
}

/// attack 142
#[test]
fn a_sink_that_calls_back_is_refused_and_nothing_is_lost() {
    #[derive(Default)]
    struct CallingBack {
        log: MemoryLog,
        journal: OnceLock<Weak<Journal>>,
        answers: Mutex<Vec<String>>,
        refusing: Mutex<bool>,
    }
    impl Sink for CallingBack {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.log.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            if batch[0].seq == 1 {
                let journal = self.journal.get().unwrap().upgrade().unwrap();
                let gives = journal.place(opened("inner")).unwrap_err();
                journal.note(ended("inner"));
                let flushed = journal.flush(2, LONG).unwrap_err();
                assert_eq!((journal.debts(), journal.anchor().seq), (2, 0));
                *self.answers.lock() = vec![gives.to_string(), flushed.to_string()];
            } else if *self.refusing.lock() {
                return Err(SinkError::new("refusing"));
            }
            self.log.append(batch)
        }
    }
    let sink = Arc::new(CallingBack::default());
    let journal = Arc::new(on(sink.clone()));
    sink.journal.set(Arc::downgrade(&journal)).unwrap();
    assert_eq!(journal.settle(journal.place(opened("outer")).unwrap()), Ok(1));
    assert_eq!(*sink.answers.lock(), vec![Refused::Reentrant.to_string(); 2]);
    assert_eq!(journal.debts(), 1);
    *sink.refusing.lock() = true;
    assert_eq!(journal.retry(), 1, "a debt that is refused again is still one debt");
    *sink.refusing.lock() = false;
    assert_eq!(journal.retry(), 0);
    assert_eq!(story(&sink.log, &journal), [is("opened", "outer"), is("ended", "inner")]);
}

/// attack 142: a place that another thread took cannot be settled from within the sink either
#[test]
fn what_gives_access_and_is_settled_from_within_the_sink_is_withdrawn() {
    #[derive(Default)]
    struct Settling(MemoryLog, OnceLock<Weak<Journal>>);
    impl Sink for Settling {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.0.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            if batch[0].seq == 1 {
                let journal = self.1.get().unwrap().upgrade().unwrap();
                let place = thread::scope(|scope| {
                    scope.spawn(|| journal.place(opened("inner")).unwrap()).join().unwrap()
                });
                let refused = Unsettled { why: Refused::Reentrant, stands: false };
                assert_eq!(journal.settle(place), Err(refused));
            }
            self.0.append(batch)
        }
    }
    let sink = Arc::new(Settling::default());
    let journal = Arc::new(on(sink.clone()));
    sink.1.set(Arc::downgrade(&journal)).unwrap();
    assert_eq!(journal.settle(journal.place(opened("outer")).unwrap()), Ok(1));
    assert_eq!((journal.debts(), journal.retry()), (1, 0));
    assert_eq!(story(&sink.0, &journal), [is("opened", "outer"), is("withdrawn opened", "inner")]);
}

/// What a thread keeps for itself is gone by then, the room for its next line as well.
#[test]
fn a_thread_that_is_ending_gets_its_record_written() {
    struct Last(Arc<Journal>);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.settle(self.0.place(opened("last")).unwrap()).unwrap();
        }
    }
    // Made before the thread writes for the first time, so dropped after what it has for writing.
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    let (log, _, journal) = journal();
    let journal = Arc::new(journal);
    let own = journal.clone();
    let thread = thread::spawn(move || {
        LAST.set(Some(Last(own.clone())));
        own.settle(own.place(opened("first")).unwrap()).unwrap();
    });
    thread.join().unwrap();
    assert_eq!(story(&log, &journal), [is("opened", "first"), is("opened", "last")]);
}

fn hush() {
    // The panic on cue would otherwise fill the output of a run that passes.
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"panicked on cue") {
                usual(info);
            }
        }));
    });
}
