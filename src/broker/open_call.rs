//! The open end of a permit: the last check before the tool starts, and the one outcome.

use std::sync::Arc;

use super::current::Current;
use super::shared::Shared;
use super::waits::Waits;
use crate::audit::{DeniedQuestion, Event, Outcome, Place, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::scrub::{Found, ScrubSource, UsedSecrets};
use crate::sync::Apart;
use crate::task::{Basis, Claim, Halt, Life, Liveness, NotNoted, TaskCell};
use crate::value::Value;
use crate::vault::Secrets;

/// The open end of a permit: closed exactly once, with one outcome.
pub(super) struct OpenCall {
    shared: Arc<Apart<Arc<Shared>>>,
    cell: Arc<TaskCell>,
    grant: GrantId,
    seq: u64,
    /// Whether a secret in what the call gives halts the caller.
    leak_halts: bool,
    started: bool,
    closed: bool,
}

impl OpenCall {
    pub(super) fn new(
        shared: Arc<Apart<Arc<Shared>>>,
        cell: Arc<TaskCell>,
        grant: GrantId,
        seq: u64,
    ) -> Self {
        OpenCall { shared, cell, grant, seq, leak_halts: false, started: false, closed: false }
    }

    /// The number of the permit's record.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// The last check and the start, under the task's lock and one epoch: whatever ended, halted or
    /// reloaded before and has returned is seen here; whatever comes after finds the call running. `read` is the clock's
    /// reading, if it was read just before.
    pub(super) fn start(
        &mut self,
        call: &Call,
        version: u64,
        (lent, read): (&Secrets, Option<Timestamp>),
    ) -> Result<(), Denial> {
        // Outside the locks: the log may take its time, and all of it is looked at again.
        if let Some(place) = self.start_or_announce((call, version), (lent, read), false)? {
            self.shared.settle(place).map_err(|unrecorded| unrecorded.denial)?;
            self.start_or_announce((call, version), (lent, None), true)?;
        }
        Ok(())
    }

    /// As [`start`](Self::start), without holding the thread while the log takes its time.
    pub(super) async fn start_async(
        &mut self,
        call: &Call,
        version: u64,
        (lent, read): (&Secrets, Option<Timestamp>),
    ) -> Result<(), Denial> {
        if let Some(place) = self.start_or_announce((call, version), (lent, read), false)? {
            let settled = self.shared.settle_as(place, Waits::AsFuture).await;
            settled.map_err(|unrecorded| unrecorded.denial)?;
            self.start_or_announce((call, version), (lent, None), true)?;
        }
        Ok(())
    }

    /// Starts the call; or places the record that it is about to start, where that has to be in the log first.
    #[inline(always)]
    fn start_or_announce(
        &mut self,
        (call, version): (&Call, u64),
        (lent, read): (&Secrets, Option<Timestamp>),
        announced: bool,
    ) -> Result<Option<Place>, Denial> {
        let now = read.map_or_else(|| self.shared.now(), Ok)?;
        let current = self.shared.current();
        let mut life = self.cell.life.lock();
        let live = self.check_start(&mut life, &current, (call, version), now)?;
        if let Some(approval) = life.permit(self.seq).and_then(|own| own.approval.as_ref()) {
            let starts = announced || !approval.is_used_up();
            let stands = if starts { approval.start() } else { approval.stands() };
            if !stands {
                return Err(Denial::new(Reason::ApprovalVoid)
                    .because("somebody who may answer has taken the approval back"));
            }
            if approval.is_used_up() && !announced {
                return self.announce(&life, live.at()).map(Some);
            }
        }
        life.start(live, self.seq);
        // Before the tool has it: whatever comes back later is searched for it.
        if !lent.is_empty() {
            self.used_secrets(&mut life).add(lent.sealed());
        }
        self.started = true;
        if !self.shared.member.is_in_fleet() {
            return Ok(None);
        }
        // With no lock held: the clock is foreign code.
        drop(life);
        drop(current);
        self.confirm_start(call, version).map(|()| None)
    }

    /// In a fleet, a start is the last reading of the lease, made after the call was marked as running: an act that
    /// was applied here before the mark is found now, one that is applied after it finds the call running, and one
    /// that returned without this node finds no lease that is good by then.
    fn confirm_start(&mut self, call: &Call, version: u64) -> Result<(), Denial> {
        let confirmed = self.shared.now().and_then(|now| {
            let current = self.shared.current();
            let mut life = self.cell.life.lock();
            self.check_start(&mut life, &current, (call, version), now).map(drop)
        });
        confirmed.inspect_err(|_| self.close_as(Outcome::Abandoned, false))
    }

    /// The place of the record that a call which people agreed to is about to start. It is kept before the tool has
    /// the call, so that a log which ends anywhere says whether it may have run.
    fn announce(&self, life: &Life, now: Timestamp) -> Result<Place, Denial> {
        let event = Event::Starting {
            task: (&*self.cell.name).into(),
            generation: self.cell.generation,
            of: self.seq,
            break_glass: life.is_glass_permit(self.seq),
        };
        self.shared.place(now, &event)
    }

    /// Whether the call may start, as far as the task, its policy and what is attested go. `read` is the clock's
    /// reading from before the task's lock was held.
    fn check_start(
        &self,
        life: &mut Life,
        current: &Current,
        (call, version): (&Call, u64),
        read: Timestamp,
    ) -> Result<Liveness, Denial> {
        let now = self.shared.as_of(read);
        let Some(permit) = life.permit(self.seq).filter(|permit| now < permit.lapses) else {
            // Of a task that is over this is told, lapsed or not.
            let over = life.over.map_or(Reason::PermitLapsed, |_| Reason::TaskOver);
            return Err(Denial::new(over));
        };
        let claim = Claim {
            grant: self.grant,
            basis: Basis::Permit(permit.serial),
            who: &permit.caller,
            tool: Some(call.tool()),
        };
        let live = self.cell.prove_live(life, &self.shared.halts, &claim, now)?;
        if version < current.loaded_at {
            return Err(Denial::new(Reason::PolicyChanged)
                .because(format_args!("permitted before epoch {} was in force", current.epoch)));
        }
        let concerned = life.holders(self.grant).chain([&permit.caller, &*self.cell.requester]);
        if current.are_restated_since(version, concerned) {
            return Err(Denial::new(Reason::FactsChanged)
                .because("what is attested of a holder or the requester was restated since"));
        }
        Ok(live)
    }

    pub(super) fn shared(&self) -> &Arc<Apart<Arc<Shared>>> {
        &self.shared
    }

    pub(super) fn cell(&self) -> &Arc<TaskCell> {
        &self.cell
    }

    pub(super) fn grant(&self) -> GrantId {
        self.grant
    }

    /// The call, to ask about from elsewhere.
    pub(super) fn reference(&self) -> CallRef {
        let OpenCall { shared, cell, grant, seq, .. } = self;
        CallRef { shared: shared.clone(), cell: cell.clone(), grant: *grant, seq: *seq }
    }

    /// What a result of the call is scrubbed by.
    pub(super) fn scrub_source(&self) -> ScrubSource {
        let permit = self.seq;
        if !self.shared.sources.any() {
            return ScrubSource { permit, ..ScrubSource::default() };
        }
        if self.shared.is_forked() {
            let used = Some(Arc::new(UsedSecrets::unknown()));
            return ScrubSource { used, permit, ..ScrubSource::default() };
        }
        let life = &mut *self.cell.life.lock();
        let used = Some(self.used_secrets(life).clone());
        let break_glass = life.is_glass_permit(permit);
        let caller = life.permit(self.seq).filter(|_| self.leak_halts);
        let halts = caller.map(|permit| permit.caller.subject().as_str().into());
        ScrubSource { used, permit, halts, break_glass, ..ScrubSource::default() }
    }

    /// Says that a secret in what the call gives halts the caller.
    pub(super) fn halt_on_leak(&mut self) {
        self.leak_halts = true;
    }

    /// Notes what the call gave, for rules that compare with it.
    pub(super) fn note(&self, name: &str, value: &Value) -> Result<(), NotNoted> {
        // In the child of a fork, the call is the parent's.
        if self.shared.is_forked() {
            return Err(NotNoted::Over);
        }
        self.cell.life.lock().note(self.seq, name, value)
    }

    fn used_secrets<'l>(&self, life: &'l mut Life) -> &'l Arc<UsedSecrets> {
        life.used_secrets(|| {
            // What the task has used hangs from the broker.
            let shared = Arc::downgrade(&self.shared.0);
            let (task, generation) = (self.cell.name.clone(), self.cell.generation);
            UsedSecrets::new(move |found| {
                if let Some(shared) = shared.upgrade() {
                    shared.note_leak(&task, generation, &found);
                }
            })
        })
    }

    /// Closes the permit, once. The outcome has its place in the log's order and is written by the
    /// next thread that writes: reporting it, or dropping this, waits for nothing.
    pub(super) fn close(&mut self, outcome: Outcome) {
        self.close_as(outcome, self.started);
    }

    /// Closes a call that was marked as running, and never ran: what it reserved is given back.
    #[cfg(feature = "fleet")]
    pub(super) fn close_unstarted(&mut self) {
        self.close_as(Outcome::Abandoned, false);
    }

    /// The same, of a call that `ran` or of one that did not, though it may have been marked as running.
    fn close_as(&mut self, outcome: Outcome, ran: bool) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        // In the child of a fork, the call is the parent's.
        let Some(at) = self.shared.time_of_end() else { return };
        let mut life = self.cell.life.lock();
        // A permit that lapsed has its outcome recorded already.
        if self.started && !ran {
            life.unstart(self.seq);
        }
        let noted = life.permit(self.seq).map_or(0, |permit| permit.noted);
        if !life.close_permit(self.seq, ran.then_some(at)) {
            return;
        }
        self.shared.record_outcome(&self.cell, &life, (self.seq, outcome, noted), at);
        if self.started {
            if life.over.is_some() && life.running().is_empty() {
                self.shared.table.forget_late(&self.cell);
                self.shared.note_calls_done(self.cell.generation, &self.cell.name, at);
            }
            self.cell.call_done.notify_all();
            drop(life);
            self.shared.watchers.note_end(self.cell.generation);
            self.shared.watchers.wake_due();
        }
    }

    pub(super) fn record_denial(&self, call: &Call, denial: &Denial) {
        let at = self.shared.keeper.latest();
        let break_glass = !self.shared.is_forked() && self.cell.life.lock().is_of_glass(self.grant);
        let question = DeniedQuestion {
            task: Some((&*self.cell.name).into()),
            generation: Some(self.cell.generation),
            grant: Some(self.grant.to_string().into()),
            tool: Some(call.tool().into()),
            break_glass,
            ..DeniedQuestion::at(Stage::Run)
        };
        self.shared.record_denial(at, denial, question);
    }
}

