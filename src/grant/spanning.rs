//! Counters that span tasks: one for each identity and rule.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::counters::Counter;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, parts};

/// How many parts the counters are in, so that requests of different identities rarely meet.
const SHARDS: usize = parts(64);

/// What one identity has spent of one rule, over all its tasks.
///
/// Grants hold it, so a call finds it without a look-up.
pub(crate) struct Spanning {
    /// The order in which locks are taken where a call draws on several: every thread takes the
    /// lower number first, so none waits for another in a circle.
    order: u64,
    /// Whom it counts, by its subject.
    subject: Arc<str>,
    counter: Mutex<Counter>,
}

impl Spanning {
    pub(crate) fn counts(&self, subject: &str) -> bool {
        *self.subject == *subject
    }

    pub(crate) fn order(&self) -> u64 {
        self.order
    }

    /// Always taken within the task's lock, never around it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Counter> {
        self.counter.lock()
    }
}

impl PartialEq for Spanning {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Spanning {}

impl std::fmt::Debug for Spanning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spanning").field("order", &self.order).finish_non_exhaustive()
    }
}

/// The counters of all identities. They outlive tasks and policies: were one forgotten, whoever it
/// counts would start anew.
pub(crate) struct SpanningCounters {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    next: AtomicU64,
}

type Shard = HashMap<Arc<str>, Vec<(Arc<str>, Arc<Spanning>)>>;

impl SpanningCounters {
    pub(crate) fn new() -> Self {
        SpanningCounters {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next: AtomicU64::new(0),
        }
    }

    /// The counter of an identity, by its subject, and a rule.
    pub(crate) fn of(&self, subject: &str, rule: &Arc<str>) -> Arc<Spanning> {
        let new = |subject: Arc<str>| {
            let order = self.next.fetch_add(1, Ordering::Relaxed);
            Arc::new(Spanning { order, subject, counter: Mutex::default() })
        };
        let shard = self.shards.get(self.hasher.hash_one(subject) as usize % SHARDS);
        // There is always a shard; were there none, a counter of its own counts too.
        let Some(mut shard) = shard.map(Mutex::lock) else { return new(subject.into()) };
        let own = shard.get_key_value(subject).map(|(own, _)| own.clone());
        let own = own.unwrap_or_else(|| subject.into());
        let rules = shard.entry(own.clone()).or_default();
        if let Some((_, counter)) = rules.iter().find(|(own, _)| own == rule) {
            return counter.clone();
        }
        let counter = new(own);
        rules.push((rule.clone(), counter.clone()));
        counter
    }
}
