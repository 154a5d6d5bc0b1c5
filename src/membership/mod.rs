//! What a broker knows of the fleet that it is a node of: whether its lease is good, and what it owes the others.
//!
//! The fleet itself is above the broker, and drives both.

mod bell;
mod counting;
mod lease;
mod leaves;
mod owed;
mod peers;

pub(crate) use bell::Bell;
pub(crate) use counting::CountsShared;
pub(crate) use lease::NodeLease;
pub(crate) use leaves::{LeaveId, LeavesOut};
pub(crate) use owed::OwedAct;
pub(crate) use peers::{Peer, Peers};

use std::sync::Arc;
use std::time::Duration;

use crate::denial::{Denial, Reason};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::task::Halt;

/// The node of a fleet that a broker is.
pub(crate) struct Membership {
    pub(crate) lease: NodeLease,
    /// The number up to which the mark is applied here: raised after an entry has gone through every lock that it
    /// concerns, and before the lease is renewed on it.
    applied: AtomicU64,
    /// The highest number of an entry that was heard of since it was last asked for; zero of none.
    heard: AtomicU64,
    /// Calls of tasks at home here that other nodes may start.
    pub(crate) leaves: LeavesOut,
    /// For how long one may be out, with the drift of clocks.
    longest_leave: Duration,
    /// What the issuer of each node of the fleet begins with: the rest is the node's name.
    homes: Box<str>,
    pub(crate) peers: Peers,
    /// What counts limits that span tasks.
    pub(crate) counting: Arc<dyn CountsShared>,
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
    /// Rung when there is something to tell the home of a call.
    pub(crate) calls_bell: Bell,
    /// It is about to leave: nothing begins here any more.
    drains: AtomicBool,
    /// What a thread that drains the node waits by.
    pub(crate) drain_bell: Bell,
}

impl Membership {
    /// A node of this fleet whose leases last this long, without one.
    pub(crate) fn new(
        fleet: &str,
        length: Duration,
        longest_leave: Duration,
        counting: Arc<dyn CountsShared>,
    ) -> Self {
        Membership {
            lease: NodeLease::new(length),
            applied: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            leaves: LeavesOut::default(),
            longest_leave,
            homes: format!("{fleet}/").into(),
            peers: Peers::default(),
            counting,
            owed: Mutex::default(),
            halting: Mutex::default(),
            found: Mutex::default(),
            bell: Bell::default(),
            calls_bell: Bell::default(),
            drains: AtomicBool::new(false),
            drain_bell: Bell::default(),
        }
    }

    /// From now on nothing begins here.
    pub(crate) fn begin_drain(&self) {
        self.drains.store(true, Ordering::SeqCst);
    }

    /// Whether something may begin here.
    ///
    /// # Errors
    /// [`Reason::Draining`].
    pub(crate) fn check_drain(&self) -> Result<(), Denial> {
        match self.drains.load(Ordering::SeqCst) {
            true => Err(Denial::new(Reason::Draining).because("the node is leaving its fleet")),
            false => Ok(()),
        }
    }

    /// The number up to which the mark is applied here.
    pub(crate) fn applied(&self) -> u64 {
        self.applied.load(Ordering::SeqCst)
    }

    pub(crate) fn note_applied(&self, number: u64) {
        self.applied.fetch_max(number, Ordering::SeqCst);
    }

    /// Notes that there may be an entry of this number.
    pub(crate) fn hear(&self, number: u64) {
        self.heard.fetch_max(number, Ordering::SeqCst);
        self.bell.ring();
    }

    pub(crate) fn take_heard(&self) -> u64 {
        self.heard.swap(0, Ordering::SeqCst)
    }

    /// The node that an issuer is, by the rows of the fleet; nothing of one that is no node. The rows are read again
    /// for one of this fleet that is not known: it may have joined since.
    pub(crate) fn home_of<'i>(&self, issuer: &'i str) -> Option<(&'i str, Peer)> {
        let node = issuer.strip_prefix(&*self.homes)?;
        let peer = self.peers.get(node);
        if peer.is_none() {
            self.peers.want();
            self.bell.ring();
        }
        Some((node, peer?))
    }

    /// Has the rows read for a node of the fleet that is not known.
    pub(crate) fn want_home(&self, issuer: &str) {
        if issuer.starts_with(&*self.homes) {
            self.peers.want();
            self.bell.ring();
        }
    }

    /// Waits until no call of a task can start elsewhere any more.
    pub(crate) fn await_leaves(&self, generation: u64, now: impl Fn() -> Option<Duration>) {
        self.leaves.wait(generation, self.longest_leave, now);
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
