//! A sink that hangs: other threads wait no longer than they said, and the log tells all of it.

use std::sync::atomic::{AtomicUsize, Ordering as Order};
use std::sync::mpsc;
use std::task::{Poll, Wake, Waker};

use super::*;
use crate::testing::HangingSink;

const SHORT: Duration = Duration::from_millis(1);

/// Fails the test if what it runs does not return.
fn within_a_minute<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let (done, waiting) = mpsc::channel();
        scope.spawn(move || done.send(act()));
        waiting.recv_timeout(Duration::from_secs(60)).expect("it returns")
    })
}

fn hanging() -> (MemoryLog, HangingSink<MemoryLog>, Journal) {
    let log = MemoryLog::new();
    let sink = HangingSink::new(log.clone());
    let journal = Journal::headless(Arc::new(sink.clone()), chain(), SHORT).unwrap();
    (log, sink, journal)
}

/// Has one thread inside the sink while something is done, then lets the sink go on.
fn while_hanging<T: Send>(
    (sink, journal): (&HangingSink<MemoryLog>, &Journal),
    act: impl FnOnce() -> T + Send,
) -> T {
    sink.hang();
    thread::scope(|scope| {
        let inside = scope.spawn(|| journal.settle(journal.place(opened("inside")).unwrap()));
        sink.wait_until_entered();
        let answer = within_a_minute(act);
        sink.release();
        inside.join().unwrap().unwrap();
        answer
    })
}

/// attack 193
#[test]
fn who_waits_for_a_writer_that_hangs_is_refused_in_time() {
    let (log, sink, journal) = hanging();
    while_hanging((&sink, &journal), || {
        let place = journal.place(opened("a")).unwrap();
        let refused = journal.settle(place).unwrap_err();
        assert_eq!(refused, Unsettled { why: Refused::TimedOut(SHORT), stands: false });
        // While the writer is known to hang, others do not wait at all.
        assert!(journal.progress.stuck.load(Ordering::Relaxed));
        assert!(journal.settle(journal.place(opened("b")).unwrap()).is_err());
        assert_eq!(journal.flush(3, SHORT), Err(Refused::TimedOut(SHORT)));
        assert_eq!(journal.debts(), 3);
    });
    assert!(!journal.progress.stuck.load(Ordering::Relaxed));
    assert_eq!(journal.settle(journal.place(opened("c")).unwrap()), Ok(4));
    let told = [
        is("opened", "inside"),
        is("withdrawn opened", "a"),
        is("withdrawn opened", "b"),
        is("opened", "c"),
    ];
    assert_eq!(story(&log, &journal), told);
    assert_eq!(journal.unheard(), 0);
}

/// attack 193: whatever has been noted is there when the sink comes back, in order
#[test]
fn what_stands_never_waits() {
    let (log, sink, journal) = hanging();
    while_hanging((&sink, &journal), || {
        for n in 0..1000 {
            journal.note(ended(&n.to_string()));
        }
        assert_eq!(journal.debts(), 1001);
    });
    assert_eq!(journal.retry(), 0);
    let tasks = story(&log, &journal).into_iter().skip(1).map(|(_, task)| task);
    assert!(tasks.eq((0..1000).map(|n| n.to_string())));
}

/// What a writer has in its hands can't be changed any more: it stands, and its placer hears that.
#[test]
fn a_record_in_the_hands_of_a_writer_that_hangs_stands() {
    for refusing in [false, true] {
        let log = MemoryLog::new();
        let failing = FailingSink::new(log.clone());
        let sink = HangingSink::new(failing.clone());
        let journal = Journal::headless(Arc::new(sink.clone()), chain(), SHORT).unwrap();
        let place = journal.place(opened("a")).unwrap();
        sink.hang();
        thread::scope(|scope| {
            let inside = scope.spawn(|| journal.settle(journal.place(opened("inside")).unwrap()));
            sink.wait_until_entered();
            let refused = within_a_minute(|| journal.settle(place).unwrap_err());
            assert_eq!(refused, Unsettled { why: Refused::TimedOut(SHORT), stands: true });
            journal.note(ended("a"));
            failing.fail_next(u64::from(refusing));
            sink.release();
            assert_eq!(inside.join().unwrap().is_ok(), !refusing);
        });
        assert_eq!(journal.retry(), 0);
        let inside = if refusing { "withdrawn opened" } else { "opened" };
        let told = [is("opened", "a"), is(inside, "inside"), is("ended", "a")];
        assert_eq!(story(&log, &journal), told, "refusing: {refusing}");
    }
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Order::SeqCst);
    }
}

struct Of(Arc<Journal>);

impl AsRef<Journal> for Of {
    fn as_ref(&self) -> &Journal {
        &self.0
    }
}

