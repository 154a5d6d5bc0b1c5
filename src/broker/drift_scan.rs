//! The scan of live grants after a reload or a restatement, and its report.

use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::current::Current;
use super::shared::Shared;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::task::{Life, TaskCell};

/// How many tasks one step of an awaited scan looks at before it lets others go on.
const STEP: usize = 64;

/// The scan of live grants that goes with a [reload](crate::Broker::reload) or a
/// [restatement](crate::Control::restate).
///
/// What was put in force decides everything from the moment those return, whether anything is scanned or
/// not: a grant that has not been scanned is checked when it is used next. Scanning ends the drifted
/// ones before, and makes a report.
pub struct DriftScan {
    shared: Arc<Shared>,
    epoch: u64,
    waiting: VecDeque<Arc<TaskCell>>,
    report: Drift,
}

/// What a policy would not give any more.
///
/// A grant that was found drifted when it was used, before the scan came to its task, has ended by
/// then: the log has it, with the calls that were running, and this does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The grants that ended, or would end. What was delegated from one of them ends with it, and is
    /// not named next to it.
    pub grants: Vec<Drifted>,
}

/// One grant that today's policy would not give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// The grant.
    pub id: GrantId,
    /// Its task.
    pub task: Arc<str>,
    /// Its holder.
    pub holder: Box<str>,
    /// The numbers, in the log, of the permits whose calls were running on it and on what hangs from
    /// it: these go on.
    pub running: Vec<u64>,
    /// What a request for the same would be denied with today, for operators: the reason, and the
    /// rules that decided. Presenting its token is answered `drifted`.
    pub why: Denial,
}

impl DriftScan {
    pub(super) fn new(shared: Arc<Shared>, epoch: u64, waiting: VecDeque<Arc<TaskCell>>) -> Self {
        DriftScan { shared, epoch, waiting, report: Drift::default() }
    }

    /// The epoch in force.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many tasks have not been scanned yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Scans some more tasks, and ends their drifted grants; `false` once all are scanned.
    pub fn scan(&mut self, tasks: usize) -> bool {
        for cell in self.waiting.drain(..tasks.min(self.waiting.len())) {
            scan_task(&self.shared, &cell, &mut self.report);
        }
        !self.waiting.is_empty()
    }

    /// Scans all that is left, and reports which grants ended.
    pub fn finish(mut self) -> Drift {
        while self.scan(STEP) {}
        self.report
    }

    /// As [`finish`](DriftScan::finish), a few tasks at a time, letting other futures go on in between.
    pub async fn finished(mut self) -> Drift {
        poll_fn(move |waker| {
            if self.scan(STEP) {
                waker.waker().wake_by_ref();
                Poll::Pending
            } else {
                Poll::Ready(std::mem::take(&mut self.report))
            }
        })
        .await
    }
}

fn scan_task(shared: &Shared, cell: &Arc<TaskCell>, report: &mut Drift) {
    let Some(now) = shared.time_of_end() else { return };
    let stale = {
        // In the order of locks: what is in force, then the task.
        let current = shared.current();
        Stale::of(&cell.life.lock(), &current, now)
    };
    let mut survey = Survey::default();
    // One look at a time under the locks: an end, a halt or another reload waits for no more than that.
    for row in stale.rows {
        let current = shared.current();
        let mut life = cell.life.lock();
        let now = shared.as_of(now);
        let looked = survey.look(shared, &current, cell, &mut life, row, now);
        if let Look::Shortened(id, expires) = &looked {
            shared.record_shortened(&current, cell, &life, (*id, *expires), now);
        }
        let Some(one) = looked.drifted() else { continue };
        let id = one.0;
        report.grants.extend(Drifted::new(cell, &life, one));
        shared.end_drifted(cell, &mut life, id, now);
        drop((life, current));
        shared.watchers.wake_due();
    }
}

/// The live grants of a task that today's policy has not been asked about: each with how many hops down it
/// is, and its parent. From the top: what hangs from a grant is held to what that is held to today. The
/// oldest first: a whole life that the policy limits now began with it.
pub(super) struct Stale {
    pub(super) rows: Vec<(u8, GrantId, Option<GrantId>)>,
}

impl Stale {
    pub(super) fn of(life: &Life, current: &Current, now: Timestamp) -> Self {
        let stale = life.grants.iter().filter(|row| row.version != current.version);
        let live = stale.filter(|row| life.is_live(row, Some(now)));
        let mut rows: Vec<_> =
            live.map(|row| (row.first_issued, (row.hops, row.id, row.parent))).collect();
        rows.sort_by_key(|(first_issued, (hops, ..))| (*hops, *first_issued));
        Stale { rows: rows.into_iter().map(|(_, row)| row).collect() }
    }
}

/// Which grants were found that policy would not give, and what hangs from them.
#[derive(Default)]
pub(super) struct Survey {
    doomed: HashSet<GrantId>,
}

impl Survey {
    /// Asks today's policy about one grant, takes over what it limits more tightly, and names it if policy
    /// would not give it: of those that hang from one another only the highest.
    pub(super) fn look(
        &mut self,
        shared: &Shared,
        current: &Current,
        cell: &TaskCell,
        life: &mut Life,
        (_, id, parent): (u8, GrantId, Option<GrantId>),
        now: Timestamp,
    ) -> Look {
        if parent.is_some_and(|parent| self.doomed.contains(&parent)) {
            self.doomed.insert(id);
            return Look::Passed;
        }
        match shared.keep_up_one(current, cell, life, id, now) {
            Ok(None) => Look::Passed,
            Ok(Some(expires)) => Look::Shortened(id, expires),
            // Where nothing could be told of it, its next use decides.
            Err(why) if why.reason() == Reason::TooCostly => Look::Passed,
            Err(why) => {
                self.doomed.insert(id);
                Look::Drifted((id, why))
            }
        }
    }
}

/// What came of a look at one grant.
pub(super) enum Look {
    /// Nothing to be said.
    Passed,
    /// It ends sooner than it was given for.
    Shortened(GrantId, Timestamp),
    /// Policy would not give it.
    Drifted((GrantId, Denial)),
}

impl Look {
    pub(super) fn drifted(self) -> Option<(GrantId, Denial)> {
        match self {
            Look::Drifted(one) => Some(one),
            Look::Passed | Look::Shortened(..) => None,
        }
    }
}

impl Drifted {
    pub(super) fn new(cell: &TaskCell, life: &Life, (id, why): (GrantId, Denial)) -> Option<Self> {
        Some(Drifted {
            id,
            task: (&*cell.name).into(),
            holder: life.grant(id)?.holder.subject().as_str().into(),
            running: life.running_below(id),
            why,
        })
    }
}

impl std::fmt::Debug for DriftScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriftScan")
            .field("epoch", &self.epoch)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
