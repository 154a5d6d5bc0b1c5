//! Sweeping: what is past its time is dead at once, and removed later, a little at a time.

use std::sync::Arc;

use super::Broker;
use super::remains::ROWS;
use super::retire::End;
use super::shared::Shared;
use crate::audit::{How, Outcome};
use crate::clock::{NoTime, Timestamp};
use crate::denial::Reason;
use crate::grant::GrantId;
use crate::task::{Life, TaskCell};

/// How many tasks are looked at whenever one is opened, so that a broker that is used sweeps itself:
/// more are removed than opened.
const AT_OPEN: usize = 2;

/// How many parts of the table are looked into then: few, so that opening costs the same in an empty
/// broker.
const PARTS_AT_OPEN: usize = 16;

impl Broker {
    /// Looks at some tasks, in turn, and removes what of them is past its time: returns how many
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
        let now = match self.keeper.now() {
            Err(NoTime::Forked) => return 0,
            read => read.ok(),
        };
        self.remains.drop_some(ROWS);
        // Without a clock nothing can be said to be past its time.
        let Some(now) = now else { return 0 };
        self.purge_keys(now);
        self.journal.sum_up_past(now);
        {
            // Held meanwhile, so that none is forgotten by what a policy before looked at.
            let current = self.current();
            self.spanning.sweep(tasks, &|rule| current.policy.limits_of(rule), now);
        }
        self.halts.sweep(now);
        let mut swept = 0;
        for cell in self.table.next_to_sweep(tasks, parts) {
            let how = match now >= cell.ceiling {
                true => Some(How::Ceiling),
                false => self.is_left(&cell, now).then_some(How::Interrupted),
            };
            if let Some(how) = how {
                let end = End::Task { how, reason: None };
                swept += usize::from(self.end(&cell, end).is_ok());
            } else {
                swept += self.sweep_grants(&cell, now);
            }
        }
        swept
    }

    fn sweep_grants(&self, cell: &Arc<TaskCell>, now: Timestamp) -> usize {
        let (past, buried): (Vec<_>, _) = {
            let mut life = cell.life.lock();
            self.close_lapsed(cell, &mut life, now);
            self.pass_time(&life, now);
            let buried = life.grants.bury(ROWS);
            life.shrink();
            let past = life.grants.iter().filter(|row| row.is_past(now)).map(|row| row.id);
            (past.take(ROWS).collect(), buried)
        };
        self.watchers.wake_due();
        // One may have ended with another above it.
        let ended =
            |id: &&GrantId| self.end(cell, End::Grant { id: **id, why: Reason::Expired }).is_ok();
        buried + past.iter().filter(ended).count()
    }

    /// Whether a task of an earlier life of the broker has nothing left that it could be taken up again for.
    fn is_left(&self, cell: &TaskCell, now: Timestamp) -> bool {
        let life = cell.life.lock();
        let Some(dormant) = life.questions().filter(|own| own.is_dormant()) else { return false };
        self.pass_time(&life, now);
        dormant.all().iter().all(|question| question.is_final(now))
    }

    /// Questions and approvals that are past their time are over, and those who wait for them are told.
    fn pass_time(&self, life: &Life, now: Timestamp) {
        for question in life.questions().iter().flat_map(|own| own.all()) {
            if let Some(to) = question.pass_time(now) {
                self.settled(question, to, "time", now);
            }
        }
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
            self.record_outcome(cell, life, (of, Outcome::Abandoned, 0), now);
        }
    }
}
