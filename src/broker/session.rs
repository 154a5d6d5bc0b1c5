//! A session: one task, and one standing wish for access to it, kept for a host.

use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::Broker;
use super::ended::Ended;
use super::gate::Gate;
use super::grant::Grant;
use super::permit::Permit;
use super::receipt::{Receipt, RunError};
use super::running::Running;
use super::task::Task;
use crate::audit::How;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Code, Denial, Reason};
use crate::identity::Identity;
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::sync::{Condvar, Mutex};
use crate::tool::ToolName;
use crate::vault::Secrets;

/// How long a call waits for another that is asking for the session's access, on another thread.
const MOST_WAIT: Duration = Duration::from_secs(30);

/// An errand from its opening to its end: it opens the task, asks for what it was given to want, renews that
/// before it expires, and asks again after it has.
///
/// It does so inside a caller's call and at no other time, in that call's context, with an identity that
/// is good still; there is no thread and no timer in it. It asks again only for what has expired, and never
/// for what was revoked, drifted, halted or denied: then it is of no use any more, and says why each time.
/// It never opens its task anew. So it stands for nothing that the task and the rules would not give:
/// `max_life` and `idle` of a rule count from the first time, however often it asks.
///
/// Clones are the same session. It ends by [`end`](Session::end), or when the last clone is dropped, and
/// with it everything it got, what was delegated from it included.
///
/// ```
/// # use hallpass::prelude::*;
/// # use serde_json::json;
/// # let rule = Rule::permit("adders").tool("add").any_args();
/// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
/// # let agent = broker.assert_identity("agent-7")?;
/// let wanted = Scope::tool("add").any_args();
/// let session = broker.session(&agent, Purpose::new("sums"), wanted)?;
///
/// let call = Call::new("add", json!({ "a": 1, "b": 2 }))?;
/// let receipt = session.call(call, &Context::new(), |running| {
///     let number = |key| running.args().number(key).and_then(|n| n.to_i64());
///     number("a").zip(number("b")).map(|(a, b)| a + b).ok_or("not numbers")
/// })?;
/// assert_eq!(receipt.scrubbed(), 3);
///
/// session.end();
/// assert!(broker.standing().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a session that is dropped has ended, and everything it got with it"]
pub struct Session(Arc<Handle>);

/// What all clones share: the session ends with it.
struct Handle(Arc<Kept>);

struct Kept {
    errand: Errand,
    gate: Gate,
    wanted: Scope,
    who: Mutex<Identity>,
    state: Mutex<State>,
    /// Signalled when what was asked for has been answered.
    answered: Condvar,
}

/// Whose task it is.
enum Errand {
    Own(Task),
    /// What was delegated, of the session that delegated it. It keeps none of that one's handles.
    Delegated(Arc<Kept>),
}

#[derive(Default)]
struct State {
    grant: Option<Arc<Grant>>,
    /// From when on it is renewed.
    renew_from: Option<Timestamp>,
    /// Why nothing is asked for any more.
    refused: Option<Denial>,
    /// Who is asking now.
    asking: Option<ThreadId>,
    /// How many present the grant's token now: what they present is not superseded meanwhile.
    presenting: usize,
}

/// What a call does before it presents anything.
enum Step {
    Present(Arc<Grant>),
    Ask,
    Renew(Arc<Grant>),
}

impl Broker {
    /// Opens a task for `who`, as [`open`](Broker::open) does, and keeps asking for `wanted` in it: see
    /// [`Session`]. The first request is made in the context of the first call.
    ///
    /// # Errors
    /// As [`open`](Broker::open).
    pub fn session(
        &self,
        who: &Identity,
        purpose: Purpose,
        wanted: Scope,
    ) -> Result<Session, Denial> {
        let task = self.open(who, purpose)?;
        Ok(Session::new(Errand::Own(task), self.gate(), wanted, who, State::default()))
    }
}

impl Session {
    fn new(errand: Errand, gate: Gate, wanted: Scope, who: &Identity, state: State) -> Self {
        let (who, state) = (Mutex::new(who.clone()), Mutex::new(state));
        let answered = Condvar::new();
        let kept = Kept { errand, gate, wanted, who, state, answered };
        Session(Arc::new(Handle(Arc::new(kept))))
    }

