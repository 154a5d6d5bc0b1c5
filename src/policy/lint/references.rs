//! Comparisons of two parts of the question that are never the same, or never anything else.

use super::warning::{Findings, WarningCode};
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::Rule;
use crate::policy::sets::is_one_text;
use crate::scope::{Condition, Fact, Node, Operand, ResourceOpenness};

/// Warns of a comparison that no question meets.
pub(super) fn references(rule: &Rule, findings: &mut Findings<'_>) {
    for condition in rule.all_conditions() {
        // Inside fields and elements it is another value that is compared.
        let direct = direct_references(condition);
        condition.constraint.for_each_leaf(&mut |leaf| {
            let fact = &condition.fact;
            for other in leaf.facts() {
                let why = if direct.contains(&other) && other == fact {
                    "that is itself"
                } else if direct.contains(&other)
                    && matches!(leaf, Node::SameAs(_))
                    && other.is_a_set()
                    && is_one_text(fact)
                {
                    "that is a set, and never one text: write `one_of = { ref = … }`"
                } else if rule.effect == Effect::Permit && is_kept_out(rule, other) {
                    "no call that it permits has that: name it in `what`, too, as in `NAME = \"any\"`"
                } else {
                    continue;
                };
                let message = format!("`{fact}` is compared with `{other}`: {why}");
                findings.add(WarningCode::NeverSame, &place_of(fact), message);
            }
        });
    }
}

/// What the condition's own fact is compared with as a whole.
fn direct_references(condition: &Condition) -> Vec<&Fact> {
    fn collect<'c>(constraint: &'c crate::scope::Constraint, into: &mut Vec<&'c Fact>) {
        match &constraint.0 {
            Node::All(parts) | Node::AnyOf(parts) => {
                parts.iter().for_each(|part| collect(part, into));
            }
            Node::Not(inner) => collect(inner, into),
            Node::SameAs(fact) => into.push(fact),
            Node::Compared(own) => {
                if let Operand::Fact(fact) = &own.with {
                    into.push(fact);
                }
            }
            _ => {}
        }
    }
    let mut direct = Vec::new();
    collect(&condition.constraint, &mut direct);
    direct
}

/// Whether the closed world of a permit keeps a part of the call out.
fn is_kept_out(rule: &Rule, fact: &Fact) -> bool {
    match fact {
        Fact::Arg(path) => {
            let named = rule.conditions.iter().filter_map(|own| own.fact.as_argument());
            !rule.openness.other_args
                && path.first().is_some_and(|name| !named.into_iter().any(|own| *own == **name))
        }
        _ => fact.is_of_the_resource() && rule.openness.resource == ResourceOpenness::None,
    }
}
