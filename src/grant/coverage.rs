//! Where a grant, and each one it was delegated from, covers a call and limits it.

use super::id::GrantId;
use super::row::Row;
use super::rows::Rows;
use super::spanning::SpanningCounters;
use super::stamp::Stamp;
use crate::identity::Identity;
use crate::policy::{Compiled, Deciders, Rule};

/// A grant, and which capability of its scope covers the call.
type InScope = (GrantId, usize);

/// Where the grant, and each grant it was delegated from, covers the call and limits calls: most only
/// say how long they live.
#[derive(Default)]
pub(crate) struct Coverage {
    own: Option<InScope>,
    ancestors: Vec<InScope>,
    /// What the permits that decided limit, where the grant was stamped by none of them.
    unstamped: Vec<Stamp>,
}

impl Coverage {
    /// The grant covers the call at this place of its scope.
    pub(crate) fn by(row: &Row, at: usize) -> Self {
        Coverage { own: limiting(row, at), ..Coverage::default() }
    }

    /// So does one that it was delegated from.
    pub(crate) fn by_ancestor(&mut self, row: &Row, at: usize) {
        self.ancestors.extend(limiting(row, at));
    }

    /// Whether nothing that covers the call limits calls.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.own.is_none() && self.ancestors.is_empty() && self.unstamped.is_empty()
    }

    /// The limits of every capability that covers the call, and of the permits that decided without
    /// being stamped on it.
    pub(crate) fn stamps<'s>(
        &'s self,
        grants: &'s Rows,
    ) -> impl Iterator<Item = &'s Stamp> + Clone + use<'s> {
        let stamped =
            |(id, at): &InScope| grants.get(*id).map_or(&[][..], |row| stamps_on(row, *at));
        self.own.iter().chain(&self.ancestors).flat_map(stamped).chain(&self.unstamped)
    }

    /// Adds the limits of the permits that decided, unless one of them is stamped on the capability
    /// that covers the call: a grant made under one permit and used under another would else be held
    /// to nothing that the other says.
    pub(crate) fn hold_to(
        &mut self,
        deciders: &Deciders,
        policy: &Compiled,
        stamps: &[Stamp],
        caller: &Identity,
        spanning: &SpanningCounters,
    ) {
        let deciders = || deciders.iter().filter_map(|at| policy.rule(*at));
        let stamped = |rule: &Rule| stamps.iter().any(|stamp| stamp.is_of(rule, caller));
        if !deciders().any(stamped) {
            let counting = deciders().filter(|rule| rule.limits.count_calls());
            self.unstamped = counting.map(|rule| Stamp::of(rule, caller, spanning)).collect();
        }
    }
}

impl Coverage {
    /// Has the permits that decided without being stamped on it allow no more calls than this.
    pub(crate) fn cap_uses(&mut self, most: u64) {
        self.unstamped.iter_mut().for_each(|stamp| stamp.cap_uses(most));
    }
}

/// The limits on one capability of a grant.
pub(crate) fn stamps_on(row: &Row, at: usize) -> &[Stamp] {
    row.terms.scope.get(at).map_or(&[], |granted| &granted.stamps)
}

fn limiting(row: &Row, at: usize) -> Option<InScope> {
    stamps_on(row, at).iter().any(|stamp| stamp.limits.count_calls()).then_some((row.id, at))
}
