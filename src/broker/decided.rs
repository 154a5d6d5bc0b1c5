//! The future of a question that does not wait for people any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::pending::Pending;
use super::shared::Shared;
use crate::sync::Apart;
use crate::task::{OpenQuestion, QuestionState};

/// Resolves once a question does not wait for people any more.
struct Decided {
    shared: Arc<Apart<Arc<Shared>>>,
    open: Arc<OpenQuestion>,
    registered: Option<u64>,
}

impl Pending {
    /// Waits until the question does not wait for people any more, as a future of any runtime: where it stands then.
    ///
    /// It is woken by the answer that settles the question, by a reload that voids it, by the end of its task, and by
    /// its expiry where something sweeps ([`Broker::sweep`](crate::Broker::sweep), or a [`Reaper`](crate::Reaper)):
    /// without that, bring a timer for [`expires`](Pending::expires). Dropping it stops waiting, and cancels nothing.
    ///
    /// ```
    /// # async fn waits(pending: hallpass::Pending) {
    /// if pending.decided().await == hallpass::QuestionState::Approved {
    ///     // redeem it
    /// }
    /// # }
    /// ```
    pub fn decided(&self) -> impl Future<Output = QuestionState> + Send + use<> {
        Decided { shared: self.shared.clone(), open: self.open.clone(), registered: None }
    }
}

impl Decided {
    fn forget(&mut self) {
        if !self.shared.is_forked() {
            self.shared.watchers.forget(self.open.generation, &mut self.registered);
        }
    }
}

impl Future for Decided {
    type Output = QuestionState;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<QuestionState> {
        let this = &mut *self;
        let Some(now) = this.shared.time_of_end() else { return Poll::Ready(QuestionState::Void) };
        // Before looking: what settles it from here on wakes it.
        let generation = this.open.generation;
        this.shared.watchers.register(generation, &mut this.registered, context.waker());
        let state = this.shared.look_at(&this.open);
        if this.open.awaits(now) {
            return Poll::Pending;
        }
        this.forget();
        Poll::Ready(state)
    }
}

impl Drop for Decided {
    fn drop(&mut self) {
        self.forget();
    }
}
