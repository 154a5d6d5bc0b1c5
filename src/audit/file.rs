//! The log on file.
//!
//! `docs/log-format.md` describes the files.

mod checkpointing;
mod disk;
mod follow;
mod growth;
mod hashes;
mod last_checkpoint;
mod layout;
mod lock;
mod open_error;
mod public;
mod reading;
mod receipts;
mod reserved;
mod resuming;
mod unwitnessed;
mod walk;
mod witnessing;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use self::checkpointing::Checkpointing;
use self::disk::{Disk, Folder};
use self::layout::{Head, name_of};
pub use self::open_error::OpenError;
pub use self::public::PublicExamination;
pub use self::reading::{Claims, Examination, Unlawful};
pub use self::receipts::ReceiptFailure;
use self::reserved::Reserved;
use self::resuming::Claim;
pub(crate) use self::resuming::Resuming;
use self::unwitnessed::{Allowance, LastSeen};
use self::walk::{End, Visitor, rest_of, walk};
pub use self::witnessing::Cosigned;
use self::writer::Writer;
use super::checkpoint::{SharedSigner, SignedCheckpoint, Signer, WitnessPolicy};
use super::verify::Reading;
use super::{
    Anchor, ChainTag, Durable, Entry, Fault, Kept, Origin, Record, Resumption, Sink, SinkError,
    Tail, Verification,
};
use crate::key::LogKeys;
use crate::process::HomeProcess;
use crate::sync::Mutex;

/// What a record that was accepted outlives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As fast as memory: a record holds while the process lives, and those of the last moments are lost
    /// with one that is killed.
    Buffered,
    /// A record that was accepted survives the process, however it ends.
    Flushed,
    /// A record that was accepted survives the machine. Threads that wait at the same time share one
    /// `fsync`.
    Synced,
}

/// What becomes of denials, ends and outcomes where there is no room for them. What gives access is denied
/// in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The log takes what the disk has. Once that is full, what is denied or ended is owed, in memory, until
    /// there is room again.
    Owe,
    /// The log takes at most `bytes`, and gives no more access once only `kept_for_ends` of them are left, so
    /// that what was given before can still be ended on record.
    StopAt {
        /// How many bytes all files may have together.
        bytes: u64,
        /// How many of them only denials, ends and outcomes may take.
        kept_for_ends: u64,
    },
}

/// When the next file is begun.
#[derive(Clone, Copy, Debug)]
struct Rotation {
    bytes: u64,
    age: Option<Duration>,
}

/// How a log on file is opened.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until `open` is called"]
pub struct FileLogOptions {
    durability: Durability,
    when_full: WhenFull,
    rotation: Rotation,
    anchor: Option<Anchor>,
    signer: Option<SharedSigner>,
    unwitnessed: Option<Allowance>,
}

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
        let rotation = Rotation { bytes: 64 << 20, age: None };
        FileLogOptions {
            durability,
            when_full,
            rotation,
            anchor: None,
            signer: None,
            unwitnessed: None,
        }
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

impl FileLogOptions {
    /// Begins the next file once one has this many bytes: at least 4,096.
    pub fn rotate_at(mut self, bytes: u64) -> Self {
        self.rotation.bytes = bytes;
        self
    }

    /// Begins the next file once the first record of one is this old: at least a second. Off unless set.
    pub fn rotate_after(mut self, age: Duration) -> Self {
        self.rotation.age = Some(age);
        self
    }

