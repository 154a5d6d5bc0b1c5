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
    due: Mutex<Due>,
}

#[derive(Default)]
struct Due {
    /// The last number that the last checkpoint is over, of those made here.
    covered: u64,
    /// When news was there first.
    since: Option<Timestamp>,
    not_before: Option<Timestamp>,
    failure: Option<String>,
}

impl Schedule {
    pub(super) fn new(every: Every) -> Self {
        Schedule { every, due: Mutex::new(Due::default()) }
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
        let Schedule { every, due } = &**self.schedule.as_ref()?;
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
        if !(is_old || are_many) || due.not_before.is_some_and(|at| now < at) {
            return None;
        }
        let made = self.checkpoint();
        match &made {
            Ok(_) => *due = Due { covered: last, ..Due::default() },
            Err(failure) => {
                due.not_before = now.checked_add(AGAIN);
                due.failure = Some(failure.to_string());
            }
        }
        Some(made)
    }

    /// Why the last checkpoint that was due was not made, until one is.
    #[must_use]
    pub fn checkpoint_failure(&self) -> Option<String> {
        self.schedule.as_ref()?.due.lock().failure.clone()
    }
}
