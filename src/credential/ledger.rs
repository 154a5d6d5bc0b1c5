//! The ledger: every credential that was planned and is not known to be gone.
//!
//! Nothing is called while its lock is held, which is taken within a task's lock where something ends.

mod state;
#[cfg(test)]
mod tests;
mod unsettled;
mod withdrawals;

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use self::state::{Lease, State};
pub(crate) use self::unsettled::Settlement;
pub(crate) use self::withdrawals::{Job, Passed};
use super::entry::Entry;
use super::handle::Handle;
use super::seen::Seen;
use crate::clock::Timestamp;
use crate::contained::wake_each;
use crate::grant::GrantId;
use crate::random::RandomError;
use crate::sync::{Condvar, Mutex};
use crate::vault::{Sealed, Secret, Vault, VaultError};

/// Whose credential it is: one grant of one task, by the catalogue's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) generation: u64,
    pub(crate) grant: GrantId,
    pub(crate) credential: Arc<str>,
}

/// Every credential that is not known to be gone.
pub(crate) struct Ledger {
    state: Mutex<State>,
    /// Signalled whenever a mint is done, however.
    minted: Condvar,
    /// Seals what was minted.
    vault: Vault,
}

/// A credential that a call runs with, until it [gives it back](Ledger::give_back).
pub(crate) struct InUse {
    /// Its entry of the ledger.
    pub(crate) entry: u64,
    pub(crate) sealed: Arc<Sealed>,
    /// What it is called where it was minted.
    pub(crate) name: Box<str>,
}

/// What a call that needs a credential finds.
pub(crate) enum Found {
    /// It is there, and is used by one call more.
    Ready(InUse),
    /// Another call is minting it.
    InFlight,
    /// It is to be minted by this call, under this ticket.
    Begun(u64),
}

impl Ledger {
    /// # Errors
    /// [`RandomError`] if the operating system gives no random bytes.
    pub(crate) fn new() -> Result<Ledger, RandomError> {
        let (leases, entries, unsettled) = Default::default();
        let (seen, waiting) = (Seen::new()?, Vec::new());
        let state = State { leases, entries, unsettled, last: 0, seen, waiting, swept: true };
        Ok(Ledger { state: Mutex::new(state), minted: Condvar::default(), vault: Vault::new()? })
    }

    /// What a call of a grant that is at this serial is to run with, which may live until `most`. Called under the
    /// task's lock, while the grant lives.
    pub(crate) fn find(
        &self,
        key: &Key,
        serial: u32,
        (now, most): (Timestamp, Timestamp),
    ) -> Found {
        let state = &mut *self.state.lock();
        match state.leases.get(key) {
            Some(Lease { ready: None, .. }) => return Found::InFlight,
            Some(Lease { entry: Some(entry), ready: Some(ready), .. })
                if ready.serial == serial && now < ready.expires && ready.expires <= most =>
            {
                let (entry, sealed) = (*entry, ready.sealed.clone());
                if let Some(own) = state.entries.get_mut(&entry) {
                    own.users = own.users.saturating_add(1);
                    let name = own.handle.name().into();
                    return Found::Ready(InUse { entry, sealed, name });
                }
            }
            // Renewed or expired since, or minted where rules accept more: what is running keeps it.
            Some(_) => state.supersede(key, now),
            None => {}
        }
        state.last += 1;
        let ticket = state.last;
        state.leases.insert(key.clone(), Lease { ticket, entry: None, ready: None });
        Found::Begun(ticket)
    }

    /// Enters what is going to be minted; `None` if its grant has ended meanwhile.
    pub(crate) fn plan(&self, key: &Key, ticket: u64, entry: Entry) -> Option<u64> {
        let state = &mut *self.state.lock();
        state.unsettled.add((entry.generation, &entry.task), ticket, entry.handle.name());
        let lease = state.leases.get_mut(key).filter(|lease| lease.ticket == ticket)?;
        lease.entry = Some(ticket);
        state.entries.insert(ticket, entry);
        Some(ticket)
    }

    /// Notes a secret; `false` if a provider gave it before.
    pub(crate) fn is_new(&self, secret: &Secret) -> bool {
        self.state.lock().seen.add(secret)
    }

    /// Seals what was minted.
    pub(crate) fn seal(&self, credential: &str, secret: &Secret) -> Result<Sealed, VaultError> {
        self.vault.sealed(credential, secret)
    }

    /// The minting of a ticket has come back with a credential: from now on it can be withdrawn, for good.
    pub(crate) fn landed(&self, ticket: u64, handle: Handle, expires: Timestamp) {
        if let Some(entry) = self.state.lock().entries.get_mut(&ticket) {
            (entry.in_flight, entry.minted) = (false, true);
            (entry.handle, entry.expires) = (handle, expires);
        }
    }

