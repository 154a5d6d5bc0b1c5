//! What a grant is called: 128 random bits.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::random::{self, RandomError};

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

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// base64url without padding: always 22 characters.
impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 16 bytes always fit 22 characters; were they ever not to, the error is the formatter's.
        let mut text = [0; 22];
        let length = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        let text = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        f.write_str(text.ok_or(fmt::Error)?)
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
