//! What a node asks the store, and the answers.

use hallpass::clock::Timestamp;
use hallpass::fleet::{
    CounterKey, CounterRow, Entry, Mark, NodeRow, RowVersion, Snapshot, StoreError,
};

/// One question: one statement, and so one transaction.
#[derive(Debug)]
pub(super) enum Verb {
    Read { after: u64 },
    Append { entry: Entry, over: Mark },
    Write { row: NodeRow, over: Option<RowVersion>, after: u64 },
    Counters { keys: Vec<CounterKey> },
    Count { changes: Vec<Change> },
}

#[derive(Debug)]
pub(super) enum Answer {
    Read(Snapshot),
    Appended(bool),
    Written(bool, Snapshot),
    /// By the server's clock, the counters that were asked for.
    Counters(Timestamp, Vec<Counter>),
    /// Whether all were as they had been read, and so are changed.
    Counted(bool),
}

/// A counter as it was read; of no version if it was absent.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    pub(super) key: CounterKey,
    pub(super) version: Option<i64>,
    pub(super) row: CounterRow,
}

/// What becomes of a counter that was read in this version: nothing, where no row is said.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: CounterKey,
    pub(super) version: Option<i64>,
    pub(super) row: Option<CounterRow>,
}

pub(super) fn another_answer() -> StoreError {
    StoreError::new("the answer is to another question")
}
