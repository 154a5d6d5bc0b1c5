//! What an end found, and waiting for its record.

use std::sync::Arc;
use std::time::Duration;

use super::flush::{FlushError, Flushed, flush};
use super::retire::{End, Retired};
use super::shared::Shared;
use crate::audit::How;
use crate::denial::Reason;
use crate::grant::GrantId;
use crate::task::TaskCell;

/// What an end found: how much ended, and which calls were running and will have their outcome
/// recorded later. Every way to end something answers with it.
///
/// The end itself waited for nothing: its record has its place in the log's order and is written by
/// the next thread that asks for access, by the reaper, or by a thread that asks to wait.
///
/// ```
/// # use std::time::Duration;
/// # use hallpass::prelude::*;
/// # let broker = Broker::new(Policy::builder().build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("reading"))?;
/// let ended = task.complete().and_flush(Duration::from_secs(1))?;
/// assert_eq!((ended.tasks, ended.running.len()), (1, 0));
/// assert_eq!(broker.record_debts(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Ended {
    /// How many tasks ended.
    pub tasks: usize,
    /// How many grants ended by themselves. Those that ended with their task, or with the grant they
    /// were delegated from, are not counted.
    pub grants: usize,
    /// The numbers, in the log, of the permits whose calls were running, those of a task or grant that
    /// had ended before included: these calls go on.
    pub running: Vec<u64>,
    /// Whose log has the records, up to which number.
    records: Option<(Arc<Shared>, u64)>,
}

impl Ended {
    /// Ends a task.
    pub(super) fn task(
        shared: &Arc<Shared>,
        cell: &Arc<TaskCell>,
        how: How,
        reason: Option<&str>,
    ) -> Self {
        let mut ended = Ended::nothing();
        ended.add_task(shared.end(cell, End::Task { how, reason }));
        ended.recorded(shared)
    }

    /// Revokes a grant.
    pub(super) fn grant(shared: &Arc<Shared>, cell: &Arc<TaskCell>, id: GrantId) -> Self {
        let mut ended = Ended::nothing();
        ended.add_grant(shared.end(cell, End::Grant { id, why: Reason::Revoked }));
        ended.recorded(shared)
    }

    /// What nothing ended, so far.
    pub(super) fn nothing() -> Self {
        Ended::default()
    }

    /// Of one task that ended, or had before.
    pub(super) fn add_task(&mut self, end: Result<Retired, Vec<u64>>) {
        self.tasks += usize::from(end.is_ok());
        self.add_running(end.map_or_else(|running| running, |retired| retired.running));
    }

    /// Of one grant that ended, or had before.
    pub(super) fn add_grant(&mut self, end: Result<Retired, Vec<u64>>) {
        self.grants += usize::from(end.is_ok());
        self.add_running(end.map_or_else(|running| running, |retired| retired.running));
    }

    pub(super) fn add_running(&mut self, running: impl IntoIterator<Item = u64>) {
        for seq in running {
            if !self.running.contains(&seq) {
                self.running.push(seq);
            }
        }
    }

    /// Notes that everything found so far has its place in the log.
    pub(super) fn recorded(self, shared: &Arc<Shared>) -> Self {
        if shared.is_forked() {
            // Waiting for the record is refused there.
            return Ended { records: Some((shared.clone(), u64::MAX)), ..self };
        }
        shared.watchers.wake_due();
        let through = shared.journal.last_seq();
        Ended { records: Some((shared.clone(), through)), ..self }
    }

    /// How many tasks and grants ended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.tasks + self.grants
    }

    /// Whether nothing ended: it had ended before, or there was nothing to end.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Waits until the log has the record of this end, for `timeout` at the longest. If no other
    /// thread is writing, this one does, and is inside the sink as long as the sink takes.
    ///
    /// # Errors
    /// [`FlushError`] if the log refuses or does not answer in time. The end stands, and its record
    /// is owed.
    pub fn and_flush(self, timeout: Duration) -> Result<Self, FlushError> {
        if let Some((shared, through)) = &self.records {
            flush(shared, *through, timeout)?;
        }
        Ok(self)
    }

    /// As [`and_flush`](Ended::and_flush), as a future of any runtime. It has no time limit of its
    /// own: dropping it stops waiting, and calls no sink.
    ///
    /// # Errors
    /// As [`and_flush`](Ended::and_flush).
    pub async fn and_flushed(self) -> Result<Self, FlushError> {
        if let Some((shared, through)) = &self.records {
            Flushed::new(shared.clone(), *through).await?;
        }
        Ok(self)
    }
}

/// Two ends are equal that found the same, wherever their records are.
impl PartialEq for Ended {
    fn eq(&self, other: &Self) -> bool {
        (self.tasks, self.grants, &self.running) == (other.tasks, other.grants, &other.running)
    }
}

impl Eq for Ended {}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ended")
            .field("tasks", &self.tasks)
            .field("grants", &self.grants)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
