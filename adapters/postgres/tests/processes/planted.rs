//! Steps of a node at which it can be stopped, and the reading that each start rests on.

use std::cell::Cell;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use hallpass::clock::{Clock, ClockError, Reading, SystemClock, Timestamp};
use hallpass::fleet::{
    CounterKey, CounterRow, Entry, Mark, News, NodeRow, RowVersion, Snapshot, Store, StoreError,
};
use hallpass_postgres::PostgresStore;

use crate::node::tell;

/// The time that all processes of a machine see, in nanoseconds.
#[allow(
    clippy::disallowed_methods,
    reason = "what one process says is compared with what another does"
)]
pub(crate) fn shared_time() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

/// Steps at which a node stops, each once, as it was told.
#[derive(Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<Vec<String>>>);

impl Steps {
    /// The steps that there are.
    pub(crate) const ALL: [&str; 6] = [
        "before-write",
        "after-write",
        "before-append",
        "after-append",
        "before-read",
        "after-read",
    ];

    pub(crate) fn plant(&self, step: &str) {
        self.0.lock().unwrap().push(step.to_owned());
    }

    fn reach(&self, step: &str) {
        let mut planted = self.0.lock().unwrap();
        let Some(at) = planted.iter().position(|own| own == step) else { return };
        planted.remove(at);
        drop(planted);
        tell(format_args!("stopping {step}"));
        let pid = std::process::id().to_string();
        let _ = Command::new("kill").args(["-STOP", &pid]).stdout(Stdio::null()).status();
    }
}

thread_local! {
    /// Whether this thread is about to start a call, and when it made its last reading, at the earliest.
    static STARTING: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Starts a call; with the time of the last reading that it made, at the earliest.
pub(crate) fn starting<T>(start: impl FnOnce() -> T) -> (T, u64) {
    STARTING.set(Some(0));
    let started = start();
    (started, STARTING.take().unwrap())
}

/// The system's clock, which stops a node around its readings of a start.
#[derive(Clone)]
pub(crate) struct PlantedClock(SystemClock, Steps);

impl PlantedClock {
    pub(crate) fn new(steps: Steps) -> PlantedClock {
        PlantedClock(SystemClock::new(), steps)
    }
}

impl Clock for PlantedClock {
    fn read(&self) -> Result<Reading, ClockError> {
        let is_starting = STARTING.get().is_some();
        if is_starting {
            self.1.reach("before-read");
            STARTING.set(Some(shared_time()));
        }
        let read = self.0.read();
        if is_starting {
            self.1.reach("after-read");
        }
        read
    }
}

/// A store that stops a node before it asks, and before it has the answer.
#[derive(Clone)]
pub(crate) struct PlantedStore(pub(crate) PostgresStore, pub(crate) Steps);

impl Store for PlantedStore {
    fn on_news(&self, news: News) {
        self.0.on_news(news);
    }

    fn read(&self, after: u64) -> Result<Snapshot, StoreError> {
        self.0.read(after)
    }

    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError> {
        self.1.reach("before-append");
        let appended = self.0.append(entry, over);
        self.1.reach("after-append");
        appended
    }

    fn write(
        &self,
        row: &NodeRow,
        over: Option<&RowVersion>,
        after: u64,
    ) -> Result<(bool, Snapshot), StoreError> {
        self.1.reach("before-write");
        let written = self.0.write(row, over, after);
        self.1.reach("after-write");
        written
    }

    fn count(
        &self,
        keys: &[CounterKey],
        change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
    ) -> Result<(), StoreError> {
        self.0.count(keys, change)
    }
}
