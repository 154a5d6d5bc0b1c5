//! The lease of a node: until when it may give access without asking its fleet again.

use std::time::Duration;

use crate::clock::{Reading, Timestamp};
use crate::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// A node's lease, as every decision and every start reads it: three loads, and no lock.
///
/// It is counted from a reading that was made *before* the renewal was asked for, on both clocks: it is good while
/// less than its length has passed on either, and the wall clock is not behind that reading. A machine that slept
/// shows on the wall clock, a wall clock that was set back on itself, and one that was set ahead ends the lease early.
pub(crate) struct NodeLease {
    length: Duration,
    /// When it ends on the monotonic clock, in nanoseconds; zero where there is none.
    until: AtomicU64,
    /// What the wall clock showed when the renewal was about to be asked for, in milliseconds.
    asked: AtomicI64,
    /// There is none any more, whatever is promised: the node has left.
    is_closed: AtomicBool,
}

impl NodeLease {
    /// No lease, and how long each will be.
    pub(crate) fn new(length: Duration) -> Self {
        NodeLease {
            length,
            until: AtomicU64::new(0),
            asked: AtomicI64::new(i64::MIN),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Whether there is a lease that is good at this reading.
    #[inline]
    pub(crate) fn is_good(&self, at: &Reading) -> bool {
        // In this order, and written in the other: who sees the end of one lease sees the asking of that one, or of a
        // later one, whose window holds all that is left of the earlier.
        let until = self.until.load(Ordering::SeqCst);
        if nanoseconds(at.monotonic) >= until || self.is_closed.load(Ordering::SeqCst) {
            return false;
        }
        let passed = at.wall.unix_millis().checked_sub(self.asked.load(Ordering::SeqCst));
        let passed = passed.and_then(|passed| u64::try_from(passed).ok());
        passed.is_some_and(|passed| Duration::from_millis(passed) < self.length)
    }

    /// Extends it, counted from a reading that was made before the store was asked. A later renewal was asked for
    /// later: there is one thread at a time that asks.
    pub(crate) fn extend(&self, asked: &Reading) {
        self.asked.store(asked.wall.unix_millis(), Ordering::SeqCst);
        let until = nanoseconds(asked.monotonic.saturating_add(self.length));
        self.until.store(until, Ordering::SeqCst);
    }

    /// Ends it for good: a renewal that is under way gives none.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// Ends it, whatever was promised, until the next renewal.
    pub(crate) fn end(&self) {
        self.until.store(0, Ordering::SeqCst);
    }

    /// For how long it is good after this reading, if nothing steps.
    pub(crate) fn left(&self, at: &Reading) -> Option<Duration> {
        let until = Duration::from_nanos(self.until.load(Ordering::SeqCst));
        let asked = Timestamp::from_unix_millis(self.asked.load(Ordering::SeqCst))?;
        let on_wall = self.length.saturating_sub(at.wall.since(asked));
        self.is_good(at).then(|| until.saturating_sub(at.monotonic).min(on_wall))
    }
}

/// Past the end of what can be counted, 584 years, everything is the same instant, at which no lease is good.
fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(2);

    fn at(wall: i64, monotonic: u64) -> Reading {
        let wall = Timestamp::from_unix_millis(1_000_000 + wall).unwrap();
        Reading { wall, monotonic: Duration::from_millis(5_000 + monotonic) }
    }

    fn asked_at_zero() -> NodeLease {
        let lease = NodeLease::new(LENGTH);
        lease.extend(&at(0, 0));
        lease
    }

    #[test]
    fn there_is_no_lease_before_the_first_renewal_and_after_its_end() {
        let lease = NodeLease::new(LENGTH);
        assert!(!lease.is_good(&at(0, 0)));
        lease.extend(&at(0, 0));
        assert!(lease.is_good(&at(0, 0)));
        lease.end();
        assert!(!lease.is_good(&at(0, 0)) && lease.left(&at(0, 0)).is_none());
        lease.extend(&at(1, 1));
        assert!(lease.is_good(&at(1, 1)), "the next renewal gives another");
        lease.close();
        lease.extend(&at(2, 2));
        assert!(!lease.is_good(&at(2, 2)), "for good");
    }

    #[test]
    fn a_lease_is_good_for_less_than_its_length_on_both_clocks() {
        let lease = asked_at_zero();
        assert!(lease.is_good(&at(1999, 1999)));
        assert!(!lease.is_good(&at(1999, 2000)), "past it on the monotonic clock");
        assert!(!lease.is_good(&at(2000, 1999)), "past it on the wall clock");
    }

    #[test]
    fn a_machine_that_slept_or_whose_wall_clock_stepped_has_none() {
        let lease = asked_at_zero();
        assert!(!lease.is_good(&at(60_000, 10)), "it slept");
        assert!(!lease.is_good(&at(-1, 10)), "the wall clock is behind the asking");
        assert!(lease.is_good(&at(0, 10)));
    }

    #[test]
    fn the_end_of_time_is_past_every_lease() {
        let lease = NodeLease::new(LENGTH);
        let last = Reading { wall: Timestamp::MAX, monotonic: Duration::MAX };
        lease.extend(&last);
        assert!(!lease.is_good(&last));
    }
}
