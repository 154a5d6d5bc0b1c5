//! The keys of an issuer as they are now, and where new ones come from.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use hallpass::clock::Timestamp;

use crate::key_set::{Key, KeySet};

/// The keys of an issuer as they are now. Clones are the same keys: a host keeps one, and replaces the set when the issuer rotates.
///
/// ```
/// # use hallpass_identity::{KeySet, KeySetError, Keys};
/// # fn run(first: &str, second: &str) -> Result<(), KeySetError> {
/// let keys = Keys::new(KeySet::from_json(first)?);
/// // A key that is not in the new set verifies nothing any more.
/// keys.replace(KeySet::from_json(second)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    set: RwLock<Arc<KeySet>>,
    fetching: Option<Fetching>,
}

struct Fetching {
    hook: Box<dyn Fn() -> Option<KeySet> + Send + Sync>,
    every: Duration,
    /// When it was asked last.
    last: Mutex<Option<Timestamp>>,
}

impl Keys {
    /// Keys that change when the host replaces them.
    pub fn new(set: KeySet) -> Self {
        Keys(Arc::new(Shared { set: RwLock::new(Arc::new(set)), fetching: None }))
    }

    /// Keys that are asked for anew when a token names one that is not there: `hook` gives the set as it is then, or
    /// nothing. It is called by the thread that verifies, one at a time, and not again before `every` has passed, so that
    /// tokens with names of keys that never were cause no more than that. What it does not give, panics or
    /// takes its time over is a key that is not there.
    pub fn fetched(
        set: KeySet,
        every: Duration,
        hook: impl Fn() -> Option<KeySet> + Send + Sync + 'static,
    ) -> Self {
        let fetching = Fetching { hook: Box::new(hook), every, last: Mutex::new(None) };
        Keys(Arc::new(Shared { set: RwLock::new(Arc::new(set)), fetching: Some(fetching) }))
    }

    /// Replaces the set: keys that are not in the new one verify nothing from then on. A set that is being fetched meanwhile is
    /// not taken.
    pub fn replace(&self, set: KeySet) {
        *self.0.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }

    pub(crate) fn find(&self, kid: Option<&str>, now: Timestamp) -> Option<Key> {
        self.look_up(kid).or_else(|| {
            self.fetch(now);
            self.look_up(kid)
        })
    }

    fn look_up(&self, kid: Option<&str>) -> Option<Key> {
        self.now().find(kid).cloned()
    }

    fn now(&self) -> Arc<KeySet> {
        self.0.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fetch(&self, now: Timestamp) {
        let Some(fetching) = &self.0.fetching else { return };
        // Another thread that asks is not waited for.
        let mut last = match fetching.last.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        // A clock that was set back counts as no time at all.
        if last.is_some_and(|last| now.since(last) < fetching.every) {
            return;
        }
        *last = Some(now);
        let before = self.now();
        let fetched = catch_unwind(AssertUnwindSafe(|| (fetching.hook)()));
        let mut set = self.0.set.write().unwrap_or_else(PoisonError::into_inner);
        // What the host has put there meanwhile is newer, and stays.
        if let Ok(Some(fetched)) = fetched
            && Arc::ptr_eq(&set, &before)
        {
            *set = Arc::new(fetched);
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
