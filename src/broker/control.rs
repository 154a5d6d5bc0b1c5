//! Control: the operators' handle.

use std::collections::HashSet;
use std::sync::Arc;

use super::ended::Ended;
use super::retire::End;
use super::shared::{Recorded, Shared};
use crate::audit::{Event, How};
use crate::denial::Reason;
use crate::grant::{GrantId, Row};
use crate::task::{Halt, HaltError};
use crate::task::{OpenPermit, TaskCell};

/// The operators' handle: stops things, and lets them go on.
///
/// Cloning it shares it. Anyone who holds one can stop everything this broker gates. It opens, requests and
/// permits nothing; what it [restates](Control::restate) of a subject, rules take for true.
#[derive(Clone)]
pub struct Control {
    pub(super) shared: Arc<Shared>,
}

impl Control {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Control { shared }
    }

    /// Stops: when this returns, nothing that it stops can start, permits already handed out
    /// included. Calls that were running are reported. A halt stays until it is
    /// [resumed](Control::resume), whatever ends meanwhile; it ends nothing. It takes the place of a
    /// tripwire's halt that would lapse.
    ///
    /// At a node of a fleet, the other nodes are told as soon as the store answers, and what is said of its return holds
    /// for this node: `Fleet::halt` says when it holds for all.
    pub fn halt(&self, what: Halt) -> Ended {
        let what = what.folded(self.shared.fold);
        if self.shared.is_forked() {
            return self.nothing();
        }
        self.shared.member.begin_halt(&what);
        let ended = self.halt_here(what.clone());
        self.shared.member.owe_halt(&what, None);
        ended
    }

    /// Stops at this broker alone, in whatever fleet it is.
    pub(crate) fn halt_here(&self, what: Halt) -> Ended {
        let word = what.to_string();
        // The clock is foreign code, which may call back: read before the turn is taken.
        let Some(at) = self.shared.time_of_end() else { return self.nothing() };
        let turn = self.shared.halts.take_turn();
        self.shared.halts.halt(what.clone());
        let ended = self.running_under(&what);
        self.shared.record(at, &Event::Halted { what: word.into(), until: None });
        drop(turn);
        self.shared.watchers.note_halt();
        ended.recorded(&self.shared)
    }

    /// What a halt that is on finds running. Every task's lock is gone through once: what was about to start under it
    /// has started by then and is reported, and what comes later sees the halt.
    fn running_under(&self, what: &Halt) -> Ended {
        let mut ended = Ended::nothing();
        for task in self.shared.table.with_late() {
            let life = task.life.lock();
            for permit in life.permits().iter().filter(|permit| permit.running) {
                // Who held a grant that has ended is not known any more: it is reported as well.
                let gone = life.grant(permit.grant).is_none();
                let who: Vec<_> = life.holders(permit.grant).chain([&permit.caller]).collect();
                if gone || what.stops(&task, &who, Some(permit.tool.as_str())) {
                    ended.add_running([permit.seq]);
                }
            }
        }
        ended
    }

    /// What a halt that is on and in the log finds running.
    #[cfg(feature = "fleet")]
    pub(super) fn report_halted(&self, what: &Halt) -> Ended {
        let ended = self.running_under(what);
        self.shared.watchers.note_halt();
        ended.recorded(&self.shared)
    }

    /// Lets go on what was halted; `false` if that halt was not on. At a node of a fleet nothing is resumed by this,
    /// for every node of it has to resume in the same order: that is `Fleet::resume`.
    pub fn resume(&self, what: &Halt) -> bool {
        !self.shared.member.is_in_fleet() && self.resume_here(what, |_| false)
    }

    /// Lets go on at this broker alone, in whatever fleet it is, unless the halt is kept: asked while no other thread
    /// puts one on.
    pub(crate) fn resume_here(&self, what: &Halt, is_kept: impl Fn(&Halt) -> bool) -> bool {
        let what = &what.clone().folded(self.shared.fold);
        let Some(at) = self.shared.time_of_end() else { return false };
        let _turn = self.shared.halts.take_turn();
        let was = !is_kept(what) && self.shared.halts.resume(what, at);
        if was {
            self.shared.record(at, &Event::Resumed { what: what.to_string().into() });
        }
        was
    }

    /// The halts that are on.
    pub fn halts(&self) -> Vec<Halt> {
        self.shared.time_of_end().map(|now| self.shared.halts.all(now)).unwrap_or_default()
    }

    /// Ends one grant, wherever it is, with all delegated from it; final when it returns.
    pub fn revoke_grant(&self, id: GrantId) -> Ended {
        let mut ended = Ended::nothing();
        for task in self.tasks_with(id) {
            let (holds, running) = {
                let life = task.life.lock();
                (life.grant(id).is_some(), life.running_on(id))
            };
            if holds {
                let end = End::Grant { id, why: Reason::Revoked };
                ended.add_grant(self.shared.end(&task, end));
            }
            ended.add_running(running);
            self.shared.await_leaves(task.generation);
        }
        ended.recorded(&self.shared)
    }

    /// Ends every grant that an identity holds, with all delegated from them, and every task it
    /// opened; and the same of every identity that acts for it. All have ended, and have their places
    /// in the log, before any of it is written.
    ///
    /// It ends what [`Halt::Identity`] of the same id stops, and knows identities as that does.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// let control = broker.control();
    /// assert_eq!(control.revoke_identity("spiffe://acme.test/agent/payer")?.count(), 0);
    /// let error = control.revoke_identity("SPIFFE://acme.test/agent/payer/").unwrap_err();
    /// assert_eq!(error.meant(), Some("spiffe://acme.test/agent/payer"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`HaltError`] of a name that no identity can be known by: nothing would end.
    pub fn revoke_identity(&self, id: &str) -> Result<Ended, HaltError> {
        let ended = self.revoke_identity_here(id)?;
        if !self.shared.is_forked() {
            self.shared.member.owe_revoked_identity(id);
        }
        Ok(ended)
    }

    /// As [`revoke_identity`](Self::revoke_identity), at this broker alone.
    pub(crate) fn revoke_identity_here(&self, id: &str) -> Result<Ended, HaltError> {
        Halt::identity(id)?;
        let id = &*self.shared.fold.name(id);
        let mut ended = Ended::nothing();
        for task in self.tasks() {
            if task.requester.is_or_acts_for(id) {
                ended.add_task(
                    self.shared.end(&task, End::Task { how: How::Revoked, reason: None }),
                );
            } else {
                // The presenter of a token has the holder's id, and may act for others than it did
                // when it got the grant.
                let held = |row: &Row| row.holder.is_or_acts_for(id);
                let called = |permit: &OpenPermit| permit.caller.is_or_acts_for(id);
                self.revoke_where(&task, held, called, &mut ended);
            }
        }
        Ok(ended.recorded(&self.shared))
    }

    /// Ends every grant that names a tool, with all delegated from them. All have ended, and have
    /// their places in the log, before any of it is written. Calls of the tool that run on a grant that had ended
    /// before are reported, too.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no tool can have: nothing would end.
    pub fn revoke_tool(&self, tool: &str) -> Result<Ended, HaltError> {
        let ended = self.revoke_tool_here(tool)?;
        if !self.shared.is_forked() {
            self.shared.member.owe_revoked_tool(tool);
        }
        Ok(ended)
    }

    /// As [`revoke_tool`](Self::revoke_tool), at this broker alone.
    pub(crate) fn revoke_tool_here(&self, tool: &str) -> Result<Ended, HaltError> {
        Halt::tool(tool)?;
        let names =
            |row: &Row| row.terms.scope.iter().any(|own| own.capability.tool.as_str() == tool);
        let mut ended = Ended::nothing();
        for task in self.tasks() {
            self.revoke_where(&task, names, |permit| permit.tool.as_str() == tool, &mut ended);
        }
        Ok(ended.recorded(&self.shared))
    }

    /// All tasks, those that are over and have a call that runs included: none in the child of a fork.
    fn tasks(&self) -> Vec<Arc<TaskCell>> {
        if self.shared.is_forked() { Vec::new() } else { self.shared.table.with_late() }
    }

    /// The task that the grant of this id is of, or all tasks where ids don't tell.
    fn tasks_with(&self, id: GrantId) -> Vec<Arc<TaskCell>> {
        match self.shared.ids.generation_of(id) {
            Some(_) if self.shared.is_forked() => Vec::new(),
            Some(generation) => self.shared.table.task_or_late(generation).into_iter().collect(),
            None => self.tasks(),
        }
    }

    /// What an end is in the child of a fork.
    fn nothing(&self) -> Ended {
        Ended::nothing().recorded(&self.shared)
    }

    /// Ends the grants of one task that `held` names, and those on which `called` names a permit, in
    /// one step.
    fn revoke_where(
        &self,
        task: &Arc<TaskCell>,
        held: impl Fn(&Row) -> bool,
        called: impl Fn(&OpenPermit) -> bool,
        ended: &mut Ended,
    ) {
        let Some(at) = self.shared.time_of_end() else { return };
        let mut life = task.life.lock();
        let permits = || life.permits().iter().filter(|permit| called(permit));
        let used: HashSet<GrantId> = permits().map(|permit| permit.grant).collect();
        // Of grants that had ended before, too.
        ended.add_running(permits().filter(|permit| permit.running).map(|permit| permit.seq));
        let rows = life.grants.iter().filter(|row| held(row) || used.contains(&row.id));
        let mut found: Vec<_> = rows.map(|row| (row.hops, row.id)).collect();
        // Those above first, or how many end with them would be chance.
        found.sort_unstable_by_key(|(hops, _)| *hops);
        for (_, id) in found {
            let end = End::Grant { id, why: Reason::Revoked };
            if let Some(retired) = self.shared.retire(task, &mut life, end, at, Recorded::Yes) {
                let by_this = retired.ended_otherwise.is_none();
                ended.add_grant(if by_this { Ok(retired) } else { Err(retired.running) });
            }
        }
    }

    /// Ends one task, by its name, if one of that name is live.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no task can have: nothing would end.
    pub fn revoke_task(&self, name: &str) -> Result<Ended, HaltError> {
        let (ended, generations) = self.end_task_named(name)?;
        generations.into_iter().for_each(|own| self.shared.await_leaves(own));
        Ok(ended)
    }

    /// As [`revoke_task`](Self::revoke_task), without waiting for other nodes: what one may start is void by then for
    /// another reason.
    #[cfg(feature = "fleet")]
    pub(crate) fn revoke_task_here(&self, name: &str) -> Result<Ended, HaltError> {
        self.end_task_named(name).map(|(ended, _)| ended)
    }

    /// Ends the task of this name: what it found, and the generations of the tasks that had it.
    fn end_task_named(&self, name: &str) -> Result<(Ended, Vec<u64>), HaltError> {
        Halt::task(name)?;
        if self.shared.is_forked() {
            return Ok((self.nothing(), Vec::new()));
        }
        let (mut ended, mut generations) = (Ended::nothing(), Vec::new());
        let end = End::Task { how: How::Revoked, reason: None };
        match self.shared.table.task_named(name) {
            Some(task) => {
                generations.push(task.generation);
                ended.add_task(self.shared.end(&task, end));
            }
            None => {
                // It may be over, with a call that still runs.
                let late = self.shared.table.late();
                for task in late.iter().filter(|task| *task.name == *name) {
                    generations.push(task.generation);
                    ended.add_running(task.life.lock().running());
                }
            }
        }
        Ok((ended.recorded(&self.shared), generations))
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("halts", &self.halts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use crate::prelude::*;

    /// It is pressed in an emergency, while a hundred thousand tasks go on.
    #[test]
    fn revoking_a_grant_looks_at_its_own_task_alone() {
        let rule = Rule::permit("p").tool("t");
        let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
        let agent = broker.assert_identity("agent").unwrap();
        let open = || broker.open(&agent, Purpose::new("errand")).unwrap();
        let (task, other) = (open(), open());
        let grant = task.request(Scope::tool("t"), &Context::new()).unwrap();
        let (control, id) = (broker.control(), grant.id());
        let busy = other.cell.life.lock();
        let (ended, waits) = mpsc::channel();
        let revoking = thread::spawn(move || ended.send(control.revoke_grant(id).is_empty()));
        assert_eq!(waits.recv_timeout(Duration::from_secs(60)), Ok(false));
        drop(busy);
        revoking.join().unwrap().unwrap();
    }

    #[test]
    fn revoking_a_grant_of_a_task_that_is_over_names_the_call_that_runs_on_it() {
        let rule = Rule::permit("p").tool("t");
        let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
        let agent = broker.assert_identity("agent").unwrap();
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let grant = task.request(Scope::tool("t"), &Context::new()).unwrap();
        let call = Call::new("t", serde_json::json!({})).unwrap();
        let permit = broker.gate().authorize(grant.token(), &agent, call, &Context::new()).unwrap();
        let running = permit.start().unwrap();
        task.complete();
        assert_eq!(broker.control().revoke_grant(grant.id()).running.len(), 1);
        running.succeed();
        assert!(broker.control().revoke_grant(grant.id()).running.is_empty());
    }
}
