//! Counters: what a task, or an identity over all its tasks, has spent of its limits.
//!
//! A counter belongs to a rule within a task, so every grant and delegate of the task draws on the
//! same one, and asking again resets nothing. A rule with `per = "identity"` has one for each
//! identity it permits instead, whatever the task.

use std::sync::Arc;
use std::time::Duration;

use super::counter::{Cost, Counter};
use super::limit_check::{charge_of, later};
use super::shared_charge::SharedCharge;
use super::spanning::{Spanning, SpanningCounters};
use crate::args::Args;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::policy::{Limits, Rule};
use crate::sync::MutexGuard;
use crate::value::Number;

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

/// What a task has spent, rule by rule.
#[derive(Debug, Default)]
pub(crate) struct Counters(Vec<(Arc<str>, Counter)>);

/// What one call has reserved, to be given back if its tool never starts.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    charges: Vec<Charge>,
    /// What it was charged in counters that the nodes of a fleet share.
    shared: Option<Arc<SharedCharge>>,
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

impl Reservation {
    /// What it took of counters that span tasks.
    pub(crate) fn spanning(&self) -> impl Iterator<Item = SpanningCharge<'_>> {
        let shared = self.shared.iter().flat_map(|own| own.charges());
        self.charges.iter().chain(shared).filter_map(|charge| {
            let spanning = charge.spanning.as_ref()?;
            let (who, rule) = (spanning.subject(), &*charge.rule);
            Some(SpanningCharge { who, rule, cost: &charge.cost, kept: charge.kept })
        })
    }

    /// Adds what the call was charged in shared counters.
    pub(crate) fn with_shared(self, shared: Arc<SharedCharge>) -> Self {
        Reservation { shared: Some(shared), ..self }
    }

    /// Notes that the tool has started: nothing comes back any more.
    pub(crate) fn settle(&self) {
        self.shared.iter().for_each(|own| own.settle());
    }
}

/// What a call took of one counter that spans tasks.
pub(crate) struct SpanningCharge<'r> {
    pub(crate) who: &'r str,
    pub(crate) rule: &'r str,
    pub(crate) cost: &'r Cost,
    /// What never started stays spent.
    pub(crate) kept: bool,
}

