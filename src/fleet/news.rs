//! Hearing of new entries before the next renewal is due.

use std::sync::{Arc, Weak};

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
