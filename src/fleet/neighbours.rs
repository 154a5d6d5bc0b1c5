//! What a node has seen of the others: who stands still.

use std::collections::BTreeMap;
use std::time::Duration;

use super::keys::FleetKeys;
use super::row::{NodeRow, NodeState, RowVersion, Said};
use super::terms::Terms;
use crate::membership::Peer;
use crate::value::Digest;

/// For how long a silent node is waited for before it is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// How many rows that no member wrote are told apart: anyone who can write the store could make names without end.
const STRANGE: usize = 1024;

/// The rows of other nodes, as this one last saw them.
#[derive(Default)]
pub(super) struct Neighbours {
    seen: BTreeMap<Box<str>, Seen>,
    /// Digests of rows that no member wrote as they are.
    strange: BTreeMap<Box<str>, Digest>,
    /// What calls of their tasks are asked for by has changed.
    peers_changed: bool,
}

struct Seen {
    version: RowVersion,
    said: Said,
    /// When it was first and last seen like this, on this node's own clock.
    since: Duration,
    last: Duration,
}

impl Seen {
    fn peer(&self) -> Peer {
        Peer {
            incarnation: self.version.incarnation,
            is_over: matches!(self.version.state, NodeState::Gone | NodeState::Left),
            address: self.said.address.clone(),
        }
    }
}

impl Neighbours {
    /// What a row says, if it is a member's, and not older than one of the same life that was seen before: who can
    /// write the store could put an old row back.
    pub(super) fn look(&mut self, keys: &FleetKeys, row: &NodeRow, now: Duration) -> Option<Said> {
        let said = row.open(keys)?;
        let version = row.version();
        match self.seen.get_mut(&row.name) {
            Some(seen) if seen.version == version => seen.last = now,
            Some(seen)
                if seen.version.incarnation == version.incarnation
                    && seen.version.counter > version.counter =>
            {
                return None;
            }
            _ => {
                let seen = Seen { version, said: said.clone(), since: now, last: now };
                let peer = seen.peer();
                let before = self.seen.insert(row.name.clone(), seen);
                self.peers_changed |= before.is_none_or(|before| before.peer() != peer);
            }
        }
        Some(said)
    }

    /// Whether a row that is not known to be a member's was not seen so before.
    pub(super) fn is_strange_anew(&mut self, row: &NodeRow, is_known: bool) -> bool {
        if is_known {
            self.strange.remove(&row.name);
            return false;
        }
        let counter = row.counter.to_be_bytes();
        let digest = Digest::of(&[&row.incarnation[..], &counter, &row.bytes].concat());
        let before = self.strange.get(&row.name);
        if before == Some(&digest) || (before.is_none() && self.strange.len() >= STRANGE) {
            return false;
        }
        self.strange.insert(row.name.clone(), digest);
        true
    }

    /// Since when a row was seen as it is, and what it says.
    pub(super) fn since(&self, name: &str, version: &RowVersion) -> Option<(Duration, Said)> {
        let seen = self.seen.get(name).filter(|seen| seen.version == *version)?;
        Some((seen.since, seen.said.clone()))
    }

    /// Forgets what was seen of a node: it is looked at anew.
    pub(super) fn forget(&mut self, name: &str) {
        self.peers_changed |= self.seen.remove(name).is_some();
    }

    /// A node whose row has stood still for so long that it has no lease, or that it is given up.
    pub(super) fn to_mark(&self, terms: &Terms) -> Option<(Box<str>, RowVersion, Said)> {
        let found = self.seen.iter().find(|(_, seen)| {
            let still = seen.last.saturating_sub(seen.since);
            match seen.version.state {
                NodeState::Live => still >= terms.surely_over(),
                NodeState::Silent => still >= SILENCE.max(terms.surely_over()),
                NodeState::Gone | NodeState::Left => false,
            }
        });
        found.map(|(name, seen)| (name.clone(), seen.version, seen.said.clone()))
    }

    /// All of them, as calls of their tasks are asked for, if that has changed since it was asked last: of a thousand
    /// nodes, a renewal copies nothing.
    pub(super) fn take_peers(&mut self) -> Option<BTreeMap<Box<str>, Peer>> {
        let peers = || self.seen.iter().map(|(name, seen)| (name.clone(), seen.peer())).collect();
        std::mem::take(&mut self.peers_changed).then(peers)
    }

    /// All of them, each with what is known of it and the number up to which it has applied the mark.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, NodeState, u64)> {
        self.seen.iter().map(|(name, seen)| (&**name, seen.version.state, seen.said.applied.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::mark::Mark;
    use crate::key::SecretKey;

    /// Who can write the store could put an old row back, in which the node was over, or may say that it was silent.
    #[test]
    fn an_older_row_that_was_put_back_says_nothing() {
        let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        let keys = FleetKeys::of(&secret, "acme");
        let row = |incarnation, counter, state| {
            let version = RowVersion { incarnation: [incarnation; 16], counter, state };
            let (applied, address) = (Mark { number: counter, digest: [0; 32] }, "".into());
            NodeRow::seal(&keys, "n1", version, &Said { applied, running: Vec::new(), address })
        };
        let mut neighbours = Neighbours::default();
        let second = Duration::from_secs(1);
        let newer = row(1, 9, NodeState::Live);
        assert!(neighbours.look(&keys, &newer, second).is_some());
        let older = row(1, 8, NodeState::Silent);
        assert_eq!(neighbours.look(&keys, &older, 2 * second), None);
        let all: Vec<_> = neighbours.all().collect();
        assert_eq!(all, [("n1", NodeState::Live, 9)], "nor is anything forgotten for it");
        // Another life counts anew.
        assert!(neighbours.look(&keys, &row(2, 0, NodeState::Live), 3 * second).is_some());
        assert_eq!(neighbours.all().next(), Some(("n1", NodeState::Live, 0)));
    }
}
