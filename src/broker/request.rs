//! Requesting a grant.

use std::borrow::Cow;
use std::sync::Arc;

use super::changes::Change;
use super::current::Current;
use super::ended::Ended;
use super::grant::Grant;
use super::offer::{Offer, OfferInputs, Withheld};
use super::parking::Draft;
use super::remains::FOR_EACH_MADE;
use super::retire::End;
use super::shared::{Shared, Unrecorded};
use super::task::Task;
use crate::audit::{DeniedQuestion, Event, Stage};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, More, Row};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::Moment;
use crate::scope::{Capability, Scope};
use crate::sync::Apart;
use crate::task::{
    Basis, Claim, Item, Items, Life, Liveness, OpenQuestion, Plan, Subject, TaskCell,
};
use crate::value::{Object, Value};

impl Task {
    /// Asks for access for the identity that opened the task.
    ///
    /// Every capability must lie within one permit for this identity, purpose and context: see
    /// [at request](crate::_documentation::policy#at-request).
    ///
    /// # Errors
    /// A [`Denial`]: nothing is granted, and the state before it stays. Its
    /// [explanation](Denial::explain) names the permit that came nearest and what is asked for
    /// beyond it.
    pub fn request(&self, scope: Scope, context: &Context) -> Result<Grant, Denial> {
        self.request_for(&self.cell.requester, scope, context)
    }

    /// Asks for access for another holder, as a planner does for a worker. Here rules are asked about
    /// both, so neither gets by the other a grant that it would not get itself. At the calls they are
    /// asked about the holder alone: a forbid on the requester that only overlaps what is asked for
    /// does not speak there.
    ///
    /// # Errors
    /// As [`request`](Task::request).
    pub fn request_for(
        &self,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<Grant, Denial> {
        GrantRequest::ask(&self.shared, &self.cell, holder, context, &scope, |request| {
            request.make(None, &scope, context)
        })
    }

    /// Ends one grant of this task and all delegated from it, final when it returns. Nothing ends if it
    /// is of another task.
    pub fn revoke_grant(&self, grant: &Grant) -> Ended {
        let mut ended = Ended::nothing();
        if self.cell.generation == grant.cell.generation {
            ended = Ended::grant(&self.shared, &self.cell, grant.id);
        }
        ended
    }
}

/// One request, or delegation, on its way.
pub(super) struct GrantRequest<'r> {
    pub(super) shared: &'r Arc<Shared>,
    pub(super) cell: &'r Arc<TaskCell>,
    pub(super) holder: &'r Identity,
    /// As it was asked for.
    pub(super) scope: &'r Scope,
    /// What is known of the moment: what the caller states, and what the host's source knows.
    pub(super) context: Cow<'r, Context>,
    pub(super) now: Timestamp,
    /// What all of it may cost.
    pub(super) meter: Meter,
    /// Whether the glass is to be broken.
    pub(super) break_glass: bool,
}