    /// Authorizes one call, as [`Gate::authorize`] does.
    ///
    /// # Errors
    /// The [`Denial`] of the gate, or of what had to be asked for before.
    pub fn authorize(&self, call: Call, context: &Context) -> Result<Permit, Denial> {
        let tool = call.tool_name().clone();
        self.present(Some(tool.as_str()), context, |gate, grant, who| {
            gate.authorize(grant, who, call, context)
        })
    }

    /// Authorizes a call as an agent wrote it, as [`Gate::authorize_json`] does.
    ///
    /// # Errors
    /// As [`authorize`](Session::authorize), and [`Reason::MalformedCall`].
    pub fn authorize_json(
        &self,
        tool: &str,
        args: impl AsRef<[u8]>,
        resource: Option<Resource>,
        context: &Context,
    ) -> Result<Permit, Denial> {
        self.present(Some(tool), context, |gate, grant, who| {
            gate.authorize_json(grant, who, tool, args, resource, context)
        })
    }

    /// Authorizes one call and runs it, as [`Permit::run`] does.
    ///
    /// # Errors
    /// [`RunError::Denied`] as [`authorize`](Session::authorize), [`RunError::Tool`] with the tool's own
    /// error.
    pub fn call<T, E>(
        &self,
        call: Call,
        context: &Context,
        tool: impl FnOnce(&Running) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        self.authorize(call, context).map_err(RunError::Denied)?.run(tool)
    }

    /// As [`call`](Session::call), for a tool that is asynchronous: see [`Permit::run_async`].
    ///
    /// # Errors
    /// As [`call`](Session::call).
    pub async fn call_async<T, E>(
        &self,
        call: Call,
        context: &Context,
        tool: impl AsyncFnOnce(&Running) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        self.authorize(call, context).map_err(RunError::Denied)?.run_async(tool).await
    }

    /// As [`call`](Session::call), and lends the tool the credentials it runs with, as [`Permit::run_with`] does.
    ///
    /// # Errors
    /// As [`call`](Session::call).
    pub fn call_with<T, E>(
        &self,
        call: Call,
        context: &Context,
        tool: impl FnOnce(&Running, &Secrets) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        self.authorize(call, context).map_err(RunError::Denied)?.run_with(tool)
    }

    /// As [`call_with`](Session::call_with), for a tool that is asynchronous.
    ///
    /// # Errors
    /// As [`call`](Session::call).
    pub async fn call_with_async<T, E>(
        &self,
        call: Call,
        context: &Context,
        tool: impl AsyncFnOnce(&Running, &Secrets) -> Result<T, E>,
    ) -> Result<Receipt<T>, RunError<E>> {
        self.authorize(call, context).map_err(RunError::Denied)?.run_with_async(tool).await
    }

    /// The tools of which some call could be permitted now, as [`Gate::tools`] tells.
    ///
    /// # Errors
    /// As [`authorize`](Session::authorize).
    pub fn tools(&self, context: &Context) -> Result<Vec<ToolName>, Denial> {
        self.present(None, context, |gate, grant, who| gate.tools(grant, who, context))
    }

