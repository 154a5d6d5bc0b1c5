//! What stands: every live task and grant, at one moment.

use std::sync::Arc;

use super::downstream::StandingCredential;
use crate::clock::Timestamp;
use crate::grant::{GrantId, Row};
use crate::task::{Life, TaskCell};

/// What is live at this broker: between tasks, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Live tasks, in the order in which they were opened.
    pub tasks: Vec<StandingTask>,
    /// Live grants, task by task.
    pub grants: Vec<StandingGrant>,
    /// Calls that run on after the end of their task, as they were when that was looked at.
    pub late_calls: Vec<LateCall>,
    /// Credentials outside that are not known to be gone, in the order in which they were planned: what live grants
    /// have, and what is owed after their end.
    pub downstream: Vec<StandingCredential>,
}

/// A live task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingTask {
    /// Its name.
    pub name: Arc<str>,
    /// Which opening it is.
    pub generation: u64,
    /// Who opened it.
    pub requester: Box<str>,
    /// When it ends at the latest.
    pub ceiling: Timestamp,
    /// How many permits are handed out, running ones included.
    pub permits: usize,
}

/// A live grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingGrant {
    /// Its id.
    pub id: GrantId,
    /// The task it ends with.
    pub task: Arc<str>,
    /// Which opening of the task it is.
    pub generation: u64,
    /// Who may use it.
    pub holder: Box<str>,
    /// When it ends, unless something ends it before.
    pub expires: Timestamp,
}

/// A call that runs on after the end of its task. It has no authority any more: nothing starts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateCall {
    /// The number, in the log, of its permit.
    pub permit: u64,
    /// The task that has ended.
    pub task: Arc<str>,
    /// Which opening it was.
    pub generation: u64,
}

impl Standing {
    /// Whether nothing stands here: no task, and so no grant. A [late call](LateCall) is not an authority; what stands
    /// outside, [`downstream`](Self::downstream) tells.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.grants.is_empty()
    }
}

impl Standing {
    /// Adds what ended after the moment, unless it was seen before it did.
    pub(super) fn add(&mut self, task: Option<StandingTask>, grants: Vec<StandingGrant>) {
        if let Some(task) = task
            && !self.tasks.iter().any(|own| own.generation == task.generation)
        {
            let after = self.tasks.partition_point(|own| own.generation < task.generation);
            self.tasks.insert(after, task);
        }
        for grant in grants {
            if !self.grants.iter().any(|own| own.id == grant.id) {
                let generation = grant.generation;
                let after = self.grants.partition_point(|own| own.generation <= generation);
                self.grants.insert(after, grant);
            }
        }
    }
}

impl StandingTask {
    pub(super) fn of(task: &TaskCell, life: &Life) -> Self {
        StandingTask {
            name: (&*task.name).into(),
            generation: task.generation,
            requester: task.requester.subject().as_str().into(),
            ceiling: task.ceiling,
            permits: life.permits().len(),
        }
    }
}

impl StandingGrant {
    /// The grants of a task that are live and that `which` names.
    pub(super) fn all(
        task: &TaskCell,
        life: &Life,
        now: Option<Timestamp>,
        which: impl Fn(&Row) -> bool,
    ) -> Vec<Self> {
        let name: Arc<str> = (&*task.name).into();
        let live = life.grants.iter().filter(|row| which(row) && life.is_live(row, now));
        live.map(|row| StandingGrant {
            id: row.id,
            task: name.clone(),
            generation: task.generation,
            holder: row.holder.subject().as_str().into(),
            expires: row.expires,
        })
        .collect()
    }
}
