//! Rules that differ, by id.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::super::compiled::Compiled;
use super::super::describe::rule_content;
use super::super::rule::Rule;
use crate::value::{Object, Value};
use crate::visible::Visible;

/// A rule that one policy has and the other has not, or has otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    id: Arc<str>,
    kind: ChangeKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ChangeKind {
    Added,
    Removed,
    /// Where it says otherwise, what it said, and what it says.
    Changed(Vec<(String, Value, Value)>),
}

impl RuleChange {
    /// The rule's id.
    pub fn rule(&self) -> &str {
        &self.id
    }

    /// `added`, `removed` or `changed`.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            ChangeKind::Added => "added",
            ChangeKind::Removed => "removed",
            ChangeKind::Changed(_) => "changed",
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let mut out = Object::new();
        // The keys are written once each.
        let _ = out.insert("rule", Value::from(&*self.id));
        let _ = out.insert("change", Value::from(self.kind()));
        if let ChangeKind::Changed(places) = &self.kind {
            let places = places.iter().map(|(at, old, new)| {
                Value::List(vec![Value::from(at.as_str()), old.clone(), new.clone()])
            });
            let _ = out.insert("says", Value::List(places.collect()));
        }
        Value::Object(out)
    }
}

impl fmt::Display for RuleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ChangeKind::Added => write!(f, "+ `{}`", self.id),
            ChangeKind::Removed => write!(f, "- `{}`", self.id),
            ChangeKind::Changed(places) => {
                write!(f, "~ `{}`:", self.id)?;
                for (at, (place, old, new)) in places.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    write!(f, "{comma} `{place}` {} -> {}", said(old), said(new))?;
                }
                Ok(())
            }
        }
    }
}

fn said(value: &Value) -> String {
    match value {
        Value::Null => "unsaid".to_owned(),
        value => Visible(value).to_string(),
    }
}

pub(super) fn changes(old: &Compiled, new: &Compiled) -> Vec<RuleChange> {
    let by_id = |policy: &'_ Compiled| -> BTreeMap<Arc<str>, BTreeMap<String, Value>> {
        policy.rules.iter().map(|rule| (Arc::clone(&rule.id), places(rule))).collect()
    };
    let (mut before, mut after) = (by_id(old), by_id(new));
    let ids: BTreeSet<Arc<str>> = before.keys().chain(after.keys()).cloned().collect();
    let change = |id: Arc<str>| {
        let kind = match (before.remove(&id), after.remove(&id)) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            (Some(was), Some(is)) => {
                let places = differing(was, is);
                if places.is_empty() {
                    return None;
                }
                ChangeKind::Changed(places)
            }
        };
        Some(RuleChange { id, kind })
    };
    ids.into_iter().filter_map(change).collect()
}

/// What a rule says, place by place, as the keys of a policy name them.
fn places(rule: &Rule) -> BTreeMap<String, Value> {
    let mut places = BTreeMap::new();
    let Value::Object(content) = rule_content(rule) else { return places };
    for (key, value) in content.iter() {
        match value {
            Value::List(pairs) if key == "conditions" => {
                for pair in pairs {
                    if let Value::List(pair) = pair
                        && let [Value::Text(fact), constraint] = &**pair
                    {
                        places.insert(fact.to_string(), constraint.clone());
                    }
                }
            }
            Value::Object(inner) => places
                .extend(inner.iter().map(|(name, value)| (format!("{key}.{name}"), value.clone()))),
            value => {
                places.insert(key.to_owned(), value.clone());
            }
        }
    }
    places
}

fn differing(
    mut old: BTreeMap<String, Value>,
    mut new: BTreeMap<String, Value>,
) -> Vec<(String, Value, Value)> {
    let names: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    let both = names.into_iter().map(|name| {
        let (was, is) = (old.remove(&name), new.remove(&name));
        (name, was.unwrap_or(Value::Null), is.unwrap_or(Value::Null))
    });
    both.filter(|(_, was, is)| was != is).collect()
}
