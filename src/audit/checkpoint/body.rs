//! What a checkpoint says (C2SP `tlog-checkpoint`): which log, how many records, and the root over them.

use std::fmt;

use super::CheckpointError;
use crate::audit::TreeHash;

/// What a checkpoint says. Only a [`SignedCheckpoint`](super::SignedCheckpoint) shows that a log said it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Which log: the issuer, the audience and the log's id, one after the other.
    pub origin: String,
    /// How many lines of records the log had.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
}

impl Checkpoint {
    pub(in crate::audit) fn new(origin: String, size: u64, root: TreeHash) -> Self {
        Checkpoint { origin, size, root }
    }

    /// Reads the text of a note. Lines after the third, which the form allows and no log of ours writes, are refused:
    /// none could be checked.
    pub(super) fn read(text: &str) -> Result<Self, CheckpointError> {
        let malformed = CheckpointError::NotACheckpoint;
        let lines = text.strip_suffix('\n').ok_or(malformed("its last line has no end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("expected three lines: origin, size and root"));
        };
        if origin.is_empty() {
            return Err(malformed("it names no log"));
        }
        let number: u64 =
            size.parse().map_err(|_| malformed("its size is not a number of records"))?;
        if number.to_string() != size {
            return Err(malformed("its size is not written as a number is"));
        }
        let root = root.parse().map_err(|_| malformed("its root is not a hash in base64"))?;
        if number == 0 && root != TreeHash::of_empty_tree() {
            return Err(malformed("its root is not that of no records"));
        }
        Ok(Checkpoint::new(origin.to_owned(), number, root))
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}
