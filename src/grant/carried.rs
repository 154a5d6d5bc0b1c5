//! Counters that span tasks, as the records of permits tell them: what a broker that goes on with a log begins
//! with, so that a restart gives back nothing that was spent.

use std::collections::BTreeMap;

use super::counter::{Cost, Counter};
use crate::clock::Timestamp;

/// The counters of all identities, by identity and rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CarriedCounters(BTreeMap<(Box<str>, Box<str>), Carried>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Carried {
    counter: Counter,
    /// When it was charged last. Tasks record in an order that need not be that of their times.
    last: Option<Timestamp>,
}

/// What a permit took of one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CarriedCharge {
    pub(crate) who: Box<str>,
    pub(crate) rule: Box<str>,
    pub(crate) cost: Cost,
    /// What never started stays spent.
    pub(crate) kept: bool,
}

impl CarriedCounters {
    /// A call was permitted.
    pub(crate) fn charge(&mut self, charge: &mut CarriedCharge, at: Timestamp) {
        let own = self.0.entry((charge.who.clone(), charge.rule.clone())).or_default();
        // Later than it was, if anything: a window that closes later gives nothing back.
        let at = own.last.map_or(at, |last| last.max(at));
        own.last = Some(at);
        own.counter.charge(&mut charge.cost, at);
    }

    /// The call never started.
    pub(crate) fn refund(&mut self, charge: &CarriedCharge) {
        if charge.kept {
            return;
        }
        if let Some(own) = self.0.get_mut(&(charge.who.clone(), charge.rule.clone())) {
            own.counter.give_back(&charge.cost);
        }
    }

    /// Those that still count at `now`: who, under which rule, and what is spent.
    pub(crate) fn at(&self, now: Timestamp) -> impl Iterator<Item = (&str, &str, &Counter)> {
        let counting = self.0.iter().filter(move |(_, own)| !own.counter.is_past(now));
        counting.map(|((who, rule), own)| (&**who, &**rule, &own.counter))
    }
}
