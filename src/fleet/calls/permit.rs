//! A permit for a call whose task may be at home elsewhere.

use std::sync::Arc;
use std::time::Duration;

use super::asker::{Asker, OwedOutcome};
use super::errand::Errand;
use super::message::{PermittedCall, Told};
use super::wire::NodeLife;
use crate::args::Args;
use crate::broker::{Permit, Running};
use crate::call::Call;
use crate::clock::{Reading, Timestamp};
use crate::denial::{Denial, Reason};
use crate::identity::Identity;

/// Proof that one call may run now, at this node: of a task that is at home here, or of one that is at home elsewhere,
/// whose home gave leave to start it.
///
/// Used once, as a [`Permit`]. A leave is short: half of a lease at the most, counted from before the home was asked.
#[must_use = "a permit that is dropped permits nothing: run the call through it"]
pub struct FleetPermit(Kind);

enum Kind {
    Here(Permit),
    There(Box<Leave>),
}

/// A call that is running, of a task of this node or of another: see [`Running`].
#[must_use = "a running call that is dropped is told as interrupted: say `succeed` or `fail`"]
pub struct FleetRunning(KindRunning);

enum KindRunning {
    Here(Running),
    There(Started),
}

/// Leave of a home to start one call here.
pub(in crate::fleet) struct Leave {
    debt: Debt,
    call: Call,
    caller: Identity,
    permit: u64,
    rules: Vec<Box<str>>,
    /// When the token is good no more.
    expires: Timestamp,
    /// The reading before the home was asked.
    asked: Reading,
    length: Duration,
    /// The number up to which the home had applied the mark.
    applied: u64,
}

/// A call of another node's task that runs here.
pub(in crate::fleet) struct Started {
    debt: Debt,
    call: Call,
    permit: u64,
}

/// What a home has to be told of a call, once.
struct Debt {
    asker: Arc<Asker>,
    home: NodeLife,
    id: [u8; 16],
    told: Told,
    copies: bool,
}

impl Drop for Debt {
    fn drop(&mut self) {
        let (home, call, told, copies) = (self.home.clone(), self.id, self.told, self.copies);
        self.asker.owe(OwedOutcome { home, call, told, copies });
    }
}

impl Leave {
    /// The leave that an errand came to, counted from a reading that was made before it was sent.
    ///
    /// # Errors
    /// A [`Denial`] of a call that can't be read.
    pub(in crate::fleet) fn of(
        errand: &Errand,
        permitted: &PermittedCall,
        caller: &Identity,
        expires: Timestamp,
        asked: Reading,
    ) -> Result<Leave, Denial> {
        let (asker, home) = (errand.asker().clone(), errand.home.clone());
        let (id, told, copies) = (errand.id, Told::NotStarted, errand.has_copies());
        let debt = Debt { asker, home, id, told, copies };
        let call = permitted.call.call().ok_or_else(|| {
            Denial::new(Reason::MalformedCall).because("its home gave a call that can't be read")
        })?;
        Ok(Leave {
            debt,
            call,
            caller: caller.clone(),
            permit: permitted.permit,
            rules: permitted.rules.clone(),
            expires,
            asked,
            length: Duration::from_millis(permitted.leave),
            applied: permitted.applied,
        })
    }

    /// Starts the call: the home has marked it as running, so what is left is to read the clock, and to look whether
    /// lease, leave and acts are good at that reading.
    ///
    /// # Errors
    /// A [`Denial`], which is in this node's log; the home is told that the call never started.
    pub(in crate::fleet) fn start(mut self) -> Result<Started, Denial> {
        let Debt { asker, .. } = &self.debt;
        let checked = asker
            .broker
            .check_start_elsewhere(&self.caller, self.call.tool(), self.expires)
            .and_then(|at| self.check(&at));
        if let Err(denial) = checked {
            return Err(asker.broker.refuse_call(denial, &self.caller, self.call.tool()));
        }
        self.debt.told = Told::Interrupted;
        let Leave { debt, call, permit, .. } = self;
        Ok(Started { debt, call, permit })
    }

    fn check(&self, at: &Reading) -> Result<(), Denial> {
        let on_monotonic = at.monotonic.checked_sub(self.asked.monotonic);
        let wall = at.wall.unix_millis().checked_sub(self.asked.wall.unix_millis());
        let on_wall = wall.and_then(|passed| u64::try_from(passed).ok()).map(Duration::from_millis);
        let is_good = |passed: Option<Duration>| passed.is_some_and(|passed| passed < self.length);
        if !is_good(on_monotonic) || !is_good(on_wall) {
            return Err(Denial::new(Reason::PermitLapsed).because("its home's leave has run out"));
        }
        if self.applied < self.debt.asker.membership.applied() {
            return Err(Denial::new(Reason::PolicyChanged)
                .because("an act was applied here since its home decided: ask again"));
        }
        Ok(())
    }
}

