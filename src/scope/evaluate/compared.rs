//! A value asked of a kind that takes what another part of the question is.

use std::borrow::Cow;

use super::{Evaluation, Facts};
use crate::meter::Work;
use crate::scope::comparison::Place;
use crate::scope::constraint::{Constraint, Node};
use crate::scope::kind::{Bound, Range, steps_to_compare};
use crate::scope::known::Known;
use crate::scope::operand::Comparison;
use crate::scope::path::lies_under;
use crate::scope::relation::Relation;
use crate::scope::segments::begins_with;
use crate::scope::truth::Truth;
use crate::value::Value;

/// How long a list is before it is sorted to find values in it.
const FEW: usize = 8;

impl<'q, F: Facts<'q>> Evaluation<'_, 'q, F> {
    pub(super) fn is_known(&self, own: &Comparison) -> bool {
        own.known(|fact| self.facts.fact(fact), self.meter).is_some()
    }

    /// The constraint with what it compares with in its place, of what is not known as it is.
    #[inline(never)]
    pub(super) fn ask_comparison(&self, own: &Comparison, value: &Value) -> Truth {
        let Some(known) = own.known(|fact| self.facts.fact(fact), self.meter) else {
            return Truth::Unknown;
        };
        match (known, value) {
            (Known::Number(bound), Value::Number(number)) => {
                let range = match own.relation {
                    Relation::Min => Range { lower: Some(Bound::at(bound)), upper: None },
                    Relation::Above => Range { lower: Some(Bound::beyond(bound)), upper: None },
                    Relation::Max => Range { lower: None, upper: Some(Bound::at(bound)) },
                    _ => Range { lower: None, upper: Some(Bound::beyond(bound)) },
                };
                Truth::of(range.contains(*number))
            }
            (Known::Text(with), Value::Text(text)) => self.ask_text(own.relation, &with, text),
            (Known::Levels(levels), Value::Text(text)) => levels.holds_of(text, self.meter),
            (Known::Instant(_), _) => self.ask_spelled_out(own, value),
            (Known::List(list), value) => match (own.relation, value) {
                (Relation::OneOf, value) => self.is_among(list, value),
                (Relation::SubsetOf, Value::List(elements)) if list.len() <= FEW => {
                    self.all(elements.iter().map(|element| self.is_among(list, element)))
                }
                (Relation::HasAny, Value::List(elements)) if list.len() <= FEW => {
                    self.any(elements.iter().map(|element| self.is_among(list, element)))
                }
                _ => self.ask_spelled_out(own, value),
            },
            _ => Truth::Unknown,
        }
    }

    fn ask_text(&self, relation: Relation, with: &str, text: &str) -> Truth {
        let affordable = match relation {
            Relation::Contains | Relation::Under => {
                self.meter.charge(1 + text.len() / 4, Work::Matching)
            }
            _ => self.meter.charge_bytes(text.len(), Work::Matching),
        };
        if !affordable {
            return Truth::Unknown;
        }
        match relation {
            Relation::Eq => Truth::of(text == with),
            Relation::Prefix => begins_with(text, with),
            Relation::Suffix => Truth::of(text.ends_with(with)),
            Relation::Contains => Truth::of(text.contains(with)),
            Relation::Under => lies_under(text, with),
            _ => Truth::Unknown,
        }
    }

    fn ask_spelled_out(&self, own: &Comparison, value: &Value) -> Truth {
        match own.spelled_out(|fact| self.facts.fact(fact), self.meter) {
            Some(spelled) => self.ask_leaf(&spelled.0, value),
            None => Truth::Unknown,
        }
    }

    /// As a set of these values would say: unknown if none is of the value's kind.
    fn is_among(&self, list: &[Value], value: &Value) -> Truth {
        let mut says = Truth::Unknown;
        for own in list {
            if !self.meter.charge(steps_to_compare(value, own.size()), Work::Comparing) {
                return Truth::Unknown;
            }
            if own == value {
                return Truth::True;
            }
            if own.kind_name() == value.kind_name() {
                says = Truth::False;
            }
        }
        says
    }

    /// For asking many elements: each list that is compared with as a set, sorted once.
    pub(super) fn with_sets<'c>(&self, constraint: &'c Constraint) -> Cow<'c, Constraint> {
        constraint.replace_comparisons(Place::default(), &|leaf, _| match leaf {
            Node::Compared(own) if own.relation == Relation::OneOf => {
                own.spelled_out(|fact| self.facts.fact(fact), self.meter)
            }
            _ => None,
        })
    }
}
