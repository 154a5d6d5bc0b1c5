//! A permit: proof that one call may run, once, now.

use std::future::Future;
use std::sync::Arc;

use super::current::Decided;
use super::shared::Shared;
use crate::audit::{Event, Outcome, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, TaskCell};
use crate::sync::Apart;

/// Proof that one call may run now. Only the gate makes one, and it can be used once.
///
/// It seals the call: the tool runs from the arguments that were decided about, not from what the
/// agent may have changed since. Starting it checks again that task and grant live, that the grant was
/// not renewed since, that nothing is halted and that the policy is the same. A permit that is dropped unused gives back what it
/// reserved; one that is kept lapses after the broker's `permit_ttl`.
///
/// ```compile_fail,E0277
/// # use hallpass::Permit;
/// fn copy<T: Clone>() {}
/// copy::<Permit>();
/// ```
/// ```compile_fail,E0277
/// # use hallpass::Permit;
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<Permit>();
/// ```
/// ```compile_fail,E0382
/// # use hallpass::Permit;
/// fn twice(permit: Permit) {
///     let _ = permit.start();
///     let _ = permit.start();
/// }
/// ```
/// ```compile_fail,E0624
/// # use hallpass::{Call, Permit};
/// fn forge(call: Call) -> Permit {
///     Permit::new(call)
/// }
/// ```
/// ```compile_fail,E0451
/// # use hallpass::{Call, Permit};
/// fn swap(permit: Permit, call: Call) -> Permit {
///     Permit { call, ..permit }
/// }
/// ```
/// ```
/// # use hallpass::{Call, Permit};
/// fn look(permit: &Permit) -> &Call {
///     permit.call()
/// }
/// fn copy<T: Clone>() {}
/// copy::<Call>();
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<String>();
/// fn once(permit: Permit) {
///     let _ = permit.start();
/// }
/// ```
#[must_use = "a permit that is dropped permits nothing: run the call through it"]
pub struct Permit {
    call: Call,
    rules: Decided,
    lapses: Timestamp,
    epoch: u64,
    open: Open,
}

/// The open end of a permit: closed exactly once, with one outcome.
struct Open {
    shared: Arc<Apart<Arc<Shared>>>,
    cell: Arc<TaskCell>,
    grant: GrantId,
    seq: u64,
    started: bool,
    closed: bool,
}

/// A call that is running. Dropping it unfinished records that it was interrupted.
///
/// It ends once:
///
/// ```compile_fail,E0382
/// # use hallpass::Running;
/// fn twice(running: Running) {
///     running.fail();
///     running.succeed();
/// }
/// ```
/// ```
/// # use hallpass::Running;
/// fn once(running: Running) {
///     running.succeed();
/// }
/// ```
#[must_use = "a running call that is dropped is recorded as interrupted: say `succeed` or `fail`"]
pub struct Running {
    call: Call,
    open: Open,
}

/// What a permitted call gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt<T> {
    /// What the tool returned.
    pub value: T,
    /// The number, in the log, of the permit.
    pub permit: u64,
}

/// Why [`Permit::run`] gave no receipt.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// The call never started: what was permitted is no longer.
    #[error(transparent)]
    Denied(Denial),
    /// The tool ran and failed.
    #[error("the tool failed: {0}")]
    Tool(E),
}

impl Permit {
    #[expect(clippy::too_many_arguments, reason = "called once, with what the commit fixed")]
    pub(super) fn new(
        shared: Arc<Apart<Arc<Shared>>>,
        cell: Arc<TaskCell>,
        grant: GrantId,
        seq: u64,
        epoch: u64,
        lapses: Timestamp,
        rules: Decided,
        call: Call,
    ) -> Self {
        let open = Open { shared, cell, grant, seq, started: false, closed: false };
        Permit { call, rules, lapses, epoch, open }
    }

    /// The call that may run, with the arguments the tool must use.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The permit's number in the log; its outcome refers to it.
    pub fn number(&self) -> u64 {
        self.open.seq
    }

    /// The permits among the rules that decided.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rules.ids()
    }

    /// Runs the tool and records the outcome: ok, error, or interrupted if the tool panics.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let policy = Policy::builder().rule(Rule::permit("p").tool("add").any_args()).build()?;
    /// # let broker = Broker::new(policy)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("sums"))?;
    /// # let context = Context::new();
    /// # let grant = task.request(Scope::tool("add").any_args(), &context)?;
    /// # let call = Call::new("add", serde_json::json!({ "a": 1, "b": 2 }))?;
    /// let permit = broker.gate().authorize(grant.token(), &agent, call, &context)?;
    /// let receipt = permit.run(|call| {
    ///     let number = |key| call.args().number(key).and_then(|n| n.to_i64());
    ///     number("a").zip(number("b")).map(|(a, b)| a + b).ok_or("not numbers")
    /// })?;
    /// assert_eq!(receipt.value, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RunError::Denied`] if the call may no longer start, [`RunError::Tool`] with the tool's own
    /// error.
    pub fn run<T, E>(
        self,
        tool: impl FnOnce(&Call) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        let running = self.start().map_err(RunError::Denied)?;
        let result = tool(&running.call);
        running.close_with(result)
    }

    /// As [`run`](Permit::run), for a tool that is a future, of any runtime. If the future is dropped
    /// before it is done, the call is recorded as interrupted.
    ///
    /// # Errors
    /// As [`run`](Permit::run).
    pub async fn run_async<T, E, F>(
        self,
        tool: impl FnOnce(Call) -> F,
    ) -> Result<Receipt<T>, RunError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let running = self.start().map_err(RunError::Denied)?;
        let result = tool(running.call.clone()).await;
        running.close_with(result)
    }

    /// Moves the permit from reserved to running, in one step with the last check.
    ///
    /// # Errors
    /// A [`Denial`] if task or grant have ended or expired, the grant was renewed, a halt is on, the
    /// policy is another, or the permit has lapsed. What it reserved is given back.
    pub fn start(self) -> Result<Running, Denial> {
        let Permit { call, lapses, epoch, mut open, rules: _ } = self;
        match open.start(&call, lapses, epoch) {
            Ok(()) => Ok(Running { call, open }),
            Err(denial) => {
                open.record_denial(&call, &denial);
                Err(denial)
            }
        }
    }
}