impl Started {
    fn end(mut self, told: Told) {
        self.debt.told = told;
    }
}

impl FleetPermit {
    pub(in crate::fleet) fn here(permit: Permit) -> Self {
        FleetPermit(Kind::Here(permit))
    }

    pub(in crate::fleet) fn there(leave: Leave) -> Self {
        FleetPermit(Kind::There(Box::new(leave)))
    }

    /// The tool that may be called.
    pub fn tool(&self) -> &str {
        match &self.0 {
            Kind::Here(permit) => permit.tool(),
            Kind::There(leave) => leave.call.tool(),
        }
    }

    /// The permit's number in the log of the task's home.
    pub fn number(&self) -> u64 {
        match &self.0 {
            Kind::Here(permit) => permit.number(),
            Kind::There(leave) => leave.permit,
        }
    }

    /// The node that the task is at home at, if that is another.
    pub fn home(&self) -> Option<&str> {
        match &self.0 {
            Kind::Here(_) => None,
            Kind::There(leave) => Some(&leave.debt.home.name),
        }
    }

    /// The permits among the rules that decided.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        let (here, there) = match &self.0 {
            Kind::Here(permit) => (Some(permit.rules()), None),
            Kind::There(leave) => (None, Some(leave.rules.iter().map(|rule| &**rule))),
        };
        here.into_iter().flatten().chain(there.into_iter().flatten())
    }

    /// Starts the call, after the last check: of one whose task is at home elsewhere, that this node has a lease, that
    /// the home's leave is good, that no act was applied here since the home decided, and that nothing is halted.
    ///
    /// # Errors
    /// As [`Permit::start`]; [`Reason::PermitLapsed`] of a leave that has run out, [`Reason::PolicyChanged`] of one that
    /// an act made void.
    pub fn start(self) -> Result<FleetRunning, Denial> {
        let running = match self.0 {
            Kind::Here(permit) => KindRunning::Here(permit.start()?),
            Kind::There(leave) => KindRunning::There(leave.start()?),
        };
        Ok(FleetRunning(running))
    }

    /// Runs the tool, and tells what became of it.
    ///
    /// # Errors
    /// [`FleetRunError::Denied`] if the call may no longer start, [`FleetRunError::Tool`] with the tool's own error.
    pub fn run<T, E>(
        self,
        tool: impl FnOnce(&FleetRunning) -> Result<T, E>,
    ) -> Result<T, FleetRunError<E>> {
        let running = self.start().map_err(FleetRunError::Denied)?;
        match tool(&running) {
            Ok(value) => {
                running.succeed();
                Ok(value)
            }
            Err(error) => {
                running.fail();
                Err(FleetRunError::Tool(error))
            }
        }
    }
}

/// Why a call did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetRunError<E> {
    /// It did not start.
    #[error(transparent)]
    Denied(Denial),
    /// The tool's own error.
    #[error("the tool failed")]
    Tool(E),
}

impl FleetRunning {
    /// The arguments the tool must use: those that were decided about.
    pub fn args(&self) -> &Args {
        self.call().args()
    }

    /// The whole call.
    pub fn call(&self) -> &Call {
        match &self.0 {
            KindRunning::Here(running) => running.call(),
            KindRunning::There(started) => &started.call,
        }
    }

    /// The permit's number in the log of the task's home.
    pub fn number(&self) -> u64 {
        match &self.0 {
            KindRunning::Here(running) => running.number(),
            KindRunning::There(started) => started.permit,
        }
    }

    /// The call is done and went well. A home elsewhere is told by [`Fleet::deliver`](crate::fleet::Fleet::deliver).
    pub fn succeed(self) {
        match self.0 {
            KindRunning::Here(running) => running.succeed(),
            KindRunning::There(started) => started.end(Told::Ok),
        }
    }

    /// The call is done and failed.
    pub fn fail(self) {
        match self.0 {
            KindRunning::Here(running) => running.fail(),
            KindRunning::There(started) => started.end(Told::Error),
        }
    }
}

impl std::fmt::Debug for FleetPermit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetPermit")
            .field("number", &self.number())
            .field("home", &self.home())
            .field("tool", &self.tool())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FleetRunning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetRunning").field("number", &self.number()).finish_non_exhaustive()
    }
}
