//! The row of a node: what it says of itself, and what others found of it.

use super::keys::FleetKeys;
use super::mark::Mark;

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// It may have a lease.
    Live,
    /// Its counter stood still for longer than a lease can last: it has none, and acts don't wait for it. It may come
    /// back.
    Silent,
    /// It was given up: it never comes back under this incarnation.
    Gone,
    /// It left.
    Left,
}

impl NodeState {
    /// The word for it, as a store may keep it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NodeState::Live => "live",
            NodeState::Silent => "silent",
            NodeState::Gone => "gone",
            NodeState::Left => "left",
        }
    }

    /// The state of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<NodeState> {
        let all = [NodeState::Live, NodeState::Silent, NodeState::Gone, NodeState::Left];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

/// The row of a node, as a [`Store`](super::Store) keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// The node's name: one row for each.
    pub name: Box<str>,
    /// Which of its lives.
    pub incarnation: [u8; 16],
    /// Raised by every renewal.
    pub counter: u64,
    /// What is known of it.
    pub state: NodeState,
    /// What it has applied, and a tag.
    pub bytes: Box<[u8]>,
}

/// Which row exactly a write replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowVersion {
    /// Its incarnation.
    pub incarnation: [u8; 16],
    /// Its counter.
    pub counter: u64,
    /// Its state.
    pub state: NodeState,
}

/// What a row says, once it is known to be a member's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Up to where the node has applied the mark.
    pub(super) applied: Mark,
    /// Of its latest acts: how many calls were running that each stops.
    pub(super) running: Vec<(u64, u32)>,
    /// Where it answers other nodes, if it does: at most 255 bytes.
    pub(super) address: Box<str>,
}

const TAG: usize = 32;

impl NodeRow {
    /// Which row this is.
    #[must_use]
    pub fn version(&self) -> RowVersion {
        RowVersion { incarnation: self.incarnation, counter: self.counter, state: self.state }
    }

    pub(super) fn seal(keys: &FleetKeys, name: &str, version: RowVersion, said: &Said) -> NodeRow {
        let address = said.address.as_bytes();
        let mut bytes = Vec::with_capacity(41 + address.len() + said.running.len() * 12 + TAG);
        bytes.extend_from_slice(&said.applied.number.to_be_bytes());
        bytes.extend_from_slice(&said.applied.digest);
        // Bounded where the node is built.
        bytes.push(u8::try_from(address.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(address);
        for (number, running) in &said.running {
            bytes.extend_from_slice(&number.to_be_bytes());
            bytes.extend_from_slice(&running.to_be_bytes());
        }
        let tag = keys.node.sign(&message(name, &version, &bytes));
        bytes.extend_from_slice(&tag);
        let RowVersion { incarnation, counter, state } = version;
        NodeRow { name: name.into(), incarnation, counter, state, bytes: bytes.into() }
    }

    /// What it says, if a member wrote it.
    pub(super) fn open(&self, keys: &FleetKeys) -> Option<Said> {
        let (said, tag) = self.bytes.split_last_chunk::<TAG>()?;
        if !keys.node.verify(&message(&self.name, &self.version(), said), tag) {
            return None;
        }
        let (number, rest) = said.split_first_chunk::<8>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first()?;
        let (address, rest) = rest.split_at_checked(usize::from(*length))?;
        let (pairs, []) = rest.as_chunks::<12>() else { return None };
        let pair = |pair: &[u8; 12]| {
            let (number, running) = pair.split_first_chunk::<8>()?;
            Some((u64::from_be_bytes(*number), u32::from_be_bytes(running.try_into().ok()?)))
        };
        Some(Said {
            applied: Mark { number: u64::from_be_bytes(*number), digest: *digest },
            address: std::str::from_utf8(address).ok()?.into(),
            running: pairs.iter().map(pair).collect::<Option<_>>()?,
        })
    }
}

/// What the tag is over: state and counter, too, or a node could be said to be silent that is not.
fn message(name: &str, version: &RowVersion, said: &[u8]) -> Vec<u8> {
    // A name is at most 64 bytes long.
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let (state, counter) = (version.state.as_str().as_bytes(), version.counter.to_be_bytes());
    let state_length = u8::try_from(state.len()).unwrap_or(u8::MAX);
    [&[length][..], name.as_bytes(), &version.incarnation, &counter, &[state_length], state, said]
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    #[test]
    fn a_row_says_something_only_as_a_member_wrote_it() {
        let secret: Vec<u8> = (0..32).collect();
        let keys = FleetKeys::of(&SecretKey::from_bytes(&secret).unwrap(), "acme");
        let applied = Mark { number: 7, digest: [9; 32] };
        let (running, address) = (vec![(6, 1), (7, 0)], "10.0.0.1:7000".into());
        let said = Said { applied, running, address };
        let version = RowVersion { incarnation: [3; 16], counter: 5, state: NodeState::Live };
        let row = NodeRow::seal(&keys, "n1", version, &said);
        assert_eq!(row.open(&keys), Some(said));
        for at in 0..row.bytes.len() {
            let mut changed = row.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(changed.open(&keys), None, "byte {at}");
        }
        let changed = [
            NodeRow { name: "n2".into(), ..row.clone() },
            NodeRow { incarnation: [4; 16], ..row.clone() },
            NodeRow { counter: 6, ..row.clone() },
            NodeRow { state: NodeState::Silent, ..row.clone() },
            NodeRow { bytes: row.bytes[..31].into(), ..row.clone() },
        ];
        assert!(changed.iter().all(|row| row.open(&keys).is_none()));
    }

    #[test]
    fn every_state_has_a_word() {
        for state in [NodeState::Live, NodeState::Silent, NodeState::Gone, NodeState::Left] {
            assert_eq!(NodeState::from_word(state.as_str()), Some(state));
        }
        assert_eq!(NodeState::from_word("lively"), None);
    }
}
