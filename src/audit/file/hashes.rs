//! The file `tree`: the hashes of the tree over a log, so that proofs need not read the log.
//!
//! It says nothing that the log does not, and is not synced: what of it is missing, or does not fit, is written again.

use std::io::{self, Read};

use super::disk::{Disk, DiskFile};
use crate::audit::tree::{TreeHash, stored_count};

/// The file.
const NAME: &str = "tree";

/// How many bytes a hash takes.
const WIDTH: u64 = 32;

/// The stored hashes of a tree of some size. What stands behind them is not known, and written over.
#[derive(Default)]
pub(super) struct Hashes {
    file: Option<Box<dyn DiskFile>>,
}

impl Hashes {
    /// Puts hashes behind those of a tree of `size` leaves.
    pub(super) fn append(&mut self, disk: &dyn Disk, size: u64, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(disk.append_to(NAME)?),
        };
        file.cut(stored_count(size) * WIDTH)?;
        file.append(bytes)
    }
}

/// The hash at a place. Nothing shows that it is that of the tree but a root that it makes.
pub(super) fn read_at(disk: &dyn Disk, place: u64) -> io::Result<TreeHash> {
    let start = place.checked_mul(WIDTH).ok_or_else(|| {
        io::Error::new(io::ErrorKind::UnexpectedEof, "the tree is not that large")
    })?;
    let mut bytes = [0; 32];
    disk.read_from(NAME, start)?.read_exact(&mut bytes)?;
    Ok(TreeHash::from_bytes(bytes))
}

/// The hashes from the first on, as far as there are any: nothing that they say is believed.
pub(super) struct StoredHashes<'d>(Option<Box<dyn io::BufRead + 'd>>);

impl<'d> StoredHashes<'d> {
    pub(super) fn of(disk: &'d dyn Disk) -> io::Result<Self> {
        let there = disk.names()?.iter().any(|name| name == NAME);
        Ok(StoredHashes(if there { Some(disk.read(NAME)?) } else { None }))
    }

    /// The next hash.
    pub(super) fn next(&mut self) -> Option<TreeHash> {
        let mut bytes = [0; 32];
        if self.0.as_mut()?.read_exact(&mut bytes).is_err() {
            self.0 = None;
            return None;
        }
        Some(TreeHash::from_bytes(bytes))
    }
}
