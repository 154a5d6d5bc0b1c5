//! What changes for those who answer, told as it happens: a bounded queue of each reader, read by blocking or as a
//! future.
//!
//! A change is noted under the locks under which it happens, into memory of the reader's own: no code of the host runs
//! there. Wakers are woken with all others, once no lock is held.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::readers::{Queue, ReviewEvent};
use super::reviews::Reviews;
use super::shared::Shared;
use crate::sync::Apart;
use crate::task::{OpenQuestion, QuestionState};

/// What changes for those who answer, from when this was asked for: see [`Reviews::events`].
///
/// It holds 256 events that were not read; where there are more, all of them are one [`ReviewEvent::LookAgain`].
pub struct ReviewEvents {
    shared: Arc<Apart<Arc<Shared>>>,
    queue: Arc<Queue>,
}

impl Reviews {
    /// A reader of what changes: questions that are asked, answers that count, and what ends a question. That a yes is
    /// used is not a change for those who answer. Nothing of a question is told but its id and its state, so the host
    /// decides who is shown what, by [`list`](Reviews::list).
    ///
    /// What time alone ends is told once something notices it: a look at the question, a
    /// [sweep](crate::Broker::sweep), or a [reaper](crate::Broker::start_reaper).
    ///
    /// ```
    /// # use hallpass::{QuestionState, ReviewEvent, prelude::*};
    /// # use hallpass::policy::{ApprovalTerms, Per, Reviewers};
    /// # use hallpass::scope::has_any;
    /// # use std::time::Duration;
    /// # let terms = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["finance"])));
    /// # let rules = [
    /// #     Rule::permit("pay").tool("bank.pay").any_args(),
    /// #     Rule::ask("four-eyes").tool("bank.pay").approval(terms),
    /// # ];
    /// # let broker = Broker::new(Policy::builder().rules(rules).build()?)?;
    /// # let (gate, context) = (broker.gate(), Context::new());
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("pay-bill"))?;
    /// # let grant = task.request(Scope::tool("bank.pay").any_args(), &context)?;
    /// # let call = Call::new("bank.pay", serde_json::json!({ "amount": 98 }))?;
    /// let mut events = broker.reviews().events();
    /// let denial = gate.authorize(&grant, &agent, call, &context).unwrap_err();
    /// let asked = events.wait(Duration::from_secs(1));
    /// let question = denial.pending().ok_or("nothing is asked")?.id();
    /// assert_eq!(asked, Some(ReviewEvent::Changed { question, state: QuestionState::Waiting }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events(&self) -> ReviewEvents {
        let queue = Arc::new(Queue::default());
        if !self.shared.is_forked() {
            self.shared.readers.admit(&queue);
        }
        ReviewEvents { shared: self.shared.clone(), queue }
    }
}

impl ReviewEvents {
    /// Waits for the next event, or for `at_most`; `None` if there was none. It holds up this thread alone. In the child
    /// of a fork there is none.
    pub fn wait(&mut self, at_most: Duration) -> Option<ReviewEvent> {
        if self.shared.is_forked() {
            return None;
        }
        let mut waiting = self.queue.waiting.lock();
        self.queue.filled.wait_while_for(&mut waiting, |own| own.is_empty(), at_most);
        waiting.take()
    }

    /// The next event, as a future of any runtime. Dropping it loses none. In the child of a fork it says to look at the
    /// list, which is empty there.
    pub fn next_event(&mut self) -> impl Future<Output = ReviewEvent> + Send + '_ {
        poll_fn(move |context| self.poll(context))
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<ReviewEvent> {
        if self.shared.is_forked() {
            return Poll::Ready(ReviewEvent::LookAgain);
        }
        let waker = context.waker().clone();
        let mut waiting = self.queue.waiting.lock();
        let (event, before) = match waiting.take() {
            Some(event) => (Poll::Ready(event), waiting.waker.take()),
            None => (Poll::Pending, waiting.waker.replace(waker)),
        };
        drop(waiting);
        // A waker may do anything when it is dropped.
        drop(before);
        event
    }
}

impl Shared {
    /// Tells readers where a question stands by now.
    pub(super) fn announce(&self, question: &OpenQuestion, state: QuestionState) {
        let event =
            || ReviewEvent::Changed { question: question.id.text().as_str().to_owned(), state };
        self.readers.note(event, &self.watchers);
    }

    /// Tells readers that who may answer what may be another by now.
    pub(super) fn announce_others(&self) {
        self.readers.note(|| ReviewEvent::LookAgain, &self.watchers);
    }
}

impl Drop for ReviewEvents {
    fn drop(&mut self) {
        if self.shared.is_forked() {
            return;
        }
        // Here, and not where a change finds the reader gone: a waker may do anything when it is dropped.
        let waker = self.queue.waiting.lock().waker.take();
        drop(waker);
    }
}

impl std::fmt::Debug for ReviewEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.queue.waiting.lock().events.len();
        f.debug_struct("ReviewEvents").field("waiting", &waiting).finish_non_exhaustive()
    }
}
