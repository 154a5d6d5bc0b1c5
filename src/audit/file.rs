//! The log on file.
//!
//! `docs/log-format.md` describes the files.

mod checkpointing;
mod disk;
mod durability;
mod follow;
mod followed;
mod growth;
mod hashes;
mod last_checkpoint;
mod layout;
mod lock;
mod open_error;
mod options;
mod public;
mod reading;
mod receipts;
mod reserved;
mod resuming;
mod rotation;
mod schedule;
mod unwitnessed;
mod walk;
mod when_full;
mod witnessing;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use self::checkpointing::Checkpointing;
use self::disk::Disk;
pub use self::durability::Durability;
pub use self::followed::FollowedLog;
use self::layout::{Head, name_of};
pub use self::open_error::OpenError;
pub use self::options::FileLogOptions;
pub use self::public::PublicExamination;
pub use self::reading::{Claims, Examination, Unlawful};
pub use self::receipts::ReceiptFailure;
use self::resuming::Claim;
pub(crate) use self::resuming::Resuming;
use self::schedule::Schedule;
use self::unwitnessed::LastSeen;
use self::walk::{End, Visitor, rest_of, walk};
pub use self::when_full::WhenFull;
pub use self::witnessing::Cosigned;
use self::writer::Writer;
use super::checkpoint::SignedCheckpoint;
use super::verify::Reading;
use super::{
    Anchor, ChainTag, Durable, Entry, Fault, Kept, Origin, Record, Resumption, Sink, SinkError,
    Tail, Verification,
};
use crate::clock::Timestamp;
use crate::key::LogKeys;
use crate::process::HomeProcess;
use crate::sync::Mutex;

/// A log on file, in a folder of its own. Clones share it.
///
/// Opening one verifies all of it, and refuses what does not verify. A broker goes on where it ends with
/// [`BrokerBuilder::resume_from`](crate::BrokerBuilder::resume_from).
///
/// ```
/// use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
/// use hallpass::key::{LogKeys, SecretKey};
/// use hallpass::prelude::*;
///
/// # let folder = std::env::temp_dir().join(format!("hallpass-doc-{}", std::process::id()));
/// # let secret = || SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>());
/// let origin = Origin::new("acme", "payments");
/// let keys = || Ok::<_, Box<dyn std::error::Error>>(LogKeys::from_secret(secret()?));
/// let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
///
/// let log = options.open(&folder, &keys()?, &origin)?;
/// let builder = Broker::builder(Policy::builder().build()?).issuer("acme").audience("payments");
/// let broker = builder.log_keys(keys()?).resume_from(&log).build()?;
/// let agent = broker.assert_identity("agent-7")?;
/// let task = broker.open(&agent, Purpose::new("pay-bill"))?;
/// broker.control().halt(hallpass::Halt::tool("bank.pay")?);
/// task.complete();
/// broker.close(std::time::Duration::from_secs(1));
/// drop((broker, log));
///
/// // Later, perhaps in another process.
/// let log = options.open(&folder, &keys()?, &origin)?;
/// let builder = Broker::builder(Policy::builder().build()?).issuer("acme").audience("payments");
/// let broker = builder.log_keys(keys()?).resume_from(&log).build()?;
/// assert_eq!(broker.control().halts(), [hallpass::Halt::tool("bank.pay")?]);
/// # drop((broker, log));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileLog {
    state: Arc<Mutex<State>>,
    /// Nothing where the log was opened without a signer.
    checkpointing: Option<Arc<Checkpointing>>,
    /// Nothing where checkpoints are made when the host asks for them alone.
    schedule: Option<Arc<Schedule>>,
    home: HomeProcess,
}

struct State {
    writer: Writer,
    /// How the files end, until a broker goes on from there, and what was going on then.
    tail: Option<Tail>,
    resumption: Resumption,
    claim: Claim,
    /// When witnesses have seen the log, where access hangs from that.
    last_seen: Option<LastSeen>,
    /// Of the broker that goes on: says which number it gave out last.
    durable: Option<Durable>,
}

impl FileLog {
    /// Options for a log of this durability, which does this when it is full: both are for a host to choose,
    /// so neither has a default. A file is followed by the next at 64 MiB.
    pub fn options(durability: Durability, when_full: WhenFull) -> FileLogOptions {
        FileLogOptions::new(durability, when_full)
    }

    /// Reads and verifies a log that may have a writer, whose access has to have been lawful, too; changes nothing. An incomplete last line is left
    /// out, and said.
    ///
    /// # Errors
    /// [`OpenError`], which names the file, the line and the record at fault.
    pub fn read(
        folder: impl AsRef<Path>,
        keys: &LogKeys,
        origin: &Origin<'_>,
        anchor: Option<&Anchor>,
    ) -> Result<(Verification, Resumption), OpenError> {
        FileLog::read_each(folder, keys, origin, anchor, |_, _| {})
    }
}

