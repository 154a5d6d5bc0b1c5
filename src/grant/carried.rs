//! Counters that span tasks, as the records of permits tell them: what a broker that goes on with a log begins
//! with, so that a restart gives back nothing that was spent.

use std::collections::BTreeMap;

use super::counter::{Cost, Counter};
use crate::clock::Timestamp;
use crate::identity::Fold;

/// The counters of all identities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CarriedCounters {
    spelled: ByName,
    /// As a policy counts that folds names, from the first charge on that this makes a difference to: which policy goes
    /// on with the log is not known while it is read.
    folded: Option<ByName>,
}

/// By identity and rule.
type ByName = BTreeMap<(Box<str>, Box<str>), Carried>;

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
    /// The cost as the counter of the folded name has noted it, where that is another.
    pub(crate) folded: Option<Box<Cost>>,
}

impl CarriedCounters {
    /// A call was permitted.
    pub(crate) fn charge(&mut self, charge: &mut CarriedCharge, at: Timestamp) {
        let CarriedCharge { who, rule, cost, folded, .. } = charge;
        let name = Fold::Ascii.name(who);
        if self.folded.is_none() && *name != **who {
            // Until now, all names were folded.
            self.folded = Some(self.spelled.clone());
        }
        if let Some(own) = &mut self.folded {
            let cost = folded.insert(Box::new(cost.clone()));
            own.entry((name.into(), rule.clone())).or_default().charge(cost, at);
        }
        self.spelled.entry((who.clone(), rule.clone())).or_default().charge(cost, at);
    }

    /// The call never started.
    pub(crate) fn refund(&mut self, charge: &CarriedCharge) {
        let CarriedCharge { who, rule, cost, kept, folded } = charge;
        if *kept {
            return;
        }
        if let Some(own) = self.spelled.get_mut(&(who.clone(), rule.clone())) {
            own.counter.give_back(cost);
        }
        let key = || (Fold::Ascii.name(who).into(), rule.clone());
        if let Some(own) = self.folded.as_mut().and_then(|own| own.get_mut(&key())) {
            own.counter.give_back(folded.as_deref().unwrap_or(cost));
        }
    }

    /// All of them, as a policy counts that folds names so: who, under which rule, and what is spent.
    pub(crate) fn all(&self, fold: Fold) -> impl Iterator<Item = (&str, &str, &Counter)> {
        let all = match (fold, &self.folded) {
            (Fold::Ascii, Some(folded)) => folded,
            (Fold::Ascii, None) | (Fold::None, _) => &self.spelled,
        };
        all.iter().map(|((who, rule), own)| (&**who, &**rule, &own.counter))
    }
}

impl Carried {
    fn charge(&mut self, cost: &mut Cost, at: Timestamp) {
        // Later than it was, if anything: a window that closes later gives nothing back.
        let at = self.last.map_or(at, |last| last.max(at));
        self.last = Some(at);
        self.counter.charge(cost, at);
    }
}
