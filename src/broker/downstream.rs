//! What was minted outside: the ledger, and what becomes of it with the broker.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::credential::{Debt, Entry, Ledger};
use crate::random;

/// What was minted outside.
pub(crate) struct Downstream {
    pub(super) ledger: Ledger,
    /// What the names of this broker's credentials begin with.
    pub(super) mark: String,
    pub(super) on_owed: Option<OwedHook>,
}

pub(crate) type OwedHook = Box<dyn Fn(&[Obligation]) + Send + Sync>;

/// A credential that has to go, and is not known to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obligation {
    /// What it is called outside.
    pub name: Box<str>,
    /// What its provider needs in addition to find it.
    pub detail: Box<str>,
    /// What the catalogue calls it.
    pub credential: Arc<str>,
    /// What records call the provider.
    pub provider: Arc<str>,
    /// The task that it was minted in.
    pub task: Arc<str>,
    /// Which opening of the task it is.
    pub generation: u64,
    /// How far its withdrawal is.
    pub debt: Debt,
    /// Since when it has had to go.
    pub since: Timestamp,
    /// How often that was tried in vain.
    pub attempts: u64,
    /// What was said at the last of these, or of why it can't be withdrawn.
    pub last_error: Option<Box<str>>,
    /// When it is tried next, or looked for.
    pub due: Timestamp,
    /// When it has expired, whatever becomes of it: what its sessions do then, its provider's guarantees say.
    pub expires: Timestamp,
}

/// A credential outside that is not known to be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandingCredential {
    /// What it is called outside.
    pub name: Box<str>,
    /// What the catalogue calls it.
    pub credential: Arc<str>,
    /// What records call the provider.
    pub provider: Arc<str>,
    /// The task that it was minted in.
    pub task: Arc<str>,
    /// Which opening of the task it is.
    pub generation: u64,
    /// Whether it has to go: otherwise a live grant has it.
    pub owed: bool,
    /// When it has expired.
    pub until: Timestamp,
}

impl Downstream {
    /// A name that was never used.
    pub(super) fn name(&self) -> Result<String, random::RandomError> {
        let mut id = [0; 16];
        random::fill(&mut id)?;
        Ok(id.iter().fold(self.mark.clone(), |name, byte| format!("{name}{byte:02x}")))
    }

    pub(super) fn obligations(&self) -> Vec<Obligation> {
        self.ledger.each(|entry| {
            let owed = entry.owed.as_ref()?;
            Some(Obligation {
                name: entry.handle.name().into(),
                detail: entry.handle.detail().into(),
                credential: entry.credential.clone(),
                provider: entry.by.clone(),
                task: entry.task.clone(),
                generation: entry.generation,
                debt: owed.debt,
                since: owed.since,
                attempts: owed.attempts,
                last_error: owed.last_error.clone(),
                due: owed.due,
                expires: entry.expires,
            })
        })
    }

    pub(super) fn standing(&self) -> Vec<StandingCredential> {
        self.ledger.each(|entry: &Entry| {
            Some(StandingCredential {
                name: entry.handle.name().into(),
                credential: entry.credential.clone(),
                provider: entry.by.clone(),
                task: entry.task.clone(),
                generation: entry.generation,
                owed: entry.owed.is_some(),
                until: entry.expires,
            })
        })
    }
}
