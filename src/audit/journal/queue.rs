//! Records that have their place and that no writer has taken, in their order.
//!
//! INVARIANTS: numbers rise without gaps, from the one after the last that a writer took; only a sum
//! of denials stands for more than one. A number is given out once, and its record leaves the queue
//! only to be written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;

use super::sum::Sum;
pub(super) use super::sum::Summed;
use super::{Body, Refused, SinkError};
use crate::audit::chain::HashedRecord;

/// How many records a writer gives to the sink at once: about 128 KiB, so that a batch is worth a
/// system call, and a thread that writes for others is soon back.
pub(super) const BATCH: usize = 256;

/// Held for a push, or to take a batch.
pub(super) struct Queue {
    next_seq: u64,
    waiting: VecDeque<Waiting>,
    /// How many of those are sums that can still grow.
    sums: usize,
    /// Withdrawn records whose placers have not heard of it yet; each hears once.
    refused: BTreeMap<u64, Refused>,
    /// Numbers of records in a writer's hands whose placers have stopped waiting: these stand as
    /// they are, and what their placers record next takes back what they give.
    in_doubt: BTreeSet<u64>,
}

/// A record on its way.
pub(super) struct Waiting {
    /// Its number, or the last one that it stands for.
    pub(super) seq: u64,
    pub(super) body: Body,
    /// What was made of this very body before it had its place.
    pub(super) hashed: Option<HashedRecord>,
    /// What it is the sum of, as long as it can still grow.
    sum: Option<Box<Sum>>,
}

impl Waiting {
    /// Puts the record in its place that says that it was not given.
    fn withdraw(&mut self, cause: &str) {
        self.body = self.body.withdrawn(cause);
        self.hashed = None;
    }
}

/// What can be said of a record whose placer waits no longer.
pub(super) enum Fate {
    /// The sink refused it, and its placer has not heard of it: under its number the log will say
    /// that it was not given.
    Withdrawn(Refused),
    /// No writer had taken it: it is withdrawn by this very question.
    TakenOut,
    /// A writer has taken it.
    Taken,
}

impl Queue {
    pub(super) fn after(last: u64) -> Self {
        Queue {
            next_seq: last + 1,
            waiting: VecDeque::new(),
            sums: 0,
            refused: BTreeMap::new(),
            in_doubt: BTreeSet::new(),
        }
    }

    /// The number that the next record gets.
    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// How many records wait, a sum counted once.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, body: Body, hashed: Option<HashedRecord>) -> u64 {
        let seq = self.take_number();
        self.waiting.push_back(Waiting { seq, body, hashed, sum: None });
        seq
    }

    /// Adds a record that stands for all numbers up to `through`.
    pub(super) fn push_through(&mut self, body: Body, through: u64) {
        self.next_seq = through.saturating_add(1);
        self.waiting.push_back(Waiting { seq: through, body, hashed: None, sum: None });
    }

    /// Adds the record of denials that stands for the next `count` numbers, the first of which it is told.
    pub(super) fn push_sum(&mut self, count: u64, body: impl FnOnce(u64) -> Body) -> u64 {
        let from = self.next_seq;
        let through = from.saturating_add(count.saturating_sub(1));
        self.push_through(body(from), through);
        through
    }

    /// Adds denials to the sum at the end of the queue, which begins with their record if there is none.
    pub(super) fn add_to_sum(
        &mut self,
        denials: &Summed<'_>,
        body: impl FnOnce(u64) -> Body,
    ) -> u64 {
        let from = self.next_seq;
        let through = from.saturating_add(denials.count.saturating_sub(1));
        match self.waiting.back_mut() {
            Some(Waiting { seq: last, sum: Some(sum), .. }) => {
                *last = through;
                sum.add(denials);
                self.next_seq = through.saturating_add(1);
            }
            _ => {
                let sum = Some(Box::new(Sum::of(from, denials)));
                self.push_through(body(from), through);
                if let Some(waiting) = self.waiting.back_mut() {
                    waiting.sum = sum;
                    self.sums += 1;
                }
            }
        }
        through
    }

    fn take_number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// Gives a writer the next records.
    pub(super) fn take_batch(&mut self, batch: &mut VecDeque<Waiting>, written: u64) {
        if !self.in_doubt.is_empty() {
            self.in_doubt.retain(|seq| *seq > written);
        }
        if self.waiting.len() <= BATCH {
            // Both buffers keep their room, so the usual case allocates nothing.
            mem::swap(batch, &mut self.waiting);
        } else {
            batch.extend(self.waiting.drain(..BATCH));
        }
        if self.sums > 0 {
            // A sum that a writer has is complete.
            for Waiting { seq, body, sum, .. } in batch {
                if let Some(complete) = sum.take() {
                    *body = complete.body(*seq, body);
                    self.sums -= 1;
                }
            }
        }
    }

    /// Takes records back that the sink refused: what gives access is withdrawn, everything else is
    /// owed as it is. Returns how many were withdrawn.
    pub(super) fn put_back(&mut self, batch: &mut VecDeque<Waiting>, cause: &SinkError) -> u64 {
        let mut withdrawn = 0;
        for waiting in batch.iter_mut().filter(|waiting| waiting.body.gives_access()) {
            if self.in_doubt.remove(&waiting.seq) {
                waiting.body.stand();
            } else {
                waiting.withdraw(cause.reason());
                self.refused.insert(waiting.seq, Refused::Sink(cause.clone()));
                withdrawn += 1;
            }
        }
        batch.append(&mut self.waiting);
        mem::swap(batch, &mut self.waiting);
        withdrawn
    }

    /// Why the record of this number was withdrawn, for its placer to hear once.
    pub(super) fn refusal(&mut self, seq: u64) -> Option<Refused> {
        // Nearly always there is none.
        if self.refused.is_empty() { None } else { self.refused.remove(&seq) }
    }

    /// What becomes of a record that gives access and that its placer waits for no longer.
    pub(super) fn give_up_on(&mut self, seq: u64, why: &Refused) -> Fate {
        if let Some(refused) = self.refusal(seq) {
            return Fate::Withdrawn(refused);
        }
        let found = self.waiting.binary_search_by_key(&seq, |waiting| waiting.seq);
        match found.ok().and_then(|index| self.waiting.get_mut(index)) {
            Some(waiting) => {
                waiting.withdraw(&why.cause());
                Fate::TakenOut
            }
            None => Fate::Taken,
        }
    }

    /// Has a record stand as it is, whatever the sink says to the writer that has it.
    pub(super) fn doubt(&mut self, seq: u64) {
        self.in_doubt.insert(seq);
    }

    /// Everything that waits, for a log that has no writer any more.
    pub(super) fn drain(&mut self) -> VecDeque<Waiting> {
        let mut all = VecDeque::new();
        while !self.waiting.is_empty() {
            let mut batch = VecDeque::new();
            self.take_batch(&mut batch, 0);
            all.append(&mut batch);
        }
        all
    }

    #[cfg(test)]
    pub(super) fn unheard(&self) -> usize {
        self.refused.len() + self.in_doubt.len()
    }
}
