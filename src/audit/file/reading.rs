//! Reading a log on file record by record, also while a broker writes to it: nothing of it is changed.

use std::io::BufRead;
use std::path::Path;

use super::disk::{Disk, Folder};
use super::layout::{Head, name_of, split_line};
use super::walk::{Visitor, walk};
use super::{Content, FileLog, OpenError, Story};
use crate::audit::verify::{Reading, check_numbers};
use crate::audit::{Anchor, ChainTag, Event, Fault, Origin, Record, Resumption, Verification};
use crate::key::LogKeys;

/// What the first record of a log says, which nothing has verified yet.
///
/// Who has the log's key needs it to know whose log to expect; whether it is true is shown by
/// [`FileLog::read`] with the issuer and audience that it names, and whether it is the log that was looked for by
/// comparing these with what one knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The log's id, in hexadecimal digits.
    pub log: String,
    /// The issuer of the broker whose log it is.
    pub issuer: String,
    /// Its audience.
    pub audience: String,
    /// The id of the key that the log begins under.
    pub key: String,
}

/// What a log that is intact amounts to, and what of it was unlawful.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Examination {
    /// Where the log stands, and which permits have no outcome.
    pub verification: Verification,
    /// What was going on when it ended.
    pub resumption: Resumption,
    /// What must not have been.
    pub unlawful: Unlawful,
}

/// How many faults are named one by one.
const NAMED: usize = 1000;

/// The records that say what must not have been.
#[derive(Clone, Debug, Default)]
pub struct Unlawful {
    faults: Vec<Fault>,
    count: u64,
}

impl Unlawful {
    pub(super) fn note(&mut self, fault: Fault) {
        self.count += 1;
        if self.faults.len() < NAMED {
            self.faults.push(fault);
        }
    }

    /// The first thousand, in their order.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl FileLog {
    /// As [`read`](FileLog::read), and hands over each record once its tag has been verified, with the number of bytes
    /// that the log has up to there.
    ///
    /// ```
    /// # use hallpass::audit::{Durability, Explainer, FileLog, Origin, WhenFull};
    /// # use hallpass::key::{LogKeys, SecretKey};
    /// # use hallpass::prelude::*;
    /// # let folder = std::env::temp_dir().join(format!("hallpass-each-{}", std::process::id()));
    /// # let secret = || SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>());
    /// # let keys = LogKeys::from_secret(secret()?);
    /// # let origin = Origin::new("acme", "payments");
    /// # let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    /// # let log = options.open(&folder, &keys, &origin)?;
    /// # let builder = Broker::builder(Policy::builder().build()?).issuer("acme").audience("payments");
    /// # let broker = builder.log_keys(LogKeys::from_secret(secret()?)).resume_from(&log).build()?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # broker.open_named("pay-bill", &agent, Purpose::new("pay-bill"))?.complete();
    /// # broker.close(std::time::Duration::from_secs(1));
    /// let mut explainer = Explainer::of_task("pay-bill");
    /// FileLog::read_each(&folder, &keys, &origin, None, |record, _| {
    ///     explainer.note(record);
    /// })?;
    /// let stories = explainer.finish();
    /// assert!(stories[0].to_string().contains("`agent-7` opened task `pay-bill`"), "{}", stories[0]);
    /// # drop((broker, log));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](FileLog::read). What was handed over before is in the log; what comes after is not known.
    pub fn read_each(
        folder: impl AsRef<Path>,
        keys: &LogKeys,
        origin: &Origin<'_>,
        anchor: Option<&Anchor>,
        mut each: impl FnMut(&Record, u64),
    ) -> Result<(Verification, Resumption), OpenError> {
        let disk = Folder::to_read(folder.as_ref());
        let story = Story::of(Reading::new(keys, origin), anchor, &mut each);
        let content = Content::of(&disk, story)?;
        Ok((content.verification, content.resumption))
    }

    /// As [`read_each`](FileLog::read_each), and reads on where what a record says is unlawful: whether a log is the one
    /// that was written, whether it is all that was written, and whether what it says was lawful are three questions.
    ///
    /// # Errors
    /// [`OpenError`] where the log is not intact, or ends before its anchor.
    pub fn examine(
        folder: impl AsRef<Path>,
        keys: &LogKeys,
        origin: &Origin<'_>,
        anchor: Option<&Anchor>,
        mut each: impl FnMut(&Record, u64),
    ) -> Result<Examination, OpenError> {
        let disk = Folder::to_read(folder.as_ref());
        let mut unlawful = Unlawful::default();
        let mut story = Story::of(Reading::new(keys, origin), anchor, &mut each);
        story.unlawful = Some(&mut unlawful);
        let Content { verification, resumption, .. } = Content::of(&disk, story)?;
        Ok(Examination { verification, resumption, unlawful })
    }

