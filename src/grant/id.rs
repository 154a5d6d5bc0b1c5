//! What a grant is called: 128 random bits.

use std::fmt;

use crate::base64::{Spelled, decode};
use crate::random::{self, RandomError};
use crate::sync::process_wide::{AtomicU64, Ordering};

/// A grant's id: 128 random bits, never used twice and never guessed.
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
    Random,
    /// Counted from 1, for tests that compare what is written: an id is not a secret, and a token with it
    /// still has to verify.
    Numbered(AtomicU64),
}

impl GrantIds {
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub(crate) fn next(&self) -> Result<GrantId, RandomError> {
        match self {
            GrantIds::Random => GrantId::random(),
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
    }
}
