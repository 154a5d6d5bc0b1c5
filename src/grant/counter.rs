//! One counter: what has been spent of one rule's limits.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::scope::Fact;
use crate::value::Number;

/// What has been spent of one rule's limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    used: u64,
    /// Most rules limit uses alone.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct More {
    sums: Vec<(Fact, Number)>,
    /// When the latest calls were made, the oldest first.
    recent: VecDeque<Timestamp>,
    /// How many of them are kept: what the largest rate looks at.
    kept: u64,
    /// The longest window of any rate.
    window: Duration,
    /// Whether uses or a budget were charged here, too: these never pass.
    lasting: bool,
}

/// What one call costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// The most calls of any rate that uses this counter, which is how many times are kept; and the longest
    /// window.
    pub(crate) rated: Option<(u64, Duration)>,
    /// Whether it is charged to uses or to a budget.
    pub(crate) lasting: bool,
    pub(crate) sums: Vec<(Fact, Number)>,
}

impl Cost {
    /// Another stamp of the same counter charges the same call.
    pub(super) fn add(&mut self, other: Cost) {
        self.rated = match (self.rated, other.rated) {
            (Some((calls, window)), Some((others, longer))) => {
                Some((calls.max(others), window.max(longer)))
            }
            (own, other) => own.or(other),
        };
        self.lasting |= other.lasting;
        for (argument, amount) in other.sums {
            if !self.sums.iter().any(|(own, _)| *own == argument) {
                self.sums.push((argument, amount));
            }
        }
    }
}

impl Counter {
    /// How many uses are spent.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    pub(super) fn sum(&self, argument: &Fact) -> Number {
        let sums = self.more.iter().flat_map(|more| &more.sums);
        sums.into_iter().find(|(own, _)| own == argument).map_or(Number::ZERO, |(_, sum)| *sum)
    }

    /// Whether one more call keeps to the rate.
    pub(super) fn rate_allows(&self, rate: (u64, Duration), now: Timestamp) -> bool {
        self.rate_is_free_in(rate, now) == Some(Duration::ZERO)
    }

    /// How long until one more call keeps to the rate: until the call that many places before it has left the
    /// window. A call at `t` counts until `t + window`, exclusively, so no window of this length ever
    /// holds more than the rate, wherever its edges are. `None` of a rate of no calls.
    pub(super) fn rate_is_free_in(
        &self,
        (calls, window): (u64, Duration),
        now: Timestamp,
    ) -> Option<Duration> {
        let recent = self.more.as_ref().map_or(0, |more| more.recent.len());
        let Some(at) = recent.checked_sub(calls as usize) else { return Some(Duration::ZERO) };
        let oldest = self.more.as_ref()?.recent.get(at)?;
        Some(window.saturating_sub(now.since(*oldest)))
    }

    /// Whether nothing that was charged counts any more: forgetting it changes no answer.
    pub(super) fn is_past(&self, now: Timestamp) -> bool {
        let Some(more) = &self.more else { return self.used == 0 };
        let lasts = more.lasting && self.used > 0;
        let passed = |latest: &Timestamp| now.since(*latest) >= more.window;
        !lasts && more.recent.back().is_none_or(passed)
    }

    pub(super) fn charge(&mut self, cost: &Cost, now: Timestamp) {
        // What was charged before there was more than uses were uses.
        let lasts = cost.lasting || (self.more.is_none() && self.used > 0);
        self.used = self.used.saturating_add(1);
        if self.more.is_none() && cost.rated.is_none() && cost.sums.is_empty() {
            return;
        }
        let more = self.more.get_or_insert_default();
        more.lasting |= lasts;
        if let Some((calls, window)) = cost.rated {
            // A smaller rate next to a larger one forgets nothing that the larger one counts.
            more.kept = more.kept.max(calls);
            more.window = more.window.max(window);
            while more.recent.len() as u64 >= more.kept {
                more.recent.pop_front();
            }
            more.recent.push_back(now);
        }
        for (argument, amount) in &cost.sums {
            match more.sums.iter_mut().find(|(own, _)| own == argument) {
                // Checked to fit just before, under the same lock.
                Some((_, sum)) => *sum = sum.checked_add(*amount).unwrap_or(*sum),
                None => more.sums.push((argument.clone(), *amount)),
            }
        }
    }

    pub(super) fn give_back(&mut self, cost: &Cost) {
        self.used = self.used.saturating_sub(1);
        let Some(more) = &mut self.more else { return };
        for (argument, amount) in &cost.sums {
            if let Some((_, sum)) = more.sums.iter_mut().find(|(own, _)| own == argument) {
                // What was added before can be taken away again.
                *sum = sum.checked_sub(*amount).unwrap_or(*sum);
            }
        }
    }
}
