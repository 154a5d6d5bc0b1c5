//! Lint: what a policy says that was probably not meant.
//!
//! Each file looks for one kind of mistake. What is known of the policy as a whole is gathered once,
//! so that lint stays near linear in the policy.

mod addresses;
mod catalogue;
mod defaults;
mod delegated;
mod dotted;
mod guess;
mod left_out;
mod limits;
mod lists;
mod lookalikes;
mod numbers;
mod open_prefix;
mod options;
mod overlaps;
mod paths;
mod people;
mod probe;
mod proofs;
mod reach;
mod references;
mod shadows;
mod sinks;
mod texts;
mod types;
mod unmet;
mod validity;
mod warning;

pub use options::{LintOptions, LintReport};
pub use warning::{Warning, WarningCode};

use std::collections::HashMap;
use std::time::Duration;

use super::Policy;
use super::compiled::Compiled;
use super::describe::rule_content;
use super::effect::Effect;
use super::rule::{Rule, Tools};
use crate::clock::Timestamp;
use crate::scope::{Fact, ResourceOpenness};
use crate::value::Digest;
use addresses::addresses;
use catalogue::CatalogueNames;
use defaults::Defaults;
use delegated::Delegations;
use dotted::dotted;
use guess::Guesses;
use left_out::left_out;
use limits::{budgets, past_ceiling};
use lists::lists;
use lookalikes::Lookalikes;
use numbers::numbers;
use open_prefix::open_prefix;
use paths::paths;
use people::People;
use proofs::Proofs;
use reach::Reach;
use references::references;
use shadows::Shadows;
use sinks::Sinks;
use texts::texts;
use types::Types;
use unmet::unmet;
use validity::validity;
use warning::Findings;

