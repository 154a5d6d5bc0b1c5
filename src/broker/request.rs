//! Requesting a grant.

use std::sync::Arc;
use std::time::Duration;

use super::open::Task;
use super::shared::{Current, Shared};
use crate::audit::{Event, Stage};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Nearest, Reason};
use crate::grant::{GrantId, Granted, Life, Nonces, Row, Stamp, TaskCell};
use crate::identity::Identity;
use crate::policy::{Answer, Moment, Setting, Wanted, decide_request, nearest_for_request};
use crate::scope::{Capability, Scope, encode_scope};
use crate::token::{Claims, Token, mint};
use crate::value::{Object, Value};

/// A grant, as the host holds it: the token for the agent, and what it is worth.
///
/// It ends with its task, at its expiry, or when it is revoked; dropping this changes nothing.
#[must_use = "a grant is used through its token"]
pub struct Grant {
    shared: Arc<Shared>,
    cell: Arc<TaskCell>,
    id: GrantId,
    token: Token,
    expires: Timestamp,
    rules: Vec<Arc<str>>,
    holder: Identity,
    context: Context,
}

impl Task {
    /// Asks for access for the identity that opened the task.
    ///
    /// Every capability must lie within one permit for this identity, purpose and context; see the
    /// policy's documentation, "At request".
    ///
    /// # Errors
    /// A [`Denial`]: nothing is granted, and the state before it stays.
    pub fn request(&self, scope: Scope, context: &Context) -> Result<Grant, Denial> {
        self.request_for(&self.cell.requester, scope, context)
    }

    /// Asks for access for another holder, as a planner does for a worker. Rules are asked about
    /// both: neither gets by the other what it would not get itself.
    ///
    /// # Errors
    /// As [`request`](Task::request).
    pub fn request_for(
        &self,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<Grant, Denial> {
        let now = self.shared.now()?;
        let request = Request { shared: &self.shared, cell: &self.cell, holder, now };
        request.grant(&scope, context).inspect_err(|denial| request.record(denial))
    }

    /// Ends one grant of this task, final when it returns. `false` if it had ended before, or is not
    /// of this task.
    pub fn revoke_grant(&self, grant: &Grant) -> bool {
        self.cell.generation == grant.cell.generation
            && self.shared.revoke_grant(&self.cell, grant.id, Reason::Revoked)
    }
}

impl Grant {
    /// What the agent presents at the gate.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The grant's id, as the log names it.
    pub fn id(&self) -> GrantId {
        self.id
    }

    /// Who may use it.
    pub fn holder(&self) -> &Identity {
        &self.holder
    }

    /// The context in which it was requested.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// When it ends, unless something ends it before.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The permits that gave it.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rules.iter().map(|id| &**id)
    }

    /// Ends the grant, final when it returns. `false` if it had ended before.
    pub fn revoke(self) -> bool {
        self.shared.revoke_grant(&self.cell, self.id, Reason::Revoked)
    }
}

/// One request on its way.
struct Request<'r> {
    shared: &'r Arc<Shared>,
    cell: &'r Arc<TaskCell>,
    holder: &'r Identity,
    now: Timestamp,
}

/// What a request came to.
struct Given {
    scope: Vec<Granted>,
    rules: Vec<Arc<str>>,
    lifetime: Duration,
    idle: Option<Duration>,
}

