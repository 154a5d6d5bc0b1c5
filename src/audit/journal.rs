//! The one order of records, and the writing of them.
//!
//! Taking a place is short and happens under a task's lock; writing happens outside all locks of
//! the broker. Whoever settles first writes everything placed before it too, so threads that wait
//! for the same sink share its work.
//!
//! INVARIANT: the sink is given 1, 2, 3, … with no gap; a number that the sink refused comes again
//! before any later one. So the backlog is a queue whose front is always the next number.

#![allow(dead_code, reason = "the broker is its only user")]

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hint;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use super::{Anchor, Body, ChainKey, ChainTag, Entry, Sink, SinkError};
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use crate::sync::{self, Apart, Mutex, MutexGuard, looks};

/// With this many debts nothing that gives access is placed any more. At half a kilobyte a record
/// it holds the memory that refused calls can pile up near 32 MiB, and paying it off takes a sink
/// of a microsecond a record less than a tenth of a second. What takes access away is always
/// placed and never forgotten.
const MOST_DEBTS: usize = 65_536;

/// So often a thread looks whether another has written its record, some microseconds in all.
const LOOKS: usize = looks(100);

/// A log that claims to stand here is not continued. No broker gets anywhere near, and numbers
/// counted from below it cannot wrap.
const LAST_SEQ: u64 = 1 << 62;

/// Gives every record its place and gets it written.
pub(crate) struct Journal {
    sink: Arc<dyn Sink>,
    key: ChainKey,
    queue: Apart<Mutex<Queue>>,
    writer: Apart<Mutex<Writer>>,
    progress: Apart<Progress>,
    /// How often records were withdrawn. While it stands still, what is written is written as placed.
    withdrawals: AtomicU64,
    debts: AtomicUsize,
}

/// What changes with every record, apart from what is read for every call.
struct Progress {
    /// Where the log stands. Not part of the writer, so that asking does not wait for a slow sink.
    anchor: Mutex<Anchor>,
    /// The number of the last record that the sink has accepted.
    written: AtomicU64,
    /// Somebody who would not wait has left a record to whoever is writing.
    left_behind: AtomicBool,
    /// The thread that is inside the sink (0: none), to answer a sink that calls back.
    inside: AtomicUsize,
}

/// Records placed and not yet taken over by a writer. Held for a push, or for a swap.
struct Queue {
    next_seq: u64,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    body: Body,
    /// The sink refused it, or it was refused before the sink: it is owed, and counted as a debt.
    debt: bool,
}

struct Writer {
    /// The number that the sink gets next: that of the backlog's front.
    next_seq: u64,
    /// The tag of the last record that the sink has accepted: the anchor's, at hand.
    tag: ChainTag,
    backlog: VecDeque<Waiting>,
    /// So many of the backlog's first are known to be debts, so that a refusal need not look at
    /// them again.
    known_debts: usize,
    /// Withdrawn records whose placers have not heard of it yet; each hears once.
    refused: HashMap<u64, SinkError>,
    line: String,
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
    /// Claims the sink.
    ///
    /// # Errors
    ///
    /// When it has a writer already, cannot be read, or panics.
    pub(crate) fn open(sink: Arc<dyn Sink>, key: ChainKey) -> Result<Self, SinkError> {
        let tail = guarded(|| sink.open())?;
        let anchor = tail.unwrap_or_else(|| key.genesis());
        if anchor.seq >= LAST_SEQ {
            return Err(SinkError::new("the log has no number left"));
        }
        let next_seq = anchor.seq + 1;
        Ok(Self {
            sink,
            key,
            queue: Apart(Mutex::new(Queue { next_seq, waiting: VecDeque::new() })),
            writer: Apart(Mutex::new(Writer {
                next_seq,
                tag: anchor.tag,
                backlog: VecDeque::new(),
                known_debts: 0,
                refused: HashMap::new(),
                line: String::new(),
            })),
            progress: Apart(Progress {
                anchor: Mutex::new(anchor),
                written: AtomicU64::new(anchor.seq),
                left_behind: AtomicBool::new(false),
                inside: AtomicUsize::new(0),
            }),
            withdrawals: AtomicU64::new(0),
            debts: AtomicUsize::new(0),
        })
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
        let withdrawals = self.withdrawals.load(Ordering::Acquire);
        queue.waiting.push_back(Waiting { body, debt: false });
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
        if !writer.refused.is_empty()
            && let Some(cause) = writer.refused.remove(&place.seq)
        {
            return Err(Refused::Sink(cause));
        }
        if place.seq >= writer.next_seq {
            self.take_over(&mut writer);
            if let Err(cause) = self.write_through(&mut writer, place.seq) {
                writer.refused.remove(&place.seq);
                return Err(Refused::Sink(cause));
            }
        }
        Ok(place.seq)
    }

    /// The right to write, unless another thread has written this record while this one looked on: a
    /// record takes less time than waiting in earnest does.
    fn writer_unless_written(&self, place: &Place) -> Option<MutexGuard<'_, Writer>> {
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

