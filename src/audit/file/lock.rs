//! One writer for each log: a lock that the operating system takes off when its process ends, however it
//! ends, so that none is left behind by one that was killed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// The right to write to a log, as long as it lives.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// `None` if another has it, be it in this process.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        // Never removed: who locks a file that has just been removed would have a lock of its own.
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(try_lock(&file)?.then_some(Lock { _file: file }))
    }
}

#[cfg(std_file_lock)]
#[allow(clippy::incompatible_msrv, reason = "the build script has looked")]
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Without a lock that ends with its process, nothing is written.
#[cfg(not(std_file_lock))]
fn try_lock(_: &File) -> io::Result<bool> {
    let missing = "this build has no locks for files, expected Rust 1.89 or later";
    Err(io::Error::new(io::ErrorKind::Unsupported, missing))
}
