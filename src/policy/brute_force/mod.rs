//! What is said of policies, compared with what asking every question of a small universe finds.
//!
//! Each kind of answer has a file, with a function that compares it for one policy. Properties call these with a few
//! policies each; [`many`] calls all of them with very many.

mod diff;
mod grant;
mod lint;
mod many;
mod remedy;
mod search;

use proptest::test_runner::TestCaseError;

use super::decision::RulesQuestion;
use super::index::Side;
use super::regions::model::{NOTE, questions};
use super::rule::{Rule, Tools};
use super::seen::Seen;
use super::{Effect, Policy};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::Reason;
use crate::identity::Identity;
use crate::purpose::Purpose;
use crate::value::Value;

const PURPOSE: &str = "errand";

/// Every question of the universe.
struct Universe {
    questions: Vec<(Identity, Call, Context)>,
    why: Purpose,
    now: Timestamp,
    /// What a task has seen of which something was noted.
    noted: Seen,
}

/// What the rules say to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Denied,
    /// By so many asks.
    Asked(usize),
    Permitted,
}

impl Level {
    const fn rank(self) -> u8 {
        match self {
            Level::Denied => 0,
            Level::Asked(_) => 1,
            Level::Permitted => 2,
        }
    }
}

impl Universe {
    fn new() -> Self {
        let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap();
        let list = Value::List(vec![Value::from(0_u64), Value::from(2_u64)]);
        let name = NOTE.strip_prefix("notes.").unwrap();
        let noted = Seen::told_of(&Value::List(Vec::new()), [(name, &list)]).unwrap();
        Universe { questions: questions(), why: Purpose::new(PURPOSE), now, noted }
    }

    fn level(&self, policy: &Policy, who: &Identity, call: &Call, context: &Context) -> Level {
        level(policy, (who, &self.why, call, context), self.now)
    }
}

fn level(
    policy: &Policy,
    question: (&Identity, &Purpose, &Call, &Context),
    now: Timestamp,
) -> Level {
    level_after(policy, question, Seen::nothing(), now)
}

/// The same of a task that has seen this. A call that is not one of the tool's is refused before any rule.
fn level_after(
    policy: &Policy,
    question: (&Identity, &Purpose, &Call, &Context),
    seen: &Seen,
    now: Timestamp,
) -> Level {
    let decision = match policy.decide_after(question, seen, now) {
        Ok(decision) => decision,
        Err(denial) => {
            let of_the_call = [Reason::MalformedCall, Reason::UnknownTool];
            assert!(of_the_call.contains(&denial.reason()), "{}", denial.explain());
            return Level::Denied;
        }
    };
    match decision.effect() {
        Some(Effect::Permit) => Level::Permitted,
        Some(Effect::Ask) => Level::Asked(decision.rules().count()),
        Some(Effect::Forbid) | None => Level::Denied,
    }
}

/// A policy, and what it says to each question.
struct Answered<'u> {
    universe: &'u Universe,
    policy: Policy,
    levels: Vec<Level>,
    /// The same where something was noted.
    noted: Vec<Level>,
}

impl<'u> Answered<'u> {
    fn of(policy: Policy, universe: &'u Universe) -> Self {
        let level = |(who, call, context): &_| universe.level(&policy, who, call, context);
        let levels: Vec<Level> = universe.questions.iter().map(level).collect();
        let Universe { why, now, noted: seen, .. } = universe;
        let level =
            |(who, call, context): &_| level_after(&policy, (who, why, call, context), seen, *now);
        let noted = match format!("{:?}", policy.rules().collect::<Vec<_>>()).contains("Note") {
            true => universe.questions.iter().map(level).collect(),
            false => levels.clone(),
        };
        Answered { universe, policy, levels, noted }
    }

    /// Which rules apply to a question, one by one and without the index.
    fn applying(&self, question: &(Identity, Call, Context)) -> Vec<bool> {
        self.applying_after(question, Seen::nothing())
    }

    fn applying_after(
        &self,
        (who, call, context): &(Identity, Call, Context),
        seen: &Seen,
    ) -> Vec<bool> {
        let Universe { why, now, .. } = self.universe;
        let first = RulesQuestion::first_call(who, why, call, context, *now);
        let asked = RulesQuestion { seen, ..first };
        let named = |rule: &Rule| match &rule.tools {
            Tools::Named(names) => names.iter().any(|own| **own == *call.tool()),
            _ => true,
        };
        let side = |rule: &Rule| match rule.effect {
            Effect::Permit => Side::Permits,
            _ => Side::Guards,
        };
        let applying = asked.ask(&self.policy.0, |question| {
            let rules = self.policy.rules();
            rules.map(|rule| named(rule) && rule.applies(question, side(rule))).collect()
        });
        applying.unwrap_or_else(|_| vec![false; self.policy.len()])
    }

    /// The rules, where a comparison fails.
    fn told(&self) -> String {
        format!("{:#?}", self.policy.rules().collect::<Vec<_>>())
    }
}

/// How much of what was said was compared: a comparison of nothing would always agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Compared {
    /// That there is nothing, or that a rule does nothing.
    shown: usize,
    /// Questions that were shown, each confirmed by asking it.
    witnesses: usize,
    /// What it was said of that it can't be told.
    undecided: usize,
    /// What nothing was said of, and was there.
    missed: usize,
}

impl std::ops::AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        self.shown += other.shown;
        self.witnesses += other.witnesses;
        self.undecided += other.undecided;
        self.missed += other.missed;
    }
}

/// What came of a comparison: where it fails, why.
type Comparison = Result<Compared, String>;

/// Fails a comparison where something is not so.
fn must(is_so: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(why()) }
}

/// The same for a property.
fn agreed(comparison: Comparison) -> Result<(), TestCaseError> {
    comparison.map(|_| ()).map_err(TestCaseError::fail)
}
