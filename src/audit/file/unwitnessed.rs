//! Giving nothing while no quorum of witnesses has seen the log for too long.

use std::time::Duration;

use super::layout::time_of;
use crate::audit::checkpoint::{SignedCheckpoint, WitnessPolicy};
use crate::audit::{Entry, SinkError};

/// How long access is given without witnesses.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    pub(super) policy: WitnessPolicy,
    pub(super) most: Duration,
}

/// When witnesses have seen the log last.
pub(super) struct LastSeen {
    allowance: Allowance,
    /// In milliseconds since the Unix epoch; nothing of a log that none has seen.
    at: Option<u64>,
    has_begun: bool,
}

impl LastSeen {
    /// Of a log whose last checkpoint is this one. Only one that has not begun is given time from its beginning.
    pub(super) fn new(
        allowance: Allowance,
        has_begun: bool,
        last: Option<&SignedCheckpoint>,
    ) -> Self {
        let mut own = LastSeen { allowance, at: None, has_begun };
        own.note(last);
        own
    }

    /// Notes who has seen a checkpoint. An older one changes nothing.
    pub(super) fn note(&mut self, checkpoint: Option<&SignedCheckpoint>) {
        let witnessed = checkpoint.and_then(|own| self.allowance.policy.witnessed(own).ok());
        let since = witnessed.and_then(|witnessed| witnessed.since);
        self.at = self.at.max(since.map(|since| since.unix_millis().unsigned_abs()));
    }

    /// Refuses what gives access too long after that.
    pub(super) fn check(&mut self, batch: &[Entry<'_>]) -> Result<(), SinkError> {
        if !self.has_begun {
            self.has_begun = true;
            self.at = self.at.or(batch.first().and_then(|entry| time_of(entry.line)));
        }
        // Who has seen it later than now has a clock that is ahead.
        let now = batch.iter().find(|entry| entry.gives_access).and_then(|own| time_of(own.line));
        self.at = self.at.map(|seen| now.map_or(seen, |now| seen.min(now)));
        let in_time = |entry: &Entry<'_>| {
            let late = time_of(entry.line).zip(self.at).map(|(at, seen)| at.saturating_sub(seen));
            late.is_some_and(|late| u128::from(late) <= self.allowance.most.as_millis())
        };
        match batch.iter().filter(|entry| entry.gives_access).all(in_time) {
            true => Ok(()),
            false => Err(SinkError::new("no quorum of witnesses has seen the log for too long")),
        }
    }
}
