//! What stands: every live task and grant, at one moment.

use std::sync::Arc;

use super::Broker;
use crate::clock::Timestamp;
use crate::grant::GrantId;

/// What is live at this broker: between tasks, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Live tasks, in the order in which they were opened.
    pub tasks: Vec<StandingTask>,
    /// Live grants, task by task.
    pub grants: Vec<StandingGrant>,
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
    /// Who may use it.
    pub holder: Box<str>,
    /// When it ends, unless something ends it before.
    pub expires: Timestamp,
}

impl Standing {
    /// Whether nothing stands: no task, and so no grant.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.grants.is_empty()
    }
}

impl Broker {
    /// Every live task and grant. What is past its time is not live, whether swept away yet or not.
    /// If the clock can't be read, everything in the table is listed.
    pub fn standing(&self) -> Standing {
        let now = self.shared.keeper.now().ok();
        let past = |end: Timestamp| now.is_some_and(|now| now >= end);
        let mut standing = Standing::default();
        for task in self.shared.table.tasks() {
            let life = task.life.lock();
            if life.over.is_some() || past(task.ceiling) {
                continue;
            }
            let task_name: Arc<str> = (&*task.name).into();
            standing.tasks.push(StandingTask {
                name: task_name.clone(),
                generation: task.generation,
                requester: task.requester.subject().as_str().into(),
                ceiling: task.ceiling,
                permits: life.permits().len(),
            });
            for row in life.grants.iter().filter(|row| life.is_live(row, now)) {
                standing.grants.push(StandingGrant {
                    id: row.id,
                    task: task_name.clone(),
                    holder: row.holder.subject().as_str().into(),
                    expires: row.expires,
                });
            }
        }
        standing
    }
}
