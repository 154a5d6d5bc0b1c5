use super::*;
use crate::audit::{Body, How, Outcome};
use crate::clock::Timestamp;
use crate::key::MacKey;

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
    Event::Outcome { task: "t".into(), generation: 1, of, outcome: Outcome::Ok, task_over: false }
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
    let rebuilt = written(&key(1), &[(1, permitted()), (2, ended("rebuilt")), (3, ended("more"))]);
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
        assert_eq!(check(&vec![(line.to_owned(), tag)], None), Err(Fault::Unreadable { seq: 1 }));
    }
}
