//! In which way a call lies outside what a scope covers, in words for operators.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::algebra::{Difference, cover_difference};
use super::constraint::{Constraint, Node};
use super::contain::{condition_within, openness_within};
use super::cover::{Condition, Cover, Outside};
use super::evaluate::Facts;
use super::fact::Fact;
use super::glob::MAX_PATTERN_TEXT;
use super::network::address;
use super::operand::Operand;
use super::path::canonical_path;
use super::relation::{Expected, Relation};
use super::truth::Truth;
use crate::clock::Timestamp;
use crate::meter::Meter;
use crate::value::Value;
use crate::visible::{Shown, escape_for_people};

/// What of a call of `tool` lies outside of what `whose` scope covers of it: nothing, where that does
/// not name the tool.
pub(crate) fn outside_of<'q>(
    whose: &str,
    tool: &str,
    outside: Option<&[Outside<'_>]>,
    facts: impl Facts<'q>,
) -> String {
    let Some(outside) = outside else { return format!("{whose} does not name `{tool}`") };
    if let [Outside::Uncovered(only)] = outside {
        return only.said_of(whose);
    }
    let told = outside.iter().map(|own| match own {
        Outside::Condition(condition, truth) => failed(condition, *truth, facts),
        Outside::Uncovered(uncovered) => uncovered.said_of("it"),
    });
    format!("{whose}: {}", told.collect::<Vec<_>>().join("; "))
}

/// A condition that failed, what was found, and in which way it failed: absent, null, of another
/// kind, not to be told, or another value.
pub(crate) fn failed<'q>(condition: &Condition, truth: Truth, facts: impl Facts<'q>) -> String {
    let Condition { fact, constraint } = condition;
    if truth == Truth::Unknown {
        return format!("{}: expected {constraint}", doubt(condition, facts));
    }
    let Some(found) = facts.fact(fact).filter(|found| **found != Value::Null) else {
        return format!("{}: expected {constraint}", missing(fact, facts));
    };
    let part = failed_part(constraint, found).map_or(String::new(), |part| format!(" ({part})"));
    format!("`{fact}` is another value: {} where {constraint} is expected{part}", shown(found))
}

/// A condition that holds, with what was found.
pub(crate) fn held<'q>(Condition { fact, .. }: &Condition, facts: impl Facts<'q>) -> String {
    match facts.fact(fact) {
        Some(found) => format!("`{fact}` is {}", shown(found)),
        None => missing(fact, facts),
    }
}

/// In which way what a scope covers goes beyond a condition on the call.
pub(crate) fn wider(Condition { fact, constraint }: &Condition, scope: Cover<'_>) -> String {
    if matches!(fact, Fact::Arg(_)) && !scope.conditions.iter().any(|own| own.fact == *fact) {
        let left = if scope.openness.other_args { "left open by" } else { "not named in" };
        return format!("`{fact}` is {left} what is asked for: expected {constraint}");
    }
    not_shown(fact, constraint)
}

pub(crate) fn not_shown(fact: &Fact, constraint: &Constraint) -> String {
    format!("`{fact}`: what is asked for is not shown to lie within {constraint}")
}

/// In which ways `scope` goes beyond another scope of the same tool; at last a call that shows it, if one
/// was found.
pub(crate) fn beyond(scope: Cover<'_>, whole: Cover<'_>, meter: &Meter) -> Vec<String> {
    let is_wide = |own: &&Condition| !condition_within(scope, (&own.fact, &own.constraint), meter);
    let wide = whole.conditions.iter().filter(is_wide);
    let mut told: Vec<String> = wide.map(|own| wider(own, scope)).collect();
    if !openness_within(scope, whole) {
        let named = scope.conditions.iter().filter_map(|own| own.fact.as_argument());
        let unnamed = named.filter(|name| !whole.names_argument(name)).map(Shown);
        let before = told.len();
        told.extend(unnamed.map(|name| format!("argument {name} is not named by it")));
        if told.len() == before {
            let open = "what is asked for leaves arguments or a resource open that it closes";
            told.push(open.to_owned());
        }
    }
    if let Difference::Witness(call) = cover_difference(scope, &[whole], meter) {
        told.push(format!("it does not cover {}", shown(&Value::Object(call.args))));
    }
    told
}

