//! Subjects whose earlier tokens are worth nothing any more.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass::clock::Timestamp;

use crate::token_error::Why;

/// How many subjects are remembered. More are refused rather than forgotten.
const MOST: usize = 65_536;

/// Subjects that were revoked, and when: a [`TokenVerifier`](crate::TokenVerifier) refuses what was issued to them before. Clones
/// share it.
#[derive(Clone, Default)]
pub struct Revocations(Arc<Mutex<HashMap<Box<str>, Timestamp>>>);

impl Revocations {
    /// Nothing was revoked yet.
    pub fn new() -> Self {
        Revocations::default()
    }

    /// Tokens of this subject that were issued up to `at` are refused from now on. An earlier time than one that was said before changes
    /// nothing.
    ///
    /// Whether it is remembered: not if 65,536 others are.
    #[must_use = "what is not remembered is not refused"]
    pub fn revoke(&self, subject: &str, at: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = all.len() >= MOST;
        match all.get_mut(subject) {
            Some(own) => *own = at.max(*own),
            None if is_full => return false,
            None => drop(all.insert(subject.into(), at)),
        }
        true
    }

    /// Forgets what was revoked before `at`: the issuer's longest token, issued then, has expired.
    pub fn forget_before(&self, at: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, own| *own >= at);
    }

    pub(crate) fn all(&self) -> Vec<(String, Timestamp)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, at)| (name.to_string(), *at)).collect()
    }

    pub(crate) fn check(&self, subject: &str, issued: Option<Timestamp>) -> Result<(), Why> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(subject) {
            Some(revoked) if issued.is_none_or(|issued| issued <= *revoked) => Err(Why::Revoked),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}
