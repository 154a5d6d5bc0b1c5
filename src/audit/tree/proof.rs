//! Checking proofs (RFC 9162, 2.1.3.2 and 2.1.4.2): with the proof and the roots alone.

use super::TreeHash;

/// Whether a leaf is the one of this index in the tree of this size and root.
pub(in crate::audit) fn included(
    leaf: TreeHash,
    index: u64,
    (size, root): (u64, TreeHash),
    path: &[TreeHash],
) -> bool {
    if index >= size {
        return false;
    }
    let (mut own, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if own & 1 == 1 || own == last {
            hash = TreeHash::above(*sibling, hash);
            // Levels at which the last node has no sibling are passed over.
            while own & 1 == 0 && own != 0 {
                (own, last) = (own >> 1, last >> 1);
            }
        } else {
            hash = TreeHash::above(hash, *sibling);
        }
        (own, last) = (own >> 1, last >> 1);
    }
    last == 0 && hash == root
}

#[cfg(test)]
/// Whether the tree of the second size and root begins with that of the first.
pub(in crate::audit) fn consistent(
    (before, old): (u64, TreeHash),
    (size, new): (u64, TreeHash),
    path: &[TreeHash],
) -> bool {
    if before == size {
        return path.is_empty() && old == new;
    }
    // Every tree begins with the empty one, of which nothing has to be shown.
    if before == 0 || before > size {
        return before == 0 && path.is_empty() && old == TreeHash::of_empty_tree();
    }
    let mut rest = path.iter().copied();
    let first = if before.is_power_of_two() { Some(old) } else { rest.next() };
    let Some(first) = first else { return false };
    let shift = (before - 1).trailing_ones();
    let (mut own, mut last) = ((before - 1) >> shift, (size - 1) >> shift);
    let (mut of_old, mut of_new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if own & 1 == 1 || own == last {
            of_old = TreeHash::above(sibling, of_old);
            of_new = TreeHash::above(sibling, of_new);
            while own & 1 == 0 && own != 0 {
                (own, last) = (own >> 1, last >> 1);
            }
        } else {
            of_new = TreeHash::above(of_new, sibling);
        }
        (own, last) = (own >> 1, last >> 1);
    }
    last == 0 && of_old == old && of_new == new
}