impl Running {
    /// The call, with the arguments the tool must use.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The permit's number in the log.
    pub fn number(&self) -> u64 {
        self.open.seq
    }

    /// The call is done and went well.
    pub fn succeed(mut self) {
        self.open.close(Outcome::Ok);
    }

    /// The call is done and failed.
    pub fn fail(mut self) {
        self.open.close(Outcome::Error);
    }

    fn close_with<T, E>(self, result: Result<T, E>) -> Result<Receipt<T>, RunError<E>> {
        let permit = self.open.seq;
        match result {
            Ok(value) => {
                self.succeed();
                Ok(Receipt { value, permit })
            }
            Err(error) => {
                self.fail();
                Err(RunError::Tool(error))
            }
        }
    }
}

impl Open {
    /// The last check and the start, under the task's lock and one epoch: whatever ended, halted or
    /// reloaded before and has returned is seen here; whatever comes after finds the call running.
    fn start(&mut self, call: &Call, lapses: Timestamp, epoch: u64) -> Result<(), Denial> {
        let now = self.shared.now()?;
        let current = self.shared.current();
        let life = &mut *self.cell.life.lock();
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        if now >= lapses {
            return Err(Denial::new(Reason::PermitLapsed));
        }
        if now >= self.cell.ceiling {
            return Err(Denial::new(Reason::Expired));
        }
        let serial = life.live(self.grant, now)?.serial;
        if current.epoch != epoch {
            return Err(Denial::new(Reason::PolicyChanged)
                .because(format_args!("permitted under epoch {epoch}, now {}", current.epoch)));
        }
        let Some(permit) = life.permit(self.seq) else {
            return Err(Denial::new(Reason::PermitLapsed));
        };
        if permit.serial != serial {
            return Err(Denial::new(Reason::Superseded).because("the grant was renewed since"));
        }
        let halts = &self.shared.halts;
        if let Some(halt) =
            halts.stopping_call(&self.cell, life, self.grant, &permit.caller, call.tool())
        {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        life.note_running(self.seq);
        self.started = true;
        Ok(())
    }

    /// Whoever is writing takes the record along: it stands in any case, so there is nothing to wait for.
    fn close(&mut self, outcome: Outcome) {
        if let Some(place) = self.close_in_table(outcome) {
            self.shared.journal.owe_without_waiting(place);
        }
    }

    /// Closes the permit, once, with the outcome's place in the sequence.
    fn close_in_table(&mut self, outcome: Outcome) -> Option<crate::audit::Place> {
        if std::mem::replace(&mut self.closed, true) {
            return None;
        }
        let at = self.shared.keeper.now().unwrap_or_else(|_| self.shared.keeper.latest());
        let mut life = self.cell.life.lock();
        // A permit that lapsed has its outcome recorded already.
        if !life.close_permit(self.seq, self.started) {
            return None;
        }
        if self.started {
            self.cell.call_done.notify_all();
        }
        let event = Event::Outcome {
            task: (&*self.cell.name).into(),
            generation: self.cell.generation,
            of: self.seq,
            outcome,
            task_over: life.over.is_some(),
        };
        self.shared.place(at, &event).ok()
    }

    fn record_denial(&self, call: &Call, denial: &Denial) {
        let at = self.shared.keeper.latest();
        self.shared.record_denial(
            at,
            denial,
            Event::Denied {
                stage: Stage::Run,
                task: Some((&*self.cell.name).into()),
                generation: Some(self.cell.generation),
                grant: Some(self.grant.to_string().into()),
                who: None,
                tool: Some(call.tool().into()),
                args: None,
                code: denial.code().as_str().into(),
                reason: denial.reason().as_str().into(),
                rules: Vec::new(),
                epoch: None,
            },
        );
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close(if self.started { Outcome::Interrupted } else { Outcome::Abandoned });
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit")
            .field("number", &self.open.seq)
            .field("tool", &self.call.tool())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("number", &self.open.seq)
            .field("tool", &self.call.tool())
            .finish_non_exhaustive()
    }
}
