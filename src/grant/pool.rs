//! A pool: equal things that many tasks hold are kept once.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use super::row::Terms;
use crate::purpose::CheckedPurpose;
use crate::sync::Mutex;

/// Shares equal things for as long as anybody holds one.
pub(crate) struct Pool<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    kept: HashMap<u64, Vec<Weak<T>>, std::hash::RandomState>,
    /// How many were left by the last removal of unused values.
    at_clearing: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { inner: Mutex::new(Inner { kept: HashMap::default(), at_clearing: 0 }) }
    }
}

/// What can be filed: equal things have equal keys.
pub(crate) trait Pooled: Eq {
    fn file(&self, hasher: &mut impl Hasher);
}

impl<T: Pooled> Pool<T> {
    /// The one of the pool that equals this, which goes into it if there is none.
    pub(crate) fn share(&self, thing: T) -> Arc<T> {
        let mut inner = self.inner.lock();
        let mut hasher = std::hash::BuildHasher::build_hasher(inner.kept.hasher());
        thing.file(&mut hasher);
        // Mostly one: room for four would be kept with each scope that is shared with no other.
        let alike = inner.kept.entry(hasher.finish()).or_insert_with(|| Vec::with_capacity(1));
        if let Some(shared) = alike.iter().filter_map(Weak::upgrade).find(|own| **own == thing) {
            return shared;
        }
        let shared = Arc::new(thing);
        alike.retain(|own| own.strong_count() > 0);
        alike.push(Arc::downgrade(&shared));
        inner.clear();
        shared
    }
}

impl<T> Inner<T> {
    /// Removes values without other owners, each time the pool has doubled since the last removal.
    fn clear(&mut self) {
        if self.kept.len() < 64.max(self.at_clearing * 2) {
            return;
        }
        self.kept.retain(|_, alike| alike.iter().any(|own| own.strong_count() > 0));
        self.at_clearing = self.kept.len();
        self.kept.shrink_to(self.at_clearing * 2);
    }
}

impl Pooled for Terms {
    fn file(&self, hasher: &mut impl Hasher) {
        self.idle.hash(hasher);
        for granted in &self.scope {
            granted.capability.tool.hash(hasher);
            for condition in &granted.capability.conditions {
                condition.fact.hash(hasher);
                condition.constraint.hash(hasher);
            }
            for stamp in &granted.stamps {
                stamp.rule.hash(hasher);
                // Or all identities that a rule counts would be looked through for one.
                stamp.spanning.as_ref().map(|spanning| spanning.order()).hash(hasher);
            }
        }
    }
}

impl Pooled for CheckedPurpose {
    fn file(&self, hasher: &mut impl Hasher) {
        self.name().hash(hasher);
        self.ticket().hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{Granted, SpanningCounters, Stamp};
    use crate::policy::Limits;
    use crate::purpose::Purpose;
    use crate::scope::Scope;

    fn why(name: &str) -> CheckedPurpose {
        Purpose::new(name).check().unwrap()
    }

    #[test]
    fn equal_things_are_kept_once_and_others_apart() {
        let pool = Pool::default();
        let one = pool.share(why("reporting"));
        assert!(Arc::ptr_eq(&one, &pool.share(why("reporting"))));
        assert!(!Arc::ptr_eq(&one, &pool.share(why("incident"))));
        let ticket = Purpose::new("reporting").ticket("T-1").check().unwrap();
        assert!(!Arc::ptr_eq(&one, &pool.share(ticket)));
    }

    /// attack 144
    #[test]
    fn what_is_counted_for_one_identity_is_not_looked_for_among_all_others() {
        let (pool, counters) = (Pool::default(), SpanningCounters::new());
        let counted = |n: usize| {
            let spanning = Some(counters.of(&format!("agent-{n}"), &Arc::from("rule")));
            let stamp = Stamp { rule: Arc::from("rule"), limits: Limits::unsaid(), spanning };
            let [capability] = &*Scope::tool("t").capabilities().unwrap() else { panic!() };
            let granted = Granted { capability: capability.clone(), stamps: [stamp].into() };
            Terms { scope: vec![granted], ..Terms::default() }
        };
        let held: Vec<_> = (0..100).map(|n| pool.share(counted(n))).collect();
        assert!(held.iter().enumerate().all(|(n, own)| Arc::ptr_eq(own, &pool.share(counted(n)))));
        assert_eq!(pool.inner.lock().kept.values().map(Vec::len).max(), Some(1));
    }

    #[test]
    fn what_no_one_holds_is_removed() {
        let pool = Pool::default();
        let held = pool.share(why("held"));
        for n in 0..1000 {
            drop(pool.share(why(&format!("p-{n}"))));
        }
        assert!(pool.inner.lock().kept.len() <= 64);
        assert!(Arc::ptr_eq(&held, &pool.share(why("held"))));
    }
}
