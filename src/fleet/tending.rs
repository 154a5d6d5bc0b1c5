//! A thread that drives a node, for hosts that ask for one.

use std::sync::Arc;
use std::time::Duration;

use super::calls::Link;
use super::counting::Counting;
use super::handle::Fleet;
use crate::membership::Membership;
use crate::sync::atomic::{AtomicBool, Ordering};

/// A thread that [tends](Fleet::tend) a node until this, or the last handle of the node, is dropped.
///
/// Dropping it waits for nothing: the thread finishes the step it is in, which may be a store that hangs, and ends. A
/// node that is not tended has no lease once the last one is over.
#[must_use = "the node is no longer tended when this is dropped"]
pub struct Tending {
    stop: Arc<AtomicBool>,
    membership: Arc<Membership>,
    counting: Arc<Counting>,
}

impl Fleet {
    /// Starts a thread that tends the node.
    ///
    /// # Errors
    /// What the system says if it gives no thread.
    pub fn start_tending(&self) -> std::io::Result<Tending> {
        let stop = Arc::new(AtomicBool::new(false));
        let membership = self.inner.membership.clone();
        let counting = self.inner.counting.clone();
        let tending = Tending { stop: stop.clone(), membership: membership.clone(), counting };
        let inner = Arc::downgrade(&self.inner);
        std::thread::Builder::new().name("hallpass-fleet".into()).spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let Some(inner) = inner.upgrade() else { return };
                let rest = inner.tend();
                drop(inner);
                // It looks now and then whether the node is there at all.
                membership.bell.wait(rest.clamp(Duration::from_millis(1), Duration::from_secs(1)));
            }
        })?;
        self.start_giving_back(&tending)?;
        if matches!(self.inner.link, Link::Blocking(_)) {
            self.start_delivering(&tending)?;
        }
        Ok(tending)
    }

    /// A thread of its own: counters that the store does not give hold up no renewal.
    fn start_giving_back(&self, tending: &Tending) -> std::io::Result<()> {
        let (stop, counting) = (tending.stop.clone(), tending.counting.clone());
        let inner = Arc::downgrade(&self.inner);
        std::thread::Builder::new().name("hallpass-fleet-limits".into()).spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let Some(inner) = inner.upgrade() else { return };
                let left = Fleet { inner }.give_back();
                match left {
                    0 => counting.waiting().wait(Duration::from_secs(1)),
                    // What the store did not take is told again after a while.
                    _ => counting.waiting().pause(Duration::from_millis(100)),
                }
            }
        })?;
        Ok(())
    }

    /// A thread of its own: a home that does not answer holds up no renewal.
    fn start_delivering(&self, tending: &Tending) -> std::io::Result<()> {
        let (stop, membership) = (tending.stop.clone(), tending.membership.clone());
        let inner = Arc::downgrade(&self.inner);
        std::thread::Builder::new().name("hallpass-fleet-calls".into()).spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let Some(inner) = inner.upgrade() else { return };
                let left = Fleet { inner }.deliver();
                // What no home has noted is told again after a while.
                let rest =
                    if left == 0 { Duration::from_secs(1) } else { Duration::from_millis(100) };
                membership.calls_bell.wait(rest);
            }
        })?;
        Ok(())
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.membership.bell.ring();
        self.membership.calls_bell.ring();
        self.counting.waiting().wake();
    }
}

impl std::fmt::Debug for Tending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tending").finish_non_exhaustive()
    }
}
