//! Following a log while a broker writes it: what was added since it was last looked at, verified as it comes.

use std::io::{self, BufRead, Read};
use std::path::Path;

use super::disk::{Disk, Folder};
use super::layout::{Head, name_of, number_of, split_line};
use super::reading::Order;
use super::walk::LONGEST;
use super::{FileLog, OpenError, Unlawful};
use crate::audit::verify::Reading;
use crate::audit::{Anchor, ChainTag, Fault, Origin, Record};
use crate::key::LogKeys;

/// A log that is followed while a broker writes it. Nothing of it is changed, and its writer is not held up.
///
/// A line is looked at once it is whole. A writer whose disk refused a part of a batch cuts that part off again, so what
/// was handed over may be taken back: [`read`](Self::read) is then an error, as where the log was changed. Follow it anew
/// from its beginning to know which of the two it was: what was taken back is not there, and what was changed is found
/// again.
pub struct FollowedLog<'k> {
    disk: Box<dyn Disk>,
    follows: Follows<'k>,
    anchor: Option<&'k Anchor>,
    /// The file that is read, counted from 1, how many bytes of it were, and how many lines those are.
    file: u64,
    offset: u64,
    line: u64,
}

/// What lines are compared with.
pub(super) enum Follows<'k> {
    Chain(Box<Reading<'k>>, Unlawful),
    Order(Order),
}

impl FileLog {
    /// A log that is to be followed, as [`examine`](FileLog::examine) reads one that is at rest.
    ///
    /// ```
    /// # use hallpass::audit::{Durability, Event, FileLog, Origin, WhenFull};
    /// # use hallpass::key::{LogKeys, SecretKey};
    /// # use hallpass::prelude::*;
    /// # let folder = std::env::temp_dir().join(format!("hallpass-follow-{}", std::process::id()));
    /// # let secret = || SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>());
    /// # let keys = LogKeys::from_secret(secret()?);
    /// # let origin = Origin::new("acme", "payments");
    /// # let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    /// # let log = options.open(&folder, &keys, &origin)?;
    /// # let builder = Broker::builder(Policy::builder().build()?).issuer("acme").audience("payments");
    /// # let broker = builder.log_keys(LogKeys::from_secret(secret()?)).resume_from(&log).build()?;
    /// let mut followed = FileLog::follow(&folder, &keys, &origin, None);
    /// followed.read(|_| {})?;
    ///
    /// let agent = broker.assert_identity("agent-7")?;
    /// let task = broker.open_named("pay-bill", &agent, Purpose::new("pay-bill"))?;
    /// let mut opened = Vec::new();
    /// followed.read(|record| opened.extend(record.event.task().map(str::to_owned)))?;
    /// assert_eq!(opened, ["pay-bill"]);
    /// # task.complete();
    /// # drop((broker, log));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn follow<'k>(
        folder: impl AsRef<Path>,
        keys: &'k LogKeys,
        origin: &'k Origin<'k>,
        anchor: Option<&'k Anchor>,
    ) -> FollowedLog<'k> {
        let disk = Box::new(Folder::to_read(folder.as_ref()));
        FollowedLog::verified(disk, keys, origin, anchor)
    }

    /// As [`follow`](FileLog::follow), of a log whose key is not to be had: nothing shows that its records are the ones
    /// that were written. Only their order is looked at.
    #[must_use]
    pub fn follow_unverified(folder: impl AsRef<Path>) -> FollowedLog<'static> {
        let disk = Box::new(Folder::to_read(folder.as_ref()));
        FollowedLog::from_start(disk, Follows::Order(Order::default()), None)
    }
}

impl<'k> FollowedLog<'k> {
    pub(super) fn verified(
        disk: Box<dyn Disk>,
        keys: &'k LogKeys,
        origin: &'k Origin<'k>,
        anchor: Option<&'k Anchor>,
    ) -> Self {
        let reading = Box::new(Reading::new(keys, origin));
        FollowedLog::from_start(disk, Follows::Chain(reading, Unlawful::default()), anchor)
    }

    pub(super) fn from_start(
        disk: Box<dyn Disk>,
        follows: Follows<'k>,
        anchor: Option<&'k Anchor>,
    ) -> Self {
        FollowedLog { disk, follows, anchor, file: 1, offset: 0, line: 0 }
    }

    /// The records that say what must not have been, as far as the log was read. Without its key none are known.
    #[must_use]
    pub fn unlawful(&self) -> Option<&Unlawful> {
        match &self.follows {
            Follows::Chain(_, unlawful) => Some(unlawful),
            Follows::Order(_) => None,
        }
    }

