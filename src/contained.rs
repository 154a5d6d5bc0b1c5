//! Code of the host, called where a panic must harm neither what was done before nor what comes after.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Calls a hook of the host; a panic ends in it. What the hook is told of stands already.
pub(crate) fn contained(hook: impl FnOnce()) {
    let _ = held(hook);
}

/// What code of the host answers; `None` if it panics.
pub(crate) fn held<T>(call: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            // A payload may panic when it is dropped.
            std::mem::forget(payload);
            None
        }
    }
}

/// Wakes all of them, whatever any of them does: an end is told to each one that waits, and a drop that ends
/// something does not unwind. Called with no lock held.
pub(crate) fn wake_each(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        contained(|| waker.wake());
    }
}
