//! The secret a key ring is made of.

use std::fmt;

use zeroize::Zeroizing;

use super::error::KeyError;
use crate::base64;
use crate::random::{self, RandomError};

/// The fewest bytes a secret may have: as many as the tags it makes.
const FEWEST: usize = 32;

/// Secret bytes for a [`KeyRing`](super::KeyRing): never printed, never cloned, wiped when dropped.
///
/// ```
/// # use hallpass::key::SecretKey;
/// let key = SecretKey::generate()?;
/// assert_eq!(format!("{key:?}"), "SecretKey(..)");
/// # Ok::<(), hallpass::RandomError>(())
/// ```
/// ```compile_fail,E0599
/// # use hallpass::key::SecretKey;
/// let key = SecretKey::generate()?;
/// let copy = key.clone();
/// # Ok::<(), hallpass::RandomError>(())
/// ```
pub struct SecretKey(Zeroizing<Box<[u8]>>);

impl SecretKey {
    /// A secret of 32 random bytes. Nothing takes them out again: a key that is to outlive the process
    /// is made where it is kept, and read with [`from_bytes`](SecretKey::from_bytes).
    ///
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub fn generate() -> Result<SecretKey, RandomError> {
        let mut bytes = Zeroizing::new(vec![0; FEWEST].into_boxed_slice());
        random::fill(&mut bytes)?;
        Ok(SecretKey(bytes))
    }

    /// The secret with these bytes, which have to be random: what people can remember can be guessed.
    /// They are copied: wiping the caller's own is the caller's.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] below 32 bytes, [`KeyError::Uniform`] if all bytes are the same: such
    /// a secret is a buffer that was never filled.
    pub fn from_bytes(bytes: &[u8]) -> Result<SecretKey, KeyError> {
        if bytes.len() < FEWEST {
            return Err(KeyError::TooShort { given: bytes.len(), fewest: FEWEST });
        }
        if bytes.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(KeyError::Uniform);
        }
        Ok(SecretKey(Zeroizing::new(bytes.into())))
    }

    /// The secret that this text spells in base64url, as a file of a key has it. White space around it and
    /// padding are left out.
    ///
    /// ```
    /// # use hallpass::key::SecretKey;
    /// let key = SecretKey::from_base64url("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n")?;
    /// assert!(SecretKey::from_base64url("correct horse battery staple").is_err());
    /// # Ok::<(), hallpass::key::KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::NotBase64Url`], and as [`from_bytes`](SecretKey::from_bytes).
    pub fn from_base64url(text: &str) -> Result<SecretKey, KeyError> {
        let text = text.trim();
        let text = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
        let length = base64::decoded_length(text).ok_or(KeyError::NotBase64Url)?;
        let mut bytes = Zeroizing::new(vec![0; length]);
        base64::decode(text, &mut bytes).ok_or(KeyError::NotBase64Url)?;
        SecretKey::from_bytes(&bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Shows nothing of the secret.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// attack 71
    #[test]
    fn short_and_uniform_secrets_are_refused() {
        let refused = |bytes: &[u8]| SecretKey::from_bytes(bytes).unwrap_err();
        let counting: Vec<u8> = (0..32).collect();
        assert_eq!(refused(&[]), KeyError::TooShort { given: 0, fewest: 32 });
        assert_eq!(refused(&counting[..31]), KeyError::TooShort { given: 31, fewest: 32 });
        assert_eq!(refused(&[0; 32]), KeyError::Uniform);
        assert_eq!(refused(&[0xaa; 64]), KeyError::Uniform);
        assert_eq!(SecretKey::from_bytes(&counting).unwrap().bytes(), counting);
    }

    /// attack 71
    #[test]
    fn a_secret_as_text_is_base64url_of_32_bytes_or_more_and_nothing_else() {
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let read = SecretKey::from_base64url(&format!("{text}\n")).unwrap();
        assert_eq!(read.bytes(), (0..32).collect::<Vec<u8>>());
        assert!(SecretKey::from_base64url(&format!("{text}=\n")).is_ok(), "as `basenc` writes it");
        let refused = |text: &str| SecretKey::from_base64url(text).unwrap_err();
        assert_eq!(refused(&format!("{text}===")), KeyError::NotBase64Url);
        assert_eq!(refused(&format!("{} {}", &text[..4], &text[4..])), KeyError::NotBase64Url);
        assert_eq!(refused(&text.replace('A', "+")), KeyError::NotBase64Url);
        assert_eq!(refused("AAECAw"), KeyError::TooShort { given: 4, fewest: 32 });
        assert_eq!(refused(""), KeyError::TooShort { given: 0, fewest: 32 });
        assert_eq!(refused(&"A".repeat(43)), KeyError::Uniform);
    }

    /// attack 80
    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let mut bytes = [7; 32];
        bytes[0] = 8;
        assert_eq!(format!("{:?}", SecretKey::from_bytes(&bytes).unwrap()), "SecretKey(..)");
    }
}
