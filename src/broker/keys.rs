//! Changing keys, those of tokens and those of the log, and verifying the log with them.

use std::sync::Arc;
use std::time::Duration;

use super::Broker;
use super::current::KeysInForce;
use super::shared::Shared;
use crate::audit::{Body, ChainKey, DigestKey, Fault, MemoryLog, SealKey, Verification, verify};
use crate::clock::Timestamp;
use crate::key::{KeyError, KeyId, KeyRing, SecretKey};
use crate::sync::atomic::Ordering;

impl Broker {
    /// Signs with another key from now on. Tokens signed with the one before verify until the grace is
    /// over, and no longer: a grant that is to live longer is [renewed](crate::Task::renew), which gives it a
    /// token of the new key. The log goes on under its own key, which
    /// [another verb](Broker::rotate_log_key) changes.
    ///
    /// A [`Verifier`](crate::token::Verifier) elsewhere needs the new key's secret for its
    /// audience, which [`SecretKey::audience_secret`] gives before the key goes in here.
    ///
    /// # Errors
    /// [`KeyError::Reused`] if the key is or was in the ring, or is the log's, [`KeyError::Grace`] if the grace ends
    /// past the last instant there is. Nothing changes then.
    pub fn rotate_key(&self, key: SecretKey, grace: Duration) -> Result<(), KeyError> {
        let now = self.shared.time_of_end().ok_or(KeyError::Forked)?;
        let log_keys = self.shared.log_keys.lock();
        if log_keys.find(key.id()).is_some() {
            return Err(KeyError::Reused(key.id()));
        }
        self.shared.change_ring(|ring| ring.rotate(key, grace, now))
    }

    /// Takes a retired key out at once, whatever grace it was given: from when this returns, tokens
    /// signed with it are refused.
    ///
    /// Grants stay, and so do permits that were handed out on such tokens, which lapse within the
    /// broker's `permit_ttl`: a key says which token is genuine, and gives nothing by itself. Where
    /// somebody else may have had the key, [halt](crate::Control::halt) first; what is halted does not start.
    ///
    /// # Errors
    /// [`KeyError::Active`] if it is the active key, which is taken out by
    /// [rotating](Broker::rotate_key) without grace; [`KeyError::Unknown`] if it is not in the ring.
    pub fn retire_key(&self, id: KeyId) -> Result<(), KeyError> {
        self.shared.time_of_end().ok_or(KeyError::Forked)?;
        self.shared.change_ring(|ring| ring.retire(id))
    }

    /// The id of the key that signs.
    pub fn active_key(&self) -> KeyId {
        self.shared.ring.lock().active()
    }

    /// Ties the log's records together with another key from now on, and digests arguments with another.
    /// A `rekeyed` record says so: the last under the old key, which is wiped once it is written. A broker
    /// whose log is its own memory keeps the old keys, to [verify](Broker::verify_log) that with.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use hallpass::audit::{MemoryLog, Origin, verify};
    /// # use hallpass::key::{LogKeys, SecretKey};
    /// # let policy = Policy::builder().build()?;
    /// # let bytes: Vec<u8> = (0..64).collect();
    /// # let (old, new) = (&bytes[..32], &bytes[32..]);
    /// let log = MemoryLog::new();
    /// let keys = LogKeys::from_secret(SecretKey::from_bytes(old)?);
    /// let broker = Broker::builder(policy).log(log.clone()).log_keys(keys).build()?;
    /// broker.rotate_log_key(SecretKey::from_bytes(new)?)?;
    /// assert_eq!(broker.flush(), 0, "the change is in the log");
    ///
    /// // A verifier needs both.
    /// let keys = LogKeys::from_secret(SecretKey::from_bytes(new)?)
    ///     .and_past(SecretKey::from_bytes(old)?)?;
    /// let snapshot = log.snapshot();
    /// let lines = snapshot.entries().map(|entry| (entry.line, *entry.tag));
    /// let verified = verify(lines, &keys, &Origin::new("hallpass", "hallpass"), None)?;
    /// assert_eq!(verified.key, Some(keys.active()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::Reused`] if the log has or had the key, or the ring does. Nothing changes then.
    pub fn rotate_log_key(&self, key: SecretKey) -> Result<(), KeyError> {
        let shared = &self.shared;
        shared.time_of_end().ok_or(KeyError::Forked)?;
        let mut keys = shared.log_keys.lock();
        if shared.ring.lock().knows(key.id()) {
            return Err(KeyError::Reused(key.id()));
        }
        keys.rotate(&key, self.log.is_some())?;
        let active = keys.active_key();
        let (chain, digests) = (Arc::new(ChainKey::of(active)), Arc::new(DigestKey::of(active)));
        let seals = Arc::new(SealKey::of(active));
        let at = shared.keeper.latest();
        // Its place is taken before anything is digested with the new key.
        shared.current.change_keys(|now| {
            shared.journal.note(Body::rekeying(at, chain));
            (Some(KeysInForce { tokens: now.tokens.clone(), digests, seals }), ())
        });
        drop(keys);
        Ok(())
    }

    /// The id of the key that the log's records are tied together with.
    pub fn active_log_key(&self) -> KeyId {
        self.shared.log_keys.lock().active()
    }

