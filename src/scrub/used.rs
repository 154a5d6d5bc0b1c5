//! The secrets that a task has used.

use std::fmt;
use std::sync::Arc;

use crate::sync::RwLock;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::vault::{Sealed, Secret};

/// The secrets that a task has used, sealed, for as long as its results may hold one. Shared by the task and what its
/// calls gave.
pub(crate) struct UsedSecrets {
    /// Whether there is any: what a result is asked first.
    any: AtomicBool,
    sealed: RwLock<Vec<Arc<Sealed>>>,
    /// Where in memory the one lies that was added last. It stays there: none is taken out.
    last: AtomicUsize,
    /// Which they are can't be told: nothing is shown.
    unknown: bool,
    tell: Box<Told>,
}

type Told = dyn Fn(Found) + Send + Sync;

/// Secrets were found in what a call gave, and taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The call's permit, by its number.
    pub(crate) permit: u64,
    /// Whether that is of what breaking the glass gave.
    pub(crate) break_glass: bool,
    /// What the catalogue calls them, sorted.
    pub(crate) credentials: Vec<Arc<str>>,
    /// The caller, if what it called says that a leak halts it.
    pub(crate) halts: Option<Box<str>>,
}

impl UsedSecrets {
    pub(crate) fn new(tell: impl Fn(Found) + Send + Sync + 'static) -> Self {
        let (any, sealed) = (AtomicBool::new(false), RwLock::default());
        UsedSecrets { any, sealed, last: AtomicUsize::new(0), unknown: false, tell: Box::new(tell) }
    }

    /// Where it can't be told what a task has used: a result may hold any of it.
    pub(crate) fn unknown() -> Self {
        UsedSecrets { any: AtomicBool::new(true), unknown: true, ..Self::new(|_| {}) }
    }

    /// Notes what a call is about to run with.
    pub(crate) fn add<'s>(&self, used: impl IntoIterator<Item = &'s Arc<Sealed>>) {
        used.into_iter().for_each(|one| self.add_one(one));
    }

    fn add_one(&self, one: &Arc<Sealed>) {
        let at = Arc::as_ptr(one).addr();
        // Mostly what the call before ran with.
        if self.last.load(Ordering::Acquire) == at {
            return;
        }
        let mut sealed = self.sealed.write();
        if !sealed.iter().any(|own| Arc::ptr_eq(own, one)) {
            sealed.push(one.clone());
            self.any.store(true, Ordering::SeqCst);
        }
        // It is among them by now, so that no other can come to lie there.
        self.last.store(at, Ordering::Release);
    }

    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::SeqCst)
    }

    /// How many there are: they are only ever added.
    pub(super) fn count(&self) -> usize {
        self.sealed.read().len()
    }

    /// Their names and what they are, in the clear. `None` if one can't be opened.
    pub(super) fn unseal(&self) -> Option<Vec<(Arc<str>, Secret)>> {
        if self.unknown {
            return None;
        }
        let sealed = self.sealed.read();
        sealed.iter().map(|one| Some((one.name().clone(), one.unseal()?))).collect()
    }

    /// Tells the broker. Called with no lock held.
    pub(super) fn tell(&self, found: Found) {
        (self.tell)(found);
    }
}

impl fmt::Debug for UsedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsedSecrets").field("count", &self.count()).finish_non_exhaustive()
    }
}
