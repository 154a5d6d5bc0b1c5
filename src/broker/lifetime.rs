//! How long what is given lasts.

use std::time::Duration;

use super::offer::Offer;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::identity::Identity;
use crate::scope::Scope;
use crate::task::Life;

/// How long a grant that is given now lasts.
pub(super) struct Lifetime {
    pub(super) expires: Timestamp,
    /// When its whole life ends, whatever is renewed, if that is limited.
    pub(super) life_ends: Option<Timestamp>,
    /// Since when what gives it is unused.
    pub(super) last_used: Timestamp,
    /// When it can be used from, if that is to come.
    pub(super) starts: Option<Timestamp>,
}

impl Lifetime {
    /// Of what policy gives to a holder in this task, and which ends at `latest` at the latest.
    ///
    /// # Errors
    /// A [`Denial`] if no time is left.
    pub(super) fn of(
        given: &Offer,
        holder: &Identity,
        life: &Life,
        latest: Timestamp,
        now: Timestamp,
    ) -> Result<Lifetime, Denial> {
        let (life_ends, idle_ends) = life.time_left(&given.terms, holder.subject(), now, now);
        let expires = expiry(given, life_ends, now)?.min(latest);
        // What would be unused for too long already when it is given ends an idle time before, and asking
        // again does not begin another.
        if expires <= now || idle_ends.is_some_and(|ends| now >= ends) {
            return Err(no_time_left());
        }
        let idle = given.terms.idle;
        let last_used = idle_ends.zip(idle).and_then(|(ends, idle)| ends.checked_sub(idle));
        Ok(Lifetime { expires, life_ends, last_used: last_used.unwrap_or(now), starts: None })
    }

    /// Cut to the part of it that is asked for.
    ///
    /// # Errors
    /// A [`Denial`] if nothing is left between the start and what policy gives, or if a start is asked for that a
    /// verifier would not know of.
    pub(super) fn cut_to(
        mut self,
        scope: &Scope,
        idle: Option<Duration>,
        now: Timestamp,
    ) -> Result<Lifetime, Denial> {
        self.starts = scope.starts_after(now);
        if self.starts.is_some() && !scope.verifiers().is_empty() {
            return Err(Denial::new(Reason::MalformedScope).because(
                "a verifier can't tell when a grant starts: ask for it without its audience",
            ));
        }
        let from = self.starts.unwrap_or(now);
        if let Some(asked) = scope.asked_ttl() {
            self.expires =
                from.checked_add(asked).map_or(self.expires, |end| end.min(self.expires));
        }
        if self.expires <= from {
            return Err(Denial::new(Reason::Expired).because(format_args!(
                "no time is left of what is asked for: it is to start at {from}, and is over at {}",
                self.expires
            )));
        }
        // The time without use counts as ever: a start that is to come does not lengthen it.
        let unused = idle.and_then(|idle| self.last_used.checked_add(idle));
        if self.starts.is_some_and(|starts| unused.is_some_and(|ends| ends <= starts)) {
            return Err(Denial::new(Reason::Expired).because(format_args!(
                "it would be unused for too long before it starts at {from}"
            )));
        }
        Ok(self)
    }
}

/// When a grant given now ends: its time to live from now, within its whole life.
pub(super) fn expiry(
    given: &Offer,
    life_ends: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Denial> {
    let expires = now.checked_add(given.ttl).ok_or_else(no_time_left)?;
    Ok(life_ends.map_or(expires, |ends| expires.min(ends)))
}

pub(super) fn no_time_left() -> Denial {
    Denial::new(Reason::Expired).because("no time is left of what its rules give in this task")
}
