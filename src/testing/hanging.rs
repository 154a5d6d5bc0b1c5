//! A sink that hangs on cue.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Durable, Entry, Kept, Sink, SinkError, Tail};
use crate::clock::Timestamp;
use crate::sync::{Condvar, Mutex};

/// Long enough to count as waiting for a cue; a test that waits for longer has its own watchdog.
const LONG: Duration = Duration::from_secs(60 * 60);

/// Wraps a [`Sink`] and hangs when it is told to: the thread that is inside stays there until it is
/// told to go on. Clones share their cues.
///
/// ```
/// use hallpass::audit::MemoryLog;
/// use hallpass::prelude::*;
/// use hallpass::testing::HangingSink;
///
/// let log = MemoryLog::new();
/// let sink = HangingSink::new(log.clone());
/// let policy = Policy::builder().build()?;
/// let broker = Broker::builder(policy).log(sink.clone()).build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("reading"))?;
///
/// sink.hang();
/// let ended = task.complete(); // returns, whatever the sink does
/// assert_eq!(broker.record_debts(), 1);
/// sink.release();
/// assert_eq!(broker.flush(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HangingSink<S> {
    sink: S,
    cues: Arc<Cues>,
}

#[derive(Default)]
struct Cues {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    hanging: bool,
    inside: usize,
    appends: u64,
}

impl<S: Sink> HangingSink<S> {
    /// A sink that passes everything on until it gets a cue.
    #[must_use]
    pub fn new(sink: S) -> Self {
        Self { sink, cues: Arc::default() }
    }

    /// Hangs from now on: whatever thread appends stays inside.
    pub fn hang(&self) {
        self.cues.state.lock().hanging = true;
    }

    /// Goes on: threads that are inside append what they brought.
    pub fn release(&self) {
        self.cues.state.lock().hanging = false;
        self.cues.changed.notify_all();
    }

    /// Waits until a thread is inside and hangs.
    pub fn wait_until_entered(&self) {
        let mut state = self.cues.state.lock();
        self.cues.changed.wait_while_for(&mut state, |state| state.inside == 0, LONG);
    }

    /// How often it was called so far.
    #[must_use]
    pub fn appends(&self) -> u64 {
        self.cues.state.lock().appends
    }
}

impl<S: Sink> Sink for HangingSink<S> {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.sink.open()
    }

    fn report_to(&self, durable: Durable) {
        self.sink.report_to(durable);
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let mut state = self.cues.state.lock();
        state.appends += 1;
        if state.hanging {
            state.inside += 1;
            self.cues.changed.notify_all();
            self.cues.changed.wait_while_for(&mut state, |state| state.hanging, LONG);
            state.inside -= 1;
        }
        // No lock is held when the wrapped sink is called.
        drop(state);
        self.sink.append(batch)
    }

    fn maintain(&self, now: Timestamp) {
        self.sink.maintain(now);
    }

    fn closed(&self, through: u64) {
        self.sink.closed(through);
    }
}

impl std::fmt::Debug for Cues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Cues")
            .field("hanging", &state.hanging)
            .field("inside", &state.inside)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FailingSink;

    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl Sink for Told {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            Ok(None)
        }

        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            Ok(Kept::now(batch.len()))
        }

        fn maintain(&self, now: Timestamp) {
            self.0.lock().push(format!("maintain {now}"));
        }

        fn closed(&self, through: u64) {
            self.0.lock().push(format!("closed {through}"));
        }
    }

    /// A wrapper that kept it to itself would have a log on file make no checkpoint, and another end.
    #[test]
    fn what_a_sink_is_told_reaches_the_one_that_is_wrapped() {
        let told = Told::default();
        let sink = HangingSink::new(FailingSink::new(told.clone()));
        sink.maintain(Timestamp::MIN);
        sink.closed(7);
        assert_eq!(*told.0.lock(), [format!("maintain {}", Timestamp::MIN), "closed 7".to_owned()]);
    }
}
