//! How long to wait before connecting again.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Doubles from one failure to the next, and each time waits a random part of that: a server that comes back is not asked by all
/// nodes at once.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff(FIRST)
    }

    /// How long to wait now.
    pub(super) fn next(&mut self) -> Duration {
        let most = self.0;
        self.0 = (most * 2).min(LONGEST);
        jittered(most)
    }
}

/// A quarter of a time at least, and up to the whole.
fn jittered(most: Duration) -> Duration {
    let mut byte = [0; 1];
    // Without randomness all ask at once: slower, and no less safe.
    let _ = SystemRandom::new().fill(&mut byte);
    let [byte] = byte;
    most / 4 + most * 3 / 4 * u32::from(byte) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_differ() {
        let mut backoff = Backoff::new();
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST && waits.iter().all(|wait| *wait >= FIRST / 4), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST), "{waits:?}");
        let last = &waits[10..];
        assert!(last.iter().all(|wait| *wait >= LONGEST / 4), "{waits:?}");
        assert!(last.iter().any(|wait| *wait != last[0]), "{waits:?}");
    }
}
