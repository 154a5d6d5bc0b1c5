//! Limits: how long and how much a permit gives.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::clock::{format_duration, unstatable};
use crate::scope::Fact;
use crate::value::Number;

/// The most calls that are counted in one window, of a rate, of uses or of a budget. A sliding window keeps the time of
/// each call, 8 bytes of a rate and 56 of a sum, so this holds what one rule costs one task to 640 kB.
pub(crate) const MOST_COUNTED: u64 = 10_000;

/// What a permit's `grant` table says. What is not said is not limited by this rule; a grant has a
/// lifetime in any case (the broker's default).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) ttl: Option<Duration>,
    pub(crate) max_life: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) uses: Option<u64>,
    /// At most this number in any window of this length.
    pub(crate) uses_within: Option<(u64, Duration)>,
    pub(crate) rate: Option<(u64, Duration)>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) depth: Option<u8>,
    /// How long after the end of a grant what its tools run with may still be good for.
    pub(crate) tail: Option<Duration>,
    /// Whether uses and budgets stay spent where a permitted call never started.
    pub(crate) keeps_abandoned: bool,
    /// Whether counters span all tasks of the holder instead of one.
    pub(crate) per_identity: bool,
    /// A budget that could not be read, as given: a load error.
    pub(crate) faulty_budget: Option<Box<str>>,
}

/// How much one numeric argument may sum up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) argument: Fact,
    pub(crate) most: Number,
    /// In any window of this length; in all, if there is none.
    pub(crate) within: Option<Duration>,
}

impl Budget {
    /// Whether what keeps to this budget keeps to the other, both in all or both within a window.
    pub(crate) fn implies(&self, other: &Budget) -> bool {
        self.argument == other.argument
            && self.most <= other.most
            && match (self.within, other.within) {
                (None, None) => true,
                (Some(own), Some(other)) => own >= other,
                (None, Some(_)) | (Some(_), None) => false,
            }
    }
}

impl Limits {
    /// Nothing is limited: one for all who say so.
    pub(crate) fn unsaid() -> Arc<Limits> {
        static UNSAID: LazyLock<Arc<Limits>> = LazyLock::new(Arc::default);
        UNSAID.clone()
    }

