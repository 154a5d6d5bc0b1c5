//! Futures that wait until what permits a running call ends.
//!
//! A future registers first, and looks then, under its task's lock. An end happens under that lock and takes
//! the wakers of its task along: so either the look finds the end, or the end finds the waker. They are woken
//! once no lock is held any more, since a waker is foreign code. Where none is registered, an end costs
//! one load more, and a call nothing.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::contained::wake_each;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// Those that wait, and those that are about to be woken.
#[derive(Default)]
pub(crate) struct Watchers {
    /// How many wakers there are.
    held: AtomicUsize,
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    last_id: u64,
    /// By the task's generation and a number of their own.
    waiting: BTreeMap<(u64, u64), Waker>,
    due: Vec<Waker>,
}

impl Watchers {
    /// Has a future woken once when something of the task ends, in place of what it registered before.
    pub(super) fn register(&self, task: u64, own: &mut Option<u64>, waker: &Waker) {
        let waker = waker.clone();
        let mut wakers = self.wakers.lock();
        let id = *own.get_or_insert_with(|| {
            wakers.last_id += 1;
            wakers.last_id
        });
        let before = wakers.waiting.insert((task, id), waker);
        if before.is_none() {
            self.held.fetch_add(1, Ordering::SeqCst);
        }
        drop(wakers);
        // A waker may do anything when it is dropped.
        drop(before);
    }

    /// Forgets a future that has its answer or was dropped.
    pub(super) fn forget(&self, task: u64, own: &mut Option<u64>) {
        let Some(id) = own.take() else { return };
        let forgotten = self.wakers.lock().waiting.remove(&(task, id));
        if forgotten.is_some() {
            self.held.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Something of a task has ended: what waits for that is due. Callable under any lock but this one's.
    pub(super) fn note_end(&self, task: u64) {
        if self.held.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut wakers = self.wakers.lock();
        let mut ended = wakers.waiting.split_off(&(task, 0));
        if let Some(after) = task.checked_add(1) {
            wakers.waiting.append(&mut ended.split_off(&(after, 0)));
        }
        wakers.due.extend(ended.into_values());
    }

    /// A halt is on: all that waits has to look again.
    pub(super) fn note_halt(&self) {
        if self.held.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut wakers = self.wakers.lock();
        let all = std::mem::take(&mut wakers.waiting);
        wakers.due.extend(all.into_values());
    }

    /// A future that waits for something else is due. Callable under any lock but this one's.
    pub(super) fn make_due(&self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        self.held.fetch_add(1, Ordering::SeqCst);
        self.wakers.lock().due.push(waker);
    }

    /// Wakes what is due: called with no lock held.
    pub(super) fn wake_due(&self) {
        if self.held.load(Ordering::SeqCst) == 0 {
            return;
        }
        let due = std::mem::take(&mut self.wakers.lock().due);
        self.held.fetch_sub(due.len(), Ordering::SeqCst);
        wake_each(due);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn count() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        (count.clone(), Waker::from(count))
    }

    #[test]
    fn an_end_wakes_those_of_its_task_once_and_a_halt_wakes_all() {
        let watchers = Watchers::default();
        let woken: Vec<_> = [4, 5, 5, 6].map(|task| (task, count())).into_iter().collect();
        let mut own = [None; 4];
        for ((task, (_, waker)), own) in woken.iter().zip(&mut own) {
            watchers.register(*task, own, waker);
            watchers.register(*task, own, waker);
        }
        let counts = || woken.iter().map(|(_, (count, _))| count.0.load(Ordering::SeqCst));
        watchers.note_end(5);
        assert_eq!(counts().sum::<usize>(), 0, "woken later, with no lock held");
        watchers.wake_due();
        watchers.wake_due();
        assert_eq!(counts().collect::<Vec<_>>(), [0, 1, 1, 0]);
        watchers.note_halt();
        watchers.wake_due();
        assert_eq!(counts().collect::<Vec<_>>(), [1, 1, 1, 1]);
        assert_eq!(watchers.held.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn one_that_panics_takes_no_other_along() {
        struct Panics;

        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("a waker");
            }
        }

        let watchers = Watchers::default();
        let ((count, waker), mut own) = (count(), [None; 2]);
        watchers.register(1, &mut own[0], &Waker::from(Arc::new(Panics)));
        watchers.register(1, &mut own[1], &waker);
        watchers.note_end(1);
        watchers.wake_due();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn one_that_is_forgotten_leaves_nothing() {
        let watchers = Watchers::default();
        let ((count, waker), mut own) = (count(), None);
        watchers.register(1, &mut own, &waker);
        watchers.forget(1, &mut own);
        watchers.forget(1, &mut own);
        watchers.note_end(1);
        watchers.wake_due();
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        assert_eq!(watchers.held.load(Ordering::SeqCst), 0);
        assert_eq!(Arc::strong_count(&count), 2, "the waker is dropped");
    }
}
