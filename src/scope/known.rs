//! What a comparison turns out to compare with, where that is known.

use std::borrow::Cow;

use super::constraint::{Constraint, Node};
use super::fact::Fact;
use super::instant::Instants;
use super::kind::{Bound, Range, Set};
use super::operand::{Comparison, Operand, Piece, is_segment, join};
use super::order::Levels;
use super::path::canonical_path;
use super::relation::{Expected, Relation};
use crate::clock::Timestamp;
use crate::meter::{Meter, Work};
use crate::value::{Number, Value};

/// What an operand turned out to be.
pub(super) enum Known<'v> {
    Number(Number),
    Text(Cow<'v, str>),
    Instant(Timestamp),
    List(&'v [Value]),
    Levels(Levels),
}

impl Comparison {
    /// What is compared with, if it is there and as the kind takes it.
    pub(super) fn known<'v>(
        &self,
        find: impl Fn(&Fact) -> Option<&'v Value>,
        meter: &Meter,
    ) -> Option<Known<'v>> {
        let text = match &self.with {
            Operand::Joined(pieces) => Cow::Owned(joined(pieces, find, meter)?),
            Operand::Fact(fact) => match (self.expects(), find(fact)?) {
                (Expected::Number, Value::Number(number)) => return Some(Known::Number(*number)),
                (Expected::List, Value::List(list)) => {
                    let steps = 1 + list.len() / 8;
                    // As in a policy, a set for single values has no lists among them.
                    let is_set = !list.is_empty()
                        && meter.charge(steps, Work::Comparing)
                        && (self.relation != Relation::OneOf
                            || !list.iter().any(|own| matches!(own, Value::List(_))));
                    return is_set.then_some(Known::List(list));
                }
                (Expected::Text | Expected::Value, Value::Text(text)) => Cow::Borrowed(&**text),
                _ => return None,
            },
        };
        if text.is_empty() {
            return None;
        }
        if let Some(order) = &self.order {
            let affordable = meter.charge_bytes(text.len(), Work::Comparing);
            return affordable.then(|| order.bound(self.relation, &text))?.map(Known::Levels);
        }
        match self.relation {
            Relation::After | Relation::Before => {
                let affordable = meter.charge(16 + text.len() / 8, Work::Reading);
                let read = affordable.then(|| Timestamp::parse_rfc3339(&text))?;
                read.ok().map(Known::Instant)
            }
            Relation::Under if !meter.charge(1 + text.len() / 4, Work::Matching) => None,
            Relation::Under => match canonical_path(&text) {
                Ok(Cow::Borrowed(_)) => Some(Known::Text(text)),
                Ok(Cow::Owned(folder)) => Some(Known::Text(Cow::Owned(folder))),
                Err(_) => None,
            },
            _ => Some(Known::Text(text)),
        }
    }

    /// The constraint with what it compares with in its place; `None` where that is not known, or is nothing
    /// that the kind takes.
    pub(crate) fn spelled_out<'v>(
        &self,
        find: impl Fn(&Fact) -> Option<&'v Value>,
        meter: &Meter,
    ) -> Option<Constraint> {
        let known = self.known(find, meter)?;
        let affordable = match &known {
            Known::List(list) => {
                list.iter().all(|own| meter.charge(1 + own.size() / 8, Work::Comparing))
            }
            _ => true,
        };
        if affordable { self.relation.of(known) } else { None }
    }
}

impl Relation {
    /// The constraint of this kind.
    fn of(self, known: Known<'_>) -> Option<Constraint> {
        let at_least = |bound| Range { lower: Some(bound), upper: None }.into();
        let at_most = |bound| Range { lower: None, upper: Some(bound) }.into();
        let text = |own: Cow<'_, str>| Box::<str>::from(own);
        Some(Constraint(match (self, known) {
            (Relation::Min, Known::Number(own)) => Node::Range(at_least(Bound::at(own))),
            (Relation::Above, Known::Number(own)) => Node::Range(at_least(Bound::beyond(own))),
            (Relation::Max, Known::Number(own)) => Node::Range(at_most(Bound::at(own))),
            (Relation::Below, Known::Number(own)) => Node::Range(at_most(Bound::beyond(own))),
            (Relation::After, Known::Instant(own)) => {
                Node::Instants(Box::new(Instants { after: Some(own), before: None }))
            }
            (Relation::Before, Known::Instant(own)) => {
                Node::Instants(Box::new(Instants { after: None, before: Some(own) }))
            }
            (Relation::Eq, Known::Text(own)) => Node::Is(Set::one(Value::Text(text(own)))),
            (Relation::Prefix, Known::Text(own)) => Node::Prefix(text(own)),
            (Relation::Suffix, Known::Text(own)) => Node::Suffix(text(own)),
            (Relation::Contains, Known::Text(own)) => Node::Contains(text(own)),
            (Relation::Under, Known::Text(own)) => Node::Under(text(own)),
            (Relation::OneOf, Known::List(own)) => Node::Is(Set::new(own.to_vec())?),
            (Relation::SubsetOf, Known::List(own)) => Node::SubsetOf(Set::new(own.to_vec())?),
            (Relation::HasAny, Known::List(own)) => Node::HasAny(Set::new(own.to_vec())?),
            (Relation::HasAll, Known::List(own)) => Node::HasAll(Set::new(own.to_vec())?),
            (_, Known::Levels(own)) => Node::Levels(Box::new(own)),
            _ => return None,
        }))
    }
}

fn joined<'v>(
    pieces: &[Piece],
    find: impl Fn(&Fact) -> Option<&'v Value>,
    meter: &Meter,
) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        let piece = match piece {
            Piece::Text(text) => text,
            Piece::Fact(fact) => match find(fact)? {
                Value::Text(text) if meter.charge_bytes(text.len(), Work::Reading) => {
                    Some(&**text).filter(|text| is_segment(text))?
                }
                _ => return None,
            },
        };
        join(&mut out, piece);
    }
    meter.charge_bytes(out.len(), Work::Reading).then_some(out)
}
