//! What has to be kept of a tree to add leaves to it: the roots of its complete subtrees.

use super::TreeHash;

/// The complete subtrees of a tree, the largest first: one for each bit that is set in its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Frontier {
    size: u64,
    subtrees: Vec<TreeHash>,
}

impl Frontier {
    /// How many leaves there are.
    pub(in crate::audit) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. Each hash that is complete then, the leaf's first, is told: in the order in which the
    /// hashes of a tree are [stored](super::stored).
    pub(in crate::audit) fn push(&mut self, leaf: TreeHash, mut completed: impl FnMut(TreeHash)) {
        completed(leaf);
        let mut hash = leaf;
        // Each one at the end of the size stands for two subtrees of the same size that meet.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = TreeHash::above(left, hash);
                completed(hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    pub(in crate::audit) fn root(&self) -> TreeHash {
        let from_right = self.subtrees.iter().rev().copied();
        from_right
            .reduce(|right, left| TreeHash::above(left, right))
            .unwrap_or_else(TreeHash::of_empty_tree)
    }
}