    /// What people are shown of it.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let length = |length: Option<Duration>| length.map(format_duration);
        let rate = self.rate.map(|(calls, window)| format!("{calls}/{}", format_duration(window)));
        let within = self.uses_within;
        let within = within.map(|(uses, window)| format!("{uses}/{}", format_duration(window)));
        let all = [
            ("ttl", length(self.ttl)),
            ("max_life", length(self.max_life)),
            ("tail", length(self.tail)),
            ("uses", self.uses.map(|uses| uses.to_string())),
            ("uses", within),
            ("rate", rate),
        ];
        all.into_iter().filter_map(|(limit, value)| Some((limit, value?))).collect()
    }

    pub(crate) fn add_budget(
        &mut self,
        argument: &str,
        most: Option<Number>,
        within: Option<Duration>,
    ) {
        match (Fact::parse(argument), most) {
            (Ok(argument @ Fact::Arg(_)), Some(most)) => {
                self.budgets.push(Budget { argument, most, within });
            }
            _ => self.faulty_budget = Some(argument.into()),
        }
    }

    pub(crate) fn is_unsaid(&self) -> bool {
        *self == Limits::default()
    }

    /// Whether any call has to be counted.
    pub(crate) fn count_calls(&self) -> bool {
        self.uses.is_some()
            || self.uses_within.is_some()
            || self.rate.is_some()
            || !self.budgets.is_empty()
    }

    /// What is wrong, and where.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        let zero = |at, what: &str| {
            Some((
                at,
                format!(
                    "`{what}` would allow nothing: leave the rule out instead; it never means unlimited"
                ),
            ))
        };
        let budget = self.budgets.iter().find(|budget| budget.most <= Number::from(0));
        if let Some(name) = &self.faulty_budget {
            let own = name.strip_prefix("args.").unwrap_or(name);
            return Some((
                "grant.budget",
                format!(
                    "`{name}`: a budget names a numeric argument and a number, as in `{{ \"args.{own}\" = 500 }}`"
                ),
            ));
        }
        let lengths = [
            ("grant.ttl", self.ttl),
            ("grant.max_life", self.max_life),
            ("grant.idle", self.idle),
            ("grant.tail", self.tail),
            ("grant.rate", self.rate.map(|(_, window)| window)),
            ("grant.uses", self.uses_within.map(|(_, window)| window)),
        ];
        let lengths = lengths.into_iter().filter_map(|(at, length)| Some((at, length?)));
        let windows = self.budgets.iter().filter_map(|own| Some(("grant.budget", own.within?)));
        let mut lengths = lengths.chain(windows.clone());
        if windows.into_iter().any(|(_, window)| window.is_zero()) {
            let problem = "the window is empty: give it a length, as in `500/1d`";
            return Some(("grant.budget", problem.into()));
        }
        if let Some((at, length, fault)) =
            lengths.find_map(|(at, length)| Some((at, length, unstatable(length)?)))
        {
            return Some((at, format!("`{length:?}`: {fault}")));
        }
        let twice = self.budgets.iter().enumerate().any(|(at, one)| {
            self.budgets.iter().skip(at + 1).any(|other| other.argument == one.argument)
        });
        if twice {
            return Some(("grant.budget", "the same argument has two budgets".into()));
        }
        let keeps_any =
            self.uses.is_some() || self.uses_within.is_some() || !self.budgets.is_empty();
        if self.uses.is_some() && self.uses_within.is_some() {
            let problem = "`uses` is said twice, in all and within a window: say one of them";
            return Some(("grant.uses", problem.into()));
        }
        if self.keeps_abandoned && !keeps_any {
            return Some((
                "grant.refund",
                "`refund = false` keeps uses and budgets spent, and this rule has neither: add \
                 `uses` or `budget`, or leave it out"
                    .into(),
            ));
        }
        match self {
            Limits { ttl: Some(Duration::ZERO), .. } => zero("grant.ttl", "ttl = \"0s\""),
            Limits { max_life: Some(Duration::ZERO), .. } => {
                zero("grant.max_life", "max_life = \"0s\"")
            }
            Limits { idle: Some(Duration::ZERO), .. } => zero("grant.idle", "idle = \"0s\""),
            Limits { tail: Some(Duration::ZERO), .. } => Some((
                "grant.tail",
                "`tail = \"0s\"` accepts nothing, as does a rule that is zero or does not say it: leave \
                 it out"
                    .into(),
            )),
            Limits { uses: Some(0), .. } => zero("grant.uses", "uses = 0"),
            Limits { uses_within: Some((0, _)), .. } => zero("grant.uses", "0 uses"),
            Limits { uses_within: Some((_, Duration::ZERO)), .. } => {
                Some(("grant.uses", "the window is empty: give it a length, as in `20/1d`".into()))
            }
            Limits { uses_within: Some((uses, _)), .. } if *uses > MOST_COUNTED => Some((
                "grant.uses",
                format!(
                    "`{uses}` uses in one window: at most {MOST_COUNTED}, because the time of each is \
                     kept; give fewer uses in a shorter window"
                ),
            )),
            Limits { rate: Some((0, _)), .. } => zero("grant.rate", "0 calls"),
            Limits { rate: Some((_, Duration::ZERO)), .. } => {
                Some(("grant.rate", "the window is empty: give it a length, as in `10/1m`".into()))
            }
            Limits { rate: Some((calls, _)), .. } if *calls > MOST_COUNTED => Some((
                "grant.rate",
                format!(
                    "`{calls}` calls in one window: at most {MOST_COUNTED}, because the time of each \
                     is kept; give fewer calls in a shorter window"
                ),
            )),
            _ if budget.is_some() => zero("grant.budget", "a budget of 0 or less"),
            Limits { ttl: Some(ttl), max_life: Some(life), .. } if ttl > life => Some((
                "grant.ttl",
                "`ttl` is longer than `max_life`, which it can't outlive".into(),
            )),
            _ => None,
        }
    }
}
