//! How a log differs from what its checkpoints have seen.

use super::CheckpointError;

/// How a log differs from what a checkpoint of it has seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointFault {
    /// A checkpoint is not one of the log that the key is of.
    #[error("a checkpoint of the log does not verify: {0}")]
    Unverified(#[from] CheckpointError),
    /// The log is not the one that the key is of.
    #[error("the log is that of `{found}`, expected `{expected}`")]
    Foreign {
        /// What its first record says.
        found: String,
        /// What the key is of.
        expected: String,
    },
    /// A record is not the one that was written.
    #[error(
        "record {seq} is not the one that a checkpoint over {size} records has seen: changed, removed or put in"
    )]
    Changed {
        /// The number that the record in its place claims.
        seq: u64,
        /// How many records the checkpoint is over.
        size: u64,
    },
    /// One of some records is not the one that was written. Which one is not known, for want of the file `tree` as it
    /// was.
    #[error(
        "one of the records {from} to {to} is not the one that a checkpoint over {size} records has seen: changed, \
         removed or put in"
    )]
    ChangedWithin {
        /// The number of the first of them.
        from: u64,
        /// The number of the last.
        to: u64,
        /// How many records the checkpoint is over.
        size: u64,
    },
    /// The log is shorter than a checkpoint of it.
    #[error("the log was cut: it has {records} records, and a checkpoint has seen {size}")]
    Cut {
        /// How many records there are.
        records: u64,
        /// How many there were.
        size: u64,
    },
    /// The log's key has signed two roots of one size.
    #[error(
        "two checkpoints over {size} records have different roots: the log was shown in two versions"
    )]
    Split {
        /// The size.
        size: u64,
    },
}