#[test]
fn a_future_resolves_once_another_thread_has_written() {
    let (_, sink, journal) = hanging();
    let journal = Arc::new(journal);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let seq = journal.note(ended("a"));
    let mut written = Written::new(Of(journal.clone()), seq);
    while_hanging((&sink, &journal), || {
        assert_eq!(written.poll(&waker), Poll::Pending);
        assert_eq!(written.poll(&waker), Poll::Pending);
        assert_eq!((woken.0.load(Order::SeqCst), journal.parked.waiting()), (0, 1));
    });
    assert!(woken.0.load(Order::SeqCst) > 0, "the writer woke the future");
    assert_eq!(written.poll(&waker), Poll::Ready(Ok(())));
    assert_eq!(journal.parked.waiting(), 0);
}

/// A cancelled future costs its executor no sink call.
#[test]
fn a_future_that_is_dropped_calls_no_sink_and_leaves_nothing_behind() {
    let (log, sink, journal) = hanging();
    let journal = Arc::new(journal);
    let waker = Waker::from(Arc::new(Woken::default()));
    let seq = journal.note(ended("a"));
    drop(Written::new(Of(journal.clone()), seq));
    assert_eq!((sink.appends(), log.len()), (0, 0));
    while_hanging((&sink, &journal), || {
        let mut written = Written::new(Of(journal.clone()), seq);
        assert_eq!(written.poll(&waker), Poll::Pending);
        drop(written);
        assert_eq!((journal.parked.waiting(), sink.appends()), (0, 1));
    });
}

#[test]
fn a_future_that_no_other_thread_writes_for_writes_batch_by_batch() {
    let (log, _, journal) = hanging();
    let journal = Arc::new(journal);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    for _ in 0..=queue::BATCH {
        journal.note(ended("a"));
    }
    let mut written = Written::new(Of(journal.clone()), journal.last_seq());
    assert_eq!(written.poll(&waker), Poll::Pending);
    assert_eq!((log.len(), woken.0.load(Order::SeqCst)), (queue::BATCH, 1), "it asks to go on");
    assert_eq!(written.poll(&waker), Poll::Ready(Ok(())));
}

/// A sink that keeps records later reports when it has, and what gives access waits for that.
#[derive(Default)]
struct Later {
    log: MemoryLog,
    durable: OnceLock<Durable>,
}

impl Sink for Later {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.log.open()
    }
    fn report_to(&self, durable: Durable) {
        self.durable.set(durable).unwrap();
    }
    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::later(self.log.append(batch)?.records()))
    }
}

#[test]
fn what_is_kept_later_is_given_once_it_is_durable_and_stands_if_no_one_waits() {
    let sink = Arc::new(Later::default());
    let journal = Journal::headless(sink.clone(), chain(), SHORT).unwrap();
    let refused = journal.settle(journal.place(opened("a")).unwrap()).unwrap_err();
    assert_eq!(refused, Unsettled { why: Refused::TimedOut(SHORT), stands: true });
    assert_eq!((sink.log.len(), journal.debts()), (1, 1), "what is not durable is owed");
    let journal = Journal::headless(Arc::new(Later::default()), chain(), LONG).unwrap();
    let place = journal.place(opened("a")).unwrap();
    thread::scope(|scope| {
        let settled = scope.spawn(|| journal.settle(place));
        while journal.parked.waiting() == 0 {
            thread::yield_now();
        }
        assert_eq!(journal.anchor().seq, 1);
        Durable::new(journal.parked.clone()).reached(1);
        assert_eq!(settled.join().unwrap(), Ok(1));
    });
    assert_eq!(journal.debts(), 0);
}

/// attack 193: with a thread of its own, a sink that hangs holds no one up, not even the first
#[test]
fn a_threaded_sink_that_hangs_holds_no_thread_up() {
    let log = MemoryLog::new();
    let sink = HangingSink::new(log.clone());
    let threaded = Arc::new(crate::audit::ThreadedSink::new(sink.clone()));
    let journal = Journal::headless(threaded, chain(), SHORT).unwrap();
    sink.hang();
    within_a_minute(|| {
        let refused = journal.settle(journal.place(opened("a")).unwrap()).unwrap_err();
        assert_eq!(refused, Unsettled { why: Refused::TimedOut(SHORT), stands: true });
        journal.note(ended("a"));
        assert_eq!(journal.flush(2, SHORT), Err(Refused::TimedOut(SHORT)));
    });
    sink.release();
    journal.flush(2, LONG).unwrap();
    assert_eq!(story(&log, &journal), [is("opened", "a"), is("ended", "a")]);
}

/// What was handed over to the thread keeps its number however often the sink refuses it.
#[test]
fn a_threaded_sink_offers_again_what_was_refused() {
    let log = MemoryLog::new();
    let failing = FailingSink::new(log.clone());
    hush();
    failing.fail_next(1);
    failing.panic_next();
    let threaded = Arc::new(crate::audit::ThreadedSink::new(failing));
    let journal = on(threaded);
    assert_eq!(journal.settle(journal.place(opened("a")).unwrap()), Ok(1));
    assert_eq!(story(&log, &journal), [is("opened", "a")]);
}
