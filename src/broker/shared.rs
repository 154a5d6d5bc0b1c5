//! What all handles of one broker share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard};

use super::halt::Halts;
use crate::args::Args;
use crate::audit::{Body, Event, Journal, Place, Refused};
use crate::clock::{Timekeeper, Timestamp};
use crate::denial::{Denial, Reason};
use crate::grant::{Table, TaskCell};
use crate::identity::Identity;
use crate::policy::{Compiled, Deciders};
use crate::token::{AudienceKeys, KeyRing, MacKey};

pub(crate) struct Shared {
    /// Tells this broker's identities from those of any other in the process.
    pub(crate) id: u64,
    pub(crate) issuer: Box<str>,
    pub(crate) audience: Box<str>,
    pub(crate) keeper: Timekeeper,
    pub(crate) current: RwLock<Current>,
    pub(crate) ring: parking_lot::Mutex<KeyRing>,
    pub(crate) argument_key: MacKey,
    pub(crate) table: Table,
    pub(crate) halts: Halts,
    pub(crate) journal: Journal,
    pub(crate) settings: Settings,
}

/// What every decision reads and a reload or a rotation replaces. A decision holds it for reading
/// from its first look to its commit, so that it uses exactly one epoch; a reload that has returned
/// is therefore seen by everything that starts later.
pub(crate) struct Current {
    pub(crate) epoch: u64,
    pub(crate) policy: Arc<Compiled>,
    /// The policy's digest as the log writes it.
    pub(crate) digest: Box<str>,
    pub(crate) keys: AudienceKeys,
}

/// Lifetimes and bounds that no policy can exceed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) default_ttl: Duration,
    pub(crate) ceiling: Duration,
    pub(crate) permit_ttl: Duration,
    pub(crate) presentation_window: Duration,
    pub(crate) max_grants: usize,
    pub(crate) max_permits: usize,
}

impl Shared {
    /// A number that no other broker of this process has.
    pub(crate) fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn current(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read()
    }

    /// Reads the clock; a decision does so once.
    pub(crate) fn now(&self) -> Result<Timestamp, Denial> {
        self.keeper.now().map_err(|error| Denial::new(Reason::ClockUnreadable).because(error))
    }

    /// Whether this broker attested the identity.
    pub(crate) fn attested(&self, who: &Identity) -> Result<(), Denial> {
        if who.attested_by() == self.id {
            Ok(())
        } else {
            Err(Denial::new(Reason::ForeignIdentity)
                .because(format_args!("`{}` was attested by another broker", who.subject())))
        }
    }

    /// The digest of arguments that the log keeps: keyed, so that short values can't be guessed.
    pub(crate) fn argument_digest(&self, args: &Args) -> crate::value::Digest {
        let mut bytes = Vec::with_capacity(256);
        args.object().encode(&mut bytes);
        self.argument_key.sign(&bytes).into()
    }

    /// Takes the record's place in the sequence: called under a task's lock where the order matters.
    pub(crate) fn place(&self, at: Timestamp, event: &Event<'_>) -> Result<Place, Denial> {
        let body = Body::new(at, event).map_err(|error| refused(&error))?;
        self.journal.place(body).map_err(|error| refused(&error))
    }

    /// Waits until the log has accepted the record.
    pub(crate) fn settle(&self, place: Place) -> Result<u64, Denial> {
        self.journal.settle(place).map_err(|error: Refused| refused(&error))
    }

    /// Records what stands in any case: if the log refuses, the record is owed.
    pub(crate) fn record(&self, at: Timestamp, event: &Event<'_>) {
        if let Ok(place) = self.place(at, event) {
            self.journal.owe(place);
        }
    }

    /// Ends a task's presence in the table once it is over.
    pub(crate) fn forget(&self, cell: &TaskCell) {
        self.table.remove(cell);
    }
}

impl Current {
    /// The ids of rules, as decisions name them.
    pub(crate) fn ids(&self, rules: &Deciders) -> Vec<Arc<str>> {
        rules.iter().filter_map(|at| self.policy.rule(*at)).map(|rule| rule.id.clone()).collect()
    }
}

fn refused(error: &dyn std::fmt::Display) -> Denial {
    Denial::new(Reason::LogRefused).because(error)
}