/// Why it can't be told whether a condition holds.
pub(crate) fn doubt<'q>(
    Condition { fact, constraint }: &Condition,
    facts: impl Facts<'q>,
) -> String {
    let Some(found) = facts.fact(fact).filter(|found| **found != Value::Null) else {
        return missing(fact, facts);
    };
    let shown = shown(found);
    if let Some(other) = compared_with_nothing(constraint, facts) {
        return format!("`{fact}` is {shown}, to be compared with another part: {other}");
    }
    match unreadable(constraint, found) {
        Some(why) => format!("`{fact}` is {shown}, of which that can't be told: {why}"),
        None if is_text(found) && looks_at_text(constraint) => {
            format!("`{fact}` is {shown}, of which that can't be told")
        }
        None => format!("`{fact}` is of another kind: {shown}"),
    }
}

/// In which way a fact is not there.
fn missing<'q>(fact: &Fact, facts: impl Facts<'q>) -> String {
    match facts.fact(fact) {
        Some(_) => format!("`{fact}` is null"),
        // Every resource has a type.
        None if fact.is_of_the_resource() && facts.fact(&Fact::ResourceType).is_none() => {
            format!("`{fact}` is absent, for the call has no resource")
        }
        None => format!("`{fact}` is absent"),
    }
}

/// What a constraint compares with, where that is nothing, or nothing that its kind takes.
fn compared_with_nothing<'q>(constraint: &Constraint, facts: impl Facts<'q>) -> Option<String> {
    let is_null = |fact: &&Fact| facts.fact(fact).is_none_or(|value| *value == Value::Null);
    let mut found = None;
    constraint.for_each_leaf(&mut |leaf| {
        if found.is_some() {
            return;
        }
        found = match leaf.facts().find(is_null) {
            Some(fact) => Some(missing(fact, facts)),
            None => unfit(leaf, facts),
        };
    });
    found
}

/// What a kind compares with and can't take.
fn unfit<'q>(leaf: &Node, facts: impl Facts<'q>) -> Option<String> {
    let Node::Compared(own) = leaf else { return None };
    if own.spelled_out(|fact| facts.fact(fact), &Meter::of_question(0)).is_some() {
        return None;
    }
    let expected = match (&own.with, own.relation) {
        (Operand::Joined(_), _) => "one segment of a text",
        (_, Relation::Under) => "a folder",
        (_, Relation::After | Relation::Before) => "a time of RFC 3339",
        _ if own.order.is_some() => "a level of the order",
        (_, relation) => match relation.expects() {
            Expected::Number => "a number",
            Expected::List => "a list of at least one value",
            Expected::Text | Expected::Value => "a text",
        },
    };
    let (word, named) = (own.relation.as_str(), own.facts());
    let named = named.filter_map(|fact| Some(format!("`{fact}` is {}", shown(facts.fact(fact)?))));
    let named = named.collect::<Vec<_>>().join(", ");
    Some(format!("{named}, where `{word}` expects {expected}"))
}

