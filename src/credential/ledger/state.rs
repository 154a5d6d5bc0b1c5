//! What the ledger holds: leases of live grants, and an entry of each credential.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use super::Key;
use super::unsettled::UnsettledTasks;
use crate::clock::Timestamp;
use crate::credential::entry::Entry;
use crate::credential::seen::Seen;
use crate::vault::Sealed;

/// What the ledger holds.
pub(super) struct State {
    /// What the next call of a grant runs with.
    pub(super) leases: BTreeMap<Key, Lease>,
    /// By number, in the order in which they were planned.
    pub(super) entries: BTreeMap<u64, Entry>,
    pub(super) unsettled: UnsettledTasks,
    pub(super) last: u64,
    pub(super) seen: Seen,
    pub(super) waiting: Vec<Waker>,
    /// Whether providers were asked what an earlier life has left.
    pub(super) swept: bool,
}

/// What the next call of a grant runs with.
pub(super) struct Lease {
    /// Of the mint that began it.
    pub(super) ticket: u64,
    /// Nothing before the mint is planned.
    pub(super) entry: Option<u64>,
    /// Nothing before the mint is done.
    pub(super) ready: Option<Ready>,
}

pub(super) struct Ready {
    pub(super) sealed: Arc<Sealed>,
    pub(super) serial: u32,
    pub(super) expires: Timestamp,
}

impl State {
    pub(super) fn in_flight(&self, key: &Key) -> bool {
        self.leases.get(key).is_some_and(|lease| lease.ready.is_none())
    }

    pub(super) fn lend(&mut self, key: &Key, ticket: u64, serial: u32) -> bool {
        let Some(lease) = self.leases.get_mut(key).filter(|lease| lease.ticket == ticket) else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(&ticket) else { return false };
        let Some(sealed) = entry.sealed.clone() else { return false };
        lease.ready = Some(Ready { sealed, serial, expires: entry.expires });
        entry.users = 1;
        true
    }

    /// No further call gets it; what is running keeps it.
    pub(super) fn supersede(&mut self, key: &Key, now: Timestamp) {
        let entry = self.leases.remove(key).and_then(|lease| lease.entry);
        if let Some(entry) = entry.and_then(|ticket| self.entries.get_mut(&ticket)) {
            entry.superseded = true;
            if entry.users == 0 {
                entry.owe(now);
            }
        }
    }

    /// Its grant has ended: it is owed, whatever is running.
    pub(super) fn end(&mut self, key: &Key, now: Timestamp) {
        let entry = self.leases.remove(key).and_then(|lease| lease.entry);
        if let Some(entry) = entry.and_then(|ticket| self.entries.get_mut(&ticket)) {
            entry.owe(now);
        }
    }
}