impl<'r> GrantRequest<'r> {
    /// Asks at this moment for a scope, and records a denial, one for want of a clock among them.
    pub(super) fn ask(
        shared: &'r Arc<Shared>,
        cell: &'r Arc<TaskCell>,
        holder: &'r Identity,
        context: &'r Context,
        scope: &'r Scope,
        ask: impl FnOnce(&GrantRequest<'r>) -> Result<Grant, Denial>,
    ) -> Result<Grant, Denial> {
        GrantRequest::ask_as((shared, cell), holder, context, scope, false, ask)
    }

    /// As [`ask`](Self::ask), where the glass is broken: the record of a denial is marked.
    pub(super) fn ask_with_glass(
        shared: &'r Arc<Shared>,
        cell: &'r Arc<TaskCell>,
        holder: &'r Identity,
        context: &'r Context,
        scope: &'r Scope,
        ask: impl FnOnce(&GrantRequest<'r>) -> Result<Grant, Denial>,
    ) -> Result<Grant, Denial> {
        GrantRequest::ask_as((shared, cell), holder, context, scope, true, ask)
    }

    fn ask_as(
        (shared, cell): (&'r Arc<Shared>, &'r Arc<TaskCell>),
        holder: &'r Identity,
        context: &'r Context,
        scope: &'r Scope,
        break_glass: bool,
        ask: impl FnOnce(&GrantRequest<'r>) -> Result<Grant, Denial>,
    ) -> Result<Grant, Denial> {
        let at = |now, context| {
            let meter = Meter::of_question(scope.size());
            GrantRequest { shared, cell, holder, scope, context, now, meter, break_glass }
        };
        let (request, asked) = match shared.moment(holder, None, context) {
            Ok((now, context)) => {
                let request = at(now, context);
                let asked = ask(&request);
                (request, asked)
            }
            Err(denial) => (at(shared.keeper.latest(), Cow::Borrowed(context)), Err(denial)),
        };
        asked.inspect_err(|denial| request.record(denial))
    }

    /// Makes a grant: a root of the task, or the child of `parent`.
    pub(super) fn make(
        &self,
        parent: Option<GrantId>,
        scope: &Scope,
        asked_in: &Context,
    ) -> Result<Grant, Denial> {
        self.make_of(parent, (scope, self.checked_capabilities(scope)?), asked_in, None)
    }

    pub(super) fn checked_capabilities(&self, scope: &Scope) -> Result<Vec<Capability>, Denial> {
        scope.capabilities().map_err(|error| Denial::new(Reason::MalformedScope).because(error))
    }

    pub(super) fn checked_context(&self) -> Result<&Object, Denial> {
        self.context.checked().map_err(|error| Denial::new(Reason::MalformedContext).because(error))
    }

    /// As [`make`](Self::make), of capabilities that have been checked: `scope` says the same for
    /// people and records. Where it is what people agreed to, `taking` is the question, and which of its items.
    pub(super) fn make_of(
        &self,
        parent: Option<GrantId>,
        (scope, mut capabilities): (&Scope, Vec<Capability>),
        asked_in: &Context,
        taking: Option<(&Arc<OpenQuestion>, Items)>,
    ) -> Result<Grant, Denial> {
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        shared.attested(holder, now)?;
        let context = self.checked_context()?;
        let id =
            shared.ids.next().map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;

        let current = shared.current();
        let scope = self.respell(&current, scope, &mut capabilities)?;
        let mut life = cell.life.lock();
        let now = shared.as_of(now);
        self.check_task(&life)?;
        self.check_room(&life)?;
        if let Some(parent) = parent {
            shared.keep_up(&current, cell, &mut life, parent, now)?;
        }
        if let Some((open, items)) = taking {
            shared.refresh(&current, open, now);
            if open.good_items(now, false).meet(items) != items {
                return Err(Denial::new(Reason::ApprovalVoid)
                    .because("what people agreed to was taken meanwhile, or taken back"));
            }
        }
        let asked_with = (&self.meter, holder);
        let asking =
            OfferInputs::at_request(shared, &current, cell, &life, context, now, asked_with);
        let (proposal, hops, latest) = match parent {
            None => (asking.give(&self.parties(), &capabilities)?, 0, cell.ceiling),
            Some(parent) => {
                asking.give_child(&self.prove_live(&life, parent)?, holder, &capabilities)?
            }
        };
        let given = match proposal.agreed() {
            Ok(given) => given,
            Err(withheld) => {
                let asked = (&*capabilities, &*scope);
                return Err(self.park(&current, &mut life, parent, asked, (&withheld, now)));
            }
        };
        let (life_ends, idle_ends) = life.time_left(&given.terms, holder.subject(), now, now);
        let expires = expiry(&given, life_ends, now)?.min(latest);
        // What would be unused for too long already when it is given ends an idle time before, and asking
        // again does not begin another.
        if expires <= now || idle_ends.is_some_and(|ends| now >= ends) {
            return Err(no_time_left());
        }
        let idle = given.terms.idle;
        let last_used = idle_ends.zip(idle).and_then(|(ends, idle)| ends.checked_sub(idle));
        let made = Made { id, serial: 1, expires };
        let tokens = self.tokens(&current, &made, (&scope, &given), now)?;
        let event = self.event(&current, &made, parent, &scope, &given);
        let changing = shared.changes.change();
        let place = shared.place(now, &event)?;
        changing.has_begun(place.seq(), Change::Given(id));
        taking.iter().for_each(|(open, items)| open.note_taken(*items, true));
        let terms = shared.terms.share(given.terms);
        // What hung from grants that have ended is removed at the pace at which grants are made.
        life.grants.bury(FOR_EACH_MADE);
        life.grants.push(Row {
            id,
            serial: 1,
            holder: holder.clone(),
            terms: terms.clone(),
            parent,
            hops,
            first_issued: now,
            issued: now,
            expires,
            last_used: last_used.unwrap_or(now),
            running: 0,
            version: current.version,
            more: life_ends.map(More::ending),
        });
        drop(life);
        drop(current);
        shared.remains.drop_for_one();
        // The token was not handed out yet, so the row is of no use to anyone until the log has accepted.
        if let Err(Unrecorded { denial, end }) = shared.settle(place) {
            shared.take_back(cell, End::Grant { id, why: Reason::LogRefused }, end);
            let _life = cell.life.lock();
            taking.iter().for_each(|(open, items)| open.note_taken(*items, false));
            return Err(denial);
        }
        if terms.limit_time() {
            cell.life.lock().begin_spells(&terms, holder.subject(), now, now);
        }
        Ok(Grant {
            shared: shared.clone(),
            cell: cell.clone(),
            id,
            serial: 1,
            tokens,
            expires,
            rules: given.rules,
            holder: holder.clone(),
            scope: scope.into_owned(),
            context: asked_in.clone(),
        })
    }

    /// Parks what asks withhold of a scope, or finds the open question about the same: what to deny it with.
    pub(super) fn park(
        &self,
        current: &Current,
        life: &mut Life,
        parent: Option<GrantId>,
        (capabilities, scope): (&[Capability], &Scope),
        (withheld, now): (&Withheld, Timestamp),
    ) -> Denial {
        let policy = &current.policy;
        let items = withheld.items.iter().filter_map(|(at, asks)| {
            let tool = capabilities.get(*at)?.tool.as_str();
            let listed = policy.catalogue.get(tool).and_then(|own| own.digest);
            Some(Item { at: *at, asks: current.ids(asks).into(), listed })
        });
        let plan = Plan {
            capabilities: capabilities.into(),
            scope: scope.clone(),
            parent,
            items: items.collect(),
        };
        let above = parent.into_iter().flat_map(|parent| life.holders(parent));
        let parties = above.chain([&self.cell.requester]).cloned().collect();
        let draft = Draft {
            cell: self.cell,
            holder: self.holder,
            parties,
            subject: Subject::Scope(Box::new(plan)),
            asks: &withheld.asks,
            permits: &withheld.permits,
            args: None,
            break_glass: self.break_glass,
        };
        let owner = Arc::new(Apart(self.shared.clone()));
        self.shared.park(&owner, current, life, draft, (withheld.denial(current), now))
    }

    /// Brings what capabilities pin typed arguments to into the spelling of calls, so that an agent that asks
    /// for exactly the call it will make can make it. The scope that says the same is what the grant
    /// shows, the log keeps and the token carries.
    pub(super) fn respell<'s>(
        &self,
        current: &Current,
        scope: &'s Scope,
        capabilities: &mut [Capability],
    ) -> Result<Cow<'s, Scope>, Denial> {
        let before = capabilities.to_vec();
        current.policy.catalogue.canonical(capabilities)?;
        Ok(match *before == *capabilities {
            true => Cow::Borrowed(scope),
            false => Cow::Owned(scope.with(capabilities)),
        })
    }

    /// Who has to be permitted: the holder, and the requester if that is another. A requester that asks
    /// for itself as attested anew takes the place of what it opened the task as, once that is over.
    pub(super) fn parties(&self) -> Vec<(&Identity, Moment)> {
        let requester = &self.cell.requester;
        let mut parties = vec![(self.holder, Moment::Request)];
        let renewed = requester.is_past(self.now) && self.holder.subject() == requester.subject();
        if !self.holder.is_shared_with(requester) && !renewed {
            parties.push((requester, Moment::Request));
        }
        parties
    }

    /// Whether the task can be given access.
    pub(super) fn check_task(&self, life: &Life) -> Result<(), Denial> {
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        cell.check_open(life, shared.as_of(now))?;
        if let Some(halt) = shared.halts.stopping(cell, &[holder], None, shared.as_of(now)) {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        Ok(())
    }

    pub(super) fn check_room(&self, life: &Life) -> Result<(), Denial> {
        if life.grants.len() >= self.shared.settings.max_grants_per_task {
            return Err(Denial::new(Reason::TooMany).because("the task holds too many grants"));
        }
        Ok(())
    }

    /// Proves that a grant of the task lives, for what the host asks about it.
    pub(super) fn prove_live(&self, life: &Life, grant: GrantId) -> Result<Liveness, Denial> {
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        let claim = Claim { grant, basis: Basis::Handle, who: holder, tool: None };
        cell.prove_live(life, &shared.halts, &claim, shared.as_of(now))
    }

    pub(super) fn event<'e>(
        &'e self,
        current: &'e Current,
        made: &Made,
        parent: Option<GrantId>,
        scope: &Scope,
        given: &'e Offer,
    ) -> Event<'e> {
        Event::Granted {
            task: (&*self.cell.name).into(),
            generation: self.cell.generation,
            grant: made.id.to_string().into(),
            serial: u64::from(made.serial),
            parent: parent.map(|parent| parent.to_string().into()),
            requester: self.cell.requester.subject().as_str().into(),
            holder: self.holder.subject().as_str().into(),
            acts_for: self
                .holder
                .acts_for()
                .iter()
                .map(|own| own.subject.as_str().into())
                .collect(),
            scope: Cow::Owned(self.granted(current, scope)),
            rules: given.rules.iter().map(|rule| (&**rule).into()).collect(),
            approvals: given
                .approvals
                .iter()
                .map(|own| own.id.text().as_str().to_owned().into())
                .collect(),
            epoch: current.epoch,
            policy: (&*current.digest).into(),
            expires: made.expires,
        }
    }