    /// Compares the log with an anchor that was kept elsewhere, and refuses one that ends before it or is
    /// another. Without one, records that were cut off the log's end are not missed, and the log says that
    /// it is unanchored.
    pub fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = Some(anchor);
        self
    }

    /// Has the log make [checkpoints](FileLog::checkpoint), signed by this, which has to be the same each time: also as it
    /// is closed. A log that is not what its last checkpoint has seen is refused, also where it was written with the right key.
    pub fn checkpoints(mut self, signer: impl Signer + 'static) -> Self {
        self.signer = Some(SharedSigner::new(signer));
        self
    }

    /// Refuses what gives access once the last checkpoint that a quorum of this policy has signed is older than `most`, by
    /// the broker's time and that of the witnesses; a log that begins has as long from its first record. Ends, outcomes
    /// and denials are recorded all the same. See [`FileLog::cosign`].
    pub fn witnessed_within(mut self, policy: WitnessPolicy, most: Duration) -> Self {
        self.unwitnessed = Some(Allowance { policy, most });
        self
    }

    /// Opens the log in a folder, which is created if it is absent, for one writer: verifies it with the
    /// keys there have been, and cuts off an incomplete last line, which is kept aside.
    ///
    /// # Errors
    /// [`OpenError`]: the log has a writer, or does not verify, in which case nothing of it is changed: the
    /// folder and its file `lock` are there after that, if they were not before.
    pub fn open(
        &self,
        folder: impl AsRef<Path>,
        keys: &LogKeys,
        origin: &Origin<'_>,
    ) -> Result<FileLog, OpenError> {
        if self.rotation.bytes < 4096 {
            return Err(OpenError::Setting(
                "`rotate_at` is too small, expected at least 4096 bytes",
            ));
        }
        if self.rotation.age.is_some_and(|age| age < Duration::from_secs(1)) {
            return Err(OpenError::Setting(
                "`rotate_after` is too short, expected at least a second",
            ));
        }
        if let WhenFull::StopAt { bytes, kept_for_ends } = self.when_full
            && kept_for_ends >= bytes
        {
            return Err(OpenError::Setting("`kept_for_ends` leaves nothing for what gives access"));
        }
        if let Some(Allowance { policy, .. }) = &self.unwitnessed {
            if self.signer.is_none() {
                return Err(OpenError::Setting("`witnessed_within` needs a signer: `checkpoints`"));
            }
            if !policy.needs_witnesses() {
                return Err(OpenError::Setting("`witnessed_within` needs a policy with a quorum"));
            }
        }
        let folder = Folder::to_write(folder.as_ref())
            .map_err(|error| OpenError::io("the folder", error))?
            .ok_or(OpenError::HasWriter)?;
        self.open_on(Arc::new(folder), keys, origin)
    }

    fn open_on(
        &self,
        disk: Arc<dyn Disk>,
        keys: &LogKeys,
        origin: &Origin<'_>,
    ) -> Result<FileLog, OpenError> {
        let content = Content::read(&*disk, keys, origin, self.anchor.as_ref())?;
        let checkpointing = self.signer.as_ref().map(|signer| {
            Checkpointing::open(disk.clone(), signer.share(), origin, &content).map(Arc::new)
        });
        let checkpointing = checkpointing.transpose()?;
        let Content { end, mut tail, resumption, verification } = content;
        let reserved = Reserved::read(&*disk)?;
        let last = tail.as_ref().map(|_| verification.anchor);
        let used = reserved.used_of(verification.anchor.seq)?;
        if end.torn > 0 {
            keep_aside(&*disk, &end, verification.anchor.seq + 1)
                .map_err(|error| OpenError::io("the incomplete last line", error))?;
        }
        let settings = (self.durability, self.when_full, self.rotation);
        let writer = Writer::new(disk, settings, &end, reserved, last)
            .map_err(|error| OpenError::io("the last file", error))?;
        if let Some(tail) = &mut tail {
            tail.used = used;
        }
        let last_checkpoint = checkpointing.as_deref().and_then(Checkpointing::last);
        let last_seen = self
            .unwitnessed
            .clone()
            .map(|allowance| LastSeen::new(allowance, tail.is_some(), last_checkpoint.as_ref()));
        let state =
            State { last_seen, writer, tail, resumption, claim: Claim::Free, durable: None };
        let state = Arc::new(Mutex::new(state));
        Ok(FileLog { state, checkpointing, home: HomeProcess::current() })
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

impl Visitor for Story<'_> {
    fn head(&mut self, head: &Head) -> Result<(), String> {
        let (seq, tag) = self.reading.stands_at();
        match (head.first, head.before) == (seq + 1, tag) {
            true => Ok(()),
            false => Err(format!("begins at record {}, expected {}", head.first, seq + 1)),
        }
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