impl Policy {
    /// What the policy says that was probably not meant, in the order of the rules' ids.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{Policy, WarningCode};
    ///
    /// let policy = Policy::from_toml(r#"
    ///     version = 1
    ///     tool = [{ name = "mail.send" }]
    ///     rule = [{ id = "mail", effect = "permit", what = { tool = "mail.sent", args = "any" } }]
    /// "#)?;
    /// let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z")?;
    /// let [warning] = &policy.lint(now)[..] else { panic!() };
    /// assert_eq!(warning.code(), WarningCode::UnknownTool);
    /// assert_eq!(
    ///     warning.to_string(),
    ///     "rule `mail`: the catalogue has no tool `mail.sent`: did you mean `mail.send`? (unknown_tool)",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lint(&self, now: Timestamp) -> Vec<Warning> {
        self.warnings(now, None, None)
    }

    /// As [`lint`](Self::lint), of a broker whose tasks live so long at most (its
    /// [`ceiling`](crate::BrokerBuilder::ceiling)): a limit that looks further can't be had.
    ///
    /// ```
    /// use std::time::Duration;
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{Policy, WarningCode};
    ///
    /// let policy = Policy::from_toml(r#"
    ///     version = 1
    ///     rule = [{ id = "p", effect = "permit", what = { tool = "t" }, grant = { ttl = "12h" } }]
    /// "#)?;
    /// let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z")?;
    /// assert!(policy.lint(now).is_empty());
    /// let [warning] = &policy.lint_under(now, Duration::from_secs(3600))[..] else { panic!() };
    /// assert_eq!(warning.code(), WarningCode::PastCeiling);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lint_under(&self, now: Timestamp, ceiling: Duration) -> Vec<Warning> {
        self.warnings(now, Some(ceiling), None)
    }

    /// As [`lint`](Self::lint), and what the algebra shows of rules: that no question can be as one says (`dead`), that forbids
    /// leave nothing of it (`shadowed`), that it withholds nothing (`nothing_withheld`), that people are never asked
    /// (`unreached`), or that another does all that it does (`covered`). What can't be told is not said.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::{LintOptions, Policy, Rule, WarningCode};
    /// use hallpass::scope::{eq, max, min, prefix};
    ///
    /// let pay = |id: &str| Rule::permit(id.to_owned()).tool("bank.pay");
    /// let policy = Policy::builder()
    ///     .rule(pay("small").arg("amount", min(0).and(max(100))))
    ///     .rule(pay("tiny").arg("amount", min(0).and(max(10))))
    ///     .rule(pay("tests").arg("amount", eq(7)).when("env", prefix("test")))
    ///     .rule(Rule::forbid("no-tests").when("env", prefix("te")))
    ///     .build()?;
    /// let options = LintOptions::at(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z")?);
    /// let report = policy.lint_with(options);
    /// let found: Vec<String> = report.warnings().map(ToString::to_string).collect();
    /// assert_eq!(found, [
    ///     "rule `tests`: nothing is left of it by `no-tests` (shadowed)",
    ///     "rule `tiny`: all that it does is done by `small` (covered)",
    /// ]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lint_with(&self, options: LintOptions<'_>) -> LintReport {
        LintReport::of(self.warnings(options.now, options.ceiling, Some(options)))
    }

    fn warnings(
        &self,
        now: Timestamp,
        ceiling: Option<Duration>,
        shown: Option<LintOptions<'_>>,
    ) -> Vec<Warning> {
        let Compiled { rules, catalogue, .. } = &*self.0;
        let guesses = Guesses::new();
        let names = CatalogueNames::of(catalogue, &guesses);
        let shadows = Shadows::of(rules, now);
        let reach = Reach::of(rules, &guesses);
        let sinks = Sinks::of(rules, catalogue);
        let types = Types::of(catalogue);
        let defaults = Defaults::of(catalogue);
        let delegations = Delegations::of(rules);
        let lookalikes = Lookalikes::of(rules, catalogue);
        let mut first_of: HashMap<Digest, &Rule> = HashMap::new();
        let mut proofs = shown.map(|own| (Proofs::of(&self.0), own));
        let people = shown.and_then(|own| own.people).map(People::of);
        let mut findings = Findings::new();
        for rule in rules {
            let findings = findings.of_rule(&rule.id);
            validity(rule, now, findings);
            if let Some(by) = shadows.over(rule) {
                let message =
                    format!("nothing is left of it: `{}` forbids all it speaks of", by.id);
                findings.add(WarningCode::Shadowed, "", message);
            }
            let first = *first_of.entry(rule_content(rule).digest()).or_insert(rule);
            if first.id != rule.id {
                let message = format!("it says the same as `{}`", first.id);
                findings.add(WarningCode::Duplicate, "", message);
            }
            if let Some(names) = &names {
                names.look_at(rule, findings);
            }
            if looks_at_resource_of_any_tool(rule) {
                let message = "it names no tool and looks at the resource: it acts on every call \
                               without a resource, too";
                findings.add(WarningCode::ActsWithoutResource, "what.resource", message);
            }
            if rule.effect == Effect::Permit
                && rule.tools == Tools::Any
                && rule.any_args
                && rule.exceptions.is_empty()
            {
                let message = "it permits every tool with any arguments";
                findings.add(WarningCode::PermitsEverything, "what", message);
            }
            unmet(rule, &guesses, findings);
            texts(rule, findings);
            lookalikes.look_at(rule, findings);
            lists(rule, findings);
            left_out(rule, &types, findings);
            defaults.look_at(rule, findings);
            numbers(rule, findings);
            addresses(rule, &types, findings);
            paths(rule, &types, findings);
            open_prefix(rule, findings);
            dotted(rule, findings);
            delegations.look_at(rule, findings);
            references(rule, findings);
            sinks.look_at(rule, findings);
            reach.look_at(rule, findings);
            budgets(rule, &guesses, findings);
            if let Some(ceiling) = ceiling {
                past_ceiling(rule, ceiling, findings);
            }
            if let Some((proofs, options)) = &mut proofs {
                proofs.look_at(rule, findings);
                if options.overlaps {
                    proofs.overlaps(rule, findings);
                }
            }
            if let Some(people) = &people {
                people.look_at(rule, findings);
            }
        }
        findings.into_warnings()
    }
}

/// A guard whose answer is unknown, and so acts, wherever there is no resource.
fn looks_at_resource_of_any_tool(rule: &Rule) -> bool {
    rule.effect != Effect::Permit
        && matches!(rule.tools, Tools::Unsaid | Tools::Any)
        && rule.openness.resource == ResourceOpenness::Named
        && !rule.conditions.iter().any(|c| c.fact == Fact::Labels)
}
