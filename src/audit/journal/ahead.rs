//! Hashing records before they have their place.
//!
//! A tag depends on the tag before, so that tags are made one after the other, by the one thread that has the
//! right to write. Most of a record does not depend on its place: its own thread hashes that, and only the end is
//! left to the writer.

use std::sync::Arc;

use super::{Body, ChainKey};
use crate::audit::chain::HashedRecord;
use crate::sync::{Apart, RwLock, own_part, parts};

/// In how many parts the key is kept: threads on different parts write to no memory in common.
const PARTS: usize = parts(16);

/// The key that the next records are probably under.
///
/// Not more than probably: a record that is hashed while the key changes may get its place before the change or
/// after it. The writer looks which key it was hashed under, so that nothing hangs from this but how long
/// the writer takes.
pub(super) struct Ahead {
    parts: Box<[Apart<RwLock<Arc<ChainKey>>>]>,
}

impl Ahead {
    pub(super) fn under(key: &Arc<ChainKey>) -> Self {
        Ahead { parts: (0..PARTS).map(|_| Apart(RwLock::new(key.clone()))).collect() }
    }

    /// Hashes a record as far as it does not depend on its place.
    pub(super) fn hash(&self, body: &Body) -> Option<HashedRecord> {
        let part = self.parts.get(own_part() % PARTS)?;
        Some(part.read().hash(body.unnumbered()))
    }

    /// Lets go of the key before, which is wiped once what is under it is written.
    pub(super) fn change(&self, key: &Arc<ChainKey>) {
        for part in &self.parts {
            *part.write() = key.clone();
        }
    }
}
