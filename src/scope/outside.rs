//! In which way a call lies outside what a scope covers, in words for operators.

use super::constraint::Node;
use super::{Condition, Constraint, Facts, Outside, Truth};
use crate::value::Value;

/// What of a call of `tool` lies outside of what `whose` scope covers of it: nothing, where that does
/// not name the tool.
pub(crate) fn outside_of<'q>(
    whose: &str,
    tool: &str,
    outside: Option<Outside<'_>>,
    facts: impl Facts<'q>,
) -> String {
    match outside {
        None => format!("{whose} does not name `{tool}`"),
        Some(Outside::Condition(condition, truth)) => {
            format!("{whose}: {}", failed(condition, truth, facts))
        }
        Some(Outside::Uncovered(uncovered)) => uncovered.said_of(whose),
    }
}

/// A condition that failed, what was found, and in which way it failed: absent, null, of another
/// kind, or another value.
pub(crate) fn failed<'q>(condition: &Condition, truth: Truth, facts: impl Facts<'q>) -> String {
    let Condition { fact, constraint } = condition;
    match (facts.fact(fact), truth) {
        (None, _) => format!("`{fact}` is absent: expected {constraint}"),
        (Some(Value::Null), _) => format!("`{fact}` is null: expected {constraint}"),
        (Some(found), Truth::Unknown) => {
            format!("`{fact}` is of another kind: {} where {constraint} is expected", shown(found))
        }
        (Some(found), _) => {
            let found = shown(found);
            let unsaid = unsaid(constraint).map_or(String::new(), |unsaid| format!(" ({unsaid})"));
            format!("`{fact}` is another value: {found} where {constraint} is expected{unsaid}")
        }
    }
}

/// What the constraint asks for without saying so.
fn unsaid(constraint: &Constraint) -> Option<&'static str> {
    match &constraint.0 {
        Node::Url(pattern) => pattern.unsaid(),
        Node::All(parts) | Node::AnyOf(parts) => parts.iter().find_map(unsaid),
        Node::Each(inner) | Node::Some(inner) | Node::Json(inner) => unsaid(inner),
        // Under `not`, what is unsaid is not asked.
        _ => None,
    }
}

/// A value for people: kind and a bounded, escaped form.
pub(crate) fn shown(value: &Value) -> String {
    const MOST: usize = 120;
    crate::visible::escape_for_people(&value.to_json(), MOST)
}
