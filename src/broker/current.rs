//! What is in force: policy, epoch and keys.

use std::ops::Deref;
use std::sync::Arc;

use crate::audit::{DigestKey, SealKey};
use crate::identity::{Identity, Restatements};
use crate::key::AudienceKeys;
use crate::policy::{Catalogue, Compiled, Deciders};
use crate::sync::{Apart, RwLock, RwLockReadGuard, own_part, parts_of_one};

/// In how many parts it is kept: threads on different parts write to no memory in common.
const PARTS: usize = parts_of_one(16);

/// What every decision reads and a reload or a rotation replaces.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) ruling: Arc<Apart<Ruling>>,
    /// Apart from the ruling, which a permit keeps: keys that were replaced are wiped once the last
    /// decision that reads them is over, however long a permit is held.
    pub(crate) keys: Arc<KeysInForce>,
}

/// The policy, and which epoch it is.
#[derive(Clone)]
pub(crate) struct Ruling {
    pub(crate) epoch: u64,
    /// How many reloads and restatements there have been: what a grant was found to be given at is checked
    /// again when this has moved on.
    pub(crate) version: u64,
    /// The version that the policy in force came with.
    pub(crate) loaded_at: u64,
    pub(crate) restated: Restatements,
    pub(crate) policy: Arc<Compiled>,
    /// The policy's digest as the log writes it.
    pub(crate) digest: Box<str>,
}

/// What tokens are verified and minted with, arguments digested, and amounts sealed.
pub(crate) struct KeysInForce {
    pub(crate) tokens: Arc<AudienceKeys>,
    pub(crate) digests: Arc<DigestKey>,
    pub(crate) seals: Arc<SealKey>,
}

impl Deref for Current {
    type Target = Ruling;

    fn deref(&self) -> &Ruling {
        &self.ruling
    }
}

/// One part, which has cache lines of its own.
type Part = Apart<RwLock<Current>>;

/// The one [`Current`] that is in force, the same in every part.
///
/// A decision holds a part for reading from its first look to its commit, so that it uses exactly
/// one epoch. A change holds all parts, so that a reload that has returned is seen by everything that
/// starts later, and nothing is decided while it is half done.
pub(crate) struct InForce {
    parts: Box<[Part]>,
}

impl InForce {
    pub(crate) fn new(ruling: Ruling, keys: KeysInForce) -> Self {
        let keys = Arc::new(keys);
        let part = |_| {
            let ruling = Arc::new(Apart(ruling.clone()));
            Apart(RwLock::new(Current { ruling, keys: keys.clone() }))
        };
        InForce { parts: (0..PARTS).map(part).collect() }
    }

    /// What is in force, which stays so until the guard is dropped. Each part counts its own uses, so
    /// that keeping a ruling beyond the guard is a write to that part alone.
    #[expect(clippy::indexing_slicing, reason = "the index is below the number of parts")]
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.parts[own_part() % PARTS].read()
    }

    /// Whether no one holds it.
    #[cfg(all(test, not(shuttle)))]
    pub(crate) fn is_free(&self) -> bool {
        self.parts.iter().all(|part| part.try_write().is_some())
    }

    /// Changes the policy. Parts are taken in their order, so that two changes never wait for each other
    /// in a circle.
    pub(crate) fn change<T>(&self, how: impl FnOnce(&mut Ruling) -> T) -> T {
        let mut parts: Vec<_> = self.parts.iter().map(|part| part.write()).collect();
        #[expect(clippy::indexing_slicing, reason = "there is always a part")]
        let mut ruling = Ruling::clone(&parts[0]);
        let answer = how(&mut ruling);
        for part in &mut parts {
            part.ruling = Arc::new(Apart(ruling.clone()));
        }
        answer
    }

    /// Changes the keys, unless none are given, and does something before anything is decided with the new
    /// ones.
    pub(crate) fn change_keys<T>(
        &self,
        how: impl FnOnce(&KeysInForce) -> (Option<KeysInForce>, T),
    ) -> T {
        let mut parts: Vec<_> = self.parts.iter().map(|part| part.write()).collect();
        #[expect(clippy::indexing_slicing, reason = "there is always a part")]
        let (keys, answer) = how(&parts[0].keys);
        if let Some(keys) = keys.map(Arc::new) {
            for part in &mut parts {
                part.keys = keys.clone();
            }
        }
        answer
    }
}

