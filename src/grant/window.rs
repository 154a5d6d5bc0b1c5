//! A sliding window: what was spent of one limit within some time, exactly.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::policy::MOST_COUNTED;
use crate::value::Number;

/// How many amounts are kept for one window. What can't be kept can't be counted, and is denied until the oldest has
/// left the window.
const MOST_KEPT: usize = MOST_COUNTED as usize;

/// Below this many nothing is cleared.
const FEW: usize = 64;

/// What was spent, and when, for as long as the longest window looks back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "fleet", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Window {
    longest: Duration,
    /// In the order in which they were spent.
    entries: VecDeque<Entry>,
    /// What was spent before the first entry, as `total` counts it.
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::number"))]
    base: Number,
    next: u64,
    /// When something was spent that no number here could take in: until that has passed, nothing fits.
    lost: Option<Timestamp>,
    /// How many entries there may be until the past ones are removed.
    clear_at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "fleet", derive(serde::Serialize, serde::Deserialize))]
struct Entry {
    at: Timestamp,
    number: u64,
    /// What was spent from the base on until this, itself included: a sum over a window is one subtraction.
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::number"))]
    total: Number,
}

impl Window {
    /// A window that begins with an amount that was spent at times that were not noted: it counts as spent now.
    pub(super) fn beginning(spent: Number, longest: Duration, now: Timestamp) -> Self {
        let mut own = Window {
            longest,
            entries: VecDeque::new(),
            base: Number::ZERO,
            next: 0,
            lost: None,
            clear_at: FEW,
        };
        own.add(spent, now);
        own
    }

    /// Looks back this far from now on, at least.
    pub(super) fn look_back(&mut self, window: Duration) {
        self.longest = self.longest.max(window);
    }

    /// What was spent within the last `window`: what is spent at `t` counts until `t + window`, exclusively, so that
    /// no window of this length ever holds more than a limit, wherever its edges are.
    pub(super) fn spent(&self, window: Duration, now: Timestamp) -> Number {
        self.spent_from(self.first_within(window, now))
    }

    /// How long until an amount fits under `most`: nothing where it does, and `None` where it never will.
    pub(super) fn is_free_in(
        &self,
        amount: Number,
        (most, window): (Number, Duration),
        now: Timestamp,
    ) -> Option<Duration> {
        if amount > most {
            return None;
        }
        let first = self.first_within(window, now);
        let fits = |from: usize| {
            // An overflow is over any limit.
            self.spent_from(from).checked_add(amount).is_some_and(|sum| sum <= most)
        };
        // Less is left, the more have gone.
        let (mut low, mut high) = (first, self.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if fits(middle) { high = middle } else { low = middle + 1 }
        }
        let last_to_go = low.checked_sub(1).filter(|_| low > first);
        let waits = [
            last_to_go.and_then(|at| self.leaves_in(at, window, now)),
            self.has_room_in(amount, window, now),
        ];
        Some(waits.into_iter().flatten().max().unwrap_or(Duration::ZERO))
    }

    /// How long until one more amount can be kept, where it can't now.
    fn has_room_in(&self, amount: Number, window: Duration, now: Timestamp) -> Option<Duration> {
        let longest = self.longest.max(window);
        let first = self.first_within(longest, now);
        let last = self.entries.len().checked_sub(1);
        let too_many = (self.entries.len() - first).checked_sub(MOST_KEPT).map(|more| first + more);
        let fits = self.spent_from(first).checked_add(amount).is_some();
        let too_long = last.filter(|last| !fits && *last >= first);
        let goes = too_many.max(too_long);
        let lost = self.lost.map(|lost| longest.saturating_sub(now.since(lost)));
        lost.max(goes.and_then(|at| self.leaves_in(at, longest, now)))
    }

    fn leaves_in(&self, at: usize, window: Duration, now: Timestamp) -> Option<Duration> {
        Some(window.saturating_sub(now.since(self.entries.get(at)?.at)))
    }

    /// Notes an amount, and gives the number to take it back by.
    pub(super) fn charge(&mut self, amount: Number, now: Timestamp) -> u64 {
        if self.entries.len() >= self.clear_at {
            self.clear(now);
        }
        self.add(amount, now)
    }

