//! The readers of what changes for those who answer, and what each has not read.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::Waker;

use super::watchers::Watchers;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex};
use crate::task::QuestionState;

/// How many events a reader that reads nothing has waiting: more are one, which says to look at the list.
const MOST_EVENTS: usize = 256;

/// What changed for those who answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewEvent {
    /// A question was asked or answered, or ended: where it stands then.
    Changed {
        /// The question's id, by which [`Reviews::open`](crate::Reviews::open) finds it.
        question: String,
        /// Where it stands.
        state: QuestionState,
    },
    /// More changed than was read, or what decides who may answer: look at the [list](crate::Reviews::list).
    LookAgain,
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
pub(super) struct Queue {
    pub(super) waiting: Mutex<Waiting>,
    pub(super) filled: Condvar,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) events: VecDeque<ReviewEvent>,
    /// Of the future that waits.
    pub(super) waker: Option<Waker>,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn take(&mut self) -> Option<ReviewEvent> {
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
    pub(super) fn admit(&self, queue: &Arc<Queue>) {
        let mut queues = self.queues.lock();
        queues.retain(|own| own.strong_count() > 0);
        queues.push(Arc::downgrade(queue));
        self.listed.store(queues.len(), Ordering::SeqCst);
    }

    /// Notes a change. Callable under any lock but a reader's: wakers are due, and woken later.
    pub(super) fn note(&self, event: impl FnOnce() -> ReviewEvent, watchers: &Watchers) {
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
