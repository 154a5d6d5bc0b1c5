//! Exceptions that can't be meant.

use super::effect::Effect;
use super::error::{PolicyError, place_of};
use super::exception::Exception;
use super::rule::{Rule, Tools};
use super::tool_alone::tool_holds;
use super::values;
use crate::meter::Meter;
use crate::scope::{Condition, Constraint, Fact, ResourceOpenness};
use crate::visible::Shown;

/// How many exceptions a rule may have. More are better said as rules of their own.
const MOST_EXCEPTIONS: usize = 64;

/// Whether the exceptions of a rule can be meant; `check` says what is wrong with a condition that stands at a place.
pub(super) fn check_exceptions(
    rule: &Rule,
    check: impl Fn(&str, &Condition) -> Result<(), PolicyError>,
) -> Result<(), PolicyError> {
    let wrong = |at: &str, problem: String| Err(PolicyError::of_rule(&rule.id, at, problem));
    if rule.exceptions.len() > MOST_EXCEPTIONS {
        let problem = format!("expected at most {MOST_EXCEPTIONS} exceptions of one rule");
        return wrong("unless", problem);
    }
    for (number, exception) in rule.exceptions.iter().enumerate() {
        let table = match rule.exceptions.len() {
            1 => "unless".to_owned(),
            _ => format!("unless[{number}]"),
        };
        if let Some(name) = &exception.unknown {
            let problem = format!(
                "{} names no part of the question: expected one such as `when.env`, `who.id`, \
                 `args.NAME` or `what.tool`",
                Shown(name)
            );
            return wrong(&table, problem);
        }
        if exception.conditions.is_empty() {
            return wrong(&table, "an exception that says nothing would be everything".to_owned());
        }
        for own in &exception.conditions {
            let at = format!("{table}.{}", place_of(&own.fact));
            match own.fact {
                Fact::Tool => {
                    let fault = own.constraint.check().err().map(|error| error.to_string());
                    let fault = fault.or_else(|| values::tool_fault(&own.constraint));
                    if let Some(problem) = fault.or_else(|| of_no_tool(rule, &own.constraint)) {
                        return wrong(&at, problem);
                    }
                }
                _ => check(&at, own)?,
            }
            if let Some(problem) = kept_out(rule, &own.fact) {
                return wrong(&at, problem);
            }
        }
    }
    Ok(())
}

/// Why an exception is of none of a rule's tools.
fn of_no_tool(rule: &Rule, constraint: &Constraint) -> Option<String> {
    let Tools::Named(names) = &rule.tools else { return None };
    let meter = Meter::of_question(0);
    let stance = Exception::stance(rule.effect);
    let is_of = |name: &str| tool_holds(constraint, name, stance, &meter).may_hold();
    (!names.iter().any(|name| is_of(name)))
        .then(|| "the rule names no such tool: leave it out".to_owned())
}

/// Why a permit never has what its exception looks at.
fn kept_out(rule: &Rule, fact: &Fact) -> Option<String> {
    if rule.effect != Effect::Permit {
        return None;
    }
    match fact {
        Fact::Arg(path) => {
            let name = path.first()?;
            let is_named = rule.cover().names_argument(name) || rule.openness.other_args;
            (!is_named).then(|| {
                format!(
                    "the permit does not let {} be there, so that this is never so: name it in `what.args`, too",
                    Shown(name)
                )
            })
        }
        _ if fact.is_of_the_resource() && rule.openness.resource == ResourceOpenness::None => Some(
            "the permit covers calls without a resource alone, of which that is never known: \
                 say `resource = …` in `what`, too"
                .to_owned(),
        ),
        _ => None,
    }
}
