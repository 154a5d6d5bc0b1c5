//! What a provider can promise of the end of what it mints.

use std::time::Duration;

/// How soon a credential can be withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It is of no use once [`withdraw`](super::CredentialProvider::withdraw) has answered.
    Immediate,
    /// It is of no use that long after the answer: caches, replicas.
    Within(Duration),
    /// It can't be withdrawn, and is good until it expires.
    Never,
}

/// What becomes of sessions that were opened with a credential when it is withdrawn, or expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// They end with it, or there are none.
    Ended,
    /// They go on for that long at the most.
    AtMost(Duration),
    /// They go on until something else ends them: no request for a tool that runs with such a credential is granted.
    Stay,
}

/// What a provider can promise of the end of what it mints. Requests are decided by it: access that goes on after the end
/// of its grant is given only where a rule accepts that with `grant = { tail = "15m" }`.
///
/// ```
/// use hallpass::credential::{Guarantees, Sessions};
/// use std::time::Duration;
///
/// // A database that ends sessions with their role.
/// let database = Guarantees::immediate();
/// // Tokens that are good for a quarter of an hour at least, whatever happens.
/// let tokens = Guarantees::never().shortest_life(Duration::from_secs(900));
/// // A token that can be withdrawn only by a request that it authenticates itself.
/// let own = Guarantees::immediate().needs_secret();
/// assert!(!own.survives_restart());
/// # let _ = (database, tokens, Sessions::Ended);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarantees {
    withdrawal: Withdrawal,
    sessions: Sessions,
    shortest_life: Duration,
    needs_secret: bool,
    survives_restart: bool,
}

impl Guarantees {
    const fn new(withdrawal: Withdrawal) -> Guarantees {
        Guarantees {
            withdrawal,
            sessions: Sessions::Ended,
            shortest_life: Duration::ZERO,
            needs_secret: false,
            survives_restart: true,
        }
    }

    /// Withdrawn at once, sessions included.
    pub const fn immediate() -> Guarantees {
        Guarantees::new(Withdrawal::Immediate)
    }

    /// Of no use that long after it was withdrawn.
    pub const fn within(time: Duration) -> Guarantees {
        Guarantees::new(Withdrawal::Within(time))
    }

    /// Never withdrawn: good until it expires.
    pub const fn never() -> Guarantees {
        Guarantees::new(Withdrawal::Never)
    }

    /// What becomes of sessions. [`Ended`](Sessions::Ended), unless this is said.
    #[must_use]
    pub const fn sessions(self, sessions: Sessions) -> Guarantees {
        Guarantees { sessions, ..self }
    }

    /// The shortest life of a credential that the provider can mint. None, unless this is said.
    #[must_use]
    pub const fn shortest_life(self, life: Duration) -> Guarantees {
        Guarantees { shortest_life: life, ..self }
    }

    /// Withdrawing takes the secret itself: it is kept sealed until the credential is known to be gone, and a restart
    /// loses it. What a restart loses stands until it expires.
    #[must_use]
    pub const fn needs_secret(self) -> Guarantees {
        Guarantees { needs_secret: true, survives_restart: false, ..self }
    }

    /// How soon it can be withdrawn.
    pub const fn withdrawal(&self) -> Withdrawal {
        self.withdrawal
    }

    /// Whether withdrawing takes the secret itself.
    pub const fn takes_secret(&self) -> bool {
        self.needs_secret
    }

    /// Whether it can be withdrawn after the process that minted it has ended.
    pub const fn survives_restart(&self) -> bool {
        self.survives_restart
    }

    /// The shortest life of a credential that the provider can mint.
    pub const fn least_life(&self) -> Duration {
        self.shortest_life
    }

    /// For how long access may go on after the end of a grant, at the least that the provider can do; `None` where
    /// nothing bounds it.
    pub fn tail(&self) -> Option<Duration> {
        let credential = match self.withdrawal {
            Withdrawal::Immediate => Duration::ZERO,
            Withdrawal::Within(time) => time,
            // The grant may end as soon as it is minted.
            Withdrawal::Never => self.shortest_life.max(Duration::from_millis(1)),
        };
        let sessions = match self.sessions {
            Sessions::Ended => Duration::ZERO,
            Sessions::AtMost(time) => time,
            Sessions::Stay => return None,
        };
        credential.checked_add(sessions)
    }

    /// How long a credential may live that is minted under a rule which accepts this tail; `None` where its grant's
    /// end is what ends it.
    pub(crate) fn longest_life(&self, tail: Duration) -> Option<Duration> {
        let sessions = match self.sessions {
            Sessions::AtMost(time) => time,
            Sessions::Ended | Sessions::Stay => Duration::ZERO,
        };
        (self.withdrawal == Withdrawal::Never).then(|| tail.saturating_sub(sessions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_tail_is_what_goes_on_after_an_end_that_comes_at_the_worst_moment() {
        let stays = Guarantees::immediate().sessions(Sessions::Stay);
        let rows = [
            (Guarantees::immediate(), Some(Duration::ZERO)),
            (Guarantees::immediate().shortest_life(MINUTE), Some(Duration::ZERO)),
            (Guarantees::within(MINUTE), Some(MINUTE)),
            (Guarantees::never().shortest_life(MINUTE), Some(MINUTE)),
            (Guarantees::never(), Some(Duration::from_millis(1))),
            (Guarantees::within(MINUTE).sessions(Sessions::AtMost(MINUTE)), Some(2 * MINUTE)),
            (stays, None),
            (Guarantees::within(Duration::MAX).sessions(Sessions::AtMost(MINUTE)), None),
        ];
        for (guarantees, tail) in rows {
            assert_eq!(guarantees.tail(), tail, "{guarantees:?}");
        }
    }

    #[test]
    fn what_is_never_withdrawn_lives_no_longer_than_what_is_left_of_the_tail_after_its_sessions() {
        assert_eq!(Guarantees::immediate().longest_life(MINUTE), None);
        assert_eq!(Guarantees::never().longest_life(MINUTE), Some(MINUTE));
        let slow = Guarantees::never().sessions(Sessions::AtMost(MINUTE / 4));
        assert_eq!(slow.longest_life(MINUTE), Some(MINUTE * 3 / 4));
    }
}
