//! Records that have their place and are not in the log yet, in their order.
//!
//! INVARIANTS: the front has the number that the sink gets next, and the others the numbers after it.
//! What is known to be owed stands before all else, since an attempt that fails is one at the front.
//! Whatever becomes a debt is counted once, and once it is accepted no more.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;

use super::{Body, ChainKey, SinkError};
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a writer has taken over.
pub(super) struct Backlog {
    /// What the front is under. It changes with the record that says so, once the sink has that.
    key: Arc<ChainKey>,
    waiting: VecDeque<Waiting>,
    /// So many of the first are known to be debts, so that a refusal need not look at them again.
    known_debts: usize,
    /// Withdrawn records whose placers have not heard of it yet; each hears once.
    refused: BTreeMap<u64, SinkError>,
}

/// A record on its way.
pub(super) struct Waiting {
    body: Body,
    /// The sink refused it, or it was refused before the sink: it is owed, and counted as a debt.
    debt: bool,
}

/// What was refused, in figures that are read without a lock.
#[derive(Default)]
pub(super) struct Debts {
    owed: AtomicUsize,
    /// How often records were withdrawn. While it stands still, what is written is written as placed.
    withdrawals: AtomicU64,
}

impl Backlog {
    pub(super) fn under(key: ChainKey) -> Self {
        let (key, waiting) = (Arc::new(key), VecDeque::new());
        Backlog { key, waiting, known_debts: 0, refused: BTreeMap::new() }
    }

    pub(super) fn key(&self) -> &ChainKey {
        &self.key
    }

    /// Takes what was placed since, and leaves the queue empty.
    pub(super) fn take_over(&mut self, placed: &mut VecDeque<Waiting>) {
        if self.waiting.is_empty() {
            // Both buffers keep their room, so the usual case allocates nothing.
            mem::swap(&mut self.waiting, placed);
        } else {
            self.waiting.append(placed);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The record that the sink gets next.
    pub(super) fn front(&self) -> Option<&Body> {
        self.waiting.front().map(|front| &front.body)
    }

    /// The sink has accepted the front.
    pub(super) fn accepted(&mut self, debts: &Debts) {
        if let Some(Waiting { body, debt }) = self.waiting.pop_front() {
            if debt {
                debts.owed.fetch_sub(1, Ordering::AcqRel);
            }
            if let Some(next) = body.next_key() {
                self.key = next.clone();
            }
        }
        self.known_debts = self.known_debts.saturating_sub(1);
    }

    /// The sink refused the front, whose number is `next`, so everything up to `through` is not in the
    /// log either: order cannot be skipped. What gives access is withdrawn, everything else is owed as
    /// it is.
    pub(super) fn withhold(&mut self, next: u64, through: u64, cause: &SinkError, debts: &Debts) {
        let first = self.known_debts;
        let tried = usize::try_from(through - next).unwrap_or(usize::MAX);
        let end = tried.saturating_add(1).min(self.waiting.len());
        for index in first..end {
            let Some(waiting) = self.waiting.get_mut(index) else { break };
            if waiting.refuse(cause, debts) {
                self.refused.insert(next + index as u64, cause.clone());
            }
        }
        self.known_debts = first.max(end);
    }

    /// Why the record of this number was withdrawn, for its placer to hear once.
    pub(super) fn refusal(&mut self, seq: u64) -> Option<SinkError> {
        // Nearly always there is none.
        if self.refused.is_empty() { None } else { self.refused.remove(&seq) }
    }

    #[cfg(test)]
    pub(super) fn unheard(&self) -> usize {
        self.refused.len()
    }
}

impl Waiting {
    pub(super) fn new(body: Body) -> Self {
        Self { body, debt: false }
    }

    /// Makes it a debt, once; if it gives access it is withdrawn, and that is the answer.
    pub(super) fn refuse(&mut self, cause: &SinkError, debts: &Debts) -> bool {
        if mem::replace(&mut self.debt, true) {
            return false;
        }
        let gives_access = self.body.gives_access();
        if gives_access {
            debts.withdrawals.fetch_add(1, Ordering::AcqRel);
            self.body = self.body.withdrawn(cause);
        }
        debts.owed.fetch_add(1, Ordering::AcqRel);
        gives_access
    }
}

impl Debts {
    /// How many records are owed.
    pub(super) fn owed(&self) -> usize {
        self.owed.load(Ordering::Acquire)
    }

    pub(super) fn withdrawals(&self) -> u64 {
        self.withdrawals.load(Ordering::Acquire)
    }
}
