//! One counter: what has been spent of one rule's limits.

use std::collections::VecDeque;
use std::time::Duration;

use super::window::Window;
use crate::clock::Timestamp;
use crate::policy::Limits;
use crate::scope::Fact;
use crate::value::Number;

/// A sum that no number takes in. Nothing fits next to it, and nothing of it comes back, since it is not known what is
/// left then.
const TOO_MUCH: Number = Number::MAX;

/// What has been spent of one rule's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "fleet", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Counter {
    used: u64,
    /// When the latest call was charged.
    latest: Timestamp,
    /// Most rules limit uses alone.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "fleet", derive(serde::Serialize, serde::Deserialize))]
struct More {
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::sums"))]
    sums: Vec<(Fact, Number)>,
    /// When the latest calls were made, the oldest first.
    recent: VecDeque<Timestamp>,
    /// How many of them are kept: what the largest rate looks at.
    kept: u64,
    /// The longest window of any rate.
    window: Duration,
    /// Whether uses or a budget without a window were charged here, too: these never pass.
    lasting: bool,
    /// What is looked at within a window: uses, or one argument.
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::of_facts"))]
    windows: Vec<(Option<Fact>, Window)>,
}

/// What one call costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "fleet", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Cost {
    /// The most calls of any rate that uses this counter, which is how many times are kept; and the longest
    /// window.
    pub(crate) rated: Option<(u64, Duration)>,
    /// Whether it is charged to uses or to a budget without a window.
    pub(crate) lasting: bool,
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::sums"))]
    pub(crate) sums: Vec<(Fact, Number)>,
    /// What is looked at within a window: uses, or an argument; and how far.
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::of_facts"))]
    pub(crate) windows: Vec<(Option<Fact>, Duration)>,
    /// Under which number each window has noted it.
    #[cfg_attr(feature = "fleet", serde(with = "super::stored::of_facts"))]
    pub(crate) noted: Vec<(Option<Fact>, u64)>,
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
        self.windows.extend(other.windows);
        // Nothing is noted before it is charged.
        for (argument, amount) in other.sums {
            if !self.sums.iter().any(|(own, _)| *own == argument) {
                self.sums.push((argument, amount));
            }
        }
    }
}

/// Nothing was charged, and so never.
impl Default for Counter {
    fn default() -> Self {
        Counter { used: 0, latest: Timestamp::MIN, more: None }
    }
}

impl Cost {
    /// What it costs of uses, or of an argument.
    fn amount(&self, of: Option<&Fact>) -> Number {
        let Some(argument) = of else { return Number::from(1) };
        let own = self.sums.iter().find(|(own, _)| own == argument);
        own.map_or(Number::ZERO, |(_, amount)| *amount)
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
        !lasts
            && more.recent.back().is_none_or(passed)
            && more.windows.iter().all(|(_, window)| window.is_past(now))
    }

    /// What was spent of uses, or of one argument, within the last `window`.
    pub(super) fn spent_within(
        &self,
        of: Option<&Fact>,
        window: Duration,
        now: Timestamp,
    ) -> Number {
        match self.window(of) {
            Some(own) => own.spent(window, now),
            None => self.not_noted(of, window).spent(window, now),
        }
    }

    /// How long until an amount more of it keeps to a limit within a window; `None` where it never will.
    pub(super) fn is_free_in(
        &self,
        (of, amount): (Option<&Fact>, Number),
        limit @ (_, window): (Number, Duration),
        now: Timestamp,
    ) -> Option<Duration> {
        match self.window(of) {
            Some(own) => own.is_free_in(amount, limit, now),
            None => self.not_noted(of, window).is_free_in(amount, limit, now),
        }
    }

