//! What changes while somebody looks at everything that stands, so that what is told is of one moment.
//!
//! A look takes the last number of the log's sequence for its moment, and then goes through the tasks one
//! after the other. What begins or ends meanwhile has a later number and notes itself here: the look leaves
//! out what began after its moment, and takes in what ended after it. Nothing waits for a look.

use super::standing::{StandingGrant, StandingTask};
use crate::clock::Timestamp;
use crate::grant::GrantId;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, RwLock, RwLockReadGuard};
use crate::task::{Life, TaskCell};

/// Changes since the earliest look that is under way.
#[derive(Default)]
pub(crate) struct Changes {
    /// Held for reading from before a change until it has its number, and for writing while a look
    /// takes its moment: a change that no look was under way for has a number that no later look leaves out.
    begin: RwLock<()>,
    looks: AtomicUsize,
    noted: Mutex<Vec<(u64, Change)>>,
}

/// One change of what stands.
#[derive(Clone)]
pub(super) enum Change {
    /// A task was opened: its generation.
    Opened(u64),
    /// A grant was made.
    Given(GrantId),
    /// A task ended, or only grants of it: those that stood until then.
    Ended(Option<StandingTask>, Vec<StandingGrant>),
}

/// A change that is under way, under its task's lock.
pub(super) struct Changing<'c> {
    changes: &'c Changes,
    watched: bool,
    _begin: RwLockReadGuard<'c, ()>,
}

impl Changes {
    /// Before something begins or ends.
    pub(super) fn change(&self) -> Changing<'_> {
        let begin = self.begin.read();
        let watched = self.looks.load(Ordering::SeqCst) > 0;
        Changing { changes: self, watched, _begin: begin }
    }

    /// Begins a look, at the moment that `take` says.
    pub(super) fn begin_look(&self, take: impl FnOnce() -> u64) -> u64 {
        let _begin = self.begin.write();
        self.looks.fetch_add(1, Ordering::SeqCst);
        take()
    }

    /// Ends a look: what changed after its moment.
    pub(super) fn end_look(&self, moment: u64) -> Vec<Change> {
        let mut noted = self.noted.lock();
        let since = noted.iter().filter(|(seq, _)| *seq > moment);
        let since = since.map(|(_, change)| change.clone()).collect();
        // Under the lock, so that what another look needs is not dropped.
        if self.looks.fetch_sub(1, Ordering::SeqCst) == 1 {
            *noted = Vec::new();
        }
        since
    }
}

impl Changing<'_> {
    /// What stands of a task before it ends, if somebody looks.
    pub(super) fn before_task(
        &self,
        cell: &TaskCell,
        life: &Life,
        at: Timestamp,
    ) -> Option<Change> {
        self.watched.then(|| {
            let grants = StandingGrant::all(cell, life, Some(at), |_| true);
            Change::Ended(Some(StandingTask::of(cell, life)), grants)
        })
    }

    /// What stands of a grant, and of those below it, before it ends, if somebody looks.
    pub(super) fn before_grant(
        &self,
        cell: &TaskCell,
        life: &Life,
        id: GrantId,
        at: Timestamp,
    ) -> Option<Change> {
        self.watched.then(|| {
            let below = |row: &crate::grant::Row| life.hangs_from(row.id, id);
            Change::Ended(None, StandingGrant::all(cell, life, Some(at), below))
        })
    }

    /// The change has this number: its own, or none that any look has reached.
    pub(super) fn has_number(self, seq: Option<u64>, change: Option<Change>) {
        if let Some(change) = change {
            self.changes.noted.lock().push((seq.unwrap_or(u64::MAX), change));
        }
    }

    /// Something has begun, at this number.
    pub(super) fn has_begun(self, seq: u64, change: Change) {
        let change = self.watched.then_some(change);
        self.has_number(Some(seq), change);
    }

    /// Something that stood was never given: no look lists it.
    pub(super) fn was_never(self, change: Change) {
        let change = self.watched.then_some(change);
        self.has_number(None, change);
    }
}
