//! Receipts of records of a log on file.

use std::io::{self, BufRead};
use std::path::Path;

use super::disk::{Disk, Folder};
use super::layout::{Head, name_of, number_of, split_line};
use super::{FileLog, OpenError, hashes, last_checkpoint};
use crate::audit::ChainTag;
use crate::audit::checkpoint::{
    CheckpointError, Receipt, ReceiptError, SignedCheckpoint, VerifierKey,
};
use crate::audit::tree::inclusion;

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptFailure {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// There is no checkpoint, or none of the log of this key.
    #[error("the log has no checkpoint of this key: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// There is no checkpoint.
    #[error("the log has no checkpoint yet, expected one made with `checkpoint`")]
    NoCheckpoint,
    /// No record has the number.
    #[error("the log has no record {seq}")]
    NoRecord {
        /// The number.
        seq: u64,
    },
    /// The record came after the checkpoint.
    #[error("no checkpoint covers record {seq} yet")]
    NotCovered {
        /// The number.
        seq: u64,
    },
    /// The record or the hashes of the tree on file are not those that the checkpoint has seen.
    #[error(
        "record {seq} has no proof: the record, or the file `tree`, is not what the checkpoint has seen"
    )]
    NoProof {
        /// The number.
        seq: u64,
    },
}

/// A record, and where it stands.
struct Found {
    seq: u64,
    index: u64,
    line: String,
    tag: ChainTag,
}

impl FileLog {
    /// Receipts of the records of these numbers, under the checkpoint that lies with the log: proofs to anyone who has the
    /// log's public key that the log had them. Of a number that a record stands for together with others, that record's.
    ///
    /// The log may have a writer. Lines of files without one of the records are counted, and not read.
    ///
    /// ```
    /// # use hallpass::audit::{Durability, FileLog, LogSigner, Origin, Receipt, WhenFull};
    /// # use hallpass::key::{LogKeys, SecretKey};
    /// # use hallpass::prelude::*;
    /// # let folder = std::env::temp_dir().join(format!("hallpass-receipt-{}", std::process::id()));
    /// # let keys = LogKeys::generate()?;
    /// # let options = FileLog::options(Durability::Buffered, WhenFull::Owe)
    /// #     .checkpoints(LogSigner::from_secret(SecretKey::generate()?));
    /// # let log = options.open(&folder, &keys, &Origin::new("acme", "payments"))?;
    /// # let builder = Broker::builder(Policy::builder().build()?).issuer("acme").audience("payments");
    /// # let broker = builder.log_keys(keys).resume_from(&log).build()?;
    /// broker.control().halt(hallpass::Halt::Everything);
    /// broker.flush();
    /// log.checkpoint()?;
    /// let key = log.verifier_key().ok_or("the log has begun")?;
    /// let receipts = FileLog::receipts(&folder, &key, &[3])?;
    ///
    /// // Somebody else, with the text and the key alone.
    /// let receipt = Receipt::verify(&receipts[0].to_string(), &key)?;
    /// assert!(receipt.line().contains(r#""kind":"halted""#));
    /// # drop((broker, log));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ReceiptFailure`], for the first record of which there is none.
    pub fn receipts(
        folder: impl AsRef<Path>,
        key: &VerifierKey,
        records: &[u64],
    ) -> Result<Vec<Receipt>, ReceiptFailure> {
        make(&Folder::to_read(folder.as_ref()), key, records)
    }
}

pub(super) fn make(
    disk: &dyn Disk,
    key: &VerifierKey,
    records: &[u64],
) -> Result<Vec<Receipt>, ReceiptFailure> {
    let note = last_checkpoint::read(disk).map_err(|error| OpenError::io("`checkpoint`", error))?;
    let note = note.ok_or(ReceiptFailure::NoCheckpoint)?;
    let checkpoint = SignedCheckpoint::verify(&note, key)?;
    let mut wanted = records.to_vec();
    // Numbers begin at 1: the first record does not stand for 0.
    wanted.retain(|seq| *seq > 0);
    wanted.sort_unstable();
    let found = find(disk, &wanted)?;
    let of_number = |seq: &u64| {
        let found = found.iter().find(|found| found.seq == *seq);
        let found = found.ok_or(ReceiptFailure::NoRecord { seq: *seq })?;
        receipt_of(disk, found, &checkpoint)
    };
    records.iter().map(of_number).collect()
}

