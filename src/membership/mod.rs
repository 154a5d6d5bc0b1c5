//! What a broker knows of the fleet that it is a node of: whether its lease is good, and what it owes the others.
//!
//! The fleet itself is above the broker, and drives both.

mod bell;
mod lease;
mod owed;

pub(crate) use bell::Bell;
pub(crate) use lease::NodeLease;
pub(crate) use owed::OwedAct;

use std::time::Duration;

use crate::sync::Mutex;
use crate::task::Halt;

/// The node of a fleet that a broker is.
pub(crate) struct Membership {
    pub(crate) lease: NodeLease,
    /// What was stopped here without the fleet being asked: it has taken effect here, and every other node is still
    /// to learn of it.
    owed: Mutex<Vec<OwedAct>>,
    /// Halts of this node's that have no number yet: they come after every entry that is there, so that no resume
    /// which is applied meanwhile takes them off.
    halting: Mutex<Vec<Halt>>,
    /// Halts that were on before it joined, until it has applied all there was by then.
    found: Mutex<Vec<Halt>>,
    /// Rung when there is something to tell the others.
    pub(crate) bell: Bell,
}

impl Membership {
    /// A node whose leases last this long, without one.
    pub(crate) fn new(length: Duration) -> Self {
        Membership {
            lease: NodeLease::new(length),
            owed: Mutex::default(),
            halting: Mutex::default(),
            found: Mutex::default(),
            bell: Bell::default(),
        }
    }

    /// Notes a halt that is about to take effect here.
    pub(crate) fn begin_halt(&self, what: &Halt) {
        self.halting.lock().push(what.clone());
    }

    /// Notes that a halt has its number.
    pub(crate) fn end_halt(&self, what: &Halt) {
        let mut halting = self.halting.lock();
        if let Some(at) = halting.iter().position(|own| own == what) {
            halting.swap_remove(at);
        }
    }

    /// Notes halts that were on before the node joined. Whether the fleet knows of them can't be told: what it resumed
    /// before takes none of them off.
    pub(crate) fn keep_found(&self, halts: Vec<Halt>) {
        *self.found.lock() = halts;
    }

    /// Notes that all there was at joining is applied: what is resumed from here on was on here.
    pub(crate) fn has_caught_up(&self) {
        self.found.lock().clear();
    }

    /// Whether a halt is on here that comes after what is applied.
    pub(crate) fn is_halting(&self, what: &Halt) -> bool {
        self.halting.lock().contains(what) || self.found.lock().contains(what)
    }

    /// Notes what the other nodes have to be told, and has taken effect here.
    pub(crate) fn owe(&self, act: OwedAct) {
        self.owed.lock().push(act);
        self.bell.ring();
    }

    /// What is owed, in the order in which it took effect. It is the caller's to tell from now on.
    pub(crate) fn take_owed(&self) -> Vec<OwedAct> {
        std::mem::take(&mut *self.owed.lock())
    }
}
