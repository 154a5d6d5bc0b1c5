//! The key ring: one key that signs, and retired ones that verify for a stated grace.

use std::fmt;
use std::time::Duration;

use super::audience::{AudienceKeys, AudienceSecret};
use super::derive::{Context, KeyUse};
use super::error::KeyError;
use super::id::KeyId;
use super::mac::MacKey;
use super::secret::SecretKey;
use crate::clock::Timestamp;
use crate::random::RandomError;

/// The keys of one broker: one active key, and retired ones that still verify until their grace ends.
///
/// A ring made by [`generate`](KeyRing::generate) lives and dies with the process, and so do its
/// tokens. Rotation needs no downtime: the new key signs at once, tokens of the old one verify
/// until the deadline. A ring that a broker has is rotated there, by
/// [`Broker::rotate_key`](crate::Broker::rotate_key). A [`Verifier`](crate::token::Verifier) elsewhere has
/// to be given the new key's secret for its audience, best before the rotation.
///
/// ```
/// # use std::time::Duration;
/// # use hallpass::clock::Timestamp;
/// # use hallpass::key::{KeyRing, SecretKey};
/// let mut ring = KeyRing::generate()?;
/// let before = ring.active();
/// let now = Timestamp::from_unix_millis(1_767_225_600_000).ok_or("no such instant")?;
/// ring.rotate(SecretKey::generate()?, Duration::from_secs(600), now)?;
/// assert_ne!(ring.active(), before);
/// ring.retire(before)?; // before its grace is over: its tokens are dead
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A ring cannot be copied:
///
/// ```compile_fail,E0599
/// # use hallpass::key::KeyRing;
/// let copy = KeyRing::generate()?.clone();
/// # Ok::<(), hallpass::RandomError>(())
/// ```
pub struct KeyRing {
    active: RingKey,
    retired: Vec<Retired>,
    /// The ids of keys whose secret is gone, so that none comes back.
    spent: Vec<KeyId>,
}

struct RingKey {
    id: KeyId,
    secret: SecretKey,
}

struct Retired {
    key: RingKey,
    valid_until: Timestamp,
}

impl KeyRing {
    /// A ring with one random key.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub fn generate() -> Result<KeyRing, RandomError> {
        Ok(KeyRing::from_secret(SecretKey::generate()?))
    }

    /// A ring whose one key is this secret.
    pub fn from_secret(secret: SecretKey) -> KeyRing {
        KeyRing { active: RingKey::new(secret), retired: Vec::new(), spent: Vec::new() }
    }

    /// The id of the key that signs.
    pub fn active(&self) -> KeyId {
        self.active.id
    }

    /// The ids of retired keys with the instant at which each stops verifying.
    pub fn retired(&self) -> impl Iterator<Item = (KeyId, Timestamp)> {
        self.retired.iter().map(|retired| (retired.key.id, retired.valid_until))
    }

    /// Signs with `new` from now on; the key active until now verifies for `grace` more, and not at
    /// all if that is zero. Secrets whose grace is over are wiped.
    ///
    /// # Errors
    /// [`KeyError::Reused`] if the ring has or ever had this secret, or one with the same id;
    /// [`KeyError::Grace`] if the grace ends past the last instant there is. The ring stays as it was.
    pub fn rotate(
        &mut self,
        new: SecretKey,
        grace: Duration,
        now: Timestamp,
    ) -> Result<(), KeyError> {
        let new = RingKey::new(new);
        if self.knows(new.id) {
            return Err(KeyError::Reused(new.id));
        }
        let valid_until = now.checked_add(grace).ok_or(KeyError::Grace)?;
        let old = std::mem::replace(&mut self.active, new);
        self.retired.push(Retired { key: old, valid_until });
        self.purge(now);
        Ok(())
    }

    /// Wipes the secrets whose grace is over.
    pub(crate) fn purge(&mut self, now: Timestamp) {
        for over in self.retired.extract_if(.., |retired| retired.valid_until <= now) {
            self.spent.push(over.key.id);
        }
    }

    /// When the next grace is over, if one is running.
    pub(crate) fn next_purge(&self) -> Option<Timestamp> {
        self.retired.iter().map(|retired| retired.valid_until).min()
    }

    /// Drops a retired key before its grace is over. To drop the active one, rotate without grace.
    ///
    /// # Errors
    /// [`KeyError::Active`] if it is the one that signs, [`KeyError::Unknown`] if no key with a
    /// secret has this id.
    pub fn retire(&mut self, id: KeyId) -> Result<(), KeyError> {
        if id == self.active.id {
            return Err(KeyError::Active(id));
        }
        let at = self.retired.iter().position(|retired| retired.key.id == id);
        self.retired.remove(at.ok_or(KeyError::Unknown(id))?);
        self.spent.push(id);
        Ok(())
    }

    /// The keys that sign and verify the tokens of a gate, worked out once so that no call has to. They are
    /// as the ring is now.
    pub(crate) fn for_gate(&self, audience: &str) -> Result<AudienceKeys, KeyError> {
        let context = Context::audience(audience)?;
        let derive = |key: &RingKey| MacKey::derive(&key.secret, KeyUse::GateToken, context);
        let retired = self
            .retired
            .iter()
            .map(|retired| (retired.key.id, derive(&retired.key), retired.valid_until));
        Ok(AudienceKeys::new(audience, (self.active.id, derive(&self.active)), retired))
    }

    /// The key that signs the tokens of verifiers of one audience.
    pub(crate) fn for_verifiers(&self, audience: &str) -> Result<AudienceKeys, KeyError> {
        Ok(self.audience_secret(audience)?.into_keys())
    }

    /// The active key's own key for verifiers of one audience, for a
    /// [`Verifier`](crate::token::Verifier). It verifies and mints what is
    /// [for that audience](crate::Scope::embedded_for), and nothing that a gate takes: the keys of gates are
    /// other ones, and there is no way to export them. After a [rotation](KeyRing::rotate) there is another
    /// one, which [`SecretKey::audience_secret`] gives before the key goes into a ring.
    ///
    /// # Errors
    /// [`KeyError::Audience`] if the audience is empty or longer than 255 bytes.
    pub fn audience_secret(&self, audience: &str) -> Result<AudienceSecret, KeyError> {
        self.active.secret.audience_secret(audience)
    }

    /// Whether the ring has or ever had a key of this id.
    pub(crate) fn knows(&self, id: KeyId) -> bool {
        id == self.active.id
            || self.retired.iter().any(|retired| retired.key.id == id)
            || self.spent.contains(&id)
    }
}

