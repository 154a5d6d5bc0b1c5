//! What the broker calls *now*.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Clock, ClockError, Reading, SystemClock, Timestamp};
use crate::process::HomeProcess;
use crate::sync::atomic::{AtomicI64, Ordering};
use crate::tick::Tick;

/// The only reader of a [`Clock`]: turns its readings into a *now* that never steps back.
///
/// now = max(high-water mark, wall, anchor + monotonic). The anchor is the first reading. A wall
/// clock set far ahead by mistake therefore ends everything live and stays ahead until the process
/// restarts: doubt denies.
///
/// It tells the time in one process: the child of a fork gets none, whatever its clock says.
pub(crate) struct Timekeeper {
    source: ClockSource,
    home: HomeProcess,
    anchor: Reading,
    high_water: AtomicI64,
}

/// Where the time comes from.
#[derive(Clone)]
pub(crate) enum ClockSource {
    System(SystemClock),
    Host(Arc<dyn Clock>),
}

/// Why there is no time to judge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoTime {
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// This process is a child of the one that the time is told in.
    #[error(
        "the broker was built in the process that this one was forked from: build another here"
    )]
    Forked,
}

impl Timekeeper {
    /// Reads the clock for the first time.
    ///
    /// # Errors
    ///
    /// When it cannot be read: there is no broker without time.
    pub(crate) fn new(source: ClockSource) -> Result<Self, ClockError> {
        let (anchor, _) = source.read();
        let anchor = anchor?;
        let high_water = AtomicI64::new(anchor.wall.unix_millis());
        Ok(Self { source, home: HomeProcess::current(), anchor, high_water })
    }

    /// Reads the clock; once per decision.
    ///
    /// # Errors
    ///
    /// When the clock fails or panics, when its monotonic time lies before the anchor's, and after
    /// the year 9999; and in the child of a fork.
    #[inline]
    pub(crate) fn now(&self) -> Result<Timestamp, NoTime> {
        self.read().map(|(now, _)| now)
    }

    /// The time, and the reading that told it: what was promised for a length of time is counted on the clocks
    /// themselves, since *now* holds its high-water mark.
    ///
    /// # Errors
    /// As [`now`](Self::now).
    #[inline]
    pub(crate) fn read(&self) -> Result<(Timestamp, Reading), NoTime> {
        // A clock of the host's may take a lock, which another thread of the parent held when it forked.
        if matches!(self.source, ClockSource::Host(_)) && self.is_forked() {
            return Err(NoTime::Forked);
        }
        let (reading, at) = self.source.read();
        // After the reading, too, since a clock of the host's is foreign code.
        if !self.home.is_current(at) {
            return Err(NoTime::Forked);
        }
        let reading = reading?;
        let elapsed =
            reading.monotonic.checked_sub(self.anchor.monotonic).ok_or(ClockError::Backwards)?;
        let counted = self.anchor.wall.checked_add(elapsed).ok_or(ClockError::OutOfRange)?;
        let latest = reading.wall.max(counted).unix_millis();
        let mut before = self.high_water.load(Ordering::Acquire);
        // Written only when it rises, once a millisecond at most, so that threads share it unharmed.
        if latest > before {
            before = self.high_water.fetch_max(latest, Ordering::AcqRel);
        }
        let now = Timestamp::from_unix_millis(latest.max(before)).ok_or(ClockError::OutOfRange)?;
        Ok((now, reading))
    }

    /// Whether this process is a child of the one that the time is told in: for what needs no time.
    pub(crate) fn is_forked(&self) -> bool {
        !self.home.is_current(Tick::now())
    }

    /// The latest *now* so far, without reading the clock: what an end is dated with when the clock
    /// cannot be read. Nothing is decided by it.
    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.high_water.load(Ordering::Acquire))
            .unwrap_or(self.anchor.wall)
    }
}

impl fmt::Debug for Timekeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timekeeper").field("latest", &self.latest()).finish_non_exhaustive()
    }
}

impl ClockSource {
    /// A reading, and the tick after it: none where the system has no clock.
    #[inline]
    fn read(&self) -> (Result<Reading, ClockError>, Option<Tick>) {
        match self {
            ClockSource::System(clock) => match clock.read_at() {
                Ok((reading, at)) => (Ok(reading), Some(at)),
                Err(error) => (Err(error), Tick::now()),
            },
            ClockSource::Host(clock) => (read(&**clock), Tick::now()),
        }
    }
}

