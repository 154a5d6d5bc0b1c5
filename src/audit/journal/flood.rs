//! Floods: equal denials, of which the first are recorded in full and the rest are counted.
//!
//! What is only counted has no number yet. It gets its numbers with the record that says how many there
//! were, so that the numbers of a sum are one range, whatever else happened in between.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::queue::Summed;
use super::{Body, Event, Journal, MOST_WAITING};
use crate::audit::{DeniedAgain, Stage};
use crate::clock::Timestamp;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicI64, Ordering};
use crate::value::Value;

/// As many equal denials stand in full: enough to see a pattern in their times and contexts.
const IN_FULL: u32 = 10;

/// For how long equal denials are counted together. A process that is killed loses at most the count of as
/// long.
const WINDOW: Duration = Duration::from_secs(60);

/// So many different denials are told apart within a window. Others stand in full: who makes that many different
/// ones, no sum could hold.
const MOST: usize = 4096;

/// The denials of the window that has begun last.
pub(super) struct Floods {
    hasher: RandomState,
    /// Until when what is counted waits for its record, in milliseconds; [`NOTHING`] where nothing does. Set under the
    /// lock, and read without it by those that look often.
    waits_until: AtomicI64,
    window: Mutex<Window>,
}

/// No time that is ever told.
const NOTHING: i64 = i64::MAX;

impl Default for Floods {
    fn default() -> Self {
        let (hasher, window) = (RandomState::new(), Mutex::default());
        Floods { hasher, waits_until: AtomicI64::new(NOTHING), window }
    }
}

#[derive(Default)]
struct Window {
    begun: Option<Timestamp>,
    seen: HashMap<u64, Seen>,
}

/// Denials that were equal, as far as a keyed hash tells.
struct Seen {
    in_full: u32,
    /// Those beyond, until they have a record. Boxed, as most denials are none of a flood.
    rest: Option<Box<Rest>>,
}

struct Rest {
    /// `from` is not known yet.
    denials: DeniedAgain<'static>,
    last: Timestamp,
}

/// What makes denials equal.
#[derive(Hash, PartialEq)]
struct Alike<'e> {
    stage: Stage,
    generation: Option<u64>,
    break_glass: bool,
    texts: [Option<&'e str>; 8],
    scope: Option<&'e Value>,
    rules: &'e [Cow<'e, str>],
    epoch: Option<u64>,
}

impl<'e> Alike<'e> {
    fn of(event: &'e Event<'_>) -> Option<Self> {
        let Event::Denied {
            stage,
            task,
            generation,
            who,
            tool,
            resource_type,
            resource_id,
            args,
            scope,
            code,
            reason,
            rules,
            epoch,
            break_glass,
            ..
        } = event
        else {
            return None;
        };
        let given = [task, who, tool, resource_type, resource_id, args].map(Option::as_deref);
        let [task, who, tool, resource_type, resource_id, args] = given;
        // A task that was not opened has any name, perhaps a new one each time.
        let task = task.filter(|_| *stage != Stage::Open);
        let texts =
            [task, who, tool, resource_type, resource_id, args, Some(&**code), Some(&**reason)];
        Some(Alike {
            stage: *stage,
            generation: *generation,
            break_glass: *break_glass,
            texts,
            scope: scope.as_deref(),
            rules,
            epoch: *epoch,
        })
    }

    fn first(&self, at: Timestamp) -> DeniedAgain<'static> {
        let texts = self.texts.map(|text| text.map(|text| Cow::from(text.to_owned())));
        let [task, who, tool, resource_type, resource_id, args, code, reason] = texts;
        DeniedAgain {
            from: 0,
            count: 1,
            since: at,
            stage: self.stage,
            task,
            generation: self.generation,
            who,
            tool,
            resource_type,
            resource_id,
            args,
            scope: self.scope.map(|scope| Cow::Owned(scope.clone())),
            code: code.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            rules: self.rules.iter().map(|rule| Cow::from(rule.to_string())).collect(),
            epoch: self.epoch,
            break_glass: self.break_glass,
        }
    }

    fn is_that_of(&self, own: &DeniedAgain<'_>) -> bool {
        let DeniedAgain { task, who, tool, resource_type, resource_id, args, .. } = own;
        let given = [task, who, tool, resource_type, resource_id, args].map(Option::as_deref);
        let [task, who, tool, resource_type, resource_id, args] = given;
        let (code, reason) = (Some(&*own.code), Some(&*own.reason));
        *self
            == Alike {
                stage: own.stage,
                generation: own.generation,
                break_glass: own.break_glass,
                texts: [task, who, tool, resource_type, resource_id, args, code, reason],
                scope: own.scope.as_deref(),
                rules: &own.rules,
                epoch: own.epoch,
            }
    }
}

