//! The reaper: a thread that sweeps, for hosts that ask for one.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::Broker;
use super::flush::flush;

/// How many tasks the reaper looks at before it lets others have the table.
const STEP: usize = 256;

/// A thread that sweeps, and writes what the log is owed, until this is dropped.
///
/// Dropping it waits for nothing: the thread finishes the step it is in, which may be a sink that
/// hangs, and ends.
#[must_use = "the reaper stops when this is dropped"]
#[derive(Debug)]
pub struct Reaper {
    _stop: Sender<()>,
}

impl Broker {
    /// Starts a thread that sweeps the whole table once in each `interval`, in short steps, and then
    /// writes what the log is owed. Off unless asked for.
    ///
    /// # Errors
    /// What the system says if it gives no thread, and [`InvalidInput`](std::io::ErrorKind::InvalidInput)
    /// of an interval of zero, in which it would never rest.
    pub fn start_reaper(&self, interval: Duration) -> std::io::Result<Reaper> {
        if interval.is_zero() {
            let kind = std::io::ErrorKind::InvalidInput;
            return Err(std::io::Error::new(kind, "the interval is zero, expected more"));
        }
        let (stop, stopped) = channel();
        let shared = Arc::downgrade(&self.shared);
        std::thread::Builder::new().name("hallpass-reaper".into()).spawn(move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let Some(shared) = shared.upgrade() else { return };
                let mut left = shared.table.len().max(shared.spanning.identities());
                while left > 0 || shared.remains.any() {
                    shared.sweep(STEP.min(left));
                    left = left.saturating_sub(STEP);
                }
                // What the log refuses stays owed.
                let _ = flush(&shared, shared.journal.last_seq(), shared.settings.log_timeout);
            }
        })?;
        Ok(Reaper { _stop: stop })
    }
}