impl Shared {
    /// Records a leak, halts whom the catalogue says, and tells the host. Called with no lock held.
    fn note_leak(&self, task: &str, generation: u64, found: &Found) {
        if self.is_forked() {
            return;
        }
        let at = self.keeper.latest();
        let credentials = found.credentials.iter().map(|name| (&**name).into()).collect();
        let (task, of, break_glass) = (task.into(), found.permit, found.break_glass);
        let event = Event::SecretFound { task, generation, of, credentials, break_glass };
        self.record(at, &event);
        if let Some(caller) = &found.halts {
            let turn = self.halts.take_turn();
            self.member.begin_halt(&Halt::of(caller));
            self.halts.halt(Halt::of(caller));
            self.member.owe_halt(&Halt::of(caller), None);
            let what = Halt::of(caller).to_string().into();
            self.record(at, &Event::Halted { what, until: None });
            drop(turn);
            self.watchers.note_halt();
            self.watchers.wake_due();
        }
        if let Some(hook) = &self.on_leak {
            hook.tell(&event);
        }
    }
}

/// A call that has started, as it is asked about. It keeps nothing open.
pub(super) struct CallRef {
    pub(super) shared: Arc<Apart<Arc<Shared>>>,
    pub(super) cell: Arc<TaskCell>,
    grant: GrantId,
    seq: u64,
}

