//! The facade over `shuttle`, in the shape that `parking_lot` gives it.
//!
//! Locks here are never poisoned, as theirs are not. All atomics behave as if every order were
//! `SeqCst`, so what follows from weaker ones is not explored.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Duration;

use shuttle::rand::Rng as _;
use shuttle::sync;

pub(crate) use shuttle::sync::{RwLockReadGuard, RwLockWriteGuard, atomic};
pub(crate) use shuttle::thread::yield_now;
pub(crate) use shuttle::thread_local;

/// A number of this thread's own, among those of its execution.
pub(crate) fn own_part() -> usize {
    shuttle::thread::current().id().into()
}

#[derive(Default)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

/// Empty only while its thread waits at a [`Condvar`].
pub(crate) struct MutexGuard<'a, T>(Option<sync::MutexGuard<'a, T>>);

#[derive(Default)]
pub(crate) struct RwLock<T>(sync::RwLock<T>);

#[derive(Default)]
pub(crate) struct Condvar(sync::Condvar);

/// No time passes here: the schedule says when a wait ends. One for this long or longer never ends by
/// itself, so that a wake-up that is missed is found as a deadlock.
const ENDLESS: Duration = Duration::from_secs(2);

/// Whether the time of a wait is up.
fn is_up(most: Duration) -> bool {
    most.is_zero() || (most < ENDLESS && shuttle::rand::thread_rng().gen_bool(0.5))
}

/// Until when a thread waits.
pub(crate) struct Deadline(Duration);

impl Deadline {
    pub(crate) fn after(most: Duration) -> Self {
        Deadline(most)
    }

    pub(crate) fn left(&self) -> Duration {
        self.0
    }

    pub(crate) fn is_over(&self) -> bool {
        is_up(self.0)
    }
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.try_lock().is_none()
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(Some(guard))),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => {
                Some(MutexGuard(Some(poisoned.into_inner())))
            }
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }
}

impl<T> RwLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        RwLock(sync::RwLock::new(value))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Condvar(sync::Condvar::new())
    }

    /// Waits while the condition holds. The schedule chooses before each wait whether the time is up.
    pub(crate) fn wait_while_for<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        most: Duration,
    ) {
        while condition(guard) {
            if is_up(most) {
                return;
            }
            guard.0 = guard
                .0
                .take()
                .map(|held| self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Waits until it is woken, or the schedule says that the time is up.
    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, most: Duration) {
        if !is_up(most) {
            guard.0 = guard
                .0
                .take()
                .map(|held| self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

#[expect(clippy::unreachable, reason = "empty only within waits, which have it alone")]
impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(guard) => guard,
            None => unreachable!("the lock was let go of"),
        }
    }
}

#[expect(clippy::unreachable, reason = "as above")]
impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(guard) => guard,
            None => unreachable!("the lock was let go of"),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
