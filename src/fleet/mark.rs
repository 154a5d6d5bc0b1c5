//! A place in the mark of a fleet.

use std::fmt;

/// A place in a fleet's sequence of acts: the number of the last entry, and a digest of it and of all before it. Two
/// stores that agree on one agree on everything up to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of the last entry; zero before the first.
    pub number: u64,
    /// The digest of that entry, which covers the one before it.
    pub digest: [u8; 32],
}

impl Mark {
    /// Before the first entry.
    pub const START: Mark = Mark { number: 0, digest: [0; 32] };
}

/// The number, a colon and the digest in hexadecimal digits.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.number)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({self})")
    }
}
