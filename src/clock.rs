//! Time: one trait, one place that reads it.
//!
//! A decision is made from one [`Reading`], and only [`SystemClock`] asks the operating system. The
//! broker never uses a wall clock as it is: what it calls *now* is the latest of the wall clock, of
//! the wall clock at its start plus the monotonic time since, and of any *now* before. So a wall
//! clock that steps back, or a machine that slept, lengthens nothing.
//!
//! A thread asks the system for the wall clock once in a tenth of a millisecond at most, and counts on from there
//! by the monotonic clock: a step of the wall clock is noticed later by as much.

mod duration;
mod manual;
mod timekeeper;
mod timestamp;

use std::cell::Cell;
use std::time::{Duration, SystemTime};

pub(crate) use duration::unstatable;
pub use duration::{DurationError, MAX_DURATION, format_duration, parse_duration};
pub use manual::ManualClock;
pub(crate) use timekeeper::{ClockSource, NoTime, Timekeeper};
use timestamp::whole_millis;
pub use timestamp::{Timestamp, TimestampError};

use crate::sync;
use crate::tick::{Nanos, Tick};

/// Where the broker gets its time from.
///
/// An implementation may fail and may even panic: either way the question that needed the time is
/// denied, and the next one reads again.
pub trait Clock: Send + Sync {
    /// Reads both clocks at one moment.
    ///
    /// # Errors
    ///
    /// When either clock cannot be read. There is no fallback value: without time nothing is live.
    fn read(&self) -> Result<Reading, ClockError>;
}

/// Two clocks, read at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the wall clock says. It may step in either direction.
    pub wall: Timestamp,
    /// Time since some fixed moment of the clock's own choice. It must not decrease, and may stand
    /// still while the machine is suspended.
    pub monotonic: Duration,
}

/// Why there is no time to decide with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The clock did not answer.
    #[error("the clock cannot be read")]
    Unreadable,
    /// The clock answered with an instant before 1970 or after 9999.
    #[error("the clock is outside the years 1970 to 9999")]
    OutOfRange,
    /// The monotonic clock went back to before the broker's start.
    #[error("the monotonic clock ran backwards")]
    Backwards,
    /// The clock panicked; the panic was caught.
    #[error("the clock panicked")]
    Panicked,
}

/// The operating system's clocks. `wasm32-unknown-unknown` has none: there every reading fails, and a
/// host gives the broker a [`Clock`] of its own.
///
/// ```
/// use hallpass::clock::{Clock, SystemClock};
///
/// let clock = SystemClock::new();
/// let (first, second) = (clock.read()?, clock.read()?);
/// assert!(second.monotonic >= first.monotonic);
/// # Ok::<(), hallpass::clock::ClockError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    /// `None` where the system has no clock.
    origin: Option<Tick>,
}

impl SystemClock {
    /// A clock whose monotonic time counts from this call.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Tick::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Result<Reading, ClockError> {
        self.read_at().map(|(reading, _)| reading)
    }
}

impl SystemClock {
    /// A reading, and the tick of it.
    #[inline]
    fn read_at(&self) -> Result<(Reading, Tick), ClockError> {
        let origin = self.origin.ok_or(ClockError::Unreadable)?;
        let at = Tick::now().ok_or(ClockError::Unreadable)?;
        let wall = wall_at(at)?;
        let monotonic = at.since(origin).unwrap_or_default().duration();
        Ok((Reading { wall, monotonic }, at))
    }
}

/// For this long a thread counts on from where it read the wall clock, by the monotonic one: a call reads the
/// clock three times in a few microseconds, and reading both each time took a twentieth of it. A wall clock that
/// is set, or a machine that wakes, is noticed later by as much; no instant is dated less exactly by it.
const COUNTED_ON: Nanos = Nanos::of_micros(100);

/// Both clocks were read as one if no more than this passed between them. It is all that is lost by counting on.
const AT_ONCE: Nanos = Nanos::of_micros(10);

sync::thread_local! {
    /// Where this thread read the wall clock last: the tick, and the time since the Unix epoch then.
    static WALL: Cell<Option<(Tick, Duration)>> = const { Cell::new(None) };
}

/// The wall clock at this tick, which is the present one.
#[inline]
fn wall_at(at: Tick) -> Result<Timestamp, ClockError> {
    let since_epoch = match counted_on(at) {
        Some(counted) => counted,
        None => read_at(at)?,
    };
    whole_millis(since_epoch).and_then(Timestamp::from_unix_millis).ok_or(ClockError::OutOfRange)
}

/// The time since the Unix epoch, by what this thread read just before.
#[inline]
fn counted_on(at: Tick) -> Option<Duration> {
    let (then, wall) = WALL.try_with(Cell::get).ok().flatten()?;
    let since = at.since(then).filter(|since| *since < COUNTED_ON)?;
    wall.checked_add(since.duration())
}

/// The time since the Unix epoch, read from the system and kept.
#[cold]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's wall clock")]
fn read_at(at: Tick) -> Result<Duration, ClockError> {
    let wall = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| ClockError::OutOfRange)?;
    let taken = Tick::now().and_then(|after| after.since(at));
    let read_at_once = taken.is_some_and(|taken| taken < AT_ONCE);
    // A thread that is ending has nowhere to keep it.
    let _ = WALL.try_with(|last| last.set(read_at_once.then_some((at, wall))));
    Ok(wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "compared with what the clock reads")]
    fn the_clock_of_the_system_is_read_to_the_millisecond() {
        let system =
            || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let clock = SystemClock::new();
        // A thousand, for one may be read at a whole second. What is counted on may be 10 µs ahead.
        for _ in 0..1000 {
            let before = system();
            let wall = u128::from(clock.read().unwrap().wall.unix_millis().unsigned_abs());
            assert!((before..=system() + 1).contains(&wall));
        }
    }

    #[test]
    fn a_thread_counts_on_from_where_it_read_the_wall_clock_for_a_tenth_of_a_millisecond() {
        let then = Tick::now().unwrap();
        let later = |nanos| then.later(nanos);
        let told = Duration::from_secs(5);
        let read = |at: Tick| {
            WALL.set(Some((then, told)));
            wall_at(at).unwrap().unix_millis()
        };
        assert_eq!(read(then), 5000);
        WALL.set(Some((then, told)));
        assert_eq!(counted_on(later(99_999)), Some(told + Duration::from_nanos(99_999)));
        let read_anew = |millis: i64| millis > 1_000_000_000_000;
        assert!(read_anew(read(later(100_000))));
        WALL.set(Some((later(1), told)));
        assert!(read_anew(wall_at(then).unwrap().unix_millis()), "a clock that went back");
        WALL.set(None);
        assert!(read_anew(wall_at(Tick::now().unwrap()).unwrap().unix_millis()));
        assert!(WALL.get().is_some(), "kept");
        // Read now as the clock at a tick long gone: not counted on from.
        WALL.set(None);
        while Tick::now().unwrap().since(then).unwrap() < AT_ONCE {}
        assert!(read_anew(wall_at(then).unwrap().unix_millis()) && WALL.get().is_none());
        WALL.set(Some((then, Duration::MAX)));
        assert!(read_anew(wall_at(later(99_999)).unwrap().unix_millis()), "more than fits");
    }
}
