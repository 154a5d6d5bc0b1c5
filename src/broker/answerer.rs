//! Somebody who answers a question or closes a review: when, and whether what vouches for them holds.

use super::not_counted::NotCounted;
use super::shared::Shared;
use crate::clock::{NoTime, Timestamp};
use crate::identity::Identity;

impl Shared {
    /// The time of an answer.
    pub(super) fn time_of_answer(&self) -> Result<Timestamp, NotCounted> {
        self.keeper.now().map_err(|no_time| match no_time {
            NoTime::Clock(_) => NotCounted::ClockUnreadable,
            NoTime::Forked => NotCounted::Forked,
        })
    }

    /// Whether what vouches for somebody who answers is this broker's and holds.
    pub(super) fn check_answerer(&self, who: &Identity, now: Timestamp) -> Result<(), NotCounted> {
        if who.attested_by() != self.id {
            return Err(NotCounted::ForeignIdentity);
        }
        if who.is_past(now) {
            return Err(NotCounted::IdentityExpired);
        }
        if self.halts.stop(who, now) {
            return Err(NotCounted::Halted);
        }
        Ok(())
    }
}
