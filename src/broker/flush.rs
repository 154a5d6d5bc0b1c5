//! Getting what is owed to the log written: for hosts that ask to wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Broker;
use super::shared::Shared;
use crate::audit::{Journal, Refused, Written};

/// The log has not taken every record that a host waited for. What they record stands, and they are
/// owed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log owes {owed} records: {cause}")]
pub struct FlushError {
    owed: usize,
    cause: Refused,
}

impl FlushError {
    /// How many records are owed.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.owed
    }

    /// Whether the log gave no answer in time. Otherwise it refused.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        matches!(self.cause, Refused::TimedOut(_))
    }
}

pub(super) fn flush(shared: &Shared, through: u64, most: Duration) -> Result<(), FlushError> {
    if shared.is_forked() {
        return Err(FlushError { owed: 0, cause: Refused::Forked });
    }
    let flushed = shared.journal.flush(through, most);
    flushed.map_err(|cause| FlushError { owed: shared.journal.debts(), cause })
}

impl Shared {
    /// Has the log do what is due: called with no lock held, by a thread that may take as long as that does.
    pub(super) fn maintain_log(&self) {
        // Without a clock nothing is due.
        if let Ok(now) = self.keeper.now() {
            self.journal.maintain(now);
        }
    }
}

/// Resolves once everything up to a number is written.
pub(super) struct Flushed {
    written: Written<OfBroker>,
    shared: Arc<Shared>,
}

/// The journal of a broker, for as long as this is held.
struct OfBroker(Arc<Shared>);

impl AsRef<Journal> for OfBroker {
    fn as_ref(&self) -> &Journal {
        &self.0.journal
    }
}

impl Flushed {
    pub(super) fn new(shared: Arc<Shared>, through: u64) -> Self {
        Flushed { written: Written::new(OfBroker(shared.clone()), through), shared }
    }
}

impl Future for Flushed {
    type Output = Result<(), FlushError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.shared.is_forked() {
            return Poll::Ready(Err(FlushError { owed: 0, cause: Refused::Forked }));
        }
        let answer = self.written.poll(context.waker());
        answer.map(|answer| {
            answer.map_err(|cause| FlushError { owed: self.shared.journal.debts(), cause })
        })
    }
}

impl Broker {
    /// How many records the log owes: what they record stands, and no sink has taken them yet.
    pub fn record_debts(&self) -> usize {
        if self.shared.is_forked() { 0 } else { self.shared.journal.debts() }
    }

    /// Writes the records that are owed, and returns how many are owed still: none, unless the sink
    /// refuses or another thread has been inside it for the broker's `log_timeout`.
    pub fn flush(&self) -> usize {
        // What is left is in the answer.
        let _ = self.flush_within(self.shared.settings.log_timeout);
        self.record_debts()
    }

    /// Writes the records that are owed when it is called, within `timeout`. If no other thread is
    /// writing, this one does, a batch at a time, and is inside the sink as long as the sink takes.
    ///
    /// # Errors
    /// [`FlushError`] if the log refuses or does not answer in time.
    pub fn flush_within(&self, timeout: Duration) -> Result<(), FlushError> {
        if self.shared.is_forked() {
            return Err(FlushError { owed: 0, cause: Refused::Forked });
        }
        self.shared.journal.sum_up();
        flush(&self.shared, self.shared.journal.last_seq(), timeout)?;
        self.shared.maintain_log();
        Ok(())
    }

    /// As [`flush_within`](Broker::flush_within), as a future of any runtime, without a time limit of
    /// its own: dropping it stops waiting, and calls no sink. A sink that is to hold no executor up is
    /// wrapped in a [`ThreadedSink`](crate::audit::ThreadedSink).
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = std::pin::pin!(future);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop {
    /// #         if let std::task::Poll::Ready(answer) = future.as_mut().poll(&mut context) {
    /// #             return answer;
    /// #         }
    /// #     }
    /// # }
    /// drop(broker.open(&agent, Purpose::new("reading"))?);
    /// assert_eq!(broker.record_debts(), 1);
    /// block_on(broker.flushed())?;
    /// assert_eq!(broker.record_debts(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FlushError`] if the log refuses.
    pub fn flushed(&self) -> impl Future<Output = Result<(), FlushError>> + Send + use<> {
        let through = if self.shared.is_forked() {
            u64::MAX
        } else {
            self.shared.journal.sum_up();
            self.shared.journal.last_seq()
        };
        Flushed::new(self.shared.clone(), through)
    }
}
