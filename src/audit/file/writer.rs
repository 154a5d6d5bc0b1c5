//! Writing to the last file of a log.
//!
//! INVARIANT: the first `length` bytes of the file are whole lines of records that were accepted, and all
//! that were, but for those in `unwritten`. What a failed write has left after them is cut off before
//! anything else is written, so that no record is there twice.

mod plain;

use std::io;
use std::sync::Arc;

use self::plain::{Mark, PlainFile};
use super::disk::{Disk, DiskFile};
use super::durability::Durability;
use super::follow::Position;
use super::layout::{Head, name_of, push_line, time_of};
use super::reserved::{self, Reserved};
use super::rotation::Rotation;
use super::walk::End;
use super::when_full::WhenFull;
use crate::audit::{Anchor, ChainTag, Durable, Entry, SinkError};
use crate::process::HomeProcess;

/// As many bytes a buffered log keeps in memory before it writes them: enough that writing costs little
/// a record.
const BUFFERED: usize = 1 << 16;

/// Who has the right to write to a log.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    durability: Durability,
    when_full: WhenFull,
    rotation: Rotation,
    reserved: Reserved,
    file: Box<dyn DiskFile>,
    number: u64,
    /// The time of the file's first record.
    began: Option<u64>,
    /// How many bytes of the file are whole lines.
    length: u64,
    /// How many bytes the files before it have.
    before: u64,
    /// Lines that were accepted and are not in the file yet: of a buffered log alone.
    unwritten: Vec<u8>,
    /// The lines of one batch.
    lines: Vec<u8>,
    plain: PlainFile,
    last: Option<Anchor>,
    /// While a batch is written: how many bytes were unwritten before it, and how long the files were.
    undecided: Option<(usize, u64, Mark)>,
    /// Something may stand after `length`.
    torn: bool,
    /// Something of what stands before `length` may be lost with the machine.
    unsynced: bool,
    /// Set once the broker was closed: what says which number it gave out last.
    closed: Option<Durable>,
    /// Synced bytes may be lost: nothing is accepted until the log is opened again.
    broken: bool,
    /// Whose files they are: the child of a fork has them open, and what is unwritten twice.
    home: HomeProcess,
}

