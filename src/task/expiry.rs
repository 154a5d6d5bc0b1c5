//! Which limit of time a grant has reached, and which grant.

use std::time::Duration;

use super::cell::TaskCell;
use super::life::Life;
use crate::clock::{Timestamp, format_duration};
use crate::denial::{Account, Denial, Explain, Reason};
use crate::grant::{GrantId, Row};

/// A limit of time that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiry {
    limit: Limit,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
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

impl TaskCell {
    /// Which limit a grant has reached, or one it was delegated from; `None` if all are within their time,
    /// or the grant is not there. `life` is this task's.
    pub(crate) fn expiry(&self, life: &Life, id: GrantId, now: Timestamp) -> Option<Expiry> {
        let past = |row: &&Row| row.is_past(now);
        let found = life.upwards(id).filter_map(Result::ok).find(past);
        found.map(|row| self.reached(life, row))
    }

    /// The ceiling, as a limit that was reached.
    pub(super) fn ceiling_reached(&self) -> Expiry {
        Expiry { limit: Limit::Ceiling, at: self.ceiling }
    }

    /// Which limit a grant that is past its time reached first.
    fn reached(&self, life: &Life, row: &Row) -> Expiry {
        if let Some((idle, at)) = row.idles_out()
            && at < row.expires
        {
            return Expiry { limit: Limit::Idle(row.id, idle), at };
        }
        // A child is cut short by what it was delegated from: the limit is that of the highest.
        let lineage = life.upwards(row.id).filter_map(Result::ok);
        let of = lineage.take_while(|above| above.expires == row.expires).last().unwrap_or(row);
        let at = of.expires;
        let max_life = of.stamps().filter_map(|stamp| stamp.limits.max_life).min();
        let limit = match (of.life_ends(), max_life) {
            _ if at >= self.ceiling => return self.ceiling_reached(),
            (Some(ends), Some(life)) if ends == at => Limit::MaxLife(of.id, life),
            _ => Limit::Ttl(of.id, at.since(of.issued)),
        };
        Expiry { limit, at }
    }
}
