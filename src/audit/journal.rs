//! The one order of records, and the writing of them.
//!
//! Taking a place is short and happens under a task's lock; writing happens outside all locks of the
//! broker, by a thread that asked for access or asked to wait. A writer takes what was placed before
//! it too, so threads that wait for the same sink share its work; a thread that ends something leaves
//! its record in the queue and goes on.
//!
//! INVARIANT: the sink is given the numbers from 1 on, with no gap; a number that the sink refused
//! comes again before any later one.
//!
//! Nothing waits for the right to write without a time limit: a writer may be inside a sink that
//! hangs. So the writer's lock is only ever tried, and the queue's is never held around a sink.
//!
//! Threads that write one after the other take the memory that both write to from each other, which
//! takes longer than most of what they do with it. So there is little of it, in as few cache lines as
//! it fits: the queue, the batch, and how far the log has come.

mod ahead;
mod flood;
mod inside;
mod left;
mod place;
mod queue;
mod refused;
mod rendered;
mod settle;
mod settling;
mod sum;
mod timer;
mod tip;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::ahead::Ahead;
use self::flood::Floods;
use self::inside::{Inside, guarded};
pub(crate) use self::left::UnwrittenHook;
pub(crate) use self::place::Place;
use self::queue::{Queue, Summed, Waiting};
pub(crate) use self::refused::Refused;
use self::rendered::Rendered;
pub(crate) use self::settle::{Unsettled, Written};
pub(crate) use self::settling::Settling;
pub(crate) use self::timer::LogTimer;
use self::tip::Tip;
use super::opening::Opening;
use super::parked::{Durable, Parked};
use super::{Anchor, Body, ChainKey, Entry, Event, Kept, LogId, Origin, Sink, SinkError};
use crate::clock::Timestamp;
use crate::key::LogKeys;
use crate::process::HomeProcess;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Apart, Mutex, yield_now};

/// With this many records waiting nothing that gives access is placed any more, and denials are
/// summed. At half a kilobyte a record it holds the memory that refused calls can pile up near
/// 32 MiB, and writing them takes a sink of a microsecond a record less than a tenth of a second.
/// What takes access away is always placed and never forgotten.
const MOST_WAITING: usize = 65_536;

/// A thread that is denied writes a batch if this many records wait: where all that happens is
/// refused, no other thread would.
const MANY_WAITING: usize = 1024;

/// At multiples of this number, a thread that is denied looks whether many records wait: a sink that
/// refuses makes it no dearer to deny.
const LOOK_EVERY: u64 = 64;

/// How many records one denial notes at most: a question that is asked has one, too. A thread that looked at the
/// multiples alone would step over all of them where each denial notes two.
const NOTED_AT_ONCE: u64 = 4;

/// Gives every record its place and gets it written.
pub(crate) struct Journal {
    sink: Arc<dyn Sink>,
    /// How long a thread waits for the log.
    wait: Duration,
    on_unwritten: Option<Arc<UnwrittenHook>>,
    /// The last number that was given out before this life of the log.
    earlier: u64,
    /// The id of a log that begins with this.
    pub(crate) begins: Option<LogId>,
    closed: AtomicBool,
    home: HomeProcess,
    parked: Arc<Parked>,
    ahead: Ahead,
    floods: Floods,
    queue: Apart<Mutex<Queue>>,
    /// The thread that holds it has the right to write.
    writer: Apart<Mutex<Writer>>,
    progress: Apart<Progress>,
}

/// What a writer has taken from the queue: empty unless it is writing.
struct Writer {
    /// What the next record is under. It changes with the record that says so, once the sink has that.
    key: Arc<ChainKey>,
    batch: VecDeque<Waiting>,
}

/// What changes with every batch, apart from what is read for every call.
struct Progress {
    /// Not part of the writer, so that asking does not wait for a slow sink.
    tip: Tip,
    inside: Inside,
    /// Whether the sink keeps records later, and reports when it has.
    deferred: AtomicBool,
    /// A thread has waited for the writer in vain; until that one comes back, others do not wait.
    stuck: AtomicBool,
    /// How often records were withdrawn. While it stands still, what is written is written as placed.
    withdrawals: AtomicU64,
}

