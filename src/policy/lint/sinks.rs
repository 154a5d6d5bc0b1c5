//! Tools through which something leaves, and permits of them that may say nothing of where to.

use std::collections::HashSet;

use super::probe::holds_of;
use super::warning::{Findings, WarningCode};
use crate::policy::Catalogue;
use crate::policy::effect::Effect;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Fact, Node, Stance, Truth};
use crate::value::Value;

/// The labels that make a tool a sink: `egress`, and those by which the policy's own guards choose
/// tools.
pub(super) struct Sinks<'p> {
    labels: HashSet<&'p str>,
    catalogue: &'p Catalogue,
}

impl<'p> Sinks<'p> {
    pub(super) fn of(rules: &'p [Rule], catalogue: &'p Catalogue) -> Self {
        let mut labels = HashSet::from(["egress"]);
        let guards = rules.iter().filter(|rule| rule.effect != Effect::Permit);
        for condition in guards.flat_map(|rule| &rule.conditions) {
            if condition.fact == Fact::Labels {
                condition.constraint.for_each_leaf(&mut |leaf| {
                    if let Node::Is(set) | Node::HasAny(set) | Node::HasAll(set) = leaf {
                        labels.extend(set.iter().filter_map(Value::as_text));
                    }
                });
            }
        }
        Sinks { labels, catalogue }
    }

    /// Warns of a permit of a sink that constrains arguments, each of which a call may leave out.
    pub(super) fn look_at(&self, rule: &Rule, findings: &mut Findings<'_>) {
        let Tools::Named(tools) = &rule.tools else { return };
        if rule.effect != Effect::Permit {
            return;
        }
        let anything = |own: &&crate::scope::Condition| !matches!(own.constraint.0, Node::Any);
        let mut limits = rule.conditions.iter().filter(|own| own.fact.is_of_the_call());
        let limits: Vec<_> =
            limits.by_ref().filter(anything).filter(|own| !self.is_default(tools, own)).collect();
        let is_optional = |own: &&crate::scope::Condition| {
            matches!(own.fact, Fact::Arg(_))
                && holds_of(&own.constraint, &own.fact, None, Stance::Cover) == Truth::True
        };
        if limits.is_empty() || !limits.iter().all(is_optional) {
            return;
        }
        for tool in &**tools {
            // What is left out is there as its default, and judged.
            let has_default = |name: &str| self.default_of(tool, name).is_some();
            if limits.iter().any(|own| own.fact.as_argument().is_some_and(has_default)) {
                continue;
            }
            let labels =
                self.catalogue.labels_of(tool).and_then(Value::as_list).unwrap_or_default();
            let mut labels = labels.iter().filter_map(Value::as_text);
            if let Some(label) = labels.find(|label| self.labels.contains(label)) {
                let message = format!(
                    "a call of `{tool}`, which is labelled `{label}`, may leave out each argument that \
                     it constrains, and is then permitted with nothing said of it: require one of \
                     them, or forbid the tool without them"
                );
                findings.add(WarningCode::OptionalOnly, "what.args", message);
                return;
            }
        }
    }

    /// Whether a condition says no more than what stands for an argument that is left out, as it does of each that a permit
    /// does not name.
    fn is_default(&self, tools: &[Box<str>], own: &crate::scope::Condition) -> bool {
        let (Some(name), Node::Is(set)) = (own.fact.as_argument(), &own.constraint.0) else {
            return false;
        };
        tools.iter().all(|tool| self.default_of(tool, name).is_some_and(|own| set.iter().eq([own])))
    }

    fn default_of(&self, tool: &str, name: &str) -> Option<&Value> {
        self.catalogue.get(tool)?.typed.get(name)?.default.as_ref()
    }
}