    /// Keeps the secret of a ticket, for calls or for its withdrawal.
    pub(crate) fn keep(&self, ticket: u64, sealed: &Arc<Sealed>) {
        if let Some(entry) = self.state.lock().entries.get_mut(&ticket) {
            entry.sealed = Some(sealed.clone());
        }
    }

    /// Has what was minted be what calls of the grant run with, this one first; `false` if the grant has ended
    /// meanwhile.
    pub(crate) fn lend(&self, key: &Key, ticket: u64, serial: u32, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        let lent = state.lend(key, ticket, serial);
        if !lent && let Some(entry) = state.entries.get_mut(&ticket) {
            entry.owe(now);
        }
        self.tell_waiting(state);
        lent
    }

    /// The minting of a ticket has failed, or was given up: calls that wait for it go on.
    pub(crate) fn fail(&self, key: &Key, ticket: u64) {
        let mut state = self.state.lock();
        if state.leases.get(key).is_some_and(|lease| lease.ticket == ticket) {
            state.leases.remove(key);
        }
        self.tell_waiting(state);
    }

    fn tell_waiting(&self, mut state: crate::sync::MutexGuard<'_, State>) {
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.minted.notify_all();
        wake_each(waiting);
    }

    /// Nothing was minted of what was planned under a ticket, and the log has its plan, or not. What became of the task's
    /// credentials, if that settles them.
    #[must_use]
    pub(crate) fn forget(&self, key: &Key, ticket: u64, recorded: bool) -> Option<Settlement> {
        let state = &mut *self.state.lock();
        state.entries.remove(&ticket);
        state.unsettled.note_gone(key.generation, ticket, recorded)
    }

    /// One call less runs with it.
    pub(crate) fn give_back(&self, entry: u64, now: Timestamp) {
        let state = &mut *self.state.lock();
        if let Some(own) = state.entries.get_mut(&entry) {
            own.users = own.users.saturating_sub(1);
            if own.superseded && own.users == 0 && own.owed.is_none() {
                own.owe(now);
            }
        }
    }

    /// The grants of a task have ended, or these of them: whether a credential was planned for any of the task's. Called
    /// under the task's lock.
    pub(crate) fn end(&self, generation: u64, grants: Option<&[GrantId]>, now: Timestamp) -> bool {
        let state = &mut *self.state.lock();
        let is_unsettled = state.unsettled.has(generation);
        if state.leases.is_empty() && state.entries.is_empty() {
            return is_unsettled;
        }
        let ended = |key: &Key| grants.is_none_or(|own| own.contains(&key.grant));
        let first = Key { generation, grant: GrantId::from_bytes([0; 16]), credential: "".into() };
        let own = state.leases.range(first..).take_while(|(key, _)| key.generation == generation);
        let keys: Vec<Key> =
            own.filter(|(key, _)| ended(key)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            state.end(&key, now);
        }
        // What a renewal has superseded ends with its grant, too, whatever is running.
        for entry in state.entries.values_mut().filter(|own| own.superseded && own.owed.is_none()) {
            let of = |id: &GrantId| *id.to_string() == *entry.grant;
            if entry.generation == generation && grants.is_none_or(|own| own.iter().any(of)) {
                entry.owe(now);
            }
        }
        self.minted.notify_all();
        is_unsettled
    }

    /// What calls of live grants would run with: whose, for which tool, and until when.
    pub(crate) fn leases(&self) -> Vec<(Key, Box<str>, Timestamp)> {
        let state = self.state.lock();
        let known = state.leases.iter().filter_map(|(key, lease)| {
            let entry = state.entries.get(&lease.entry?)?;
            Some((key.clone(), entry.tool.clone(), entry.expires))
        });
        known.collect()
    }

    /// Waits until no call is minting this credential, for `most` at the longest: `false` if one still is.
    pub(crate) fn wait(&self, key: &Key, most: Duration) -> bool {
        let mut state = self.state.lock();
        self.minted.wait_while_for(&mut state, |state| state.in_flight(key), most);
        !state.in_flight(key)
    }

    /// Whether a call is minting this credential; if one is, `waker` is woken once it is done.
    pub(crate) fn watch(&self, key: &Key, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        let in_flight = state.in_flight(key);
        if in_flight && !state.waiting.iter().any(|own| own.will_wake(waker)) {
            state.waiting.push(waker.clone());
        }
        in_flight
    }

    /// Wakes those that wait for a mint, to look at the time.
    pub(crate) fn wake(&self) {
        let waiting = std::mem::take(&mut self.state.lock().waiting);
        wake_each(waiting);
    }

    /// What one grant had minted has to go.
    pub(crate) fn end_one(&self, key: &Key, now: Timestamp) {
        self.state.lock().end(key, now);
    }

    /// Looks at each credential that is not known to be gone.
    pub(crate) fn each<T>(&self, look: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        self.state.lock().entries.values().filter_map(look).collect()
    }

    /// Changes each of them.
    pub(crate) fn change_each(&self, change: impl FnMut(&mut Entry)) {
        self.state.lock().entries.values_mut().for_each(change);
    }
}