fn receipt_of(
    disk: &dyn Disk,
    found: &Found,
    checkpoint: &SignedCheckpoint,
) -> Result<Receipt, ReceiptFailure> {
    let (seq, index) = (found.seq, found.index);
    let no_proof = ReceiptFailure::NoProof { seq };
    let path = match inclusion(index, checkpoint.size(), &mut |place| hashes::read_at(disk, place))
    {
        Ok(Some(path)) => path,
        Ok(None) => return Err(ReceiptFailure::NotCovered { seq }),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(no_proof),
        Err(error) => return Err(OpenError::io("`tree`", error).into()),
    };
    match Receipt::new(found.line.clone(), found.tag, (index, path), checkpoint.clone()) {
        Ok(receipt) => Ok(receipt),
        Err(ReceiptError::Checkpoint(error)) => Err(error.into()),
        Err(_) => Err(no_proof),
    }
}

/// Finds the records of these numbers, which rise.
fn find(disk: &dyn Disk, wanted: &[u64]) -> Result<Vec<Found>, OpenError> {
    let failed = |error| OpenError::io("the folder", error);
    let mut files: Vec<u64> =
        disk.names().map_err(failed)?.iter().filter_map(|name| number_of(name)).collect();
    files.sort_unstable();
    let mut wanted = wanted.iter().copied().peekable();
    let (mut found, mut leaves) = (Vec::new(), 0);
    for (at, file) in files.iter().enumerate() {
        if *file != at as u64 + 1 {
            return Err(OpenError::Missing { file: name_of(at as u64 + 1) });
        }
        // Records before the first of the next file are in this one, or are none.
        let next = files.get(at + 1).map(|next| first_of(disk, *next)).transpose()?.flatten();
        let is_here = wanted.peek().is_some_and(|seq| next.is_none_or(|next| *seq < next));
        leaves += match is_here {
            true => search(disk, *file, leaves, &mut wanted, &mut found)?,
            false => count(disk, *file)?,
        };
    }
    Ok(found)
}

/// The first number of a file; nothing where its head is not written whole yet.
fn first_of(disk: &dyn Disk, file: u64) -> Result<Option<u64>, OpenError> {
    let name = name_of(file);
    let mut head = String::new();
    let reader = disk.read(&name).and_then(|mut reader| reader.read_line(&mut head));
    reader.map_err(|error| OpenError::io(&name, error))?;
    match head.strip_suffix('\n') {
        None => Ok(None),
        Some(line) => Head::read(line)
            .map(|head| Some(head.first))
            .map_err(|what| OpenError::Line { file: name, line: 1, what }),
    }
}

/// How many records a file has.
fn count(disk: &dyn Disk, file: u64) -> Result<u64, OpenError> {
    let name = name_of(file);
    let failed = |error| OpenError::io(&name, error);
    let mut reader = disk.read(&name).map_err(failed)?;
    let mut lines = 0_u64;
    loop {
        let bytes = reader.fill_buf().map_err(failed)?;
        if bytes.is_empty() {
            return Ok(lines.saturating_sub(1));
        }
        lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let read = bytes.len();
        reader.consume(read);
    }
}

/// Looks for records in a file before which there are as many leaves; returns how many it has.
fn search(
    disk: &dyn Disk,
    file: u64,
    leaves: u64,
    wanted: &mut std::iter::Peekable<impl Iterator<Item = u64>>,
    found: &mut Vec<Found>,
) -> Result<u64, OpenError> {
    let name = name_of(file);
    let failed = |error| OpenError::io(&name, error);
    let mut reader = disk.read(&name).map_err(failed)?;
    let (mut bytes, mut line, mut number) = (Vec::new(), String::new(), 0);
    loop {
        bytes.clear();
        reader.read_until(b'\n', &mut bytes).map_err(failed)?;
        // What is at the end without one is not a line yet.
        if bytes.pop() != Some(b'\n') {
            return Ok(u64::saturating_sub(number, 1));
        }
        number += 1;
        if number == 1 {
            continue;
        }
        let malformed =
            |what: &str| OpenError::Line { file: name.clone(), line: number, what: what.into() };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed("is not UTF-8"))?;
        let tag = split_line(text, &mut line).ok_or_else(|| malformed("does not end in a tag"))?;
        let seq = seq_of(&line).ok_or_else(|| malformed("does not begin with its number"))?;
        // The first one with that number or a higher one stands for it.
        while let Some(wanted) = wanted.next_if(|wanted| *wanted <= seq) {
            let (line, index) = (line.clone(), leaves + number - 2);
            found.push(Found { seq: wanted, index, line, tag });
        }
    }
}

/// The number that a record's line begins with.
fn seq_of(line: &str) -> Option<u64> {
    line.strip_prefix(r#"{"seq":"#)?.split(',').next()?.parse().ok()
}