fn read(clock: &dyn Clock) -> Result<Reading, ClockError> {
    // Unwind safety: nothing of ours is half-changed while the clock runs.
    catch_unwind(AssertUnwindSafe(|| clock.read())).unwrap_or_else(|payload| {
        // A payload may panic when it is dropped.
        std::mem::forget(payload);
        Err(ClockError::Panicked)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use crate::sync::Mutex;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::ManualClock;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn start() -> Timestamp {
        Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap()
    }

    fn keeper() -> (ManualClock, Timekeeper) {
        let clock = ManualClock::new(start());
        let keeper = Timekeeper::new(ClockSource::Host(Arc::new(clock.clone()))).unwrap();
        (clock, keeper)
    }

    /// attack 81, in part: one question reads the clock once
    #[test]
    fn one_question_reads_the_clock_once() {
        struct Counting(Arc<AtomicUsize>);
        impl Clock for Counting {
            fn read(&self) -> Result<Reading, ClockError> {
                self.0.fetch_add(1, Ordering::Relaxed);
                Ok(Reading { wall: Timestamp::MIN, monotonic: Duration::ZERO })
            }
        }
        let reads = Arc::new(AtomicUsize::new(0));
        let keeper =
            Timekeeper::new(ClockSource::Host(Arc::new(Counting(Arc::clone(&reads))))).unwrap();
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        keeper.now().unwrap();
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        keeper.latest();
        assert_eq!(reads.load(Ordering::Relaxed), 2);
    }

    /// attack 82
    #[test]
    fn a_wall_clock_that_steps_back_does_not_take_now_back() {
        let (clock, keeper) = keeper();
        clock.advance(HOUR);
        let reached = keeper.now().unwrap();
        clock.set_wall(start().checked_sub(HOUR).unwrap());
        assert_eq!(keeper.now(), Ok(reached));
        clock.advance(Duration::from_secs(5));
        assert_eq!(keeper.now(), Ok(reached.checked_add(Duration::from_secs(5)).unwrap()));
    }

    /// attack 82: the mark holds even when only the wall clock had moved
    #[test]
    fn a_wall_clock_set_ahead_and_back_leaves_now_ahead() {
        let (clock, keeper) = keeper();
        let ahead = start().checked_add(HOUR).unwrap();
        clock.set_wall(ahead);
        assert_eq!(keeper.now(), Ok(ahead));
        clock.set_wall(start());
        assert_eq!(keeper.now(), Ok(ahead));
        assert_eq!(keeper.latest(), ahead);
    }

    /// attack 83
    #[test]
    fn time_passes_while_the_machine_is_suspended() {
        let (clock, keeper) = keeper();
        clock.suspend(2 * HOUR);
        assert_eq!(keeper.now(), Ok(start().checked_add(2 * HOUR).unwrap()));
    }

    /// attack 84
    #[test]
    fn time_after_the_year_9999_is_an_error() {
        let clock = ManualClock::new(Timestamp::MAX);
        let keeper = Timekeeper::new(ClockSource::Host(Arc::new(clock.clone()))).unwrap();
        assert_eq!(keeper.now(), Ok(Timestamp::MAX));
        clock.advance(Duration::from_millis(1));
        assert_eq!(keeper.now(), Err(NoTime::Clock(ClockError::OutOfRange)));
    }

    #[test]
    fn an_unreadable_clock_gives_no_time_and_recovers() {
        let (clock, keeper) = keeper();
        clock.fail();
        assert_eq!(keeper.now(), Err(NoTime::Clock(ClockError::Unreadable)));
        assert!(Timekeeper::new(ClockSource::Host(Arc::new(clock.clone()))).is_err());
        clock.recover();
        assert_eq!(keeper.now(), Ok(start()));
    }

    /// attack 141
    #[test]
    fn a_panicking_clock_is_an_error_and_poisons_nothing() {
        struct Panicking(AtomicUsize);
        impl Clock for Panicking {
            fn read(&self) -> Result<Reading, ClockError> {
                assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 1, "the second read panics");
                Ok(Reading { wall: Timestamp::MIN, monotonic: Duration::ZERO })
            }
        }
        let keeper =
            Timekeeper::new(ClockSource::Host(Arc::new(Panicking(AtomicUsize::new(0))))).unwrap();
        assert_eq!(keeper.now(), Err(NoTime::Clock(ClockError::Panicked)));
        assert_eq!(keeper.now(), Ok(Timestamp::MIN));
    }

    #[test]
    fn a_monotonic_clock_from_before_the_start_is_an_error() {
        struct Fixed(Mutex<Duration>);
        impl Clock for Fixed {
            fn read(&self) -> Result<Reading, ClockError> {
                Ok(Reading { wall: Timestamp::MIN, monotonic: *self.0.lock() })
            }
        }
        let clock = Arc::new(Fixed(Mutex::new(HOUR)));
        let keeper = Timekeeper::new(ClockSource::Host(clock.clone())).unwrap();
        *clock.0.lock() = Duration::ZERO;
        assert_eq!(keeper.now(), Err(NoTime::Clock(ClockError::Backwards)));
    }

    #[derive(Clone, Copy, Debug)]
    enum Move {
        Advance(u64),
        Suspend(u64),
        Set(i64),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let step = prop_oneof![
            (0..10_000u64).prop_map(Move::Advance),
            (0..10_000u64).prop_map(Move::Suspend),
            (0..100_000i64).prop_map(Move::Set),
        ];
        proptest::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn now_is_the_latest_of_all_that_was_ever_read(moves in moves()) {
            let clock = ManualClock::new(Timestamp::from_unix_millis(50_000).unwrap());
            let keeper = Timekeeper::new(ClockSource::Host(Arc::new(clock.clone()))).unwrap();
            let (mut wall, mut counted, mut latest) = (50_000, 50_000, 50_000);
            for step in moves {
                match step {
                    Move::Advance(by) => {
                        clock.advance(Duration::from_millis(by));
                        wall += by as i64;
                        counted += by as i64;
                    }
                    Move::Suspend(by) => {
                        clock.suspend(Duration::from_millis(by));
                        wall += by as i64;
                    }
                    Move::Set(to) => {
                        clock.set_wall(Timestamp::from_unix_millis(to).unwrap());
                        wall = to;
                    }
                }
                latest = latest.max(wall).max(counted);
                prop_assert_eq!(keeper.now().unwrap().unix_millis(), latest);
            }
        }
    }
}