impl Writer {
    /// Goes on where the files end, whose last record is `last`; begins the first file if there is none.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        (durability, when_full, rotation): (Durability, WhenFull, Rotation),
        end: &End,
        reserved: Reserved,
        last: Option<Anchor>,
    ) -> io::Result<Self> {
        let number = end.file.max(1);
        let (file, length) = if end.length == 0 {
            let first = last.map_or(0, |last| last.seq) + 1;
            begin_file(&*disk, number, first, last.map(|last| last.tag))?
        } else {
            (disk.append_to(&name_of(number))?, end.length)
        };
        let plain = PlainFile::after(&*disk)?;
        Ok(Writer {
            plain,
            disk,
            durability,
            when_full,
            rotation,
            reserved,
            file,
            number,
            began: end.began,
            length,
            before: end.before,
            unwritten: Vec::new(),
            lines: Vec::new(),
            last,
            undecided: None,
            torn: false,
            // What the process before has written may not be synced.
            unsynced: true,
            closed: None,
            broken: false,
            home: HomeProcess::current(),
        })
    }

    /// The number of the last record; 0 before the first.
    pub(super) fn last_seq(&self) -> u64 {
        self.last.map_or(0, |last| last.seq)
    }

    /// Accepts a batch whole, or refuses it whole; of the one that begins the log, its first record alone.
    /// Returns how many records it has accepted.
    ///
    /// Numbers are reserved only once that first record is kept for good. So a log without records whose
    /// numbers are reserved is one that was deleted, whatever fails on the way.
    pub(super) fn append(&mut self, batch: &[Entry<'_>]) -> Result<usize, SinkError> {
        let batch = if self.last.is_some() { batch } else { batch.get(..1).unwrap_or(batch) };
        let Some((first, end)) = batch.first().zip(batch.last()) else {
            return Err(SinkError::new("the batch is empty"));
        };
        self.mend().map_err(refusal)?;
        if self.broken {
            return Err(SinkError::new(
                "the disk lost what it was asked to keep: open the log again",
            ));
        }
        let mut last = self.last.map_or(0, |last| last.seq);
        for entry in batch {
            if !entry.follows(last) {
                return Err(SinkError::new("the record does not follow the last one"));
            }
            last = entry.seq;
        }
        self.rotate_if_due(time_of(first.line), first.first).map_err(refusal)?;
        if self.last.is_some() {
            self.reserved.reserve(&*self.disk, end.seq).map_err(refusal)?;
        }
        self.lines.clear();
        for entry in batch {
            push_line(&mut self.lines, entry.line, entry.tag);
        }
        self.check_room(batch)?;
        self.write(batch)?;
        self.began = self.began.or_else(|| time_of(first.line));
        self.last = Some(Anchor { seq: end.seq, tag: *end.tag });
        Ok(batch.len())
    }

    /// Leaves room for what takes access away.
    fn check_room(&self, batch: &[Entry<'_>]) -> Result<(), SinkError> {
        let WhenFull::StopAt { bytes, kept_for_ends } = self.when_full else { return Ok(()) };
        let plain = self.plain.bytes() + PlainFile::bytes_of(batch);
        let own = (self.unwritten.len() + self.lines.len()) as u64;
        let taken = self.before + self.length + own + plain;
        let gives = batch.iter().any(|entry| entry.gives_access);
        let most = if gives { bytes.saturating_sub(kept_for_ends) } else { bytes };
        match taken <= most {
            true => Ok(()),
            false => Err(SinkError::new("the log is full")),
        }
    }

    /// Writes the lines of a batch as durably as is asked for.
    fn write(&mut self, batch: &[Entry<'_>]) -> Result<(), SinkError> {
        // Before the write: a disk that panics leaves something behind, too.
        self.undecided = Some((self.unwritten.len(), self.length, self.plain.mark()));
        self.plain.push(batch);
        self.unwritten.extend_from_slice(&self.lines);
        // What the log begins with is kept before anything depends on it.
        let begins = self.last.is_none();
        let answer = match self.durability {
            Durability::Buffered if self.unwritten.len() < BUFFERED && !begins => Ok(()),
            _ if begins => self.write_out().and_then(|()| self.sync()),
            Durability::Synced => self.write_out().and_then(|()| self.sync()),
            Durability::Buffered | Durability::Flushed => self.write_out(),
        };
        match answer {
            Ok(()) => {
                self.undecided = None;
                Ok(())
            }
            Err(error) => {
                // At once where it can be done, so that a reader does not see it.
                let _ = self.mend();
                Err(refusal(error))
            }
        }
    }

    /// Writes what was accepted. Where that fails, all of it stays to be written again.
    pub(super) fn write_out(&mut self) -> io::Result<()> {
        self.plain.write_out(&*self.disk)?;
        if self.unwritten.is_empty() {
            return Ok(());
        }
        (self.torn, self.unsynced) = (true, true);
        self.file.append(&self.unwritten)?;
        self.torn = false;
        self.length += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    /// A disk that fails to sync may have dropped what it was given, and says so once: nothing that
    /// follows can be believed.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let was = std::mem::replace(&mut self.broken, true);
        self.plain.sync()?;
        self.file.sync()?;
        (self.broken, self.unsynced) = (was, false);
        Ok(())
    }

    /// Syncs all that was accepted, whatever the durability, and says where it ends; `None` before the first
    /// record.
    ///
    /// # Errors
    /// Where the disk fails, or has: then no byte is known to be kept.
    pub(super) fn settle(&mut self) -> io::Result<Option<(Position, Anchor)>> {
        self.mend()?;
        if self.broken {
            return Err(io::Error::other("the disk lost what it was asked to keep"));
        }
        let Some(last) = self.last else { return Ok(None) };
        self.write_out()?;
        if self.unsynced {
            self.sync()?;
        }
        Ok(Some((Position { file: self.number, offset: self.length }, last)))
    }

    /// Takes a batch back that was refused, and cuts off what it has left. What was accepted before it
    /// stays; where that was not written before, nothing of the batch was synced.
    fn mend(&mut self) -> io::Result<()> {
        if let Some((unwritten, length, plain)) = self.undecided.take() {
            self.plain.take_back(plain);
            self.unwritten.truncate(unwritten);
            self.torn |= self.length != length;
            self.length = length;
        }
        self.plain.mend()?;
        if self.torn {
            self.file.cut(self.length)?;
            self.torn = false;
        }
        Ok(())
    }

    fn rotate_if_due(&mut self, at: Option<u64>, first: u64) -> io::Result<()> {
        // A file with nothing but its head is never full.
        let Some(began) = self.began else { return Ok(()) };
        let length = self.length + self.unwritten.len() as u64;
        let age = at.unwrap_or(began).saturating_sub(began);
        let old = self.rotation.age.is_some_and(|most| u128::from(age) >= most.as_millis());
        if length < self.rotation.bytes && !old {
            return Ok(());
        }
        self.write_out()?;
        // Before the next file is there, so that only the last one is ever incomplete.
        self.sync()?;
        let tag = self.last.map(|last| last.tag);
        let (file, length) = begin_file(&*self.disk, self.number + 1, first, tag)?;
        self.plain.end_file();
        self.file = file;
        self.number += 1;
        self.before += self.length;
        self.length = length;
        self.began = None;
        Ok(())
    }

    /// The broker was closed. It may still give out numbers, to denials and to outcomes of what runs, so
    /// those that are reserved stay so while it lives; `given` says the last one then.
    pub(super) fn close(&mut self, given: Option<Durable>) -> io::Result<()> {
        self.closed = given;
        self.mend()?;
        self.write_out()?;
        self.sync()
    }

    /// Reserves no more than was given out, once the broker is gone that was closed: the next life goes on
    /// right after that.
    fn give_back(&mut self) -> io::Result<()> {
        match self.closed.as_ref().and_then(Durable::last_given) {
            // Before the first record is there, nothing is reserved.
            Some(through) if self.last.is_some() => self.reserved.give_back(&*self.disk, through),
            _ => Ok(()),
        }
    }
}

impl Drop for Writer {
    /// A buffered log writes what it has accepted, if the disk lets it.
    fn drop(&mut self) {
        if !self.home.is_current_for_sure() {
            return;
        }
        if self.mend().is_ok() && !self.broken {
            let _ = self.write_out().and_then(|()| self.give_back());
        }
    }
}

/// Creates a file and writes its head, so that it survives the machine before a record is in it. One that
/// was begun before and not used is begun anew.
fn begin_file(
    disk: &dyn Disk,
    number: u64,
    first: u64,
    before: Option<ChainTag>,
) -> io::Result<(Box<dyn DiskFile>, u64)> {
    let mut file = disk.append_to(&name_of(number))?;
    let head = Head::new(number, first, before).line();
    file.cut(0)?;
    file.append(head.as_bytes())?;
    file.sync()?;
    disk.sync_names()?;
    Ok((file, head.len() as u64))
}

fn refusal(error: io::Error) -> SinkError {
    SinkError::new(&error.to_string())
}

/// More numbers than wait in a broker at most are reserved beyond the last one that was written.
const _: () = assert!(reserved::AHEAD > 65_536);