impl FileLog {
    /// Notes who has seen a checkpoint, where access hangs from that.
    fn note_witnessed(&self, checkpoint: &SignedCheckpoint) {
        if let Some(last_seen) = &mut self.state.lock().last_seen {
            last_seen.note(Some(checkpoint));
        }
    }
}

/// Puts an incomplete last line into a file of its own and cuts it off.
fn keep_aside(disk: &dyn Disk, end: &End, seq: u64) -> std::io::Result<()> {
    let name = name_of(end.file);
    let torn = rest_of(disk, &name, end.length)?;
    let taken = disk.names()?;
    let mut aside = format!("torn-{seq}");
    // What was kept before stays.
    while taken.contains(&aside) {
        aside.push('+');
    }
    disk.replace(&aside, &torn)?;
    let mut file = disk.append_to(&name)?;
    file.cut(end.length)?;
    file.sync()
}

/// What the files of a log say.
struct Content {
    end: End,
    tail: Option<Tail>,
    resumption: Resumption,
    verification: Verification,
}

impl Content {
    fn read(
        disk: &dyn Disk,
        keys: &LogKeys,
        origin: &Origin<'_>,
        anchor: Option<&Anchor>,
    ) -> Result<Self, OpenError> {
        let each: &mut dyn FnMut(&Record, u64) = &mut |_, _| {};
        Content::of(disk, Story::of(Reading::without_access(keys, origin), anchor, each))
    }

    /// What is left of a story that was read to its end.
    fn of(disk: &dyn Disk, mut story: Story<'_>) -> Result<Self, OpenError> {
        let anchor = story.anchor;
        let mut end = walk(disk, &mut story)?;
        let Story { reading, mut resumption, before, .. } = story;
        let verification = reading.end(anchor).map_err(OpenError::Anchor)?;
        let (line, tag) = (std::mem::take(&mut end.line), verification.anchor.tag);
        let has_records = verification.anchor.seq > 0;
        let tail = has_records.then_some(Tail { before, line, tag, used: 0 });
        resumption.torn = (end.torn > 0).then_some(end.torn);
        resumption.anchored = anchor.is_some();
        Ok(Content { end, tail, resumption, verification })
    }
}

/// What the lines of a log say, as far as they were read.
struct Story<'r> {
    reading: Reading<'r>,
    anchor: Option<&'r Anchor>,
    resumption: Resumption,
    /// The tag of the record before the last one.
    before: Option<ChainTag>,
    bytes: u64,
    /// Is handed each record that verifies, and how many bytes there are up to it.
    each: &'r mut dyn FnMut(&Record, u64),
    /// What is unlawful is noted here, where it does not end the reading.
    unlawful: Option<&'r mut Unlawful>,
}

impl<'r> Story<'r> {
    fn of(
        reading: Reading<'r>,
        anchor: Option<&'r Anchor>,
        each: &'r mut dyn FnMut(&Record, u64),
    ) -> Self {
        let (resumption, before, bytes, unlawful) = (Resumption::default(), None, 0, None);
        Story { reading, anchor, resumption, before, bytes, each, unlawful }
    }
}

/// Whether a file begins where what was read before ends.
fn check_head(reading: &Reading<'_>, head: &Head) -> Result<(), String> {
    let (seq, tag) = reading.stands_at();
    match (head.first, head.before) == (seq + 1, tag) {
        true => Ok(()),
        false => Err(format!("begins at record {}, expected {}", head.first, seq + 1)),
    }
}

impl Visitor for Story<'_> {
    fn head(&mut self, head: &Head) -> Result<(), String> {
        check_head(&self.reading, head)
    }

    fn record(&mut self, line: &str, tag: ChainTag) -> Result<(), Fault> {
        (_, self.before) = self.reading.stands_at();
        let key = self.reading.key();
        let record = self.reading.read_intact(line, tag, self.anchor)?;
        match (self.reading.judge(&record), &mut self.unlawful) {
            (Ok(()), _) => {}
            (Err(fault), Some(unlawful)) => unlawful.note(fault),
            (Err(fault), None) => return Err(fault),
        }
        self.resumption.note(&record, key);
        self.bytes += layout::length_in_file(line);
        (self.each)(&record, self.bytes);
        Ok(())
    }
}

impl Sink for FileLog {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.check_process()?;
        self.state.lock().claim()
    }

    fn report_to(&self, durable: Durable) {
        self.state.lock().durable = Some(durable);
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let mut state = self.state.lock();
        if let Some(last_seen) = &mut state.last_seen {
            last_seen.check(batch)?;
        }
        state.writer.append(batch).map(Kept::now)
    }

    fn maintain(&self, now: Timestamp) {
        // Kept for who asks, and tried again.
        let _ = self.checkpoint_if_due(now);
    }

    fn closed(&self, _through: u64) {
        let mut state = self.state.lock();
        let durable = state.durable.clone();
        // What can't be written now is written when the log is dropped, or was refused.
        let _ = state.writer.close(durable);
        drop(state);
        self.checkpoint_at_end();
    }
}

impl fmt::Debug for FileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