impl Current {
    /// What would be in force with another policy, to look at live grants with; `None` if it says the same.
    pub(crate) fn previewing(&self, policy: &crate::policy::Policy) -> Option<Current> {
        let next = self.next(policy)?;
        // No grant was found to be given at this version, whatever is loaded meanwhile.
        let next = Ruling { version: u64::MAX, loaded_at: u64::MAX, ..next };
        Some(Current { ruling: Arc::new(Apart(next)), keys: self.keys.clone() })
    }
}

impl Ruling {
    /// What the tools of a task are looked up in.
    pub(crate) fn listing(&self) -> (u64, &Catalogue) {
        (self.epoch, &self.policy.catalogue)
    }

    /// What would be in force once another policy were loaded; `None` if it says the same.
    pub(crate) fn next(&self, policy: &crate::policy::Policy) -> Option<Ruling> {
        let digest = policy.digest().to_string();
        (*self.digest != *digest).then(|| Ruling {
            epoch: self.epoch + 1,
            version: self.version + 1,
            loaded_at: self.version + 1,
            restated: self.restated.clone(),
            policy: policy.0.clone(),
            digest: digest.into(),
        })
    }

    /// What would be in force once a subject were restated, or its restatement taken back.
    pub(crate) fn restating(&self, subject: &str, facts: Option<&Identity>) -> Ruling {
        let version = self.version + 1;
        let restated = self.restated.with(subject, version, facts);
        Ruling { version, restated, ..self.clone() }
    }

    /// Whether any of these is seen otherwise than at that version.
    pub(crate) fn are_restated_since<'i>(
        &self,
        version: u64,
        who: impl IntoIterator<Item = &'i Identity>,
    ) -> bool {
        version != self.version
            && who.into_iter().any(|who| self.restated.is_restated_since(who, version))
    }

    /// The ids of rules, as decisions name them.
    pub(crate) fn ids(&self, rules: &Deciders) -> Vec<Arc<str>> {
        rules.iter().filter_map(|at| self.policy.rule(*at)).map(|rule| rule.id.clone()).collect()
    }
}

/// The rules that decided, named by the policy they are of.
pub(crate) struct DecidingRules {
    ruling: Arc<Apart<Ruling>>,
    rules: Deciders,
}

impl DecidingRules {
    /// Keeps the deciders beyond the lock, without copying their names.
    pub(crate) fn by(current: &Current, rules: Deciders) -> Self {
        DecidingRules { ruling: current.ruling.clone(), rules }
    }

    /// Whether a result of the tool that holds a secret halts the caller.
    pub(crate) fn leak_halts(&self, tool: &str) -> bool {
        self.ruling.policy.catalogue.leak_halts(tool)
    }

    /// The names of the credentials that a tool runs with, under the policy that decided.
    pub(crate) fn credentials_of(&self, tool: &str) -> &[Box<str>] {
        self.ruling.policy.catalogue.credentials_of(tool)
    }

    /// As [`credentials_of`](Self::credentials_of), each with where it may be sent, if that is said.
    pub(crate) fn credentials_and_origins_of(
        &self,
        tool: &str,
    ) -> impl ExactSizeIterator<Item = (&str, Option<&Arc<[Box<str>]>>)> {
        self.ruling.policy.catalogue.credentials_and_origins_of(tool)
    }

    pub(crate) fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        // What is not in the policy did not decide, so nothing is ever missing here.
        self.rules.iter().map(|at| self.ruling.policy.rule(*at).map_or("", |rule| &*rule.id))
    }
}
