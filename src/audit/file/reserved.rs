//! Which numbers may have been given out, said on disk before they are.
//!
//! A process that is killed leaves numbers behind that nothing in the log has: of permits whose records
//! were buffered, or of denials that were never written. The next life begins after all of them, and says
//! so with a `void` record. Generations of tasks are counted from there, too.

use std::io;

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::open_error::OpenError;

/// The file that says it.
const NAME: &str = "reserved";

/// At least as many numbers beyond the last written one are reserved: twice as many as wait at most.
pub(super) const AHEAD: u64 = 1 << 17;

/// As many more are reserved at once, so that a million records wait for a disk about four times.
const BLOCK: u64 = 1 << 18;

/// Up to which number the log may have been used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reserved {
    through: u64,
}

impl Reserved {
    pub(super) fn read(disk: &dyn Disk) -> Result<Self, OpenError> {
        let failed = |error| OpenError::io("`reserved`", error);
        if !disk.names().map_err(failed)?.iter().any(|name| name == NAME) {
            return Ok(Reserved::default());
        }
        let mut text = String::new();
        io::Read::read_to_string(&mut disk.read(NAME).map_err(failed)?, &mut text)
            .map_err(failed)?;
        serde_json::from_str(&text).map_err(|_| OpenError::Reserved)
    }

    /// The last number that may have been used of a log whose last record is `last`. Where the file is lost
    /// or older than the log, as many as are ever reserved.
    pub(super) fn used_of(self, last: u64) -> Result<u64, OpenError> {
        match (last, self.through) {
            (0, 0) => Ok(0),
            // A log keeps its first record before any number is reserved, and never loses that.
            (0, _) => Err(OpenError::Missing { file: super::name_of(1) }),
            (last, through) if through >= last => Ok(through),
            (last, _) => Ok(last.saturating_add(AHEAD + BLOCK)),
        }
    }

    /// Reserves so far beyond `seq` that what waits behind it is reserved, too.
    pub(super) fn reserve(&mut self, disk: &dyn Disk, seq: u64) -> io::Result<()> {
        let wanted = seq.saturating_add(AHEAD);
        if self.through >= wanted {
            return Ok(());
        }
        self.set(disk, wanted.saturating_add(BLOCK))
    }

    /// Nothing beyond `seq` was used, and nothing will be.
    pub(super) fn give_back(&mut self, disk: &dyn Disk, seq: u64) -> io::Result<()> {
        self.set(disk, seq)
    }

    fn set(&mut self, disk: &dyn Disk, through: u64) -> io::Result<()> {
        let next = Reserved { through };
        disk.replace(NAME, format!("{{\"through\":{through}}}\n").as_bytes())?;
        *self = next;
        Ok(())
    }
}
