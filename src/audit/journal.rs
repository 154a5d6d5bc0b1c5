//! The one order of records, and the writing of them.
//!
//! Taking a place is short and happens under a task's lock; writing happens outside all locks of
//! the broker. Whoever settles first writes everything placed before it too, so threads that wait
//! for the same sink share its work.
//!
//! INVARIANT: the sink is given 1, 2, 3, … with no gap; a number that the sink refused comes again
//! before any later one. So the backlog is a queue whose front is always the next number.
//!
//! Threads that write one after the other take the memory that both write to from each other, which
//! takes longer than most of what they do with it. So there is little of it, in as few cache lines as
//! it fits: the queue, the backlog, and how far the log has come.

#![allow(dead_code, reason = "the broker is its only user")]

mod backlog;
mod inside;
mod tip;

use std::collections::VecDeque;
use std::fmt;
use std::hint;
use std::sync::Arc;

use self::backlog::{Backlog, Debts, Waiting};
use self::inside::{Inside, guarded};
use self::tip::Tip;
use super::opening::Opening;
use super::{Anchor, Body, ChainKey, Entry, Origin, Sink, SinkError};
use crate::clock::Timestamp;
use crate::key::LogKeys;
use crate::sync::atomic::{AtomicBool, Ordering, fence};
use crate::sync::{Apart, Mutex, MutexGuard, looks};

/// With this many debts nothing that gives access is placed any more. At half a kilobyte a record
/// it holds the memory that refused calls can pile up near 32 MiB, and paying it off takes a sink
/// of a microsecond a record less than a tenth of a second. What takes access away is always
/// placed and never forgotten.
const MOST_DEBTS: usize = 65_536;

/// So often a thread looks whether another has written its record, some microseconds in all.
const LOOKS: usize = looks(100);

/// Gives every record its place and gets it written.
pub(crate) struct Journal {
    sink: Arc<dyn Sink>,
    debts: Debts,
    queue: Apart<Mutex<Queue>>,
    /// Whoever holds it has the right to write.
    writer: Apart<Mutex<Backlog>>,
    progress: Apart<Progress>,
}

/// Records placed and not yet taken over by a writer. Held for a push, or for a swap.
struct Queue {
    next_seq: u64,
    waiting: VecDeque<Waiting>,
}

/// What changes with every record, apart from what is read for every call.
struct Progress {
    /// Not part of the writer, so that asking does not wait for a slow sink.
    tip: Tip,
    inside: Inside,
    /// Somebody who would not wait has left a record to whoever is writing.
    left_behind: AtomicBool,
}

/// A number in the sequence, to be settled outside the locks or owed.
#[must_use = "a record that is placed must be settled or owed, or nobody learns of its refusal"]
#[derive(Debug)]
pub(crate) struct Place {
    seq: u64,
    gives_access: bool,
    /// How many withdrawals there had been.
    withdrawals: u64,
}

impl Place {
    /// The number that the record has, or that its withdrawal has.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }
}

/// Why a record is not in the log, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The sink refused this record or one before it.
    #[error("the log refused the record: {0}")]
    Sink(SinkError),
    /// Nothing that gives access is placed on top of so many debts.
    #[error("the log owes {0} records, expected fewer before it takes one that gives access")]
    TooManyDebts(usize),
    /// The sink called its own broker.
    #[error("the log was used from within its own sink")]
    Reentrant,
}

impl Journal {
    /// Claims the sink, and places the record that has to come first, if one has: that a log begins, or
    /// that its key changes.
    ///
    /// # Errors
    ///
    /// When it has a writer already, cannot be read, panics, or ends with what none of the keys made.
    pub(crate) fn open(
        sink: Arc<dyn Sink>,
        keys: &LogKeys,
        origin: &Origin<'_>,
        at: Timestamp,
    ) -> Result<Self, SinkError> {
        let tail = guarded(|| sink.open())?;
        let Opening { anchor, key, first } = Opening::of(tail, keys, origin, at)?;
        let journal = Self::standing_at(sink, anchor, key);
        if let Some(first) = first {
            // It gives no access, so nothing stops it.
            let place = journal.place(first).map_err(|why| SinkError::new(&why.to_string()))?;
            journal.owe_later(place);
        }
        Ok(journal)
    }

