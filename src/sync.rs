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

/// As [`parts`], of what a change takes all parts of: in two, so that threads meet it half done.
pub(crate) const fn parts_of_one(usually: usize) -> usize {
    if cfg!(shuttle) { 2 } else { usually }
}

/// How often to look before waiting in earnest. A scheduler that goes through orders has none to waste
/// beyond the first.
pub(crate) const fn looks(usually: usize) -> usize {
    if cfg!(shuttle) { 1 } else { usually }
}

/// Lets other threads go on.
#[cfg(not(shuttle))]
pub(crate) fn yield_now() {
    std::thread::yield_now();
}

/// Until when a thread waits, in time that passes for waiting alone: nothing is decided by it.
#[cfg(not(shuttle))]
pub(crate) struct Deadline(Option<std::time::Instant>);

#[cfg(not(shuttle))]
impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "how long a thread waits, not what time it is")]
    pub(crate) fn after(most: std::time::Duration) -> Self {
        Deadline(std::time::Instant::now().checked_add(most))
    }

    /// What is left; of a deadline past the end of time, a long while.
    #[expect(clippy::disallowed_methods, reason = "how long a thread waits, not what time it is")]
    pub(crate) fn left(&self) -> std::time::Duration {
        match self.0 {
            Some(end) => end.saturating_duration_since(std::time::Instant::now()),
            None => std::time::Duration::from_secs(u64::from(u32::MAX)),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

/// Something that shares no cache line with its neighbours, so that threads which write to it slow
/// down none that write next to it. Two lines, since processors fetch such a pair together.
#[repr(align(128))]
#[derive(Clone, Debug, Default)]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> std::ops::Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A number of this thread's own, small and without gaps, to choose a part by.
#[cfg(not(shuttle))]
pub(crate) fn own_part() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    std::thread_local!(static OWN: usize = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    // A thread that is ending has lost its number; any part will do.
    OWN.try_with(|own| *own).unwrap_or_default()
}
