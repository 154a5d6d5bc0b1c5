//! A limit of time that a grant has reached.

use std::time::Duration;

use crate::clock::{Timestamp, format_duration};
use crate::denial::{Account, Denial, Explain, Reason};
use crate::grant::GrantId;

/// A limit of time that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(super) limit: Limit,
    pub(super) at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Of a grant: the one presented, or one it was delegated from.
    Ttl(GrantId, Duration),
    Idle(GrantId, Duration),
    MaxLife(GrantId, Duration),
    /// Of the task.
    Ceiling,
}

impl Expiry {
    pub(crate) fn denial(self) -> Denial {
        Denial::new(Reason::Expired).explained_by(self)
    }
}

impl Explain for Expiry {
    fn explain(&self) -> Account {
        let Expiry { limit, at } = self;
        let (grant, limit, length) = match limit {
            Limit::Ttl(grant, ttl) => (grant, "ttl", ttl),
            Limit::Idle(grant, idle) => (grant, "idle", idle),
            Limit::MaxLife(grant, life) => (grant, "max_life", life),
            Limit::Ceiling => {
                return Account::of(format_args!("the task reached its ceiling at {at}"));
            }
        };
        let length = format_duration(*length);
        Account::of(format_args!("the grant `{grant}` reached its `{limit}` of {length} at {at}"))
    }
}
