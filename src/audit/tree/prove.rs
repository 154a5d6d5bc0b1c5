//! Making proofs from stored hashes (RFC 9162, 2.1.3.1 and 2.1.4.1).

use super::{TreeHash, stored_position};

/// The hashes from the sibling of a leaf up to the child of the root. `stored` reads a hash by its place.
pub(in crate::audit) fn inclusion<E>(
    index: u64,
    size: u64,
    stored: &mut dyn FnMut(u64) -> Result<TreeHash, E>,
) -> Result<Option<Vec<TreeHash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let mut path = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        let sibling = if index < middle { (middle, to) } else { (from, middle) };
        path.push(root_of(sibling, stored)?);
        (from, to) = if index < middle { (from, middle) } else { (middle, to) };
    }
    path.reverse();
    Ok(Some(path))
}

/// The hashes that show that the tree of `size` leaves begins with that of `before`.
pub(in crate::audit) fn consistency<E>(
    before: u64,
    size: u64,
    stored: &mut dyn FnMut(u64) -> Result<TreeHash, E>,
) -> Result<Option<Vec<TreeHash>>, E> {
    if before == 0 || before > size {
        return Ok(None);
    }
    let mut path = Vec::new();
    let (mut from, mut to) = (0, size);
    // As long as the part looked at is the whole of the smaller tree, its root is known to who checks.
    let mut known = true;
    while to != before {
        let middle = from + split(to - from);
        if before <= middle {
            path.push(root_of((middle, to), stored)?);
            to = middle;
        } else {
            path.push(root_of((from, middle), stored)?);
            (from, known) = (middle, false);
        }
    }
    if !known {
        path.push(root_of((from, to), stored)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// The root over the leaves from one up to before another, which begin where a subtree of their size can.
fn root_of<E>(
    (from, to): (u64, u64),
    stored: &mut dyn FnMut(u64) -> Result<TreeHash, E>,
) -> Result<TreeHash, E> {
    let size = to - from;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        // A tree whose size is a number has places that are.
        return stored(stored_position(level, from >> level).unwrap_or(u64::MAX));
    }
    let middle = from + split(size);
    let left = root_of((from, middle), stored)?;
    Ok(TreeHash::above(left, root_of((middle, to), stored)?))
}

/// The largest power of two below a size of at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
