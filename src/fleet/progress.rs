//! How far an act has come: set by the node, waited for by its caller.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::contained::wake_each;
use crate::sync::{Condvar, Mutex};

/// An act that is final: every node has applied it, or can't have a good lease any more without it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// The number of its entry; of a reload, the epoch.
    pub number: u64,
    /// How many calls were running that it stops, at this node and at those that told: they go on.
    pub running: u64,
    /// The nodes that were not heard of in time. They have no lease; which calls were running there is not known.
    pub unheard: Vec<Box<str>>,
}

/// What an act came to, or how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The store has no entry of it, as far as is known.
    Owed,
    /// It is an entry, and these nodes may have a lease that was given without it; nothing if it is not known who.
    Numbered {
        number: u64,
        waiting_for: Vec<Box<str>>,
    },
    Done(Done),
    /// The epoch it was to replace was not in force any more: this one was.
    Conflict {
        epoch: u64,
    },
}

/// Shared by the node, which sets it, and by who waits.
pub(super) struct Progress {
    at: Mutex<(Stage, Vec<Waker>)>,
    changed: Condvar,
}

impl Progress {
    pub(super) fn new() -> Self {
        Progress { at: Mutex::new((Stage::Owed, Vec::new())), changed: Condvar::new() }
    }

    pub(super) fn stage(&self) -> Stage {
        self.at.lock().0.clone()
    }

    pub(super) fn set(&self, stage: Stage) {
        let mut at = self.at.lock();
        at.0 = stage;
        let wakers = std::mem::take(&mut at.1);
        drop(at);
        self.changed.notify_all();
        wake_each(wakers);
    }

    /// Waits for a change, for this long at most.
    pub(super) fn wait(&self, most: Duration) {
        let mut at = self.at.lock();
        if !matches!(at.0, Stage::Done(_) | Stage::Conflict { .. }) {
            self.changed.wait_for(&mut at, most);
        }
    }

    /// What it came to; wakes the task when it changes.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Stage> {
        let mut at = self.at.lock();
        match &at.0 {
            stage @ (Stage::Done(_) | Stage::Conflict { .. }) => Poll::Ready(stage.clone()),
            Stage::Owed | Stage::Numbered { .. } => {
                if !at.1.iter().any(|waker| waker.will_wake(context.waker())) {
                    at.1.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}
