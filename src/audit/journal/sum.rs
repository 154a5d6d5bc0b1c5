//! A sum of denials: one record that stands for many, where the memory for each would run short.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Body, Event};
use crate::clock::Timestamp;

/// What is added to a sum: one denial, or a number of equal ones.
pub(super) struct Summed<'a> {
    pub(super) count: u64,
    pub(super) since: Timestamp,
    pub(super) last: Timestamp,
    pub(super) reason: &'a str,
}

/// Denials with numbers one after the other, by their reasons.
///
/// Its size is bounded by the number of reasons there are, however many denials it stands for.
pub(super) struct Sum {
    from: u64,
    /// The last number of the record that it begins with.
    first_through: u64,
    since: Timestamp,
    last: Timestamp,
    reasons: BTreeMap<Box<str>, u64>,
}

impl Sum {
    /// The sum of what stands for the numbers from `from` on.
    pub(super) fn of(from: u64, denials: &Summed<'_>) -> Self {
        let Summed { count, since, last, reason } = *denials;
        let first_through = from.saturating_add(count.saturating_sub(1));
        Sum { from, first_through, since, last, reasons: BTreeMap::from([(reason.into(), count)]) }
    }

    /// Adds denials of the next numbers.
    pub(super) fn add(&mut self, denials: &Summed<'_>) {
        let Summed { count, since, last, reason } = *denials;
        self.since = self.since.min(since);
        self.last = self.last.max(last);
        match self.reasons.get_mut(reason) {
            Some(own) => *own = own.saturating_add(count),
            None => _ = self.reasons.insert(reason.into(), count),
        }
    }

    /// Its record, where `last` is the number of its last denial. The record of its first stands in
    /// its place if there is no other.
    pub(super) fn body(&self, last: u64, first: &Body) -> Body {
        if last == self.first_through {
            return first.clone();
        }
        let event = Event::Denials {
            from: self.from,
            since: self.since,
            reasons: self.reasons.iter().map(|(reason, n)| (Cow::from(&**reason), *n)).collect(),
        };
        Body::sum(self.last, self.from, &event)
    }
}
