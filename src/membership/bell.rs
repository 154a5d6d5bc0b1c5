//! A bell: wakes the thread that drives a node before its time.

use std::time::Duration;

use crate::sync::{Condvar, Mutex};

/// Rung by those who have something for the thread that waits. What is rung while no thread waits is heard by the
/// next who does.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rung.lock() = true;
        self.heard.notify_all();
    }

    /// Waits until it is rung, for this long at most.
    pub(crate) fn wait(&self, most: Duration) {
        let mut rung = self.rung.lock();
        if !*rung {
            self.heard.wait_for(&mut rung, most);
        }
        *rung = false;
    }
}
