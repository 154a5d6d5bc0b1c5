//! Joining a fleet.

use std::sync::Arc;
use std::time::Duration;

use super::calls::{AsyncTransport, Link, Transport, Vouched};
use super::mark::Mark;
use super::terms::Terms;

/// What a node of a fleet is built from: see [`Fleet::builder`](super::Fleet::builder).
#[must_use = "a builder does nothing until `join` is called"]
pub struct FleetBuilder {
    pub(super) fleet: Box<str>,
    pub(super) node: Box<str>,
    pub(super) terms: Terms,
    pub(super) past: Option<Mark>,
    pub(super) address: Box<str>,
    pub(super) vouched: Vouched,
    pub(super) link: Link,
}

impl FleetBuilder {
    pub(super) fn new(fleet: &str, node: &str) -> Self {
        let (fleet, node) = (fleet.into(), node.into());
        let (address, vouched) = ("".into(), Vouched::default());
        let (terms, past, link) = (Terms::DEFAULT, None, Link::None);
        FleetBuilder { fleet, node, terms, past, address, vouched, link }
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

    /// Where this node answers others, as their transport understands it, in 1 to 255 bytes: what arrives there goes
    /// to [`Fleet::answer`](super::Fleet::answer). It stands in the node's row. The broker's
    /// [issuer](crate::BrokerBuilder::issuer) has to be `FLEET/NODE`, and all nodes have the same ring of keys and the
    /// same audience: that is how a token says where its task is at home. Without it, a token of this node is good here
    /// alone.
    pub fn answers_at(mut self, address: &str) -> Self {
        self.address = address.into();
        self
    }

    /// Lets another node attest these subjects here: one, or all that begin with what stands before a `*` at the end.
    /// All names of a caller have to be among them, its aliases and those that it acts for, too. Without it, no node
    /// attests anybody, and calls of no other node are taken.
    pub fn vouched_by(mut self, node: &str, subjects: &str) -> Self {
        self.vouched.add(node, subjects);
        self
    }

    /// How this node asks others.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.link = Link::Blocking(Arc::new(transport));
        self
    }

    /// How this node asks others, if it is asynchronous.
    pub fn async_transport(mut self, transport: impl AsyncTransport + 'static) -> Self {
        self.link = Link::Async(Arc::new(transport));
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
