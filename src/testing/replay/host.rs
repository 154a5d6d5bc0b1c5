//! The host program that a trace drives: it holds the broker, the clock and every handle, and does
//! what a line says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::{Entry, FileLog, Kept, Sink, SinkError, Tail};
use crate::denial::{Code, Reason};
use crate::identity::{Assertion, Identity};
use crate::key::LogKeys;
use crate::testing::ManualClock;
use crate::{Broker, Ended, FlushError, Gate, Permit, Policy, Purpose, Running, Task};

use super::alias::Aliases;
use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::credential::Credentials;
use super::fields::Misread;
use super::holding::Holding;
use super::line::Header;
use super::operation::{How, Operation};

/// Opens the log of a replay: for its start, and after each crash.
pub(crate) type OpenLog<'o> = dyn Fn() -> io::Result<(FileLog, LogKeys)> + 'o;

pub(crate) struct Host {
    pub(super) broker: Broker,
    pub(super) gate: Gate,
    pub(super) grants: Aliases<Holding>,
    pub(super) permits: Aliases<Slip>,
    pub(super) questions: Aliases<Asked>,
    /// The permits whose calls are running, by their number in the log.
    pub(super) running: BTreeMap<u64, Box<str>>,
    pub(super) tasks: Aliases<Errand>,
    pub(super) clock: ManualClock,
    pub(super) credentials: Credentials,
    start: String,
    pub(super) policy: Policy,
    /// Where the trace stands: its paths start here.
    pub(super) folder: PathBuf,
}

/// A task, as an alias knows it.
pub(crate) enum Errand {
    Open(Identity, Task),
    /// It ended, or was never opened: what uses it later is refused for this reason.
    Closed(Refusal),
}

/// A permit, as an alias knows it.
pub(crate) enum Slip {
    Permitted(Permit),
    Running(Running),
    /// It had its one outcome, in this line.
    Spent(usize),
    /// It was never given, or could no longer start.
    Refused(Refusal),
}

/// Reads a policy file: JSON where its name says so, TOML otherwise.
///
/// # Errors
/// [`Misread`] if it can't be read or does not load.
pub(crate) fn load(path: &Path) -> Result<Policy, Misread> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Misread(format!("can't be read: {error}")))?;
    let json = path.extension().is_some_and(|extension| extension == "json");
    let policy = if json { Policy::from_json(&text) } else { Policy::from_toml(&text) };
    policy.map_err(|error| Misread(error.to_string()))
}

impl Host {
    /// # Errors
    /// [`Misread`] if no broker can be built.
    pub(crate) fn new(
        policy: Policy,
        header: &Header<'_>,
        folder: &Path,
        open: Option<&OpenLog<'_>>,
    ) -> Result<Self, Misread> {
        let clock = ManualClock::new(header.start);
        let credentials = Credentials::new(&header.minted, &policy, &clock)?;
        let broker = start(&policy, &clock, &credentials, open)?;
        Ok(Host {
            gate: broker.gate(),
            broker,
            grants: Aliases::of("grant"),
            permits: Aliases::of("permit"),
            questions: Aliases::of("question"),
            running: BTreeMap::new(),
            tasks: Aliases::of("task"),
            clock,
            credentials,
            start: header.start.to_string(),
            policy,
            folder: folder.to_owned(),
        })
    }

    /// Goes on with the log, with nothing else of before but what is outside.
    ///
    /// # Errors
    /// [`Misread`] if the log can't be opened, or no broker can be built.
    pub(super) fn start_again(&mut self, open: &OpenLog<'_>) -> Result<(), Misread> {
        // Before the log is opened again it has to be let go of.
        let none = Policy::builder().build().map_err(|error| Misread(error.to_string()))?;
        let none = Broker::builder(none).log(Unkept).build();
        self.broker = none.map_err(|error| Misread(error.to_string()))?;
        self.gate = self.broker.gate();
        self.broker = start(&self.policy, &self.clock, &self.credentials, Some(open))?;
        self.gate = self.broker.gate();
        Ok(())
    }

