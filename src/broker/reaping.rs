//! Reaping: threads that sweep and tend, for hosts that ask for them.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::Broker;
use super::flush::flush;
use super::reaper::Reaper;
use super::shared::Shared;

/// How many tasks the reaper looks at before it lets others have the table.
const STEP: usize = 256;

/// For how long it begins to call providers before it looks whether it is to stop.
const ROUND: Duration = Duration::from_secs(30);

impl Broker {
    /// Starts a thread that sweeps the whole table once in each `interval`, in short steps, and then
    /// writes what the log is owed; and one that [tends](Broker::tend). Off unless asked for.
    ///
    /// # Errors
    /// What the system says if it gives no thread, and [`InvalidInput`](std::io::ErrorKind::InvalidInput)
    /// of an interval of zero, in which it would never rest.
    pub fn start_reaper(&self, interval: Duration) -> std::io::Result<Reaper> {
        if interval.is_zero() {
            let kind = std::io::ErrorKind::InvalidInput;
            return Err(std::io::Error::new(kind, "the interval is zero, expected more"));
        }
        let mut stop = vec![self.repeat("hallpass-reaper", interval, |shared| {
            let mut left = shared.table.len().max(shared.spanning.identities());
            while left > 0 || shared.remains.any() {
                shared.sweep(STEP.min(left));
                left = left.saturating_sub(STEP);
            }
            // Also where there was nothing to sweep.
            if let Ok(now) = shared.keeper.now() {
                shared.journal.sum_up_past(now);
            }
            // What the log refuses stays owed.
            let _ = flush(shared, shared.journal.last_seq(), shared.settings.log_timeout);
            shared.maintain_log();
        })?];
        if self.shared.downstream.is_some() {
            stop.push(self.repeat("hallpass-tender", interval, |shared| {
                shared.tend(ROUND);
            })?);
        }
        Ok(Reaper { _stop: stop })
    }

    /// Does something once in each interval, on a thread of its own, until what this returns or the broker is dropped.
    fn repeat(
        &self,
        name: &str,
        interval: Duration,
        act: impl Fn(&Shared) + Send + 'static,
    ) -> std::io::Result<Sender<()>> {
        let (stop, stopped) = channel();
        let shared = Arc::downgrade(&self.shared);
        std::thread::Builder::new().name(name.into()).spawn(move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let Some(shared) = shared.upgrade() else { return };
                act(&shared);
            }
        })?;
        Ok(stop)
    }
}
