//! What of the ledger is owed: taken up when it is due, and laid down as far as it came.

use std::sync::Arc;
use std::time::Duration;

use super::{Ledger, Settlement};
use crate::clock::Timestamp;
use crate::credential::entry::{Debt, Entry};
use crate::credential::handle::Handle;
use crate::credential::source::Provider;
use crate::vault::Sealed;

/// One credential to be withdrawn or verified.
pub(crate) struct Job {
    pub(crate) handle: Handle,
    pub(crate) provider: Option<Arc<Provider>>,
    pub(crate) debt: Debt,
    pub(crate) sealed: Option<Arc<Sealed>>,
    pub(crate) attempts: u64,
    pub(crate) expires: Timestamp,
    /// Whether a call is minting it still.
    pub(crate) in_flight: bool,
    /// When it may land at the latest, if it is not known to have: before, it is not known to be gone.
    pub(crate) lands_by: Option<Timestamp>,
}

/// How far a job came.
pub(crate) enum Passed {
    /// It failed, or something is left.
    Failed { debt: Debt, least: Duration, why: Box<str> },
    /// It is not there, and may still come: withdrawn again then.
    Again(Timestamp),
    /// It can't be withdrawn, and expires then.
    Lasting { until: Timestamp, why: Box<str> },
    /// It is gone.
    Gone,
}

impl Ledger {
    /// What was planned under a ticket has to be withdrawn.
    pub(crate) fn owe(&self, ticket: u64, now: Timestamp) {
        if let Some(entry) = self.state.lock().entries.get_mut(&ticket) {
            entry.in_flight = false;
            entry.owe(now);
        }
    }

    /// Enters what an earlier life has left: it is owed. Where its task was settled, it had to last by then.
    pub(crate) fn adopt(&self, mut entry: Entry, now: Timestamp) {
        let state = &mut *self.state.lock();
        state.last += 1;
        entry.owe(now);
        let ticket = state.last;
        state.unsettled.adopt(entry.generation, ticket, entry.handle.name());
        state.entries.insert(ticket, entry);
        state.swept = false;
    }

    /// Of what is owed and not gone, what is due, the earliest first.
    pub(crate) fn due(&self, now: Timestamp, which: impl Fn(&Entry) -> bool) -> Vec<u64> {
        let state = self.state.lock();
        let owed = state.entries.iter().filter_map(|(ticket, entry)| {
            let owed = entry.owed.as_ref().filter(|owed| owed.due <= now && !owed.busy)?;
            which(entry).then_some((owed.due, *ticket))
        });
        let mut due: Vec<_> = owed.collect();
        due.sort_unstable();
        due.into_iter().map(|(_, ticket)| ticket).collect()
    }

    /// Takes up what is due; `None` if somebody else has, or it is gone.
    pub(crate) fn take_up(&self, ticket: u64, now: Timestamp) -> Option<Job> {
        let state = &mut *self.state.lock();
        let entry = state.entries.get_mut(&ticket)?;
        let owed = entry.owed.as_mut().filter(|owed| owed.due <= now && !owed.busy)?;
        owed.busy = true;
        state.unsettled.note_taken_up(entry.generation, ticket);
        Some(Job {
            handle: entry.handle.clone(),
            provider: entry.provider.clone(),
            debt: owed.debt,
            sealed: entry.sealed.clone(),
            attempts: owed.attempts,
            expires: entry.expires,
            in_flight: entry.in_flight,
            lands_by: (!entry.minted).then_some(entry.lands_by),
        })
    }

    /// Lays down what was taken up. What became of its task's credentials, if that settles them.
    #[must_use]
    pub(crate) fn lay_down(
        &self,
        ticket: u64,
        passed: Option<Passed>,
        now: Timestamp,
    ) -> Option<Settlement> {
        let state = &mut *self.state.lock();
        if let Some(Passed::Gone) = passed {
            let generation = state.entries.remove(&ticket)?.generation;
            return state.unsettled.note_gone(generation, ticket, true);
        }
        let entry = state.entries.get_mut(&ticket)?;
        let (generation, owed) = (entry.generation, entry.owed.as_mut()?);
        owed.busy = false;
        let mut lasts = None;
        match passed {
            Some(Passed::Failed { debt, least, why }) => owed.failed(debt, least, why, now),
            Some(Passed::Again(due)) => owed.passed(Debt::Owed, due),
            Some(Passed::Lasting { until, why }) => {
                owed.last_error = Some(why);
                owed.passed(Debt::Lasting, until);
                lasts = Some(until);
            }
            // Given up half way: due again.
            Some(Passed::Gone) | None => {}
        }
        state.unsettled.note_lasting(generation, ticket, lasts)
    }

    /// Whether providers were asked what an earlier life has left; from now on they were.
    pub(crate) fn was_swept(&self) -> bool {
        std::mem::replace(&mut self.state.lock().swept, true)
    }
}