    fn add(&mut self, amount: Number, now: Timestamp) -> u64 {
        let number = self.next;
        if amount == Number::ZERO {
            return number;
        }
        self.next += 1;
        let total = self.total().checked_add(amount).or_else(|| {
            // What has gone is no longer counted in.
            self.clear(now);
            self.total().checked_add(amount)
        });
        let at = self.entries.back().map_or(now, |last| last.at.max(now));
        // What was not added is not taken back either.
        let Some(total) = total else {
            self.lost = self.lost.max(Some(at));
            return number;
        };
        // Where nothing asks for room, the latest amount takes in what finds none: it counts for no less time.
        if self.entries.len() >= 2 * MOST_KEPT
            && let Some(last) = self.entries.back_mut()
        {
            *last = Entry { at, number, total };
            return number;
        }
        self.entries.push_back(Entry { at, number, total });
        number
    }

    /// Takes back an amount that was noted under a number.
    pub(super) fn give_back(&mut self, amount: Number, number: u64) {
        let Ok(at) = self.entries.binary_search_by_key(&number, |entry| entry.number) else {
            return;
        };
        for entry in self.entries.range_mut(at..) {
            // What was added before can be taken away again.
            entry.total = entry.total.checked_sub(amount).unwrap_or(entry.total);
        }
        let before = |at: usize, own: &Self| {
            at.checked_sub(1).and_then(|at| own.entries.get(at)).map_or(own.base, |own| own.total)
        };
        while let Some(last) = self.entries.len().checked_sub(1)
            && self.total() == before(last, self)
        {
            self.entries.pop_back();
        }
    }

    /// Whether nothing that was spent counts any more.
    pub(super) fn is_past(&self, now: Timestamp) -> bool {
        let latest = self.entries.back().map(|last| last.at).max(self.lost);
        latest.is_none_or(|latest| now.since(latest) >= self.longest)
    }

    /// From when on nothing that was spent counts any more; `None` past the end of time.
    #[cfg(feature = "fleet")]
    pub(super) fn past_from(&self) -> Option<Timestamp> {
        let latest = self.entries.back().map(|last| last.at).max(self.lost);
        latest.map_or(Some(Timestamp::MIN), |latest| latest.checked_add(self.longest))
    }

    /// The first entry that counts.
    fn first_within(&self, window: Duration, now: Timestamp) -> usize {
        self.entries.partition_point(|entry| now.since(entry.at) >= window)
    }

    fn spent_from(&self, first: usize) -> Number {
        let before = first.checked_sub(1).and_then(|at| self.entries.get(at));
        let before = before.map_or(self.base, |entry| entry.total);
        self.total().checked_sub(before).unwrap_or(self.total())
    }

    fn total(&self) -> Number {
        self.entries.back().map_or(self.base, |entry| entry.total)
    }

