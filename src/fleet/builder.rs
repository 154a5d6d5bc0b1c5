//! Joining a fleet.

use std::time::Duration;

use super::mark::Mark;
use super::name::NameError;
use super::terms::Terms;

/// What a node of a fleet is built from: see [`Fleet::builder`](super::Fleet::builder).
#[must_use = "a builder does nothing until `join` is called"]
pub struct FleetBuilder {
    pub(super) fleet: Box<str>,
    pub(super) node: Box<str>,
    pub(super) terms: Terms,
    pub(super) past: Option<Mark>,
}

/// Why a broker does not become a node of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// Of the fleet, or of the node.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The length of leases, or the drift of clocks.
    #[error("`{0}` is out of range, expected {1}")]
    Setting(&'static str, &'static str),
    /// A broker is a node once.
    #[error("the broker is or was a node of a fleet: build another")]
    Joined,
}

impl FleetBuilder {
    pub(super) fn new(fleet: &str, node: &str) -> Self {
        let (fleet, node) = (fleet.into(), node.into());
        FleetBuilder { fleet, node, terms: Terms::DEFAULT, past: None }
    }

    /// How long a lease is: 200 milliseconds to a minute, the same at every node. Default two seconds. It is for how
    /// long the store may be away before nodes stop giving access, and an act waits about that long for a node that
    /// is dead or cut off.
    pub fn lease(mut self, length: Duration) -> Self {
        self.terms.lease = length;
        self
    }

    /// By how many parts in a hundred the clock of one node may run faster than that of another: 1 to 50, the same at
    /// every node. Default ten: daemons that keep the time slew a clock by eight.
    pub fn drift(mut self, percent: u32) -> Self {
        self.terms.drift = percent;
        self
    }

    /// A place that the fleet's mark has passed, as an operator or a live node says it ([`Fleet::mark`](super::Fleet::mark)): a node that
    /// finds another past, or less, gives nothing. Without it, a store that was restored from a backup, or rolled back
    /// by who can write it, shows to those nodes alone that were there before.
    pub fn past(mut self, mark: Mark) -> Self {
        self.past = Some(mark);
        self
    }
}

impl std::fmt::Debug for FleetBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetBuilder")
            .field("fleet", &self.fleet)
            .field("node", &self.node)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}
