//! Real threads.

use std::sync::Barrier;
use std::thread;

use super::*;

/// attack 133, attack 135: real threads over a sink that refuses and panics
#[test]
fn threads_each_hear_one_answer_and_the_log_says_the_same() {
    const THREADS: usize = 8;
    const EACH: usize = 400;
    hush();
    let (log, sink, journal) = journal();
    let start = Barrier::new(THREADS + 1);
    let heard: Vec<(u64, String, bool)> = thread::scope(|scope| {
        let placers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (journal, start) = (&journal, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut heard = vec![];
                    for number in 0..EACH {
                        let task = format!("{thread}/{number}");
                        if number % 3 == 0 {
                            journal.note(ended(&task));
                        } else {
                            let place = journal.place(opened(&task)).unwrap();
                            let seq = place.seq();
                            heard.push((seq, task, journal.settle(place).is_ok()));
                        }
                    }
                    heard
                })
            })
            .collect();
        start.wait();
        while !placers.iter().all(thread::ScopedJoinHandle::is_finished) {
            sink.fail_next(2);
            thread::yield_now();
            sink.panic_next();
            thread::yield_now();
            journal.retry();
        }
        placers.into_iter().flat_map(|placer| placer.join().unwrap()).collect()
    });
    sink.recover();
    assert_eq!(journal.retry(), 0);
    let story = story(&log, &journal);
    assert_eq!(story.len(), THREADS * EACH);
    for (seq, task, given) in &heard {
        let kind = if *given { "opened" } else { "withdrawn opened" };
        assert_eq!(story[*seq as usize - 1], is(kind, task));
    }
    assert_eq!(
        story.iter().filter(|(kind, _)| kind == "ended").count(),
        THREADS * EACH.div_ceil(3)
    );
    assert_eq!(journal.unheard(), 0);
}

/// Real threads over a sink that takes its time: one settles, one asks to wait, one leaves its record to
/// the others, one asks where the log stands. None waits for ever, and all is written.
#[test]
fn threads_that_wait_for_each_other_are_all_woken() {
    struct Slow(MemoryLog);
    impl Sink for Slow {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.0.open()
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            for _ in 0..20 {
                thread::yield_now();
            }
            self.0.append(batch)
        }
    }
    const ROUNDS: usize = 1000;
    let log = MemoryLog::new();
    let journal = on(Arc::new(Slow(log.clone())));
    thread::scope(|scope| {
        let (journal, log) = (&journal, &log);
        let settle = move || _ = journal.settle(journal.place(opened("a")).unwrap()).unwrap();
        scope.spawn(move || (0..ROUNDS).for_each(|_| settle()));
        scope.spawn(move || (0..ROUNDS).for_each(|_| settle()));
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                let seq = journal.note(ended("b"));
                journal.flush(seq, LONG).unwrap();
                assert!(journal.anchor().seq >= seq);
            }
        });
        scope.spawn(|| (0..ROUNDS).for_each(|_| _ = journal.note(ended("c"))));
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                let anchor = journal.anchor();
                let stands = log.snapshot().entries().find(|e| e.seq == anchor.seq).map(|e| *e.tag);
                // Kept before the anchor moves, so the log is never behind it.
                assert!(anchor.seq == 0 || stands == Some(anchor.tag));
            }
        });
    });
    assert_eq!(journal.retry(), 0);
    assert_eq!(story(&log, &journal).len(), 4 * ROUNDS);
    assert_eq!(journal.parked.waiting(), 0);
}
