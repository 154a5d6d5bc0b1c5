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
mod tests {
    use super::*;
    use crate::audit::{Body, How, Outcome};
    use crate::clock::Timestamp;
    use crate::token::MacKey;

    type Lines = Vec<(String, ChainTag)>;

    fn key(byte: u8) -> ChainKey {
        ChainKey::new(MacKey::from_tag(&[byte; 32]), "acme")
    }

    fn permitted() -> Event<'static> {
        Event::Permitted {
            task: "t".into(),
            generation: 1,
            grant: "g".into(),
            serial: 1,
            who: "spiffe://acme.test/agent/payer".into(),
            tool: "bank.pay".into(),
            resource_type: None,
            resource_id: None,
            args: "00".into(),
            context: None,
            rules: vec![],
            epoch: 1,
        }
    }

    fn outcome(of: u64) -> Event<'static> {
        Event::Outcome {
            task: "t".into(),
            generation: 1,
            of,
            outcome: Outcome::Ok,
            task_over: false,
        }
    }

    fn ended(reason: &str) -> Event<'static> {
        Event::Ended {
            task: "t".into(),
            generation: 1,
            how: How::Completed,
            reason: Some(reason.to_owned().into()),
            running: vec![],
        }
    }

    fn written(key: &ChainKey, numbered: &[(u64, Event<'static>)]) -> Lines {
        let mut tag = key.genesis().tag;
        let write = |(seq, event): &(u64, Event<'static>)| {
            let mut line = String::new();
            Body::new(Timestamp::MIN, event).unwrap().write_line(*seq, &mut line);
            tag = key.next(&tag, &line);
            (line, tag)
        };
        numbered.iter().map(write).collect()
    }

    fn log() -> Lines {
        let events = [permitted(), outcome(1), permitted(), ended("a"), ended("b")];
        written(&key(1), &(1..).zip(events).collect::<Vec<_>>())
    }

    fn check(lines: &Lines, anchor: Option<&Anchor>) -> Result<Verification, Fault> {
        verify(lines.iter().map(|(line, tag)| (line.as_str(), *tag)), &key(1), anchor)
    }

    /// attack 138
    #[test]
    fn an_honest_log_verifies_and_permits_without_outcome_are_named() {
        let lines = log();
        let verified = check(&lines, None).unwrap();
        assert_eq!(verified.anchor, Anchor { seq: 5, tag: lines[4].1 });
        assert_eq!(verified.without_outcome, [3]);
        assert_eq!(check(&vec![], None).unwrap().anchor, key(1).genesis());
    }

    /// attack 130
    #[test]
    fn every_changed_byte_of_every_line_is_seen_at_its_record() {
        for position in 0..5 {
            let original = log();
            for byte in 0..original[position].0.len() {
                let mut lines = original.clone();
                let mut bytes = lines[position].0.clone().into_bytes();
                bytes[byte] ^= 1;
                lines[position].0 = String::from_utf8(bytes).unwrap();
                let fault = check(&lines, None).unwrap_err();
                assert_eq!(fault.seq(), position as u64 + 1, "{fault}");
            }
            let mut lines = original;
            lines[position].1 = ChainTag::from_bytes([0; 32]);
            assert_eq!(check(&lines, None), Err(Fault::Changed { seq: position as u64 + 1 }));
        }
    }

    /// attack 130
    #[test]
    fn every_removed_record_is_named() {
        for position in 0..4 {
            let mut lines = log();
            lines.remove(position);
            let seq = position as u64 + 1;
            assert_eq!(check(&lines, None), Err(Fault::Missing { seq, found: seq + 1 }));
        }
    }

    /// attack 130
    #[test]
    fn every_inserted_record_is_named() {
        for position in 1..=5 {
            let mut lines = log();
            let again = lines[position - 1].clone();
            lines.insert(position, again);
            let (seq, found) = (position as u64 + 1, position as u64);
            assert_eq!(check(&lines, None), Err(Fault::Repeated { seq, found }));

            let mut lines = log();
            let forged = format!(r#"{{"seq":{seq},"at":0,"kind":"halted","what":"all"}}"#);
            lines.insert(position, (forged, lines[position - 1].1));
            assert_eq!(check(&lines, None), Err(Fault::Changed { seq }));
        }
    }

    /// attack 130
    #[test]
    fn every_two_swapped_records_are_named() {
        for first in 0..5 {
            for second in first + 1..5 {
                let mut lines = log();
                lines.swap(first, second);
                let (seq, found) = (first as u64 + 1, second as u64 + 1);
                assert_eq!(check(&lines, None), Err(Fault::Missing { seq, found }));
            }
        }
    }

    /// attack 131
    #[test]
    fn a_cut_tail_is_seen_against_an_anchor() {
        let lines = log();
        let anchor = Anchor { seq: 5, tag: lines[4].1 };
        for kept in 0..5 {
            let cut = lines[..kept].to_vec();
            let seq = kept as u64 + 1;
            assert_eq!(check(&cut, Some(&anchor)), Err(Fault::Cut { seq, anchored: 5 }));
            assert!(check(&cut, None).is_ok(), "without an anchor a cut tail cannot be seen");
        }
        for seq in 1..=5 {
            let earlier = Anchor { seq, tag: lines[seq as usize - 1].1 };
            assert!(check(&lines, Some(&earlier)).is_ok(), "the log has grown since");
        }
    }

    /// attack 132
    #[test]
    fn a_chain_rebuilt_without_the_key_is_seen_at_its_first_record() {
        let forged = written(&key(2), &[(1, ended("never happened"))]);
        assert_eq!(check(&forged, None), Err(Fault::Changed { seq: 1 }));
    }

    /// attack 132
    #[test]
    fn a_chain_rebuilt_with_the_key_is_seen_against_an_anchor() {
        let anchor = Anchor { seq: 2, tag: log()[1].1 };
        let rebuilt =
            written(&key(1), &[(1, permitted()), (2, ended("rebuilt")), (3, ended("more"))]);
        assert!(check(&rebuilt, None).is_ok());
        assert_eq!(check(&rebuilt, Some(&anchor)), Err(Fault::Rebuilt { seq: 2 }));
        let foreign = Anchor { seq: 0, tag: anchor.tag };
        assert_eq!(check(&log(), Some(&foreign)), Err(Fault::Rebuilt { seq: 0 }));
    }

    /// attack 133
    #[test]
    fn a_gap_or_a_repeat_is_a_fault_even_in_a_chain_that_holds() {
        let gap = written(&key(1), &[(1, ended("a")), (3, ended("b"))]);
        assert_eq!(check(&gap, None), Err(Fault::Missing { seq: 2, found: 3 }));
        let repeat = written(&key(1), &[(1, ended("a")), (1, ended("b"))]);
        assert_eq!(check(&repeat, None), Err(Fault::Repeated { seq: 2, found: 1 }));
        let from_two = written(&key(1), &[(2, ended("a"))]);
        assert_eq!(check(&from_two, None), Err(Fault::Missing { seq: 1, found: 2 }));
    }

    /// attack 138
    #[test]
    fn an_outcome_needs_one_earlier_permit_of_its_own() {
        let second = written(&key(1), &[(1, permitted()), (2, outcome(1)), (3, outcome(1))]);
        assert_eq!(check(&second, None), Err(Fault::SecondOutcome { seq: 3, of: 1 }));
        for of in [0, 1, 2, 3] {
            let lines = written(&key(1), &[(1, ended("a")), (2, outcome(of)), (3, permitted())]);
            assert_eq!(check(&lines, None), Err(Fault::OutcomeOfNoPermit { seq: 2, of }));
        }
    }

    #[test]
    fn what_is_no_record_is_a_fault_even_in_a_chain_that_holds() {
        for line in ["", "{}", "null", r#"{"seq":1,"at":0,"kind":"invented"}"#] {
            let tag = key(1).next(&key(1).genesis().tag, line);
            assert_eq!(
                check(&vec![(line.to_owned(), tag)], None),
                Err(Fault::Unreadable { seq: 1 })
            );
        }
    }
}
