//! Sweeping: what is past its time is dead at once, and put away later, a little at a time.

use super::Broker;
use super::shared::Shared;
use crate::audit::{Event, How, Outcome};
use crate::clock::Timestamp;
use crate::denial::Reason;
use crate::grant::{GrantId, Rows};
use crate::task::{Life, TaskCell};

/// How many tasks are looked at whenever one is opened, so that a broker that is used sweeps itself:
/// more are put away than opened.
const AT_OPEN: usize = 2;

/// How many parts of the table are looked into then: few, so that opening costs the same in an empty
/// broker.
const PARTS_AT_OPEN: usize = 16;

/// How many grants of one task are put away before others have their turn.
const ROWS: usize = 1024;

impl Broker {
    /// Looks at some tasks, in turn, and puts away what of them is past its time: returns how many
    /// tasks and grants that was. Looks at the counters of as many identities, too, and forgets those
    /// that hold nothing any more.
    ///
    /// Nothing depends on it: what is past its time gives nothing, swept or not. Opening tasks sweeps
    /// a little, too.
    pub fn sweep(&self, tasks: usize) -> usize {
        self.shared.sweep(tasks)
    }
}

impl Shared {
    pub(super) fn sweep_at_open(&self) {
        self.sweep_parts(AT_OPEN, PARTS_AT_OPEN);
    }

    pub(super) fn sweep(&self, tasks: usize) -> usize {
        self.sweep_parts(tasks, usize::MAX)
    }

    fn sweep_parts(&self, tasks: usize, parts: usize) -> usize {
        self.drop_remains();
        // Without a clock nothing can be said to be past its time.
        let Ok(now) = self.keeper.now() else { return 0 };
        self.spanning.sweep(tasks, now);
        let mut swept = 0;
        for cell in self.table.next_to_sweep(tasks, parts) {
            if now >= cell.ceiling {
                self.end(&cell, How::Ceiling, None);
                swept += 1;
            } else {
                swept += self.sweep_grants(&cell, now);
            }
        }
        swept
    }

    fn sweep_grants(&self, cell: &TaskCell, now: Timestamp) -> usize {
        let (past, buried): (Vec<_>, _) = {
            let mut life = cell.life.lock();
            self.close_lapsed(cell, &mut life, now);
            let buried = life.grants.bury(ROWS);
            life.shrink();
            let past = life.grants.iter().filter(|row| row.is_past(now)).map(|row| row.id);
            (past.take(ROWS).collect(), buried)
        };
        // One may have ended with another above it.
        let ended = |id: &&GrantId| self.end_grant(cell, **id, Reason::Expired).is_some();
        buried + past.iter().filter(ended).count()
    }

    /// Permits that lapsed give back what they reserved, and their outcome is recorded.
    #[inline]
    pub(super) fn close_lapsed(&self, cell: &TaskCell, life: &mut Life, now: Timestamp) {
        // Every call asks this, of a task that mostly has no permit open.
        if !life.permits().is_empty() {
            self.close_each_lapsed(cell, life, now);
        }
    }

    fn close_each_lapsed(&self, cell: &TaskCell, life: &mut Life, now: Timestamp) {
        for of in life.drop_lapsed(now) {
            let event = Event::Outcome {
                task: (&*cell.name).into(),
                generation: cell.generation,
                of,
                outcome: Outcome::Abandoned,
                task_over: false,
            };
            // Written with the next record that is settled.
            if let Ok(place) = self.place(now, &event) {
                self.journal.owe_later(place);
            }
        }
    }

    /// Takes over the grants of a task that is over: dead already, and dropped a few at a time where
    /// there are many.
    pub(super) fn bury(&self, mut grants: Rows) {
        if grants.drop_some(ROWS) {
            self.remains.lock().push(grants);
        }
    }

    pub(super) fn has_remains(&self) -> bool {
        !self.remains.lock().is_empty()
    }

    fn drop_remains(&self) {
        let mut remains = self.remains.lock();
        if let Some(mut grants) = remains.pop()
            && grants.drop_some(ROWS)
        {
            remains.push(grants);
        }
    }
}
