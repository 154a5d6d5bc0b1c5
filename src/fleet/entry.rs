//! Entries of the mark: numbered, tied to the one before, and made by a member.

use super::act::Act;
use super::keys::FleetKeys;
use super::mark::Mark;
use crate::value::Digest;

/// The longest body: the text of a policy is at most that long in a fleet.
pub(super) const MAX_BODY: usize = 8 << 20;

/// One entry of a fleet's mark, as a [`Store`](super::Store) keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// One more than that of the entry before it.
    pub number: u64,
    /// Random, and the same when an act whose answer was lost is tried again.
    pub id: [u8; 16],
    /// The digest of this entry and of all before it.
    pub digest: [u8; 32],
    /// Kind, body and tag.
    pub bytes: Box<[u8]>,
}

/// Why an entry is not the next one of this fleet, or can't be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EntryFault {
    #[error("entry {number} of the mark where {expected} was expected")]
    Gap { number: u64, expected: u64 },
    #[error("entry {0} of the mark was not made by a member of this fleet after the one before it")]
    Forged(u64),
    #[error("entry {0} of the mark is of a kind that this version does not know")]
    Unknown(u64),
}

const TAG: usize = 32;

impl Entry {
    /// The place in the mark that it makes.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { number: self.number, digest: self.digest }
    }

    /// The entry that puts an act after everything up to `over`; `None` of one that is too long.
    pub(super) fn seal(keys: &FleetKeys, over: &Mark, id: [u8; 16], act: &Act) -> Option<Entry> {
        let body = act.encode().ok().filter(|body| body.len() <= MAX_BODY)?;
        let number = over.number.checked_add(1)?;
        let mut bytes = Vec::with_capacity(1 + body.len() + TAG);
        bytes.push(act.kind());
        bytes.extend_from_slice(&body);
        let tag = keys.mark.sign(&message(number, over, &id, &bytes));
        bytes.extend_from_slice(&tag);
        let digest = digest(number, over, &id, &bytes);
        Some(Entry { number, id, digest, bytes: bytes.into() })
    }

    /// The act, if a member put it after everything up to `over`.
    pub(super) fn open(&self, keys: &FleetKeys, over: &Mark) -> Result<Act, EntryFault> {
        let (number, expected) = (self.number, over.number.saturating_add(1));
        if number != expected {
            return Err(EntryFault::Gap { number, expected });
        }
        let forged = EntryFault::Forged(number);
        let Some((signed, tag)) = self.bytes.split_last_chunk::<TAG>() else { return Err(forged) };
        if !keys.mark.verify(&message(number, over, &self.id, signed), tag)
            || self.digest != digest(number, over, &self.id, &self.bytes)
        {
            return Err(forged);
        }
        let Some((kind, body)) = signed.split_first() else { return Err(forged) };
        Act::decode(*kind, body).ok_or(EntryFault::Unknown(number))
    }
}

/// What the tag is over. The label and the fleet are in the key; all lengths but the last are fixed, and that one is
/// said.
fn message(number: u64, over: &Mark, id: &[u8; 16], rest: &[u8]) -> Vec<u8> {
    let length = u64::try_from(rest.len()).unwrap_or(u64::MAX);
    [&number.to_be_bytes()[..], &over.digest, id, &length.to_be_bytes(), rest].concat()
}

/// The digest covers the tag, too.
fn digest(number: u64, over: &Mark, id: &[u8; 16], bytes: &[u8]) -> [u8; 32] {
    let covered = message(number, over, id, bytes);
    *Digest::of(&[&b"hallpass/v1/fleet-entry"[..], &covered].concat()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    fn keys(first: u8, fleet: &str) -> FleetKeys {
        let secret: Vec<u8> = (first..first + 32).collect();
        FleetKeys::of(&SecretKey::from_bytes(&secret).unwrap(), fleet)
    }

    fn halt() -> Act {
        Act::Halt { what: "tool db.drop".into(), until: None }
    }

    #[test]
    fn an_entry_opens_after_the_one_it_was_put_after_and_nowhere_else() {
        let keys = keys(0, "acme");
        let first = Entry::seal(&keys, &Mark::START, [1; 16], &halt()).unwrap();
        assert_eq!(first.open(&keys, &Mark::START), Ok(halt()));
        let second = Entry::seal(&keys, &first.mark(), [2; 16], &halt()).unwrap();
        assert_eq!(second.open(&keys, &first.mark()), Ok(halt()));

        assert_eq!(
            second.open(&keys, &Mark::START),
            Err(EntryFault::Gap { number: 2, expected: 1 })
        );
        let other = Entry::seal(&keys, &Mark::START, [3; 16], &halt()).unwrap();
        assert_eq!(second.open(&keys, &other.mark()), Err(EntryFault::Forged(2)), "another past");
    }

    /// Who can write the database can't write an act.
    #[test]
    fn whatever_is_changed_in_an_entry_it_does_not_open() {
        let own = keys(0, "acme");
        let entry = Entry::seal(&own, &Mark::START, [1; 16], &halt()).unwrap();
        for at in 0..entry.bytes.len() {
            let mut changed = entry.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(changed.open(&own, &Mark::START), Err(EntryFault::Forged(1)), "byte {at}");
        }
        let cut = Entry { bytes: entry.bytes[..20].into(), ..entry.clone() };
        let other_id = Entry { id: [2; 16], ..entry.clone() };
        let other_digest = Entry { digest: [0; 32], ..entry.clone() };
        for changed in [cut, other_id, other_digest] {
            assert_eq!(changed.open(&own, &Mark::START), Err(EntryFault::Forged(1)));
        }
        for foreign in [keys(1, "acme"), keys(0, "acme2")] {
            assert_eq!(entry.open(&foreign, &Mark::START), Err(EntryFault::Forged(1)));
        }
    }

    #[test]
    fn an_act_of_a_later_version_is_not_taken_for_another() {
        assert_eq!(Act::decode(1, br#"{"halt":{"what":"everything","softly":true}}"#), None);
        assert_eq!(Act::decode(99, br#"{"halt":{"what":"everything"}}"#), None);
        assert_eq!(Act::decode(2, br#"{"halt":{"what":"everything"}}"#), None, "of another kind");
        assert!(Act::decode(1, br#"{"halt":{"what":"everything"}}"#).is_some());
    }
}
