//! The file `checkpoint`: the last checkpoint, with what witnesses have added to it.

use std::io::{self, Read};

use super::disk::Disk;
use crate::audit::checkpoint::SignedCheckpoint;

/// The file.
const NAME: &str = "checkpoint";

/// More bytes than any checkpoint has.
const LONGEST: u64 = 1 << 20;

/// Its text, if there is one.
pub(super) fn read(disk: &dyn Disk) -> io::Result<Option<String>> {
    if !disk.names()?.iter().any(|name| name == NAME) {
        return Ok(None);
    }
    let mut text = String::new();
    disk.read(NAME)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(Some(text))
}

/// Puts a checkpoint in the place of the one before, synced.
pub(super) fn keep(disk: &dyn Disk, checkpoint: &SignedCheckpoint) -> io::Result<()> {
    disk.replace(NAME, checkpoint.to_string().as_bytes())
}