impl CallRef {
    /// Whether what the call was permitted on still lives.
    pub(super) fn is_live(&self, tool: &str) -> bool {
        let Ok(now) = self.shared.now() else { return false };
        let life = &*self.cell.life.lock();
        let Some(permit) = life.permit(self.seq) else { return false };
        let claim = Claim {
            grant: self.grant,
            // A renewal supersedes tokens, and takes nothing from a call that runs.
            basis: Basis::Handle,
            who: &permit.caller,
            tool: Some(tool),
        };
        self.cell.prove_live(life, &self.shared.halts, &claim, now).is_ok()
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.close(if self.started { Outcome::Interrupted } else { Outcome::Abandoned });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::prelude::*;
    use crate::vault::{Secret, Vault};

    const POLICY: &str = r#"
        version = 1
        tool = [{ name = "t", credential = "key" }, { name = "ping" }]
        rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" }, grant = { uses = 9 } }]
    "#;

    /// attack 129: the host may keep the task for longer, and what a call gave keeps its own
    #[test]
    fn a_task_that_is_over_forgets_what_it_has_used_once_its_last_call_is_done() {
        for runs_on in [false, true] {
            let vault = Vault::new().unwrap();
            vault.seal("key", Secret::new("a-key-of-some-length").unwrap()).unwrap();
            let policy = Policy::from_toml(POLICY).unwrap();
            let broker = Broker::builder(policy).vault(&vault).build().unwrap();
            let agent = broker.assert_identity("agent-7").unwrap();
            let task = broker.open(&agent, Purpose::new("errand")).unwrap();
            let scope = Scope::tool("t").any_args().and(Scope::tool("ping").any_args());
            let grant = task.request(scope, &Context::new()).unwrap();
            let permit = |tool| {
                let call = Call::new(tool, serde_json::json!({})).unwrap();
                broker.gate().authorize(&grant, &agent, call, &Context::new()).unwrap()
            };
            let call = runs_on.then(|| permit("ping").start().unwrap());
            permit("t").run_with(|_, _| Ok::<_, ()>(())).unwrap();
            let cell = task.cell.clone();
            let used =
                Arc::downgrade(cell.life.lock().used_secrets(|| unreachable!("it has used one")));
            let _ = task.complete();
            assert_eq!(used.upgrade().is_some(), runs_on);
            drop(call);
            assert!(used.upgrade().is_none());
        }
    }
}