    /// Whether the sink has accepted this very record. `written` is stored after any withdrawal of it
    /// is counted, and read here first, so that a withdrawal is never missed; one of another record
    /// only sends the caller to look more closely.
    fn is_written_as_placed(&self, place: &Place) -> bool {
        self.progress.written.load(Ordering::Acquire) >= place.seq
            && self.withdrawals.load(Ordering::Acquire) == place.withdrawals
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
            self.progress.left_behind.store(true, Ordering::Relaxed);
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

    fn write_all(&self, writer: &mut Writer) {
        self.take_over(writer);
        if let Some(last) = writer.backlog.len().checked_sub(1) {
            let through = writer.next_seq + last as u64;
            // What gives access hears of a refusal where it settles; all else is owed.
            let _ = self.write_through(writer, through);
        }
    }

    /// How many records the sink still has to take although their effect, or their withdrawal,
    /// stands.
    pub(crate) fn debts(&self) -> usize {
        self.debts.load(Ordering::Acquire)
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
        *self.progress.anchor.lock()
    }

    fn take_over(&self, writer: &mut Writer) {
        let mut queue = self.queue.lock();
        if writer.backlog.is_empty() {
            // Both buffers keep their room, so the usual case allocates nothing.
            mem::swap(&mut writer.backlog, &mut queue.waiting);
        } else {
            writer.backlog.append(&mut queue.waiting);
        }
    }

    fn write_through(&self, writer: &mut Writer, through: u64) -> Result<(), SinkError> {
        while writer.next_seq <= through {
            let Some(front) = writer.backlog.front() else { break };
            front.body.write_line(writer.next_seq, &mut writer.line);
            let tag = self.key.next(&writer.tag, &writer.line);
            match self.append(writer.next_seq, tag, &writer.line) {
                Ok(()) => writer.tag = tag,
                Err(cause) => {
                    self.withhold(writer, through, &cause);
                    return Err(cause);
                }
            }
            if writer.backlog.pop_front().is_some_and(|written| written.debt) {
                self.debts.fetch_sub(1, Ordering::AcqRel);
            }
            writer.known_debts = writer.known_debts.saturating_sub(1);
            writer.next_seq += 1;
        }
        Ok(())
    }

    /// Gives one line to the sink.
    fn append(&self, seq: u64, tag: ChainTag, line: &str) -> Result<(), SinkError> {
        let inside = &self.progress.inside;
        SINKS.with(|sinks| {
            sinks.set(sinks.get() + 1);
            inside.store(mark(sinks), Ordering::Relaxed);
        });
        let kept = guarded(|| self.sink.append(&Entry { seq, tag: &tag, line }));
        inside.store(0, Ordering::Relaxed);
        SINKS.with(|sinks| sinks.set(sinks.get() - 1));
        kept?;
        *self.progress.anchor.lock() = Anchor { seq, tag };
        self.progress.written.store(seq, Ordering::Release);
        Ok(())
    }

    /// The sink refused the front, so everything up to `through` is not in the log either: order
    /// cannot be skipped. What gives access is withdrawn, everything else is owed as it is.
    fn withhold(&self, writer: &mut Writer, through: u64, cause: &SinkError) {
        let first = writer.known_debts;
        let tried = usize::try_from(through - writer.next_seq).unwrap_or(usize::MAX);
        let end = tried.saturating_add(1).min(writer.backlog.len());
        for index in first..end {
            let Some(waiting) = writer.backlog.get_mut(index) else { break };
            if waiting.debt {
                continue;
            }
            if waiting.body.gives_access() {
                self.withdrawals.fetch_add(1, Ordering::AcqRel);
                waiting.body = waiting.body.withdrawn(cause);
                writer.refused.insert(writer.next_seq + index as u64, cause.clone());
            }
            waiting.debt = true;
            self.debts.fetch_add(1, Ordering::AcqRel);
        }
        writer.known_debts = first.max(end);
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
        if waiting.body.gives_access() {
            self.withdrawals.fetch_add(1, Ordering::AcqRel);
            waiting.body = waiting.body.withdrawn(&SinkError::new("used from within its sink"));
        }
        if !mem::replace(&mut waiting.debt, true) {
            self.debts.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Whether this thread is inside this journal's sink. Only this thread can have stored its own mark,
    /// so no ordering is needed; and one that is inside no sink does not look, since whoever is writing
    /// changes what it would look at with every record.
    fn is_inside(&self) -> bool {
        SINKS.with(|sinks| {
            sinks.get() > 0 && self.progress.inside.load(Ordering::Relaxed) == mark(sinks)
        })
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

/// Runs a sink's code; its panic is a refusal.
fn guarded<T>(call: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    // Unwind safety: the journal changes nothing of its own before the sink has answered.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        // A payload may panic when it is dropped, and a lock is held here.
        mem::forget(payload);
        Err(SinkError::new("the sink panicked"))
    })
}

sync::thread_local! {
    /// How many sinks this thread is inside of, one within the other.
    static SINKS: Cell<usize> = const { Cell::new(0) };
}

/// A number that no other living thread has, and never 0: the address of what is a thread's own.
fn mark(own: &Cell<usize>) -> usize {
    ptr::from_ref(own).addr()
}

#[cfg(test)]
mod tests;
