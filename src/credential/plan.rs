//! What is asked of a provider, and what it is going to do.

use std::time::Duration;

use super::handle::Handle;
use crate::clock::Timestamp;
use crate::grant::GrantId;
use crate::identity::Identity;

/// The longest time a provider may take to mint.
const LONGEST: Duration = Duration::from_secs(60);

/// What is asked of a provider: a credential for one grant.
#[derive(Clone, Copy, Debug)]
pub struct Want<'w> {
    pub(crate) name: &'w str,
    pub(crate) credential: &'w str,
    pub(crate) tool: &'w str,
    pub(crate) task: &'w str,
    pub(crate) grant: GrantId,
    pub(crate) holder: &'w Identity,
    pub(crate) now: Timestamp,
    pub(crate) expires: Timestamp,
}

impl<'w> Want<'w> {
    /// What it has to be called: `hp_<broker>_<id>`, with an id that was never used before.
    pub fn name(&self) -> &'w str {
        self.name
    }

    /// What the catalogue calls it.
    pub fn credential(&self) -> &'w str {
        self.credential
    }

    /// The tool that is about to run with it.
    pub fn tool(&self) -> &'w str {
        self.tool
    }

    /// The task whose end is its end.
    pub fn task(&self) -> &'w str {
        self.task
    }

    /// The grant that it is minted for, and no other.
    pub fn grant(&self) -> GrantId {
        self.grant
    }

    /// Who holds the grant, and on whose behalf.
    pub fn holder(&self) -> &'w Identity {
        self.holder
    }

    /// The time by the broker's clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When it has to have expired: one that is good for longer is refused.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The plan to mint it within that time, one millisecond to one minute.
    pub fn plan(&self, within: Duration) -> Plan {
        Plan {
            handle: Handle::new(self.name, ""),
            credential: self.credential.into(),
            holder: self.holder.clone(),
            within,
            expires: self.expires,
        }
    }
}

/// What a provider is going to do. It has a name before anything is there, so that what a crash leaves behind is found.
#[derive(Clone, Debug)]
pub struct Plan {
    handle: Handle,
    credential: Box<str>,
    holder: Identity,
    within: Duration,
    expires: Timestamp,
}

impl Plan {
    /// What the provider will need to find it again, where the name alone is not enough: plain text, never secret.
    #[must_use]
    pub fn detail(self, detail: &str) -> Plan {
        Plan { handle: Handle::new(self.handle.name(), detail), ..self }
    }

    /// Has it expire earlier than it has to.
    #[must_use]
    pub fn expiring(self, at: Timestamp) -> Plan {
        Plan { expires: self.expires.min(at), ..self }
    }

    /// What it will be called.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What the catalogue calls it.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// Who holds the grant that it is for.
    pub fn holder(&self) -> &Identity {
        &self.holder
    }

    /// How long minting may take. The provider keeps to it: what comes later is refused, and withdrawn.
    pub fn within(&self) -> Duration {
        self.within
    }

    /// When it has to have expired.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.within < Duration::from_millis(1) || self.within > LONGEST {
            return Some(
                "its plan takes too long or no time, expected one millisecond to one minute",
            );
        }
        (!self.handle.is_plain())
            .then_some("its plan has a detail that is too long or not plain text")
    }
}
