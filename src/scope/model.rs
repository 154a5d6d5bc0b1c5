//! What constraints mean, said a second time for tests: slowly, by the book, over small universes.

mod universe;

pub(super) use self::universe::{
    ODD, constraints, facts, long_texts, mixed_constraints, scalars, sound_constraints, values,
};

use super::comparison::Place;
use super::constraint::{Constraint, Node};
use super::evaluate::{Facts, Stance};
use super::fact::{Absence, Fact};
use super::items::Items;
use super::kind::Sort;
use super::operand::{Comparison, Operand, Piece};
use super::relation::Relation;
use super::truth::Truth;
use super::value_type::ValueType;
use super::{
    after, any, before, below, contains, eq, has_all, has_any, min, not, one_of, prefix, subset_of,
    suffix, under,
};
use crate::clock::Timestamp;
use crate::value::Value;
use crate::visible::is_hidden;

/// A question in which `x` is the value asked about and `args.other` what it may be compared with.
#[derive(Clone, Debug, Default)]
pub(super) struct Small {
    pub(super) value: Option<Value>,
    pub(super) other: Option<Value>,
}

impl Small {
    pub(super) fn nested(&self) -> bool {
        self.value.as_ref().is_some_and(|value| value.depth() > 0)
    }
}

impl<'q> Facts<'q> for &'q Small {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        if *fact == Fact::arg("other") { self.other.as_ref() } else { self.value.as_ref() }
    }
}

/// False, unknown and true as numbers: `and` is the least, `or` the greatest.
fn truth(number: i8) -> Truth {
    match number {
        0 => Truth::False,
        1 => Truth::Unknown,
        _ => Truth::True,
    }
}

fn of(holds: bool) -> i8 {
    if holds { 2 } else { 0 }
}

pub(super) fn holds(constraint: &Constraint, fact: &Fact, stance: Stance, facts: &Small) -> Truth {
    let known = |leaf: &Node, _| match (leaf, &facts.other) {
        (Node::Compared(own), Some(other)) => in_its_place(own, other),
        _ => None,
    };
    let constraint = constraint.replace_comparisons(Place::default(), &known).into_owned();
    let normal = push_not(&constraint, false);
    let absent = if fact.absence() == Absence::Argument { 0 } else { 1 };
    truth(ask(&normal, facts.fact(fact), stance, absent, facts))
}

/// What a policy would say of `other` itself; nothing where it could not.
pub(super) fn in_its_place(own: &Comparison, other: &Value) -> Option<Constraint> {
    let text = match (&own.with, other) {
        (Operand::Fact(_), Value::Text(text)) => Some(text.to_string()),
        (Operand::Joined(pieces), Value::Text(text)) => {
            if text.contains('/') || ["", ".", ".."].contains(&&**text) || text.contains(is_hidden)
            {
                return None;
            }
            let said = pieces.iter().map(|piece| match piece {
                Piece::Text(text) => text.trim_matches('/').to_owned(),
                Piece::Fact(_) => text.to_string(),
            });
            let first = matches!(pieces.first(), Some(Piece::Text(text)) if text.starts_with('/'));
            let last = matches!(pieces.last(), Some(Piece::Text(text)) if text.ends_with('/'));
            let said: Vec<String> = said.filter(|own| !own.is_empty()).collect();
            let [first, last] = [first, last].map(|slash| if slash { "/" } else { "" });
            Some(format!("{first}{}{last}", said.join("/")))
        }
        (Operand::Joined(_), _) => return None,
        _ => None,
    };
    let list = match other {
        Value::List(list) => Some(list.clone()),
        _ => None,
    };
    if let Some(order) = &own.order {
        let known = order.bound(own.relation, other.as_text()?)?;
        return Some(Constraint(Node::Levels(Box::new(known))));
    }
    let said = match own.relation {
        Relation::Min => min(other.as_number()?),
        Relation::Max => super::max(other.as_number()?),
        Relation::Above => super::above(other.as_number()?),
        Relation::Below => below(other.as_number()?),
        Relation::After => after(Timestamp::parse_rfc3339(&text?).ok()?),
        Relation::Before => before(Timestamp::parse_rfc3339(&text?).ok()?),
        Relation::Eq => eq(text?),
        Relation::Prefix => prefix(&text?),
        Relation::Suffix => suffix(&text?),
        Relation::Contains => contains(&text?),
        Relation::Under => under(&text?),
        Relation::OneOf if list.as_ref()?.iter().any(|own| own.as_list().is_some()) => return None,
        Relation::OneOf => one_of(list?),
        Relation::SubsetOf => subset_of(list?),
        Relation::HasAny => has_any(list?),
        Relation::HasAll => has_all(list?),
    };
    said.check().is_ok().then_some(said)
}

