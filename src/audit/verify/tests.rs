mod sums;

use super::*;
use crate::audit::{Body, How, Outcome};
use crate::clock::Timestamp;
use crate::key::{LogKeys, SecretKey};

type Lines = Vec<(String, ChainTag)>;

fn key(byte: u8) -> ChainKey {
    ChainKey::of_byte(byte)
}

fn secret(first: u8) -> SecretKey {
    SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
}

fn permitted() -> Event<'static> {
    Event::Permitted {
        task: "t".into(),
        generation: 1,
        grant: "g".into(),
        serial: 1,
        who: "spiffe://acme.test/agent/payer".into(),
        acts_for: vec![],
        tool: "bank.pay".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec![],
        spent: vec![],
        epoch: 1,
        break_glass: false,
        passed: vec![],
        trace: None,
        plain: None,
    }
}

fn outcome(of: u64) -> Event<'static> {
    Event::Outcome {
        task: "t".into(),
        generation: 1,
        of,
        outcome: Outcome::Ok,
        task_over: false,
        noted: 0,
        break_glass: false,
    }
}

fn ended(reason: &str) -> Event<'static> {
    Event::Ended {
        task: "t".into(),
        generation: 1,
        how: How::Completed,
        reason: Some(reason.to_owned().into()),
        running: vec![],
        unsettled: false,
    }
}

