//! What a task of an earlier life of the broker had spent, as the log tells it.

use std::sync::Arc;

use super::counter::Cost;
use super::counters::Counters;
use crate::clock::Timestamp;
use crate::policy::Limits;

impl Counters {
    /// Counts a call of an earlier life of the broker under a rule's limits of today. `None` where they count what the
    /// log does not say in plain.
    pub(crate) fn recall(
        &mut self,
        rule: &Arc<str>,
        limits: &Limits,
        at: Timestamp,
        given_back: bool,
    ) -> Option<()> {
        // What spans tasks is carried by itself.
        if limits.per_identity || !limits.count_calls() {
            return Some(());
        }
        if !limits.budgets.is_empty() {
            return None;
        }
        let windows = limits.uses_within.map(|(_, window)| (None, window)).into_iter().collect();
        let (rated, lasting) = (limits.rate, limits.uses.is_some());
        let mut cost = Cost { rated, lasting, sums: Vec::new(), windows, noted: Vec::new() };
        let counter = self.of(rule);
        counter.charge(&mut cost, at);
        if given_back {
            counter.give_back(&cost);
        }
        Some(())
    }
}
