//! What changes for those who answer, told as it happens: a bounded queue of each reader, read by blocking or as a
//! future.
//!
//! A change is noted under the locks under which it happens, into memory of the reader's own: no code of the host runs
//! there. Wakers are woken with all others, once no lock is held.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::reviews::Reviews;
use super::shared::Shared;
use super::watchers::Watchers;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Apart, Condvar, Mutex};
use crate::task::{OpenQuestion, QuestionState};

/// How many events a reader that reads nothing has waiting: more are one, which says to look at the list.
const MOST_EVENTS: usize = 256;

/// What changed for those who answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewEvent {
    /// A question was asked or answered, or ended: where it stands then.
    Changed {
        /// The question's id, by which [`Reviews::open`] finds it.
        question: String,
        /// Where it stands.
        state: QuestionState,
    },
    /// More changed than was read, or what decides who may answer: look at the [list](Reviews::list).
    LookAgain,
}

/// What changes for those who answer, from when this was asked for: see [`Reviews::events`].
///
/// It holds 256 events that were not read; where there are more, all of them are one [`ReviewEvent::LookAgain`].
pub struct ReviewEvents {
    shared: Arc<Apart<Arc<Shared>>>,
    queue: Arc<Queue>,
}

impl Reviews {
    /// A reader of what changes: questions that are asked, answers that count, and what ends a question. That a yes is
    /// used is no change for those who answer. Nothing of a question is told but its id and its state, so the host
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

/// The readers of a broker.
#[derive(Default)]
pub(crate) struct Readers {
    /// How many queues are listed: mostly none, and then a change costs one load.
    listed: AtomicUsize,
    queues: Mutex<Vec<Weak<Queue>>>,
}

/// What a reader has not read. Its lock is taken last.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<ReviewEvent>,
    /// Of the future that waits.
    waker: Option<Waker>,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn take(&mut self) -> Option<ReviewEvent> {
        self.events.pop_front()
    }

    fn add(&mut self, event: &ReviewEvent) {
        if self.events.len() >= MOST_EVENTS || *event == ReviewEvent::LookAgain {
            self.events.clear();
            self.events.push_back(ReviewEvent::LookAgain);
        } else if self.events.front() != Some(&ReviewEvent::LookAgain) {
            // Who looks at the list next sees what came after that, too.
            self.events.push_back(event.clone());
        }
    }
}

impl Readers {
    fn admit(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.lock();
        queues.retain(|own| own.strong_count() > 0);
        queues.push(Arc::downgrade(queue));
        self.listed.store(queues.len(), Ordering::SeqCst);
    }

    /// Notes a change. Callable under any lock but a reader's: wakers are due, and woken later.
    fn note(&self, event: impl FnOnce() -> ReviewEvent, watchers: &Watchers) {
        if self.listed.load(Ordering::SeqCst) == 0 {
            return;
        }
        let event = event();
        for queue in self.queues.lock().iter().filter_map(Weak::upgrade) {
            let mut waiting = queue.waiting.lock();
            waiting.add(&event);
            let waker = waiting.waker.take();
            drop(waiting);
            queue.filled.notify_all();
            watchers.make_due(waker);
        }
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
