//! The Merkle tree over the records of a log: RFC 6962's hashing, proofs as RFC 9162 checks them.
//!
//! A root commits to every record below it, in their order, and needs no key to be checked. The tree grows by one leaf
//! for each line of the log. What is kept in memory is at most 64 hashes; proofs come from the hashes on file.

mod frontier;
mod hash;
mod proof;
mod prove;
mod stored;

pub(super) use frontier::Frontier;
pub(super) use hash::leaf_of;
pub use hash::{TreeHash, TreeHashError};
#[cfg(test)]
pub(super) use proof::consistent;
pub(super) use proof::included;
pub(super) use prove::{consistency, inclusion};
pub(super) use stored::{count as stored_count, position as stored_position};

#[cfg(test)]
mod tests;
