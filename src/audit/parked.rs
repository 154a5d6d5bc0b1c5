//! Threads and futures that wait for a record: woken whenever the log has come further, or another
//! thread may write.

use std::sync::Arc;
use std::task::Waker;

use crate::contained::wake_each;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::sync::{Condvar, Deadline, Mutex};

/// Those that wait.
#[derive(Default)]
pub(super) struct Parked {
    /// How far a sink that keeps records later has come.
    durable: AtomicU64,
    /// The last number that a log which is gone has given out; 0 while it is there, or if there is none.
    given: AtomicU64,
    /// How many threads and futures wait. While there are none, waking costs one load.
    waiting: AtomicUsize,
    wakers: Mutex<Wakers>,
    changed: Condvar,
}

#[derive(Default)]
struct Wakers {
    last_id: u64,
    by_id: Vec<(u64, Waker)>,
}

/// A future's entry among those that wait.
#[derive(Debug, Default)]
pub(crate) struct Registration(Option<u64>);

impl Parked {
    /// Waits until `ready` holds, and returns whether it does. What makes it hold is done before
    /// [`wake`](Self::wake) is called, so no wake-up is missed.
    pub(super) fn wait_until(&self, deadline: &Deadline, mut ready: impl FnMut() -> bool) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let mut held = self.wakers.lock();
        let mut held_ready = false;
        self.changed.wait_while_for(
            &mut held,
            |_| {
                held_ready = ready();
                !held_ready
            },
            deadline.left(),
        );
        drop(held);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        held_ready
    }

    /// Wakes all that wait. The fence stands between what was changed and the look for those that
    /// wait; they have theirs between announcing themselves and looking at what was changed.
    pub(super) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        let woken = std::mem::take(&mut self.wakers.lock().by_id);
        self.waiting.fetch_sub(woken.len(), Ordering::SeqCst);
        self.changed.notify_all();
        // Outside the lock: a waker is foreign code.
        wake_each(woken.into_iter().map(|(_, waker)| waker));
    }

    /// Has a future woken once, in place of what it registered before.
    pub(super) fn register(&self, own: &mut Registration, waker: &Waker) {
        let mut wakers = self.wakers.lock();
        if let Some(id) = own.0
            && let Some((_, registered)) = wakers.by_id.iter_mut().find(|(other, _)| *other == id)
        {
            registered.clone_from(waker);
        } else {
            wakers.last_id += 1;
            let id = wakers.last_id;
            wakers.by_id.push((id, waker.clone()));
            own.0 = Some(id);
            self.waiting.fetch_add(1, Ordering::SeqCst);
        }
        drop(wakers);
        fence(Ordering::SeqCst);
    }

    /// Forgets a future that has its answer or was dropped.
    pub(super) fn forget(&self, own: &mut Registration) {
        let Some(id) = own.0.take() else { return };
        let mut wakers = self.wakers.lock();
        let before = wakers.by_id.len();
        wakers.by_id.retain(|(other, _)| *other != id);
        let forgotten = before - wakers.by_id.len();
        drop(wakers);
        self.waiting.fetch_sub(forgotten, Ordering::SeqCst);
    }

    /// The last number that a sink which keeps records later has reported.
    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Notes a number that a sink has reported.
    pub(super) fn note_durable(&self, seq: u64) {
        self.durable.fetch_max(seq, Ordering::AcqRel);
    }

    /// Notes that no number after `seq` is ever given out.
    pub(super) fn end(&self, seq: u64) {
        self.given.store(seq, Ordering::Release);
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

/// How a sink that keeps records [later](super::Kept::later) reports how far it has come.
/// Clones report for the same log.
#[derive(Clone)]
pub struct Durable {
    parked: Arc<Parked>,
}

impl Durable {
    pub(super) fn new(parked: Arc<Parked>) -> Self {
        Durable { parked }
    }

    /// Every record up to and including number `seq` is durable, for good. What waits for one of
    /// them goes on. A number below one that was reported before changes nothing.
    pub fn reached(&self, seq: u64) {
        self.parked.note_durable(seq);
        self.parked.wake();
    }

    /// The last number that was given out, once the broker is gone and gives out no more.
    pub(super) fn last_given(&self) -> Option<u64> {
        let given = self.parked.given.load(Ordering::Acquire);
        (given > 0).then_some(given)
    }
}

impl std::fmt::Debug for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Durable").field(&self.parked.durable()).finish()
    }
}