    /// Lets go of all that the trace left open, and writes the last records.
    ///
    /// # Errors
    /// [`FlushError`] if the log takes them not.
    pub(crate) fn close(mut self, most: Duration) -> Result<(), FlushError> {
        // Their outcomes come before the end of their tasks, and before the log is closed.
        self.permits = Aliases::of("permit");
        self.broker.flush_within(most)?;
        self.broker.close(most);
        self.broker.flush_within(most)
    }

    /// The policy that was loaded last.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The answer to the header.
    pub(crate) fn greeting(&self) -> Answer {
        Answer::new()
            .with("version", 1)
            .with("now", self.start.as_str())
            .with("epoch", self.broker.epoch().0)
    }

    /// Does what the line says.
    ///
    /// # Errors
    /// [`Misread`] if the line speaks of what is not there.
    pub(crate) fn act(
        &mut self,
        operation: &Operation<'_>,
        line: usize,
    ) -> Result<Answer, Misread> {
        match operation {
            Operation::Advance(span) => {
                self.clock.advance(*span);
                Ok(self.now())
            }
            Operation::Set(at) => {
                self.clock.set_wall(*at);
                Ok(self.now())
            }
            Operation::Open { task, who, purpose } => Ok(self.open(task, who, purpose, line)),
            Operation::Request(wish) => {
                let answer = self.request(wish, line)?;
                Ok(self.asked_of_scope(wish.ask_as, answer, line))
            }
            Operation::Trim(wish) => {
                let answer = self.trim(wish, line)?;
                Ok(self.asked_of_scope(wish.ask_as, answer, line))
            }
            Operation::Delegate(wish, from) => {
                let answer = self.delegate(wish, from, line)?;
                Ok(self.asked_of_scope(wish.ask_as, answer, line))
            }
            Operation::Renew(afresh) => {
                let answer = self.decide_again(afresh, true)?;
                Ok(self.asked_of_scope(afresh.ask_as, answer, line))
            }
            Operation::Checkpoint(afresh) => {
                let answer = self.decide_again(afresh, false)?;
                Ok(self.asked_of_scope(afresh.ask_as, answer, line))
            }
            Operation::Attenuate { grant, alias, scope, until } => {
                self.attenuate((grant, alias), scope, *until, line)
            }
            Operation::Present(attempt, alias) => self.present(attempt, alias, line),
            Operation::Tools(presented, context) => self.tools(presented, context),
            Operation::Call(attempt, outcome) => self.call(attempt, *outcome, line),
            Operation::Authorize(attempt, alias) => self.authorize(attempt, alias, line),
            Operation::Check(attempt) => self.check(attempt),
            Operation::Run { permit } => self.run(permit),
            Operation::Notes(noting) => self.note(noting),
            Operation::Finish { permit, outcome } => self.finish(permit, *outcome, line),
            Operation::Drop { permit } => self.drop_permit(permit, line),
            Operation::End { task, how, reason } => self.end(task, *how, reason),
            Operation::Revoke(what) => self.revoke(what),
            Operation::Halt(what) => self.halt(what),
            Operation::Resume(what) => self.resume(what),
            Operation::Reload { policy } => self.reload(policy),
            Operation::Preview { policy } => self.preview(policy),
            Operation::Restate(who) => Ok(self.restate(who)),
            Operation::Unrestate { who } => Ok(self.unrestate(who)),
            Operation::Sweep => Ok(self.sweep()),
            Operation::Stats => Ok(self.stats()),
            Operation::Standing => Ok(self.standing()),
            Operation::Answer(vote) => self.vote(vote),
            Operation::Cancel { question } => self.cancel(question),
            Operation::Redeem(asked) => self.redeem(asked, line),
            Operation::Take(taken) => self.take(taken, line),
            Operation::Amend(amended) => self.amend(amended, line),
            Operation::Questions(who) => Ok(self.questions(who)),
            Operation::BreakGlass(wish, justification) => {
                let answer = self.break_glass(wish, justification, line)?;
                Ok(self.asked_of_scope(wish.ask_as, answer, line))
            }
            Operation::Debts => Ok(self.debts()),
            Operation::CloseDebt(review) => self.close_debt(review),
            Operation::Cue(cue) => self.cue(cue),
            Operation::Tend => Ok(self.tend()),
            Operation::Obligations => Ok(self.obligations()),
            Operation::Crash => self.crash(None),
        }
    }