    /// Verifies the log in memory against the chain this broker wrote; see
    /// [`audit::verify`](crate::audit::verify). A broker whose log is kept elsewhere has nothing in
    /// memory, so that everything it wrote is found missing: verify what its sink keeps instead.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn verify_log(&self) -> Result<Verification, Fault> {
        // Without a log in memory there is nothing to look at, and what was written counts as cut.
        self.verify(self.log().unwrap_or(&MemoryLog::new()))
    }

    /// As [`verify_log`](Broker::verify_log), for a log in memory that the broker was
    /// [given](crate::BrokerBuilder::log), in whatever other sink it is wrapped. What was written before
    /// the last [change of the log's key](Broker::rotate_log_key) takes keys that this broker does not
    /// keep.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn verify(&self, log: &MemoryLog) -> Result<Verification, Fault> {
        let anchor = self.shared.journal.anchor();
        let snapshot = log.snapshot();
        let entries = snapshot.entries().map(|entry| (entry.line, *entry.tag));
        verify(entries, &self.shared.log_keys.lock(), &self.shared.origin(), Some(&anchor))
    }
}

impl Shared {
    /// Wipes retired keys whose grace is over, from the ring and from what is in force.
    pub(super) fn purge_keys(&self, now: Timestamp) {
        if purged_from(Some(now)) >= self.next_purge.load(Ordering::Relaxed) {
            // The audience is one that has had keys before.
            let _ = self.change_ring(|ring| {
                ring.purge(now);
                Ok(())
            });
        }
    }

    /// Changes the ring, and verifies and signs with it as it is then. The ring is locked within what is in
    /// force, as by a request that mints for a verifier.
    fn change_ring(
        &self,
        how: impl FnOnce(&mut KeyRing) -> Result<(), KeyError>,
    ) -> Result<(), KeyError> {
        self.current.change_keys(|now| {
            let mut ring = self.ring.lock();
            let changed = how(&mut ring);
            self.next_purge.store(purged_from(ring.next_purge()), Ordering::Relaxed);
            match changed.and_then(|()| ring.for_gate(&self.audience)) {
                Ok(tokens) => {
                    let (tokens, digests) = (Arc::new(tokens), now.digests.clone());
                    let seals = now.seals.clone();
                    (Some(KeysInForce { tokens, digests, seals }), Ok(()))
                }
                Err(error) => (None, Err(error)),
            }
        })
    }
}

/// From when on there is something to purge.
pub(super) fn purged_from(deadline: Option<Timestamp>) -> u64 {
    deadline.map_or(u64::MAX, |at| at.unix_millis().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::key::LogKeys;
    use crate::policy::{Policy, Rule};
    use crate::{Call, Context, Purpose, Scope};

    fn secret(first: u8) -> SecretKey {
        SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    /// Keys that wrote what is kept elsewhere are not kept here: they could rewrite it.
    #[test]
    fn a_broker_keeps_past_log_keys_only_for_a_log_in_its_own_memory() {
        let past = |own_memory: bool| {
            let keys = LogKeys::from_secret(secret(1)).and_past(secret(2)).unwrap();
            let mut builder = Broker::builder(Policy::builder().build().unwrap()).log_keys(keys);
            if !own_memory {
                builder = builder.log(MemoryLog::new());
            }
            let broker = builder.build().unwrap();
            broker.rotate_log_key(secret(3)).unwrap();
            broker.shared.log_keys.lock().past().count()
        };
        assert_eq!((past(true), past(false)), (2, 0));
    }

    /// A retired key is gone once its grace is over and something is swept, whatever is held.
    #[test]
    fn keys_that_were_replaced_are_gone_while_permits_of_theirs_are_held() {
        let rule = Rule::permit("all").any_tool().any_args();
        let policy = Policy::builder().rule(rule).build().unwrap();
        let clock = ManualClock::new(Timestamp::from_unix_millis(1_000_000).unwrap());
        let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("test")).unwrap();
        let grant = task.request(Scope::tool("t").any_args(), &Context::new()).unwrap();
        let call = Call::new("t", serde_json::json!({})).unwrap();
        let permit = broker.gate().authorize(grant.token(), &agent, call, &Context::new()).unwrap();
        let keys = || Arc::downgrade(&broker.shared.current().keys.tokens);
        let before = keys();

        broker.rotate_key(secret(1), Duration::from_secs(60)).unwrap();
        assert!(before.upgrade().is_none(), "neither a permit nor its rules keep it");
        let in_grace = keys();
        clock.advance(Duration::from_secs(59));
        broker.sweep(1);
        assert_eq!(broker.shared.ring.lock().retired().count(), 1);
        assert!(in_grace.upgrade().is_some());
        clock.advance(Duration::from_secs(1));
        broker.sweep(1);
        assert_eq!(broker.shared.ring.lock().retired().count(), 0);
        assert!(in_grace.upgrade().is_none());
        drop(permit);

        // Opening a task sweeps, too.
        broker.rotate_key(secret(2), Duration::from_secs(60)).unwrap();
        clock.advance(Duration::from_secs(60));
        let _task = broker.open(&agent, Purpose::new("test")).unwrap();
        assert_eq!(broker.shared.ring.lock().retired().count(), 0);
    }
}
