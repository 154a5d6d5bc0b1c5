//! Restating: what is attested of a subject changes, and what hangs from it ends.

use std::collections::VecDeque;

use super::control::Control;
use super::drift_scan::DriftScan;
use crate::audit::Event;
use crate::identity::{Assertion, Identity, IdentityError};

impl Control {
    /// States anew what is attested of a subject: its groups and attributes (risk, posture, `suspended`),
    /// all of them. From when this returns, every identity of the subject, and every one that has it for an
    /// alias, is seen so by all rules, whichever handle attested it and whenever. What an identity is
    /// itself (kind, aliases, whom it acts for, until when it is good) stays as attested, so an assertion
    /// that states aliases, a chain or an end is refused; its kind is not looked at.
    ///
    /// Permits that were handed out to those concerned no longer start: authorize again. Live grants that
    /// today's permits would not give to them any more end as drifted, by the same scan as
    /// [a reload's](crate::Broker::reload): one that is used before the scan comes to it is checked first.
    ///
    /// This states facts as an attestor does: groups that it adds may give what they did not have.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use hallpass::scope::below;
    /// # let rule = Rule::permit("read").tool("read").any_args().who_attr("risk", below(50));
    /// # let broker = Broker::new(Policy::builder().rule(rule).build()?)?;
    /// let agent = broker.assert_identity(Assertion::agent("agent-7").attr("risk", 10))?;
    /// let task = broker.open(&agent, Purpose::new("report"))?;
    /// let grant = task.request(Scope::tool("read").any_args(), &Context::new())?;
    ///
    /// // A device fails its check: between two calls, access is gone.
    /// let drift = broker.control().restate(Assertion::agent("agent-7").attr("risk", 90))?.finish();
    /// assert_eq!(drift.grants[0].id, grant.id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`IdentityError`] names the field that is not well formed, or can't be restated; and at a node of a fleet, where
    /// `Fleet::restate` does it for all. Nothing changes then.
    pub fn restate(&self, facts: impl Into<Assertion>) -> Result<DriftScan, IdentityError> {
        let facts = facts.into();
        if self.shared.member.is_in_fleet() {
            return Err(IdentityError::of_one_node());
        }
        self.restate_here(facts)
    }

    /// As [`restate`](Self::restate), at this broker alone.
    pub(crate) fn restate_here(&self, facts: Assertion) -> Result<DriftScan, IdentityError> {
        let facts = facts.folded(self.shared.fold).restate(self.shared.id)?;
        let subject = facts.subject().as_str().to_owned();
        Ok(self.put_in_force(&subject, Some(&facts)))
    }

    /// Takes back what was [restated](Control::restate) of a subject: its identities are seen as they were
    /// attested from then on. Nothing if it was not restated, and at a node of a fleet.
    pub fn unrestate(&self, subject: &str) -> Option<DriftScan> {
        if self.shared.member.is_in_fleet() { None } else { self.unrestate_here(subject) }
    }

    /// As [`unrestate`](Self::unrestate), at this broker alone.
    pub(crate) fn unrestate_here(&self, subject: &str) -> Option<DriftScan> {
        if self.shared.is_forked() {
            return None;
        }
        let subject = self.shared.fold.name(subject);
        let restated = self.shared.current().restated.has(&subject);
        restated.then(|| self.put_in_force(&subject, None))
    }

    fn put_in_force(&self, subject: &str, facts: Option<&Identity>) -> DriftScan {
        let shared = &self.shared;
        if shared.is_forked() {
            // Nothing is decided there, by these facts or others.
            return DriftScan::new(shared.clone(), 0, VecDeque::new());
        }
        let epoch = shared.current.change(|current| {
            *current = current.restating(subject, facts);
            let event = Event::Restated {
                who: subject.into(),
                groups: facts.map(|facts| facts.groups().map(Into::into).collect()),
                attributes: facts.map(|facts| facts.attributes().keys().map(Into::into).collect()),
            };
            // The place in the sequence is taken before anyone can be decided about by it.
            shared.record(shared.keeper.latest(), &event);
            current.epoch
        });
        // Groups and attributes say who may answer.
        shared.announce_others();
        shared.watchers.wake_due();
        shared.write_through();
        DriftScan::new(shared.clone(), epoch, shared.table.tasks().into())
    }
}
