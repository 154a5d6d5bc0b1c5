//! Applying acts to a node's broker.

use super::act::{Act, Facts};
use super::agent::Applies;
use crate::broker::{Broker, Ended};
use crate::clock::{Reading, Timestamp};
use crate::identity::Assertion;
use crate::membership::Membership;
use crate::policy::Policy;
use crate::task::Halt;

/// A node's broker, and what it knows of its lease.
pub(super) struct Node<'n> {
    pub(super) broker: &'n Broker,
    pub(super) membership: &'n Membership,
}

impl Applies for Node<'_> {
    fn apply(&self, act: &Act, number: u64) -> Result<u32, Box<str>> {
        let control = self.broker.control();
        let ended = match act {
            Act::Halt { what, until } => {
                let what = self.halt(what)?;
                match until.map(Timestamp::from_unix_millis) {
                    // Until when is past all time: for good.
                    None | Some(None) => control.halt_here(what),
                    Some(Some(until)) => self.broker.halt_until_here(what, until),
                }
            }
            Act::Resume { what } => {
                // A halt of this node's that has no number yet comes after this, and one of before it joined may.
                control.resume_here(&self.halt(what)?, |what| self.membership.is_halting(what));
                return Ok(0);
            }
            Act::Reload { digest, policy, .. } => {
                let policy = Policy::from_toml(policy).map_err(text)?;
                if policy.digest().to_string() != **digest {
                    return Err("the policy means something else in this version".into());
                }
                let drift = self.broker.reload_here(&policy, Some(number)).map_err(text)?;
                // What it ends, it has ended by now.
                let _ = drift.finish();
                return Ok(0);
            }
            Act::HaltAndRevoke { what } => {
                let what = self.halt(what)?;
                control.halt_here(what.clone());
                match &what {
                    Halt::Identity { id } => control.revoke_identity_here(id).map_err(text)?,
                    Halt::Tool { name } => control.revoke_tool_here(name).map_err(text)?,
                    Halt::Everything | Halt::Task { .. } => {
                        return Err("revokes what is neither an identity nor a tool".into());
                    }
                }
            }
            // What it is to this node, the node itself has seen to.
            Act::RemoveNode { .. } => return Ok(0),
            Act::RevokeIdentity { id } => control.revoke_identity_here(id).map_err(text)?,
            Act::RevokeTool { name } => control.revoke_tool_here(name).map_err(text)?,
            Act::EndTask { task, .. } => control.revoke_task_here(task).map_err(text)?,
            Act::Restate { subject, facts } => {
                let drift = match facts {
                    Some(facts) => {
                        Some(control.restate_here(assertion(subject, facts)).map_err(text)?)
                    }
                    None => control.unrestate_here(subject),
                };
                drift.map(crate::broker::DriftScan::finish);
                return Ok(0);
            }
        };
        Ok(running(&ended))
    }

    fn lost(&self) {
        self.broker.lose_all_tasks();
    }

    fn has_caught_up(&self) {
        self.membership.has_caught_up();
    }

    fn note_applied(&self, number: u64) {
        self.membership.note_applied(number);
    }

    fn note_foreign(&self, why: &str) {
        self.broker.refuse_message(None, why);
    }

    fn is_numbered(&self, act: &Act) {
        if let Act::Halt { what, .. } = act
            && let Ok(what) = self.halt(what)
        {
            self.membership.end_halt(&what);
        }
    }

    fn extend_lease(&self, asked: &Reading) {
        self.membership.lease.extend(asked);
    }

    fn end_lease(&self) {
        self.membership.lease.end();
    }
}

impl Node<'_> {
    /// The halt that an entry names, as names are spelled here.
    fn halt(&self, what: &str) -> Result<Halt, Box<str>> {
        let halt = Halt::from_record(what).ok_or("halts what nothing can be named")?;
        Ok(halt.folded(self.broker.fold()))
    }
}

/// How many calls an end found running.
pub(super) fn running(ended: &Ended) -> u32 {
    u32::try_from(ended.running.len()).unwrap_or(u32::MAX)
}

fn assertion(subject: &str, facts: &Facts) -> Assertion {
    // Of what is restated, the kind is not looked at.
    let assertion = Assertion::agent(subject).groups(facts.groups.iter().cloned());
    let attributes = facts.attributes.iter();
    attributes.fold(assertion, |all, (name, value)| all.attr(name.to_string(), value.clone()))
}

fn text(error: impl std::fmt::Display) -> Box<str> {
    error.to_string().into()
}
