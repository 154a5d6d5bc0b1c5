//! Waiting for one record as a future.

use std::task::{Context, Poll};

use super::timer::{Alarm, LogTimer};
use super::{Journal, Ordering, Place, Refused, Unsettled};
use crate::audit::parked::Registration;

/// As [`Journal::settle`], without holding the thread while another is writing, or a sink that keeps records later has
/// yet to report. Dropped before it is done, it gives up on the record, as a thread does whose time is up.
pub(crate) struct Settling<'j> {
    journal: &'j Journal,
    timer: &'j LogTimer,
    place: Place,
    alarm: Option<Alarm>,
    registration: Registration,
    answered: bool,
}

impl Journal {
    pub(crate) fn settling<'j>(&'j self, place: Place, timer: &'j LogTimer) -> Settling<'j> {
        let registration = Registration::default();
        Settling { journal: self, timer, place, alarm: None, registration, answered: false }
    }

    fn poll_settled(
        &self,
        place: &Place,
        own: &mut Registration,
        rings: impl FnOnce(&mut Context<'_>) -> Poll<()>,
        context: &mut Context<'_>,
    ) -> Poll<Result<u64, Unsettled>> {
        if self.is_inside() {
            return Poll::Ready(self.give_up_on(place, Refused::Reentrant));
        }
        let mut limit = None;
        loop {
            if let Some(answer) = self.settle_now(place, &mut limit) {
                return Poll::Ready(answer);
            }
            // Before looking once more: what changes from here on wakes it.
            self.parked.register(own, context.waker());
            if !self.is_due(place.seq) {
                break;
            }
        }
        if !self.progress.stuck.load(Ordering::Relaxed) && rings(context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.time_is_up(place))
    }
}

impl Settling<'_> {
    /// The answer, if there is one without waiting.
    pub(crate) fn answer_now(&mut self) -> Option<Result<u64, Unsettled>> {
        let answer = match self.journal.is_inside() {
            true => Some(self.journal.give_up_on(&self.place, Refused::Reentrant)),
            false => self.journal.settle_now(&self.place, &mut None),
        };
        self.answered = answer.is_some();
        answer
    }

    /// Waits no longer: the answer as it is now. For what is dropped; asked twice, it is the same as of a record that
    /// was not kept.
    pub(crate) fn give_up(&mut self) -> Result<u64, Unsettled> {
        self.answered = true;
        self.journal.parked.forget(&mut self.registration);
        self.journal.give_up_on(&self.place, Refused::NotAwaited)
    }
}

impl Future for Settling<'_> {
    type Output = Result<u64, Unsettled>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Settling { journal, timer, place, alarm, registration, answered } = &mut *self;
        let rings = |context: &mut Context<'_>| {
            alarm.get_or_insert_with(|| timer.after(journal.wait)).poll(context)
        };
        let answer = journal.poll_settled(place, registration, rings, context);
        if answer.is_ready() {
            *answered = true;
            journal.parked.forget(registration);
        }
        answer
    }
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        // The child of a fork has none of the threads that may hold its locks.
        if !self.answered && self.journal.home.is_current_for_sure() {
            let _ = self.give_up();
        }
    }
}
