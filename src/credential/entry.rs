//! One credential that is not known to be gone.

use std::sync::Arc;
use std::time::Duration;

use super::backoff;
use super::handle::Handle;
use super::source::Provider;
use crate::clock::Timestamp;
use crate::vault::Sealed;

/// How far the withdrawal of a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Debt {
    /// It has to be withdrawn.
    Owed,
    /// It was withdrawn, and is not yet known to be gone.
    Withdrawn,
    /// It can't be withdrawn, and stands until it expires.
    Lasting,
}

/// One credential that is not known to be gone: planned, in use, or owed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) handle: Handle,
    pub(crate) credential: Arc<str>,
    /// What records call the provider.
    pub(crate) by: Arc<str>,
    /// Nothing where an earlier life of the broker had one that this one has not.
    pub(crate) provider: Option<Arc<Provider>>,
    pub(crate) task: Arc<str>,
    pub(crate) generation: u64,
    /// The grant, as records write it.
    pub(crate) grant: Box<str>,
    /// The tool that it was minted for.
    pub(crate) tool: Box<str>,
    /// When minting has to be done: before, nothing is known to be gone, since a mint may land late.
    pub(crate) lands_by: Timestamp,
    /// When it has expired.
    pub(crate) expires: Timestamp,
    /// Whether a thread or a future is minting it now.
    pub(crate) in_flight: bool,
    /// Whether the log says that it was minted.
    pub(crate) minted: bool,
    /// Kept while it lives, and after that where withdrawing takes it.
    pub(crate) sealed: Option<Arc<Sealed>>,
    /// How many calls are running with it.
    pub(crate) users: u32,
    /// Whether no further call gets it: the last one that has it ends it.
    pub(crate) superseded: bool,
    /// What is owed of it, if anything is.
    pub(crate) owed: Option<Owed>,
}

/// What is owed of a credential.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) debt: Debt,
    pub(crate) since: Timestamp,
    pub(crate) due: Timestamp,
    /// How often it was tried in vain, in all and in a row.
    pub(crate) attempts: u64,
    failures: u32,
    pub(crate) last_error: Option<Box<str>>,
    /// Whether somebody is at it.
    pub(crate) busy: bool,
}

impl Entry {
    /// From now on it has to be withdrawn.
    pub(super) fn owe(&mut self, now: Timestamp) {
        // One that is being minted can't be withdrawn before it is there.
        let due = if self.in_flight { self.lands_by.max(now) } else { now };
        match &mut self.owed {
            Some(owed) => owed.due = due,
            None => {
                let debt = Debt::Owed;
                let (attempts, failures, last_error, busy) = (0, 0, None, false);
                self.owed =
                    Some(Owed { debt, since: now, due, attempts, failures, last_error, busy });
            }
        }
        let kept = self.provider.as_ref().is_some_and(|own| own.guarantees().takes_secret());
        if !kept {
            self.sealed = None;
        }
    }
}

impl Owed {
    /// It failed, or something is left: tried again later.
    pub(super) fn failed(&mut self, debt: Debt, least: Duration, why: Box<str>, now: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.debt = debt;
        self.last_error = Some(why);
        let wait = backoff::wait(self.failures, least);
        self.due = now.checked_add(wait).unwrap_or(now);
    }

    /// It has come one step further.
    pub(super) fn passed(&mut self, debt: Debt, due: Timestamp) {
        self.failures = 0;
        self.debt = debt;
        self.due = due;
    }
}
