//! Checkpoints of a log on file, made by the process that writes it.
//!
//! INVARIANTS: a checkpoint is over lines that are synced, and is synced itself before it leaves; each is over the lines
//! of the one before and more. So no crash makes a log that does not begin as a checkpoint of it says.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::disk::Disk;
use super::follow::Position;
use super::growth::Growth;
use super::last_checkpoint;
use super::public::examine;
use super::reading::claims_of;
use super::{Content, FileLog, OpenError};
use crate::audit::checkpoint::{
    Checkpoint, CheckpointFailure, CheckpointFault, SignedCheckpoint, Signer, VerifierKey,
    origin_of,
};
use crate::audit::{LogId, Origin};
use crate::sync::Mutex;

/// What makes checkpoints.
pub(super) struct Checkpointing {
    disk: Arc<dyn Disk>,
    signer: Arc<dyn Signer>,
    issuer: Box<str>,
    audience: Box<str>,
    made: Mutex<Made>,
}

/// What there is of checkpoints.
struct Made {
    growth: Growth,
    /// What the log is called, once it has begun.
    key: Option<VerifierKey>,
    last: Option<SignedCheckpoint>,
    /// How many lines each witness has seen, as far as this process knows.
    seen_by: BTreeMap<String, u64>,
}

impl Checkpointing {
    /// Compares the last checkpoint with a log that has verified.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        signer: Arc<dyn Signer>,
        origin: &Origin<'_>,
        content: &Content,
    ) -> Result<Self, OpenError> {
        let log = content.verification.log.as_ref();
        let key = log.map(|log| VerifierKey::of_log(&origin_of(log, origin), signer.public_key()));
        let failed = |error| OpenError::io("`checkpoint`", error);
        let last = match (last_checkpoint::read(&*disk).map_err(failed)?, &key) {
            (None, _) => None,
            // A log keeps its first record before it has a checkpoint.
            (Some(_), None) => return Err(OpenError::Missing { file: super::name_of(1) }),
            (Some(note), Some(key)) => {
                Some(SignedCheckpoint::verify(&note, key).map_err(CheckpointFault::from)?)
            }
        };
        let end = Position { file: content.end.file, offset: content.end.length };
        let size = last.as_ref().map_or(0, SignedCheckpoint::size);
        let (growth, root) =
            Growth::open(&*disk, end, size).map_err(|error| OpenError::io("the log", error))?;
        if let (Some(last), Some(key)) = (&last, &key)
            && root != Some(last.checkpoint().root)
        {
            // It names the record at fault.
            examine(&*disk, key, &[], &mut |_, _| {})?;
            let to = content.verification.anchor.seq;
            return Err(CheckpointFault::ChangedWithin { from: 1, to, size }.into());
        }
        let made = Mutex::new(Made { growth, key, last, seen_by: BTreeMap::new() });
        let (issuer, audience) = (origin.issuer().into(), origin.audience().into());
        Ok(Checkpointing { disk, signer, issuer, audience, made })
    }

    /// Makes a checkpoint over all that the log has, unless the last one is.
    fn make(&self, log: &FileLog, made: &mut Made) -> Result<SignedCheckpoint, CheckpointFailure> {
        let settled = log.state.lock().writer.settle()?;
        let Some((end, last)) = settled else { return Err(CheckpointFailure::Empty) };
        made.growth.grow(&*self.disk, end, last)?;
        let size = made.growth.size();
        if let Some(last) = made.last.as_ref().filter(|last| last.size() == size) {
            return Ok(last.clone());
        }
        let origin = self.key(made)?.name().to_owned();
        let checkpoint = Checkpoint::new(origin, size, made.growth.root());
        let signed = SignedCheckpoint::sign(&checkpoint, &*self.signer)?;
        last_checkpoint::keep(&*self.disk, &signed)?;
        Ok(made.last.insert(signed).clone())
    }

    /// The last checkpoint.
    pub(super) fn last(&self) -> Option<SignedCheckpoint> {
        self.made.lock().last.clone()
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// How many lines a witness has seen; 0 where that is not known.
    pub(super) fn size_seen_by(&self, witness: &str) -> u64 {
        self.made.lock().seen_by.get(witness).copied().unwrap_or_default()
    }

    pub(super) fn note_seen_by(&self, witness: &str, size: u64) {
        self.made.lock().seen_by.insert(witness.to_owned(), size);
    }

    /// Keeps what was signed by others with the last checkpoint, synced, unless there is a later one by now.
    pub(super) fn keep_signed(&self, signed: SignedCheckpoint) -> io::Result<SignedCheckpoint> {
        let mut made = self.made.lock();
        let Some(last) = made.last.as_ref().filter(|last| last.size() == signed.size()) else {
            return Ok(signed);
        };
        let both = last.clone().and_signatures(signed.others());
        if both != *last {
            last_checkpoint::keep(&*self.disk, &both)?;
            made.last = Some(both.clone());
        }
        Ok(both)
    }

    fn key(&self, made: &mut Made) -> io::Result<VerifierKey> {
        if let Some(key) = &made.key {
            return Ok(key.clone());
        }
        let log: Option<LogId> =
            claims_of(&*self.disk).ok().flatten().and_then(|claims| claims.log.parse().ok());
        let log = log.ok_or_else(|| io::Error::other("its first record does not begin a log"))?;
        let name = origin_of(&log, &Origin::new(&self.issuer, &self.audience));
        Ok(made.key.insert(VerifierKey::of_log(&name, self.signer.public_key())).clone())
    }
}

