//! Lengths of time that every node of a fleet counts by.

use std::time::Duration;

use super::error::FleetError;

/// The shortest and the longest lease: an act may wait for one, and a store that is away is borne for one.
const LEASES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(60));

/// How long leases are, and how much clocks may differ in rate. The same at all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) lease: Duration,
    /// By how many parts in a hundred one node's clock may run faster than another's.
    pub(super) drift: u32,
}

impl Terms {
    /// Two seconds: as long as an outage of the store may go unnoticed by agents, and as an act waits for a dead node.
    /// Ten parts in a hundred: daemons that keep the time slew a clock by eight.
    pub(super) const DEFAULT: Terms = Terms { lease: Duration::from_secs(2), drift: 10 };

    /// # Errors
    /// [`FleetError::Setting`] of what is out of range.
    pub(super) fn check(&self) -> Result<(), FleetError> {
        if self.are_within_limits() {
            return Ok(());
        }
        Err(match (Terms { drift: 10, ..*self }).are_within_limits() {
            false => FleetError::Setting("lease", "200 milliseconds to a minute"),
            true => FleetError::Setting("drift", "1 to 50 parts in a hundred"),
        })
    }

    fn are_within_limits(&self) -> bool {
        (LEASES.0..=LEASES.1).contains(&self.lease) && (1..=50).contains(&self.drift)
    }

    /// After how long on one node's clock no other node can have a lease that was asked for before.
    pub(super) fn surely_over(&self) -> Duration {
        // A millisecond more: wall clocks are read to the millisecond.
        self.lease.saturating_add(self.lease * self.drift / 100) + Duration::from_millis(1)
    }

    /// How long a leave to start a call at another node may be: that node counts it from before it asked.
    pub(super) fn longest_leave(&self) -> Duration {
        self.lease / 2
    }

    /// After how long on the home's clock no call starts any more on a leave of this length.
    pub(super) fn leave_surely_over(&self, leave: Duration) -> Duration {
        leave.saturating_add(leave * self.drift / 100) + Duration::from_millis(1)
    }

    /// When to renew after a renewal: up to a fifth sooner than after a third, so that nodes that were started
    /// together do not ask together.
    pub(super) fn until_renewal(&self, random: u8) -> Duration {
        self.lease / 3 * (1280 - u32::from(random)) / 1280
    }

    /// When to ask again after no answer.
    pub(super) fn until_retry(&self, random: u8) -> Duration {
        self.lease / 24 + self.lease / 24 * u32::from(random) / 256
    }

    /// How often an act looks who has applied it.
    pub(super) fn between_looks(&self) -> Duration {
        self.lease / 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_time_for_two_renewals_more_in_each_lease() {
        for random in [0, 128, 255] {
            let renewal = Terms::DEFAULT.until_renewal(random);
            assert!(renewal * 3 <= Terms::DEFAULT.lease, "{renewal:?}");
            assert!(renewal * 4 > Terms::DEFAULT.lease, "{renewal:?}");
        }
    }

    #[test]
    fn a_lease_and_a_drift_have_limits() {
        let within =
            |lease, drift| Terms { lease: Duration::from_millis(lease), drift }.are_within_limits();
        assert!(within(200, 1) && within(60_000, 50));
        assert!(!within(199, 10) && !within(60_001, 10) && !within(2000, 0) && !within(2000, 51));
        assert_eq!(Terms::DEFAULT.surely_over(), Duration::from_millis(2201));
    }
}
