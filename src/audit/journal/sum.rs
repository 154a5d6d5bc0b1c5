//! A sum of denials: one record that stands for many, where the memory for each would run short.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Body, Event};
use crate::clock::Timestamp;

/// Denials with numbers one after the other, by their reasons.
///
/// Its size is bounded by the number of reasons there are, however many denials it stands for.
pub(super) struct Sum {
    from: u64,
    since: Timestamp,
    last: Timestamp,
    reasons: BTreeMap<Box<str>, u64>,
}

impl Sum {
    /// The sum of one denial.
    pub(super) fn of(seq: u64, at: Timestamp, reason: &str) -> Self {
        let reasons = BTreeMap::from([(reason.into(), 1)]);
        Sum { from: seq, since: at, last: at, reasons }
    }

    /// Adds the denial of the next number.
    pub(super) fn add(&mut self, at: Timestamp, reason: &str) {
        self.since = self.since.min(at);
        self.last = self.last.max(at);
        match self.reasons.get_mut(reason) {
            Some(count) => *count = count.saturating_add(1),
            None => _ = self.reasons.insert(reason.into(), 1),
        }
    }

    /// Its record, where `last` is the number of its last denial. The record of its first stands in
    /// its place if there is no other.
    pub(super) fn body(&self, last: u64, first: &Body) -> Body {
        if last == self.from {
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