/// The same constraint with `not` only around kinds that have nothing inside.
fn push_not(constraint: &Constraint, negated: bool) -> Constraint {
    let all = |parts: &[Constraint]| parts.iter().map(|p| push_not(p, negated)).collect();
    Constraint(match (&constraint.0, negated) {
        (Node::Not(inner), _) => return push_not(inner, !negated),
        (Node::All(parts), false) | (Node::AnyOf(parts), true) => Node::All(all(parts)),
        (Node::AnyOf(parts), false) | (Node::All(parts), true) => Node::AnyOf(all(parts)),
        (_, false) => return constraint.clone(),
        (_, true) => Node::Not(Box::new(constraint.clone())),
    })
}

fn ask(c: &Constraint, value: Option<&Value>, stance: Stance, absent: i8, facts: &Small) -> i8 {
    if let Some(Value::List(elements)) = value
        && matches!(spelled_out(c, facts).sort(), Ok(Sort::Element(_)))
    {
        if elements.is_empty() && names_same(c) {
            return 1;
        }
        let of_element = in_list(c);
        let answers = elements.iter().map(|e| ask(&of_element, Some(e), stance, absent, facts));
        return match stance {
            Stance::Cover => answers.min().unwrap_or(0),
            Stance::Guard => answers.max().unwrap_or(0),
        };
    }
    match &c.0 {
        Node::All(parts) => {
            parts.iter().map(|p| one(p, value, stance, absent, facts)).min().unwrap_or(2)
        }
        Node::AnyOf(parts) => {
            parts.iter().map(|p| one(p, value, stance, absent, facts)).max().unwrap_or(0)
        }
        _ => one(c, value, stance, absent, facts),
    }
}

/// What is asked of the elements of a list: its own type is known.
fn in_list(c: &Constraint) -> Constraint {
    let all = |parts: &[Constraint]| parts.iter().map(in_list).collect();
    Constraint(match &c.0 {
        Node::Type(ValueType::List) => Node::Any,
        Node::Type(_) => Node::Not(Box::new(any())),
        Node::All(parts) => Node::All(all(parts)),
        Node::AnyOf(parts) => Node::AnyOf(all(parts)),
        Node::Not(inner) => Node::Not(Box::new(in_list(inner))),
        _ => return c.clone(),
    })
}

/// Whether a comparison is among what is asked of each element.
fn names_same(c: &Constraint) -> bool {
    match &c.0 {
        Node::SameAs(_) => true,
        Node::All(parts) | Node::AnyOf(parts) => parts.iter().any(names_same),
        Node::Not(inner) => names_same(inner),
        _ => false,
    }
}

/// Whether nothing is in it.
pub(super) fn is_empty(value: &Value) -> bool {
    ["null", "\"\"", "[]", "{}"].contains(&&*value.to_json())
}

/// The constraint with what it compares with in its place.
fn spelled_out(c: &Constraint, facts: &Small) -> Constraint {
    let all = |parts: &[Constraint]| parts.iter().map(|part| spelled_out(part, facts)).collect();
    match (&c.0, &facts.other) {
        (Node::SameAs(_), Some(other)) => eq(other.clone()),
        (Node::All(parts), _) => Constraint(Node::All(all(parts))),
        (Node::AnyOf(parts), _) => Constraint(Node::AnyOf(all(parts))),
        (Node::Not(inner), _) => not(spelled_out(inner, facts)),
        _ => c.clone(),
    }
}

