//! Checkpoints that a log makes by itself, as time passes and records come.

use std::time::Duration;

use super::FileLog;
use crate::audit::checkpoint::{CheckpointFailure, SignedCheckpoint};
use crate::clock::Timestamp;
use crate::sync::Mutex;

/// A checkpoint that failed is not tried again sooner: its signer may be far away.
const AGAIN: Duration = Duration::from_secs(10);

/// How often a checkpoint is made where there is news.
#[derive(Clone, Copy, Debug)]
pub(super) struct Every {
    pub(super) age: Duration,
    pub(super) records: u64,
}

/// When the next checkpoint is due.
pub(super) struct Schedule {
    every: Every,
    /// Held while a checkpoint is made, which may take long.
    due: Mutex<Due>,
    failure: Mutex<Option<String>>,
}

#[derive(Default)]
struct Due {
    /// The last number that the last checkpoint is over, of those made here.
    covered: u64,
    /// When news was there first.
    since: Option<Timestamp>,
    /// When one failed last.
    failed: Option<Timestamp>,
}

impl Schedule {
    pub(super) fn new(every: Every) -> Self {
        Schedule { every, due: Mutex::new(Due::default()), failure: Mutex::new(None) }
    }

    #[cfg(test)]
    pub(super) fn is_free(&self) -> bool {
        self.due.try_lock().is_some()
    }
}

impl FileLog {
    /// Makes a checkpoint, if one is [due](super::FileLogOptions::checkpoint_every) by this time, which is the broker's:
    /// nothing if none is, or another thread is making it.
    ///
    /// # Errors
    /// [`CheckpointFailure`]. The log goes on, and it is tried again after ten seconds.
    pub fn checkpoint_if_due(
        &self,
        now: Timestamp,
    ) -> Option<Result<SignedCheckpoint, CheckpointFailure>> {
        let Schedule { every, due, failure } = &**self.schedule.as_ref()?;
        self.check_process().ok()?;
        let mut due = due.try_lock()?;
        let last = self.state.lock().writer.last_seq();
        if last == due.covered {
            due.since = None;
            return None;
        }
        // A clock that was set back makes nothing wait for longer.
        let since = due.since.map_or(now, |since| since.min(now));
        due.since = Some(since);
        let is_old = now.since(since) >= every.age;
        let are_many = last.saturating_sub(due.covered) >= every.records;
        due.failed = due.failed.filter(|failed| *failed <= now);
        let has_just_failed = due.failed.is_some_and(|failed| now.since(failed) < AGAIN);
        if !(is_old || are_many) || has_just_failed {
            return None;
        }
        let made = self.checkpoint();
        match &made {
            Ok(_) => *due = Due { covered: last, ..Due::default() },
            Err(_) => due.failed = Some(now),
        }
        *failure.lock() = made.as_ref().err().map(ToString::to_string);
        Some(made)
    }

    /// Why the last checkpoint that was due was not made, until one is. Waits for no signer.
    #[must_use]
    pub fn checkpoint_failure(&self) -> Option<String> {
        self.schedule.as_ref()?.failure.lock().clone()
    }
}
