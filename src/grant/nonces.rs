//! Nonces: which call-bound presentations a grant has seen.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};

/// How many presentations of one grant are remembered at once. A presentation is remembered for up
/// to twice the window, a minute by default: more than sixty calls a second, under one grant, all
/// that time is no errand. It takes 128 kilobytes at most.
pub(crate) const MAX_LIVE_NONCES: usize = 4096;

/// The presentations of one grant that are still worth something. One that is live is never
/// forgotten: where there is no room, new ones are refused (attack 77).
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    /// By the instant at which each is worth nothing any more.
    live: BTreeSet<(Timestamp, [u8; 16])>,
    /// What was worth nothing at this instant may have been forgotten.
    forgotten: Option<Timestamp>,
}

impl Nonces {
    pub(crate) const fn new() -> Self {
        Nonces { live: BTreeSet::new(), forgotten: None }
    }

    /// Whether the presentation can be taken: not seen before, and room to remember it.
    pub(crate) fn probe(&self, nonce: (Timestamp, [u8; 16]), now: Timestamp) -> Result<(), Denial> {
        let (lives_until, _) = nonce;
        // Another decision, later by its clock, may have forgotten it since ours was read.
        if now >= lives_until || self.forgotten.is_some_and(|at| at >= lives_until) {
            return Err(Denial::new(Reason::StalePresentation));
        }
        if self.live.contains(&nonce) {
            return Err(Denial::new(Reason::Replayed));
        }
        match self.live.first() {
            Some((soonest, _)) if self.live.len() >= MAX_LIVE_NONCES && now < *soonest => {
                Err(Denial::new(Reason::TooMany)
                    .because("the grant has too many call-bound presentations alive")
                    .free_after(soonest.since(now)))
            }
            _ => Ok(()),
        }
    }

    /// Takes the presentation, once.
    pub(crate) fn take(
        &mut self,
        nonce: (Timestamp, [u8; 16]),
        now: Timestamp,
    ) -> Result<(), Denial> {
        self.probe(nonce, now)?;
        while self.live.first().is_some_and(|(soonest, _)| now >= *soonest) {
            self.live.pop_first();
            self.forgotten = self.forgotten.max(Some(now));
        }
        self.live.insert(nonce);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    fn nonce(number: u128) -> [u8; 16] {
        number.to_be_bytes()
    }

    fn refused(result: Result<(), Denial>) -> Reason {
        result.unwrap_err().reason()
    }

    /// attack 76
    #[test]
    fn a_nonce_is_taken_once() {
        let mut nonces = Nonces::default();
        nonces.take((at(10), nonce(1)), at(0)).unwrap();
        assert_eq!(refused(nonces.take((at(10), nonce(1)), at(0))), Reason::Replayed);
        assert_eq!(refused(nonces.take((at(10), nonce(1)), at(9))), Reason::Replayed);
        assert_eq!(refused(nonces.take((at(10), nonce(1)), at(10))), Reason::StalePresentation);
        nonces.take((at(10), nonce(2)), at(9)).unwrap();
    }

    /// attack 77
    #[test]
    fn a_live_nonce_is_never_forgotten_and_what_does_not_fit_is_refused() {
        let mut nonces = Nonces::default();
        for number in 0..MAX_LIVE_NONCES as u128 {
            nonces.take((at(10), nonce(number)), at(0)).unwrap();
        }
        for number in 0..17_000 {
            let expected = match number < MAX_LIVE_NONCES as u128 {
                true => Reason::Replayed,
                false => Reason::TooMany,
            };
            assert_eq!(refused(nonces.take((at(10), nonce(number)), at(9))), expected);
        }
        assert_eq!(refused(nonces.take((at(20), nonce(1 << 100)), at(9))), Reason::TooMany);
        nonces.take((at(20), nonce(1 << 100)), at(10)).unwrap();
        assert_eq!(nonces.live.len(), 1);
    }

    /// Two decisions read the clock in one order and get here in the other: what the later one made
    /// the broker forget is not new to the earlier one.
    #[test]
    fn a_decision_with_an_older_reading_cannot_replay_what_was_just_forgotten() {
        let mut nonces = Nonces::default();
        nonces.take((at(10), nonce(1)), at(0)).unwrap();
        nonces.take((at(30), nonce(2)), at(10)).unwrap();
        assert!(!nonces.live.contains(&(at(10), nonce(1))));
        assert_eq!(refused(nonces.take((at(10), nonce(1)), at(9))), Reason::StalePresentation);
    }
}
