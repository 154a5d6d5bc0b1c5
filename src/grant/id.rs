//! What a grant is called: 128 bits that only its broker can tell anything from.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use crate::base64::{Spelled, decode};
use crate::random::{self, RandomError};
use crate::sync::process_wide::{AtomicU64, Ordering};

/// A grant's id: 128 bits, never used twice and never guessed. Half of them are random, and the other half are
/// the number of its task, hidden by a keyed hash of the first.
///
/// It names a grant and lends no authority: a token with it still has to verify. Logs may show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// A fresh id.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub fn random() -> Result<GrantId, RandomError> {
        let mut bytes = [0; 16];
        random::fill(&mut bytes)?;
        Ok(GrantId(bytes))
    }

    /// The id with these bytes, as a token or a record carries them.
    pub const fn from_bytes(bytes: [u8; 16]) -> GrantId {
        GrantId(bytes)
    }

    fn of_halves(random: u64, hidden: u64) -> GrantId {
        GrantId((u128::from(hidden) << 64 | u128::from(random)).to_le_bytes())
    }

    fn halves(self) -> (u64, u64) {
        let both = u128::from_le_bytes(self.0);
        (both as u64, (both >> 64) as u64)
    }

    /// The id as records write it.
    pub(crate) fn text(&self) -> Spelled<22> {
        Spelled::new(&self.0)
    }

    /// Reads what [`text`](Self::text) wrote.
    pub(crate) fn parse(text: &str) -> Option<GrantId> {
        let mut bytes = [0; 16];
        decode(text, &mut bytes)?;
        Some(GrantId(bytes))
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Where a broker's grants get their ids.
#[derive(Debug)]
pub(crate) enum GrantIds {
    /// Of random bits, and of the task's number under this key: a grant is found by its id, and no list of
    /// all ids is kept.
    Keyed(RandomState),
    /// Counted from 1, for tests that compare what is written: an id is not a secret, and a token with it
    /// still has to verify.
    Numbered(AtomicU64),
}

impl GrantIds {
    pub(crate) fn keyed() -> Self {
        GrantIds::Keyed(RandomState::new())
    }

    /// The generation of the task that holds the grant of this id, if any does; `None` where ids don't tell.
    pub(crate) fn generation_of(&self, id: GrantId) -> Option<u64> {
        let GrantIds::Keyed(key) = self else { return None };
        let (random, hidden) = id.halves();
        Some(key.hash_one(random) ^ hidden)
    }

    /// The id of a grant of the task of this generation.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub(crate) fn next(&self, generation: u64) -> Result<GrantId, RandomError> {
        match self {
            GrantIds::Keyed(key) => {
                let mut random = [0; 8];
                random::fill(&mut random)?;
                let random = u64::from_le_bytes(random);
                Ok(GrantId::of_halves(random, key.hash_one(random) ^ generation))
            }
            GrantIds::Numbered(last) => {
                let number = last.fetch_add(1, Ordering::Relaxed) + 1;
                Ok(GrantId(u128::from(number).to_be_bytes()))
            }
        }
    }
}

/// base64url without padding: always 22 characters.
impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_twenty_two_characters_of_base64url() {
        assert_eq!(GrantId::from_bytes([0xff; 16]).to_string(), "_____________________w");
        assert_eq!(format!("{:?}", GrantId([0; 16])), "GrantId(AAAAAAAAAAAAAAAAAAAAAA)");
    }

    #[test]
    fn two_random_ids_differ() {
        assert_ne!(GrantId::random().unwrap(), GrantId::random().unwrap());
        let ids = GrantIds::keyed();
        assert_ne!(ids.next(7).unwrap(), ids.next(7).unwrap());
    }

    #[test]
    fn only_the_broker_that_made_an_id_finds_its_task_by_it() {
        let (ids, others) = (GrantIds::keyed(), GrantIds::keyed());
        for generation in [0, 1, 7, u64::MAX] {
            let id = ids.next(generation).unwrap();
            assert_eq!(ids.generation_of(id), Some(generation));
            assert_ne!(others.generation_of(id), Some(generation));
            // Nor does the number stand in it.
            assert_ne!(id.halves().1, generation);
        }
        let numbered = GrantIds::Numbered(AtomicU64::new(0));
        assert_eq!(numbered.generation_of(numbered.next(7).unwrap()), None);
    }
}
