//! Which limit of time a grant has reached, and which grant.

use super::cell::TaskCell;
use super::expiry::{Expiry, Limit};
use super::life::Life;
use crate::clock::Timestamp;
use crate::grant::{GrantId, Row};

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
