//! What a node knows, for operators.

use std::time::Duration;

use super::mark::Mark;
use super::row::NodeState;

/// How renewing a node's lease goes, since it joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renewals {
    /// How many gave a lease.
    pub given: u64,
    /// How many had no answer of the store's.
    pub missed: u64,
    /// How long the store took for the last one that gave a lease.
    pub took: Option<Duration>,
}

/// What a node knows of itself and of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetStatus {
    /// The node's name.
    pub node: Box<str>,
    /// What the fleet knows of it; nothing while it joins.
    pub state: Option<NodeState>,
    /// For how long its lease is good if it is not renewed; nothing if it has none, and so gives nothing.
    pub lease: Option<Duration>,
    /// Up to where it has applied the mark.
    pub mark: Mark,
    /// The epoch of its policy.
    pub epoch: u64,
    /// How many acts of its own the store is not known to have.
    pub owed: usize,
    /// Why it gives nothing though the store answers: an entry that it does not understand, a policy that it can't
    /// load, a store that is not the one it was.
    pub trouble: Option<Box<str>>,
    /// How renewing its lease goes.
    pub renewals: Renewals,
    /// The other nodes as they were last looked at, which is while an act of this node's waits: each with its state
    /// and the number up to which it had applied the mark.
    pub others: Vec<(Box<str>, NodeState, u64)>,
}
