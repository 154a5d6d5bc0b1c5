//! A constraint as data: the same shape that policies are written in.

use super::constraint::{Constraint, Node};
use super::fact::Fact;
use super::kind::{Bound, Count, Range, Set};
use super::operand::{Operand, Piece};
use super::weekly::Weekly;
use crate::value::{Object, Value};

impl Constraint {
    /// The constraint as a policy writes it, in one canonical spelling: `{"max":100}`, `"any"`.
    ///
    /// This is what people are shown, what the log keeps and what a policy's digest is made of.
    pub fn to_value(&self) -> Value {
        match &self.0 {
            Node::Any => Value::from("any"),
            Node::Present(wanted) => one("present", Value::Bool(*wanted)),
            Node::Type(own) => one("type", Value::from(own.as_str())),
            Node::Is(set) => match set.iter().next() {
                // There it would be a reference.
                Some(value) if set.len() == 1 && !is_reference(value) => one("eq", value.clone()),
                _ => one("one_of", list(set)),
            },
            Node::SameAs(fact) => one("same_as", Value::from(fact.to_string())),
            Node::Compared(own) => {
                let mut object = single(own.relation.as_str(), operand_value(&own.with));
                if let Some(order) = &own.order {
                    let _ = object.insert(ORDER, order.to_value());
                }
                Value::Object(object)
            }
            Node::Range(own) => range_value(&own.range()),
            Node::Levels(levels) => {
                let (bounds, order) = levels.told();
                let mut object = single(ORDER, order);
                for (word, level) in bounds {
                    let _ = object.insert(word, level);
                }
                Value::Object(object)
            }
            Node::Prefix(text) => one("prefix", Value::Text(text.clone())),
            Node::Suffix(text) => one("suffix", Value::Text(text.clone())),
            Node::Contains(text) => one("contains", Value::Text(text.clone())),
            Node::Glob(glob) => one("glob", Value::from(glob.as_str())),
            Node::Regex(regex) => one("regex", Value::from(regex.as_str())),
            Node::Under(folder) => one("under", Value::Text(folder.clone())),
            Node::Url(pattern) => one("url", pattern.to_value()),
            Node::Cidr(networks) => {
                let networks = networks.iter().map(|network| Value::from(network.to_string()));
                one("cidr", Value::List(networks.collect()))
            }
            Node::Instants(range) => {
                let mut object = Object::new();
                for (word, instant) in [("after", range.after), ("before", range.before)] {
                    if let Some(instant) = instant {
                        let _ = object.insert(word, instant.to_string());
                    }
                }
                Value::Object(object)
            }
            Node::Weekly(weekly) => one("weekly", weekly_value(weekly)),
            Node::Json(inner) => one("json", inner.to_value()),
            Node::Len(count) => one("len", count_value(count)),
            Node::Fields(fields) => {
                let mut object = Object::new();
                for (name, field) in fields.iter() {
                    // Names are unique in `Fields`, so nothing is refused here.
                    let _ = object.insert(name.to_owned(), field.to_value());
                }
                let mut out = single("fields", Value::Object(object));
                if fields.open {
                    let _ = out.insert("other_fields", Value::from("any"));
                }
                Value::Object(out)
            }
            Node::Items(items) => {
                let places = items.places.iter().map(Constraint::to_value);
                let mut out = single("items", Value::List(places.collect()));
                if let Some(rest) = &items.rest {
                    let _ = out.insert("rest", rest.to_value());
                }
                Value::Object(out)
            }
            Node::Each(inner) => one("each", inner.to_value()),
            Node::Some(inner) => one("some", inner.to_value()),
            Node::Count(count) => one("count", count_value(count)),
            Node::SubsetOf(set) => one("subset_of", list(set)),
            Node::HasAny(set) => one("has_any", list(set)),
            Node::HasAll(set) => one("has_all", list(set)),
            Node::All(parts) => conjunction_value(parts),
            Node::AnyOf(parts) => one("any", parts_value(parts)),
            Node::Not(inner) => one("not", inner.to_value()),
            Node::Faulty(error) => one("faulty", Value::from(error.to_string())),
        }
    }
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.to_value(), f)
    }
}

impl serde::Serialize for Constraint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

/// The key of a table that names another part of the question in the place of a value.
pub(super) const REF: &str = "ref";

/// The key that says by which order `min`, `max`, `above` and `below` next to it compare texts.
pub(super) const ORDER: &str = "order";