    /// A journal of a log without a head: numbers count from 1, whatever comes first.
    #[cfg(test)]
    pub(crate) fn headless(sink: Arc<dyn Sink>, key: ChainKey) -> Result<Self, SinkError> {
        guarded(|| sink.open())?;
        Ok(Self::standing_at(sink, key.start(), key))
    }

    /// A journal of a log that stands at `anchor`, whose next record is under `key`.
    fn standing_at(sink: Arc<dyn Sink>, anchor: Anchor, key: ChainKey) -> Self {
        Self {
            sink,
            debts: Debts::default(),
            queue: Apart(Mutex::new(Queue { next_seq: anchor.seq + 1, waiting: VecDeque::new() })),
            writer: Apart(Mutex::new(Backlog::under(key))),
            progress: Apart(Progress {
                tip: Tip::at(anchor),
                inside: Inside::default(),
                left_behind: AtomicBool::new(false),
            }),
        }
    }

    /// Takes the next number for a record. Short: called under a task's lock.
    ///
    /// # Errors
    ///
    /// Only for a record that gives access: when there are too many debts, or from within the sink.
    pub(crate) fn place(&self, body: Body) -> Result<Place, Refused> {
        let gives_access = body.gives_access();
        if gives_access {
            let debts = self.debts();
            if debts >= MOST_DEBTS {
                return Err(Refused::TooManyDebts(debts));
            }
            if self.is_inside() {
                return Err(Refused::Reentrant);
            }
        }
        let mut queue = self.queue.lock();
        let seq = queue.next_seq;
        queue.next_seq += 1;
        // Read under the queue's lock: whatever withdraws this record comes later, and counts.
        let withdrawals = self.debts.withdrawals();
        queue.waiting.push_back(Waiting::new(body));
        Ok(Place { seq, gives_access, withdrawals })
    }

    /// Gets the record of this place written, with all before it, or learns that another thread
    /// did. Called outside all locks.
    ///
    /// # Errors
    ///
    /// When the sink refused it or one before it. A record that gives access is then withdrawn:
    /// under its number the log will say that it was not given. Any other stays a debt as it is.
    pub(crate) fn settle(&self, place: Place) -> Result<u64, Refused> {
        if self.is_inside() {
            self.owe_from_inside(&place);
            return Err(Refused::Reentrant);
        }
        let settled = self.settle_in_turn(&place);
        self.write_left_behind();
        settled
    }

    fn settle_in_turn(&self, place: &Place) -> Result<u64, Refused> {
        let Some(mut writer) = self.writer_unless_written(place) else { return Ok(place.seq) };
        // Learnt here even when somebody has written the withdrawal since.
        if let Some(cause) = writer.refusal(place.seq) {
            return Err(Refused::Sink(cause));
        }
        if place.seq > self.progress.tip.seq() {
            self.take_over(&mut writer);
            if let Err(cause) = self.write_through(&mut writer, place.seq) {
                writer.refusal(place.seq);
                return Err(Refused::Sink(cause));
            }
        }
        Ok(place.seq)
    }