impl FileLog {
    /// Makes a checkpoint over all records that the log has accepted, which it syncs first, whatever its durability.
    /// Where nothing was recorded since the last one, gives that one.
    ///
    /// Give checkpoints to somebody else: they pin the log down only where its keeper can't take them back. Records are
    /// read back and hashed by the thread that calls this; threads that write wait for
    /// the sync alone.
    ///
    /// ```
    /// use hallpass::audit::{Durability, FileLog, LogSigner, Origin, SignedCheckpoint, WhenFull};
    /// use hallpass::key::{LogKeys, SecretKey};
    /// use hallpass::prelude::*;
    ///
    /// # let folder = std::env::temp_dir().join(format!("hallpass-checkpoint-{}", std::process::id()));
    /// let keys = LogKeys::generate()?;
    /// let options = FileLog::options(Durability::Buffered, WhenFull::Owe)
    ///     .checkpoints(LogSigner::from_secret(SecretKey::generate()?));
    /// let log = options.open(&folder, &keys, &Origin::new("acme", "payments"))?;
    /// let builder = Broker::builder(Policy::builder().build()?).issuer("acme").audience("payments");
    /// let broker = builder.log_keys(keys).resume_from(&log).build()?;
    /// broker.control().halt(hallpass::Halt::Everything);
    /// broker.flush();
    /// let checkpoint = log.checkpoint()?;
    /// assert_eq!(checkpoint.size(), 3);
    ///
    /// // A stranger, to whom the public key was given before, can check it.
    /// let key = log.verifier_key().ok_or("the log has begun")?;
    /// let read = SignedCheckpoint::verify(&checkpoint.to_string(), &key)?;
    /// assert!(read.checkpoint().origin.starts_with("acme/payments/"));
    /// assert_eq!(FileLog::examine_public(&folder, &key, &[read], |_, _| {})?.covered, 3);
    /// # drop((broker, log));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CheckpointFailure`]. The log goes on.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, CheckpointFailure> {
        let own = self.checkpointing()?;
        let mut made = own.made.lock();
        own.make(self, &mut made)
    }

    /// The key under which the log's checkpoints verify, once it has its first record; nothing where it makes none.
    #[must_use]
    pub fn verifier_key(&self) -> Option<VerifierKey> {
        let own = self.checkpointing().ok()?;
        own.key(&mut own.made.lock()).ok()
    }

    /// As the log is closed: unless another thread is making one, which may take its time.
    pub(super) fn checkpoint_at_end(&self) {
        if let Some(own) = &self.checkpointing
            && let Some(mut made) = own.made.try_lock()
        {
            // What can't be signed now is signed when the log is opened again.
            let _ = own.make(self, &mut made);
        }
    }

    pub(super) fn checkpointing(&self) -> Result<&Checkpointing, CheckpointFailure> {
        self.check_process().map_err(|error| io::Error::other(error.to_string()))?;
        self.checkpointing.as_deref().ok_or(CheckpointFailure::NoSigner)
    }
}
