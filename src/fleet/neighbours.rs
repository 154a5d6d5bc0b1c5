//! What a node has seen of the others: who stands still.

use std::collections::BTreeMap;
use std::time::Duration;

use super::keys::FleetKeys;
use super::row::{NodeRow, NodeState, RowVersion, Said};
use super::terms::Terms;
use crate::membership::Peer;

/// For how long a silent node is waited for before it is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// The rows of other nodes, as this one last saw them.
#[derive(Default)]
pub(super) struct Neighbours(BTreeMap<Box<str>, Seen>);

struct Seen {
    version: RowVersion,
    said: Said,
    /// When it was first and last seen like this, on this node's own clock.
    since: Duration,
    last: Duration,
}

impl Neighbours {
    /// What a row says, if it is a member's, and not older than one of the same life that was seen before: who can
    /// write the store could put an old row back.
    pub(super) fn look(&mut self, keys: &FleetKeys, row: &NodeRow, now: Duration) -> Option<Said> {
        let said = row.open(keys)?;
        let version = row.version();
        match self.0.get_mut(&row.name) {
            Some(seen) if seen.version == version => seen.last = now,
            Some(seen)
                if seen.version.incarnation == version.incarnation
                    && seen.version.counter > version.counter =>
            {
                return None;
            }
            _ => {
                let seen = Seen { version, said: said.clone(), since: now, last: now };
                self.0.insert(row.name.clone(), seen);
            }
        }
        Some(said)
    }

    /// Forgets what was seen of a node: it is looked at anew.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// A node whose row has stood still for so long that it has no lease, or that it is given up.
    pub(super) fn to_mark(&self, terms: &Terms) -> Option<(Box<str>, RowVersion, Said)> {
        let found = self.0.iter().find(|(_, seen)| {
            let still = seen.last.saturating_sub(seen.since);
            match seen.version.state {
                NodeState::Live => still >= terms.surely_over(),
                NodeState::Silent => still >= SILENCE.max(terms.surely_over()),
                NodeState::Gone | NodeState::Left => false,
            }
        });
        found.map(|(name, seen)| (name.clone(), seen.version, seen.said.clone()))
    }

    /// All of them, as calls of their tasks are asked for.
    pub(super) fn peers(&self) -> BTreeMap<Box<str>, Peer> {
        let peer = |seen: &Seen| Peer {
            incarnation: seen.version.incarnation,
            is_over: matches!(seen.version.state, NodeState::Gone | NodeState::Left),
            address: seen.said.address.clone(),
        };
        self.0.iter().map(|(name, seen)| (name.clone(), peer(seen))).collect()
    }

    /// All of them, each with what is known of it and the number up to which it has applied the mark.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, NodeState, u64)> {
        self.0.iter().map(|(name, seen)| (&**name, seen.version.state, seen.said.applied.number))
    }
}
