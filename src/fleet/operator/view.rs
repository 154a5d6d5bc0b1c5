//! What an operator sees of a fleet.

use super::Operator;
use crate::fleet::mark::Mark;
use crate::fleet::row::NodeState;
use crate::fleet::store::Snapshot;

/// A fleet, as its store shows it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetView {
    /// The newest place in the mark.
    pub mark: Mark,
    /// The number of the reload in force; 0 before the first.
    pub epoch: u64,
    /// What is halted by entries of the mark, as records write halts. Nodes may have halted more, each by itself.
    pub halts: Vec<Box<str>>,
    /// The nodes, by name.
    pub nodes: Vec<NodeView>,
}

/// A node, as its row shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeView {
    /// Its name.
    pub name: Box<str>,
    /// Which of its lives.
    pub incarnation: [u8; 16],
    /// Raised by every renewal.
    pub counter: u64,
    /// What the fleet knows of it.
    pub state: NodeState,
    /// What it said of itself; nothing where no member wrote the row as it is.
    pub said: Option<NodeSaid>,
}

/// What a node says in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeSaid {
    /// Up to where it has applied the mark. An act that is newer waits for it while it is live.
    pub applied: Mark,
    /// Where it answers other nodes; empty if it does not.
    pub address: Box<str>,
}

impl FleetView {
    pub(super) fn of(operator: &Operator, snapshot: &Snapshot) -> FleetView {
        let node = |row: &crate::fleet::NodeRow| NodeView {
            name: row.name.clone(),
            incarnation: row.incarnation,
            counter: row.counter,
            state: row.state,
            said: row
                .open(&operator.keys)
                .map(|said| NodeSaid { applied: said.applied, address: said.address }),
        };
        let mut nodes: Vec<NodeView> = snapshot.rows.iter().map(node).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        FleetView {
            mark: operator.mark,
            epoch: operator.epoch,
            halts: operator.halts.iter().cloned().collect(),
            nodes,
        }
    }
}
