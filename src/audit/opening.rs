//! How a log stands when a broker opens it, and what has to be said first.

use std::borrow::Cow;
use std::sync::Arc;

use super::chain::ChainKey;
use super::{Anchor, Body, Event, LogId, Origin, Record, SinkError, Tail, Unwritable};
use crate::clock::Timestamp;
use crate::key::{KeyId, LogKeys};

/// A log that claims to stand here is not continued. No broker gets anywhere near, and numbers
/// counted from below it cannot wrap.
const LAST_SEQ: u64 = 1 << 62;

/// Where a broker goes on writing.
pub(super) struct Opening {
    /// The id of a log that begins.
    pub(super) begins: Option<LogId>,
    pub(super) anchor: Anchor,
    /// The key that the next record is under.
    pub(super) key: ChainKey,
    /// The numbers up to this one may have been given out, and none of them is given out again.
    pub(super) void_through: u64,
    /// The record that has to come first.
    pub(super) first: Option<Body>,
}

impl Opening {
    /// Begins an empty log, or goes on where one ends: under the active key, which a `rekeyed` record
    /// announces where the log ends under another.
    pub(super) fn of(
        tail: Option<Tail>,
        keys: &LogKeys,
        origin: &Origin<'_>,
        at: Timestamp,
    ) -> Result<Opening, SinkError> {
        let active = ChainKey::of(keys.active_key());
        let Some(tail) = tail else { return Opening::of_nothing(active, origin, at) };
        let end = End::check(&tail, keys, origin)?;
        let key = keys.find(end.next_key).map(ChainKey::of).ok_or_else(|| unknown(end.next_key))?;
        let first = match key.id() == active.id() {
            true => None,
            false => Some(Body::rekeying(at, Arc::new(active))),
        };
        if tail.used >= LAST_SEQ {
            return Err(SinkError::new("the log has no number left"));
        }
        Ok(Opening { begins: None, anchor: end.anchor, key, void_through: tail.used, first })
    }

    fn of_nothing(key: ChainKey, origin: &Origin<'_>, at: Timestamp) -> Result<Opening, SinkError> {
        let log = LogId::random().map_err(|error| SinkError::new(&error.to_string()))?;
        let started = Event::LogStarted {
            log: log.to_string().into(),
            issuer: Cow::Borrowed(origin.issuer()),
            audience: Cow::Borrowed(origin.audience()),
            key: key.id().to_string().into(),
        };
        let first = Some(Body::new(at, &started).map_err(unwritable)?);
        let anchor = key.genesis(&log, origin);
        Ok(Opening { begins: Some(log), anchor, key, void_through: 0, first })
    }
}

/// The last record of a log, which one of our keys made.
struct End {
    anchor: Anchor,
    /// The key that the next record is under.
    next_key: KeyId,
}

impl End {
    fn check(tail: &Tail, keys: &LogKeys, origin: &Origin<'_>) -> Result<End, SinkError> {
        let record: Record = Record::from_line(&tail.line)
            .map_err(|_| SinkError::new("the log's last line is not a record"))?;
        let made_by = |key: &ChainKey| {
            let before = match tail.before {
                Some(before) => before,
                None => genesis(&record, key, origin)?,
            };
            (key.next(&before, &tail.line)? == tail.tag).then_some(())
        };
        // A sink does not say which key: of the few there have been, the one whose tag it is.
        let key = keys.all().map(ChainKey::of).find(|key| made_by(key).is_some());
        let key = key.ok_or_else(|| {
            let keys: Vec<_> = keys.all().map(|key| format!("`{}`", key.id)).collect();
            SinkError::new(&format!(
                "its last record, {}, was written under none of the log keys {}: expected the log of this \
                 issuer and audience, and the key that it ends under",
                record.seq,
                keys.join(", ")
            ))
        })?;
        if record.seq >= LAST_SEQ {
            return Err(SinkError::new("the log has no number left"));
        }
        let next_key = match &record.event {
            Event::Rekeyed { key } => KeyId::parse(key)
                .ok_or_else(|| SinkError::new("the log's last record names no key"))?,
            _ => key.id(),
        };
        Ok(End { anchor: Anchor { seq: record.seq, tag: tail.tag }, next_key })
    }
}

/// Where a log of this origin stood before its only record. Whether that is its first, and of this origin,
/// is what its tag says.
fn genesis(record: &Record, key: &ChainKey, origin: &Origin<'_>) -> Option<super::ChainTag> {
    let Event::LogStarted { log, .. } = &record.event else { return None };
    Some(key.genesis(&log.parse().ok()?, origin).tag)
}

fn unknown(key: KeyId) -> SinkError {
    SinkError::new(&format!(
        "its last record names the log key `{key}`, which is none of the keys given"
    ))
}

