//! The keys of a log: one that its records are tied together with, and those there were before.

use std::fmt;

use super::derive::{Context, KeyUse};
use super::error::KeyError;
use super::id::KeyId;
use super::mac::MacKey;
use super::secret::SecretKey;
use super::split_mac::SplitMac;
use crate::random::RandomError;

/// The keys of a broker's log, apart from the [`KeyRing`](super::KeyRing) that signs its tokens: rotating
/// that one leaves the log as it is.
///
/// One key is active. From its secret come the key of the chain, the key of the digests of arguments, the key
/// of the text forms of questions, and the key of what only who has it may read; the secret itself is wiped at once. When the active key changes, a `rekeyed` record is the last under
/// the old key and names the new one, so a log that has seen several keys verifies with all of them: keys
/// are found by id and never tried.
///
/// ```
/// use hallpass::key::{LogKeys, SecretKey};
/// # fn load(_: &str) -> Result<SecretKey, hallpass::RandomError> { SecretKey::generate() }
/// // This year's, and last year's, which the oldest records were written under.
/// let keys = LogKeys::from_secret(load("log-2026")?).and_past(load("log-2025")?)?;
/// assert_eq!(keys.past().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// They can write a log that verifies, so they cannot be copied:
///
/// ```compile_fail,E0599
/// # use hallpass::key::LogKeys;
/// let copy = LogKeys::generate()?.clone();
/// # Ok::<(), hallpass::RandomError>(())
/// ```
pub struct LogKeys {
    active: LogKey,
    past: Vec<LogKey>,
}

/// One of the keys of a log.
pub(crate) struct LogKey {
    pub(crate) id: KeyId,
    pub(crate) chain: Box<SplitMac>,
    pub(crate) digests: Box<MacKey>,
    pub(crate) handles: Box<MacKey>,
    pub(crate) seals: Box<MacKey>,
}

impl LogKeys {
    /// One random key, which lives and dies with the process: for a log that does, too.
    ///
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub fn generate() -> Result<LogKeys, RandomError> {
        Ok(LogKeys::from_secret(SecretKey::generate()?))
    }

    /// One key, whose secret is used for nothing else.
    pub fn from_secret(secret: SecretKey) -> LogKeys {
        LogKeys { active: LogKey::derive(&secret), past: Vec::new() }
    }

    /// With a key that was active before: records written under it verify, and a log that ends under it
    /// can be continued under the active one.
    ///
    /// # Errors
    /// [`KeyError::Reused`] if it is one of these keys already.
    pub fn and_past(mut self, secret: SecretKey) -> Result<LogKeys, KeyError> {
        self.check_new(secret.id())?;
        self.past.push(LogKey::derive(&secret));
        Ok(self)
    }

    /// The id of the active key, as `log_started` and `rekeyed` records name it.
    pub fn active(&self) -> KeyId {
        self.active.id
    }

    /// The ids of the keys that were active before.
    pub fn past(&self) -> impl Iterator<Item = KeyId> {
        self.past.iter().map(|key| key.id)
    }

    /// The active key.
    pub(crate) fn active_key(&self) -> &LogKey {
        &self.active
    }

    /// The key of this id.
    pub(crate) fn find(&self, id: KeyId) -> Option<&LogKey> {
        self.all().find(|key| key.id == id)
    }

    /// The active key, and those that were before.
    pub(crate) fn all(&self) -> impl Iterator<Item = &LogKey> {
        std::iter::once(&self.active).chain(&self.past)
    }

    /// Another key becomes active. The one before is kept to verify with where `keep_past` says so, and
    /// wiped otherwise.
    pub(crate) fn rotate(&mut self, secret: &SecretKey, keep_past: bool) -> Result<(), KeyError> {
        self.check_new(secret.id())?;
        let before = std::mem::replace(&mut self.active, LogKey::derive(secret));
        if keep_past {
            self.past.push(before);
        }
        Ok(())
    }

    /// Forgets the keys there were before.
    pub(crate) fn forget_past(&mut self) {
        self.past = Vec::new();
    }

    fn check_new(&self, id: KeyId) -> Result<(), KeyError> {
        if self.find(id).is_some() { Err(KeyError::Reused(id)) } else { Ok(()) }
    }
}

impl LogKey {
    fn derive(secret: &SecretKey) -> LogKey {
        LogKey {
            id: secret.id(),
            chain: SplitMac::derive(secret, KeyUse::LogChain),
            digests: MacKey::derive(secret, KeyUse::LogDigest, Context::NONE),
            handles: MacKey::derive(secret, KeyUse::QuestionHandle, Context::NONE),
            seals: MacKey::derive(secret, KeyUse::LogSeal, Context::NONE),
        }
    }
}

/// Shows the ids of the keys only.
impl fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKeys")
            .field("active", &self.active.id)
            .field("past", &self.past().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(first: u8) -> SecretKey {
        SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    /// attack 71
    #[test]
    fn a_log_has_each_key_once() {
        let (first, second) = (secret(0).id(), secret(1).id());
        let once = LogKeys::from_secret(secret(0)).and_past(secret(0)).unwrap_err();
        assert_eq!(once, KeyError::Reused(first));
        let mut keys = LogKeys::from_secret(secret(0)).and_past(secret(1)).unwrap();
        assert_eq!(keys.rotate(&secret(1), true), Err(KeyError::Reused(second)));
        assert_eq!(keys.rotate(&secret(0), true), Err(KeyError::Reused(first)));
        assert_eq!((keys.active(), keys.past().collect::<Vec<_>>()), (first, vec![second]));
    }

    #[test]
    fn a_key_before_is_kept_only_where_it_is_asked_for() {
        let mut keys = LogKeys::from_secret(secret(0));
        keys.rotate(&secret(1), true).unwrap();
        assert!(keys.find(secret(0).id()).is_some());
        keys.rotate(&secret(2), false).unwrap();
        assert!(keys.find(secret(1).id()).is_none());
        keys.forget_past();
        assert!(keys.find(secret(0).id()).is_none());
        assert!(keys.find(secret(2).id()).is_some());
    }

    /// attacks 70 and 80
    #[test]
    fn chain_and_digests_have_keys_of_their_own_and_none_is_printed() {
        let keys = LogKeys::from_secret(secret(0));
        let LogKey { chain, digests, handles, seals, .. } = keys.active_key();
        let tags =
            [chain.sign_parts([b"x"]), digests.sign(b"x"), handles.sign(b"x"), seals.sign(b"x")];
        assert!((1..4).all(|at| !tags[..at].contains(&tags[at])));
        let id = secret(0).id();
        assert_eq!(format!("{keys:?}"), format!("LogKeys {{ active: KeyId({id}), past: [], .. }}"));
    }
}
