//! What a fleet does at one of its nodes: each act at this broker alone.

use std::sync::Arc;
use std::time::Duration;

use super::Broker;
use super::ended::Ended;
use super::retire::End;
use crate::audit::{Event, How};
use crate::clock::{NoTime, Reading, Timestamp};
use crate::identity::Fold;
use crate::membership::Membership;
use crate::task::{Halt, OpenQuestion};

impl Broker {
    /// Makes the broker a node, which has no lease so far: `false` if it is or was one.
    pub(crate) fn join_fleet(&self, own: Arc<Membership>) -> bool {
        self.shared.member.join(own)
    }

    /// Both clocks, read for what a lease is counted by.
    pub(crate) fn reading(&self) -> Result<Reading, NoTime> {
        self.shared.keeper.read().map(|(_, reading)| reading)
    }

    /// Whether this is the child of a fork, which is no node.
    pub(crate) fn is_in_child(&self) -> bool {
        self.shared.is_forked()
    }

    pub(crate) fn fold(&self) -> Fold {
        self.shared.fold
    }

    /// For how long a permit may start its call.
    pub(crate) fn permit_ttl(&self) -> Duration {
        self.shared.settings.permit_ttl
    }

    /// Halts an identity until then, at this broker alone.
    pub(crate) fn halt_until_here(&self, what: Halt, until: Timestamp) -> Ended {
        let (Halt::Identity { id }, Some(now)) = (&what, self.shared.time_of_end()) else {
            // Only halts of identities lapse: any other stays until it is resumed.
            return self.control().halt_here(what);
        };
        let turn = self.shared.halts.take_turn();
        let (until, was_on) = self.shared.halts.halt_until(id, Some(until), now);
        if !was_on {
            self.shared.record(now, &Event::Halted { what: what.to_string().into(), until });
        }
        drop(turn);
        self.control().report_halted(&what)
    }

    /// The questions that wait for people.
    pub(crate) fn waiting_questions(&self) -> Vec<Arc<OpenQuestion>> {
        let Some(now) = self.shared.time_of_end() else { return Vec::new() };
        self.shared.docket.all().into_iter().filter(|open| open.awaits(now)).collect()
    }

    /// How many tasks are open.
    pub(crate) fn open_tasks(&self) -> usize {
        self.shared.table.len()
    }

    /// How many calls are running, of tasks that are over, too.
    pub(crate) fn running_calls(&self) -> usize {
        let tasks = self.shared.table.with_late();
        tasks.iter().map(|task| task.life.lock().running().len()).sum()
    }

    /// Ends every task: the node leaves.
    pub(crate) fn end_all_tasks(&self) -> Ended {
        let (mut ended, tasks) = (Ended::nothing(), self.shared.table.tasks());
        for task in &tasks {
            let end = End::Task { how: How::Closed, reason: None };
            ended.add_task(self.shared.end(task, end));
        }
        for task in &tasks {
            self.shared.await_leaves(task.generation);
        }
        ended.recorded(&self.shared)
    }

    /// Ends every task as lost: the fleet gave this node up.
    pub(crate) fn lose_all_tasks(&self) {
        for task in self.shared.table.tasks() {
            let _ = self.shared.end(&task, End::Task { how: How::Lost, reason: None });
        }
        self.shared.watchers.wake_due();
    }
}