    fn now(&self) -> Answer {
        use crate::clock::Clock as _;
        match self.clock.read() {
            Ok(reading) => Answer::new().with("now", reading.wall.to_string()),
            Err(error) => Answer::new().with("now", error.to_string()),
        }
    }

    fn open(&mut self, alias: &str, who: &Assertion, purpose: &Purpose, line: usize) -> Answer {
        let opened = self.attest(who).and_then(|who| {
            let task = self.broker.open_named(alias, &who, purpose.clone());
            Ok((who, task.map_err(|denial| Answer::denied(&denial))?))
        });
        match opened {
            Ok((who, task)) => {
                // Whatever stood here before has ended, or the name would not have been free.
                self.tasks.give(alias, line, Errand::Open(who, task));
                Answer::permit().with("task", alias)
            }
            Err(answer) => {
                let live = matches!(self.tasks.peek(alias), Some(Errand::Open(..)));
                if !live {
                    self.tasks.give(alias, line, Errand::Closed(answer.refusal()));
                }
                answer
            }
        }
    }

    /// An identity, or the answer of a host that can't attest the caller.
    pub(super) fn attest(&self, who: &Assertion) -> Result<Identity, Answer> {
        let refusal = Refusal { code: Code::BadRequest, reason: "malformed_identity" };
        let identity = self.broker.assert_identity(who.clone());
        identity.map_err(|error| Answer::refused(refusal, error.to_string()))
    }

    fn end(&mut self, alias: &str, how: How, reason: &str) -> Result<Answer, Misread> {
        let over = Errand::Closed(Reason::TaskOver.into());
        let errand = self.tasks.get_mut(alias)?;
        // An end is idempotent; a task that was never opened stays what it was.
        let ended = match errand {
            Errand::Closed(_) => None,
            Errand::Open(..) => match std::mem::replace(errand, over) {
                Errand::Open(_, task) => Some(end(task, how, reason)),
                Errand::Closed(_) => None,
            },
        };
        let answer = Answer::new()
            .with("task", alias)
            .with("how", how.word())
            .with("ended", ended.is_some());
        Ok(match ended {
            // A dropped handle can't say what was running.
            None | Some(None) => answer,
            Some(Some(ended)) => answer.with("running", self.running(&ended.running)),
        })
    }
}

/// Ends the task; `None` where the handle was dropped, which can't answer.
fn end(task: Task, how: How, reason: &str) -> Option<Ended> {
    match how {
        How::Completed => Some(task.complete()),
        How::Failed => Some(task.fail(reason)),
        How::Revoked => Some(task.revoke()),
        How::Dropped => {
            drop(task);
            None
        }
    }
}

/// A broker as the host builds it, with its log on file if it has one.
fn start(
    policy: &Policy,
    clock: &ManualClock,
    credentials: &Credentials,
    open: Option<&OpenLog<'_>>,
) -> Result<Broker, Misread> {
    let builder = credentials.give_to(Broker::builder(policy.clone()).clock(clock.clone()));
    // A trace has no one to alert: what is asked of it is what the policy gives.
    let builder = builder.break_glass_alert(|_| Ok(()), Duration::from_secs(60));
    let builder = match open {
        Some(open) => {
            let (log, keys) = open().map_err(|error| Misread(error.to_string()))?;
            builder.log_keys(keys).resume_from(&log)
        }
        None => builder.log(Unkept),
    };
    builder.build().map_err(|error| Misread(error.to_string()))
}

/// Takes every record and keeps none: a trace may be longer than memory, and its answers are what
/// a replay is for.
struct Unkept;

impl Sink for Unkept {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        Ok(None)
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::now(batch.len()))
    }
}