    /// Hands over the records of a log whose key is not to be had: nothing shows that they are the ones that were
    /// written. Only their order is looked at.
    ///
    /// # Errors
    /// [`OpenError`] of what is not a log, or lacks a record.
    pub fn read_unverified(
        folder: impl AsRef<Path>,
        mut each: impl FnMut(&Record, u64),
    ) -> Result<(), OpenError> {
        let disk = Folder::to_read(folder.as_ref());
        let mut visitor = Unverified { order: Order::default(), bytes: 0, each: &mut each };
        walk(&disk, &mut visitor).map(drop)
    }

    /// As [`read_unverified`](FileLog::read_unverified), with each record's line as it stands in the log, and its tag: for
    /// copies of them, as an `Exporter` writes them.
    ///
    /// # Errors
    /// [`OpenError`] of what is not a log, or lacks a record.
    pub fn read_lines(
        folder: impl AsRef<Path>,
        mut each: impl FnMut(&Record, &str, &ChainTag),
    ) -> Result<(), OpenError> {
        let disk = Folder::to_read(folder.as_ref());
        let mut lines = Lines { order: Order::default(), each: &mut each };
        walk(&disk, &mut lines).map(drop)
    }

    /// What the first record of a log claims; `None` where there is no record.
    ///
    /// # Errors
    /// [`OpenError`] if the folder can't be read, or its first file does not begin a log.
    pub fn claims(folder: impl AsRef<Path>) -> Result<Option<Claims>, OpenError> {
        claims_of(&Folder::to_read(folder.as_ref()))
    }
}

/// What the first record of a log claims; `None` where there is no record.
pub(super) fn claims_of(disk: &dyn Disk) -> Result<Option<Claims>, OpenError> {
    let file = name_of(1);
    let failed = |error| OpenError::io(&file, error);
    match disk.names() {
        Ok(names) if names.contains(&file) => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let malformed =
        |line, what: &str| OpenError::Line { file: file.clone(), line, what: what.to_owned() };
    let mut lines = disk.read(&file).map_err(failed)?.lines();
    let Some(head) = lines.next() else { return Ok(None) };
    Head::read(&head.map_err(failed)?).map_err(|what| malformed(1, &what))?;
    let Some(line) = lines.next() else { return Ok(None) };
    let (line, mut record) = (line.map_err(failed)?, String::new());
    split_line(&line, &mut record).ok_or_else(|| malformed(2, "does not end in a tag"))?;
    match Record::from_line(&record) {
        Ok(Record { event: Event::LogStarted { log, issuer, audience, key }, .. }) => {
            let [log, issuer, audience, key] =
                [log, issuer, audience, key].map(|text| text.into_owned());
            Ok(Some(Claims { log, issuer, audience, key }))
        }
        _ => Err(malformed(2, "does not begin a log")),
    }
}

/// The order of a log's records, which is all that can be looked at without its key.
#[derive(Debug, Default)]
pub(super) struct Order {
    seq: u64,
    tag: Option<ChainTag>,
}

impl Order {
    pub(super) fn head(&self, head: &Head) -> Result<(), String> {
        match (head.first, head.before) == (self.seq + 1, self.tag) {
            true => Ok(()),
            false => Err(format!("begins at record {}, expected {}", head.first, self.seq + 1)),
        }
    }

    /// The next record, as it stands.
    pub(super) fn follow(&mut self, line: &str, tag: ChainTag) -> Result<Record, Fault> {
        let seq = self.seq + 1;
        let record = Record::from_line(line).map_err(|_| Fault::Unreadable { seq })?;
        check_numbers(seq, &record)?;
        (self.seq, self.tag) = (record.seq, Some(tag));
        Ok(record)
    }
}

/// What is said of a log without its key.
struct Unverified<'e> {
    order: Order,
    bytes: u64,
    each: &'e mut dyn FnMut(&Record, u64),
}

impl Visitor for Unverified<'_> {
    fn head(&mut self, head: &Head) -> Result<(), String> {
        self.order.head(head)
    }

    fn record(&mut self, line: &str, tag: ChainTag) -> Result<(), Fault> {
        let record = self.order.follow(line, tag)?;
        self.bytes += super::layout::length_in_file(line);
        (self.each)(&record, self.bytes);
        Ok(())
    }
}

/// The same, with lines and tags.
struct Lines<'e> {
    order: Order,
    each: &'e mut dyn FnMut(&Record, &str, &ChainTag),
}

impl Visitor for Lines<'_> {
    fn head(&mut self, head: &Head) -> Result<(), String> {
        self.order.head(head)
    }

    fn record(&mut self, line: &str, tag: ChainTag) -> Result<(), Fault> {
        let record = self.order.follow(line, tag)?;
        (self.each)(&record, line, &tag);
        Ok(())
    }
}
