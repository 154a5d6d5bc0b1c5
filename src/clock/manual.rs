//! A clock that stands still until it is told to move.

use std::sync::Arc;
use std::time::Duration;

use super::{Clock, ClockError, Reading, Timestamp};
use crate::sync::Mutex;

/// A [`Clock`] for tests and replays. Clones share one time.
///
/// ```
/// use std::time::Duration;
/// use hallpass::clock::{Clock, ClockError, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
/// let shared = clock.clone();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(shared.read()?.wall.to_string(), "2026-01-01T00:01:00Z");
///
/// clock.fail();
/// assert_eq!(shared.read(), Err(ClockError::Unreadable));
/// # Ok::<(), ClockError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: Timestamp,
    monotonic: Duration,
    readable: bool,
}

impl ManualClock {
    /// A readable clock whose wall shows `wall`.
    #[must_use]
    pub fn new(wall: Timestamp) -> Self {
        let state = State { wall, monotonic: Duration::ZERO, readable: true };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Lets time pass on both clocks. The wall stops at [`Timestamp::MAX`].
    pub fn advance(&self, span: Duration) {
        let mut state = self.state.lock();
        state.wall = state.wall.checked_add(span).unwrap_or(Timestamp::MAX);
        state.monotonic = state.monotonic.saturating_add(span);
    }

    /// Suspends the machine: the wall moves on, the monotonic clock does not.
    pub fn suspend(&self, span: Duration) {
        let mut state = self.state.lock();
        state.wall = state.wall.checked_add(span).unwrap_or(Timestamp::MAX);
    }

    /// Sets the wall clock, forwards or back; the monotonic clock does not notice.
    pub fn set_wall(&self, wall: Timestamp) {
        self.state.lock().wall = wall;
    }

    /// Makes the clock unreadable until [`recover`](Self::recover).
    pub fn fail(&self) {
        self.state.lock().readable = false;
    }

    /// Makes the clock readable again. It has kept the time it was told.
    pub fn recover(&self) {
        self.state.lock().readable = true;
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Result<Reading, ClockError> {
        let state = self.state.lock();
        if state.readable {
            Ok(Reading { wall: state.wall, monotonic: state.monotonic })
        } else {
            Err(ClockError::Unreadable)
        }
    }
}
