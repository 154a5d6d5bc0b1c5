//! A counter that the nodes of a fleet share, as one transaction of its store changes it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counter::{Cost, Counter};
use super::limit_check::{charge_of, later};
use super::shared_charge::{ChargeId, Return, SharedCharge, SharedDemand, Use, WaitingReturns};
use super::stamp::Charge;
use crate::args::Args;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};

/// How many charges a counter knows by their ids. Of those before, none is given back, and one that is repeated counts
/// again.
const MOST_KNOWN: usize = 1_024;

/// What one identity has spent of one rule, over all its tasks at all nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct SharedCounter {
    counter: Counter,
    /// The latest time that it has seen: the store's clock may step.
    seen: Timestamp,
    /// The latest charges, in their order, of which it is not known that they were used.
    known: Vec<KnownCharge>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(PartialEq))]
struct KnownCharge {
    id: ChargeId,
    /// Until when it is kept.
    until: Timestamp,
    /// Nothing once it was taken back: should it come after that, it is not counted.
    cost: Option<Cost>,
}

impl SharedCounter {
    /// One that has counted nothing.
    pub(crate) fn new() -> Self {
        SharedCounter { counter: Counter::default(), seen: Timestamp::MIN, known: Vec::new() }
    }

    /// Takes over what the store's clock shows: time only goes on.
    pub(crate) fn pass_to(&mut self, clock: Timestamp) {
        self.seen = self.seen.max(clock);
        let now = self.seen;
        self.known.retain(|own| now < own.until);
    }

    /// Whether it says nothing that a new one does not.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.counter.past_from().is_some_and(|past| past <= self.seen)
    }

    /// From when on it says nothing any more; `None` where it counts for good.
    pub(crate) fn past_from(&self) -> Option<Timestamp> {
        let known = self.known.iter().map(|own| own.until).max();
        self.counter.past_from().map(|past| known.map_or(past, |known| past.max(known)))
    }

    /// Takes over what became of a charge. One that was not used comes back, once; one that the counter does not know is not
    /// counted if it comes after all.
    pub(crate) fn take(&mut self, own: &Return, keep: Duration) {
        let at = self.known.iter().position(|known| known.id == own.id);
        match (own.used, at.and_then(|at| self.known.get_mut(at))) {
            (Use::Started, Some(_)) => self.known.retain(|known| known.id != own.id),
            (Use::Started, None) => {}
            (Use::Never, Some(known)) => {
                if let Some(cost) = known.cost.take() {
                    self.counter.give_back(&cost);
                }
            }
            (Use::Never, None) => self.know(own.id, None, keep),
        }
    }

    fn know(&mut self, id: ChargeId, cost: Option<Cost>, keep: Duration) {
        let until = self.seen.checked_add(keep).unwrap_or(Timestamp::MAX);
        if self.known.len() == MOST_KNOWN {
            self.known.remove(0);
        }
        self.known.push(KnownCharge { id, until, cost });
    }

    /// What a charge took here; nothing if it is not known.
    fn taken_by(&self, id: ChargeId) -> Option<Option<&Cost>> {
        self.known.iter().find(|own| own.id == id).map(|own| own.cost.as_ref())
    }
}

/// What a simulation looks at, and what a faulty store would do.
#[cfg(test)]
impl SharedCounter {
    pub(crate) fn used(&self) -> u64 {
        self.counter.used()
    }

    pub(crate) fn seen(&self) -> Timestamp {
        self.seen
    }

    pub(crate) fn add_use(&mut self) {
        self.counter.charge(&mut Cost::of_nothing(), self.seen);
    }

    pub(crate) fn drop_use(&mut self) {
        self.counter.give_back(&Cost::of_nothing());
    }
}

#[cfg(test)]
impl Cost {
    fn of_nothing() -> Self {
        let (rated, lasting, sums) = (None, false, Vec::new());
        Cost { rated, lasting, sums, windows: Vec::new(), noted: Vec::new() }
    }
}

