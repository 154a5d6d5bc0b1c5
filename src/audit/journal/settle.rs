//! Getting a record written, or learning that another thread did: in turn, within a time limit, by
//! blocking or as a future.

use std::hint;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::queue::Fate;
use super::{Journal, LOOK_EVERY, MANY_WAITING, NOTED_AT_ONCE, Ordering, Place, Refused, Writer};
use crate::audit::parked::Registration;
use crate::sync::{Deadline, MutexGuard, looks};

/// How often a thread looks whether another has written its record before it waits in earnest: some ten
/// microseconds in all, about what it takes to be woken again. A writer that needs that long has met a page of
/// memory that the system had yet to give, or the disk.
const LOOKS: usize = looks(400);

/// Why a record that gives access is not known to be in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsettled {
    pub(crate) why: Refused,
    /// The record is in a writer's hands and will stand in the log: what it gives must be taken back
    /// by another. Otherwise the log will say, under its number, that it was not given.
    pub(crate) stands: bool,
}

impl Journal {
    /// Gets the record of this place written, with all before it, or learns that another thread did.
    /// Called outside all locks. Waits for another thread no longer than this journal's time limit.
    ///
    /// # Errors
    ///
    /// When the sink refused it or one before it, or the log did not take it in time.
    pub(crate) fn settle(&self, place: Place) -> Result<u64, Unsettled> {
        if self.is_inside() {
            return self.give_up_on(&place, Refused::Reentrant);
        }
        let mut limit = None;
        loop {
            if let Some(answer) = self.settle_now(&place, &mut limit) {
                return answer;
            }
            let deadline = limit.get_or_insert_with(|| Deadline::after(self.wait));
            let stuck = || self.progress.stuck.load(Ordering::Relaxed);
            if stuck() || !self.wait_for(place.seq, deadline) {
                return self.time_is_up(&place);
            }
        }
    }

    /// What becomes of a record that was waited for in vain.
    pub(super) fn time_is_up(&self, place: &Place) -> Result<u64, Unsettled> {
        // Only a writer that is inside the sink is one that others need not wait for.
        if self.writer.is_locked() {
            self.progress.stuck.store(true, Ordering::Relaxed);
        }
        self.give_up_on(place, Refused::TimedOut(self.wait))
    }

    /// Waits until the record of this number is durable, or this thread may write it.
    fn wait_for(&self, seq: u64, deadline: &Deadline) -> bool {
        self.parked.wait_until(deadline, || self.is_due(seq))
    }

    /// Whether waiting for the record of this number is over, or this thread may write it.
    pub(super) fn is_due(&self, seq: u64) -> bool {
        self.durable() >= seq || (self.progress.tip.seq() < seq && !self.writer.is_locked())
    }

    /// The answer, unless another thread is writing or the sink has yet to report. Looks on for a
    /// while first: a record takes less time than waiting in earnest does.
    pub(super) fn settle_now(
        &self,
        place: &Place,
        limit: &mut Option<Deadline>,
    ) -> Option<Result<u64, Unsettled>> {
        for _ in 0..LOOKS {
            if self.is_written_as_placed(place) {
                return Some(Ok(place.seq));
            }
            if self.progress.tip.seq() >= place.seq {
                // Accepted, as it was placed or as its withdrawal.
                if let Some(why) = self.queue.lock().refusal(place.seq) {
                    return Some(Err(Unsettled { why, stands: false }));
                }
                return (self.durable() >= place.seq).then_some(Ok(place.seq));
            }
            if let Some(writer) = self.writer.try_lock() {
                let written = self.write_until(writer, place, limit);
                self.parked.wake();
                return match written {
                    Ok(()) if self.durable() < place.seq => None,
                    Ok(()) => Some(Ok(place.seq)),
                    Err(unsettled) => Some(Err(unsettled)),
                };
            }
            hint::spin_loop();
        }
        None
    }

    /// Whether the sink has accepted this very record. The tip moves after any withdrawal of it is
    /// counted, and is read here first, so that a withdrawal is never missed; one of another record
    /// only sends the caller to look more closely.
    pub(super) fn is_written_as_placed(&self, place: &Place) -> bool {
        self.durable() >= place.seq
            && self.progress.withdrawals.load(Ordering::Acquire) == place.withdrawals
    }

    /// Writes batches until the record is in the log. The first is always written whole; others only
    /// while there is time.
    fn write_until(
        &self,
        mut writer: MutexGuard<'_, Writer>,
        place: &Place,
        limit: &mut Option<Deadline>,
    ) -> Result<(), Unsettled> {
        loop {
            let mut queue = self.queue.lock();
            // Learnt here even when another thread has written the withdrawal since.
            if let Some(why) = queue.refusal(place.seq) {
                return Err(Unsettled { why, stands: false });
            }
            let written = self.progress.tip.seq();
            if written >= place.seq {
                return Ok(());
            }
            queue.take_batch(&mut writer.batch, written);
            drop(queue);
            let refused = match self.write_taken(&mut writer) {
                Err(why) => why,
                // As mostly: said without the queue's lock, which others place under meanwhile.
                Ok(()) if self.is_written_as_placed(place) => return Ok(()),
                Ok(()) if self.progress.tip.seq() >= place.seq => continue,
                Ok(()) if !limit.get_or_insert_with(|| Deadline::after(self.wait)).is_over() => {
                    continue;
                }
                Ok(()) => Refused::TimedOut(self.wait),
            };
            return self.give_up_on(place, refused).map(drop);
        }
    }

