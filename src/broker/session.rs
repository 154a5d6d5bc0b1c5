//! A session: one task, and one standing wish for access to it, kept for a host.

use std::sync::Arc;

use super::Broker;
use super::ended::Ended;
use super::errand::{Errand, Kept, Presented, State};
use super::gate::Gate;
use super::grant::Grant;
use super::pending::Pending;
use super::permit::Permit;
use super::receipt::{Receipt, RunError};
use super::running::Running;
use crate::audit::How;
use crate::call::Call;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::purpose::Purpose;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::sync::{Condvar, Mutex};
use crate::tool::ToolName;
use crate::vault::Secrets;

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

    /// As [`authorize`](Session::authorize), as a future of any runtime: see [`Gate::authorize_async`]. What has to be asked
    /// for first is waited for in the same way.
    ///
    /// # Errors
    /// As [`authorize`](Session::authorize).
    pub async fn authorize_async(&self, call: Call, context: &Context) -> Result<Permit, Denial> {
        let tool = call.tool_name().clone();
        let (who, presented) = self.ready_async(Some(tool.as_str()), context).await?;
        self.kept().gate.authorize_async(&*presented.grant, &who, call, context).await
    }

    /// As [`authorize_json`](Session::authorize_json), as [`authorize_async`](Session::authorize_async) does.
    ///
    /// # Errors
    /// As [`authorize_json`](Session::authorize_json).
    pub async fn authorize_json_async(
        &self,
        tool: &str,
        args: impl AsRef<[u8]>,
        resource: Option<Resource>,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let (who, own) = self.ready_async(Some(tool), context).await?;
        let gate = &self.kept().gate;
        gate.authorize_json_async(&*own.grant, &who, tool, args, resource, context).await
    }

    /// Denies a call on the host's own account, and records it, as [`Gate::deny`] does: one that never gets as far as a
    /// question. Nothing is asked for.
    pub fn deny(&self, tool: &str, reason: Reason, why: &str) -> Denial {
        let kept = self.kept();
        // Its own locks may be held for good, too.
        if let Err(forked) = kept.gate.shared.check_process() {
            return forked;
        }
        let who = kept.who.lock().clone();
        kept.gate.deny(&who, tool, reason, why)
    }

    /// The question of this text, as [`Gate::pending`] finds it.
    pub fn pending(&self, text: &str) -> Option<Pending> {
        self.kept().gate.pending(text)
    }

    /// Redeems what people agreed to, as [`Gate::redeem`] does.
    ///
    /// # Errors
    /// As [`authorize`](Session::authorize), and of [`Gate::redeem`].
    pub fn redeem(&self, pending: &Pending, context: &Context) -> Result<Permit, Denial> {
        self.present(None, context, |gate, grant, who| gate.redeem(pending, grant, who, context))
    }

    /// As [`redeem`](Session::redeem), as [`authorize_async`](Session::authorize_async) does.
    ///
    /// # Errors
    /// As [`redeem`](Session::redeem).
    pub async fn redeem_async(
        &self,
        pending: &Pending,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let (who, presented) = self.ready_async(None, context).await?;
        self.kept().gate.redeem_async(pending, &*presented.grant, &who, context).await
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
        let permit = self.authorize_async(call, context).await.map_err(RunError::Denied)?;
        permit.run_async(tool).await
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
        let permit = self.authorize_async(call, context).await.map_err(RunError::Denied)?;
        permit.run_with_async(tool).await
    }

    /// The tools of which some call could be permitted now, as [`Gate::tools`] tells.
    ///
    /// # Errors
    /// As [`authorize`](Session::authorize).
    pub fn tools(&self, context: &Context) -> Result<Vec<ToolName>, Denial> {
        self.present(None, context, |gate, grant, who| gate.tools(grant, who, context))
    }

    /// As [`tools`](Session::tools), as [`authorize_async`](Session::authorize_async) does.
    ///
    /// # Errors
    /// As [`authorize`](Session::authorize).
    pub async fn tools_async(&self, context: &Context) -> Result<Vec<ToolName>, Denial> {
        let (who, presented) = self.ready_async(None, context).await?;
        self.kept().gate.tools(&*presented.grant, &who, context)
    }

    /// Delegates a part of what this session has to another identity, as [`Task::delegate`](crate::Task::delegate) does: a
    /// session of its own, which delegates anew what has expired, and ends with this one at the latest.
    ///
    /// # Errors
    /// As [`Task::delegate`](crate::Task::delegate) and [`authorize`](Session::authorize).
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
        let state = State::with(child);
        Ok(Session::new(errand, self.kept().gate.clone(), scope, holder, state))
    }

    /// Goes on with the same principal as it is attested now: before what vouched for it
    /// [ends](Identity::until), or when something else is known of it.
    ///
    /// # Errors
    /// [`Reason::NotTheHolder`] if it is another principal.
    pub fn reattest(&self, who: &Identity) -> Result<(), Denial> {
        self.kept().gate.shared.check_process()?;
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

    /// What the session presents, after it has asked for what it needs to.
    async fn ready_async(
        &self,
        tool: Option<&str>,
        context: &Context,
    ) -> Result<(Identity, Presented<'_>), Denial> {
        let kept = self.kept();
        // Its own locks may be held for good, too.
        kept.gate.shared.check_process()?;
        let who = kept.who.lock().clone();
        let presented = kept.ready_async(&who, tool, context).await?;
        Ok((who, presented))
    }

    /// Presents what the session has got, after it has asked for what it needs to.
    fn present<T>(
        &self,
        tool: Option<&str>,
        context: &Context,
        present: impl FnOnce(&Gate, &Grant, &Identity) -> Result<T, Denial>,
    ) -> Result<T, Denial> {
        let kept = self.kept();
        // Its own locks may be held for good, too.
        kept.gate.shared.check_process()?;
        let who = kept.who.lock().clone();
        let presented = kept.ready(&who, tool, context)?;
        present(&kept.gate, &presented.grant, &who)
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

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("who", &*self.kept().who.lock()).finish_non_exhaustive()
    }
}
