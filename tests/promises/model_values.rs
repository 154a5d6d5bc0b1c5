//! How values compare, in three values, and which texts a glob matches.

use hallpass::scope::ValueType;

use crate::model::{FALSE, TRUE, Truth3, UNKNOWN, truth};
use crate::reading::{self, climbs};
use crate::universe::*;

pub(crate) fn told(answer: reading::Told) -> Truth3 {
    answer.map_or(UNKNOWN, truth)
}

pub(crate) fn is_of_type(own: ValueType, value: &V) -> bool {
    match (own, value) {
        (ValueType::Integer, V::Halves(n)) => n % 2 == 0,
        (ValueType::Number, V::Halves(_))
        | (ValueType::Text, V::Text(_))
        | (ValueType::Bool, V::Bool(_))
        | (ValueType::List, V::List(_))
        | (ValueType::Object, V::Object(_))
        | (ValueType::Null, V::Null) => true,
        _ => false,
    }
}

/// What is asked of each element of a list: the type of the whole is known.
pub(crate) fn in_list(c: &C) -> C {
    let all = |parts: &[C]| parts.iter().map(in_list).collect();
    match c {
        C::Type(ValueType::List) => C::Any,
        C::Type(_) => C::Not(Box::new(C::Any)),
        C::All(parts) => C::All(all(parts)),
        C::AnyOf(parts) => C::AnyOf(all(parts)),
        C::Not(inner) => C::Not(Box::new(in_list(inner))),
        _ => c.clone(),
    }
}

pub(crate) fn kind(value: &V) -> u8 {
    match value {
        V::Null => 0,
        V::Bool(_) => 1,
        V::Halves(_) => 2,
        V::Text(_) => 3,
        V::List(_) => 4,
        V::Object(_) => 5,
    }
}

/// Whether a comparison with another part of the question is asked of the value itself.
pub(crate) fn compares(c: &C) -> bool {
    match c {
        C::SameAs(_) => true,
        C::All(parts) | C::AnyOf(parts) => parts.iter().any(compares),
        C::Not(inner) => compares(inner),
        _ => false,
    }
}

/// Whether nothing is in it.
pub(crate) fn empty(value: &V) -> bool {
    match value {
        V::Null => true,
        V::Text(own) => own.is_empty(),
        V::List(own) => own.is_empty(),
        V::Object(own) => own.is_empty(),
        V::Bool(_) | V::Halves(_) => false,
    }
}

pub(crate) fn same(one: &V, other: &V) -> Truth3 {
    match (one == other, kind(one) == kind(other)) {
        (true, _) => TRUE,
        (false, true) => FALSE,
        (false, false) => UNKNOWN,
    }
}

/// A value is of the wrong type only if no member has its type.
pub(crate) fn one_of(set: &[V], value: &V) -> Truth3 {
    if set.contains(value) {
        TRUE
    } else if set.iter().any(|own| kind(own) == kind(value)) {
        FALSE
    } else {
        UNKNOWN
    }
}

/// Segment by segment.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    fn segments(patterns: &[&str], texts: &[&str]) -> bool {
        match patterns.split_first() {
            None => texts.is_empty(),
            // At the end it asks for something below, if only for the slash.
            Some((&"**", [])) => !texts.is_empty(),
            Some((&"**", rest)) => (0..=texts.len()).any(|n| segments(rest, &texts[n..])),
            Some((pattern, rest)) => match texts.split_first() {
                None => false,
                Some((text, more)) => within(&chars(pattern), &chars(text)) && segments(rest, more),
            },
        }
    }
    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }
    fn within(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| within(rest, &text[n..])),
            Some((c, rest)) => {
                text.first().is_some_and(|t| *c == '?' || c == t) && within(rest, &text[1..])
            }
        }
    }
    let (patterns, texts): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), text.split('/').collect());
    segments(&patterns, &texts)
}

/// As a kind of this word says of a value where `other` is what it is told.
pub(crate) fn in_relation(word: &str, other: &V, value: &V) -> Truth3 {
    match (word, other, value) {
        ("min", V::Halves(n), V::Halves(own)) => truth(own >= n),
        ("max", V::Halves(n), V::Halves(own)) => truth(own <= n),
        ("above", V::Halves(n), V::Halves(own)) => truth(own > n),
        ("below", V::Halves(n), V::Halves(own)) => truth(own < n),
        (word, V::Text(level), V::Text(own)) if word.ends_with("_in") => by_order(word, level, own),
        ("after", V::Text(from), V::Text(own)) => {
            told(reading::instant(own).map(|own| own >= reading::instant(from).unwrap()))
        }
        ("before", V::Text(until), V::Text(own)) => {
            told(reading::instant(own).map(|own| own < reading::instant(until).unwrap()))
        }
        ("eq", other, value) => same(other, value),
        ("one_of", V::List(set), value) => one_of(set, value),
        ("prefix", V::Text(p), V::Text(own)) if p.contains('/') && !climbs(p) && climbs(own) => {
            UNKNOWN
        }
        ("prefix", V::Text(p), V::Text(own)) => truth(own.starts_with(p.as_str())),
        ("suffix", V::Text(p), V::Text(own)) => truth(own.ends_with(p.as_str())),
        ("contains", V::Text(p), V::Text(own)) => truth(own.contains(p.as_str())),
        ("under", V::Text(own), V::Text(text)) => {
            told(reading::under(&reading::folder(own).unwrap(), text))
        }
        ("subset_of", V::List(set), V::List(own)) => {
            own.iter().map(|v| one_of(set, v)).min().unwrap_or(TRUE)
        }
        ("has_any", V::List(set), V::List(own)) => {
            own.iter().map(|v| one_of(set, v)).max().unwrap_or(FALSE)
        }
        ("has_all", V::List(set), V::List(own)) => set
            .iter()
            .map(|wanted| own.iter().map(|v| same(wanted, v)).max().unwrap_or(FALSE))
            .min()
            .unwrap_or(TRUE),
        _ => UNKNOWN,
    }
}

/// As [`ORDER`] says; of a text that it does not have nothing is known.
fn by_order(word: &str, level: &str, own: &str) -> Truth3 {
    let rank = |text: &str| ORDER.iter().position(|own| *own == text);
    let (Some(level), Some(own)) = (rank(level), rank(own)) else { return UNKNOWN };
    truth(match word {
        "min_in" => own >= level,
        "max_in" => own <= level,
        "above_in" => own > level,
        _ => own < level,
    })
}