/// The key of a table that joins a text in the place of a value.
pub(super) const JOIN: &str = "join";

/// Whether a value is written as a reference is.
pub(crate) fn is_reference(value: &Value) -> bool {
    let is_key = |key: &str| matches!(key, REF | JOIN);
    value.as_object().is_some_and(|object| object.len() == 1 && object.keys().all(is_key))
}

fn operand_value(with: &Operand) -> Value {
    let part = |fact: &Fact| one(REF, Value::from(fact.to_string()));
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Value::Text(text.clone()),
        Piece::Fact(fact) => part(fact),
    };
    match with {
        Operand::Fact(fact) => part(fact),
        Operand::Joined(pieces) => one(JOIN, Value::List(pieces.iter().map(piece).collect())),
    }
}

fn single(word: &'static str, value: Value) -> Object {
    let mut object = Object::new();
    // The object was empty, so the key can't be there yet.
    let _ = object.insert(word, value);
    object
}

fn one(word: &'static str, value: Value) -> Value {
    Value::Object(single(word, value))
}

fn list(set: &Set) -> Value {
    Value::List(set.iter().cloned().collect())
}

fn parts_value(parts: &[Constraint]) -> Value {
    // Order and duplicates mean nothing: one canonical form.
    let mut values: Vec<Value> = parts.iter().map(Constraint::to_value).collect();
    values.sort();
    values.dedup();
    Value::List(values)
}

/// A conjunction as one table where no word comes twice, `{"max":5,"min":1}`; else with `all`.
fn conjunction_value(parts: &[Constraint]) -> Value {
    // Bounds that stand side by side are one interval, as the keys of one table are.
    let mut parts: Vec<&Constraint> = parts.iter().collect();
    while let Some(at) = parts.iter().position(|part| matches!(part.0, Node::All(_))) {
        // A conjunction inside a conjunction says no more than its parts.
        if let Node::All(inner) = &parts.swap_remove(at).0 {
            parts.extend(inner);
        }
    }
    let bounds = parts.iter().fold(Range::default(), |all, part| match &part.0 {
        Node::Range(own) => all.intersect(own.range()),
        _ => all,
    });
    let mut told: Vec<Value> = parts
        .iter()
        .filter(|part| !matches!(part.0, Node::Range(_)))
        .map(|part| part.to_value())
        .collect();
    if bounds != Range::default() {
        told.push(range_value(&bounds));
    }
    told.sort();
    told.dedup();
    let parts = match <[Value; 1]>::try_from(told) {
        Ok([only]) => return only,
        Err(told) => Value::List(told),
    };
    match together(&parts) {
        Some(together) => Value::Object(together),
        None => one("all", parts),
    }
}

fn together(parts: &Value) -> Option<Object> {
    let mut together = Object::new();
    let parts = parts.as_list()?;
    // Next to an order a bound would be one by it.
    let is_by_order = |part: &Value| part.as_object().is_some_and(|own| own.get(ORDER).is_some());
    if parts.iter().any(is_by_order) {
        return None;
    }
    for part in parts {
        for (word, value) in part.as_object()?.iter() {
            together.insert(word.to_owned(), value.clone()).ok()?;
        }
    }
    Some(together)
}

fn range_value(range: &Range) -> Value {
    let mut object = Object::new();
    let mut put = |bound: Option<Bound>, at: &'static str, beyond: &'static str| {
        if let Some(bound) = bound {
            let word = if bound.inclusive { at } else { beyond };
            let _ = object.insert(word, Value::Number(bound.number));
        }
    };
    put(range.lower, "min", "above");
    put(range.upper, "max", "below");
    Value::Object(object)
}

fn weekly_value(weekly: &Weekly) -> Value {
    let mut object = Object::new();
    let _ = object.insert("days", weekly.days().collect::<Vec<_>>());
    let _ = object.insert("from", weekly.from());
    let _ = object.insert("until", weekly.until());
    let (key, place) = weekly.clocks();
    let _ = object.insert(key, place);
    Value::Object(object)
}

fn count_value(count: &Count) -> Value {
    if count.max == Some(count.min) {
        return Value::from(count.min);
    }
    let mut object = Object::new();
    if count.min > 0 || count.max.is_none() {
        let _ = object.insert("min", Value::from(count.min));
    }
    if let Some(max) = count.max {
        let _ = object.insert("max", Value::from(max));
    }
    Value::Object(object)
}
