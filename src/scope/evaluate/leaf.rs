//! A constraint with no other inside it, asked of one value.

use super::{Evaluation, Facts};
use crate::clock::Timestamp;
use crate::meter::Work;
use crate::scope::constraint::Node;
use crate::scope::glob::MAX_PATTERN_TEXT;
use crate::scope::membership::{contains_all, has_any, is_one_of, is_same};
use crate::scope::network::{address, lie_in};
use crate::scope::path::lies_under;
use crate::scope::segments::{begins_with, is_of_paths};
use crate::scope::truth::Truth;
use crate::scope::value_type::ValueType;
use crate::value::Value;

impl<'q, F: Facts<'q>> Evaluation<'_, 'q, F> {
    /// Takes the steps of what looks through a text.
    fn pays_for(&self, leaf: &Node, value: &Value) -> bool {
        let Value::Text(text) = value else { return true };
        let meter = self.meter;
        match leaf {
            // To see whether it leads elsewhere, all of it is looked through.
            Node::Prefix(start) if is_of_paths(start) => {
                meter.charge_bytes(text.len(), Work::Matching)
            }
            Node::Prefix(part) | Node::Suffix(part) => {
                meter.charge_bytes(part.len().min(text.len()), Work::Matching)
            }
            Node::Contains(_) | Node::Under(_) => meter.charge(1 + text.len() / 4, Work::Matching),
            Node::Len(_) => meter.charge_bytes(text.len(), Work::Matching),
            Node::Cidr(networks) => meter.charge(8 + networks.len() / 2, Work::Reading),
            Node::Instants(_) | Node::Weekly(_) => meter.charge(16 + text.len() / 8, Work::Reading),
            _ => true,
        }
    }

    pub(super) fn ask_leaf(&self, leaf: &Node, value: &Value) -> Truth {
        if !self.pays_for(leaf, value) {
            return Truth::Unknown;
        }
        match (leaf, value) {
            (Node::Any, _) => Truth::True,
            (Node::Type(own), _) if self.in_list => Truth::of(*own == ValueType::List),
            (Node::Type(own), value) => Truth::of(own.includes(value)),
            (Node::Is(set), value) => is_one_of(set, value, 0, self.meter),
            // Two things that are both not filled in are not the same thing.
            (Node::SameAs(fact), value) => match self.facts.fact(fact) {
                Some(other) if !other.is_nothing() && !value.is_nothing() => {
                    is_same(value, other, self.meter)
                }
                _ => Truth::Unknown,
            },
            (Node::Compared(own), value) => self.ask_comparison(own, value),
            (Node::Range(range), Value::Number(number)) => Truth::of(range.contains(*number)),
            (Node::Levels(levels), Value::Text(text)) => levels.holds_of(text, self.meter),
            (Node::Prefix(start), Value::Text(text)) => begins_with(text, start),
            (Node::Suffix(end), Value::Text(text)) => Truth::of(text.ends_with(&**end)),
            (Node::Contains(part), Value::Text(text)) => Truth::of(text.contains(&**part)),
            (Node::Glob(glob), Value::Text(text)) => glob.holds_of(text, self.meter),
            (Node::Regex(_), Value::Text(text)) if text.len() > MAX_PATTERN_TEXT => Truth::Unknown,
            (Node::Regex(regex), Value::Text(text)) => {
                regex.matches_within(text, self.meter).map_or(Truth::Unknown, Truth::of)
            }
            (Node::Under(folder), Value::Text(text)) => lies_under(text, folder),
            (Node::Cidr(networks), Value::Text(text)) => match address(text) {
                Some(address) => lie_in(networks, address),
                None => Truth::Unknown,
            },
            (Node::Instants(range), Value::Text(text)) => match Timestamp::parse_rfc3339(text) {
                Ok(instant) => Truth::of(range.contains(instant)),
                Err(_) => Truth::Unknown,
            },
            (Node::Weekly(weekly), Value::Text(text)) => match Timestamp::parse_rfc3339(text) {
                Ok(instant) => weekly.contains(instant),
                Err(_) => Truth::Unknown,
            },
            (Node::Len(count), Value::Text(text)) => {
                Truth::of(count.contains(text.chars().count() as u64))
            }
            (Node::Count(count), Value::List(elements)) => {
                Truth::of(count.contains(elements.len() as u64))
            }
            (Node::SubsetOf(set), Value::List(elements)) => {
                self.all(elements.iter().map(|element| is_one_of(set, element, 0, self.meter)))
            }
            // As `some` of `one_of`: an element of another kind (a list around the value, say)
            // leaves it open instead of turning a forbid off.
            (Node::HasAny(set), Value::List(elements)) => has_any(set, elements, self.meter),
            (Node::HasAll(set), Value::List(elements)) => contains_all(set, elements, self.meter),
            // The wrong kind of value, or a constraint that was never valid: nothing can be said.
            _ => Truth::Unknown,
        }
    }
}

/// `present`: there, and filled in with something.
pub(in crate::scope) fn is_filled_in(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(_) => true,
    }
}
