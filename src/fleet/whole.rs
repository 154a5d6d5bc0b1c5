//! What there is at all nodes at once: each is asked by itself, and what is not heard is said.

use super::calls::{Inquirer, Link, Look, OwedThere, Seen, StandingThere, Transport, WaitingThere};
use super::handle::Fleet;
use super::operator::{Operator, OperatorError};
use super::row::{NodeRow, NodeState};
use super::store::StoreError;
use crate::random;

/// What nodes answered, and which did not. They are not of one moment: each answers for when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetWide<T> {
    /// The nodes that answered, by name, each with what there is at it.
    pub nodes: Vec<(Box<str>, T)>,
    /// The nodes that may have something and gave no answer: they are silent, answer no other node, were not reached, or
    /// no member wrote their rows. The answer is partial where there is one.
    pub not_heard: Vec<Box<str>>,
}

/// The name that an operator asks under, unless it is said: it needs no row, and is of no node.
const OPERATOR: &str = "operator";

impl Fleet {
    /// What stands at all nodes: as [`Broker::standing`](crate::Broker::standing) at each. It asks the store, and the nodes that are
    /// live, one after the other, over the node's [transport](super::FleetBuilder::transport), and waits for them.
    ///
    /// ```
    /// # use hallpass::fleet::{Fleet, MemoryStore};
    /// # use hallpass::key::SecretKey;
    /// # use hallpass::prelude::*;
    /// # let broker = Broker::new(Policy::builder().build()?)?;
    /// # let fleet = Fleet::builder("acme", "n1").join(&broker, &SecretKey::generate()?, MemoryStore::new())?;
    /// # while fleet.status().lease.is_none() {
    /// #     fleet.tend();
    /// # }
    /// let standing = fleet.standing()?;
    /// let (node, own) = &standing.nodes[0];
    /// assert_eq!((&**node, own.tasks.len(), standing.not_heard.len()), ("n1", 0, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`]: which nodes there are is not known.
    pub fn standing(&self) -> Result<FleetWide<StandingThere>, StoreError> {
        self.look(Look::Standing, |seen| match seen {
            Seen::Standing(own) => Some(own),
            _ => None,
        })
    }

    /// What waits for people at all nodes. A question is answered at its node: [`Reviews`](crate::Reviews) of another does not find it.
    ///
    /// # Errors
    /// As [`standing`](Fleet::standing).
    pub fn waiting(&self) -> Result<FleetWide<WaitingThere>, StoreError> {
        self.look(Look::Reviews, |seen| match seen {
            Seen::Reviews(own) => Some(own),
            _ => None,
        })
    }

    /// What is owed outside, at all nodes: as [`Broker::obligations`](crate::Broker::obligations) at each.
    ///
    /// # Errors
    /// As [`standing`](Fleet::standing).
    pub fn obligations(&self) -> Result<FleetWide<OwedThere>, StoreError> {
        self.look(Look::Obligations, |seen| match seen {
            Seen::Obligations(own) => Some(own),
            _ => None,
        })
    }

    fn look<T>(
        &self,
        look: Look,
        of: impl Fn(Seen) -> Option<T>,
    ) -> Result<FleetWide<T>, StoreError> {
        let inner = &self.inner;
        if inner.broker.is_in_child() {
            return Err(StoreError::new("this process was forked from the node's"));
        }
        let rows = inner.store.read(inner.status.lock().mark.number)?.rows;
        let own = inner.membership.peers.own();
        let inquirer = match (&inner.link, own) {
            (Link::Blocking(transport), Some(own)) => {
                Some(Inquirer::new(inner.asker.keys(), &inner.name, own, &**transport))
            }
            _ => None,
        };
        Ok(ask_all(
            &rows,
            |row, address| {
                let is_own = *row.name == *inner.name && own == Some(row.incarnation);
                let seen = match is_own {
                    true => Some(Seen::at(&inner.broker, look)),
                    false => inquirer.as_ref()?.ask((&row.name, row.incarnation), address, look),
                };
                of(seen?)
            },
            inner.asker.keys(),
        ))
    }
}

impl Operator {
    /// How nodes are asked what stands at them, and the name of who asks: where they are reached over mutual TLS, one that the
    /// certificate names and that no node has. `operator`, unless it is said.
    #[must_use]
    pub fn transport(
        mut self,
        transport: impl Transport + 'static,
        name: Option<&str>,
    ) -> Operator {
        let name = name.unwrap_or(OPERATOR).into();
        self.link = Some((std::sync::Arc::new(transport), name));
        self
    }

    /// What stands at all nodes: see [`Fleet::standing`]. Without a [transport](Operator::transport) none is heard.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn standing(&mut self) -> Result<FleetWide<StandingThere>, OperatorError> {
        self.ask(Look::Standing, |seen| match seen {
            Seen::Standing(own) => Some(own),
            _ => None,
        })
    }

    /// What waits for people at all nodes: see [`Fleet::waiting`].
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn waiting(&mut self) -> Result<FleetWide<WaitingThere>, OperatorError> {
        self.ask(Look::Reviews, |seen| match seen {
            Seen::Reviews(own) => Some(own),
            _ => None,
        })
    }

    /// What is owed outside, at all nodes: see [`Fleet::obligations`].
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn obligations(&mut self) -> Result<FleetWide<OwedThere>, OperatorError> {
        self.ask(Look::Obligations, |seen| match seen {
            Seen::Obligations(own) => Some(own),
            _ => None,
        })
    }

    fn ask<T>(
        &mut self,
        look: Look,
        of: impl Fn(Seen) -> Option<T>,
    ) -> Result<FleetWide<T>, OperatorError> {
        let rows = self.rows_now()?;
        let mut incarnation = [0; 16];
        random::fill(&mut incarnation)?;
        let inquirer = self
            .link
            .as_ref()
            .map(|(transport, name)| Inquirer::new(&self.keys, name, incarnation, &**transport));
        Ok(ask_all(
            &rows,
            |row, address| {
                of(inquirer.as_ref()?.ask((&row.name, row.incarnation), address, look)?)
            },
            &self.keys,
        ))
    }
}

/// Asks each node that may have something.
fn ask_all<T>(
    rows: &[NodeRow],
    ask: impl Fn(&NodeRow, &str) -> Option<T>,
    keys: &super::keys::FleetKeys,
) -> FleetWide<T> {
    let (mut nodes, mut not_heard) = (Vec::new(), Vec::new());
    for row in rows {
        let answer = match (row.open(keys), row.state) {
            // A member's word that it is over: nothing of its tasks is left.
            (Some(_), NodeState::Gone | NodeState::Left) => continue,
            (Some(said), NodeState::Live) => ask(row, &said.address),
            // One that is silent would be waited for in vain.
            (Some(_), NodeState::Silent) | (None, _) => None,
        };
        match answer {
            Some(answer) => nodes.push((row.name.clone(), answer)),
            None => not_heard.push(row.name.clone()),
        }
    }
    nodes.sort_by(|(one, _), (other, _)| one.cmp(other));
    not_heard.sort();
    FleetWide { nodes, not_heard }
}