impl Journal {
    /// Claims the sink, and places the record that has to come first, if one has: that a log begins, or
    /// that its key changes. A thread waits for the sink no longer than `wait`.
    ///
    /// # Errors
    ///
    /// When it has a writer already, cannot be read, panics, or ends with what none of the keys made.
    pub(crate) fn open(
        sink: Arc<dyn Sink>,
        keys: &LogKeys,
        origin: &Origin<'_>,
        at: Timestamp,
        wait: Duration,
    ) -> Result<Self, SinkError> {
        let tail = guarded(|| sink.open())?;
        let Opening { begins, anchor, key, void_through, first } =
            Opening::of(tail, keys, origin, at)?;
        let mut journal = Self::standing_at(sink, anchor, key, wait)?;
        (journal.earlier, journal.begins) = (void_through.max(anchor.seq), begins);
        if void_through > anchor.seq {
            let void = Body::void(at, anchor.seq + 1);
            journal.queue.lock().push_through(void, void_through);
        }
        if let Some(first) = first {
            journal.note(first);
        }
        Ok(journal)
    }

    /// A journal of a log without a head: numbers count from 1, whatever comes first.
    #[cfg(test)]
    pub(crate) fn headless(
        sink: Arc<dyn Sink>,
        key: ChainKey,
        wait: Duration,
    ) -> Result<Self, SinkError> {
        guarded(|| sink.open())?;
        Self::standing_at(sink, key.start(), key, wait)
    }

    /// A journal of a log that stands at `anchor`, whose next record is under `key`.
    fn standing_at(
        sink: Arc<dyn Sink>,
        anchor: Anchor,
        key: ChainKey,
        wait: Duration,
    ) -> Result<Self, SinkError> {
        let parked = Arc::new(Parked::default());
        let durable = Durable::new(parked.clone());
        durable.reached(anchor.seq);
        guarded(|| {
            sink.report_to(durable);
            Ok(())
        })?;
        let key = Arc::new(key);
        Ok(Self {
            sink,
            wait,
            on_unwritten: None,
            earlier: 0,
            begins: None,
            closed: AtomicBool::new(false),
            home: HomeProcess::current(),
            parked,
            ahead: Ahead::under(&key),
            floods: Floods::default(),
            queue: Apart(Mutex::new(Queue::after(anchor.seq))),
            writer: Apart(Mutex::new(Writer { key, batch: VecDeque::new() })),
            progress: Apart(Progress {
                tip: Tip::at(anchor),
                inside: Inside::default(),
                deferred: AtomicBool::new(false),
                stuck: AtomicBool::new(false),
                withdrawals: AtomicU64::new(0),
            }),
        })
    }

    /// Takes the next number for a record that gives access. Short: called under a task's lock.
    ///
    /// # Errors
    ///
    /// When too many records wait, from within the sink, or once the journal is closed.
    pub(crate) fn place(&self, body: Body) -> Result<Place, Refused> {
        debug_assert!(body.gives_access(), "what stands in any case is noted");
        if self.is_inside() {
            return Err(Refused::Reentrant);
        }
        self.sum_up_past(body.at());
        let hashed = self.ahead.hash(&body);
        let mut queue = self.queue.lock();
        // Looked at under the lock: what is placed after `close` has returned is refused.
        if self.closed.load(Ordering::Relaxed) {
            return Err(Refused::Closed);
        }
        if queue.len() >= MOST_WAITING {
            return Err(Refused::TooManyDebts(queue.len()));
        }
        let seq = queue.push(body, hashed);
        // Read under the queue's lock: whatever withdraws this record comes later, and counts.
        let withdrawals = self.progress.withdrawals.load(Ordering::Acquire);
        Ok(Place { seq, withdrawals })
    }

    /// Takes the next number for a record whose effect stands, and leaves the record to the next
    /// thread that writes. Never waits, and never calls the sink: callable under any lock.
    pub(crate) fn note(&self, body: Body) -> u64 {
        debug_assert!(!body.gives_access(), "what gives access is placed and settled");
        if body.next_key().is_some() {
            // What is counted has digests of the key before.
            self.sum_up();
        }
        self.sum_up_past(body.at());
        let hashed = self.ahead.hash(&body);
        // Records behind this one that were hashed before it has its place are hashed anew.
        if let Some(key) = body.next_key() {
            self.ahead.change(key);
        }
        let mut queue = self.queue.lock();
        if queue.len() < MOST_WAITING {
            return queue.push(body, hashed);
        }
        drop(queue);
        // Read outside the lock, and only here where memory runs short.
        let reason = body.denial_reason();
        let mut queue = self.queue.lock();
        match reason {
            Some(reason) => {
                let (since, last) = (body.at(), body.at());
                let denial = Summed { count: 1, since, last, reason: &reason };
                queue.add_to_sum(&denial, |_| body)
            }
            None => queue.push(body, hashed),
        }
    }