    /// Hands over each record that was added, in their order. An incomplete last line is left for the next time.
    ///
    /// # Errors
    /// [`OpenError`] of what is not the log that was written, ends before its anchor, or is shorter than it was. What was
    /// handed over before may have been taken back.
    pub fn read(&mut self, mut each: impl FnMut(&Record)) -> Result<(), OpenError> {
        loop {
            // Looked for before the file is read to its end: a file that has a next one is not written to.
            let is_last = self.is_last()?;
            let torn = self.read_file(&mut each)?;
            if is_last {
                return self.check_anchor();
            }
            match (torn, self.offset) {
                (true, _) => return Err(self.malformed("has no end")),
                (false, 0) => return Err(self.malformed("is missing")),
                (false, _) => {}
            }
            (self.file, self.offset, self.line) = (self.file + 1, 0, 0);
        }
    }

    /// Whether no file comes after the one that is read.
    fn is_last(&self) -> Result<bool, OpenError> {
        let names = self.disk.names().map_err(|error| OpenError::io("the folder", error))?;
        let files: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
        let last = files.iter().max().copied().unwrap_or_default();
        let needed = self.file..=last.clamp(self.file, self.file + 1);
        for file in needed {
            if !files.contains(&file) {
                return Err(OpenError::Missing { file: name_of(file) });
            }
        }
        Ok(last <= self.file)
    }

    /// Reads what was added to the file: whether an incomplete line is left at its end.
    fn read_file(&mut self, each: &mut impl FnMut(&Record)) -> Result<bool, OpenError> {
        let name = name_of(self.file);
        let failed = |error: io::Error| OpenError::io(&name, error);
        let disk = &*self.disk;
        let mut reader = disk.read_from(&name, self.offset.saturating_sub(1)).map_err(failed)?;
        // The end of the line before is where it was, or the file was cut.
        let mut end = [0];
        if self.offset > 0 {
            let read = reader.read(&mut end).map_err(failed)?;
            if (read, end) != (1, *b"\n") {
                return Err(malformed(&name, self.line, "was there before, and is not any more"));
            }
        }
        let (mut bytes, mut text) = (Vec::new(), String::new());
        loop {
            bytes.clear();
            let read =
                (&mut *reader).take(LONGEST).read_until(b'\n', &mut bytes).map_err(failed)?;
            let line = self.line + 1;
            if bytes.pop() != Some(b'\n') {
                return match read as u64 {
                    LONGEST => Err(malformed(&name, line, "has no end")),
                    read => Ok(read > 0),
                };
            }
            let whole =
                std::str::from_utf8(&bytes).map_err(|_| malformed(&name, line, "is not UTF-8"))?;
            if line == 1 {
                let head = Head::read(whole).map_err(|what| malformed(&name, line, &what))?;
                if head.file != self.file {
                    let what = format!("is that of file {}", head.file);
                    return Err(malformed(&name, line, &what));
                }
                self.follows.head(&head).map_err(|what| malformed(&name, line, &what))?;
            } else {
                let tag = split_line(whole, &mut text)
                    .ok_or_else(|| malformed(&name, line, "does not end in a tag"))?;
                let record = self.follows.record(&text, tag, self.anchor);
                let record =
                    record.map_err(|fault| OpenError::Fault { file: name.clone(), line, fault })?;
                each(&record);
            }
            self.offset += read as u64;
            self.line = line;
        }
    }

    /// A log that is written to has what its anchor has seen.
    fn check_anchor(&self) -> Result<(), OpenError> {
        match (&self.follows, self.anchor) {
            (Follows::Chain(reading, _), Some(anchor)) if anchor.seq > reading.stands_at().0 => {
                let seq = reading.stands_at().0 + 1;
                Err(OpenError::Anchor(Fault::Cut { seq, anchored: anchor.seq }))
            }
            _ => Ok(()),
        }
    }

    fn malformed(&self, what: &str) -> OpenError {
        malformed(&name_of(self.file), self.line + 1, what)
    }
}

impl Follows<'_> {
    fn head(&self, head: &Head) -> Result<(), String> {
        match self {
            Follows::Chain(reading, _) => super::check_head(reading, head),
            Follows::Order(order) => order.head(head),
        }
    }

    fn record(
        &mut self,
        line: &str,
        tag: ChainTag,
        anchor: Option<&Anchor>,
    ) -> Result<Record, Fault> {
        match self {
            Follows::Chain(reading, unlawful) => {
                let record = reading.read_intact(line, tag, anchor)?;
                if let Err(fault) = reading.judge(&record) {
                    unlawful.note(fault);
                }
                Ok(record)
            }
            Follows::Order(order) => order.follow(line, tag),
        }
    }
}

fn malformed(file: &str, line: u64, what: &str) -> OpenError {
    OpenError::Line { file: file.to_owned(), line, what: what.to_owned() }
}

impl std::fmt::Debug for FollowedLog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FollowedLog { file, offset, line, .. } = self;
        let mut shown = f.debug_struct("FollowedLog");
        shown.field("file", file).field("offset", offset).field("line", line);
        shown.finish_non_exhaustive()
    }
}