    /// Removes what no window looks at and what was given back, each time they have doubled.
    fn clear(&mut self, now: Timestamp) {
        let gone = self.first_within(self.longest, now);
        if let Some(last) = self.entries.drain(..gone).next_back() {
            self.base = last.total;
        }
        let mut before = self.base;
        self.entries.retain(|entry| {
            let counts = entry.total != before;
            before = entry.total;
            counts
        });
        let base = std::mem::replace(&mut self.base, Number::ZERO);
        for entry in &mut self.entries {
            entry.total = entry.total.checked_sub(base).unwrap_or(entry.total);
        }
        self.clear_at = FEW.max(2 * self.entries.len());
        self.entries.shrink_to(self.clear_at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_millis(seconds as i64 * 1000).unwrap()
    }

    #[derive(Clone, Debug)]
    enum Op {
        Charge(u32),
        Advance(u64),
        /// Of those that stand, this one.
        GiveBack(usize),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let one = prop_oneof![
            6 => (0..5_u32).prop_map(Op::Charge),
            3 => (0..7_u64).prop_map(Op::Advance),
            2 => (0..8_usize).prop_map(Op::GiveBack),
        ];
        vec(one, 0..300)
    }

    proptest! {
        /// As a plain list of all that was ever spent says it.
        #[test]
        fn what_is_spent_within_a_window_is_what_a_list_of_all_says(
            ops in ops(), windows in (1..20_u64, 1..20_u64), amount in 0..9_u32, most in 0..40_u32,
        ) {
            let longest = Duration::from_secs(windows.0.max(windows.1));
            let mut own = Window::beginning(Number::ZERO, longest, at(0));
            let (mut all, mut now) = (Vec::<(u64, u64, u32)>::new(), 0);
            for op in ops {
                match op {
                    Op::Charge(amount) => {
                        let number = own.charge(Number::from(amount), at(now));
                        all.push((number, now, amount));
                    }
                    Op::Advance(seconds) => now += seconds,
                    Op::GiveBack(which) if !all.is_empty() => {
                        let which = all.len() - 1 - which.min(all.len() - 1);
                        let (number, _, amount) = all.remove(which);
                        own.give_back(Number::from(amount), number);
                    }
                    Op::GiveBack(_) => {}
                }
                for seconds in [windows.0, windows.1] {
                    let window = Duration::from_secs(seconds);
                    let within = |now: u64| {
                        let counts = all.iter().filter(|(_, at, _)| now < at + seconds);
                        counts.map(|(.., amount)| amount).sum::<u32>()
                    };
                    prop_assert_eq!(own.spent(window, at(now)), Number::from(within(now)));
                    let free = (now..=now + seconds).find(|then| within(*then) + amount <= most);
                    let free = free.map(|then| Duration::from_secs(then - now));
                    let limit = (Number::from(most), window);
                    prop_assert_eq!(own.is_free_in(Number::from(amount), limit, at(now)), free);
                }
                let counts = all.iter().any(|(_, at, amount)| *amount > 0 && now < at + longest.as_secs());
                prop_assert!(own.is_past(at(now)) != counts);
            }
        }
    }

    /// attack 144
    #[test]
    fn no_more_is_kept_than_counts_and_what_finds_no_room_is_denied() {
        let hour = Duration::from_secs(3600);
        let limit = (Number::from(1_000_000), hour);
        let mut own = Window::beginning(Number::ZERO, hour, at(0));
        for second in 0..50_000 {
            own.charge(Number::from(1), at(second));
        }
        assert!(own.entries.len() <= 2 * 3600 + FEW, "{}", own.entries.len());
        // Many in one moment.
        let now = 100_000;
        for _ in 0..MOST_KEPT {
            assert_eq!(own.is_free_in(Number::from(1), limit, at(now)), Some(Duration::ZERO));
            own.charge(Number::from(1), at(now));
        }
        assert_eq!(
            own.is_free_in(Number::from(1), limit, at(now + 1)),
            Some(hour - Duration::from_secs(1))
        );
        // What asks for no room is counted nevertheless, and for no less time.
        for _ in 0..3 * MOST_KEPT {
            own.charge(Number::from(1), at(now + 2));
        }
        assert!(own.entries.len() <= 2 * MOST_KEPT);
        assert_eq!(own.spent(hour, at(now + 3000)), Number::from(4 * MOST_KEPT as u32));
    }

    #[test]
    fn a_sum_that_overflows_is_over_any_limit() {
        let most: Number = "99999999999999999999999999999999999999".parse().unwrap();
        let hour = Duration::from_secs(3600);
        let mut own = Window::beginning(Number::ZERO, hour, at(0));
        own.charge(most, at(0));
        assert_eq!(own.is_free_in(most, (most, hour), at(0)), Some(hour));
        // What asks for no room and is too much to be counted leaves none.
        own.charge(most, at(10));
        let one = Number::from(1);
        assert_eq!(own.is_free_in(one, (most, hour), at(20)), Some(hour - Duration::from_secs(10)));
        // Once it has gone, there is room again.
        own.charge(most, at(3610));
        assert_eq!(own.spent(hour, at(3610)), most);
        assert_eq!(own.is_free_in(one, (most, hour), at(3610)), Some(hour));
    }

    /// attack 144: a window that is past is forgotten, and what it could not add up with it.
    #[test]
    fn what_could_not_be_added_counts_for_as_long_as_the_window_looks_back() {
        let hour = Duration::from_secs(3600);
        let mut own = Window::beginning(Number::ZERO, hour, at(0));
        let kept = own.charge(Number::MAX, at(0));
        own.charge(Number::MAX, at(10));
        own.give_back(Number::MAX, kept);
        assert!(!own.is_past(at(3609)));
        let one = Number::from(1);
        assert_eq!(own.is_free_in(one, (one, hour), at(3609)), Some(Duration::from_secs(1)));
        assert!(own.is_past(at(3610)));
        assert_eq!(own.is_free_in(one, (one, hour), at(3610)), Some(Duration::ZERO));
    }

    /// What lies in the window fits, and not together with what a longer one counts: then it waits for that.
    #[test]
    fn what_cannot_be_added_up_is_not_forgotten() {
        let (small, large) = ("0.00000000000000000000000001", "100000000000000000000");
        let [small, large] = [small, large].map(|text| text.parse::<Number>().unwrap());
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        let mut own = Window::beginning(Number::ZERO, hour, at(0));
        own.charge(small, at(0));
        let limit = (large, minute);
        assert_eq!(own.is_free_in(large, limit, at(120)), Some(hour - Duration::from_secs(120)));
        assert_eq!(own.is_free_in(large, limit, at(3600)), Some(Duration::ZERO));
        own.charge(large, at(3600));
        assert_eq!(own.spent(minute, at(3600)), large);
    }
}
