//! Tests of a policy that stand with it as data: `[[test]]` tables in its text, and traces.
//!
//! `case` reads and asks one of them, `mutant` makes policies that say a little more or less, and `report` tells which
//! tests failed, which rules and conditions decided anything, and which changes no test noticed.

mod case;
mod mutant;
mod report;

use std::path::Path;

use case::{Case, Judgement};
use mutant::mutants;
pub use report::{PolicyTestFailure, PolicyTestReport, UnnoticedChange};

use super::replay::Replay;
use crate::policy::{Policy, PolicyBuilder, PolicyError};

/// How many changed policies the tests are asked about: the rest are counted.
const MOST_MUTANTS: usize = 1_000;

/// A policy with its tests.
///
/// A test says who calls what, why and in which context, in the words of [replay traces](crate::testing::replay), and
/// what the rules are to say: `permit`, `ask` or `deny`. Grants and their limits are looked at by traces alone.
///
/// ```
/// use hallpass::testing::PolicyTests;
///
/// let tests = PolicyTests::from_toml(r#"
///     version = 1
///
///     [[rule]]
///     id     = "small-payments"
///     effect = "permit"
///     who    = { groups = { has_any = ["payers"] } }
///     what   = { tool = "bank.pay", args = { amount = { above = 0, max = 500 } } }
///
///     [[test]]
///     name   = "payers pay up to 500"
///     who    = { id = "agent-7", groups = ["payers"] }
///     tool   = "bank.pay"
///     args   = { amount = 500 }
///     expect = "permit"
///
///     [[test]]
///     name   = "and not more"
///     who    = { id = "agent-7", groups = ["payers"] }
///     tool   = "bank.pay"
///     args   = { amount = 501 }
///     expect = "deny"
/// "#)?;
/// let report = tests.run();
/// assert!(report.passes());
/// let unnoticed: Vec<String> = report.unnoticed().map(|change| change.to_string()).collect();
/// assert_eq!(unnoticed, [
///     "`small-payments`: without `who.groups`",
///     r#"`small-payments`: `args.amount` {"max":500,"min":0} in the place of {"above":0,"max":500}"#,
/// ]);
/// # Ok::<(), hallpass::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicyTests {
    builder: PolicyBuilder,
    policy: Policy,
    cases: Vec<Case>,
    traces: Vec<Trace>,
}

/// A trace that stands next to the policy.
#[derive(Clone, Debug)]
struct Trace {
    name: String,
    text: String,
}

impl PolicyTests {
    /// Reads a policy and its `[[test]]` tables from TOML.
    ///
    /// # Errors
    /// As [`Policy::from_toml`]; and a test that can't be read, where it stands.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        Self::of(Policy::draft_from_toml(text)?)
    }

    /// As [`from_toml`](Self::from_toml), from JSON: the tests are the list `test`.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        Self::of(Policy::draft_from_json(text)?)
    }

    fn of(draft: crate::policy::PolicyDraft) -> Result<Self, PolicyError> {
        let mut cases = Vec::with_capacity(draft.tests.len());
        for (number, (value, (line, column))) in draft.tests.iter().enumerate() {
            let case = Case::read(value, number).map_err(|problem| {
                PolicyError::new(&format!("test[{number}]"), problem).at_position(*line, *column)
            })?;
            cases.push(case);
        }
        let traces = Vec::new();
        Ok(PolicyTests { builder: draft.builder, policy: draft.policy, cases, traces })
    }

    /// With a trace, which is a test of its own: it passes where each line is answered as it expects. Policies that it
    /// reloads are not changed with this one.
    pub fn trace(mut self, name: &str, text: &str) -> Self {
        self.traces.push(Trace { name: name.to_owned(), text: text.to_owned() });
        self
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.cases.len() + self.traces.len()
    }

    /// Whether there is no test.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks all tests, and then again with each rule, condition, exception and bound changed in turn.
    pub fn run(&self) -> PolicyTestReport {
        let said = self.judge(&self.policy);
        let mut report = PolicyTestReport::of(&self.policy, &said);
        for (number, mutant) in mutants(&self.builder).enumerate() {
            if number >= MOST_MUTANTS {
                report.left_out += 1;
                continue;
            }
            // What can't be meant otherwise can't be changed so.
            let Ok(policy) = mutant.builder.build() else { continue };
            let now = self.judge(&policy);
            let is_seen = said.iter().zip(&now).any(|(was, is)| was.says != is.says);
            let is_noticed = said.iter().zip(&now).any(|(was, is)| was.is_met && !is.is_met);
            report.note(&mutant.rule, mutant.change, is_seen, is_noticed);
        }
        report
    }

    fn judge(&self, policy: &Policy) -> Vec<Judgement> {
        let cases = self.cases.iter().map(|case| case.judge(policy));
        cases.chain(self.traces.iter().map(|trace| trace.judge(policy))).collect()
    }
}

impl Trace {
    fn judge(&self, policy: &Policy) -> Judgement {
        let (mut answers, mut remarks) = (Vec::new(), Vec::new());
        let replay = Replay::new(policy).from_path(Path::new(&self.name));
        let unmet = replay.run(self.text.as_bytes(), &mut answers, &mut remarks);
        let says = String::from_utf8_lossy(&answers).into_owned();
        let wrong = match unmet {
            Ok(0) => None,
            Ok(_) => Some(String::from_utf8_lossy(&remarks).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        // Each answer of a decision names the rules that made it.
        let rules = policy.rules().map(|rule| rule.id());
        let named = rules.filter(|id| says.contains(&format!("\"{id}\""))).map(str::to_owned);
        Judgement {
            name: self.name.clone(),
            is_met: wrong.is_none(),
            rules: named.collect(),
            says,
            wrong,
        }
    }
}

#[cfg(test)]
mod tests;
