//! When a withdrawal that failed is tried again.

use std::time::Duration;

use crate::random;

/// After the first failure.
pub(super) const FIRST: Duration = Duration::from_secs(1);

/// At the longest: nothing is given up, and whatever a provider asks for, it is asked again within this time.
const LONGEST: Duration = Duration::from_secs(300);

/// How long to wait after this number of failures in a row, no less than the provider asks for: twice as long each time, less up
/// to a quarter of it by chance, so that what failed together is not tried again together.
pub(super) fn wait(failures: u32, least: Duration) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let full = doubled.min(LONGEST).max(least.min(LONGEST));
    let mut byte = [0];
    // Without chance they are tried together.
    let _ = random::fill(&mut byte);
    let chance = Duration::from_millis(
        doubled.min(LONGEST).as_millis() as u64 / 4 * u64::from(byte[0]) / 256,
    );
    full.saturating_sub(chance).max(least.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_five_minutes_and_chance_takes_a_quarter_at_most() {
        for (failures, full) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (1_000_000, 300)] {
            let full = Duration::from_secs(full);
            for _ in 0..32 {
                let wait = wait(failures, Duration::ZERO);
                assert!(wait <= full && wait >= full * 3 / 4, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn a_provider_is_left_alone_for_as_long_as_it_asks_but_never_for_good() {
        let minute = Duration::from_secs(60);
        assert!(wait(1, minute) >= minute);
        assert_eq!(wait(1, Duration::MAX), LONGEST);
    }
}