    /// Whether nothing that was charged counts any more, nor for what the rule, if there is one, limits today: what still
    /// counted when a reload made it look back further counts on.
    pub(crate) fn is_past_under(&self, limits: Option<&Limits>, now: Timestamp) -> bool {
        let is_past = self.is_past(now);
        let Some(Limits { uses, uses_within, rate, budgets, .. }) = limits else { return is_past };
        let lasting = uses.is_some() || budgets.iter().any(|own| own.within.is_none());
        let windows = [uses_within, rate].into_iter().flatten().map(|(_, window)| *window);
        let longest = windows.chain(budgets.iter().filter_map(|own| own.within)).max();
        let looks_back = longest.is_some_and(|longest| now.since(self.latest) < longest);
        let uses = self.used > 0;
        let attempts = self.more.as_ref().is_some_and(|more| !more.recent.is_empty());
        let counts = (uses && lasting) || ((uses || attempts) && looks_back);
        is_past && !counts
    }

    /// From when on nothing that was charged counts any more; `None` where something counts for good.
    #[cfg(feature = "fleet")]
    pub(super) fn past_from(&self) -> Option<Timestamp> {
        let Some(more) = &self.more else {
            return (self.used == 0).then_some(Timestamp::MIN);
        };
        if more.lasting && self.used > 0 {
            return None;
        }
        let rate =
            more.recent.back().map_or(Some(Timestamp::MIN), |last| last.checked_add(more.window));
        let windows = more.windows.iter().map(|(_, window)| window.past_from());
        windows.chain([rate]).try_fold(Timestamp::MIN, |latest, own| Some(latest.max(own?)))
    }

    fn window(&self, of: Option<&Fact>) -> Option<&Window> {
        let mut windows = self.more.iter().flat_map(|more| &more.windows);
        windows.find_map(|(own, window)| (own.as_ref() == of).then_some(window))
    }

    /// A window of what was charged when nothing looked back: all of it counts as spent with the latest.
    fn not_noted(&self, of: Option<&Fact>, length: Duration) -> Window {
        let spent = of.map_or(Number::from(self.used), |argument| self.sum(argument));
        Window::beginning(spent, length, self.latest)
    }

    pub(super) fn charge(&mut self, cost: &mut Cost, now: Timestamp) {
        // What was charged before there was more than uses were uses.
        let lasts = cost.lasting || (self.more.is_none() && self.used > 0);
        for (of, length) in &cost.windows {
            self.note(of.as_ref(), *length);
        }
        self.used = self.used.saturating_add(1);
        self.latest = self.latest.max(now);
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
            // In their order, whichever of two calls read the clock first.
            more.recent.push_back(more.recent.back().map_or(now, |last| now.max(*last)));
        }
        for (of, window) in &mut more.windows {
            let amount = cost.amount(of.as_ref());
            cost.noted.push((of.clone(), window.charge(amount, now)));
        }
        for (argument, amount) in &cost.sums {
            match more.sums.iter_mut().find(|(own, _)| own == argument) {
                // A budget was checked to fit just before, under the same lock; what is looked at within
                // windows alone may be more than a number takes in.
                Some((_, sum)) => *sum = sum.checked_add(*amount).unwrap_or(TOO_MUCH),
                None => more.sums.push((argument.clone(), *amount)),
            }
        }
    }

    /// Has what is charged from now on be noted with its time, for so long at least.
    fn note(&mut self, of: Option<&Fact>, length: Duration) {
        let begins = match self.window(of) {
            Some(_) => None,
            None => Some((of.cloned(), self.not_noted(of, length))),
        };
        let more = self.more.get_or_insert_default();
        more.windows.extend(begins);
        for (_, window) in more.windows.iter_mut().filter(|(own, _)| own.as_ref() == of) {
            window.look_back(length);
        }
    }

    pub(super) fn give_back(&mut self, cost: &Cost) {
        self.used = self.used.saturating_sub(1);
        let Some(more) = &mut self.more else { return };
        for (of, window) in &mut more.windows {
            if let Some((_, number)) = cost.noted.iter().find(|(own, _)| own == of) {
                window.give_back(cost.amount(of.as_ref()), *number);
            }
        }
        for (argument, amount) in &cost.sums {
            let own = more.sums.iter_mut().find(|(own, _)| own == argument);
            if let Some((_, sum)) = own.filter(|(_, sum)| *sum != TOO_MUCH) {
                // What was added before can be taken away again.
                *sum = sum.checked_sub(*amount).unwrap_or(*sum);
            }
        }
    }
}
