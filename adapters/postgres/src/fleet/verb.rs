//! What a node asks the store, and the answers.

use hallpass::fleet::{Entry, Mark, NodeRow, RowVersion, Snapshot};

/// One question: one statement, and so one transaction.
#[derive(Debug)]
pub(super) enum Verb {
    Read { after: u64 },
    Append { entry: Entry, over: Mark },
    Write { row: NodeRow, over: Option<RowVersion>, after: u64 },
}

#[derive(Debug)]
pub(super) enum Answer {
    Read(Snapshot),
    Appended(bool),
    Written(bool, Snapshot),
}
