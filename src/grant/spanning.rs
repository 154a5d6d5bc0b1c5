//! Counters that span tasks: one for each identity and rule.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::counter::Counter;
use crate::clock::Timestamp;
use crate::policy::Limits;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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

    /// Whom it counts.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
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

/// The counters of all identities. They outlive tasks and policies: were one forgotten that holds
/// anything, the identity it counts would start anew.
pub(crate) struct SpanningCounters {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    next: AtomicU64,
    /// Which shard is swept next.
    sweeping: AtomicUsize,
}

/// The counters of one identity, by the rule.
type ByRule = Vec<(Arc<str>, Arc<Spanning>)>;

#[derive(Default)]
struct Shard {
    identities: HashMap<Arc<str>, ByRule>,
    /// The identities in the order in which they are swept.
    turns: VecDeque<Arc<str>>,
}

impl SpanningCounters {
    pub(crate) fn new() -> Self {
        SpanningCounters {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next: AtomicU64::new(0),
            sweeping: AtomicUsize::new(0),
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
        let known = shard.identities.get_key_value(subject).map(|(own, _)| own.clone());
        let own = known.unwrap_or_else(|| {
            let own: Arc<str> = subject.into();
            shard.turns.push_back(own.clone());
            own
        });
        let rules = shard.identities.entry(own.clone()).or_default();
        if let Some((_, counter)) = rules.iter().find(|(own, _)| own == rule) {
            return counter.clone();
        }
        let counter = new(own);
        rules.push((rule.clone(), counter.clone()));
        counter
    }

    /// Puts back what an earlier life of the broker had counted.
    pub(crate) fn restore(&self, subject: &str, rule: &str, counter: &Counter) {
        *self.of(subject, &rule.into()).lock() = counter.clone();
    }

    /// Scans up to that many identities round-robin and drops counters that no live grant uses
    /// and that hold nothing: a rate whose window has passed, uses and budget that all came back. Of a rule that there is
    /// today, what it limits is looked at, too.
    pub(crate) fn sweep<'p>(
        &self,
        identities: usize,
        limits: &dyn Fn(&str) -> Option<&'p Limits>,
        now: Timestamp,
    ) {
        for _ in 0..SHARDS.min(identities) {
            let at = self.sweeping.fetch_add(1, Ordering::Relaxed) % SHARDS;
            if let Some(shard) = self.shards.get(at) {
                shard.lock().sweep((identities / SHARDS).max(1), limits, now);
            }
        }
    }

    /// How many identities have counters.
    pub(crate) fn identities(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().identities.len()).sum()
    }

    /// How many counters there are.
    pub(crate) fn len(&self) -> usize {
        let of =
            |shard: &Mutex<Shard>| shard.lock().identities.values().map(Vec::len).sum::<usize>();
        self.shards.iter().map(of).sum()
    }
}

impl Shard {
    fn sweep<'p>(
        &mut self,
        identities: usize,
        limits: &dyn Fn(&str) -> Option<&'p Limits>,
        now: Timestamp,
    ) {
        for _ in 0..identities.min(self.turns.len()) {
            let Some(subject) = self.turns.pop_front() else { return };
            let Some(rules) = self.identities.get_mut(&subject) else { continue };
            // Every other owner got it under this lock, and none can get it now.
            rules.retain(|(rule, counter)| {
                Arc::strong_count(counter) > 1 || !counter.lock().is_past_under(limits(rule), now)
            });
            if rules.is_empty() {
                self.identities.remove(&subject);
            } else {
                self.turns.push_back(subject);
            }
        }
        // Each that goes pays for its own share of the moving.
        if self.identities.len() * 4 < self.identities.capacity() {
            self.identities.shrink_to(self.identities.len() * 2);
            self.turns.shrink_to(self.identities.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_of_a_few_looks_at_all_in_turn_and_gives_memory_back() {
        let (counters, rule) = (SpanningCounters::new(), Arc::from("rule"));
        for n in 0..10_000 {
            counters.of(&format!("agent-{n}"), &rule);
        }
        counters.sweep(2, &|_| None, Timestamp::MIN);
        assert_eq!(counters.len(), 9_998);
        // Held only now: it may have been the first in its turn.
        let held = counters.of("agent-7", &rule);
        for _ in 0..10_000 {
            counters.sweep(2, &|_| None, Timestamp::MIN);
        }
        assert_eq!((counters.len(), counters.identities()), (1, 1));
        let capacity = |shard: &Mutex<Shard>| shard.lock().identities.capacity();
        assert!(counters.shards.iter().map(capacity).max() < Some(16), "memory is given back");
        assert_eq!(counters.of("agent-7", &rule).order(), held.order());
    }
}
