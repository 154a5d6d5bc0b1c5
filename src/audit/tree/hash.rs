//! Hashes of leaves and of the nodes above them.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::audit::ChainTag;

/// What the hash of a leaf and that of a node begin with: neither is ever taken for the other.
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// A hash in the tree over the records of a log: SHA-256, written as base64 with padding.
///
/// ```
/// use hallpass::audit::TreeHash;
/// let root = TreeHash::of_empty_tree();
/// assert_eq!(root.to_string(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
/// assert_eq!(root.to_string().parse(), Ok(root));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHash([u8; 32]);

impl TreeHash {
    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        TreeHash(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The root of a tree without leaves.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        TreeHash(Sha256::digest([]).into())
    }

    /// The node above two others.
    pub(super) fn above(left: TreeHash, right: TreeHash) -> TreeHash {
        let mut hasher = Sha256::new();
        hasher.update([NODE]);
        hasher.update(left.0);
        hasher.update(right.0);
        TreeHash(hasher.finalize().into())
    }

    #[cfg(test)]
    pub(super) fn of_leaf(data: &[u8]) -> TreeHash {
        TreeHash(Sha256::new().chain_update([LEAF]).chain_update(data).finalize().into())
    }
}

/// The leaf of a record: over the length of its line (eight bytes, big-endian), the line, and its tag.
///
/// The tag is keyed, so that the leaf of a short line can't be found by trying lines; and with line and tag in hand
/// anyone makes the leaf, without the key.
pub(in crate::audit) fn leaf_of(line: &str, tag: &ChainTag) -> TreeHash {
    let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
    let mut hasher = Sha256::new();
    hasher.update([LEAF]);
    hasher.update(length.to_be_bytes());
    hasher.update(line);
    hasher.update(tag.as_bytes());
    TreeHash(hasher.finalize().into())
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHash({self})")
    }
}

/// A text that is not a hash in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of 32 bytes, expected 44 characters of base64 with padding")]
pub struct TreeHashError;

impl FromStr for TreeHash {
    type Err = TreeHashError;

    fn from_str(text: &str) -> Result<Self, TreeHashError> {
        let bytes = STANDARD.decode(text).map_err(|_| TreeHashError)?;
        bytes.try_into().map(TreeHash).map_err(|_| TreeHashError)
    }
}
