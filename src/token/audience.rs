//! The keys of one audience, ready for use.

use std::fmt;

use super::derive::MacKey;
use super::error::TokenError;
use super::keys::KeyId;
use crate::clock::Timestamp;

/// The keys that sign and verify tokens for one audience, derived from a
/// [`KeyRing`](super::KeyRing) at one moment of its life.
///
/// Whoever has them can verify for this audience, and could also mint for it.
pub struct AudienceKeys {
    audience: Box<str>,
    active: (KeyId, MacKey),
    retired: Box<[(KeyId, MacKey, Timestamp)]>,
}

impl AudienceKeys {
    pub(super) fn new(
        audience: &str,
        active: (KeyId, MacKey),
        retired: impl Iterator<Item = (KeyId, MacKey, Timestamp)>,
    ) -> AudienceKeys {
        AudienceKeys { audience: audience.into(), active, retired: retired.collect() }
    }

    /// The audience.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> (KeyId, &MacKey) {
        (self.active.0, &self.active.1)
    }

    /// The key of this id, if it verifies at `now`: at its deadline a retired key no longer does.
    pub(super) fn verifying(&self, id: KeyId, now: Timestamp) -> Result<&MacKey, TokenError> {
        if id == self.active.0 {
            return Ok(&self.active.1);
        }
        let (_, key, valid_until) = self
            .retired
            .iter()
            .find(|(retired, ..)| *retired == id)
            .ok_or(TokenError::UnknownKey(id))?;
        if now < *valid_until { Ok(key) } else { Err(TokenError::RetiredKey(id)) }
    }
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