    /// The right to write, unless another thread has written this record while this one looked on: a
    /// record takes less time than waiting in earnest does.
    fn writer_unless_written(&self, place: &Place) -> Option<MutexGuard<'_, Backlog>> {
        for _ in 0..LOOKS {
            if let Some(writer) = self.writer.try_lock() {
                return Some(writer);
            }
            if self.is_written_as_placed(place) {
                return None;
            }
            hint::spin_loop();
        }
        Some(self.writer.lock())
    }

    /// Whether the sink has accepted this very record. The tip moves after any withdrawal of it is
    /// counted, and is read here first, so that a withdrawal is never missed; one of another record
    /// only sends the caller to look more closely.
    fn is_written_as_placed(&self, place: &Place) -> bool {
        self.progress.tip.seq() >= place.seq && self.debts.withdrawals() == place.withdrawals
    }

    /// Gets a record written whose effect stands anyway; if the sink refuses, it stays a debt.
    pub(crate) fn owe(&self, place: Place) {
        debug_assert!(!place.gives_access, "what gives access is settled");
        let _ = self.settle(place);
    }

    /// Leaves the record to whoever writes next: for a caller that holds a task's lock.
    pub(crate) fn owe_later(&self, place: Place) {
        debug_assert!(!place.gives_access, "what gives access is settled");
    }

    /// As [`owe`](Self::owe), without waiting for a thread that is writing: that one, or the next to
    /// write, takes this record along.
    pub(crate) fn owe_without_waiting(&self, place: Place) {
        debug_assert!(!place.gives_access, "what gives access is settled");
        if self.is_inside() {
            self.owe_from_inside(&place);
        } else {
            if let Some(mut writer) = self.writer.try_lock() {
                self.write_all(&mut writer);
            } else {
                self.progress.left_behind.store(true, Ordering::Relaxed);
            }
            self.write_left_behind();
        }
    }

    /// Writes what was left behind, unless somebody is writing: that one looks here once it is done.
    /// The fence stands between leaving and looking for a writer on one side, and between letting go
    /// of the writer and looking for what was left on the other, so that one of both sees the other.
    fn write_left_behind(&self) {
        loop {
            fence(Ordering::SeqCst);
            if !self.progress.left_behind.load(Ordering::Relaxed) {
                return;
            }
            let Some(mut writer) = self.writer.try_lock() else { return };
            self.progress.left_behind.store(false, Ordering::Relaxed);
            self.write_all(&mut writer);
        }
    }

    fn write_all(&self, writer: &mut Backlog) {
        self.take_over(writer);
        let through = self.progress.tip.seq() + writer.len() as u64;
        // What gives access hears of a refusal where it settles; all else is owed.
        let _ = self.write_through(writer, through);
    }

    /// How many records the sink still has to take although their effect, or their withdrawal,
    /// stands.
    pub(crate) fn debts(&self) -> usize {
        self.debts.owed()
    }

    /// Tries to write all that waits, debts and what was left for later alike, in order; returns how
    /// many debts are left.
    pub(crate) fn retry(&self) -> usize {
        if !self.is_inside() {
            self.write_all(&mut self.writer.lock());
            self.write_left_behind();
        }
        self.debts()
    }

    /// Where the log stands: its last record that the sink has accepted.
    pub(crate) fn anchor(&self) -> Anchor {
        for _ in 0..LOOKS {
            if let Some(anchor) = self.progress.tip.look() {
                return anchor;
            }
            hint::spin_loop();
        }
        // Whoever was moving it has lost its processor in the midst of that. Waiting lets it go on.
        let writer = self.writer.lock();
        let anchor = self.progress.tip.held();
        drop(writer);
        // Whoever found no writer to be had meanwhile has left its record to this thread.
        self.write_left_behind();
        anchor
    }

    fn take_over(&self, writer: &mut Backlog) {
        writer.take_over(&mut self.queue.lock().waiting);
    }

    fn write_through(&self, writer: &mut Backlog, through: u64) -> Result<(), SinkError> {
        let mut last = self.progress.tip.held();
        while last.seq < through {
            let Some(front) = writer.front() else { break };
            let key = writer.key();
            match front.with_line(last.seq + 1, |line| self.append(&last, key, line)) {
                Ok(accepted) => last = accepted,
                Err(cause) => {
                    writer.withhold(last.seq + 1, through, &cause, &self.debts);
                    return Err(cause);
                }
            }
            writer.accepted(&self.debts);
        }
        Ok(())
    }

    /// Gives one line to the sink.
    fn append(&self, last: &Anchor, key: &ChainKey, line: &str) -> Result<Anchor, SinkError> {
        let next = Anchor { seq: last.seq + 1, tag: key.next(&last.tag, line) };
        let entry = Entry { seq: next.seq, tag: &next.tag, line };
        self.progress.inside.run(|| self.sink.append(&entry))?;
        self.progress.tip.advance(next);
        Ok(next)
    }

    /// A sink that calls its own broker cannot be served by itself: what was placed waits in the
    /// queue as a debt for the next one who settles.
    fn owe_from_inside(&self, place: &Place) {
        let mut queue = self.queue.lock();
        let first = queue.next_seq.saturating_sub(queue.waiting.len() as u64);
        let index = place.seq.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        // Not in the queue: the outer writer has taken it over, and it will be written as it is. No
        // frame of ours leaves a place where a sink could find it; were it so, the log would show a
        // permit without outcome, never a permit without record.
        let Some(waiting) = index.and_then(|index| queue.waiting.get_mut(index)) else { return };
        waiting.refuse(&SinkError::new("used from within its sink"), &self.debts);
    }

    fn is_inside(&self) -> bool {
        self.progress.inside.is_here()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("anchor", &self.anchor())
            .field("debts", &self.debts())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