/// One constraint of one value, a list being taken as itself.
fn one(c: &Constraint, value: Option<&Value>, stance: Stance, absent: i8, facts: &Small) -> i8 {
    let sub =
        |c: &Constraint, v: Option<&Value>| ask(&push_not(c, false), v, stance, absent, facts);
    let negated_sub =
        |c: &Constraint, v: Option<&Value>| ask(&push_not(c, true), v, stance, absent, facts);
    match (&c.0, value) {
        (Node::All(parts), _) => {
            parts.iter().map(|p| one(p, value, stance, absent, facts)).min().unwrap_or(2)
        }
        (Node::AnyOf(parts), _) => {
            parts.iter().map(|p| one(p, value, stance, absent, facts)).max().unwrap_or(0)
        }
        (Node::Present(wanted), _) => {
            let there = !matches!(value, None | Some(Value::Null)) && value != Some(&"".into());
            of(there == *wanted)
        }
        (Node::Not(inner), _) => match (&inner.0, value) {
            (Node::Present(_), _) => 2 - one(inner, value, stance, absent, facts),
            (_, None) => 1,
            (Node::Each(each), Some(Value::List(list))) => {
                if list.is_empty() {
                    2
                } else {
                    list.iter().map(|e| negated_sub(each, Some(e))).max().unwrap_or(0)
                }
            }
            (Node::Items(items), Some(Value::List(list))) => {
                let short = list.len() < items.places.len();
                let told = by_place(items, list).into_iter();
                let told = told.map(|(item, own)| negated_sub(item, Some(own)));
                let strict = stance == Stance::Guard && items.rest.is_none();
                let outside = short || (strict && list.len() > items.places.len());
                if outside { 2 } else { told.max().unwrap_or(0) }
            }
            (Node::Some(some), Some(Value::List(list))) => {
                list.iter().map(|e| negated_sub(some, Some(e))).min().unwrap_or(2)
            }
            (Node::Fields(fields), Some(Value::Object(object))) => {
                let unnamed = object.keys().any(|key| fields.get(key).is_none());
                let outside = of(unnamed && !fields.open && stance == Stance::Cover);
                fields
                    .iter()
                    .map(|(name, field)| negated_sub(field, object.get(name)))
                    .chain([outside])
                    .max()
                    .unwrap_or(0)
            }
            _ => 2 - one(inner, value, stance, absent, facts),
        },
        (Node::SameAs(_), None) | (Node::Compared(_), _) => 1,
        (_, None) => absent,
        (Node::Any, Some(_)) => 2,
        (Node::Type(own), Some(value)) => {
            let text = value.to_json();
            let is_integer = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            of(match (own, value) {
                (ValueType::Integer, Value::Number(_)) => is_integer,
                _ => own.as_str() == value.kind_name().trim_end_matches("ean"),
            })
        }
        (Node::Is(set), Some(value)) => set
            .iter()
            .map(|own| same(own, value))
            .max_by_key(|answer| {
                // One of several kinds: false of the right kind says more than unknown of another.
                [1, 0, 2].iter().position(|order| order == answer)
            })
            .unwrap_or(1),
        (Node::SameAs(_), Some(value)) => {
            let other = facts.other.as_ref().filter(|other| !is_empty(other) && !is_empty(value));
            other.map_or(1, |other| same(other, value))
        }
        (Node::Range(range), Some(Value::Number(n))) => of(range.contains(*n)),
        (Node::Levels(levels), Some(own @ Value::Text(_))) => match levels.order().contains(own) {
            true => of(levels.meant().contains(own)),
            false => 1,
        },
        (Node::Prefix(p), Some(Value::Text(t))) if p.contains('/') && !leads(p) && leads(t) => 1,
        (Node::Prefix(p), Some(Value::Text(t))) => of(t.get(..p.len()) == Some(p)),
        (Node::Suffix(p), Some(Value::Text(t))) => {
            of(t.len() >= p.len() && t.get(t.len() - p.len()..) == Some(p))
        }
        (Node::Contains(p), Some(Value::Text(t))) => of(t.split(&**p).count() > 1),
        (Node::Glob(_) | Node::Regex(_), Some(Value::Text(t))) if t.len() > 4096 => 1,
        (Node::Glob(glob), Some(Value::Text(t)))
            if (glob.as_str().contains('/') || glob.as_str() == "**")
                && !leads(glob.as_str())
                && leads(t) =>
        {
            1
        }
        (Node::Glob(glob), Some(Value::Text(t))) if t.contains(is_odd_control) => {
            // A wildcard would take it for a letter.
            of(glob.matches(&t.replace(is_odd_control, "\u{4e00}"))).min(1)
        }
        (Node::Glob(glob), Some(Value::Text(t))) => of(glob.matches(t)),
        (Node::Regex(regex), Some(Value::Text(t))) => of(regex.matches(t)),
        (Node::Len(count), Some(Value::Text(t))) => of(count.contains(t.chars().count() as u64)),
        (Node::Count(count), Some(Value::List(l))) => of(count.contains(l.len() as u64)),
        (Node::Each(inner), Some(Value::List(l))) => {
            l.iter().map(|e| sub(inner, Some(e))).min().unwrap_or(0)
        }
        (Node::Items(items), Some(Value::List(list))) => {
            let told = by_place(items, list).into_iter().map(|(item, own)| sub(item, Some(own)));
            let strict = stance == Stance::Cover && items.rest.is_none();
            let outside =
                list.len() < items.places.len() || (strict && list.len() > items.places.len());
            if outside { 0 } else { told.min().unwrap_or(2) }
        }
        (Node::Some(inner), Some(Value::List(l))) => {
            l.iter().map(|e| sub(inner, Some(e))).max().unwrap_or(0)
        }
        (Node::SubsetOf(set), Some(Value::List(l))) => l
            .iter()
            .map(|e| one(&Constraint(Node::Is(set.clone())), Some(e), stance, absent, facts))
            .min()
            .unwrap_or(2),
        (Node::HasAny(set), Some(Value::List(l))) => l
            .iter()
            .map(|e| one(&Constraint(Node::Is(set.clone())), Some(e), stance, absent, facts))
            .max()
            .unwrap_or(0),
        (Node::HasAll(set), Some(Value::List(l))) => set
            .iter()
            .map(|wanted| l.iter().map(|e| same(wanted, e)).max().unwrap_or(0))
            .min()
            .unwrap_or(2),
        (Node::Fields(fields), Some(Value::Object(object))) => {
            let unnamed = object.keys().any(|key| fields.get(key).is_none());
            let inside = of(!unnamed || fields.open || stance == Stance::Guard);
            fields
                .iter()
                .map(|(name, field)| sub(field, object.get(name)))
                .chain([inside])
                .min()
                .unwrap_or(2)
        }
        _ => 1,
    }
}

/// Each element with what is said of its place.
fn by_place<'a>(
    items: &'a Items<Constraint>,
    list: &'a [Value],
) -> Vec<(&'a Constraint, &'a Value)> {
    let said = |at: usize| items.places.get(at).or(items.rest.as_ref());
    list.iter().enumerate().filter_map(|(at, own)| Some((said(at)?, own))).collect()
}

/// Whether a text leads elsewhere than it says.
fn leads(text: &str) -> bool {
    text.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn is_odd_control(c: char) -> bool {
    c.is_control() && c != '\t' && c != '\n'
}

fn same(one: &Value, other: &Value) -> i8 {
    if one == other {
        2
    } else if std::mem::discriminant(one) == std::mem::discriminant(other) {
        0
    } else {
        1
    }
}
