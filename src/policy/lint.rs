//! Lint: what a policy says that was probably not meant.

use std::collections::HashMap;

use super::Policy;
use super::describe::rule_content;
use super::rule::{Effect, Rule, Tools};
use super::unmet::unmet;
use super::warning::{Warning, WarningCode, suggestion};
use crate::clock::Timestamp;
use crate::scope::{Constraint, Fact, Node, ResourceOpenness};
use crate::value::{Digest, Value};
use crate::visible::Shown;

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
        let rules = &self.0.rules;
        let shadows = Shadows::of(rules, now);
        let labels = self.labels();
        let mut first_of: HashMap<Digest, &Rule> = HashMap::new();
        let mut warnings = Vec::new();
        for rule in rules {
            let mut warn = |code, message: String| {
                warnings.push(Warning { code, rule: (*rule.id).into(), message: message.into() });
            };
            validity(rule, now, &mut warn);
            if let Some(by) = shadows.over(rule) {
                let message =
                    format!("nothing is left of it: `{}` forbids all it speaks of", by.id);
                warn(WarningCode::Shadowed, message);
            }
            let first = *first_of.entry(rule_content(rule).digest()).or_insert(rule);
            if first.id != rule.id {
                warn(WarningCode::Duplicate, format!("it says the same as `{}`", first.id));
            }
            if self.0.catalogue.is_there() {
                self.unknown_tools(rule, &mut warn);
                unknown_labels(rule, &labels, &mut warn);
            }
            if looks_at_resource_of_any_tool(rule) {
                let message = "it names no tool and looks at the resource: it acts on every call \
                               without a resource, too"
                    .to_owned();
                warn(WarningCode::ActsWithoutResource, message);
            }
            if rule.effect == Effect::Permit && rule.tools == Tools::Any && rule.any_args {
                let message = "it permits every tool with any arguments".to_owned();
                warn(WarningCode::PermitsEverything, message);
            }
            unmet(rule, &mut warn);
        }
        warnings
    }

    fn unknown_tools(&self, rule: &Rule, warn: &mut impl FnMut(WarningCode, String)) {
        let catalogue = &self.0.catalogue;
        let Tools::Named(names) = &rule.tools else { return };
        for name in names.iter().filter(|name| catalogue.labels_of(name).is_none()) {
            let guess = suggestion(name, catalogue.names());
            warn(WarningCode::UnknownTool, format!("the catalogue has no tool `{name}`{guess}"));
        }
    }

    /// The labels of the catalogue, sorted, each once.
    fn labels(&self) -> Vec<&str> {
        let catalogue = &self.0.catalogue;
        let lists = catalogue.names().filter_map(|name| catalogue.labels_of(name)?.as_list());
        let mut labels: Vec<&str> = lists.flatten().filter_map(Value::as_text).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

fn unknown_labels(rule: &Rule, known: &[&str], warn: &mut impl FnMut(WarningCode, String)) {
    let mut named = Vec::new();
    for condition in &rule.conditions {
        if matches!(condition.fact, Fact::Labels | Fact::Seen) {
            named_values(&condition.constraint, &mut named);
        }
    }
    for name in named.into_iter().filter_map(Value::as_text) {
        if known.binary_search(&name).is_err() {
            let guess = suggestion(name, known.iter().copied());
            let shown = Shown(name);
            warn(
                WarningCode::UnknownLabel,
                format!("no tool of the catalogue has the label {shown}{guess}"),
            );
        }
    }
}

fn validity(rule: &Rule, now: Timestamp, warn: &mut impl FnMut(WarningCode, String)) {
    match (rule.validity.from, rule.validity.until) {
        (_, Some(until)) if until <= now => {
            warn(WarningCode::Ended, format!("it ended at {until}"));
        }
        (Some(from), _) if now < from => {
            warn(WarningCode::NotYetValid, format!("it applies from {from} on"));
        }
        _ => {}
    }
    if let Some(by) = rule.review_by.filter(|by| *by <= now) {
        let owner = rule.owned_by().map_or(String::new(), |owner| format!(" by {}", Shown(owner)));
        warn(WarningCode::ReviewOverdue, format!("it was to be reviewed{owner} until {by}"));
    }
}

/// Forbids that speak at every moment, are in force and have no condition but the tool.
struct Shadows<'r> {
    of_all: Option<&'r Rule>,
    by_tool: HashMap<&'r str, &'r Rule>,
}

impl<'r> Shadows<'r> {
    fn of(rules: &'r [Rule], now: Timestamp) -> Self {
        let mut shadows = Shadows { of_all: None, by_tool: HashMap::new() };
        let unconditional = rules.iter().filter(|rule| {
            rule.effect == Effect::Forbid
                && rule.conditions.is_empty()
                && rule.validity.holds_at(now)
                && rule.validity.until.is_none()
        });
        for rule in unconditional {
            match &rule.tools {
                Tools::Unsaid | Tools::Any => shadows.of_all = shadows.of_all.or(Some(rule)),
                Tools::Named(names) => {
                    for name in names {
                        shadows.by_tool.entry(name).or_insert(rule);
                    }
                }
                Tools::Like(_) => {}
            }
        }
        shadows
    }

    /// A forbid that leaves nothing of the rule.
    fn over(&self, rule: &Rule) -> Option<&'r Rule> {
        let speaks_wherever =
            |by: &&Rule| rule.moments.iter().all(|moment| by.moments.include(moment));
        if rule.effect == Effect::Forbid {
            return None;
        }
        let named = match &rule.tools {
            // Every one of the tools is forbidden; the first of those rules stands for them.
            Tools::Named(names) => {
                let by = names.iter().map(|name| self.by_tool.get(&**name).copied());
                let by: Option<Vec<&Rule>> = by.collect();
                by.filter(|all| all.iter().all(speaks_wherever))
                    .and_then(|all| all.first().copied())
            }
            _ => None,
        };
        self.of_all.filter(speaks_wherever).or(named)
    }
}

/// A guard whose answer is unknown, and so acts, wherever there is no resource.
fn looks_at_resource_of_any_tool(rule: &Rule) -> bool {
    rule.effect != Effect::Permit
        && matches!(rule.tools, Tools::Unsaid | Tools::Any)
        && rule.openness.resource == ResourceOpenness::Named
        && !rule.conditions.iter().any(|c| c.fact == Fact::Labels)
}

/// The values that a constraint names as sets.
fn named_values<'c>(constraint: &'c Constraint, into: &mut Vec<&'c Value>) {
    constraint.for_each_leaf(&mut |leaf| {
        if let Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) = leaf {
            into.extend(set.iter());
        }
    });
}
