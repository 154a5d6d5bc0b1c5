//! Looking at everything that stands.

use std::collections::HashSet;
use std::sync::Arc;

use super::Broker;
use super::changes::Change;
use super::shared::Shared;
use super::standing::{LateCall, Standing, StandingGrant, StandingTask};
use crate::clock::{NoTime, Timestamp};

impl Broker {
    /// Every live task and grant, at one moment: whatever begins and ends meanwhile, each of them stood
    /// then, and none that stood then is missing. What is past its time is not live, whether swept away
    /// yet or not. If the clock can't be read, everything in the table is listed. Nothing waits for it.
    pub fn standing(&self) -> Standing {
        let shared = &self.shared;
        let now = match shared.keeper.now() {
            Err(NoTime::Forked) => return Standing::default(),
            read => read.ok(),
        };
        let moment = shared.changes.begin_look(|| shared.journal.last_seq());
        let mut standing = Standing::default();
        for task in shared.table.tasks() {
            let life = task.life.lock();
            if life.over.is_none() {
                standing.tasks.push(StandingTask::of(&task, &life));
                standing.grants.extend(StandingGrant::all(&task, &life, now, |_| true));
            }
        }
        for change in shared.changes.end_look(moment) {
            match change {
                Change::Opened(generation) => {
                    standing.tasks.retain(|task| task.generation != generation);
                    standing.grants.retain(|grant| grant.generation != generation);
                }
                Change::Given(id) => standing.grants.retain(|grant| grant.id != id),
                Change::Ended(task, grants) => standing.add(task, grants),
            }
        }
        let past = |end: Timestamp| now.is_some_and(|now| now >= end);
        standing.tasks.retain(|task| !past(task.ceiling));
        let live: HashSet<u64> = standing.tasks.iter().map(|task| task.generation).collect();
        standing.grants.retain(|own| live.contains(&own.generation) && !past(own.expires));
        standing.late_calls = shared.late_calls();
        standing.downstream =
            shared.downstream.as_ref().map_or_else(Vec::new, |own| own.standing());
        standing
    }
}

impl Shared {
    fn late_calls(&self) -> Vec<LateCall> {
        let late = self.table.late();
        let calls = late.iter().flat_map(|task| {
            let running = task.life.lock().running();
            let name: Arc<str> = (&*task.name).into();
            let call =
                move |permit| LateCall { permit, task: name.clone(), generation: task.generation };
            running.into_iter().map(call)
        });
        calls.collect()
    }
}
