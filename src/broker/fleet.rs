//! What a fleet does at one of its nodes: each act at this broker alone.

use std::sync::Arc;

use super::Broker;
use super::ended::Ended;
use super::retire::End;
use crate::audit::{Event, How};
use crate::clock::{NoTime, Reading, Timestamp};
use crate::identity::Fold;
use crate::membership::Membership;
use crate::task::Halt;

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

    /// Ends every task as lost: the fleet gave this node up.
    pub(crate) fn lose_all_tasks(&self) {
        for task in self.shared.table.tasks() {
            let _ = self.shared.end(&task, End::Task { how: How::Lost, reason: None });
        }
        self.shared.watchers.wake_due();
    }
}
