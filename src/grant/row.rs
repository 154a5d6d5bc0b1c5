//! A row of the table: one grant, and the terms it was given on.

use std::sync::Arc;
use std::time::Duration;

use super::counters::Stamp;
use super::id::GrantId;
use super::nonces::Nonces;
use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::identity::Identity;
use crate::scope::Capability;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) id: GrantId,
    pub(crate) serial: u32,
    pub(crate) holder: Identity,
    pub(crate) terms: Arc<Terms>,
    /// The grant it was delegated from.
    pub(crate) parent: Option<GrantId>,
    /// How many delegations below a root it is.
    pub(crate) hops: u8,
    pub(crate) first_issued: Timestamp,
    /// When it was issued, or renewed last: what its time to live counts from.
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) last_used: Timestamp,
    /// The epoch whose policy was last found to give it.
    pub(crate) epoch: u64,
    /// Presentations bound to a call that were taken; renewal keeps them.
    pub(crate) nonces: Option<Box<Nonces>>,
}

impl Row {
    /// The same row, to try something out on.
    pub(crate) fn trial(&self) -> Row {
        Row { holder: self.holder.clone(), terms: self.terms.clone(), nonces: None, ..*self }
    }

    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        now >= self.expires || self.terms.idle.is_some_and(|idle| now.since(self.last_used) >= idle)
    }

    /// Whether a call-bound presentation can be taken.
    pub(crate) fn probe(&self, once: Once, now: Timestamp) -> Result<(), Denial> {
        self.nonces.as_deref().unwrap_or(&NO_NONCES).probe(once, now)
    }

    /// Takes a call-bound presentation, once.
    pub(crate) fn take(&mut self, once: Once, now: Timestamp) -> Result<(), Denial> {
        self.nonces.get_or_insert_default().take(once, now)
    }

    /// How much its scope says, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.terms.scope.iter().map(|granted| granted.capability.size()).sum()
    }

    pub(crate) fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        self.terms.scope.iter().flat_map(|granted| &granted.stamps)
    }
}

/// A presentation's nonce, and until when it is worth something.
type Once = (Timestamp, [u8; 16]);

static NO_NONCES: Nonces = Nonces::new();

/// What was granted: the same for all grants that policy gave alike, which share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) scope: Vec<Granted>,
    /// How long a grant may live from when it was first issued, whatever is renewed.
    pub(crate) max_life: Option<Duration>,
    /// A grant ends when it has not been used for so long.
    pub(crate) idle: Option<Duration>,
}

/// A capability as it was granted, with the limits that every permit covering it put on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) capability: Capability,
    pub(crate) stamps: Vec<Stamp>,
}
