//! The gate: what the tool side holds.

use std::sync::Arc;

use super::call_request::{Asked, CallRequest, Digested, Refusal};
use super::current::DecidingRules;
use super::ended::Ended;
use super::pending::Pending;
use super::permit::Permit;
use super::presented::present_token;
use super::retire::End;
use super::shared::{Recorded, Shared};
use crate::audit::{DeniedQuestion, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::policy::DescribedTool;
use crate::resource::Resource;
use crate::sync::Apart;
use crate::token::Presentable;
use crate::tool::MAX_TOOL_NAME;
use crate::visible::cut;

/// The tool side's handle: turns a presented token and a call into a [`Permit`], or a [`Denial`].
///
/// Cloning it shares it: a clone can authorize and nothing else.
pub struct Gate {
    /// Counted once more for this handle alone: threads with a gate each, which hand out permits,
    /// do not write to one count.
    pub(super) shared: Arc<Apart<Arc<Shared>>>,
}

/// The answer of [`Gate::check`]: `authorize` would permit the call. Nothing can be run by it.
pub struct DryRun(DecidingRules);

impl DryRun {
    /// The permits that would decide, in the order of their ids.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.ids()
    }
}

impl std::fmt::Debug for DryRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rules()).finish()
    }
}

impl Clone for Gate {
    fn clone(&self) -> Self {
        Gate::new(Arc::clone(&self.shared.0))
    }
}

