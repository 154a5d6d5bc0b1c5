//! What the nodes of a fleet share.

use super::entry::Entry;
use super::mark::Mark;
use super::row::{NodeRow, RowVersion};

/// What a fleet's nodes share: its mark, and a row for each node. An engine that its operators already run.
///
/// Three verbs, each one transaction. What they promise is what the fleet's promises rest on:
///
/// - **What was acknowledged stays**: an entry or a row that was written outlives a failover, and none is undone. It
///   is one server that syncs, or one with synchronous standbys that it never drops.
/// - **Entries are visible in order**, each with all before it: who sees one sees those below it, with no gap.
/// - **A write is conditional**: [`append`](Store::append) takes an entry only over the mark that it names, and
///   [`write`](Store::write) a row only over the one that it names, decided as the transaction commits.
/// - **A reading is one snapshot**, made after the verb was called, of everything that had been acknowledged by then:
///   never a replica's.
/// - **An error means nothing is known**: the write may have happened, or may happen later.
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

    /// Appends an entry, if the mark is `over`; `false` if it is another.
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
