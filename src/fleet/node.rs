//! What drives a node: its store, its broker, and one thread at a time.

use std::sync::Arc;
use std::time::Duration;

use super::act::Act;
use super::agent::{Agent, Next, Owed, Stage};
use super::answers::Answer;
use super::apply::Node;
use super::calls::{Asker, Desk, Link};
use super::counting::Counting;
use super::row::NodeState;
use super::status::FleetStatus;
use super::store::{Store, StoreError};
use super::terms::Terms;
use crate::broker::Broker;
use crate::clock::Reading;
use crate::contained::contained;
use crate::membership::{Membership, OwedAct};
use crate::sync::Mutex;

/// How many questions to the store one call of [`Fleet::tend`](super::Fleet::tend) makes at most.
const STEPS: usize = 64;

/// After how long to look again where nothing can be done: another thread does it, or there is no clock.
const AGAIN: Duration = Duration::from_millis(20);

/// A node, as its handles share it.
pub(super) struct Inner {
    pub(super) broker: Broker,
    pub(super) membership: Arc<Membership>,
    pub(super) store: Arc<dyn Store>,
    /// What counts limits that span tasks.
    pub(super) counting: Arc<Counting>,
    /// How it reaches other nodes, what asks them, and what answers them.
    pub(super) link: Link,
    pub(super) asker: Arc<Asker>,
    pub(super) desk: Desk,
    pub(super) name: Box<str>,
    pub(super) terms: Terms,
    /// Held by the thread that drives the node, while the store is asked, too: no one else waits for it.
    pub(super) agent: Mutex<Agent>,
    /// What was asked for, until the next step takes it.
    pub(super) inbox: Mutex<Inbox>,
    /// As of the last step.
    pub(super) status: Mutex<FleetStatus>,
}

#[derive(Default)]
pub(super) struct Inbox {
    pub(super) owed: Vec<Owed>,
    pub(super) leave: bool,
}

impl Inner {
    pub(super) fn tend(&self) -> Duration {
        // Another thread does it.
        let Some(mut agent) = self.agent.try_lock() else { return AGAIN };
        let node = Node { broker: &self.broker, membership: &self.membership };
        for _ in 0..STEPS {
            let Some(asked) = self.reading() else { return AGAIN };
            self.take_inbox(&mut agent, &asked);
            match agent.next(&asked) {
                Next::Rest(rest) => {
                    *self.status.lock() = agent.status();
                    self.desk.sweep();
                    return rest;
                }
                Next::Ask(ask) => {
                    let mut reply = Err(StoreError::new("panicked"));
                    contained(|| reply = ask.of(&*self.store));
                    // Without a clock nothing that was answered can be dated.
                    let Some(now) = self.reading() else { return AGAIN };
                    agent.answer(reply, &Answer { asked, now, target: &node });
                    let own = agent.row.map(|row| row.incarnation);
                    self.membership.peers.set(own, agent.neighbours.take_peers());
                    let before = std::mem::replace(&mut *self.status.lock(), agent.status());
                    #[cfg(feature = "tracing")]
                    super::traced::tell(&before, &agent.status());
                    drop(before);
                }
            }
        }
        Duration::from_millis(1)
    }

    /// In the child of a fork there is none: the node is its parent's.
    fn reading(&self) -> Option<Reading> {
        self.broker.reading().ok()
    }

    /// Asks something of the fleet, after everything that was stopped at this broker before.
    pub(super) fn owe(&self, owed: Owed) {
        let mut inbox = self.inbox.lock();
        self.take_stopped(&mut inbox);
        inbox.owed.push(owed);
    }

    /// Takes over what was stopped at this broker alone, behind what was asked of the fleet by then: a halt after a
    /// resume is numbered after it, no matter who asked for which.
    fn take_stopped(&self, inbox: &mut Inbox) {
        for owed in self.membership.take_owed() {
            let act = match owed {
                OwedAct::Halt { what, until } => Act::Halt {
                    what: what.to_string().into(),
                    until: until.map(|until| until.unix_millis()),
                },
                OwedAct::RevokeIdentity(id) => Act::RevokeIdentity { id },
                OwedAct::RevokeTool(name) => Act::RevokeTool { name },
            };
            inbox.owed.push(Owed::new(act, Some(0)));
        }
    }

    /// Takes over what is to be told, in the order in which it was asked for.
    fn take_inbox(&self, agent: &mut Agent, now: &Reading) {
        let mut inbox = self.inbox.lock();
        self.take_stopped(&mut inbox);
        agent.owed.extend(inbox.owed.drain(..));
        agent.hear(self.membership.take_heard(), now.monotonic);
        if self.membership.peers.take_wanted() {
            agent.want_rows();
        }
        if std::mem::take(&mut inbox.leave) {
            drop(inbox);
            agent.leave();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.membership.lease.close();
    }
}

impl Agent {
    pub(super) fn status(&self) -> FleetStatus {
        let others = self.neighbours.all();
        FleetStatus {
            node: self.name.clone(),
            state: match self.stage {
                Stage::Over(state) => Some(state),
                Stage::In | Stage::Leaving => Some(NodeState::Live),
                Stage::Looking | Stage::Watching { .. } | Stage::Entering { .. } => None,
            },
            lease: None,
            mark: self.applied,
            epoch: self.epoch,
            owed: self.owed.len(),
            trouble: self.trouble.clone(),
            renewals: self.renewals,
            others: others.map(|(name, state, number)| (name.into(), state, number)).collect(),
        }
    }
}
