//! Policies that say a little more or less than the one that is tested.

use std::fmt;

use crate::policy::{Effect, PolicyBuilder, Rule};
use crate::scope::{Bound, Condition, Constraint, Fact, Node, Range, absent, any, optional};
use crate::value::Number;

/// A changed policy.
pub(super) struct Mutant {
    pub(super) rule: String,
    pub(super) change: Change,
    pub(super) builder: PolicyBuilder,
}

/// What was changed in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The whole rule is left out.
    Rule,
    /// A condition is: of what part of the question.
    Condition(String),
    /// An exception is, counted from 1.
    Exception(usize),
    /// A bound lets one more value in: of what, as it was, and as it is.
    Bound(String, String, String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Rule => f.write_str("without the rule"),
            Change::Condition(of) => write!(f, "without `{of}`"),
            Change::Exception(number) => write!(f, "without exception {number}"),
            Change::Bound(of, was, is) => write!(f, "`{of}` {is} in the place of {was}"),
        }
    }
}

/// All changes, rule by rule.
pub(super) fn mutants(builder: &PolicyBuilder) -> impl Iterator<Item = Mutant> {
    builder.rules.iter().enumerate().flat_map(move |(at, rule)| {
        changed(rule).into_iter().map(move |(change, rule)| {
            let id = builder.rules.get(at).map_or_else(String::new, |own| own.id.to_string());
            let mut builder = builder.clone();
            match (rule, builder.rules.get_mut(at)) {
                (Some(rule), Some(own)) => *own = rule,
                _ => drop(builder.rules.remove(at)),
            }
            Mutant { rule: id, change, builder }
        })
    })
}

/// Each way to change a rule, and what is left of it.
fn changed(rule: &Rule) -> Vec<(Change, Option<Rule>)> {
    let mut all = vec![(Change::Rule, None)];
    for (at, own) in rule.conditions.iter().enumerate() {
        all.extend(without(rule, at, own));
        for wider in widened(&own.constraint) {
            let (was, is) = (own.constraint.to_string(), wider.to_string());
            let mut rule = rule.clone();
            rule.conditions.change(|all| {
                if let Some(own) = all.get_mut(at) {
                    own.constraint = wider;
                }
            });
            all.push((Change::Bound(own.fact.to_string(), was, is), Some(rule)));
        }
    }
    for at in 0..rule.exceptions.len() {
        let mut rule = rule.clone();
        let mut exceptions = rule.exceptions.into_vec();
        exceptions.remove(at);
        rule.exceptions = exceptions.into();
        all.push((Change::Exception(at + 1), Some(rule)));
    }
    all
}

/// The rule without a condition, unless that says nothing. A permit names what it covers: whatever its arguments are,
/// and whether they are there, is what is left then.
fn without(rule: &Rule, at: usize, own: &Condition) -> Option<(Change, Option<Rule>)> {
    let is_permit = rule.effect == Effect::Permit;
    let open = match &own.fact {
        Fact::Arg(_) if is_permit => Some(optional(any())),
        fact if fact.is_of_the_resource() && is_permit => Some(any()),
        _ => None,
    };
    if is_permit && own.fact.is_of_the_call() && is_open(&own.constraint) {
        return None;
    }
    let mut rule = rule.clone();
    rule.conditions.change(|all| match (open, all.get_mut(at)) {
        (Some(open), Some(own)) => own.constraint = open,
        _ => drop(all.remove(at)),
    });
    Some((Change::Condition(own.fact.to_string()), Some(rule)))
}

/// Whether a permit's part of the call may be anything already, also where it may be left out.
fn is_open(constraint: &Constraint) -> bool {
    match &constraint.0 {
        Node::Any => true,
        Node::AnyOf(parts) => {
            parts.contains(&any()) && parts.iter().all(|own| *own == any() || *own == absent())
        }
        _ => false,
    }
}

/// The constraint with one of its bounds let out, for each of them.
fn widened(constraint: &Constraint) -> Vec<Constraint> {
    let each = |parts: &[Constraint]| -> Vec<Vec<Constraint>> {
        let ways = parts.iter().enumerate().flat_map(|(at, part)| {
            widened(part).into_iter().map(move |wider| {
                let mut parts = parts.to_vec();
                if let Some(own) = parts.get_mut(at) {
                    *own = wider;
                }
                parts
            })
        });
        ways.collect()
    };
    let inner = |one: &Constraint, node: fn(Box<Constraint>) -> Node| -> Vec<Constraint> {
        widened(one).into_iter().map(|own| Constraint(node(Box::new(own)))).collect()
    };
    match &constraint.0 {
        Node::Range(own) => {
            wider_ranges(own.range()).map(|own| Constraint(Node::Range(own.into()))).collect()
        }
        Node::All(parts) => each(parts).into_iter().map(|own| Constraint(Node::All(own))).collect(),
        Node::AnyOf(parts) => {
            each(parts).into_iter().map(|own| Constraint(Node::AnyOf(own))).collect()
        }
        Node::Not(one) => inner(one, Node::Not),
        Node::Each(one) => inner(one, Node::Each),
        Node::Some(one) => inner(one, Node::Some),
        Node::Json(one) => inner(one, Node::Json),
        _ => Vec::new(),
    }
}

/// A bound that excludes its number includes it; one that includes it is one further.
fn wider_ranges(range: Range) -> impl Iterator<Item = Range> {
    let one = Number::from(1);
    let out = |bound: Bound, further: Option<Number>| match bound.inclusive {
        true => further.map(Bound::at),
        false => Some(Bound::at(bound.number)),
    };
    let lower = range.lower.and_then(|own| out(own, own.number.checked_sub(one)));
    let upper = range.upper.and_then(|own| out(own, own.number.checked_add(one)));
    let lower = lower.map(|lower| Range { lower: Some(lower), ..range });
    let upper = upper.map(|upper| Range { upper: Some(upper), ..range });
    lower.into_iter().chain(upper)
}