/// The counters that one call draws on, in one transaction.
pub(crate) struct SharedCounters<'c> {
    pub(crate) demand: &'c SharedDemand,
    /// One for each counter of the demand, in its order.
    pub(crate) counters: Vec<SharedCounter>,
}

impl SharedDemand {
    /// The counters that the call draws on, each once: whom they count, and for which rule.
    pub(crate) fn counters(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = Vec::new();
        for stamp in self.stamps() {
            if let Some(spanning) = &stamp.spanning
                && !all.contains(&(spanning.subject(), &stamp.rule))
            {
                all.push((spanning.subject(), &stamp.rule));
            }
        }
        all
    }
}

impl SharedCounters<'_> {
    /// Whether the call could be charged now. Takes nothing.
    ///
    /// # Errors
    /// The [`Denial`] of the limit that frees last.
    pub(crate) fn probe(&self, args: &Args) -> Result<(), Denial> {
        self.cost(args).map(drop)
    }

    /// Charges the call under every limit, or nothing under any. A charge that was made already, of which the answer was
    /// lost, is the same one.
    ///
    /// # Errors
    /// As [`probe`](Self::probe), and of a charge that was given up meanwhile.
    pub(crate) fn charge(
        &mut self,
        id: ChargeId,
        args: &Args,
        keep: Duration,
        waiting: &Arc<WaitingReturns>,
    ) -> Result<SharedCharge, Denial> {
        let mut charges = match self.counters.iter().any(|own| own.taken_by(id).is_some()) {
            true => return self.charged(id, args, waiting),
            false => self.cost(args)?,
        };
        for charge in &mut charges {
            if let Some(at) = self.place_of(charge)
                && let Some(own) = self.counters.get_mut(at)
            {
                own.counter.charge(&mut charge.cost, own.seen);
                own.know(id, Some(charge.cost.clone()), keep);
            }
        }
        Ok(SharedCharge::new(id, charges, waiting.clone()))
    }

    /// A charge that all counters know.
    fn charged(
        &self,
        id: ChargeId,
        args: &Args,
        waiting: &Arc<WaitingReturns>,
    ) -> Result<SharedCharge, Denial> {
        let unknown = || Denial::new(Reason::LimitUnknown).because("the charge was given up");
        let mut charges: Vec<Charge> = Vec::new();
        for stamp in self.demand.stamps() {
            // What it costs does not hang on what was counted.
            charge_of(&Counter::default(), stamp, args, Timestamp::MIN)?.merge_into(&mut charges);
        }
        for charge in &mut charges {
            let own = self.place_of(charge).and_then(|at| self.counters.get(at));
            let cost = own.and_then(|own| own.taken_by(id)).flatten();
            charge.cost = cost.ok_or_else(unknown)?.clone();
        }
        Ok(SharedCharge::new(id, charges, waiting.clone()))
    }

    /// What the call costs, if every limit leaves room for it.
    fn cost(&self, args: &Args) -> Result<Vec<Charge>, Denial> {
        let (mut charges, mut denied) = (Vec::new(), None);
        for stamp in self.demand.stamps() {
            let name = stamp.spanning.as_ref().map(|own| (own.subject(), &*stamp.rule));
            let Some(own) = name.and_then(|name| self.counter(name)) else {
                return Err(Denial::new(Reason::LimitUnknown).because("a counter is missing"));
            };
            match charge_of(&own.counter, stamp, args, own.seen) {
                Ok(charge) => charge.merge_into(&mut charges),
                Err(denial) => denied = Some(later(denied, denial)),
            }
        }
        denied.map_or(Ok(charges), Err)
    }

    fn counter(&self, name: (&str, &str)) -> Option<&SharedCounter> {
        let at = self.demand.counters().iter().position(|own| *own == name)?;
        self.counters.get(at)
    }

    fn place_of(&self, charge: &Charge) -> Option<usize> {
        let name = (charge.spanning.as_ref()?.subject(), &*charge.rule);
        self.demand.counters().iter().position(|own| *own == name)
    }
}

#[cfg(test)]
mod tests;