/// Why a text of the right kind is none that the constraint can judge.
fn unreadable(constraint: &Constraint, found: &Value) -> Option<String> {
    let text = match found {
        Value::Text(text) => text,
        Value::List(elements) => {
            return elements.iter().find_map(|element| unreadable(constraint, element));
        }
        _ => return None,
    };
    let mut why = None;
    constraint.for_each_leaf(&mut |leaf| {
        let fault = match leaf {
            Node::Glob(_) | Node::Regex(_) if text.len() > MAX_PATTERN_TEXT => Some(format!(
                "it has {} bytes, and patterns are matched with at most {MAX_PATTERN_TEXT}",
                text.len()
            )),
            Node::Under(folder) => match canonical_path(text) {
                Err(fault) => Some(fault.to_string()),
                Ok(Cow::Owned(path)) => Some(format!("the path is spelled {}", Shown(&path))),
                Ok(Cow::Borrowed(path)) => (path.starts_with('/') != folder.starts_with('/'))
                    .then(|| "of it and the folder one is absolute, and one is not".to_owned()),
            },
            Node::Cidr(_) if address(text).is_none() => Some("it is not an address".to_owned()),
            Node::Instants(_) | Node::Weekly(_) => {
                let read = Timestamp::parse_rfc3339(text);
                read.is_err().then(|| "it is not a time of RFC 3339".to_owned())
            }
            Node::Url(pattern) => pattern.unreadable(text),
            Node::Levels(levels) => {
                let is_level = levels.order().iter().any(|own| own.as_text() == Some(text));
                (!is_level).then(|| "it is no level of the order".to_owned())
            }
            _ => None,
        };
        if why.is_none() {
            why = fault;
        }
    });
    // Of what is inside of a JSON text nothing is looked at here.
    let fault = || Value::from_json(text).err().map(|error| format!("as JSON: {error}"));
    why.or_else(|| if constraint.json_texts() > 0 { fault() } else { None })
}

fn is_text(value: &Value) -> bool {
    match value {
        Value::Text(_) => true,
        Value::List(elements) => !elements.is_empty() && elements.iter().all(is_text),
        _ => false,
    }
}

/// Whether it is of a kind that judges texts by more than being the same.
fn looks_at_text(constraint: &Constraint) -> bool {
    let mut looks = constraint.json_texts() > 0;
    constraint.for_each_leaf(&mut |leaf| {
        looks |= matches!(
            leaf,
            Node::Prefix(_) | Node::Suffix(_) | Node::Contains(_) | Node::Glob(_) | Node::Regex(_)
        ) || matches!(
            leaf,
            Node::Under(_) | Node::Url(_) | Node::Cidr(_) | Node::Instants(_) | Node::Weekly(_)
        );
    });
    looks
}

/// Which part of a value failed, of kinds that have parts.
fn failed_part(constraint: &Constraint, found: &Value) -> Option<String> {
    match (&constraint.0, found) {
        (_, Value::List(elements)) => {
            elements.iter().find_map(|element| failed_part(constraint, element))
        }
        (Node::Url(pattern), Value::Text(text)) => pattern.failed_part(text),
        (Node::All(parts) | Node::AnyOf(parts), _) => {
            parts.iter().find_map(|part| failed_part(part, found))
        }
        (Node::Each(inner) | Node::Some(inner), _) => failed_part(inner, found),
        // Under `not` every part is as it was excluded.
        _ => None,
    }
}

/// A value for people: a bounded, escaped form.
pub(crate) fn shown(value: &Value) -> String {
    const MOST: usize = 120;
    let mut beginning = Beginning { text: String::new(), room: MOST };
    // What is refused is what there is no room for.
    let _ = write!(beginning, "{value}");
    escape_for_people(&beginning.text, MOST)
}

/// Takes a little more than there is room for, and then refuses, so that what is long is not written out
/// to be cut.
struct Beginning {
    text: String,
    room: usize,
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.text.push(c);
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_value_the_beginning_is_shown_and_no_more_is_written() {
        let long = Value::List(vec![Value::from("x".repeat(1000)); 1000]);
        let told = shown(&long);
        assert!(told.starts_with(r#"["xxx"#) && told.ends_with('…'), "{told}");
        assert_eq!(told.chars().count(), 120);
        let mut beginning = Beginning { text: String::new(), room: 120 };
        assert!(write!(beginning, "{long}").is_err());
        assert_eq!(beginning.text.chars().count(), 121);
        for exact in ["x".repeat(118), "x".repeat(2)] {
            assert_eq!(shown(&Value::from(exact.clone())), format!("\"{exact}\""));
        }
    }
}
