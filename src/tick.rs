//! The monotonic clock as a number.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Nanoseconds since this process first asked.
///
/// A call reads the clock three times, and each reading is compared with three that were read before: as numbers
/// that takes 180 instructions less for a call than as [`Instant`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick(u64);

/// Where the standard library panics instead of reading a clock.
const NO_CLOCK: bool = cfg!(all(target_arch = "wasm32", target_os = "unknown"));

impl Tick {
    /// The present one, where the system has a clock.
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub(crate) fn now() -> Option<Self> {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        if NO_CLOCK {
            return None;
        }
        let now = Instant::now();
        let since = now.saturating_duration_since(*FIRST.get_or_init(|| now));
        // 584 years of nanoseconds fit; after them the clock stands still.
        let seconds = since.as_secs().saturating_mul(1_000_000_000);
        Some(Tick(seconds.saturating_add(since.subsec_nanos().into())))
    }

    /// How long before this one the other was; `None` if it came after.
    #[inline]
    pub(crate) fn since(self, before: Tick) -> Option<Nanos> {
        self.0.checked_sub(before.0).map(Nanos)
    }

    #[cfg(test)]
    pub(crate) fn later(self, nanos: u64) -> Self {
        Tick(self.0 + nanos)
    }

    #[cfg(test)]
    pub(crate) fn of(nanos: u64) -> Self {
        Tick(nanos)
    }
}

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanos(u64);

impl Nanos {
    pub(crate) const fn of_micros(micros: u64) -> Self {
        Nanos(micros * 1000)
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) const fn duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_go_back_and_tell_how_long_it_took() {
        let ticks: Vec<_> = (0..1000).map(|_| Tick::now().unwrap()).collect();
        assert!(ticks.windows(2).all(|two| two[1].since(two[0]).is_some()));
        assert_eq!(Tick::of(7).since(Tick::of(3)).unwrap().duration(), Duration::from_nanos(4));
        assert_eq!(Tick::of(3).since(Tick::of(3)), Some(Nanos::default()));
        assert_eq!(Tick::of(3).since(Tick::of(7)), None);
    }
}
