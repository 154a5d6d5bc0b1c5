//! Where the hashes of a tree stand on file: each once it is complete, so that the file is only appended to.
//!
//! After a leaf come the nodes that it completes, from below. So there are as many hashes before the leaf of an index
//! as complete subtrees end before it, and every hash has a place that follows from its level and its index there.

/// How many hashes are stored of a tree of this size.
pub(in crate::audit) fn count(size: u64) -> u64 {
    // Of `size` leaves, `size / 2^level` complete subtrees of each level.
    let mut count = 0_u64;
    let mut left = size;
    while left > 0 {
        count = count.saturating_add(left);
        left >>= 1;
    }
    count
}

/// Which of the stored hashes is the root of the `index`th complete subtree of `2^level` leaves; counted from 0.
/// `None` past what numbers hold.
pub(in crate::audit) fn position(level: u32, index: u64) -> Option<u64> {
    // The subtree is complete with its last leaf, and stands as many places after that as it has levels.
    let last =
        index.checked_add(1)?.checked_shl(level).filter(|end| end >> level == index + 1)? - 1;
    count(last).checked_add(u64::from(level))
}