impl Counters {
    /// Reserves one call under every stamp, or nothing under any. Several stamps of one counter (of
    /// a grant and of those it was delegated from) are checked each and charged once.
    pub(crate) fn reserve<'s>(
        &mut self,
        stamps: impl Iterator<Item = &'s Stamp> + Clone,
        args: &Args,
        now: Timestamp,
    ) -> Result<Reservation, Denial> {
        let mut purse = Purse::open(self, stamps.clone());
        let mut charges: Vec<Charge> = Vec::new();
        let mut denied = None;
        for stamp in stamps.filter(|stamp| stamp.limits.count_calls()) {
            let counter = purse.counter(&stamp.rule, stamp.spanning.as_ref());
            match charge_of(counter, stamp, args, now) {
                Ok(charge) => charge.merge_into(&mut charges),
                Err(denial) => denied = Some(later(denied, denial)),
            }
        }
        if let Some(denial) = denied {
            return Err(denial);
        }
        for Charge { rule, spanning, cost, .. } in &mut charges {
            purse.counter(rule, spanning.as_ref()).charge(cost, now);
        }
        Ok(Reservation { charges, shared: None })
    }

    /// Whether one call could be reserved now.
    pub(crate) fn probe<'s>(
        &mut self,
        stamps: impl Iterator<Item = &'s Stamp> + Clone,
        args: &Args,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let mut purse = Purse::open(self, stamps.clone());
        let denied = stamps.filter(|stamp| stamp.limits.count_calls()).filter_map(|stamp| {
            let counter = purse.counter(&stamp.rule, stamp.spanning.as_ref());
            charge_of(counter, stamp, args, now).err()
        });
        match denied.fold(None, |before, denial| Some(later(before, denial))) {
            Some(denial) => Err(denial),
            None => Ok(()),
        }
    }

    /// Whether a call could be made as far as uses and rate go; the arguments are still open.
    pub(crate) fn has_calls_left(&mut self, stamp: &Stamp, now: Timestamp) -> bool {
        let mut purse = Purse::open(self, std::iter::once(stamp));
        let counter = purse.counter(&stamp.rule, stamp.spanning.as_ref());
        let uses = stamp.limits.uses.is_none_or(|uses| counter.used() < uses)
            && stamp.limits.uses_within.is_none_or(|(uses, window)| {
                let one = (None, Number::from(1));
                counter.is_free_in(one, (uses.into(), window), now) == Some(Duration::ZERO)
            });
        uses && stamp.limits.rate.is_none_or(|rate| counter.rate_allows(rate, now))
    }

    /// Gives back uses and budget of a call whose tool never started, but where a rule keeps them. A
    /// rate is not given back: it limits attempts.
    pub(crate) fn refund(&mut self, reservation: &Reservation) {
        self.give_back(reservation.charges.iter().filter(|charge| !charge.kept));
        reservation.shared.iter().for_each(|own| own.refund());
    }

    /// Gives back uses and budget of a call that was not permitted after all.
    pub(crate) fn undo(&mut self, reservation: &Reservation) {
        self.give_back(reservation.charges.iter());
        reservation.shared.iter().for_each(|own| own.undo());
    }

    fn give_back<'c>(&mut self, charges: impl Iterator<Item = &'c Charge>) {
        for charge in charges {
            match &charge.spanning {
                Some(spanning) => spanning.lock().give_back(&charge.cost),
                None => self.of(&charge.rule).give_back(&charge.cost),
            }
        }
    }

    pub(super) fn of(&mut self, rule: &Arc<str>) -> &mut Counter {
        let at = self.0.iter().position(|(own, _)| own == rule).unwrap_or_else(|| {
            // Most tasks draw on one rule.
            self.0.reserve_exact(1);
            self.0.push((rule.clone(), Counter::default()));
            self.0.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "`at` was found or pushed just above")]
        &mut self.0[at].1
    }
}

/// The counters that one call draws on: the task's, and those of identities, held until all of them
/// have been checked and charged.
///
/// Lock order: the task's lock, then the counters of identities in their own order, then nothing.
struct Purse<'p> {
    own: &'p mut Counters,
    held: Vec<(&'p Arc<Spanning>, MutexGuard<'p, Counter>)>,
}

impl<'p> Purse<'p> {
    fn open<'s: 'p>(own: &'p mut Counters, stamps: impl Iterator<Item = &'s Stamp>) -> Self {
        let mut wanted: Vec<&Arc<Spanning>> =
            stamps.filter_map(|stamp| stamp.spanning.as_ref()).collect();
        wanted.sort_by_key(|spanning| spanning.order());
        wanted.dedup();
        Purse { own, held: wanted.into_iter().map(|one| (one, one.lock())).collect() }
    }

    fn counter(&mut self, rule: &Arc<str>, spanning: Option<&Arc<Spanning>>) -> &mut Counter {
        let held = self.held.iter_mut().find(|(own, _)| Some(*own) == spanning);
        match held {
            Some((_, counter)) => counter,
            None => self.own.of(rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_identities_are_locked_each_once_and_in_one_order() {
        let (counters, rule) = (SpanningCounters::new(), Arc::from("rule"));
        let stamp = |subject| Stamp {
            rule: Arc::clone(&rule),
            limits: Limits::unsaid(),
            spanning: Some(counters.of(subject, &rule)),
        };
        let (first, second) = (stamp("ada"), stamp("bob"));
        for stamps in [[&first, &second, &first], [&second, &first, &second]] {
            let mut own = Counters::default();
            let purse = Purse::open(&mut own, stamps.into_iter());
            let orders: Vec<u64> = purse.held.iter().map(|(one, _)| one.order()).collect();
            assert_eq!(orders, [0, 1]);
        }
    }
}
