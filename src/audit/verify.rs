//! Whether a log is the one that was written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Anchor, ChainKey, ChainTag, Event, Record};

/// Checks a whole log, from its first record: lines and tags in the order in which they are kept.
///
/// Every line must carry the tag that the chain gives it, numbers must run 1, 2, 3, …, and an
/// outcome must belong to one permit before it that has no other. With an anchor kept elsewhere
/// since, a cut tail and a log rebuilt by somebody who has the key are seen too; an anchor older
/// than the log is fine.
///
/// # Errors
///
/// The first fault, which names its record.
pub fn verify<'a>(
    lines: impl IntoIterator<Item = (&'a str, ChainTag)>,
    key: &ChainKey,
    anchor: Option<&Anchor>,
) -> Result<Verification, Fault> {
    let mut last = key.genesis();
    check_anchor(last, anchor)?;
    let mut permits = Permits::default();
    for (line, tag) in lines {
        let seq = last.seq + 1;
        // Before it is decoded as a record: what has no right tag was not written by us.
        if key.next(&last.tag, line) != tag {
            return Err(Fault::suspect(seq, line));
        }
        let record: Record = serde_json::from_str(line).map_err(|_| Fault::Unreadable { seq })?;
        if record.seq != seq {
            return Err(Fault::out_of_order(seq, record.seq));
        }
        permits.note(&record)?;
        last = Anchor { seq, tag };
        check_anchor(last, anchor)?;
    }
    match anchor {
        Some(anchor) if anchor.seq > last.seq => {
            Err(Fault::Cut { seq: last.seq + 1, anchored: anchor.seq })
        }
        _ => Ok(Verification { anchor: last, without_outcome: permits.without_outcome() }),
    }
}

/// What a log that verifies amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Where the log stands; its number is how many records there are.
    pub anchor: Anchor,
    /// Numbers of the permits that have no outcome: calls still running, or a host that died.
    pub without_outcome: Vec<u64>,
}

/// The first record that shows that a log is not the one that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It was changed or put in: its tag is not the chain's.
    #[error("record {seq} does not carry the tag of its content: it was changed or put in")]
    Changed {
        /// The record's number.
        seq: u64,
    },
    /// It is not there; a later one stands in its place.
    #[error("record {seq} is missing: record {found} stands in its place")]
    Missing {
        /// The record's number.
        seq: u64,
        /// The number that stands in its place.
        found: u64,
    },
    /// An earlier record stands in its place a second time.
    #[error("record {found} stands a second time, in the place of record {seq}")]
    Repeated {
        /// The number that belongs here.
        seq: u64,
        /// The number that stands here.
        found: u64,
    },
    /// Its tag is right, and yet it is no record.
    #[error("record {seq} cannot be read")]
    Unreadable {
        /// The record's number.
        seq: u64,
    },
    /// The log ends before it although the anchor has seen more.
    #[error("record {seq} is missing: the log was cut, its anchor stands at {anchored}")]
    Cut {
        /// The first number that is missing.
        seq: u64,
        /// The anchor's number.
        anchored: u64,
    },
    /// The chain holds but is another one than the anchor has seen.
    #[error("record {seq} is not the one its anchor has seen: the log was rebuilt")]
    Rebuilt {
        /// The anchor's number.
        seq: u64,
    },
    /// It is an outcome of what is no earlier permit.
    #[error("record {seq} is an outcome of record {of}, which is no earlier permit")]
    OutcomeOfNoPermit {
        /// The outcome's number.
        seq: u64,
        /// The number it refers to.
        of: u64,
    },
    /// It is the second outcome of one permit.
    #[error("record {seq} is a second outcome of permit {of}")]
    SecondOutcome {
        /// The outcome's number.
        seq: u64,
        /// The permit's number.
        of: u64,
    },
}

impl Fault {
    /// The number of the record that it names.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match *self {
            Fault::Changed { seq }
            | Fault::Missing { seq, .. }
            | Fault::Repeated { seq, .. }
            | Fault::Unreadable { seq }
            | Fault::Cut { seq, .. }
            | Fault::Rebuilt { seq }
            | Fault::OutcomeOfNoPermit { seq, .. }
            | Fault::SecondOutcome { seq, .. } => seq,
        }
    }

    /// A line without the right tag. The number it claims is no proof, but it tells an operator
    /// what probably happened.
    fn suspect(seq: u64, line: &str) -> Self {
        #[derive(Deserialize)]
        struct Claim {
            seq: u64,
        }
        match serde_json::from_str::<Claim>(line) {
            Ok(claim) if claim.seq != seq => Self::out_of_order(seq, claim.seq),
            _ => Self::Changed { seq },
        }
    }

    fn out_of_order(seq: u64, found: u64) -> Self {
        if found > seq { Self::Missing { seq, found } } else { Self::Repeated { seq, found } }
    }
}

fn check_anchor(reached: Anchor, anchor: Option<&Anchor>) -> Result<(), Fault> {
    match anchor {
        Some(anchor) if anchor.seq == reached.seq && anchor.tag != reached.tag => {
            Err(Fault::Rebuilt { seq: reached.seq })
        }
        _ => Ok(()),
    }
}

/// Every permit so far, and whether it has its outcome.
#[derive(Default)]
struct Permits(BTreeMap<u64, bool>);

impl Permits {
    fn note(&mut self, record: &Record) -> Result<(), Fault> {
        match record.event {
            Event::Permitted { .. } => {
                self.0.insert(record.seq, false);
                Ok(())
            }
            Event::Outcome { of, .. } => match self.0.get_mut(&of) {
                Some(done @ false) => {
                    *done = true;
                    Ok(())
                }
                Some(true) => Err(Fault::SecondOutcome { seq: record.seq, of }),
                None => Err(Fault::OutcomeOfNoPermit { seq: record.seq, of }),
            },
            _ => Ok(()),
        }
    }

    fn without_outcome(self) -> Vec<u64> {
        self.0.into_iter().filter_map(|(seq, done)| (!done).then_some(seq)).collect()
    }
}

#[cfg(test)]
mod tests;