    /// Delegates a part of what this session has to another identity, as [`Task::delegate`] does: a
    /// session of its own, which delegates anew what has expired, and ends with this one at the latest.
    ///
    /// # Errors
    /// As [`Task::delegate`] and [`authorize`](Session::authorize).
    pub fn delegate(
        &self,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<Session, Denial> {
        let child = self.present(None, context, |_, grant, _| {
            self.kept().task().delegate(grant, holder, scope.clone(), context)
        })?;
        let errand = Errand::Delegated(self.0.0.clone());
        let state = State { renew_from: renewal_of(&child), ..State::default() };
        let state = State { grant: Some(Arc::new(child)), ..state };
        Ok(Session::new(errand, self.kept().gate.clone(), scope, holder, state))
    }

    /// Goes on with the same principal as it is attested now: before what vouched for it
    /// [ends](Identity::until), or when something else is known of it.
    ///
    /// # Errors
    /// [`Reason::NotTheHolder`] if it is another principal.
    pub fn reattest(&self, who: &Identity) -> Result<(), Denial> {
        let mut own = self.kept().who.lock();
        if own.subject() != who.subject() {
            return Err(Denial::new(Reason::NotTheHolder)
                .because(format_args!("the session is of `{}`", own.subject())));
        }
        *own = who.clone();
        Ok(())
    }

    /// The errand is done: everything ends, for all clones. Final when it returns. Of a session that was
    /// delegated, what was delegated ends.
    pub fn end(&self) -> Ended {
        self.kept().end(|task| task.end_as(How::Completed, None))
    }

    /// The errand failed, for a reason that the log keeps: everything ends, as by [`end`](Session::end).
    pub fn fail(&self, reason: &str) -> Ended {
        self.kept().end(|task| task.end_as(How::Failed, Some(reason)))
    }

    fn kept(&self) -> &Kept {
        &self.0.0
    }

    /// Presents what the session has got, after it has asked for what it needs to.
    fn present<T>(
        &self,
        tool: Option<&str>,
        context: &Context,
        present: impl FnOnce(&Gate, &Grant, &Identity) -> Result<T, Denial>,
    ) -> Result<T, Denial> {
        let kept = self.kept();
        let who = kept.who.lock().clone();
        let presented = kept.ready(&who, tool, context)?;
        present(&kept.gate, &presented.grant, &who)
    }
}

/// A grant that is presented: as long as this is there, it is not renewed by the session.
struct Presented<'k> {
    kept: &'k Kept,
    grant: Arc<Grant>,
}

impl Drop for Presented<'_> {
    fn drop(&mut self) {
        self.kept.state.lock().presenting -= 1;
    }
}

/// Marks that this thread asks, until it is dropped, by a panic of the host's code too.
struct Asking<'k>(&'k Kept);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state.lock().asking = None;
        self.0.answered.notify_all();
    }
}

