//! Control: the operators' handle.

use std::collections::HashSet;
use std::sync::Arc;

use super::shared::Shared;
use crate::audit::{Event, How};
use crate::denial::Reason;
use crate::grant::{GrantId, Row};
use crate::task::Halt;
use crate::task::{OpenPermit, TaskCell};

/// The operators' handle: stops things, and lets them go on.
///
/// Cloning it shares it. Anyone who holds one can stop everything this broker gates. It opens, requests and
/// permits nothing; what it [restates](Control::restate) of a subject, rules take for true.
#[derive(Clone)]
pub struct Control {
    pub(super) shared: Arc<Shared>,
}

/// What a halt found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Halted {
    /// The numbers, in the log, of the permits whose calls were running: these go on.
    pub running: Vec<u64>,
}

impl Control {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Control { shared }
    }

    /// Stops: when this returns, nothing that it stops can start, permits already handed out
    /// included. Calls that were running are reported. A halt stays until it is
    /// [resumed](Control::resume), whatever ends meanwhile; it ends nothing.
    pub fn halt(&self, what: Halt) -> Halted {
        let word = what.to_string();
        self.shared.halts.halt(what.clone());
        // Every task's lock is gone through once: what was about to start under it has started by
        // then and is reported, and what comes later sees the halt.
        let mut running = Vec::new();
        for task in self.shared.table.tasks() {
            let life = task.life.lock();
            for permit in life.permits().iter().filter(|permit| permit.running) {
                // Of a grant that has ended nothing is known any more: it is reported as well.
                let ended = life.grant(permit.grant).is_none();
                let who: Vec<_> = life.holders(permit.grant).chain([&permit.caller]).collect();
                if ended || what.stops(&task, &who, Some(permit.tool.as_str())) {
                    running.push(permit.seq);
                }
            }
        }
        let at = self.shared.keeper.now().unwrap_or_else(|_| self.shared.keeper.latest());
        self.shared.record(at, &Event::Halted { what: word.into() });
        Halted { running }
    }

    /// Lets go on what was halted; `false` if that halt was not on.
    pub fn resume(&self, what: &Halt) -> bool {
        let was = self.shared.halts.resume(what);
        if was {
            let at = self.shared.keeper.now().unwrap_or_else(|_| self.shared.keeper.latest());
            self.shared.record(at, &Event::Resumed { what: what.to_string().into() });
        }
        was
    }

    /// The halts that are on.
    pub fn halts(&self) -> Vec<Halt> {
        self.shared.halts.all()
    }

    /// Ends one grant, wherever it is; final when it returns. `false` if no such grant lives.
    pub fn revoke_grant(&self, id: GrantId) -> bool {
        let holding =
            self.shared.table.tasks().into_iter().find(|task| task.life.lock().grant(id).is_some());
        holding.is_some_and(|task| self.shared.end_grant(&task, id, Reason::Revoked).is_some())
    }

    /// Ends every grant that an identity holds, with all delegated from them, and every task it
    /// opened; and the same of every identity that acts for it. How many of both, what ended with
    /// them not counted.
    ///
    /// It ends what [`Halt::Identity`] of the same id stops, and knows identities as that does.
    pub fn revoke_identity(&self, id: &str) -> usize {
        let mut ended = 0;
        for task in self.shared.table.tasks() {
            if task.requester.is_or_acts_for(id) {
                self.shared.end(&task, How::Revoked, None);
                ended += 1;
            } else {
                // Whoever presents a token has the holder's id, and may act for others than it did
                // when it got the grant.
                let held = |row: &Row| row.holder.is_or_acts_for(id);
                ended += self.revoke_where(&task, held, |permit| permit.caller.is_or_acts_for(id));
            }
        }
        ended
    }

    /// Ends every grant that names a tool, with all delegated from them; how many, what ended with
    /// them not counted.
    pub fn revoke_tool(&self, tool: &str) -> usize {
        let names =
            |row: &Row| row.terms.scope.iter().any(|own| own.capability.tool.as_str() == tool);
        let tasks = self.shared.table.tasks();
        tasks.iter().map(|task| self.revoke_where(task, names, |_| false)).sum()
    }

    fn revoke_where(
        &self,
        task: &TaskCell,
        held: impl Fn(&Row) -> bool,
        permitted: impl Fn(&OpenPermit) -> bool,
    ) -> usize {
        let mut found: Vec<(u8, GrantId)> = {
            let life = task.life.lock();
            let permits = life.permits().iter().filter(|permit| permitted(permit));
            let used: HashSet<GrantId> = permits.map(|permit| permit.grant).collect();
            let rows = life.grants.iter().filter(|row| held(row) || used.contains(&row.id));
            rows.map(|row| (row.hops, row.id)).collect()
        };
        // Those above first, or how many end with them would be chance.
        found.sort_unstable_by_key(|(hops, _)| *hops);
        let end =
            |(_, id): &(u8, GrantId)| self.shared.end_grant(task, *id, Reason::Revoked).is_some();
        found.iter().filter(|id| end(id)).count()
    }

    /// Ends one task, by its name; `false` if none of that name is live.
    pub fn revoke_task(&self, name: &str) -> bool {
        match self.shared.table.task_named(name) {
            Some(task) => {
                self.shared.end(&task, How::Revoked, None);
                true
            }
            None => false,
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("halts", &self.halts()).finish_non_exhaustive()
    }
}
