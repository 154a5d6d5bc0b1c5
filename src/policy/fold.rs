//! Rules of a policy that folds names (`[identity] fold`): what they say of names is said in the folded spelling.

use super::error::{PolicyError, place_of};
use super::rule::Rule;
use crate::identity::Fold;
use crate::scope::{Condition, Constraint, Fact, Node, Place, Set};
use crate::value::Value;
use crate::visible::Shown;

/// Has all that a rule says of names be in one spelling.
///
/// # Errors
/// Of a pattern with capital letters, which might mean a SPIFFE id, in which case counts; and of a guard that
/// compares a name with what is not folded.
pub(super) fn fold_rule(rule: &mut Rule, fold: Fold) -> Result<(), PolicyError> {
    if fold == Fold::None {
        return Ok(());
    }
    let id = rule.id.clone();
    let wrong = |at: String, problem| PolicyError::of_rule(&id, &at, problem);
    let (gives, refuses) = match rule.effect {
        super::Effect::Permit => (Side::Gives, Side::Refuses),
        super::Effect::Ask | super::Effect::Forbid => (Side::Refuses, Side::Gives),
    };
    rule.conditions.try_for_each_mut(|own| {
        fold_condition(own, gives, fold).map_err(|fault| wrong(place_of(&own.fact), fault))
    })?;
    for own in rule.exceptions.iter_mut().flat_map(|own| &mut own.conditions) {
        let at = |own: &Condition| format!("unless.{}", place_of(&own.fact));
        fold_condition(own, refuses, fold).map_err(|fault| wrong(at(own), fault))?;
    }
    let mut fault = None;
    let mut of_reviewers = |own: &mut Condition| {
        if let Err(problem) = fold_condition(own, Side::Gives, fold) {
            fault.get_or_insert(problem);
        }
    };
    if let Some(terms) = &mut rule.approval {
        terms.for_each_condition(&mut of_reviewers);
    }
    if let Some(terms) = &mut rule.break_glass {
        terms.review.for_each_condition(&mut of_reviewers);
    }
    fault.map_or(Ok(()), |problem| Err(wrong("approval.review".to_owned(), problem)))
}

/// What a condition that is met is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Gives,
    Refuses,
}

fn is_name(fact: &Fact) -> bool {
    match fact {
        Fact::WhoId | Fact::WhoGroups | Fact::WhoActsFor => true,
        Fact::Asker(own) => is_name(own),
        _ => false,
    }
}

fn fold_condition(own: &mut Condition, side: Side, fold: Fold) -> Result<(), String> {
    check_comparisons(own, side)?;
    if is_name(&own.fact) {
        own.constraint = folded(&own.constraint, fold)?;
    }
    Ok(())
}

/// A name that is compared with what is not folded is only ever too seldom the same. Where that would let something
/// pass, it does not load.
fn check_comparisons(Condition { fact, constraint }: &Condition, side: Side) -> Result<(), String> {
    let mut fault = None;
    let look = |leaf: &Node, place: Place| {
        let other = leaf.facts().find(|other| is_name(other) != is_name(fact))?;
        let passes = (side == Side::Refuses) != place.negated;
        passes.then(|| other.clone())
    };
    let found = std::cell::RefCell::new(&mut fault);
    let _ = constraint.replace_comparisons(Place::default(), &|leaf, place| {
        if let Some(other) = look(leaf, place) {
            found.borrow_mut().get_or_insert(other);
        }
        None
    });
    match fault {
        None => Ok(()),
        Some(other) => Err(format!(
            "names are folded here (`[identity] fold`), and of `{fact}` and `{other}` only one is a name: another \
             case would pass. Compare names with names, or say it of what is permitted"
        )),
    }
}

fn folded(constraint: &Constraint, fold: Fold) -> Result<Constraint, String> {
    let all = |parts: &[Constraint]| {
        parts.iter().map(|part| folded(part, fold)).collect::<Result<Vec<_>, _>>()
    };
    let one = |inner: &Constraint| folded(inner, fold).map(Box::new);
    let set = |set: &Set| {
        let values = set.iter().map(|value| folded_value(value, fold)).collect();
        Set::new(values).unwrap_or_else(|| set.clone())
    };
    let pattern = |text: &str, has_capital: bool| {
        // All that it matches are SPIFFE ids, or would be taken for ones: those are not folded.
        let begins = constraint.0.beginning();
        let is_of_spiffe = begins.is_some_and(|own| own.text.starts_with("spiffe:"));
        match has_capital && !is_of_spiffe {
            false => Ok(constraint.clone()),
            true => Err(format!(
                "names are folded here (`[identity] fold`): write {} in lower case, or `spiffe:…` for \
                 SPIFFE ids, in which case counts",
                Shown(text)
            )),
        }
    };
    let is_capital = |text: &str| text.bytes().any(|b| b.is_ascii_uppercase());
    Ok(Constraint(match &constraint.0 {
        Node::All(parts) => Node::All(all(parts)?),
        Node::AnyOf(parts) => Node::AnyOf(all(parts)?),
        Node::Not(inner) => Node::Not(one(inner)?),
        Node::Each(inner) => Node::Each(one(inner)?),
        Node::Some(inner) => Node::Some(one(inner)?),
        Node::Items(items) => Node::Items(Box::new(items.try_map(|one| folded(one, fold))?)),
        Node::Is(own) => Node::Is(set(own)),
        Node::HasAny(own) => Node::HasAny(set(own)),
        Node::HasAll(own) => Node::HasAll(set(own)),
        Node::SubsetOf(own) => Node::SubsetOf(set(own)),
        Node::Prefix(text) | Node::Suffix(text) | Node::Contains(text) => {
            return pattern(text, is_capital(text));
        }
        Node::Levels(own) => {
            let capital = own.order().iter().filter_map(Value::as_text).find(|own| is_capital(own));
            return pattern(capital.unwrap_or_default(), capital.is_some());
        }
        Node::Glob(own) => return pattern(own.as_str(), is_capital(own.as_str())),
        Node::Regex(own) => return pattern(own.as_str(), means_capitals(own.as_str())),
        _ => return Ok(constraint.clone()),
    }))
}

/// Whether a regular expression has a capital letter that is meant itself: behind a backslash it is a class.
fn means_capitals(expression: &str) -> bool {
    let mut is_escaped = false;
    expression.bytes().any(|b| {
        let is_meant = !is_escaped && b.is_ascii_uppercase();
        is_escaped = b == b'\\' && !is_escaped;
        is_meant
    })
}

fn folded_value(value: &Value, fold: Fold) -> Value {
    match value {
        Value::Text(text) => Value::from(&*fold.name(text)),
        Value::List(elements) => {
            Value::List(elements.iter().map(|own| folded_value(own, fold)).collect())
        }
        other => other.clone(),
    }
}
