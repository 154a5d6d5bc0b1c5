//! Retiring: the one way in which a grant or a task ends, whatever ends it.
//!
//! It happens under the task's lock, together with the record's place in the sequence, and waits for
//! nothing: neither for the log nor for what drops the memory.

use std::sync::Arc;

use super::changes::Change;
use super::shared::{Recorded, Shared};
use crate::audit::{Event, How};
use crate::clock::{NoTime, Timestamp};
use crate::denial::Reason;
use crate::grant::{GrantId, Rows};
use crate::task::{EndedBy, EndedTask, Life, TaskCell};
use crate::visible::cut;

/// How many bytes of the reason for which a task failed the log keeps: as many as of a purpose's intent.
const MAX_FAIL_REASON: usize = 4096;

/// What ends, and why.
#[derive(Clone, Copy)]
pub(super) enum End<'e> {
    /// The task, with all that it holds.
    Task { how: How, reason: Option<&'e str> },
    /// One grant, with all delegated from it.
    Grant { id: GrantId, why: Reason },
}

/// What an end found.
pub(super) struct Retired {
    /// Numbers of the permits whose calls were running.
    pub(super) running: Vec<u64>,
    /// Grants of a task that is over, to be dropped outside of its lock.
    rows: Rows,
    /// What the grant ended by, where that is something else than what was to end it.
    pub(super) ended_otherwise: Option<EndedBy>,
}

impl Shared {
    /// Ends a task or a grant, under the task's lock: `None` if it had ended before. `at` was read
    /// before the lock was taken.
    pub(super) fn retire(
        &self,
        cell: &Arc<TaskCell>,
        life: &mut Life,
        end: End<'_>,
        at: Timestamp,
        recorded: Recorded,
    ) -> Option<Retired> {
        match end {
            End::Task { how, reason } => {
                let changing = self.changes.change();
                let before = changing.before_task(cell, life, at);
                let EndedTask { running, rows, questions } = life.end(how)?;
                let minted = self.owe_credentials(cell.generation, None, self.as_of(at));
                let unsettled = minted || !running.is_empty();
                if let Some(questions) = questions {
                    // Their end is in the task's record.
                    for own in questions.all().iter().filter(|own| own.end_with_task()) {
                        self.announce(own, own.state());
                    }
                    self.docket.forget(questions.all());
                }
                match recorded {
                    Recorded::Yes => {
                        let event = ended(cell, how, reason, (&running, unsettled));
                        changing.has_number(self.record(at, &event), before);
                        if unsettled && running.is_empty() {
                            self.note_calls_done(cell.generation, &cell.name, at);
                        }
                    }
                    Recorded::NeverGiven => changing.was_never(Change::Opened(cell.generation)),
                }
                // In this order: a thread that looks at all tasks finds it in one place or the other, and one
                // that does not find it in the table any more finds its end among the changes. Before the
                // lock is let go: a task that is over has given its name up.
                if !running.is_empty() {
                    self.table.keep_late(cell);
                }
                self.table.remove(cell);
                self.watchers.note_end(cell.generation);
                Some(Retired { running, rows, ended_otherwise: None })
            }
            End::Grant { id, why } => {
                // What is past its time when it is to be revoked ends as expired.
                let expiry = match why {
                    Reason::Expired | Reason::Revoked => cell.expiry(life, id, self.as_of(at)),
                    _ => None,
                };
                let by = expiry.map_or(EndedBy::Other(why), EndedBy::Time);
                let changing = self.changes.change();
                let before = changing.before_grant(cell, life, id, at);
                let gone = life.end_grant(id, by)?;
                self.owe_credentials(cell.generation, Some(&gone.removed), self.as_of(at));
                match recorded {
                    Recorded::Yes => {
                        let glass = life.is_of_glass(id);
                        let running = (&*gone.running, glass);
                        let event = grant_ended(cell, &gone.removed, by.reason(), running);
                        changing.has_number(self.record(at, &event), before);
                    }
                    Recorded::NeverGiven => changing.was_never(Change::Given(id)),
                }
                self.watchers.note_end(cell.generation);
                let ended_otherwise = (by.reason() != why).then_some(by);
                Some(Retired { running: gone.running, rows: Rows::default(), ended_otherwise })
            }
        }
    }

    /// What grants of a task had minted has to go: of all of them, or of these. Whether any was planned for the task. Under
    /// the task's lock; calls no provider.
    #[inline]
    fn owe_credentials(&self, generation: u64, grants: Option<&[GrantId]>, at: Timestamp) -> bool {
        let downstream = self.downstream.as_ref();
        downstream.is_some_and(|own| own.ledger.end(generation, grants, at))
    }

    /// Ends a task or a grant; what it found, or only what still runs if it had ended before. In the child of a
    /// fork, where nothing of it lives, that is nothing.
    pub(super) fn end(&self, cell: &Arc<TaskCell>, end: End<'_>) -> Result<Retired, Vec<u64>> {
        let Some(at) = self.time_of_end() else { return Err(Vec::new()) };
        let mut life = cell.life.lock();
        let retired = self.retire(cell, &mut life, end, at, Recorded::Yes);
        let Some(mut retired) = retired else {
            return Err(match end {
                End::Task { .. } => life.running(),
                End::Grant { id, .. } => life.running_on(id),
            });
        };
        drop(life);
        self.watchers.wake_due();
        self.remains.take(std::mem::take(&mut retired.rows));
        if retired.ended_otherwise.is_some() { Err(retired.running) } else { Ok(retired) }
    }

    /// Takes back what was to be given and is not recorded as given.
    pub(super) fn take_back(&self, cell: &Arc<TaskCell>, end: End<'_>, recorded: Recorded) {
        let Some(at) = self.time_of_end() else { return };
        let mut life = cell.life.lock();
        let retired = self.retire(cell, &mut life, end, at, recorded);
        drop(life);
        self.watchers.wake_due();
        if let Some(retired) = retired {
            self.remains.take(retired.rows);
        }
    }

    /// The time of a record, and of what needs one whatever the clock says.
    pub(super) fn time_or_latest(&self) -> Timestamp {
        self.keeper.now().unwrap_or_else(|_| self.keeper.latest())
    }

    /// The time of what goes through whatever the clock does: an end. `None` in the child of a fork, which ends
    /// nothing and takes no lock.
    pub(super) fn time_of_end(&self) -> Option<Timestamp> {
        match self.keeper.now() {
            Ok(now) => Some(now),
            Err(NoTime::Clock(_)) => Some(self.keeper.latest()),
            Err(NoTime::Forked) => None,
        }
    }
}

fn ended<'e>(
    cell: &'e TaskCell,
    how: How,
    reason: Option<&'e str>,
    (running, unsettled): (&[u64], bool),
) -> Event<'e> {
    Event::Ended {
        task: (&*cell.name).into(),
        generation: cell.generation,
        how,
        reason: reason.map(|reason| cut(reason, MAX_FAIL_REASON)),
        running: running.to_vec(),
        unsettled,
    }
}

/// The record of a grant that has ended, and of what hung from it as far as that was removed in the
/// same step. The rest is known by its parent.
fn grant_ended<'e>(
    cell: &'e TaskCell,
    removed: &[GrantId],
    why: Reason,
    (running, break_glass): (&[u64], bool),
) -> Event<'e> {
    let mut ids = removed.iter().map(GrantId::to_string);
    Event::GrantEnded {
        task: (&*cell.name).into(),
        generation: cell.generation,
        grant: ids.next().unwrap_or_default().into(),
        why: why.as_str().into(),
        below: ids.map(Into::into).collect(),
        running: running.to_vec(),
        break_glass,
    }
}
