//! What a policy speaks of: questions that it permits, and values near to what its rules say.

use std::collections::BTreeMap;

use proptest::sample::Index;

use super::edit::{Edit, place, put};
use crate::policy::{Policy, Rule};
use crate::scope::{Condition, Constraint, Node};
use crate::testing::attacks::variants_of;
use crate::testing::policy_question::PolicyQuestion;
use crate::value::{Number, Object, Value};

/// How many values of one part are kept.
const MOST_VALUES: usize = 256;

/// An argument that no rule names.
const UNNAMED: &str = "args.unnamed_argument";

/// What questions are made of.
#[derive(Clone, Debug)]
pub(super) struct Seeds {
    policy: Policy,
    /// In the words of a `[[test]]` table, each as the policy permits it.
    questions: Vec<Object>,
    /// By the parts of a question, named as in a policy.
    values: Vec<(Box<str>, Vec<Value>)>,
}

impl Seeds {
    pub(super) fn of(policy: &Policy) -> Self {
        let mut questions = permitted(policy);
        if questions.is_empty() {
            questions.extend(question_of_nothing(policy));
        }
        let mut values: BTreeMap<Box<str>, Vec<Value>> = BTreeMap::new();
        for condition in policy.rules().flat_map(Rule::all_conditions) {
            let own = values.entry(condition.fact.to_string().into()).or_default();
            near(condition, own);
        }
        let tools = values.entry("what.tool".into()).or_default();
        tools.extend(policy.rules().flat_map(Rule::named_tools).map(Value::from));
        values.entry(UNNAMED.into()).or_default().push(Value::from("x"));
        for own in values.values_mut() {
            own.sort();
            own.dedup();
            own.truncate(MOST_VALUES);
        }
        values.retain(|part, own| !own.is_empty() && place(part).is_some());
        Seeds { policy: policy.clone(), questions, values: values.into_iter().collect() }
    }

    /// A question in words: one that is permitted, with these changes, as far as they can be meant.
    pub(super) fn question(&self, at: &Index, edits: &[Edit]) -> Object {
        self.edited(at.get(&self.questions).clone(), edits)
    }

    /// The same of this one.
    pub(super) fn edited(&self, mut own: Object, edits: &[Edit]) -> Object {
        for edit in edits {
            let (part, values) = edit.part.get(&self.values);
            let Some(place) = place(part) else { continue };
            let value = (!edit.is_left_out).then(|| edit.value.get(values).clone());
            let mut changed = own.clone();
            put(&mut changed, &place, value);
            if self.read(&changed).is_some() {
                own = changed;
            }
        }
        own
    }

    /// The question; `None` where it can't be meant.
    pub(super) fn read(&self, question: &Object) -> Option<PolicyQuestion> {
        PolicyQuestion::from_value(&self.policy, &Value::Object(question.clone())).ok()
    }

    /// Whether a tool runs with a credential.
    pub(super) fn needs_credential(&self, tool: &str) -> bool {
        !self.policy.0.catalogue.credentials_of(tool).is_empty()
    }
}

/// A question for each permit, as a comparison with a policy that permits nothing finds it.
fn permitted(policy: &Policy) -> Vec<Object> {
    let Ok(nothing) = Policy::builder().build() else { return Vec::new() };
    let diff = nothing.diff(policy);
    let witnesses = diff.wider().witnesses().filter_map(|own| match own.to_value() {
        Value::Object(own) => Some(in_words(own)),
        _ => None,
    });
    let readable =
        |own: &Object| PolicyQuestion::from_value(policy, &Value::Object(own.clone())).is_ok();
    witnesses.filter(readable).collect()
}

/// As a `[[test]]` table says it, with each part where [`place`] looks for it.
fn in_words(mut question: Object) -> Object {
    let mut purpose = Object::new();
    for (own, name) in [("purpose", "name"), ("ticket", "ticket")] {
        if let Some(value) = question.get(own).cloned() {
            // The keys are written once each.
            let _ = purpose.insert(name, value);
        }
        question.remove(own);
    }
    let _ = question.insert("purpose", Value::Object(purpose));
    for other in ["seen", "rule", "old", "new"] {
        question.remove(other);
    }
    question
}

/// Where nothing is permitted: somebody who calls a tool that is there.
fn question_of_nothing(policy: &Policy) -> Option<Object> {
    let named = policy.rules().flat_map(Rule::named_tools).next();
    let tool = policy.0.catalogue.names().next().or(named).unwrap_or("t").to_owned();
    let text = format!(
        r#"{{"who": {{"id": "anyone"}}, "purpose": {{"name": "any-purpose"}}, "tool": "{tool}", "args": {{}},
            "context": {{}}, "at": "2026-01-01T12:00:00Z"}}"#
    );
    match Value::from_json(&text) {
        Ok(Value::Object(own)) => Some(own),
        _ => None,
    }
}

/// Values that a condition names, their neighbours, and what might be sent in their place.
fn near(condition: &Condition, all: &mut Vec<Value>) {
    let mut named = Vec::new();
    condition.constraint.for_each_leaf(&mut |leaf| named_by(leaf, &mut named));
    let is_of_the_call = condition.fact.as_argument().is_some();
    for own in &named {
        match own {
            Value::Number(number) => {
                let one = Number::from(1_u64);
                let around = [number.checked_add(one), number.checked_sub(one)];
                all.extend(around.into_iter().flatten().map(Value::Number));
            }
            Value::Bool(own) => all.push(Value::Bool(!own)),
            _ => {}
        }
        if is_of_the_call {
            all.extend(variants_of(own).into_iter().map(|(_, variant)| variant));
        }
    }
    all.extend(named);
    // What no rule names.
    all.push(Value::from("other"));
    if condition.constraint.is_of_lists() {
        let elements: Vec<Value> =
            all.iter().filter(|own| !matches!(own, Value::List(_))).take(8).cloned().collect();
        all.extend(elements.iter().map(|own| Value::List(vec![own.clone()])));
        all.push(Value::List(elements));
    }
}

fn named_by(leaf: &Node, all: &mut Vec<Value>) {
    match leaf {
        Node::Is(set) | Node::SubsetOf(set) | Node::HasAny(set) | Node::HasAll(set) => {
            all.extend(set.iter().cloned());
        }
        Node::Range(own) => {
            let own = own.range();
            let bounds = [own.lower, own.upper].into_iter().flatten();
            all.extend(bounds.map(|bound| Value::Number(bound.number)));
        }
        Node::Prefix(text) => {
            all.extend([text.clone(), format!("{text}x").into()].map(Value::Text))
        }
        Node::Suffix(text) => {
            all.extend([text.clone(), format!("x{text}").into()].map(Value::Text))
        }
        Node::Contains(text) => all.push(Value::from(format!("x{text}x"))),
        Node::Under(folder) => {
            let inside = format!("{}/x", folder.trim_end_matches('/'));
            all.extend([folder.clone(), inside.into()].map(Value::Text));
        }
        _ => {}
    }
}

impl Constraint {
    /// Whether some part of it looks at the elements of a list.
    fn is_of_lists(&self) -> bool {
        let mut found = false;
        self.for_each_leaf(&mut |leaf| {
            found |= matches!(leaf, Node::SubsetOf(_) | Node::HasAny(_) | Node::HasAll(_));
        });
        found
    }
}
