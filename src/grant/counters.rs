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
use super::spanning::Spanning;
use super::stamp::{Charge, Stamp};
use crate::args::Args;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::sync::MutexGuard;
use crate::value::Number;

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

    /// Whether it took of any.
    #[inline]
    pub(crate) fn spans(&self) -> bool {
        self.shared.is_some() || self.charges.iter().any(|charge| charge.spanning.is_some())
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
    use crate::grant::SpanningCounters;
    use crate::policy::Limits;

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
