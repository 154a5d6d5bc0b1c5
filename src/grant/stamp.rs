//! Limits as they are stamped on what was granted, and what a call is charged under them.

use std::sync::Arc;
use std::time::Duration;

use super::counter::Cost;
use super::spanning::{Spanning, SpanningCounters};
use crate::identity::Identity;
use crate::policy::{Limits, Rule};

/// Limits that a rule put on a capability when it was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) rule: Arc<str>,
    /// The rule's own, unless they were tightened.
    pub(crate) limits: Arc<Limits>,
    /// The counter of the identity that the rule permitted, if it counts per identity.
    pub(crate) spanning: Option<Arc<Spanning>>,
}

impl Stamp {
    /// What a rule puts on a capability that it permits to `who`.
    pub(crate) fn of(rule: &Rule, who: &Identity, counters: &SpanningCounters) -> Self {
        let spanning = (rule.limits.per_identity && rule.limits.count_calls())
            .then(|| counters.of(who.subject().as_str(), &rule.id));
        Stamp { rule: rule.id.clone(), limits: rule.limits.clone(), spanning }
    }

    /// Has it allow no more calls than this.
    pub(crate) fn cap_uses(&mut self, most: u64) {
        let limits = Arc::make_mut(&mut self.limits);
        limits.uses = Some(limits.uses.map_or(most, |own| own.min(most)));
    }

    /// Whether a rule put this on, and what it counts is counted for `who`.
    pub(crate) fn is_of(&self, rule: &Rule, who: &Identity) -> bool {
        let counts = |spanning: &Arc<Spanning>| spanning.counts(who.subject().as_str());
        // Mostly it is the very same id.
        let same = Arc::ptr_eq(&self.rule, &rule.id) || self.rule == rule.id;
        same && self.spanning.as_ref().is_none_or(counts)
    }

    /// Whether each of its limits is one of `others`, of the same counter, or looser.
    pub(crate) fn is_no_tighter_than(&self, others: &[Stamp]) -> bool {
        let same = others.iter().filter(|other| self.shares_counter_with(other));
        let olds = same.map(|other| &*other.limits);
        // How long something lives is told by its expiry, and idle time by the terms. Whose counter it is
        // was compared; what could not be read was never loaded.
        let Limits { uses, uses_within, rate, budgets, depth, keeps_abandoned, tail, .. } =
            &*self.limits;
        let some = |holds: &dyn Fn(&Limits) -> bool| olds.clone().any(holds);
        uses.is_none_or(|own| some(&|old| old.uses.is_some_and(|old| old <= own)))
            && rate.is_none_or(|own| some(&|old| old.rate.is_some_and(|old| implies(old, own))))
            && uses_within.is_none_or(|own| {
                some(&|old| old.uses_within.is_some_and(|old| implies(old, own)))
            })
            && depth.is_none_or(|own| some(&|old| old.depth.is_some_and(|old| old <= own)))
            // The tightest of all counts, whatever it counts.
            && others.iter().map(|old| old.limits.tail).min().flatten() <= *tail
            && (!keeps_abandoned || some(&|old| old.keeps_abandoned))
            && budgets.iter().all(|own| {
                some(&|old| old.budgets.iter().any(|old| old.implies(own)))
            })
    }

    /// Whether it limits how long something lives, beyond one grant.
    pub(crate) fn limits_time(&self) -> bool {
        self.limits.max_life.is_some() || self.limits.idle.is_some()
    }

    /// Whether both draw on one counter.
    pub(crate) fn shares_counter_with(&self, other: &Stamp) -> bool {
        self.rule == other.rule && self.spanning == other.spanning
    }
}

/// Whether what keeps to one rate keeps to the other: no more calls, in no shorter a window.
pub(crate) fn implies(
    (calls, window): (u64, Duration),
    (others, shorter): (u64, Duration),
) -> bool {
    calls <= others && window >= shorter
}

/// What one call costs, and which counter.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) rule: Arc<str>,
    pub(super) spanning: Option<Arc<Spanning>>,
    pub(super) cost: Cost,
    /// A rule says that what was permitted and never started is spent.
    pub(super) kept: bool,
}

impl Charge {
    /// Adds a charge to those of one call: a counter is charged once for all stamps that draw on it.
    pub(super) fn merge_into(self, charges: &mut Vec<Charge>) {
        let same = |own: &&mut Charge| own.rule == self.rule && own.spanning == self.spanning;
        match charges.iter_mut().find(same) {
            Some(own) => {
                own.cost.add(self.cost);
                own.kept |= self.kept;
            }
            None => charges.push(self),
        }
    }
}
