//! Plain values next to the log: files of their own, `plain-N.jsonl`, so that values can be erased and the log stays whole.
//!
//! A line is written, and synced, before the record that commits to it. What a crash leaves of one whose record never
//! came is read by no one: a value counts only with its record.

use std::io;

use super::super::disk::{Disk, DiskFile};
use crate::audit::Entry;
use crate::audit::plain_reader::number_of;

/// The file that values of this life are appended to; none is begun before there is one.
#[derive(Default)]
pub(super) struct PlainFile {
    file: Option<Box<dyn DiskFile>>,
    /// How many bytes of it are whole lines.
    length: u64,
    unwritten: Vec<u8>,
    /// The record of the first line in `unwritten`.
    first: u64,
    /// Something may stand after `length`.
    torn: bool,
    unsynced: bool,
    /// How many bytes the files before it have.
    before: u64,
}

/// Where the file stood.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    length: u64,
    unwritten: usize,
}

impl PlainFile {
    /// Goes on after the files of earlier lives, which are left as they are.
    pub(super) fn after(disk: &dyn Disk) -> io::Result<Self> {
        let mut before = 0;
        for name in disk.names()?.iter().filter(|name| number_of(name).is_some()) {
            before += io::copy(&mut *disk.read(name)?, &mut io::sink())?;
        }
        Ok(PlainFile { before, ..PlainFile::default() })
    }

    /// How many bytes there are in all files, what is not written yet included.
    pub(super) fn bytes(&self) -> u64 {
        self.before + self.length + self.unwritten.len() as u64
    }

    /// How many bytes a batch brings.
    pub(super) fn bytes_of(batch: &[Entry<'_>]) -> u64 {
        batch.iter().filter_map(|entry| entry.plain).map(|line| line.len() as u64 + 1).sum()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.length, unwritten: self.unwritten.len() }
    }

    pub(super) fn push(&mut self, batch: &[Entry<'_>]) {
        for (entry, line) in batch.iter().filter_map(|entry| Some((entry, entry.plain?))) {
            if self.unwritten.is_empty() {
                self.first = entry.seq;
            }
            self.unwritten.extend_from_slice(line.as_bytes());
            self.unwritten.push(b'\n');
        }
    }

    pub(super) fn write_out(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(begin(disk, self.first)?),
        };
        (self.torn, self.unsynced) = (true, true);
        file.append(&self.unwritten)?;
        self.torn = false;
        self.length += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_mut().filter(|_| self.unsynced) {
            file.sync()?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Takes back what came after a mark. What was accepted before and written since stays.
    pub(super) fn take_back(&mut self, mark: Mark) {
        if self.length > mark.length {
            self.length = mark.length + mark.unwritten as u64;
            self.torn = true;
        } else {
            self.unwritten.truncate(mark.unwritten);
        }
    }

    /// Cuts off what a failed write has left.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_mut().filter(|_| self.torn) {
            file.cut(self.length)?;
        }
        self.torn = false;
        Ok(())
    }

    /// Has the next value begin the next file, so that a file of values is of the records of one file of the log.
    pub(super) fn end_file(&mut self) {
        if self.file.take().is_some() {
            self.before += self.length;
            self.length = 0;
        }
    }
}

/// Creates a file for the values of record `first` and later ones.
fn begin(disk: &dyn Disk, first: u64) -> io::Result<Box<dyn DiskFile>> {
    let taken = disk.names()?;
    let mut name = format!("plain-{first:010}");
    // What was kept before stays.
    while taken.contains(&format!("{name}.jsonl")) {
        name.push('+');
    }
    let mut file = disk.append_to(&format!("{name}.jsonl"))?;
    file.cut(0)?;
    file.sync()?;
    disk.sync_names()?;
    Ok(file)
}