    /// What is granted, as its record keeps it.
    fn granted(&self, current: &Current, scope: &Scope) -> Value {
        match scope.is_digested() {
            true => self.digested(current, scope),
            false => scope.to_value(),
        }
    }

    /// A scope of which a record keeps the tools and a digest.
    fn digested(&self, current: &Current, scope: &Scope) -> Value {
        let who = self.holder.subject().as_str();
        let digest = current.keys.digests.scope(who, &scope.to_value());
        let mut kept = Object::new();
        // Each key is written once.
        let _ = kept.insert("digest", digest.to_string());
        let _ = kept.insert("tools", Value::List(scope.tools().map(Value::from).collect()));
        Value::Object(kept)
    }

    pub(super) fn record(&self, denial: &Denial) {
        if denial.reason() == Reason::Forked {
            let who = Some(self.holder.subject().as_str());
            let question = DeniedQuestion { who, ..DeniedQuestion::at(Stage::Request) };
            return self.shared.record_denial(self.now, denial, question);
        }
        let current = self.shared.current();
        let epoch = current.epoch;
        let context = self.context.checked().ok();
        let context = context.map(|context| current.keys.digests.context(context).text());
        let is_meant = denial.reason() != Reason::MalformedScope;
        let scope = is_meant.then(|| match self.scope.is_digested() {
            true => self.digested(&current, self.scope),
            false => recorded(self.scope),
        });
        drop(current);
        let question = DeniedQuestion {
            task: Some((&*self.cell.name).into()),
            generation: Some(self.cell.generation),
            who: Some(self.holder.subject().as_str()),
            scope,
            context: context.as_ref().map(|digest| digest.as_str().into()),
            epoch: Some(epoch),
            break_glass: self.break_glass,
            ..DeniedQuestion::at(Stage::Request)
        };
        self.shared.refuse(self.now, denial, question);
        self.shared.trip(&self.cell.requester, denial, self.now);
    }
}

/// The longest scope, in bytes of JSON, that the record of a denial keeps: what people write is far
/// shorter, and a denied agent may ask again and again.
const LONGEST_RECORDED: usize = 16 * 1024;

/// A scope that was asked for, as a record keeps it.
fn recorded(scope: &Scope) -> Value {
    let value = scope.to_value();
    let bytes = value.to_json().len();
    if bytes <= LONGEST_RECORDED {
        return value;
    }
    let mut short = Object::new();
    // Each key is written once.
    let _ = short.insert("bytes", bytes as u64);
    let _ = short.insert("digest", value.digest().to_string());
    Value::Object(short)
}

/// What identifies a token of a grant.
pub(super) struct Made {
    pub(super) id: GrantId,
    pub(super) serial: u32,
    pub(super) expires: Timestamp,
}

/// When a grant given now ends: its time to live from now, within its whole life.
pub(super) fn expiry(
    given: &Offer,
    life_ends: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Denial> {
    let expires = now.checked_add(given.ttl).ok_or_else(no_time_left)?;
    Ok(life_ends.map_or(expires, |ends| expires.min(ends)))
}

pub(super) fn no_time_left() -> Denial {
    Denial::new(Reason::Expired).because("no time is left of what its rules give in this task")
}
