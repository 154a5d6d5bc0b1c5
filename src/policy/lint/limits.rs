//! Limits that can't be had, or that are spent from the start.

use std::time::Duration;

use super::guess::Guesses;
use super::warning::{Findings, WarningCode};
use crate::clock::format_duration;
use crate::policy::rule::Rule;
use crate::scope::{Constraint, Expected, Fact, Node};
use crate::value::Value;

/// Warns of budgets on arguments that no call of the permit has as a number: each call is then denied.
pub(super) fn budgets(rule: &Rule, guesses: &Guesses, findings: &mut Findings<'_>) {
    for budget in &rule.limits.budgets {
        let Fact::Arg(path) = &budget.argument else { continue };
        let Some((name, inner)) = path.split_first() else { continue };
        let own = rule.conditions.iter().find(|own| own.fact.as_argument() == Some(name));
        let problem = match own {
            None if rule.openness.other_args => continue,
            None => {
                let named: Vec<&str> =
                    rule.conditions.iter().filter_map(|own| own.fact.as_argument()).collect();
                let guess = guesses.of(name, named.into_iter());
                format!("no call that it permits has the argument{guess}")
            }
            Some(own) if may_be_number(&own.constraint, inner) => continue,
            Some(_) => "it is never a number where the rule permits".to_owned(),
        };
        let argument = &budget.argument;
        let message =
            format!("the budget on `{argument}` is spent by none and denies every call: {problem}");
        findings.add(WarningCode::BudgetOfNothing, "grant.budget", message);
    }
}

/// Whether a value as a constraint says may have a number at these names of fields.
fn may_be_number(constraint: &Constraint, path: &[Box<str>]) -> bool {
    match (&constraint.0, path.split_first()) {
        (Node::All(parts), _) => parts.iter().all(|part| may_be_number(part, path)),
        (Node::AnyOf(parts), _) => parts.iter().any(|part| may_be_number(part, path)),
        (Node::Any | Node::Present(true) | Node::SameAs(_) | Node::Not(_), _) => true,
        (Node::Fields(fields), Some((name, inner))) => match fields.get(name) {
            Some(field) => may_be_number(field, inner),
            None => fields.open,
        },
        (Node::Is(set), path) => set.iter().any(|value| {
            matches!((value, path), (Value::Number(_), None) | (Value::Object(_), Some(_)))
        }),
        (Node::Range(_), None) => true,
        (Node::Compared(own), None) => {
            matches!(own.expects(), Expected::Number | Expected::List)
        }
        _ => false,
    }
}

/// Warns of lengths of time that a task's ceiling cuts.
pub(super) fn past_ceiling(rule: &Rule, ceiling: Duration, findings: &mut Findings<'_>) {
    let limits = &rule.limits;
    // Counters of an identity go on in its next task.
    let of_tasks = |window: &Duration| !window.is_zero() && !limits.per_identity;
    let window = limits.rate.map(|(_, window)| window).filter(of_tasks);
    let uses = limits.uses_within.map(|(_, window)| window).filter(of_tasks);
    let budget = limits.budgets.iter().filter_map(|own| own.within).max().filter(of_tasks);
    let in_task = "it counts what one task spends; `per = \"identity\"` counts over all tasks";
    for (word, length, then) in [
        ("ttl", limits.ttl, "no grant lives so long"),
        ("max_life", limits.max_life, "no grant lives so long"),
        ("idle", limits.idle, "no grant ends so"),
        ("rate", window, "its calls are never given back, as with `uses`"),
        ("uses", uses, in_task),
        ("budget", budget, in_task),
    ] {
        let Some(length) = length.filter(|length| *length > ceiling) else { continue };
        let (length, ceiling) = (format_duration(length), format_duration(ceiling));
        let message = format!(
            "`{word}` looks as far as `{length}`, and a task ends at its ceiling of `{ceiling}`: {then}"
        );
        findings.add(WarningCode::PastCeiling, &format!("grant.{word}"), message);
    }
}
