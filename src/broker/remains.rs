//! Grants of tasks that are over: dead already, and dropped a few at a time where there are many.

use crate::grant::Rows;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How many grants are dropped before others have their turn: some tens of microseconds.
pub(super) const ROWS: usize = 1024;

/// How many are dropped whenever one is made, so that they never pile up: more than are made.
pub(super) const FOR_EACH_MADE: usize = 4;

/// What is left of tasks that held many grants.
#[derive(Default)]
pub(crate) struct Remains {
    /// Whether there is any: read whenever a grant is made, so that it costs no lock.
    any: AtomicBool,
    rows: Mutex<Vec<Rows>>,
}

impl Remains {
    /// Takes over the grants of a task that is over, outside of its lock.
    pub(super) fn take(&self, mut rows: Rows) {
        if rows.drop_some(ROWS) {
            let mut all = self.rows.lock();
            all.push(rows);
            self.any.store(true, Ordering::Relaxed);
        }
    }

    /// Drops what a grant that is made has to make up for.
    pub(super) fn drop_for_one(&self) {
        self.drop_some(FOR_EACH_MADE);
    }

    /// Drops some of what is left.
    pub(super) fn drop_some(&self, most: usize) {
        if !self.any() {
            return;
        }
        let mut all = self.rows.lock();
        if let Some(mut rows) = all.pop()
            && rows.drop_some(most)
        {
            all.push(rows);
        }
        self.any.store(!all.is_empty(), Ordering::Relaxed);
    }

    /// Whether anything is left to drop.
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// How many grants are left.
    pub(super) fn slots(&self) -> usize {
        self.rows.lock().iter().map(Rows::slots).sum()
    }
}
