//! What the nodes of a fleet share.

use super::entry::Entry;
use super::mark::Mark;
use super::news::News;
use super::row::{NodeRow, RowVersion};
use crate::clock::Timestamp;

/// What a fleet's nodes share: its mark, and a row for each node. An engine that its operators already run.
///
/// Four verbs, each one transaction. What they promise is what the fleet's promises rest on:
///
/// - **What was acknowledged stays**: an entry or a row that was written outlives a failover, and none is undone. It
///   is one server that syncs, or one with synchronous standbys that it never drops.
/// - **Entries are visible in order**, each with all before it: who sees one sees those below it, with no gap.
/// - **A write is conditional**: [`append`](Store::append) takes an entry only over the mark that it names, and
///   [`write`](Store::write) a row only over the one that it names, decided as the transaction commits.
/// - **A reading is one snapshot**, made after the verb was called, of everything that had been acknowledged by then:
///   never a replica's.
/// - **Counters are changed one after the other**: of two calls of [`count`](Store::count) that have a key in common,
///   the second sees what the first committed.
/// - **An error means nothing is known**: the write may have happened, or may happen later.
/// - **It gives up by itself** after a time: a thread that asks it waits for the answer.
///
/// A store is of one fleet: where an engine has several, each has a store of its own. What it holds is tagged by the
/// members: who can write it can stop a fleet, and make no act.
pub trait Store: Send + Sync {
    /// The mark, its entries above `after` in order (as many as the store likes, the first of them at least), and
    /// the rows of all nodes, in one snapshot.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was read.
    fn read(&self, after: u64) -> Result<Snapshot, StoreError>;

    /// Appends an entry, if the mark is `over`, the entry has the next number, and none is there of its id; else `false`,
    /// and nothing has changed.
    ///
    /// # Errors
    /// [`StoreError`]: whether it was appended is not known.
    fn append(&self, entry: &Entry, over: &Mark) -> Result<bool, StoreError>;

    /// Replaces a node's row, if the one of that name is `over`, or there is none where that says so. Tells whether
    /// it did, and what [`read`](Store::read) would of the mark, from the same transaction; of rows, only the node's
    /// own as it is afterwards.
    ///
    /// # Errors
    /// [`StoreError`]: whether it was replaced is not known.
    fn write(
        &self,
        row: &NodeRow,
        over: Option<&RowVersion>,
        after: u64,
    ) -> Result<(bool, Snapshot), StoreError>;

    /// Has `news` called with the number of each new entry, as soon as the store knows of it, until that gives `false`. It waits for
    /// nothing.
    ///
    /// It is a hint, and makes acts final sooner: nodes read what is new when they renew their leases, and sooner when
    /// they hear of it. It may come late, more than once, or never, as where this is not written.
    fn on_news(&self, news: News) {
        let _ = news;
    }

    /// Changes the counters of these keys, which come in rising order and each once: in one transaction, locks them,
    /// then reads the store's own clock, has `change` change them, and commits those that it changed.
    ///
    /// `change` gets the time, and one [`CounterRow`] for each key, in the order of the keys: an absent one is
    /// [empty](CounterRow::is_empty). It asks nothing and waits for nothing, so the locks may be held meanwhile. A row that it leaves
    /// as it was need not be written; one that it leaves empty is removed. It is called at most once for each
    /// transaction; where one was rolled back *for certain* (a serialization failure, a deadlock), it may be called again,
    /// with what is there then, and what it did before counts for nothing.
    ///
    /// The clock is that of the server that commits, read after the locks are held (`clock_timestamp()`, not the
    /// beginning of the transaction). It may step: `change` never takes an earlier time than the counter has seen.
    ///
    /// It is called by the threads whose calls need it, several at a time, and never by the one that renews the lease:
    /// it should hold up none of the other verbs, with a connection of its own where the engine has connections.
    ///
    /// # Errors
    /// [`StoreError`]: whether the counters were changed is not known. What asks repeats the same change, which is known
    /// by an id in the counter, or takes it back. A store that keeps no counters gives an error at once (as this method
    /// does where it is not written): rules that need them then permit nothing.
    fn count(
        &self,
        keys: &[CounterKey],
        change: &mut dyn FnMut(Timestamp, &mut [CounterRow]),
    ) -> Result<(), StoreError> {
        let _ = (keys, change);
        Err(StoreError::new("it keeps no counters"))
    }
}

/// Which counter: of one identity and one rule, as only members of the fleet can tell.
pub type CounterKey = [u8; 32];

/// A counter that nodes share, as a [`Store`] keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterRow {
    /// What it has counted, and a tag: up to some hundred kilobytes where a rule counts thousands of calls within a
    /// window, mostly a few hundred bytes. Empty where nothing was counted.
    pub bytes: Vec<u8>,
    /// From when on, by the store's clock, nothing of it counts any more: the store may remove it then, and need not. `None`
    /// where it counts for good.
    pub past: Option<Timestamp>,
}

impl CounterRow {
    /// Whether nothing was counted: such a row need not be kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What a store had at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The newest place in the mark.
    pub head: Mark,
    /// Entries, in order and without a gap.
    pub entries: Vec<Entry>,
    /// Rows of nodes.
    pub rows: Vec<NodeRow>,
}

/// A store did not answer, or its answer was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fleet's store: {0}")]
pub struct StoreError(Box<str>);

impl StoreError {
    /// What went wrong, for operators.
    pub fn new(why: impl std::fmt::Display) -> Self {
        StoreError(why.to_string().into())
    }
}
