//! How a log on file is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::checkpointing::Checkpointing;
use super::disk::{Disk, Folder};
use super::durability::Durability;
use super::reserved::Reserved;
use super::resuming::Claim;
use super::rotation::Rotation;
use super::schedule::{Every, Schedule};
use super::unwitnessed::{Allowance, LastSeen};
use super::when_full::WhenFull;
use super::writer::Writer;
use super::{Content, FileLog, OpenError, State, keep_aside};
use crate::audit::checkpoint::{SharedSigner, Signer, WitnessPolicy};
use crate::audit::{Anchor, Origin};
use crate::key::LogKeys;
use crate::process::HomeProcess;
use crate::sync::Mutex;

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
    every: Option<Every>,
}

impl FileLogOptions {
    pub(super) fn new(durability: Durability, when_full: WhenFull) -> Self {
        let rotation = Rotation { bytes: 64 << 20, age: None };
        FileLogOptions {
            durability,
            when_full,
            rotation,
            anchor: None,
            signer: None,
            unwitnessed: None,
            every: None,
        }
    }

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

    /// Has the log make a checkpoint by itself where there is news and the oldest of it is `age` old by the broker's time, or
    /// is `records` numbers. It is looked at, and made, by the thread that has just written what was owed: the
    /// [reaper](crate::Broker::start_reaper), or one in [`Broker::flush`](crate::Broker::flush) or
    /// [`flush_within`](crate::Broker::flush_within), which takes as long as the signer does. Hosts with neither call
    /// [`FileLog::checkpoint_if_due`]. Off unless set; at least a second, and a record.
    pub fn checkpoint_every(mut self, age: Duration, records: u64) -> Self {
        self.every = Some(Every { age, records });
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
        if let Some(Every { age, records }) = self.every {
            if self.signer.is_none() {
                return Err(OpenError::Setting("`checkpoint_every` needs a signer: `checkpoints`"));
            }
            if age < Duration::from_secs(1) || records == 0 {
                return Err(OpenError::Setting(
                    "`checkpoint_every` is too often, expected at least a second and a record",
                ));
            }
        }
        let folder = Folder::to_write(folder.as_ref())
            .map_err(|error| OpenError::io("the folder", error))?
            .ok_or(OpenError::HasWriter)?;
        self.open_on(Arc::new(folder), keys, origin)
    }

    pub(super) fn open_on(
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
        let schedule = self.every.map(|every| Arc::new(Schedule::new(every)));
        Ok(FileLog { state, checkpointing, schedule, home: HomeProcess::current() })
    }
}