fn unwritable(error: Unwritable) -> SinkError {
    SinkError::new(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    const ORIGIN: Origin<'_> = Origin::new("acme", "gate");

    fn secret(first: u8) -> SecretKey {
        SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    fn keys(active: u8, past: &[u8]) -> LogKeys {
        let keys = LogKeys::from_secret(secret(active));
        past.iter().fold(keys, |keys, first| keys.and_past(secret(*first)).unwrap())
    }

    fn open(tail: Option<Tail>, keys: &LogKeys) -> Result<Opening, SinkError> {
        Opening::of(tail, keys, &ORIGIN, Timestamp::MIN)
    }

    /// The record of this body, written where the log stands.
    fn tail(opening: &Opening, before: Option<super::super::ChainTag>, body: &Body) -> Tail {
        let mut line = String::new();
        body.push_line(opening.anchor.seq + 1, &mut line);
        Tail { before, tag: opening.key.next(&opening.anchor.tag, &line).unwrap(), line, used: 0 }
    }

    fn halted() -> Body {
        Body::new(Timestamp::MIN, &Event::Halted { what: "everything".into(), until: None })
            .unwrap()
    }

    /// A log of one record, and one of two, both under the first key.
    fn begun() -> (Tail, Tail) {
        let opening = open(None, &keys(1, &[])).unwrap();
        let head = tail(&opening, None, opening.first.as_ref().unwrap());
        let next = open(Some(head.clone()), &keys(1, &[])).unwrap();
        assert!(next.first.is_none());
        let second = tail(&next, Some(head.tag), &halted());
        (head, second)
    }

    fn refusal(tail: Tail, keys: &LogKeys) -> String {
        open(Some(tail), keys).err().unwrap().to_string()
    }

    /// attack 187
    #[test]
    fn a_log_goes_on_under_its_key_and_says_first_where_that_changes() {
        let (head, second) = begun();
        for (tail, seq) in [(head, 1), (second, 2)] {
            let same = open(Some(tail.clone()), &keys(1, &[])).unwrap();
            assert_eq!(same.anchor, Anchor { seq, tag: tail.tag });
            assert!(same.first.is_none());

            let changed = open(Some(tail.clone()), &keys(2, &[1])).unwrap();
            assert_eq!(changed.key.id(), secret(1).id(), "the change itself is under the old key");
            let first = changed.first.as_ref().unwrap();
            assert_eq!(first.next_key().unwrap().id(), secret(2).id());
        }
    }

    /// attack 187: after the change, and nothing else, was written
    #[test]
    fn a_log_that_ends_with_a_change_goes_on_under_the_key_that_it_names() {
        let (_, second) = begun();
        let changed = open(Some(second.clone()), &keys(2, &[1])).unwrap();
        let rekeyed = tail(&changed, Some(second.tag), changed.first.as_ref().unwrap());
        let after = open(Some(rekeyed.clone()), &keys(2, &[1])).unwrap();
        assert_eq!((after.key.id(), after.first.is_none()), (secret(2).id(), true));
        let third = open(Some(rekeyed.clone()), &keys(3, &[1, 2])).unwrap();
        assert_eq!((third.key.id(), third.first.is_some()), (secret(2).id(), true));
        let named = format!("`{}`", secret(2).id());
        assert!(refusal(rekeyed.clone(), &keys(3, &[1])).contains(&named));
        assert!(refusal(rekeyed, &keys(2, &[])).contains("under none of the log keys"));
    }

    /// attack 182: what a sink says of its end is taken from a record that one of our keys made
    #[test]
    fn an_end_that_no_key_of_ours_made_is_refused() {
        let (head, second) = begun();
        for tail in [&head, &second] {
            assert!(refusal(tail.clone(), &keys(2, &[3])).contains("under none of the log keys"));
            let other = super::super::ChainTag::from_bytes([9; 32]);
            let lies = [
                Tail { tag: other, ..tail.clone() },
                Tail { before: Some(other), ..tail.clone() },
                Tail {
                    line: tail.line.replacen(":1,", ":9,", 1).replacen(":2,", ":9,", 1),
                    ..tail.clone()
                },
            ];
            for lie in lies {
                assert!(open(Some(lie), &keys(1, &[])).is_err());
            }
        }
        let headless = Tail { before: None, ..second };
        assert!(open(Some(headless), &keys(1, &[])).is_err());
        let another_broker =
            Opening::of(Some(head), &keys(1, &[]), &Origin::new("acme", "other"), Timestamp::MIN);
        assert!(another_broker.is_err());
        let nothing =
            Tail { before: None, line: String::new(), tag: Anchor::OF_NOTHING.tag, used: 0 };
        assert!(refusal(nothing, &keys(1, &[])).contains("not a record"));
    }

    /// attack 133
    #[test]
    fn a_log_without_a_number_left_is_not_continued() {
        let (_, second) = begun();
        let opening = open(Some(second.clone()), &keys(1, &[])).unwrap();
        for seq in [LAST_SEQ, u64::MAX] {
            let mut line = String::new();
            halted().push_line(seq, &mut line);
            let tag = opening.key.next(&second.tag, &line).unwrap();
            let absurd = Tail { before: Some(second.tag), line, tag, used: 0 };
            assert_eq!(refusal(absurd, &keys(1, &[])), "the log has no number left");
        }
        let used = |used| Tail { used, ..second.clone() };
        assert!(open(Some(used(LAST_SEQ - 1)), &keys(1, &[])).is_ok());
        assert_eq!(refusal(used(LAST_SEQ), &keys(1, &[])), "the log has no number left");
    }

    #[test]
    fn two_logs_never_have_one_id() {
        let [one, other] = [(); 2].map(|()| open(None, &keys(1, &[])).unwrap().anchor);
        assert_ne!(one, other);
    }
}
