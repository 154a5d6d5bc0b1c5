//! Reading a log with public keys alone.

use std::path::Path;

use super::disk::{Disk, Folder};
use super::hashes::StoredHashes;
use super::last_checkpoint;
use super::layout::{Head, length_in_file};
use super::walk::{Visitor, walk};
use super::{FileLog, OpenError};
use crate::audit::checkpoint::{
    CheckpointError, CheckpointFault, SignedCheckpoint, VerifierKey, origin_of,
};
use crate::audit::tree::{Frontier, TreeHash, leaf_of};
use crate::audit::verify::check_numbers;
use crate::audit::{ChainTag, Event, Fault, LogId, Origin, Record};

/// What public keys show of a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PublicExamination {
    /// The number of the last record that a checkpoint covers; 0 where there is no checkpoint. Up to there each record is the
    /// one that was there when the checkpoint was signed.
    pub covered: u64,
    /// The number of the last record. Of those that no checkpoint covers, nothing is shown.
    pub last: u64,
    /// The checkpoint over the most records.
    pub checkpoint: Option<SignedCheckpoint>,
    /// How many bytes of an incomplete line stand at the end.
    pub torn: Option<u64>,
}

impl FileLog {
    /// Reads a log without its key, and compares it with the checkpoint that lies with it and with all that are `seen`
    /// elsewhere. Each record is handed over with the number of bytes up to it, before it is compared.
    ///
    /// What this can't show: that the lines not covered yet are as they were written, and that the owner of the log's
    /// key did not write another log before the first checkpoint left.
    ///
    /// # Errors
    /// [`OpenError`] of what is not a log, lacks a record, or is not what a checkpoint has seen; and where `seen` has
    /// a checkpoint of another log.
    pub fn examine_public(
        folder: impl AsRef<Path>,
        key: &VerifierKey,
        seen: &[SignedCheckpoint],
        mut each: impl FnMut(&Record, u64),
    ) -> Result<PublicExamination, OpenError> {
        examine(&Folder::to_read(folder.as_ref()), key, seen, &mut each)
    }
}

pub(super) fn examine(
    disk: &dyn Disk,
    key: &VerifierKey,
    seen: &[SignedCheckpoint],
    each: &mut dyn FnMut(&Record, u64),
) -> Result<PublicExamination, OpenError> {
    // Before the lines: what a writer adds meanwhile is covered by no checkpoint that is read here.
    let own = last_checkpoint::read(disk).map_err(|error| OpenError::io("`checkpoint`", error))?;
    let own = own.map(|note| SignedCheckpoint::verify(&note, key)).transpose();
    let mut checkpoints: Vec<SignedCheckpoint> =
        own.map_err(CheckpointFault::from)?.into_iter().collect();
    if let Some(other) = seen.iter().find(|other| other.key() != key) {
        let (found, expected) = (other.key().to_string(), key.to_string());
        let foreign = CheckpointError::Foreign { found, expected };
        return Err(CheckpointFault::from(foreign).into());
    }
    checkpoints.extend_from_slice(seen);
    checkpoints.sort_by_key(SignedCheckpoint::size);
    for (one, next) in checkpoints.iter().zip(checkpoints.iter().skip(1)) {
        if one.size() == next.size() && one.checkpoint().root != next.checkpoint().root {
            return Err(CheckpointFault::Split { size: one.size() }.into());
        }
    }
    let stored = StoredHashes::of(disk).map_err(|error| OpenError::io("`tree`", error))?;
    let compared = Compared::new(key.name(), checkpoints, stored);
    let mut reading = PublicReading { seq: 0, tag: None, bytes: 0, compared, each };
    let end = walk(disk, &mut reading)?;
    let PublicReading { seq, compared, .. } = reading;
    let (checkpoint, covered) = compared.end()?;
    let torn = (end.torn > 0).then_some(end.torn);
    Ok(PublicExamination { covered, last: seq, checkpoint, torn })
}

/// Lines, in the order in which they stand.
struct PublicReading<'e, 'd> {
    seq: u64,
    tag: Option<ChainTag>,
    bytes: u64,
    compared: Compared<'d>,
    each: &'e mut dyn FnMut(&Record, u64),
}

