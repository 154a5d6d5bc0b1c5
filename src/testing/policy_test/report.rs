//! What came of the tests of a policy.

use std::collections::BTreeMap;
use std::fmt;

use super::case::Judgement;
use super::mutant::Change;
use crate::policy::Policy;
use crate::value::{Object, Value};

/// What came of the tests of a policy: which failed, which rules and conditions decided in none, and which changes of the
/// policy none noticed.
///
/// Its `Display` is for people who write the tests.
#[derive(Clone, Debug)]
pub struct PolicyTestReport {
    tests: usize,
    failures: Vec<PolicyTestFailure>,
    /// In how many tests each rule decided, and of each of its conditions whether any test hung on it.
    coverage: BTreeMap<String, RuleCoverage>,
    unnoticed: Vec<UnnoticedChange>,
    noticed: usize,
    pub(super) left_out: usize,
}

#[derive(Clone, Debug, Default)]
struct RuleCoverage {
    decided: usize,
    idle: Vec<String>,
}

/// A test whose answer is not the one it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTestFailure {
    name: String,
    problem: String,
}

/// A change of the policy after which all tests still pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnnoticedChange {
    rule: String,
    change: Change,
}

impl PolicyTestFailure {
    /// The name of the test.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was expected, and what was found.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl UnnoticedChange {
    /// The id of the changed rule.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for UnnoticedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.rule, self.change)
    }
}

impl PolicyTestReport {
    pub(super) fn of(policy: &Policy, said: &[Judgement]) -> Self {
        let failed = said.iter().filter_map(|own| Some((own, own.wrong.as_ref()?)));
        let failures = failed.map(|(own, problem)| PolicyTestFailure {
            name: own.name.clone(),
            problem: problem.trim_end().to_owned(),
        });
        let decided = |id: &str| {
            let names = |own: &&Judgement| own.rules.iter().any(|own| own == id);
            said.iter().filter(names).count()
        };
        let coverage = policy.rules().map(|rule| {
            let decided = decided(rule.id());
            (rule.id().to_owned(), RuleCoverage { decided, idle: Vec::new() })
        });
        PolicyTestReport {
            tests: said.len(),
            failures: failures.collect(),
            coverage: coverage.collect(),
            unnoticed: Vec::new(),
            noticed: 0,
            left_out: 0,
        }
    }

    /// Takes down what became of a change: whether any answer was another, and whether a test failed for it.
    pub(super) fn note(&mut self, rule: &str, change: Change, is_seen: bool, is_noticed: bool) {
        if let (false, Change::Condition(of), Some(own)) =
            (is_seen, &change, self.coverage.get_mut(rule))
        {
            own.idle.push(of.clone());
        }
        match is_noticed {
            true => self.noticed += 1,
            false => self.unnoticed.push(UnnoticedChange { rule: rule.to_owned(), change }),
        }
    }

    /// Whether all tests pass.
    pub fn passes(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether all pass, each rule decides in some, and each change of the policy is noticed.
    pub fn is_complete(&self) -> bool {
        self.passes()
            && self.unnoticed.is_empty()
            && self.left_out == 0
            && self.rules_that_never_decide().next().is_none()
    }

    /// The tests that fail.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = &PolicyTestFailure> {
        self.failures.iter()
    }

    /// The rules that decide in no test, by id.
    pub fn rules_that_never_decide(&self) -> impl Iterator<Item = &str> {
        let idle = self.coverage.iter().filter(|(_, own)| own.decided == 0);
        idle.map(|(id, _)| id.as_str())
    }

    /// The conditions without which no test is answered otherwise: of which rule, on which part of the question.
    pub fn conditions_that_never_decide(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.coverage.iter();
        all.flat_map(|(id, own)| own.idle.iter().map(move |of| (id.as_str(), of.as_str())))
    }

    /// The changes that no test notices.
    pub fn unnoticed(&self) -> impl ExactSizeIterator<Item = &UnnoticedChange> {
        self.unnoticed.iter()
    }

    /// All of it, for programs.
    pub fn to_value(&self) -> Value {
        let texts =
            |all: &mut dyn Iterator<Item = String>| Value::List(all.map(Value::from).collect());
        let failures = self.failures.iter().map(|own| {
            let mut one = Object::new();
            let _ = one.insert("test", Value::from(own.name.as_str()));
            let _ = one.insert("problem", Value::from(own.problem.as_str()));
            Value::Object(one)
        });
        let mut decided = Object::new();
        for (id, own) in &self.coverage {
            let _ = decided.insert(id.clone(), Value::from(own.decided as u64));
        }
        let idle = &mut self.conditions_that_never_decide().map(|(id, of)| format!("{id}: {of}"));
        let mut out = Object::new();
        // The keys are written once each.
        let _ = out.insert("tests", Value::from(self.tests as u64));
        let _ = out.insert("failures", Value::List(failures.collect()));
        let _ = out.insert("decided", Value::Object(decided));
        let _ = out.insert("idle_conditions", texts(idle));
        let _ = out.insert("noticed", Value::from(self.noticed as u64));
        let _ = out.insert("unnoticed", texts(&mut self.unnoticed.iter().map(ToString::to_string)));
        let _ = out.insert("left_out", Value::from(self.left_out as u64));
        Value::Object(out)
    }
}

impl fmt::Display for PolicyTestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures.len();
        writeln!(f, "tests: {} pass, {failed} fail", self.tests.saturating_sub(failed))?;
        for own in &self.failures {
            writeln!(f, "  `{}`: {}", own.name, own.problem)?;
        }
        let idle: Vec<&str> = self.rules_that_never_decide().collect();
        writeln!(
            f,
            "rules that decide in a test: {} of {}",
            self.coverage.len() - idle.len(),
            self.coverage.len()
        )?;
        idle.iter().try_for_each(|id| writeln!(f, "  never: `{id}`"))?;
        for (id, of) in self.conditions_that_never_decide() {
            writeln!(f, "  never: `{of}` of `{id}`")?;
        }
        let changes = self.noticed + self.unnoticed.len();
        writeln!(f, "changes that a test notices: {} of {changes}", self.noticed)?;
        self.unnoticed.iter().try_for_each(|own| writeln!(f, "  unnoticed: {own}"))?;
        match self.left_out {
            0 => Ok(()),
            more => writeln!(f, "  and {more} that were not tried"),
        }
    }
}