impl Gate {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Gate { shared: Arc::new(Apart(shared)) }
    }

    /// What the catalogue of the policy in force says of a tool, for a host that shows an agent the tools which
    /// [`tools`](Self::tools) lists; `None` where the catalogue does not have it.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// let policy = Policy::from_toml(r#"
    ///     version = 1
    ///     [[tool]]
    ///     name        = "log.read"
    ///     description = "Reads the end of a log."
    /// "#)?;
    /// let gate = Broker::new(policy)?.gate();
    /// assert_eq!(gate.described("log.read").unwrap().description(), Some("Reads the end of a log."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn described(&self, tool: &str) -> Option<DescribedTool> {
        DescribedTool::of(&self.shared.current().policy, tool)
    }

    /// Authorizes one call: who presents which token, for what, in which context. What is presented is a
    /// grant, a token of it, or the text of one.
    ///
    /// In this order: the token's size and framing, its signature, its decoding, audience, expiry
    /// and holder; then task, grant and serial; then the grant's scope and every attenuation's; then
    /// today's rules; then limits. What is permitted is in the log before this returns.
    ///
    /// # Errors
    /// A [`Denial`], which is in the log, too: an agent is sent its [code](Denial::code), and
    /// operators read its [explanation](Denial::explain).
    pub fn authorize<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<Permit, Denial> {
        self.decide(presented.text(), caller, call, context, None)
    }

    /// Authorizes a call: as it is asked for, or as what people agreed to is redeemed.
    pub(super) fn decide(
        &self,
        text: &str,
        caller: &Identity,
        call: Call,
        context: &Context,
        redeeming: Option<&Pending>,
    ) -> Result<Permit, Denial> {
        let asked = Asked { text, caller, call: &call, redeeming };
        let committed = self.attempt(asked, context, |request| request.commit())?;
        Ok(committed.into_permit(&self.shared, call))
    }

    /// Has a call decided as of this moment, and records a denial.
    #[inline(always)]
    pub(super) fn attempt<T>(
        &self,
        asked: Asked<'_>,
        context: &Context,
        commit: impl FnOnce(&CallRequest<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Denial> {
        let Asked { caller, call, redeeming, .. } = asked;
        let digested = Digested::default();
        let at = |now, context| self.request(asked, (now, context), &digested);
        let refused = |denial| Refusal { denial, about: None, signed: false };
        let (now, context) = match self.shared.moment(caller, Some(call.tool()), context) {
            Ok(moment) => moment,
            Err(denial) => {
                return Err(at(self.shared.keeper.latest(), context).record(refused(denial)));
            }
        };
        let attempt = at(now, &context);
        // Its question is found by number among this broker's tasks, where it would be another.
        if redeeming.is_some_and(|pending| pending.shared.id != self.shared.id) {
            let denial = Denial::new(Reason::ApprovalVoid).because("another broker asked");
            return Err(attempt.record(refused(denial)));
        }
        commit(&attempt).map_err(|refusal| attempt.record(refusal))
    }

    #[inline(always)]
    pub(super) fn request<'a>(
        &'a self,
        asked: Asked<'a>,
        (now, context): (Timestamp, &'a Context),
        digested: &'a Digested,
    ) -> CallRequest<'a> {
        let Asked { text, caller, call, redeeming } = asked;
        let (shared, owner, made) = (&self.shared, &self.shared, call);
        let redeeming = redeeming.map(|pending| &pending.open);
        CallRequest { shared, owner, text, caller, call, made, context, now, digested, redeeming }
    }

    /// As [`authorize`](Gate::authorize), of a call as an agent wrote it: the tool's name, its arguments as
    /// JSON, read strictly as by [`Call::from_json_bytes`], and what it acts on, which the host says. What
    /// is not a call is denied and recorded as any other, and counts for the
    /// [tripwire](crate::BrokerBuilder::halt_after).
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let rule = Rule::permit("readers").tool("fs.read").any_args();
    /// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
    /// # let (gate, context) = (broker.gate(), Context::new());
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("reading"))?;
    /// # let grant = task.request(Scope::tool("fs.read").any_args(), &context)?;
    /// let twice = br#"{ "path": "/data/q3.csv", "path": "/etc/passwd" }"#;
    /// let denial = gate.authorize_json(&grant, &agent, "fs.read", twice, None, &context).unwrap_err();
    /// assert_eq!(denial.reason(), Reason::MalformedCall);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`authorize`](Gate::authorize), and [`Reason::MalformedCall`].
    pub fn authorize_json<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        tool: &str,
        args: impl AsRef<[u8]>,
        resource: Option<Resource>,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let call = self.read_call(caller, tool, args.as_ref(), resource)?;
        self.authorize(presented, caller, call, context)
    }

    /// A call as an agent wrote it.
    ///
    /// # Errors
    /// That it is none, which is on record.
    pub(super) fn read_call(
        &self,
        caller: &Identity,
        tool: &str,
        args: &[u8],
        resource: Option<Resource>,
    ) -> Result<Call, Denial> {
        match Call::from_json_bytes(tool, args) {
            Ok(call) => Ok(resource.into_iter().fold(call, Call::on)),
            Err(error) => {
                let denial = Denial::new(Reason::MalformedCall).because(error);
                Err(self.refuse(denial, caller, Some(tool)))
            }
        }
    }

    /// Denies a call on the host's own account, and records it: one that never gets as far as a token, since its tool
    /// is none that the host serves, say. It counts for the [tripwire](crate::BrokerBuilder::halt_after) as any other.
    /// Of the tool's name, which may be anything, the record keeps 128 bytes.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// let denial = broker.gate().deny(&agent, "fs.erase", Reason::UnknownTool, "the server has two of that name");
    /// assert_eq!(denial.code(), Code::NotPermitted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deny(&self, caller: &Identity, tool: &str, reason: Reason, why: &str) -> Denial {
        self.refuse(Denial::new(reason).because(why), caller, Some(tool))
    }

    /// Records what was denied before a token was looked at, and hands it on.
    pub(super) fn refuse(&self, denial: Denial, caller: &Identity, tool: Option<&str>) -> Denial {
        let shared = &self.shared;
        let (at, denial) = match shared.time() {
            Ok(now) => (now, denial),
            Err(no_time) if no_time.reason() == Reason::Forked => (shared.keeper.latest(), no_time),
            Err(_) => (shared.keeper.latest(), denial),
        };
        let tool = tool.map(|tool| cut(tool, MAX_TOOL_NAME));
        let question = DeniedQuestion { tool, ..asked_by(caller, Stage::Call) };
        shared.record_denial(at, &denial, question);
        shared.trip(caller, &denial, at);
        denial
    }

    /// Answers as [`authorize`](Gate::authorize) would, and permits nothing: no use is spent, no
    /// history added, the question not recorded.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use serde_json::json;
    /// # let rule = Rule::permit("readers").tool("fs.read").any_args().uses(1);
    /// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
    /// # let (gate, context) = (broker.gate(), Context::new());
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("reading"))?;
    /// # let grant = task.request(Scope::tool("fs.read").any_args(), &context)?;
    /// let call = Call::new("fs.read", json!({ "path": "/data/q3.csv" }))?;
    /// for _ in 0..3 {
    ///     let dry = gate.check(grant.token(), &agent, &call, &context)?;
    ///     assert!(dry.rules().eq(["readers"]));
    /// }
    /// assert!(gate.authorize(grant.token(), &agent, call, &context).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The [`Denial`] that `authorize` would give, as long as nothing changes between the two.
    pub fn check<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
        call: &Call,
        context: &Context,
    ) -> Result<DryRun, Denial> {
        let (now, context) = self.shared.moment(caller, Some(call.tool()), context)?;
        let asked = Asked { text: presented.text(), caller, call, redeeming: None };
        let digested = Digested::default();
        let attempt = self.request(asked, (now, &*context), &digested);
        attempt.check().map(DryRun).map_err(|refusal| refusal.denial)
    }

    /// The holder gives its grant up: always possible while it lives, with its newest token, final when
    /// it returns.
    ///
    /// # Errors
    /// A [`Denial`], which is in the log, too, with
    /// [`Code::InvalidToken`](crate::denial::Code::InvalidToken) or
    /// [`Expired`](crate::denial::Code::Expired) if there is nothing to give up.
    pub fn give_up<P: Presentable + ?Sized>(
        &self,
        presented: &P,
        caller: &Identity,
    ) -> Result<Ended, Denial> {
        let now = self.shared.time();
        let at = *now.as_ref().unwrap_or(&self.shared.keeper.latest());
        let given_up = now.and_then(|now| self.end_presented(presented.text(), caller, now));
        given_up.inspect_err(|denial| {
            self.shared.record_denial(at, denial, asked_by(caller, Stage::GiveUp));
            self.shared.trip(caller, denial, at);
        })
    }

    fn end_presented(
        &self,
        text: &str,
        caller: &Identity,
        now: Timestamp,
    ) -> Result<Ended, Denial> {
        let current = self.shared.current();
        let presented = present_token(&self.shared, &current.keys.tokens, text, caller, now)?;
        drop(current);
        let at = self.shared.time_of_end().unwrap_or(now);
        let mut life = presented.cell.life.lock();
        let row = life.grant(presented.grant);
        if row.is_some_and(|row| row.serial != presented.serial) {
            return Err(Denial::new(Reason::Superseded).because("the grant was renewed since"));
        }
        let end = End::Grant { id: presented.grant, why: Reason::Revoked };
        let retired = self.shared.retire(&presented.cell, &mut life, end, at, Recorded::Yes);
        let retired = retired.ok_or_else(|| life.gone(presented.grant))?;
        drop(life);
        if let Some(other) = retired.ended_otherwise {
            return Err(other.denial());
        }
        self.shared.await_leaves(presented.cell.generation);
        let mut ended = Ended::nothing();
        ended.add_grant(Ok(retired));
        Ok(ended.recorded(&self.shared))
    }
}

/// A question of which no more is known than who asked.
fn asked_by(caller: &Identity, stage: Stage) -> DeniedQuestion<'_> {
    DeniedQuestion { who: Some(caller.subject().as_str()), ..DeniedQuestion::at(stage) }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("audience", &self.shared.audience).finish_non_exhaustive()
    }
}
