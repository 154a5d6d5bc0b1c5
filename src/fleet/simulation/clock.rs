//! The clocks of a node in virtual time: they drift, step and stand still.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::{Clock, ClockError, Reading, Timestamp};
use crate::sync::atomic::{AtomicU64, Ordering};

/// What time it truly is, in nanoseconds: only the world moves it.
pub(super) type TrueTime = Arc<AtomicU64>;

/// Where the wall clocks begin: in 2026.
const WALL: i64 = 1_767_225_600_000;

/// The clocks of one machine.
#[derive(Clone)]
pub(super) struct NodeClock {
    now: TrueTime,
    hands: Arc<Mutex<Hands>>,
}

struct Hands {
    /// How fast they run, in parts of a million.
    rate: u64,
    /// True time and what the monotonic clock showed then: it shows the same before that.
    monotonic: (u64, u64),
    /// True time, and what the wall clock showed then, in milliseconds.
    wall: (u64, i64),
}

impl NodeClock {
    pub(super) fn new(now: &TrueTime, rate: u64, ahead: i64) -> Self {
        let at = now.load(Ordering::SeqCst);
        let hands = Hands { rate, monotonic: (at, 0), wall: (at, WALL + ahead) };
        NodeClock { now: now.clone(), hands: Arc::new(Mutex::new(hands)) }
    }

    /// The wall clock is set by this much.
    pub(super) fn step(&self, by: i64) {
        self.hands.lock().unwrap().wall.1 += by;
    }

    /// The machine sleeps until then: its monotonic clock stands still.
    pub(super) fn sleep_until(&self, until: u64) {
        let at = self.now.load(Ordering::SeqCst);
        let mut hands = self.hands.lock().unwrap();
        hands.monotonic = (until, hands.monotonic_at(at));
    }

    /// What the clocks show now.
    pub(super) fn shows(&self) -> Reading {
        let at = self.now.load(Ordering::SeqCst);
        let hands = self.hands.lock().unwrap();
        let passed = hands.run(at.saturating_sub(hands.wall.0)) / 1_000_000;
        let wall = hands.wall.1 + i64::try_from(passed).unwrap();
        Reading {
            wall: Timestamp::from_unix_millis(wall).unwrap(),
            monotonic: Duration::from_nanos(hands.monotonic_at(at)),
        }
    }
}

impl Hands {
    fn run(&self, nanoseconds: u64) -> u64 {
        u64::try_from(u128::from(nanoseconds) * u128::from(self.rate) / 1_000_000).unwrap()
    }

    fn monotonic_at(&self, at: u64) -> u64 {
        self.monotonic.1 + self.run(at.saturating_sub(self.monotonic.0))
    }
}

impl Clock for NodeClock {
    fn read(&self) -> Result<Reading, ClockError> {
        PAUSE.with_borrow_mut(|pause| match pause {
            None => Ok(self.shows()),
            Some(pause) => Ok(pause.read(self)),
        })
    }
}

crate::sync::thread_local! {
    /// What happens to this thread as it reads the clock.
    static PAUSE: RefCell<Option<Pause>> = const { RefCell::new(None) };
}

/// A thread that is stopped as it reads the clock for the second time, until the world lets it go on.
pub(super) struct Pause {
    pub(super) stopped: Sender<Halfway>,
    pub(super) go_on: Receiver<()>,
    /// It takes the reading of before it was stopped for the present one: as if it had read first.
    pub(super) is_stale: bool,
    reads: u32,
    before: Option<Reading>,
    /// When it read last.
    pub(super) last: Arc<AtomicU64>,
}

/// What a stopped thread tells the world.
pub(super) enum Halfway {
    Stopped,
    /// Whether the call started.
    Finished(bool),
}

impl Pause {
    pub(super) fn new(
        stopped: Sender<Halfway>,
        go_on: Receiver<()>,
        is_stale: bool,
        last: Arc<AtomicU64>,
    ) -> Self {
        Pause { stopped, go_on, is_stale, reads: 0, before: None, last }
    }

    /// Has the thread that calls this stopped as it reads the clock.
    pub(super) fn of_this_thread(self) {
        PAUSE.set(Some(self));
    }

    fn read(&mut self, clock: &NodeClock) -> Reading {
        self.reads += 1;
        if self.reads == 2 {
            self.stopped.send(Halfway::Stopped).unwrap();
            self.go_on.recv().unwrap();
        }
        let shown = clock.shows();
        if self.reads <= 2 {
            self.last.store(clock.now.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        match self.before.replace(shown) {
            Some(before) if self.is_stale => before,
            _ => shown,
        }
    }
}
