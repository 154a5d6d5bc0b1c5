//! The asker's side: its sessions with homes, and what homes are to learn of calls that they permitted.

use std::collections::VecDeque;
use std::sync::Arc;

use super::message::Told;
use super::session::AskerSession;
use super::wire::NodeLife;
use crate::broker::Broker;
use crate::fleet::keys::FleetKeys;
use crate::membership::Membership;
use crate::sync::Mutex;

/// How many idle sessions are kept.
const IDLE: usize = 64;

/// How many outcomes are owed at most: beyond that the oldest are left to the homes, which never learn of them.
const OWED: usize = 65_536;

/// What asks other nodes.
pub(in crate::fleet) struct Asker {
    pub(super) keys: Arc<FleetKeys>,
    pub(super) name: Box<str>,
    pub(super) broker: Broker,
    pub(super) membership: Arc<Membership>,
    idle: Mutex<Vec<AskerSession>>,
    owed: Mutex<VecDeque<OwedOutcome>>,
}

/// What became of a call, which its home is to learn.
#[derive(Clone)]
pub(super) struct OwedOutcome {
    pub(super) home: NodeLife,
    pub(super) call: [u8; 16],
    pub(super) told: Told,
    /// A copy of the request may still come to the home.
    pub(super) copies: bool,
}

impl Asker {
    pub(in crate::fleet) fn new(
        keys: Arc<FleetKeys>,
        name: Box<str>,
        broker: &Broker,
        membership: Arc<Membership>,
    ) -> Self {
        let broker = broker.clone();
        let (idle, owed) = (Mutex::default(), Mutex::default());
        Asker { keys, name, broker, membership, idle, owed }
    }

    /// An idle session with this life of a home.
    pub(super) fn take_session(&self, home: &NodeLife) -> Option<AskerSession> {
        let mut idle = self.idle.lock();
        let at = idle.iter().position(|session| session.is_with(home));
        at.map(|at| idle.swap_remove(at))
    }

    /// What is owed first.
    pub(super) fn take_owed(&self) -> Option<OwedOutcome> {
        self.owed.lock().pop_front()
    }

    /// Keeps a session for the next errand.
    pub(super) fn keep(&self, session: AskerSession) {
        let mut idle = self.idle.lock();
        if idle.len() == IDLE {
            idle.swap_remove(0);
        }
        idle.push(session);
    }

    /// Notes what a home is to learn.
    pub(super) fn owe(&self, outcome: OwedOutcome) {
        let mut owed = self.owed.lock();
        if owed.len() == OWED {
            owed.pop_front();
        }
        owed.push_back(outcome);
        drop(owed);
        self.membership.calls_bell.ring();
    }

    /// The fleet's keys.
    pub(in crate::fleet) fn keys(&self) -> &FleetKeys {
        &self.keys
    }

    /// How many outcomes are owed.
    pub(in crate::fleet) fn owed(&self) -> usize {
        self.owed.lock().len()
    }
}