impl Visitor for PublicReading<'_, '_> {
    fn head(&mut self, head: &Head) -> Result<(), String> {
        match (head.first, head.before) == (self.seq + 1, self.tag) {
            true => Ok(()),
            false => Err(format!("begins at record {}, expected {}", head.first, self.seq + 1)),
        }
    }

    fn record(&mut self, line: &str, tag: ChainTag) -> Result<(), Fault> {
        let seq = self.seq + 1;
        let record = Record::from_line(line).map_err(|_| Fault::Unreadable { seq })?;
        check_numbers(seq, &record)?;
        match (seq, &record.event) {
            (1, Event::LogStarted { .. }) => {}
            (1, _) => return Err(Fault::Headless),
            (_, Event::LogStarted { .. }) => return Err(Fault::StartedAgain { seq }),
            _ => {}
        }
        (self.seq, self.tag) = (record.seq, Some(tag));
        self.bytes += length_in_file(line);
        self.compared.note(&record, leaf_of(line, &tag));
        (self.each)(&record, self.bytes);
        Ok(())
    }
}

/// A log as far as it was read, against the checkpoints of it.
struct Compared<'d> {
    origin: String,
    /// Those that are still to be reached, the largest first.
    ahead: Vec<SignedCheckpoint>,
    /// The last one that was reached, and the number of the last record below it.
    reached: Option<SignedCheckpoint>,
    covered: u64,
    lines: Frontier,
    /// What the file `tree` says the leaves are: shown by a root that they make, and by nothing else.
    claimed: Frontier,
    stored: StoredHashes<'d>,
    /// The first record whose leaf is another than the file says.
    differs: Option<u64>,
    fault: Option<CheckpointFault>,
}

impl<'d> Compared<'d> {
    fn new(origin: &str, mut ahead: Vec<SignedCheckpoint>, stored: StoredHashes<'d>) -> Self {
        ahead.reverse();
        Compared {
            origin: origin.to_owned(),
            ahead,
            reached: None,
            covered: 0,
            lines: Frontier::default(),
            claimed: Frontier::default(),
            stored,
            differs: None,
            fault: None,
        }
    }

    fn note(&mut self, record: &Record, leaf: TreeHash) {
        if self.lines.size() == 0 {
            self.begin(record);
        }
        let said = self.stored.next();
        if said != Some(leaf) && self.differs.is_none() {
            self.differs = Some(record.seq);
        }
        self.lines.push(leaf, |_| {});
        // The nodes that the file has after a leaf are what leaves make of themselves.
        let mut nodes = 0;
        self.claimed.push(said.unwrap_or(leaf), |_| nodes += 1);
        for _ in 1..nodes {
            let _ = self.stored.next();
        }
        while let Some(next) = self.ahead.pop_if(|next| next.size() <= self.lines.size()) {
            self.reach(next, record.seq);
        }
    }

    /// The first record names the log.
    fn begin(&mut self, record: &Record) {
        let Event::LogStarted { log, issuer, audience, .. } = &record.event else { return };
        let id: Result<LogId, _> = log.parse();
        let found = id.map(|id| origin_of(&id, &Origin::new(issuer, audience))).unwrap_or_default();
        if found != self.origin {
            let expected = self.origin.clone();
            self.fault = Some(CheckpointFault::Foreign { found, expected });
        }
    }

    fn reach(&mut self, next: SignedCheckpoint, seq: u64) {
        let checkpoint = next.checkpoint();
        let size = checkpoint.size;
        // There is but one root of no records, and it covers none.
        if size == 0 {
            self.reached = Some(next);
            return;
        }
        if checkpoint.root == self.lines.root() {
            self.covered = seq;
            self.reached = Some(next);
            return;
        }
        let found = match self.differs {
            // The leaves of the file are those that were signed, so the first other one is known.
            Some(seq) if checkpoint.root == self.claimed.root() => {
                CheckpointFault::Changed { seq, size }
            }
            _ => CheckpointFault::ChangedWithin { from: self.covered + 1, to: seq, size },
        };
        self.fault.get_or_insert(found);
    }

    fn end(mut self) -> Result<(Option<SignedCheckpoint>, u64), CheckpointFault> {
        if let Some(next) = self.ahead.last().filter(|next| next.size() > self.lines.size()) {
            let (records, size) = (self.lines.size(), next.size());
            self.fault.get_or_insert(CheckpointFault::Cut { records, size });
        }
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok((self.reached, self.covered)),
        }
    }
}
