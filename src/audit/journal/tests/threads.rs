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
                            journal.owe(journal.place(ended(&task)).unwrap());
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
    assert!(journal.writer.lock().unheard() == 0);
}

/// Real threads over a sink that takes its time. One settles, one leaves its record to whoever writes,
/// one asks where the log stands: when all have done so, nothing is left for anybody to write.
#[test]
fn what_one_thread_leaves_to_another_is_written_once_both_are_done() {
    struct Slow(MemoryLog);
    impl Sink for Slow {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            self.0.open()
        }
        fn append(&self, entry: &Entry<'_>) -> Result<(), SinkError> {
            thread::yield_now();
            self.0.append(entry)
        }
    }
    const ROUNDS: usize = 1000;
    let log = MemoryLog::new();
    let journal = Journal::headless(Arc::new(Slow(log.clone())), chain()).unwrap();
    let turn = Barrier::new(3);
    let rounds = |act: &dyn Fn()| {
        for round in 1..=ROUNDS {
            turn.wait();
            act();
            turn.wait();
            // Nobody acts before all have looked.
            assert_eq!(log.len(), 2 * round);
        }
    };
    thread::scope(|scope| {
        scope
            .spawn(|| rounds(&|| _ = journal.settle(journal.place(opened("a")).unwrap()).unwrap()));
        scope.spawn(|| rounds(&|| journal.owe_without_waiting(journal.place(ended("b")).unwrap())));
        rounds(&|| {
            let anchor = journal.anchor();
            let stands =
                log.snapshot().entries().nth((anchor.seq as usize).wrapping_sub(1)).map(|e| *e.tag);
            assert!(anchor.seq == 0 || stands == Some(anchor.tag));
        });
    });
    assert_eq!(story(&log, &journal).len(), 2 * ROUNDS);
}
