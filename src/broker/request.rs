//! Requesting a grant.

use std::sync::Arc;

use super::ended::Ended;
use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::new_grant::{Descent, EnteredGrant, NewGrant};
use super::offer::OfferInputs;
use super::task::Task;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::scope::{Capability, Scope};
use crate::task::{Items, OpenQuestion};

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
        let scope = Arc::new(scope);
        GrantRequest::ask(self, Occasion::REQUEST, holder, context, &scope, |request| {
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

impl<'r> GrantRequest<'r> {
    /// Makes a grant: a root of the task, or the child of `parent`.
    pub(super) fn make(
        &self,
        parent: Option<GrantId>,
        scope: &Arc<Scope>,
        asked_in: &Context,
    ) -> Result<Grant, Denial> {
        self.make_of(parent, (scope, self.checked_capabilities(scope)?), asked_in, None)
    }

    /// As [`make`](Self::make), of capabilities that have been checked: `scope` says the same for
    /// people and records. Where it is what people agreed to, `taking` is the question, and which of its items.
    pub(super) fn make_of(
        &self,
        parent: Option<GrantId>,
        scope: (&Arc<Scope>, Vec<Capability>),
        asked_in: &Context,
        taking: Option<(&Arc<OpenQuestion>, Items)>,
    ) -> Result<Grant, Denial> {
        let settled = self.enter(parent, scope, taking)?.settle().inspect_err(|_| {
            let _life = self.cell.life.lock();
            taking.iter().for_each(|(open, items)| open.note_taken(*items, false));
        });
        Ok(settled?.hand_out(asked_in))
    }

    /// Decides, and enters the grant, whose record has its place.
    pub(super) fn enter(
        &self,
        parent: Option<GrantId>,
        (scope, mut capabilities): (&Arc<Scope>, Vec<Capability>),
        taking: Option<(&Arc<OpenQuestion>, Items)>,
    ) -> Result<EnteredGrant<'r>, Denial> {
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        shared.attested(holder, now)?;
        let context = self.checked_context()?;
        let id = self.new_id()?;

        let current = shared.current();
        let (scope, respelled) = self.respell(&current, scope, &mut capabilities)?;
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
        let asking = OfferInputs::at_request(self, &current, &life, context, now);
        let asking = OfferInputs { parent, ..asking.recorded(self, respelled) };
        let (proposal, hops, latest) = match parent {
            None => (asking.give_all(&self.parties(), capabilities)?, 0, cell.ceiling),
            Some(parent) => {
                asking.give_child(&self.prove_live(&life, parent)?, holder, &capabilities)?
            }
        };
        let given = match proposal.agreed() {
            Ok(given) => given,
            Err(withheld) => {
                let asked = (&*withheld.capabilities, &*scope);
                return Err(self.park(&current, &mut life, parent, asked, (&withheld, now)));
            }
        };
        let descent = Descent { parent, hops, latest };
        let new = NewGrant::of(self, (&current, &life), id, (scope, given), descent, now)?;
        let (plain, values) = asking.plain_given()?;
        let descent = (parent, new.starts());
        let event = self.event(&current, &new.made, descent, &new.scope, &new.given, plain);
        let place = new.record(&event, values)?;
        taking.iter().for_each(|(open, items)| open.note_taken(*items, true));
        Ok(new.enter(place, current, life))
    }
}