    /// Writes what the writer has taken.
    fn write_taken(&self, writer: &mut Writer) -> Result<(), Refused> {
        // What one thread waited for in vain, others may wait for once the sink answers again.
        self.unstick();
        let written = self.write_batch(writer);
        self.unstick();
        written.map_err(Refused::Sink)
    }

    fn unstick(&self) {
        let stuck = &self.progress.stuck;
        if stuck.load(Ordering::Relaxed) {
            stuck.store(false, Ordering::Relaxed);
        }
    }

    /// A placer waits no longer. What no writer has taken is withdrawn; what one has stands.
    pub(super) fn give_up_on(&self, place: &Place, why: Refused) -> Result<u64, Unsettled> {
        let mut queue = self.queue.lock();
        match queue.give_up_on(place.seq, &why) {
            Fate::Withdrawn(why) => Err(Unsettled { why, stands: false }),
            Fate::TakenOut => {
                self.progress.withdrawals.fetch_add(1, Ordering::AcqRel);
                Err(Unsettled { why, stands: false })
            }
            Fate::Taken if self.durable() >= place.seq => Ok(place.seq),
            Fate::Taken => {
                queue.doubt(place.seq);
                Err(Unsettled { why, stands: true })
            }
        }
    }

    /// Gets everything up to a number written, within a time limit.
    ///
    /// # Errors
    ///
    /// When the sink refuses, does not answer in time, or is what calls.
    pub(crate) fn flush(&self, through: u64, most: Duration) -> Result<(), Refused> {
        if self.is_inside() {
            return Err(Refused::Reentrant);
        }
        let deadline = Deadline::after(most);
        loop {
            if self.durable() >= through {
                return Ok(());
            }
            if self.progress.tip.seq() < through
                && let Some(mut writer) = self.writer.try_lock()
            {
                let written = self.write_next(&mut writer, through);
                drop(writer);
                self.parked.wake();
                written?;
                if self.durable() < through && deadline.is_over() {
                    return Err(Refused::TimedOut(most));
                }
                continue;
            }
            if !self.wait_for(through, &deadline) {
                return Err(Refused::TimedOut(most));
            }
        }
    }

    /// Writes the next batch, if there is one before `through`.
    fn write_next(&self, writer: &mut Writer, through: u64) -> Result<(), Refused> {
        let written = self.progress.tip.seq();
        if written >= through {
            return Ok(());
        }
        self.queue.lock().take_batch(&mut writer.batch, written);
        self.write_taken(writer)
    }

    /// Writes a batch if many records wait and no other thread is writing: for a thread that asked
    /// for access and was denied.
    pub(crate) fn write_if_many(&self) {
        let (waiting, next) = {
            let queue = self.queue.lock();
            (queue.len(), queue.next_seq())
        };
        if waiting >= MANY_WAITING
            && next % LOOK_EVERY < NOTED_AT_ONCE
            && !self.is_inside()
            && let Some(mut writer) = self.writer.try_lock()
        {
            // If the sink refuses, the records wait on.
            let _ = self.write_next(&mut writer, u64::MAX);
            drop(writer);
            self.parked.wake();
        }
    }
}

/// Resolves once everything up to a number is written. Polling it writes a batch where no other
/// thread is writing; dropping it leaves the records to others. It has no time limit of its own.
pub(crate) struct Written<J: AsRef<Journal>> {
    journal: J,
    through: u64,
    registration: Registration,
}

impl<J: AsRef<Journal>> Written<J> {
    pub(crate) fn new(journal: J, through: u64) -> Self {
        Written { journal, through, registration: Registration::default() }
    }

    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<(), Refused>> {
        let journal = self.journal.as_ref();
        let answer = journal.poll_written(self.through, waker, &mut self.registration);
        if answer.is_ready() {
            journal.parked.forget(&mut self.registration);
        }
        answer
    }
}

impl<J: AsRef<Journal>> Drop for Written<J> {
    fn drop(&mut self) {
        let journal = self.journal.as_ref();
        if journal.home.is_current_for_sure() {
            journal.parked.forget(&mut self.registration);
        }
    }
}

impl Journal {
    fn poll_written(
        &self,
        through: u64,
        waker: &Waker,
        own: &mut Registration,
    ) -> Poll<Result<(), Refused>> {
        if self.is_inside() {
            return Poll::Ready(Err(Refused::Reentrant));
        }
        // Before looking: what changes from here on wakes it.
        self.parked.register(own, waker);
        if self.durable() >= through {
            return Poll::Ready(Ok(()));
        }
        if self.progress.tip.seq() < through
            && let Some(mut writer) = self.writer.try_lock()
        {
            let written = self.write_next(&mut writer, through);
            drop(writer);
            // Wakes this future too: one batch in each poll, so that others go on in between.
            self.parked.wake();
            return match written {
                Err(why) => Poll::Ready(Err(why)),
                Ok(()) if self.durable() >= through => Poll::Ready(Ok(())),
                Ok(()) => Poll::Pending,
            };
        }
        Poll::Pending
    }
}