impl Window {
    /// Counts a denial; whether it is to stand in full.
    fn count(&mut self, hash: u64, alike: &Alike<'_>, at: Timestamp) -> bool {
        let is_full = self.seen.len() >= MOST;
        let seen = match self.seen.get_mut(&hash) {
            Some(seen) => seen,
            None if is_full => return true,
            None => self.seen.entry(hash).or_insert(Seen { in_full: 0, rest: None }),
        };
        if seen.in_full < IN_FULL {
            seen.in_full += 1;
            return true;
        }
        match &mut seen.rest {
            None => seen.rest = Some(Box::new(Rest { denials: alike.first(at), last: at })),
            Some(rest) if alike.is_that_of(&rest.denials) => {
                rest.denials.count = rest.denials.count.saturating_add(1);
                rest.denials.since = rest.denials.since.min(at);
                rest.last = rest.last.max(at);
            }
            // Another denial of the same hash.
            Some(_) => return true,
        }
        false
    }

    fn is_over(&self, at: Timestamp) -> bool {
        self.begun.is_none() || self.end().is_some_and(|end| at >= end)
    }

    fn end(&self) -> Option<Timestamp> {
        self.begun.and_then(|begun| begun.checked_add(WINDOW))
    }
}

impl Journal {
    /// Takes the next number for the record of a denial, or counts it with those before it that were equal. Never
    /// waits for the sink, and never calls it: callable under any lock.
    pub(crate) fn note_denial(&self, at: Timestamp, event: &Event<'_>, plain: Option<Box<str>>) {
        if self.stands_in_full(at, event)
            && let Ok(body) = Body::new(at, event)
        {
            self.note(body.with_plain(plain));
        }
    }

    fn stands_in_full(&self, at: Timestamp, event: &Event<'_>) -> bool {
        let Some(alike) = Alike::of(event) else { return true };
        let hash = self.floods.hasher.hash_one(&alike);
        let mut window = self.floods.window.lock();
        if window.is_over(at) {
            self.begin_window(&mut window, at);
        }
        let in_full = window.count(hash, &alike, at);
        if !in_full {
            let until = window.end().unwrap_or(Timestamp::MAX).unix_millis();
            self.floods.waits_until.store(until, Ordering::Release);
        }
        in_full
    }

    /// Takes numbers for all denials that were only counted so far: called where what happened up to now shall be
    /// written.
    pub(crate) fn sum_up(&self) {
        if self.floods.waits_until.load(Ordering::Acquire) != NOTHING {
            self.note_sums(&mut self.floods.window.lock());
        }
    }

    /// As [`sum_up`](Self::sum_up), if denials were counted together for as long as they are. Until then it takes no lock,
    /// so that who floods holds no call up.
    pub(crate) fn sum_up_past(&self, now: Timestamp) {
        if now.unix_millis() >= self.floods.waits_until.load(Ordering::Acquire) {
            let mut window = self.floods.window.lock();
            if window.is_over(now) {
                self.begin_window(&mut window, now);
            }
        }
    }

    fn begin_window(&self, window: &mut Window, at: Timestamp) {
        self.note_sums(window);
        window.begun = Some(at);
        window.seen.clear();
    }

    /// Notes what is counted and has no record; what comes next is counted on. Under the lock of the window, so that
    /// a thread that sums up meanwhile does not take what has no number yet for noted.
    fn note_sums(&self, window: &mut Window) {
        for rest in window.seen.values_mut().filter_map(|seen| seen.rest.take()) {
            let Rest { denials, last } = *rest;
            let reason = denials.reason.clone();
            let summed =
                Summed { count: denials.count, since: denials.since, last, reason: &reason };
            let body = |from| {
                let event = Event::DeniedAgain(Box::new(DeniedAgain { from, ..denials }));
                Body::sum(last, from, &event)
            };
            let mut queue = self.queue.lock();
            match queue.len() >= MOST_WAITING {
                true => queue.add_to_sum(&summed, body),
                false => queue.push_sum(summed.count, body),
            };
        }
        self.floods.waits_until.store(NOTHING, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Record;

    /// A hash finds denials, and does not make them equal.
    #[test]
    fn another_denial_of_the_same_hash_stands_in_full() {
        let event = |reason: &str| {
            let line = format!(
                r#"{{"seq":1,"at":0,"kind":"denied","stage":"call","code":"c","reason":"{reason}"}}"#
            );
            Record::from_line(&line).unwrap().event
        };
        let (own, other) = (event("no_permit"), event("expired"));
        let (own, other) = (Alike::of(&own).unwrap(), Alike::of(&other).unwrap());
        let mut window = Window::default();
        let in_full = (0..20).filter(|_| window.count(7, &own, Timestamp::MIN)).count();
        assert_eq!(in_full, 10);
        assert!(window.count(7, &other, Timestamp::MIN));
        assert!(!window.count(7, &own, Timestamp::MIN));
        let counted = window.seen[&7].rest.as_ref().unwrap().denials.count;
        assert_eq!(counted, 11);
    }
}