    /// Whether as many records wait as can: what gives access is refused.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.lock().len() >= MOST_WAITING
    }

    /// The last number that was given out before this life of the log: 0 of one that begins.
    pub(crate) fn earlier(&self) -> u64 {
        self.earlier
    }

    /// Tells the sink that the log is closed, if it has everything.
    pub(crate) fn tell_closed(&self) {
        let last = self.last_seq();
        // With the right to write, so that no other thread is inside the sink.
        if let Some(_writer) = self.writer.try_lock()
            && self.durable() == last
        {
            let _ = self.progress.inside.run(|| {
                self.sink.closed(last);
                Ok(())
            });
        }
    }

    /// Has the sink do what is due by this time. Called with no lock held; a panic of it ends here.
    pub(crate) fn maintain(&self, now: Timestamp) {
        if !self.is_inside() {
            let _ = guarded(|| {
                self.sink.maintain(now);
                Ok(())
            });
        }
    }

    /// Gives nothing any more.
    pub(crate) fn close(&self) {
        let _queue = self.queue.lock();
        self.closed.store(true, Ordering::Relaxed);
    }

    /// How many numbers were given out whose records the log has not taken: all of them are owed.
    pub(crate) fn debts(&self) -> usize {
        let placed = self.last_seq();
        usize::try_from(placed.saturating_sub(self.durable())).unwrap_or(usize::MAX)
    }

    /// The last number that was given out.
    pub(crate) fn last_seq(&self) -> u64 {
        self.queue.lock().next_seq().saturating_sub(1)
    }

    /// Where the log stands: its last record that the sink has accepted.
    pub(crate) fn anchor(&self) -> Anchor {
        loop {
            if let Some(anchor) = self.progress.tip.look() {
                return anchor;
            }
            // The thread that moves it is in the midst of a few stores, and calls nothing meanwhile.
            yield_now();
        }
    }

    /// The last record that is as durable as this log keeps.
    fn durable(&self) -> u64 {
        // The tip first: a sink that keeps records later has said so before its tip moved.
        let accepted = self.progress.tip.seq();
        match self.progress.deferred.load(Ordering::Relaxed) {
            true => self.parked.durable().min(accepted),
            false => accepted,
        }
    }

    fn is_inside(&self) -> bool {
        self.progress.inside.is_here()
    }

    /// Gives the writer's batch to the sink: all of it, or up to where the sink refuses. What was
    /// refused goes back to the queue.
    fn write_batch(&self, writer: &mut Writer) -> Result<(), SinkError> {
        let last = self.progress.tip.held();
        let written = Rendered::lend(&writer.batch, last, &writer.key, |rendered| {
            let mut written = 0;
            while written < rendered.len() {
                match rendered.entries(written, |entries| self.append(entries)) {
                    Ok(kept) => {
                        written += kept.records();
                        if let Some(anchor) = rendered.anchor_after(written) {
                            self.note_kept(anchor, kept);
                        }
                    }
                    Err(cause) => return (written, Err(cause)),
                }
            }
            (written, Ok(()))
        });
        let (written, answer) = written;
        for Waiting { body, .. } in writer.batch.drain(..written.min(writer.batch.len())) {
            if let Some(next) = body.next_key() {
                writer.key = next.clone();
            }
        }
        match &answer {
            Ok(()) => {}
            Err(cause) => {
                let mut queue = self.queue.lock();
                let withdrawn = queue.put_back(&mut writer.batch, cause);
                self.progress.withdrawals.fetch_add(withdrawn, Ordering::AcqRel);
            }
        }
        answer
    }

    /// Calls the sink, which keeps at least one record.
    fn append(&self, entries: &[Entry<'_>]) -> Result<Kept, SinkError> {
        let kept = self.progress.inside.run(|| self.sink.append(entries))?;
        if kept.records() == 0 || kept.records() > entries.len() {
            return Err(SinkError::new(
                "the sink kept none of the records, or more than it was given",
            ));
        }
        Ok(kept)
    }

    fn note_kept(&self, anchor: Anchor, kept: Kept) {
        let deferred = &self.progress.deferred;
        if !kept.is_durable() {
            // Before the tip moves: what looks at the tip next looks at this, too.
            deferred.store(true, Ordering::Release);
        } else if deferred.load(Ordering::Relaxed) {
            self.parked.note_durable(anchor.seq);
        }
        self.progress.tip.advance(anchor);
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
