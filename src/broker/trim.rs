//! Trimming: what is covered of what was asked for, and what was cut.

use std::sync::Arc;

use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::offer::{OfferInputs, Party};
use super::task::Task;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::parts_covered;
use crate::scope::{Algebra, Capability, Difference, Scope};
use crate::tool::ToolName;
use crate::value::Value;

/// What a trimmed request gave of one capability, where that is less than was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The tool.
    pub tool: ToolName,
    /// What was asked for, in the shape in which scopes are written.
    pub asked: Value,
    /// What is given of it: nothing, one part, or several.
    pub given: Vec<Value>,
    /// The arguments of a call that was asked for and is not given, if one could be found.
    pub example: Option<Value>,
}

impl Task {
    /// Asks for a scope and takes what is covered of it: for each capability, the part that lies
    /// within a permit. Says what was cut.
    ///
    /// Asked for explicitly, since an agent that counts on what it asked for should rather be denied.
    ///
    /// # Errors
    /// A [`Denial`] if nothing is left, and as [`request`](Task::request).
    pub fn request_trimmed(
        &self,
        scope: Scope,
        context: &Context,
    ) -> Result<(Grant, Vec<Cut>), Denial> {
        self.request_trimmed_for(&self.cell.requester, scope, context)
    }

    /// As [`request_trimmed`](Task::request_trimmed), for another holder.
    ///
    /// # Errors
    /// As [`request_trimmed`](Task::request_trimmed).
    pub fn request_trimmed_for(
        &self,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<(Grant, Vec<Cut>), Denial> {
        let mut cuts = Vec::new();
        let grant =
            GrantRequest::ask(self, Occasion::REQUEST, holder, context, &scope, |request| {
                let capabilities;
                (capabilities, cuts) = request.trim(&scope)?;
                let kept = Arc::new(scope.with(&capabilities));
                request.make_of(None, (&kept, capabilities), context, None)
            })?;
        Ok((grant, cuts))
    }
}

impl GrantRequest<'_> {
    /// What is covered of a scope now. The request that follows asks again, under its own locks.
    fn trim(&self, scope: &Scope) -> Result<(Vec<Capability>, Vec<Cut>), Denial> {
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        shared.attested(holder, now)?;
        let mut asked = self.checked_capabilities(scope)?;
        let context = self.checked_context()?;
        let current = shared.current();
        current.policy.catalogue.canonical(&mut asked)?;
        let life = cell.life.lock();
        let now = shared.as_of(now);
        let asking = OfferInputs::at_request(self, &current, &life, context, now);
        let parties = self.parties();
        let (mut kept, mut cuts) = (Vec::new(), Vec::new());
        let mut last_denial = Denial::new(Reason::NotCovered);
        for capability in asked {
            match asking.gives_unasked(&parties, &capability) {
                Ok(_) => kept.push(capability),
                Err(denial) => {
                    last_denial = denial;
                    let parts = asking.parts(&parties, &capability);
                    cuts.push(Cut::of(&capability, &parts, &self.meter));
                    kept.extend(parts);
                }
            }
        }
        let by_parts = || last_denial.with_recorded(Arc::new(asking.decided_by_parts()));
        let trimmed = if kept.is_empty() { Err(by_parts()) } else { Ok((kept, cuts)) };
        self.meter.settle(trimmed)
    }
}

impl OfferInputs<'_> {
    /// Whether policy gives a capability without asking people: trimming asks no one.
    fn gives_unasked(&self, parties: &[Party<'_>], capability: &Capability) -> Result<(), Denial> {
        let proposal = self.give(parties, std::slice::from_ref(capability))?;
        proposal.unasked(self.current).map(drop)
    }

    /// The parts of a capability that policy gives to every party.
    pub(super) fn parts(&self, parties: &[Party<'_>], capability: &Capability) -> Vec<Capability> {
        let mut parts = vec![capability.clone()];
        for party in parties {
            let within = |part: &Capability| {
                self.wanted(*party, part, |wanted| parts_covered(&self.current.policy, wanted))
                    .unwrap_or_default()
            };
            parts = parts.iter().flat_map(within).collect();
        }
        // Whatever the parts were made of: only what would be given is kept.
        parts.retain(|part| self.gives_unasked(parties, part).is_ok());
        parts
    }
}

impl Cut {
    fn of(asked: &Capability, parts: &[Capability], meter: &Meter) -> Self {
        let example = match parts {
            [] => None,
            [first, ..] => match asked.difference(first, meter) {
                Difference::Witness(call) => Some(Value::Object(call.args)),
                Difference::Empty | Difference::Undecided => None,
            },
        };
        Cut {
            tool: asked.tool.clone(),
            asked: asked.to_value(),
            given: parts.iter().map(Capability::to_value).collect(),
            example,
        }
    }
}
