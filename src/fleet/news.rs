//! Hearing of new entries before the next renewal is due.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::agent::{Agent, Stage};
use crate::membership::Membership;

/// What a [`Store`](super::Store) tells of the number of each new entry; whether anybody is still there to be told.
pub type News = Arc<dyn Fn(u64) -> bool + Send + Sync>;

/// What wakes a node, for as long as it is there.
pub(super) fn news_for(membership: Weak<Membership>) -> News {
    Arc::new(move |number| {
        let membership = membership.upgrade();
        membership.is_some_and(|membership| {
            membership.hear(number);
            true
        })
    })
}

impl Agent {
    /// Renews soon, where an entry is heard of that is not applied: after a random part of the time between two looks, so that
    /// not all nodes ask at once. What is heard within that time is asked for once more, at its end: who can do no more than
    /// tell of entries makes little work.
    pub(super) fn hear(&mut self, number: u64, now: Duration) {
        let between = self.terms.between_looks();
        if number <= self.applied.number || self.stage != Stage::In {
            return;
        }
        if self.heard > now {
            self.due = self.due.min(self.heard);
            return;
        }
        self.heard = now.saturating_add(between);
        let random = self.random_byte();
        self.due = self.due.min(now.saturating_add(between * u32::from(random) / 256));
    }
}
