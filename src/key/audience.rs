//! The keys of one audience, ready for use.

use std::fmt;

use zeroize::Zeroizing;

use super::derive::{Context, KeyUse, derive_bytes};
use super::error::{KeyError, MAX_AUDIENCE};
use super::id::KeyId;
use super::mac::MacKey;
use super::secret::SecretKey;
use crate::clock::Timestamp;
use crate::sync::process_wide::{AtomicU64, Ordering};

/// The key of one audience, for a [`Verifier`](crate::token::Verifier) in another process: wiped when
/// dropped, never printed, and out of the type only by [`expose`](AudienceSecret::expose).
///
/// Handle it as the secret it is: HMAC has one key, so who can verify for this audience can also
/// mint for it. It says nothing about the ring, about any other audience, or about a gate.
///
/// ```
/// # use hallpass::key::{AudienceSecret, KeyRing};
/// let secret = KeyRing::generate()?.audience_secret("search")?;
/// // Over a channel that keeps secrets, and there:
/// let there = AudienceSecret::from_parts("search", secret.key_id(), secret.expose())?;
/// assert_eq!(there.key_id(), secret.key_id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// ```compile_fail,E0599
/// # use hallpass::key::KeyRing;
/// let copy = KeyRing::generate()?.audience_secret("search")?.clone();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AudienceSecret {
    audience: Box<str>,
    id: KeyId,
    key: Box<Zeroizing<[u8; 32]>>,
}

impl SecretKey {
    /// The key's own key for verifiers of one audience, for a [`Verifier`](crate::token::Verifier): of a key
    /// that is about to go into a ring, which then keeps it.
    ///
    /// ```
    /// # use hallpass::key::{KeyRing, SecretKey};
    /// let next = SecretKey::generate()?;
    /// let secret = next.audience_secret("search")?; // to be handed to verifiers of that audience
    /// let ring = KeyRing::from_secret(next);
    /// assert_eq!(ring.active(), secret.key_id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::Audience`] if the audience is empty or longer than 255 bytes.
    pub fn audience_secret(&self, audience: &str) -> Result<AudienceSecret, KeyError> {
        let key = derive_bytes(self, KeyUse::VerifierToken, Context::audience(audience)?);
        Ok(AudienceSecret::new(audience, self.id(), key))
    }
}

impl AudienceSecret {
    /// The secret that [`expose`](Self::expose) gave out, with the audience and the key id that went
    /// with it. The bytes are copied: wiping the caller's own is the caller's.
    ///
    /// # Errors
    /// [`KeyError::Uniform`] if all bytes are the same, [`KeyError::Audience`] if the audience is
    /// empty or too long.
    pub fn from_parts(
        audience: &str,
        id: KeyId,
        key: &[u8; 32],
    ) -> Result<AudienceSecret, KeyError> {
        if !(1..=MAX_AUDIENCE).contains(&audience.len()) {
            return Err(KeyError::Audience(audience.len()));
        }
        if key.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(KeyError::Uniform);
        }
        Ok(AudienceSecret { audience: audience.into(), id, key: Box::new(Zeroizing::new(*key)) })
    }

    pub(super) fn new(audience: &str, id: KeyId, key: Box<Zeroizing<[u8; 32]>>) -> AudienceSecret {
        AudienceSecret { audience: audience.into(), id, key }
    }

    /// The audience.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The id that tokens signed with this key carry.
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// The key itself.
    pub fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    pub(crate) fn into_keys(self) -> AudienceKeys {
        let active = (self.id, MacKey::keep(&self.key));
        AudienceKeys::new(&self.audience, active, std::iter::empty())
    }
}

/// Shows audience and key id, and nothing of the key.
impl fmt::Debug for AudienceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceSecret")
            .field("audience", &self.audience)
            .field("key_id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The keys that sign and verify the tokens of one audience, derived from a
/// [`KeyRing`](super::KeyRing) at one moment of its life. Who has them can also mint for it.
pub struct AudienceKeys {
    /// One that no others of this process have.
    number: u64,
    audience: Box<str>,
    /// Each in a place of its own, where it stays until it is wiped.
    active: (KeyId, Box<MacKey>),
    retired: Box<[(KeyId, Box<MacKey>, Timestamp)]>,
}

impl AudienceKeys {
    pub(super) fn new(
        audience: &str,
        active: (KeyId, Box<MacKey>),
        retired: impl Iterator<Item = (KeyId, Box<MacKey>, Timestamp)>,
    ) -> AudienceKeys {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        AudienceKeys { number, audience: audience.into(), active, retired: retired.collect() }
    }

    /// What says that these are the same keys: a change of a ring makes others.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The audience.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The key that signs.
    pub(crate) fn signing(&self) -> (KeyId, &MacKey) {
        (self.active.0, &self.active.1)
    }

    /// The key of this id, if it verifies at `now`: at its deadline a retired key no longer does.
    pub(crate) fn verifying(&self, id: KeyId, now: Timestamp) -> Result<&MacKey, UnusableKey> {
        if id == self.active.0 {
            return Ok(&self.active.1);
        }
        let (_, key, valid_until) = self
            .retired
            .iter()
            .find(|(retired, ..)| *retired == id)
            .ok_or(UnusableKey::Unknown(id))?;
        if now < *valid_until { Ok(key) } else { Err(UnusableKey::Retired(id)) }
    }
}

/// Why a key does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnusableKey {
    /// The ring has no such key, or has it no longer.
    Unknown(KeyId),
    /// Its grace is over.
    Retired(KeyId),
}

/// Shows the audience and the ids of the keys.
impl fmt::Debug for AudienceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceKeys")
            .field("audience", &self.audience)
            .field("active", &self.active.0)
            .field("retired", &self.retired.iter().map(|key| key.0).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
