//! A task's cell: everything that lives and ends with one task, under one lock.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::life::Life;
use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::purpose::CheckedPurpose;
use crate::sync::{Condvar, Mutex};

/// Who opened a task: as it was attested then, and, of a task of an earlier life of the broker, as it was attested when
/// it was taken up again.
pub(crate) struct Requester {
    opened: Identity,
    resumed: OnceLock<Identity>,
}

impl Requester {
    pub(crate) fn of(opened: Identity) -> Requester {
        Requester { opened, resumed: OnceLock::new() }
    }

    /// It takes the task up again, once.
    pub(crate) fn resume(&self, who: Identity) {
        let _ = self.resumed.set(who);
    }
}

impl Deref for Requester {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        self.resumed.get().unwrap_or(&self.opened)
    }
}

/// A task and all that hangs from it.
pub(crate) struct TaskCell {
    pub(crate) name: Box<str>,
    pub(crate) generation: u64,
    /// Who opened it, and asks for its grants.
    pub(crate) requester: Requester,
    pub(crate) purpose: Arc<CheckedPurpose>,
    /// No grant of the task lives at this instant or later.
    pub(crate) ceiling: Timestamp,
    pub(crate) life: Mutex<Life>,
    /// Signalled whenever a running call is done.
    pub(crate) call_done: Condvar,
}

impl TaskCell {
    /// Waits until no call is running, or for `most` at the longest; those that still are.
    pub(crate) fn wait_for_running(&self, most: Duration) -> Vec<u64> {
        let mut life = self.life.lock();
        // A condition variable takes care of wake-ups that mean nothing, and of the time left.
        self.call_done.wait_while_for(&mut life, |life| !life.running().is_empty(), most);
        life.running()
    }
}
