//! The secret a key ring is made of.

use std::fmt;

use zeroize::Zeroizing;

use super::audience::AudienceSecret;
use super::derive::{Context, KeyUse, derive_bytes};
use super::key_error::KeyError;
use super::key_id::KeyId;
use crate::random::{self, RandomError};

/// The fewest bytes a secret may have: as many as the tags it makes.
const FEWEST: usize = 32;

/// Secret bytes for a [`KeyRing`](super::KeyRing): never printed, never cloned, wiped when dropped.
///
/// ```
/// # use hallpass::token::SecretKey;
/// let key = SecretKey::generate()?;
/// assert_eq!(format!("{key:?}"), "SecretKey(..)");
/// # Ok::<(), hallpass::RandomError>(())
/// ```
/// ```compile_fail,E0599
/// # use hallpass::token::SecretKey;
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
    /// a secret is a buffer nobody filled.
    pub fn from_bytes(bytes: &[u8]) -> Result<SecretKey, KeyError> {
        if bytes.len() < FEWEST {
            return Err(KeyError::TooShort { given: bytes.len(), fewest: FEWEST });
        }
        if bytes.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(KeyError::Uniform);
        }
        Ok(SecretKey(Zeroizing::new(bytes.into())))
    }

    /// What the key is called once it is in a ring, and in the tokens that it signs.
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, ..] = *derive_bytes(self, KeyUse::KeyId, Context::NONE);
        KeyId::from_bytes([a, b, c, d])
    }

    /// The key's own key for one audience, for a [`Verifier`](super::Verifier) without a table: of a key
    /// that is about to go into a ring, which then keeps it.
    ///
    /// ```
    /// # use hallpass::token::{KeyRing, SecretKey};
    /// let next = SecretKey::generate()?;
    /// let secret = next.audience_secret("search")?; // to be handed to verifiers of that audience
    /// let ring = KeyRing::from_secret(next);
    /// assert_eq!(ring.active(), secret.key_id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::Audience`] if the audience is empty or longer than [`MAX_NAME`](super::MAX_NAME)
    /// bytes.
    pub fn audience_secret(&self, audience: &str) -> Result<AudienceSecret, KeyError> {
        let key = derive_bytes(self, KeyUse::Token, Context::audience(audience)?);
        Ok(AudienceSecret::new(audience, self.id(), key))
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

    /// attack 80
    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let mut bytes = [7; 32];
        bytes[0] = 8;
        assert_eq!(format!("{:?}", SecretKey::from_bytes(&bytes).unwrap()), "SecretKey(..)");
    }
}
