//! A sink that hangs on cue.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Durable, Entry, Kept, Sink, SinkError, Tail};
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
