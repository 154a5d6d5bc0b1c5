//! Draining: a node leaves in order, so that what is at home there comes to its end first.

use std::time::Duration;

use super::handle::Fleet;
use super::row::NodeState;
use crate::broker::Ended;
use crate::sync::Deadline;

/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What a node left behind that has drained.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Drained {
    /// The tasks that were open when the time for them was over, and were ended; and which calls were running by then.
    pub ended: Ended,
    /// How many calls were running still when the time for them was over: they go on without authority.
    pub running: usize,
    /// How many [obligations](crate::Broker::obligations) are owed still: they stay with this process and its log.
    pub obligations: usize,
    /// Whether the store knows that the node has left: no act waits for it.
    pub has_left: bool,
}

impl Fleet {
    /// Leaves in order: opens no task and gives no leave from now on (`draining`), waits for open tasks, for `tasks` at the longest,
    /// ends the rest, waits for calls that are running, for `calls` at the longest, withdraws the credentials that are due,
    /// stops giving access, and then has the store know it, within a lease.
    ///
    /// Meanwhile tasks that are open go on: they are granted more, call, and end. A node can't take it back; it joins anew with
    /// another broker. It drives the node as far as no other thread does.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use hallpass::fleet::{Fleet, MemoryStore};
    /// # use hallpass::key::SecretKey;
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// # let fleet = Fleet::builder("acme", "n1").join(&broker, &SecretKey::generate()?, MemoryStore::new())?;
    /// # while fleet.status().lease.is_none() {
    /// #     fleet.tend();
    /// # }
    /// let agent = broker.assert_identity("agent-7")?;
    /// let task = broker.open(&agent, Purpose::new("report"))?;
    /// let drained = fleet.drain(Duration::ZERO, Duration::from_secs(5));
    /// assert_eq!((drained.ended.count(), drained.running, drained.has_left), (1, 0, true));
    /// assert!(broker.open(&agent, Purpose::new("report")).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drain(&self, tasks: Duration, calls: Duration) -> Drained {
        let (broker, membership) = (&self.inner.broker, &self.inner.membership);
        if broker.is_in_child() {
            let (ended, obligations) = (Ended::default(), 0);
            return Drained { ended, running: 0, obligations, has_left: false };
        }
        membership.begin_drain();
        self.wait_until(tasks, || broker.open_tasks() == 0);
        let ended = broker.end_all_tasks();
        self.wait_until(calls, || broker.running_calls() == 0);
        let running = broker.running_calls();
        // What a provider does not take now is told to the host: it is in this node's log alone.
        let _ = broker.tend(calls);
        self.give_back();
        self.leave();
        let terms = self.inner.terms;
        let left = || self.status().state == Some(NodeState::Left);
        self.wait_until(terms.surely_over(), left);
        let obligations = broker.obligations().len();
        Drained { ended, running, obligations, has_left: left() }
    }

    /// Drives the node until this holds, for so long at the most.
    fn wait_until(&self, most: Duration, holds: impl Fn() -> bool) {
        let deadline = Deadline::after(most);
        while !holds() && !deadline.is_over() {
            let rest = self.tend();
            if holds() {
                return;
            }
            self.inner.membership.drain_bell.wait(rest.min(LOOK).min(deadline.left()));
        }
    }
}
