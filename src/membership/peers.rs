//! The other nodes, as this one knows them from their rows.

use std::collections::BTreeMap;

use crate::sync::Mutex;

/// Another node, or this one, as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) incarnation: [u8; 16],
    /// It left or was given up: its tasks are over.
    pub(crate) is_over: bool,
    /// Where it answers other nodes, if it does.
    pub(crate) address: Box<str>,
}

/// The nodes of the fleet: what tokens' homes and messages' senders are held to.
#[derive(Default)]
pub(crate) struct Peers(Mutex<Known>);

#[derive(Default)]
struct Known {
    own: Option<[u8; 16]>,
    others: BTreeMap<Box<str>, Peer>,
    /// Somebody asked for a node that is not known: rows are to be read.
    is_wanted: bool,
}

impl Peers {
    /// As what this node has joined, and what the rows say of the others, if that has changed.
    pub(crate) fn set(&self, own: Option<[u8; 16]>, others: Option<BTreeMap<Box<str>, Peer>>) {
        let mut known = self.0.lock();
        known.own = own;
        if let Some(others) = others {
            known.others = others;
        }
    }

    /// The incarnation that this node has joined as.
    pub(crate) fn own(&self) -> Option<[u8; 16]> {
        self.0.lock().own
    }

    pub(crate) fn get(&self, name: &str) -> Option<Peer> {
        self.0.lock().others.get(name).cloned()
    }

    /// Asks for the rows to be read.
    pub(crate) fn want(&self) {
        self.0.lock().is_wanted = true;
    }

    pub(crate) fn take_wanted(&self) -> bool {
        std::mem::take(&mut self.0.lock().is_wanted)
    }
}
