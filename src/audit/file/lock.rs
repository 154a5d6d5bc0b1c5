//! One writer for each log: a lock that the operating system takes off when its process ends, however it
//! ends, so that none is left behind by one that was killed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::process::HomeProcess;

/// The right to write to a log, as long as it lives.
pub(super) struct Lock {
    file: File,
    home: HomeProcess,
}

impl Lock {
    /// `None` if another has it, be it in this process.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        // Never removed: who locks a file that has just been removed would have a lock of its own.
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(try_lock(&file)?.then_some(Lock { file, home: HomeProcess::current() }))
    }
}

impl Drop for Lock {
    /// A process that is being started by this one has the file, too, for a moment: closing it here would leave
    /// the lock on as long. The child of a fork has the parent's lock, which it leaves on.
    fn drop(&mut self) {
        if self.home.is_current_for_sure() {
            unlock(&self.file);
        }
    }
}

#[cfg(std_file_lock)]
#[allow(clippy::incompatible_msrv, reason = "the build script has looked")]
fn unlock(file: &File) {
    // What can't be taken off goes when the file is closed.
    let _ = file.unlock();
}

#[cfg(not(std_file_lock))]
fn unlock(_: &File) {}

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

#[cfg(all(test, std_file_lock))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_owner_even_where_others_have_its_file_open() {
        let path = std::env::temp_dir().join(format!("hallpass-lock-{}", std::process::id()));
        let lock = Lock::take(&path).unwrap().unwrap();
        assert!(Lock::take(&path).unwrap().is_none());
        // As a process that was started meanwhile has it.
        let elsewhere = lock.file.try_clone().unwrap();
        drop(lock);
        assert!(Lock::take(&path).unwrap().is_some());
        drop(elsewhere);
        std::fs::remove_file(path).unwrap();
    }
}