impl Kept {
    /// A grant to present, asked for or renewed if need be.
    fn ready(
        &self,
        who: &Identity,
        tool: Option<&str>,
        context: &Context,
    ) -> Result<Presented<'_>, Denial> {
        let shared = &self.gate.shared;
        let now = match shared.now().and_then(|now| who.check_validity(now).map(|()| now)) {
            Ok(now) => now,
            Err(denial) => return Err(self.gate.refuse(denial, who, tool)),
        };
        let step = match self.next_step(now) {
            Ok(step) => step,
            Err(denial) => return Err(self.gate.refuse(denial, who, tool)),
        };
        let asking = match step {
            Step::Present(grant) => return Ok(Presented { kept: self, grant }),
            Step::Ask | Step::Renew(_) => Asking(self),
        };
        // What is denied here is recorded where it is asked for; no lock of the session is held.
        let answer = match step {
            Step::Renew(grant) => self.renew(&grant, who, context),
            Step::Ask | Step::Present(_) => self.ask(who, context),
        };
        let answer = answer.map(Arc::new);
        let mut state = self.state.lock();
        match &answer {
            // It was ended meanwhile, and its token was not handed out yet.
            Ok(grant) if state.refused.is_some() => {
                let denial = state.refused.clone().unwrap_or_else(over);
                drop(state);
                let _ = Ended::grant(&grant.shared, &grant.cell, grant.id);
                return Err(self.gate.refuse(denial, who, tool));
            }
            Ok(grant) => {
                let later = state.grant.as_ref().is_none_or(|old| grant.expires > old.expires);
                // What a renewal gave no time is not renewed again.
                state.renew_from = renewal_of(grant).filter(|_| later);
                state.grant = Some(grant.clone());
                state.presenting += 1;
            }
            Err(denial) if is_decided(denial) => state.refused = Some(denial.clone()),
            Err(_) => {}
        }
        drop(state);
        drop(asking);
        answer.map(|grant| Presented { kept: self, grant })
    }

    /// What is to be done now: decided and noted in one step, so that one thread asks at a time.
    fn next_step(&self, now: Timestamp) -> Result<Step, Denial> {
        let own = thread::current().id();
        let mut state = self.state.lock();
        let others = |state: &mut State| state.asking.is_some_and(|asking| asking != own);
        self.answered.wait_while_for(&mut state, others, MOST_WAIT);
        if state.asking.is_some() {
            return Err(Denial::new(Reason::TooMany).because("the session is asking already"));
        }
        if let Some(denial) = &state.refused {
            return Err(denial.clone());
        }
        let step = match state.grant.clone() {
            None => Step::Ask,
            Some(grant) if grant.has_expired(now) => Step::Ask,
            Some(grant) => {
                let due = state.renew_from.is_some_and(|from| now >= from);
                match due && state.presenting == 0 && grant.is_there() {
                    true => Step::Renew(grant),
                    // What was taken away is presented: the gate says, and records, that it was.
                    false => Step::Present(grant),
                }
            }
        };
        match &step {
            Step::Present(_) => state.presenting += 1,
            Step::Ask | Step::Renew(_) => state.asking = Some(own),
        }
        Ok(step)
    }

    fn ask(&self, who: &Identity, context: &Context) -> Result<Grant, Denial> {
        match &self.errand {
            Errand::Own(task) => task.request_for(who, self.wanted.clone(), context),
            Errand::Delegated(from) => {
                let parent = from.state.lock().grant.clone().ok_or_else(over)?;
                from.task().delegate(&parent, who, self.wanted.clone(), context)
            }
        }
    }

    fn renew(&self, grant: &Grant, who: &Identity, context: &Context) -> Result<Grant, Denial> {
        let mut renewed = grant.to_renew();
        self.task().renew(&mut renewed, who, context)?;
        Ok(renewed)
    }

    fn task(&self) -> &Task {
        match &self.errand {
            Errand::Own(task) => task,
            Errand::Delegated(from) => from.task(),
        }
    }

    fn end(&self, end_task: impl FnOnce(&Task) -> Ended) -> Ended {
        match &self.errand {
            Errand::Own(task) => end_task(task),
            Errand::Delegated(_) => {
                let own = self.give_up();
                own.map(|own| Ended::grant(&own.shared, &own.cell, own.id)).unwrap_or_default()
            }
        }
    }

    /// What was delegated and is to end, which is not asked for again.
    fn give_up(&self) -> Option<Arc<Grant>> {
        let mut state = self.state.lock();
        state.refused.get_or_insert_with(|| Denial::new(Reason::Revoked));
        state.grant.clone()
    }
}

/// The end of the last handle, which waits for no log.
impl Drop for Handle {
    fn drop(&mut self) {
        match &self.0.errand {
            Errand::Own(task) => drop(task.end_as(How::Dropped, None)),
            Errand::Delegated(_) => {
                if let Some(grant) = self.0.give_up() {
                    let _ = Ended::grant(&grant.shared, &grant.cell, grant.id);
                }
            }
        }
    }
}

impl Grant {
    /// Whether it has ended because its time was over, and for no other reason.
    fn has_expired(&self, now: Timestamp) -> bool {
        let life = self.cell.life.lock();
        match life.grant(self.id) {
            Some(row) => life.over.is_none() && row.is_past(self.shared.as_of(now)),
            None => life.over.is_none() && life.gone(self.id).reason() == Reason::Expired,
        }
    }

    fn is_there(&self) -> bool {
        self.cell.life.lock().grant(self.id).is_some()
    }
}

/// From when on a grant is renewed: when a third of its time is left, so that an errand with a call now and
/// then seldom finds it over, and one with many asks rarely.
fn renewal_of(grant: &Grant) -> Option<Timestamp> {
    let now = grant.shared.keeper.latest();
    now.checked_add(grant.expires.since(now) / 3 * 2)
}

/// Whether a denial is an answer. What could not be decided, or was asked in no context, may be asked again.
fn is_decided(denial: &Denial) -> bool {
    denial.code() != Code::Unavailable
        && !matches!(denial.reason(), Reason::MalformedContext | Reason::IdentityExpired)
}

fn over() -> Denial {
    Denial::new(Reason::TaskOver).because("what it was delegated from has ended")
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("who", &*self.kept().who.lock()).finish_non_exhaustive()
    }
}
