//! Receipts: a record, and the proof that a log had it (C2SP `tlog-proof`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{CheckpointError, SignedCheckpoint, VerifierKey};
use crate::audit::tree::{included, leaf_of};
use crate::audit::{ChainTag, Record, TreeHash};

/// The first line.
const FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// A record of a log, with what shows to anyone with the log's public key that the log had it when the checkpoint was
/// signed.
///
/// It shows what was recorded, and not that it is true; and not that nothing else was.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    line: String,
    tag: ChainTag,
    record: Record,
    index: u64,
    path: Vec<TreeHash>,
    checkpoint: SignedCheckpoint,
}

/// Why a receipt shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The text is not a receipt.
    #[error("not a receipt: {0}")]
    NotAReceipt(&'static str),
    /// Its checkpoint is not one of the log that was expected.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The record is not the one of that index under the checkpoint.
    #[error("the record is not in the log of its checkpoint, or stands elsewhere in it")]
    NotIncluded,
}

impl Receipt {
    /// Reads a receipt, and verifies that the record is one of the log of this key. Nothing that it says is looked at
    /// before the leaf that is made of it has its proof.
    ///
    /// # Errors
    /// [`ReceiptError`]: what is wrong with it.
    pub fn verify(text: &str, key: &VerifierKey) -> Result<Self, ReceiptError> {
        let malformed = ReceiptError::NotAReceipt;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(malformed("no empty line stands before its checkpoint"))?;
        let checkpoint = SignedCheckpoint::verify(note, key)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FORMAT) {
            return Err(malformed("its first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let extra = extra.ok_or(malformed("its second line is not `extra` with the record"))?;
        let (line, tag) = read_entry(extra).ok_or(malformed(
            "`extra` is not the length of a record's line, the line, and its tag, in base64",
        ))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index =
            index.and_then(|text| text.parse().ok().filter(|own: &u64| own.to_string() == text));
        let index = index.ok_or(malformed("its third line is not `index` with a number"))?;
        let path: Result<Vec<TreeHash>, _> = lines.map(str::parse).collect();
        let path = path.map_err(|_| malformed("a line of its proof is not a hash in base64"))?;
        Receipt::new(line, tag, (index, path), checkpoint)
    }

    /// A receipt of what has its proof.
    pub(in crate::audit) fn new(
        line: String,
        tag: ChainTag,
        (index, path): (u64, Vec<TreeHash>),
        checkpoint: SignedCheckpoint,
    ) -> Result<Self, ReceiptError> {
        let tree = (checkpoint.size(), checkpoint.checkpoint().root);
        if !included(leaf_of(&line, &tag), index, tree, &path) {
            return Err(ReceiptError::NotIncluded);
        }
        let record = Record::from_line(&line)
            .map_err(|_| ReceiptError::NotAReceipt("what it is of is not a record"))?;
        Ok(Receipt { line, tag, record, index, path, checkpoint })
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The record's line, as it stands in the log.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The checkpoint, with the signatures of others that came with it: a
    /// [`WitnessPolicy`](super::WitnessPolicy) says what they are worth.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

/// The record's line and tag.
fn read_entry(extra: &str) -> Option<(String, ChainTag)> {
    let bytes = STANDARD.decode(extra).ok()?;
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (line, tag) = rest.split_last_chunk::<32>()?;
    if u64::from_be_bytes(*length) != line.len() as u64 {
        return None;
    }
    Some((str::from_utf8(line).ok()?.to_owned(), ChainTag::from_bytes(*tag)))
}

/// The `tlog-proof`.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = (self.line.len() as u64).to_be_bytes();
        let entry = [&length[..], self.line.as_bytes(), self.tag.as_bytes()].concat();
        writeln!(f, "{FORMAT}\nextra {}\nindex {}", STANDARD.encode(entry), self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
