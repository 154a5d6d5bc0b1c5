//! A store in memory, for tests and for several brokers of one process.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::Entry;
use super::mark::Mark;
use super::row::{NodeRow, RowVersion};
use super::store::{CounterKey, CounterRow, Snapshot, Store, StoreError};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::sync::Mutex;

/// How many entries are read at once.
const PAGE: usize = 256;

/// A [`Store`] in the memory of one process. Clones share it; what it holds is lost with the last of them.
#[derive(Clone)]
pub struct MemoryStore {
    held: Arc<Mutex<Held>>,
    counters: Arc<Mutex<BTreeMap<CounterKey, CounterRow>>>,
    /// The server's, as an engine in a process of its own has one.
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Held {
    entries: Vec<Entry>,
    rows: BTreeMap<Box<str>, NodeRow>,
}

impl MemoryStore {
    /// An empty one, with the system's clock.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::with_clock(SystemClock::new())
    }

    /// An empty one with a clock of its own, by which [counters](Store::count) are dated.
    #[must_use]
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        MemoryStore { held: Arc::default(), counters: Arc::default(), clock: Arc::new(clock) }
    }

    /// How many counters it keeps.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.counters.lock().len()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        MemoryStore::new()
    }
}

impl Held {
    fn head(&self) -> Mark {
        self.entries.last().map_or(Mark::START, Entry::mark)
    }

    fn snapshot(&self, after: u64, rows: Vec<NodeRow>) -> Snapshot {
        let above = self.entries.iter().filter(|entry| entry.number > after);
        Snapshot { head: self.head(), entries: above.take(PAGE).cloned().collect(), rows }
    }
}

impl Store for MemoryStore {
    fn read(&self, after: u64) -> Result<Snapshot, StoreError> {
        let held = self.held.lock();
        Ok(held.snapshot(after, held.rows.values().cloned().collect()))
    }

    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError> {
        let mut held = self.held.lock();
        let is_next = over.number.checked_add(1) == Some(entry.number);
        let is_new = held.entries.iter().all(|before| before.id != entry.id);
        let fits = held.head() == *over && is_next && is_new;
        if fits {
            held.entries.push(entry.clone());
        }
        Ok(fits)
    }

    fn write(
        &self,
        row: &NodeRow,
        over: Option<&RowVersion>,
        after: u64,
    ) -> Result<(bool, Snapshot), StoreError> {
        let mut held = self.held.lock();
        let fits = held.rows.get(&row.name).map(NodeRow::version).as_ref() == over;
        if fits {
            held.rows.insert(row.name.clone(), row.clone());
        }
        let own = held.rows.get(&row.name).cloned();
        Ok((fits, held.snapshot(after, own.into_iter().collect())))
    }

    fn count(
        &self,
        keys: &[CounterKey],
        change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
    ) -> Result<(), StoreError> {
        let mut counters = self.counters.lock();
        let now = self.clock.read().map_err(StoreError::new)?.wall;
        let mut rows: Vec<CounterRow> =
            keys.iter().map(|key| counters.get(key).cloned().unwrap_or_default()).collect();
        change(now, &mut rows);
        let before = counters.len();
        for (key, row) in keys.iter().zip(rows) {
            match row.is_empty() {
                true => drop(counters.remove(key)),
                false => drop(counters.insert(*key, row)),
            }
        }
        // With each new one, those go that count nothing any more.
        if counters.len() > before {
            counters.retain(|_, row| row.past.is_none_or(|past| now < past));
        }
        Ok(())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.held.lock();
        f.debug_struct("MemoryStore")
            .field("head", &held.head())
            .field("nodes", &held.rows.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::time::Duration;

    #[test]
    fn a_counter_is_kept_until_it_is_empty_or_past() {
        let begin = Timestamp::from_unix_millis(1_767_225_600_000).unwrap();
        let clock = ManualClock::new(begin);
        let store = MemoryStore::with_clock(clock.clone());
        let second = Duration::from_secs(1);
        let count = |keys: &[CounterKey], bytes: &[u8], past| {
            let mut found = Vec::new();
            let change = &mut |now, rows: &mut [CounterRow]| {
                assert_eq!(now, clock.read().unwrap().wall);
                found = rows.iter().map(|row| row.bytes.clone()).collect();
                rows.fill(CounterRow { bytes: bytes.to_vec(), past });
            };
            store.count(keys, change).unwrap();
            found
        };
        assert_eq!(count(&[[1; 32], [2; 32]], b"one", None), [b"", b""]);
        assert_eq!(count(&[[2; 32]], b"", None), [b"one"]);
        assert_eq!(
            (store.counters(), count(&[[2; 32]], b"two", begin.checked_add(second))),
            (1, vec![vec![]])
        );
        clock.advance(second);
        assert_eq!(count(&[[3; 32]], b"three", None), [b""]);
        assert_eq!(store.counters(), 2);
        assert_eq!(count(&[[1; 32], [2; 32], [3; 32]], b"", None), [&b"one"[..], b"", b"three"]);
        assert_eq!(store.counters(), 0);
    }
}