impl Request<'_> {
    fn grant(&self, scope: &Scope, asked_in: &Context) -> Result<Grant, Denial> {
        let Request { shared, cell, holder, now } = *self;
        shared.attested(holder)?;
        let capabilities = scope
            .capabilities()
            .map_err(|error| Denial::new(Reason::MalformedScope).because(error))?;
        let context = asked_in
            .checked()
            .map_err(|error| Denial::new(Reason::MalformedContext).because(error))?;
        let id =
            GrantId::random().map_err(|error| Denial::new(Reason::NoRandomness).because(error))?;

        let current = shared.current();
        let mut life = cell.life.lock();
        self.alive(&life)?;
        let given = self.decide(&current, &life, capabilities, context)?;
        let expires = now
            .checked_add(given.lifetime)
            .ok_or_else(|| Denial::new(Reason::Expired).because("no time is left"))?
            .min(cell.ceiling);
        let embedded = match scope.is_embedded() {
            false => None,
            true => {
                let granted: Vec<_> = given.scope.iter().map(|own| &own.capability).collect();
                let bytes = encode_scope(&granted)
                    .map_err(|error| Denial::new(Reason::MalformedScope).because(error))?;
                Some(bytes)
            }
        };
        let claims = Claims {
            issuer: &shared.issuer,
            audience: &shared.audience,
            task: &cell.name,
            generation: cell.generation,
            grant: id,
            serial: 1,
            holder: holder.subject().as_str(),
            issued: now,
            expires,
            scope: embedded.as_deref(),
        };
        let token = mint(&current.keys, &claims)
            .map_err(|error| Denial::new(Reason::MalformedScope).because(error))?;
        let scope_text = serde_json::from_str(&scope.to_value().to_json()).unwrap_or_default();
        let event = Event::Granted {
            task: (&*cell.name).into(),
            generation: cell.generation,
            grant: id.to_string().into(),
            serial: 1,
            requester: cell.requester.subject().as_str().into(),
            holder: holder.subject().as_str().into(),
            scope: std::borrow::Cow::Owned(scope_text),
            rules: given.rules.iter().map(|rule| (&**rule).into()).collect(),
            epoch: current.epoch,
            policy: (&*current.digest).into(),
            expires,
        };
        let place = shared.place(now, &event)?;
        life.grants.push(Row {
            id,
            serial: 1,
            holder: holder.share(),
            scope: given.scope.into(),
            expires,
            idle: given.idle,
            last_used: now,
            nonces: Nonces::default(),
        });
        drop(life);
        drop(current);
        // Nobody has the token yet, so the row is of no use to anyone until the log has accepted.
        if let Err(denial) = shared.settle(place) {
            cell.life.lock().end_grant(id, Reason::LogRefused);
            return Err(denial);
        }
        Ok(Grant {
            shared: shared.clone(),
            cell: cell.clone(),
            id,
            token,
            expires,
            rules: given.rules,
            holder: holder.share(),
            context: asked_in.clone(),
        })
    }

    fn alive(&self, life: &Life) -> Result<(), Denial> {
        let Request { shared, cell, holder, now } = *self;
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        if now >= cell.ceiling {
            return Err(Denial::new(Reason::Expired).because("the task has reached its ceiling"));
        }
        if let Some(halt) = shared.halts.stopping(cell, holder, None) {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        if life.grants.len() >= shared.settings.max_grants {
            return Err(Denial::new(Reason::TooMany).because("the task holds too many grants"));
        }
        Ok(())
    }

    /// Asks the rules about every capability, for the holder and for the requester.
    fn decide(
        &self,
        current: &Current,
        life: &Life,
        capabilities: Vec<Capability>,
        context: &Object,
    ) -> Result<Given, Denial> {
        let mut given = Given {
            scope: Vec::with_capacity(capabilities.len()),
            rules: Vec::new(),
            lifetime: self.shared.settings.ceiling,
            idle: None,
        };
        for capability in capabilities {
            let stamps = self.ask(current, life, &capability, context)?;
            // The tightest of all permits that cover any part: one grant has one lifetime.
            for Stamp { rule, limits } in &stamps {
                let ttl = limits.ttl.unwrap_or(self.shared.settings.default_ttl);
                given.lifetime = given.lifetime.min(ttl).min(limits.max_life.unwrap_or(ttl));
                given.idle = [given.idle, limits.idle].into_iter().flatten().min();
                if !given.rules.contains(rule) {
                    given.rules.push(rule.clone());
                }
            }
            given.scope.push(Granted { capability, stamps });
        }
        given.rules.sort();
        Ok(given)
    }

    fn ask(
        &self,
        current: &Current,
        life: &Life,
        capability: &Capability,
        context: &Object,
    ) -> Result<Vec<Stamp>, Denial> {
        let tool = capability.tool.as_str();
        if let Some(halt) = self.shared.halts.stopping(self.cell, self.holder, Some(tool)) {
            return Err(Denial::new(Reason::Halted).because(halt));
        }
        let Some(labels) = current.policy.catalogue.labels_of(tool) else {
            return Err(Denial::new(Reason::UnknownTool)
                .because(format_args!("`{tool}` is not in the catalogue")));
        };
        let with_this = life.history.with(labels);
        let seen = with_this.as_ref().unwrap_or(life.history.labels());
        let mut stamps: Vec<Stamp> = Vec::new();
        let same = self.holder.subject() == self.cell.requester.subject();
        let both = [Some(self.holder), (!same).then_some(&self.cell.requester)];
        for who in both.into_iter().flatten() {
            let wanted = Wanted { setting: self.setting(who, context, seen), capability, labels };
            let rules = match decide_request(&current.policy, &wanted) {
                Answer::Covered(rules) => rules,
                Answer::Ask(rules) => {
                    return Err(Denial::new(Reason::ApprovalRequired)
                        .because(format_args!("`{tool}`: people have to agree first"))
                        .by_rules(current.ids(&rules)));
                }
                Answer::Forbidden(rules) => {
                    return Err(Denial::new(Reason::Forbidden)
                        .because(format_args!("`{}`", capability.to_value()))
                        .by_rules(current.ids(&rules)));
                }
                Answer::NotCovered => {
                    let nearest: Option<Nearest> = nearest_for_request(&current.policy, &wanted);
                    let detail = match nearest {
                        Some(_) => format!("`{}` lies within no one permit", capability.to_value()),
                        None => format!("`{}`: no rule speaks of it", capability.to_value()),
                    };
                    return Err(Denial::new(Reason::NotCovered)
                        .because(detail)
                        .nearest_to(nearest));
                }
            };
            for rule in rules.iter().filter_map(|at| current.policy.rule(*at)) {
                if !stamps.iter().any(|stamp| stamp.rule == rule.id) {
                    stamps.push(Stamp { rule: rule.id.clone(), limits: rule.limits.clone() });
                }
            }
        }
        Ok(stamps)
    }

    fn setting<'s>(
        &'s self,
        who: &'s Identity,
        context: &'s Object,
        seen: &'s Value,
    ) -> Setting<'s> {
        Setting {
            moment: Moment::Request,
            who,
            purpose: &self.cell.purpose,
            context,
            seen,
            now: self.now,
        }
    }

    fn record(&self, denial: &Denial) {
        let (epoch, digest) = {
            let current = self.shared.current();
            (current.epoch, current.digest.clone())
        };
        self.shared.record(
            self.now,
            &Event::Denied {
                stage: Stage::Request,
                task: Some((&*self.cell.name).into()),
                generation: Some(self.cell.generation),
                grant: None,
                who: Some(self.holder.subject().as_str().into()),
                tool: None,
                args: None,
                code: denial.code().as_str().into(),
                reason: denial.reason().as_str().into(),
                rules: denial.rules().map(Into::into).collect(),
                epoch: Some(epoch),
                policy: Some((&*digest).into()),
            },
        );
    }
}

impl Shared {
    /// Ends one grant, with its place in the sequence; `false` if it was not there.
    pub(super) fn revoke_grant(&self, cell: &TaskCell, id: GrantId, why: Reason) -> bool {
        let at = self.keeper.now().unwrap_or_else(|_| self.keeper.latest());
        let mut life = cell.life.lock();
        if !life.end_grant(id, why) {
            return false;
        }
        let event = Event::Revoked {
            task: (&*cell.name).into(),
            generation: cell.generation,
            grant: id.to_string().into(),
            running: life.running(Some(id)),
        };
        let place = self.place(at, &event);
        drop(life);
        if let Ok(place) = place {
            self.journal.owe(place);
        }
        true
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
