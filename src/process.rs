//! The process that something was made in, and whether this is still it.
//!
//! The child of a `fork` has a copy of all memory and only the thread that forked. What gives out numbers,
//! nonces and permits gives the same ones twice there, and a lock that another thread held is never let go.
//! So what belongs to one process asks first, with no lock held, and does nothing in another.

use std::cell::Cell;

use crate::sync;
use crate::tick::{Nanos, Tick};

/// For how long a thread relies on what it was told: asking takes a system call. The thread that goes on in a
/// child was inside `fork` itself, which copies the tables of a whole process and takes at least twice as long (38
/// microseconds for a static program of two pages, the least of 5,000), so whatever it was told before is too old after it.
const RELIED_ON: Nanos = Nanos::of_micros(20);

sync::thread_local! {
    /// When this thread last asked for the number of its process, and what that was.
    static ASKED: Cell<Option<(Tick, u32)>> = const { Cell::new(None) };
}

/// The process that something was made in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HomeProcess(u32);

impl HomeProcess {
    /// This process.
    pub(crate) fn current() -> Self {
        HomeProcess(id())
    }

    /// Whether this process is still the one, as of a tick that was read just before, if there is a clock.
    #[inline]
    pub(crate) fn is_current(self, at: Option<Tick>) -> bool {
        let Some(at) = at else { return self.is_current_for_sure() };
        ASKED.with(|asked| {
            if let Some((before, id)) = asked.get()
                && at.since(before).is_some_and(is_relied_on)
            {
                return id == self.0;
            }
            let id = id();
            asked.set(Some((at, id)));
            id == self.0
        })
    }

    /// Asks in any case.
    pub(crate) fn is_current_for_sure(self) -> bool {
        id() == self.0
    }
}

/// A clock that stands still says nothing of what happened meanwhile.
#[inline]
fn is_relied_on(age: Nanos) -> bool {
    !age.is_zero() && age < RELIED_ON
}

/// The number of this process. Not needed where processes cannot fork.
fn id() -> u32 {
    if cfg!(unix) { std::process::id() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_was_told_is_relied_on_for_less_time_than_a_fork_takes() {
        let (own, other) = (HomeProcess::current(), HomeProcess(0));
        let start = Tick::of(5_000_000);
        let later = |micros: u64| Some(Tick::of(5_000_000 + 1000 * micros));
        assert!(own.is_current(Some(start)) && !other.is_current(Some(start)));
        // As a child finds it: what its parent was told is there.
        let told = |micros| {
            ASKED.set(Some((start, 0)));
            other.is_current(later(micros))
        };
        assert!(told(1) && told(19), "relied on");
        assert!(!told(20) && !told(1_000_000), "asked again");
        assert!(!told(0), "a clock that stands still");
        ASKED.set(Some((Tick::of(6_000_000), 0)));
        assert!(!other.is_current(Some(start)), "a clock that went back");
        ASKED.set(Some((start, 0)));
        assert!(!other.is_current(None) && !other.is_current_for_sure(), "no clock");
    }
}
