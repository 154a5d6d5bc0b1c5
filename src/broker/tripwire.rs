//! The tripwire: repeated denials halt the offender alone.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::sync::Mutex;

/// How many offenders are watched at once. Past it the one that was denied longest ago is forgotten:
/// it has kept quiet longer than all others.
const WATCHED: usize = 4096;

/// Counts denials by identity, within a sliding window.
pub(crate) struct Tripwire {
    denials: usize,
    window: Duration,
    /// How long a halt lasts, if it lapses by itself.
    lapse: Option<Duration>,
    offenders: Mutex<Offenders>,
}

#[derive(Default)]
struct Offenders {
    denied: HashMap<Arc<str>, VecDeque<Timestamp>>,
    /// By the latest denial of each.
    quietest: BTreeSet<(Timestamp, Arc<str>)>,
}

impl Tripwire {
    pub(crate) fn new(denials: usize, window: Duration, lapse: Option<Duration>) -> Self {
        Tripwire { denials, window, lapse, offenders: Mutex::default() }
    }

    pub(crate) fn lapse(&self) -> Option<Duration> {
        self.lapse
    }

    /// Notes a denial; whether it was the one that trips.
    pub(crate) fn note(&self, who: &str, now: Timestamp) -> bool {
        let mut offenders = self.offenders.lock();
        let Offenders { denied, quietest } = &mut *offenders;
        let (who, mut times) =
            denied.remove_entry(who).unwrap_or_else(|| (who.into(), VecDeque::new()));
        if let Some(latest) = times.back() {
            quietest.remove(&(*latest, who.clone()));
        }
        while times.front().is_some_and(|oldest| now.since(*oldest) >= self.window) {
            times.pop_front();
        }
        // A thread that read the clock before another may come after it.
        let latest = times.back().map_or(now, |latest| now.max(*latest));
        times.push_back(latest);
        if times.len() >= self.denials {
            return true;
        }
        if denied.len() >= WATCHED
            && let Some((_, quiet)) = quietest.pop_first()
        {
            denied.remove(&quiet);
        }
        quietest.insert((latest, who.clone()));
        denied.insert(who, times);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn the_last_denial_of_a_window_trips_and_no_other_does() {
        let wire = Tripwire::new(3, Duration::from_secs(10), None);
        assert!(!wire.note("a", at(0)));
        assert!(!wire.note("b", at(1)));
        assert!(!wire.note("a", at(9)));
        // The first has left the window: at its far edge it no longer counts.
        assert!(!wire.note("a", at(10)));
        assert!(wire.note("a", at(11)));
        assert!(!wire.note("a", at(12)), "counting begins anew after it has tripped");
    }

    #[test]
    fn no_more_offenders_are_watched_than_there_is_room_for() {
        let wire = Tripwire::new(2, Duration::from_secs(1_000_000), None);
        for n in 0..WATCHED as i64 + 10 {
            assert!(!wire.note(&format!("agent-{n}"), at(n)));
        }
        assert_eq!(wire.offenders.lock().denied.len(), WATCHED);
        assert_eq!(wire.offenders.lock().quietest.len(), WATCHED);
        assert!(!wire.note("agent-0", at(9_000)), "it was forgotten");
        assert!(wire.note("agent-4000", at(9_001)), "it was not");
    }
}
