//! The handle of a node: acts for all nodes, and what drives this one.

use std::sync::Arc;
use std::time::Duration;

use super::act::{Act, Facts};
use super::acting::Acting;
use super::agent::{Agent, Owed, Random};
use super::apply::running;
use super::builder::FleetBuilder;
use super::calls::{Asker, Desk};
use super::counting::Counting;
use super::entry::MAX_BODY;
use super::error::FleetError;
use super::keys::FleetKeys;
use super::mark::Mark;
use super::news::news_for;
use super::node::{Inbox, Inner};
use super::refused::Refused;
use super::status::FleetStatus;
use super::store::Store;
use crate::broker::{Broker, Ended, HaltError};
use crate::identity::Assertion;
use crate::membership::Membership;
use crate::policy::Policy;
use crate::random;
use crate::sync::Mutex;
use crate::task::Halt;

/// A node of a fleet: what operators stop, let go on and reload at all nodes, and what drives this one.
///
/// Cloning it shares it. When the last clone is dropped, the node has no lease any more, and its broker gives nothing.
/// See the [module](super) for an example.
#[derive(Clone)]
pub struct Fleet {
    pub(super) inner: Arc<Inner>,
}

impl Fleet {
    /// Starts making a broker the node of this name, in the fleet of that name. Names are 1 to 64 of `a-z`, `0-9`,
    /// `.`, `_` and `-`; a node's name is its own, and the same after a restart.
    pub fn builder(fleet: &str, node: &str) -> FleetBuilder {
        FleetBuilder::new(fleet, node)
    }

    pub(super) fn new(
        broker: &Broker,
        keys: Arc<FleetKeys>,
        fleet: &str,
        node: Box<str>,
        built: FleetBuilder,
        store: Arc<dyn Store>,
    ) -> Result<Fleet, FleetError> {
        let FleetBuilder { terms, past, address, vouched, link, .. } = built;
        let longest_leave = terms.leave_surely_over(terms.longest_leave());
        let startable = broker.permit_ttl().saturating_add(longest_leave);
        let counting =
            Arc::new(Counting::new(store.clone(), keys.clone(), terms.lease / 2, startable));
        let membership =
            Arc::new(Membership::new(fleet, terms.lease, longest_leave, counting.clone()));
        if !broker.join_fleet(membership.clone()) {
            return Err(FleetError::Joined);
        }
        membership.keep_found(broker.control().halts());
        store.on_news(news_for(Arc::downgrade(&membership)));
        let random: Random = Box::new(random::fill);
        let asker = Asker::new(keys.clone(), node.clone(), broker, membership.clone());
        let desk =
            Desk::new(keys.clone(), node.clone(), terms, broker, membership.clone(), vouched);
        let agent = Agent::new(keys, node.clone(), address, terms, past, random);
        let inner = Inner {
            broker: broker.clone(),
            membership,
            store,
            counting,
            link,
            asker: Arc::new(asker),
            desk,
            name: node.clone(),
            terms,
            status: Mutex::new(agent.status()),
            agent: Mutex::new(agent),
            inbox: Mutex::new(Inbox::default()),
        };
        Ok(Fleet { inner: Arc::new(inner) })
    }

    /// Does what is due: renews the lease, applies what is new, tells what is owed, looks who has applied what. Gives
    /// after how long it has to be called again; sooner does no harm.
    ///
    /// It asks the store, and waits for it. One thread at a time does; for another there is nothing to do. A node that
    /// is not driven has no lease once the last one is over.
    pub fn tend(&self) -> Duration {
        self.inner.tend()
    }

    /// Stops, at every node, what a halt of [`Control::halt`](crate::Control::halt) stops: at this one before it
    /// returns, at all once the act is [done](Acting::wait).
    pub fn halt(&self, what: Halt) -> Acting {
        let what = what.folded(self.inner.broker.fold());
        if !self.inner.broker.is_in_child() {
            self.inner.membership.begin_halt(&what);
        }
        let here = self.inner.broker.control().halt_here(what.clone());
        self.act(Act::Halt { what: what.to_string().into(), until: None }, Some(here))
    }

    /// Lets go on what was halted, at every node. Nothing goes on before the act has its number, here neither.
    pub fn resume(&self, what: &Halt) -> Acting {
        let what = what.clone().folded(self.inner.broker.fold());
        self.act(Act::Resume { what: what.to_string().into() }, None)
    }

    /// Puts another policy in force at every node, if the [epoch](Fleet::epoch) in force is `replaces`: else the act
    /// is a [conflict](super::ActError::Conflict). The text is TOML, of at most eight megabytes as it is written in JSON. The number of the act
    /// is the new epoch.
    ///
    /// Before the first reload the epoch is 0, and each node has the policy that its broker was built with.
    ///
    /// # Errors
    /// [`Refused`] of a policy that does not load, or can't be in force here.
    pub fn reload(&self, policy: &str, replaces: u64) -> Result<Acting, Refused> {
        let loaded = Policy::from_toml(policy)?;
        self.inner.broker.check_policy(&loaded)?;
        let digest = loaded.digest().to_string().into();
        let act = Act::Reload { replaces, digest, policy: policy.into() };
        match act.encode() {
            Ok(body) if body.len() <= MAX_BODY => Ok(self.act(act, None)),
            _ => Err(Refused::TooLong),
        }
    }

