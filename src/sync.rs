//! Locks, condition variables and atomics: the one place that names where they come from.
//!
//! Normally they are `parking_lot`'s and the standard library's themselves. Under `cfg(shuttle)`, as
//! the package `interleavings` builds this crate, they are ones that hand over to a scheduler at each
//! step, which then goes through many orders in which threads can meet.

#[cfg(shuttle)]
mod explored;

#[cfg(shuttle)]
pub(crate) use explored::*;
#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard};
#[cfg(not(shuttle))]
pub(crate) use std::thread_local;

#[cfg(not(shuttle))]
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::*;
}

/// For a static. All brokers of a process share it, and under exploration all schedulers, so that none
/// can have it to itself: never exchanged.
pub(crate) mod process_wide {
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
}

/// In how many parts something is kept so that threads rarely meet. Where they shall meet, in one.
pub(crate) const fn parts(usually: usize) -> usize {
    if cfg!(shuttle) { 1 } else { usually }
}
