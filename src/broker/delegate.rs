//! Delegation: a child grant for another identity.

use std::sync::Arc;

use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::offer::{Offer, OfferInputs, Proposal};
use super::task::Task;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Account, Denial, Explain, Reason};
use crate::grant::{GrantId, Row, Terms};
use crate::identity::Identity;
use crate::meter::Meter;
use crate::policy::Moment;
use crate::scope::{Capability, Scope, beyond};
use crate::task::Liveness;

/// How far a permit that says nothing of depth lets a grant be delegated: one hop, to whom the
/// delegator itself chose.
const DEPTH_UNSAID: u8 = 1;

impl Task {
    /// Gives a part of a grant to another identity: a child grant that ends with its parent at the
    /// latest.
    ///
    /// It needs a permit `on = ["delegate"]` for the parent's holder (and for every holder above),
    /// and a permit for the new holder. On every call of the child all constraints of all its
    /// ancestors are evaluated, whatever was compared here; its calls count against theirs.
    ///
    /// # Errors
    /// A [`Denial`]; [`Reason::NotCovered`] also where the child asks for more than its parent has.
    pub fn delegate(
        &self,
        parent: &Grant,
        holder: &Identity,
        scope: Scope,
        context: &Context,
    ) -> Result<Grant, Denial> {
        let scope = Arc::new(scope);
        let occasion = Occasion::child_of(Some(parent.id));
        GrantRequest::ask(self, occasion, holder, context, &scope, |request| {
            self.check_is_own(parent)?;
            request.make(Some(parent.id), &scope, context)
        })
    }

    pub(super) fn check_is_own(&self, parent: &Grant) -> Result<(), Denial> {
        match parent.cell.generation == self.cell.generation {
            true => Ok(()),
            false => {
                let foreign = Denial::new(Reason::UnknownGrant);
                Err(foreign.because("the parent is of another task"))
            }
        }
    }
}

impl OfferInputs<'_> {
    /// What policy gives to a child of `parent`, how many hops down it is, and when it ends at the
    /// latest.
    pub(super) fn give_child(
        &self,
        parent: &Liveness,
        holder: &Identity,
        capabilities: &[Capability],
    ) -> Result<(Proposal, u8, Timestamp), Denial> {
        let row = self.life.row(parent)?;
        if self.life.is_of_glass(row.id) {
            return Err(Denial::new(Reason::NotCovered)
                .because("what breaking the glass gave is not delegated: it is one person's"));
        }
        let lineage = self.life.lineage(parent);
        let hops = row.hops.checked_add(1).ok_or_else(|| too_deep(u8::MAX))?;
        for capability in capabilities {
            self.meter.settle(within(capability, row, self.meter))?;
        }
        let asking = OfferInputs { parent: Some(row.id), ..*self };
        let delegators: Vec<_> =
            lineage.iter().map(|row| (&row.holder, Moment::Delegate)).collect();
        let delegated = asking.give(&delegators, capabilities)?;
        delegated.offer().reaches(hops, &lineage)?;
        let mut given = asking.give(&[(holder, Moment::Request)], capabilities)?;
        given.narrow_by(delegated);
        let latest = lineage.iter().map(|row| row.expires).fold(self.cell.ceiling, Timestamp::min);
        Ok((given, hops, latest))
    }
}

impl Offer {
    /// Whether what permits the delegators to delegate reaches that number of hops, and so does all that
    /// they hold.
    pub(super) fn reaches(&self, hops: u8, delegators: &[&Row]) -> Result<(), Denial> {
        let stamped = delegators.iter().flat_map(|row| row.stamps()).filter_map(|s| s.limits.depth);
        let most = stamped.fold(self.depth.unwrap_or(DEPTH_UNSAID), u8::min);
        if hops > most { Err(too_deep(most)) } else { Ok(()) }
    }

    /// What the delegators' permits limit, limits the child too.
    pub(super) fn narrow_by(&mut self, other: Offer) {
        self.ttl = self.ttl.min(other.ttl);
        self.terms.idle = [self.terms.idle, other.terms.idle].into_iter().flatten().min();
        for (own, delegated) in self.terms.scope.iter_mut().zip(other.terms.scope) {
            let mut stamps = std::mem::take(&mut own.stamps).into_vec();
            for stamp in delegated.stamps {
                if !stamps.iter().any(|own| own.shares_counter_with(&stamp)) {
                    stamps.push(stamp);
                }
            }
            own.stamps = stamps.into();
        }
        self.rules.extend(other.rules);
        self.approvals.extend(other.approvals);
        self.rules.sort();
        self.rules.dedup();
    }
}

/// An early word to a delegator that asks for more than it has. The calls enforce it in any case.
fn within(capability: &Capability, parent: &Row, meter: &Meter) -> Result<(), Denial> {
    let mut granted = parent.terms.scope.iter().map(|granted| &granted.capability);
    if granted.any(|granted| capability.is_within(granted, meter)) {
        return Ok(());
    }
    let kept =
        Wider { capability: capability.clone(), parent: parent.id, of: parent.terms.clone() };
    Err(Denial::new(Reason::NotCovered).explained_by(kept))
}

/// A part of a scope asked for a child, and the terms of its parent.
struct Wider {
    capability: Capability,
    parent: GrantId,
    of: Arc<Terms>,
}

impl Explain for Wider {
    fn explain(&self) -> Account {
        let Wider { capability, parent, of } = self;
        let meter = Meter::of_question(capability.size());
        let tool = &capability.tool;
        let granted = of.scope.iter().map(|granted| &granted.capability);
        // The one of the parent's parts that it comes nearest to.
        let beyond = granted
            .filter(|granted| granted.tool == *tool)
            .map(|granted| beyond(capability.cover(), granted.cover(), &meter))
            .min_by_key(Vec::len);
        let told = match beyond {
            None => format!("the parent does not name `{tool}`"),
            // What could not be compared any more is told as wider.
            Some(_) if meter.is_spent() => meter.said(),
            Some(beyond) => beyond.join("; "),
        };
        let asked = capability.to_value();
        Account::of(format_args!("`{asked}` does not lie within the parent `{parent}`: {told}"))
    }
}

fn too_deep(most: u8) -> Denial {
    Denial::new(Reason::NotCovered)
        .because(format_args!("it may be delegated {most} hops deep and no deeper"))
}