    /// Ends, at every node, what [`Control::revoke_identity`](crate::Control::revoke_identity) ends: what each holds
    /// when it applies it. To keep the identity out, halt it first.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no identity can be known by.
    pub fn revoke_identity(&self, id: &str) -> Result<Acting, HaltError> {
        let here = self.inner.broker.control().revoke_identity_here(id)?;
        Ok(self.act(Act::RevokeIdentity { id: id.into() }, Some(here)))
    }

    /// Ends, at every node, what [`Control::revoke_tool`](crate::Control::revoke_tool) ends.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no tool can have.
    pub fn revoke_tool(&self, name: &str) -> Result<Acting, HaltError> {
        let here = self.inner.broker.control().revoke_tool_here(name)?;
        Ok(self.act(Act::RevokeTool { name: name.into() }, Some(here)))
    }

    /// Ends a task of another node, by its name there, as [`Control::revoke_task`](crate::Control::revoke_task) does
    /// at its own.
    ///
    /// # Errors
    /// [`HaltError`] of a name that no task can have.
    pub fn end_task(&self, node: &str, task: &str) -> Result<Acting, HaltError> {
        Halt::task(task)?;
        let here = match node == &*self.inner.name {
            true => Some(self.inner.broker.control().revoke_task(task)?),
            false => None,
        };
        Ok(self.act(Act::EndTask { node: node.into(), task: task.into() }, here))
    }

    /// States anew, at every node, what is attested of a subject: see [`Control::restate`](crate::Control::restate).
    ///
    /// # Errors
    /// [`IdentityError`](crate::identity::IdentityError) as there.
    pub fn restate(
        &self,
        facts: impl Into<Assertion>,
    ) -> Result<Acting, crate::identity::IdentityError> {
        let stated = facts.into().folded(self.inner.broker.fold()).restate(0)?;
        let subject = stated.subject().as_str().into();
        let groups = stated.groups().map(Into::into).collect();
        let facts = Facts { groups, attributes: stated.attributes().clone() };
        Ok(self.act(Act::Restate { subject, facts: Some(facts) }, None))
    }

    /// Takes back, at every node, what was [restated](Fleet::restate) of a subject.
    pub fn unrestate(&self, subject: &str) -> Acting {
        let subject = self.inner.broker.fold().name(subject).into();
        self.act(Act::Restate { subject, facts: None }, None)
    }

    /// Gives back what calls were charged of limits that nodes count together, and did not use; how much is left, which
    /// is told the next time. It asks the store, and waits for it. The next charge of the same counter tells it too, and
    /// a [`Tending`](super::Tending) does so by itself; what was not told when the process ends stays spent.
    pub fn give_back(&self) -> usize {
        if self.inner.broker.is_in_child() { 0 } else { self.inner.counting.give_back() }
    }

    /// The node stops giving access at once, and tells the store so that no act waits for it, after what was stopped here
    /// and the others don't know yet. Its broker never gives anything again; [drain](Fleet::drain) it to have what is open come to its end before, and drive it until its
    /// [status](Fleet::status) says that it has left.
    pub fn leave(&self) {
        self.inner.membership.lease.close();
        if self.inner.broker.is_in_child() {
            return;
        }
        self.inner.inbox.lock().leave = true;
        self.inner.membership.bell.ring();
    }

    /// Up to where this node has applied the fleet's mark: what a node that joins may be given as its
    /// [past](FleetBuilder::past).
    pub fn mark(&self) -> Mark {
        self.inner.status.lock().mark
    }

    /// The epoch in force here: the number of the last reload that was applied, 0 before the first.
    pub fn epoch(&self) -> u64 {
        self.inner.status.lock().epoch
    }

    /// What the node last knew of itself and the others.
    pub fn status(&self) -> FleetStatus {
        let mut status = self.inner.status.lock().clone();
        if let Ok(at) = self.inner.broker.reading() {
            status.lease = self.inner.membership.lease.left(&at);
        }
        status
    }

    fn act(&self, act: Act, here: Option<Ended>) -> Acting {
        let owed = Owed::new(act, here.as_ref().map(running));
        let progress = owed.progress.clone();
        // In the child of a fork, the node is its parent's, and any lock may be held for good.
        if !self.inner.broker.is_in_child() {
            self.inner.owe(owed);
            self.inner.membership.bell.ring();
        }
        Acting::new(self.inner.clone(), progress, here.unwrap_or_default())
    }
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").field("status", &self.status()).finish_non_exhaustive()
    }
}