fn written(key: &ChainKey, numbered: &[(u64, Event<'static>)]) -> Lines {
    let mut tag = key.start().tag;
    let write = |(seq, event): &(u64, Event<'static>)| {
        let mut line = String::new();
        Body::new(Timestamp::MIN, event).unwrap().push_line(*seq, &mut line);
        tag = key.next(&tag, &line).unwrap();
        (line, tag)
    };
    numbered.iter().map(write).collect()
}

fn log() -> Lines {
    let events = [permitted(), outcome(1), permitted(), ended("a"), ended("b")];
    written(&key(1), &(1..).zip(events).collect::<Vec<_>>())
}

fn check(lines: &Lines, anchor: Option<&Anchor>) -> Result<Verification, Fault> {
    verify_headless(lines.iter().map(|(line, tag)| (line.as_str(), *tag)), &key(1), anchor)
}

/// attack 138
#[test]
fn an_honest_log_verifies_and_permits_without_outcome_are_named() {
    let lines = log();
    let verified = check(&lines, None).unwrap();
    assert_eq!(verified.anchor, Anchor { seq: 5, tag: lines[4].1 });
    assert_eq!(verified.without_outcome, [3]);
    assert_eq!(check(&vec![], None).unwrap().anchor, key(1).start());
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

/// What is held does not grow with the log, and a second outcome is a fault however late it comes.
#[test]
fn permits_with_an_outcome_are_forgotten_after_a_while() {
    let mut permits = Permits::default();
    let mut note = |seq, event| permits.note(&Record { seq, at: Timestamp::MIN, event });
    let most = REMEMBERED as u64;
    for seq in (1..=most + 1).map(|n| 2 * n) {
        note(seq, permitted()).unwrap();
        note(seq + 1, outcome(seq)).unwrap();
    }
    let last = 2 * most + 4;
    assert_eq!(note(last, outcome(2)), Err(Fault::OutcomeOfNoPermit { seq: last, of: 2 }));
    assert_eq!(note(last, outcome(4)), Err(Fault::SecondOutcome { seq: last, of: 4 }));
    assert_eq!((permits.open.len(), permits.done.len()), (0, REMEMBERED));
}

#[test]
fn what_is_no_record_is_a_fault_even_in_a_chain_that_holds() {
    for line in [r#"{"seq":1,""#, r#"{"seq":1,"at":0}"#, r#"{"seq":1,"at":0,"kind":"invented"}"#] {
        let tag = key(1).next(&key(1).start().tag, line).unwrap();
        assert_eq!(check(&vec![(line.to_owned(), tag)], None), Err(Fault::Unreadable { seq: 1 }));
    }
}

/// The tag covers the number and what follows it: a line that spells that in any other way has no tag.
#[test]
fn a_line_that_does_not_begin_with_a_number_has_no_right_tag() {
    let rest = r#""at":0,"kind":"halted","what":"everything"}"#;
    let tag = key(1).link(&key(1).start().tag, 1, rest, None);
    let check = |line: String| check(&vec![(line, tag)], None);
    assert!(check(format!(r#"{{"seq":1,{rest}"#)).is_ok());
    for before in [r#"{"seq":01,"#, r#"{"seq": 1,"#, r#"{"seq":1 ,"#, r#"{"s":1,"#, "{", ""] {
        assert!(check(format!("{before}{rest}")).is_err(), "{before}");
    }
}

const ORIGIN: Origin<'_> = Origin::new("acme", "gate");

/// A log with a head, under the keys of these secrets one after the other.
fn with_head(id: u8, secrets: &[u8]) -> Lines {
    let keys: Vec<ChainKey> = secrets
        .iter()
        .map(|first| ChainKey::of(LogKeys::from_secret(secret(*first)).active_key()))
        .collect();
    let log = LogId::from_bytes([id; 16]);
    let mut events = vec![Event::LogStarted {
        log: log.to_string().into(),
        issuer: "acme".into(),
        audience: "gate".into(),
        key: keys[0].id().to_string().into(),
    }];
    let mut tag = keys[0].genesis(&log, &ORIGIN).tag;
    let mut lines = Lines::new();
    for (at, key) in keys.iter().enumerate() {
        let what = format!("tool under-key-{at}").into();
        events.push(Event::Halted { what, until: None });
        if let Some(next) = keys.get(at + 1) {
            events.push(Event::Rekeyed { key: next.id().to_string().into() });
        }
        for event in events.drain(..) {
            let mut line = String::new();
            let body = Body::new(Timestamp::MIN, &event).unwrap();
            body.push_line(lines.len() as u64 + 1, &mut line);
            tag = key.next(&tag, &line).unwrap();
            lines.push((line, tag));
        }
    }
    lines
}

fn read(lines: &[(String, ChainTag)], secrets: &[u8]) -> Result<Verification, Fault> {
    let mut keys = LogKeys::from_secret(secret(secrets[0]));
    for first in &secrets[1..] {
        keys = keys.and_past(secret(*first)).unwrap();
    }
    verify(lines.iter().map(|(line, tag)| (line.as_str(), *tag)), &keys, &ORIGIN, None)
}

/// attack 187
#[test]
fn a_log_that_has_had_several_keys_verifies_with_all_of_them() {
    let lines = with_head(1, &[1, 2, 3]);
    let verified = read(&lines, &[3, 1, 2]).unwrap();
    assert_eq!(verified.log, Some(LogId::from_bytes([1; 16])));
    assert_eq!(verified.key, Some(secret(3).id()));
    assert_eq!(verified.anchor.seq, 6);
    // Each is needed, and found by the record that names it.
    let missing = |first: u8, seq| Fault::UnknownKey { seq, key: secret(first).id() };
    assert_eq!(read(&lines, &[3, 2]), Err(missing(1, 1)));
    assert_eq!(read(&lines, &[3, 1]), Err(missing(2, 3)));
    assert_eq!(read(&lines, &[1, 2]), Err(missing(3, 5)));
}

/// attack 187: a record that names a key counts only under the key before, and opens nothing by itself
#[test]
fn a_key_is_changed_by_the_one_before_it_alone() {
    let lines = with_head(1, &[1, 2]);
    // The change removed: what follows is under a key that nothing announced.
    let mut unannounced = lines.clone();
    unannounced.remove(2);
    assert_eq!(read(&unannounced, &[1, 2]), Err(Fault::Missing { seq: 3, found: 4 }));
    // The change made by the new key itself.
    let new = LogKeys::from_secret(secret(2));
    let mut usurped = lines.clone();
    usurped[2].1 = ChainKey::of(new.active_key()).next(&lines[1].1, &lines[2].0).unwrap();
    assert_eq!(read(&usurped, &[1, 2]), Err(Fault::Changed { seq: 3 }));
    // What follows the change, under the old key.
    let old = LogKeys::from_secret(secret(1));
    let mut stale = lines.clone();
    stale[3].1 = ChainKey::of(old.active_key()).next(&lines[2].1, &lines[3].0).unwrap();
    assert_eq!(read(&stale, &[1, 2]), Err(Fault::Changed { seq: 4 }));
}

/// attack 184: under one key and of one broker, and yet no tail of one log follows the beginning of another
#[test]
fn no_record_of_one_log_stands_in_another() {
    let (one, other) = (with_head(1, &[1]), with_head(2, &[1]));
    assert!(read(&one, &[1]).is_ok() && read(&other, &[1]).is_ok());
    let spliced = [&one[..1], &other[1..]].concat();
    assert_eq!(read(&spliced, &[1]), Err(Fault::Changed { seq: 2 }));
}

#[test]
fn a_log_begins_with_its_head_and_has_one() {
    let lines = with_head(1, &[1]);
    assert_eq!(read(&lines[1..], &[1]), Err(Fault::Missing { seq: 1, found: 2 }));
    let keys = LogKeys::from_secret(secret(1));
    let check = |origin| verify([(&*lines[0].0, lines[0].1)], &keys, &origin, None);
    assert_eq!(check(Origin::new("acme", "other")), Err(Fault::Foreign));
    assert_eq!(check(Origin::new("other", "gate")), Err(Fault::Foreign));
    for headless in ["", "{}", r#"{"seq":1,"at":0,"kind":"halted","what":"x"}"#] {
        let line = (headless.to_owned(), lines[0].1);
        assert_eq!(read(&[line], &[1]), Err(Fault::Headless), "{headless}");
    }
    let mut again = lines.clone();
    let line = again[0].0.replacen("\"seq\":1", "\"seq\":3", 1);
    let tag = ChainKey::of(keys.active_key()).next(&lines[1].1, &line).unwrap();
    again.push((line, tag));
    assert_eq!(read(&again, &[1]), Err(Fault::StartedAgain { seq: 3 }));
    assert_eq!(read(&[], &[1]).unwrap().log, None);
}