/// Shows the ids of the keys only.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("active", &self.active.id)
            .field("retired", &self.retired().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl RingKey {
    fn new(secret: SecretKey) -> RingKey {
        RingKey { id: secret.id(), secret }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(first: u8) -> SecretKey {
        SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    /// attacks 71 and 72: a ring never has two keys of one id, or one key twice
    #[test]
    fn a_secret_the_ring_has_or_had_is_refused() {
        let mut ring = KeyRing::from_secret(secret(0));
        let first = ring.active();
        assert_eq!(ring.rotate(secret(0), MINUTE, at(0)), Err(KeyError::Reused(first)));
        ring.rotate(secret(1), MINUTE, at(0)).unwrap();
        assert_eq!(ring.rotate(secret(0), MINUTE, at(0)), Err(KeyError::Reused(first)));
        ring.rotate(secret(2), MINUTE, at(120_000)).unwrap();
        assert!(ring.retired().all(|(id, _)| id != first), "its grace is over");
        assert_eq!(ring.rotate(secret(0), MINUTE, at(0)), Err(KeyError::Reused(first)));

        let second = ring.retired().next().unwrap().0;
        ring.retire(second).unwrap();
        assert_eq!(ring.rotate(secret(1), MINUTE, at(0)), Err(KeyError::Reused(second)));
    }

    #[test]
    fn a_rotation_that_fails_changes_nothing() {
        let mut ring = KeyRing::from_secret(secret(0));
        assert_eq!(ring.rotate(secret(1), Duration::MAX, at(0)), Err(KeyError::Grace));
        assert_eq!(ring.active(), RingKey::new(secret(0)).id);
        assert_eq!(ring.retired().count(), 0);
    }

    #[test]
    fn a_rotation_without_grace_keeps_no_secret() {
        let mut ring = KeyRing::from_secret(secret(0));
        ring.rotate(secret(1), Duration::ZERO, at(5)).unwrap();
        assert_eq!(ring.retired().count(), 0);
    }

    #[test]
    fn only_a_retired_key_can_be_dropped() {
        let mut ring = KeyRing::from_secret(secret(0));
        let first = ring.active();
        assert_eq!(ring.retire(first), Err(KeyError::Active(first)));
        ring.rotate(secret(1), MINUTE, at(0)).unwrap();
        assert_eq!(ring.retired().collect::<Vec<_>>(), [(first, at(60_000))]);
        assert_eq!(ring.retire(first), Ok(()));
        assert_eq!(ring.retire(first), Err(KeyError::Unknown(first)));
    }

    #[test]
    fn an_audience_has_a_name_of_a_length_tokens_can_hold() {
        let ring = KeyRing::from_secret(secret(0));
        assert_eq!(ring.for_gate("").unwrap_err(), KeyError::Audience(0));
        assert_eq!(ring.for_gate(&"a".repeat(256)).unwrap_err(), KeyError::Audience(256));
        assert!(ring.for_gate(&"a".repeat(255)).is_ok());
    }

    /// attack 80
    #[test]
    fn a_ring_prints_ids_and_no_secret() {
        let ring = KeyRing::from_secret(secret(0));
        assert_eq!(
            format!("{ring:?}"),
            format!("KeyRing {{ active: KeyId({}), retired: [], .. }}", ring.active())
        );
    }
}
