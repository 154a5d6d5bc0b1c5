//! A store in memory, for tests and for several brokers of one process.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::Entry;
use super::mark::Mark;
use super::row::{NodeRow, RowVersion};
use super::store::{Snapshot, Store, StoreError};
use crate::sync::Mutex;

/// How many entries are read at once.
const PAGE: usize = 256;

/// A [`Store`] in the memory of one process. Clones share it; what it holds is lost with the last of them.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    entries: Vec<Entry>,
    rows: BTreeMap<Box<str>, NodeRow>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        MemoryStore::default()
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
        let held = self.0.lock();
        Ok(held.snapshot(after, held.rows.values().cloned().collect()))
    }

    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError> {
        let mut held = self.0.lock();
        let fits = held.head() == *over;
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
        let mut held = self.0.lock();
        let fits = held.rows.get(&row.name).map(NodeRow::version).as_ref() == over;
        if fits {
            held.rows.insert(row.name.clone(), row.clone());
        }
        let own = held.rows.get(&row.name).cloned();
        Ok((fits, held.snapshot(after, own.into_iter().collect())))
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = self.0.lock();
        f.debug_struct("MemoryStore")
            .field("head", &held.head())
            .field("nodes", &held.rows.len())
            .finish_non_exhaustive()
    }
}
