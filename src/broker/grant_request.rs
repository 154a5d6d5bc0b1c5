//! A request for a grant on its way: what each path to a grant asks with, and checks first.

use std::borrow::Cow;
use std::sync::Arc;

use super::current::Current;
use super::shared::Shared;
use super::task::Task;
use crate::audit::Stage;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::Moment;
use crate::scope::{Capability, Scope};
use crate::task::{Basis, Claim, Life, Liveness, TaskCell};
use crate::value::Object;

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
    pub(super) occasion: Occasion,
}

/// What is done with a grant, as the record of a denial says it.
#[derive(Clone, Copy)]
pub(super) struct Occasion {
    pub(super) stage: Stage,
    /// The grant that it is about: what is delegated from, or renewed.
    pub(super) grant: Option<GrantId>,
    /// Whether the glass is to be broken, or was.
    pub(super) break_glass: bool,
}

impl Occasion {
    pub(super) const REQUEST: Self =
        Occasion { stage: Stage::Request, grant: None, break_glass: false };

    /// Of a child of `parent`; of a root, where there is none.
    pub(super) fn child_of(parent: Option<GrantId>) -> Self {
        match parent {
            None => Occasion::REQUEST,
            grant => Occasion { stage: Stage::Delegate, grant, break_glass: false },
        }
    }

    pub(super) fn renewal_of(grant: GrantId, break_glass: bool) -> Self {
        Occasion { stage: Stage::Renew, grant: Some(grant), break_glass }
    }
}

impl<'r> GrantRequest<'r> {
    /// Asks at this moment for a scope, and records a denial, one for want of a clock among them.
    pub(super) fn ask<T>(
        task: &'r Task,
        occasion: Occasion,
        holder: &'r Identity,
        context: &'r Context,
        scope: &'r Scope,
        ask: impl FnOnce(&GrantRequest<'r>) -> Result<T, Denial>,
    ) -> Result<T, Denial> {
        let shared = &task.shared;
        let at = |moment| GrantRequest::at(task, occasion, holder, scope, moment);
        let (request, asked) = match shared.moment(holder, None, context) {
            Ok(moment) => {
                let request = at(moment);
                let asked = ask(&request);
                (request, asked)
            }
            Err(denial) => (at((shared.keeper.latest(), Cow::Borrowed(context))), Err(denial)),
        };
        asked.map_err(|denial| request.record(denial))
    }

    pub(super) fn at(
        task: &'r Task,
        occasion: Occasion,
        holder: &'r Identity,
        scope: &'r Scope,
        (now, context): (Timestamp, Cow<'r, Context>),
    ) -> Self {
        let Task { shared, cell, .. } = task;
        let meter = Meter::of_question(scope.size());
        GrantRequest { shared, cell, holder, scope, context, now, meter, occasion }
    }

    /// The id of what may be given.
    pub(super) fn new_id(&self) -> Result<GrantId, Denial> {
        let id = self.shared.ids.next(self.cell.generation);
        id.map_err(|error| Denial::new(Reason::NoRandomness).because(error))
    }

    pub(super) fn checked_capabilities(&self, scope: &Scope) -> Result<Vec<Capability>, Denial> {
        scope.capabilities().map_err(|error| Denial::new(Reason::MalformedScope).because(error))
    }

    pub(super) fn checked_context(&self) -> Result<&Object, Denial> {
        self.context.checked().map_err(|error| Denial::new(Reason::MalformedContext).because(error))
    }

    /// Brings what capabilities pin typed arguments to into the spelling of calls, so that an agent that asks
    /// for exactly the call it will make can make it. The scope that says the same is what the grant
    /// shows, the log keeps and the token carries; and whether it is another.
    pub(super) fn respell(
        &self,
        current: &Current,
        scope: &Arc<Scope>,
        capabilities: &mut [Capability],
    ) -> Result<(Arc<Scope>, bool), Denial> {
        Ok(match current.policy.catalogue.canonical(capabilities)? {
            false => (scope.clone(), false),
            true => (Arc::new(scope.with(capabilities)), true),
        })
    }

    /// Who has to be permitted: the holder, and the requester if that is another. A requester that asks
    /// for itself as attested anew takes the place of what it opened the task as, once that is over.
    pub(super) fn parties(&self) -> Vec<(&Identity, Moment)> {
        let requester: &Identity = &self.cell.requester;
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
        if let Some(halt) = shared.halts.stopping(cell, [holder], None, shared.as_of(now)) {
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
}
