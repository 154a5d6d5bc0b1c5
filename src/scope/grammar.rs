//! The grammar of constraints: how policies and scopes write each kind.

mod compared;
mod foreign;
mod levels;
mod parts;

use super::constraint::{Constraint, Node};
use super::describe::ORDER;
use super::fact::Fact;
use super::instant::Instants;
use super::kind::{Bound, Count, Range};
use super::relation::Relation;
use super::value_type::ValueType;
use super::words::{
    after, all_of, any, any_of, before, contains, count, each, eq, fields, glob, has_all, has_any,
    items, json, len, not, of_type, one_of, prefix, regex, same_as, some, subset_of, suffix, under,
};
use crate::clock::Timestamp;
use crate::document::{
    Misfit, Table, Written, any_word, did_you_mean, is_quoted_number, list, text, value,
    whole_number,
};
use crate::value::{Number, SpannedNode, Value};
use crate::visible::Shown;

use compared::or_compared;
use foreign::{BOUNDS_ELSEWHERE, unknown_kind};
pub(crate) use levels::read_levels;
use levels::{BOUNDS, bounds_in_order};
use parts::{networks, url_pattern, weekly_window};

/// A kind of constraint: the word that names it, and how what follows the word is read.
struct Kind {
    word: &'static str,
    read: fn(&Written) -> Result<Constraint, Misfit>,
}

const fn kind(word: &'static str, read: fn(&Written) -> Result<Constraint, Misfit>) -> Kind {
    Kind { word, read }
}

/// Every kind there is; one line each.
const KINDS: &[Kind] = &[
    kind("eq", |w| or_compared(w, Relation::Eq, || Ok(eq(value(w)?)))),
    kind("one_of", |w| or_compared(w, Relation::OneOf, || Ok(one_of(values(w)?)))),
    kind("present", |w| Ok(Constraint(Node::Present(boolean(w)?)))),
    kind("type", |w| Ok(of_type(value_type(w)?))),
    kind("same_as", |w| match &w.node {
        SpannedNode::Object(_) => {
            let problem = "expected text, found a table: it names the part itself, as in `same_as = \"who.id\"`";
            Err(Misfit::new(w.span.start, problem))
        }
        _ => Ok(same_as(text(w)?)),
    }),
    kind("min", |w| or_compared(w, Relation::Min, || Ok(range(Some(Bound::at(number(w)?)), None)))),
    kind("max", |w| or_compared(w, Relation::Max, || Ok(range(None, Some(Bound::at(number(w)?)))))),
    kind("above", |w| {
        or_compared(w, Relation::Above, || Ok(range(Some(Bound::beyond(number(w)?)), None)))
    }),
    kind("below", |w| {
        or_compared(w, Relation::Below, || Ok(range(None, Some(Bound::beyond(number(w)?)))))
    }),
    kind("prefix", |w| or_compared(w, Relation::Prefix, || Ok(prefix(one_text(w)?)))),
    kind("suffix", |w| or_compared(w, Relation::Suffix, || Ok(suffix(one_text(w)?)))),
    kind("contains", |w| or_compared(w, Relation::Contains, || Ok(contains(one_text(w)?)))),
    kind("glob", |w| Ok(glob(one_text(w)?))),
    kind("regex", |w| Ok(regex(one_text(w)?))),
    kind("under", |w| or_compared(w, Relation::Under, || Ok(under(one_text(w)?)))),
    kind("url", url_pattern),
    kind("cidr", networks),
    kind("after", |w| or_compared(w, Relation::After, || Ok(after(instant(w)?)))),
    kind("before", |w| or_compared(w, Relation::Before, || Ok(before(instant(w)?)))),
    kind("weekly", weekly_window),
    kind("json", |w| Ok(json(read_constraint(w)?))),
    kind("len", |w| Ok(len(how_many(w)?))),
    kind("fields", |w| Ok(fields(named_constraints(w)?))),
    kind("each", |w| Ok(each(read_constraint(w)?))),
    kind("some", |w| Ok(some(read_constraint(w)?))),
    kind("items", |w| match &w.node {
        SpannedNode::Object(_) => Err(Misfit::new(
            w.span.start,
            "expected a list, found a table: `items = [ … ]` has a constraint for each place, and `each` is \
             asked of every element",
        )),
        _ => Ok(items(constraints(w)?)),
    }),
    kind("count", |w| Ok(count(how_many(w)?))),
    kind("subset_of", |w| or_compared(w, Relation::SubsetOf, || Ok(subset_of(values(w)?)))),
    kind("has_any", |w| or_compared(w, Relation::HasAny, || Ok(has_any(values(w)?)))),
    kind("has_all", |w| or_compared(w, Relation::HasAll, || Ok(has_all(values(w)?)))),
    kind("all", |w| Ok(all_of(constraints(w)?))),
    kind("any", |w| Ok(any_of(constraints(w)?))),
    kind("not", |w| Ok(not(read_constraint(w)?))),
];

/// Opens the `fields` it stands next to.
const OTHER_FIELDS: &str = "other_fields";

/// Says what follows the `items` it stands next to.
const REST: &str = "rest";

/// Every key of a constraint.
pub(crate) fn constraint_words() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.word).chain([OTHER_FIELDS, REST, ORDER])
}

/// Reads a constraint. A bare value means `eq`, the text `any` means any value, and the keys of a
/// table are a conjunction.
pub(crate) fn read_constraint(written: &Written) -> Result<Constraint, Misfit> {
    let at = written.span.start;
    let constraint = match &written.node {
        SpannedNode::Text(text) if &**text == "any" => any(),
        SpannedNode::Null => {
            return Err(Misfit::new(
                at,
                "a bare null could mean two things: write `{ eq = null }` or `{ present = false }`",
            ));
        }
        SpannedNode::List(list) if list.is_empty() => {
            return Err(Misfit::new(
                at,
                "a bare empty list could mean two things: for the list itself write `{ eq = [] }`",
            ));
        }
        SpannedNode::Object(_) => conjunction(written)?,
        _ => eq(value(written)?),
    };
    // Checked here, innermost first, so that a message points at the part that is wrong.
    constraint.check().map_err(|error| Misfit::new(at, error.to_string()))?;
    Ok(constraint)
}

/// Reads a table of constraints, one for each name.
pub(crate) fn named_constraints(written: &Written) -> Result<Vec<(Box<str>, Constraint)>, Misfit> {
    Table::open(
        written,
        "a table of names and constraints such as `{ to = \"any\", amount = { max = 500 } }`",
    )?
    .each(|name, own| Ok((name.into(), read_constraint(own)?)))
}

fn conjunction(written: &Written) -> Result<Constraint, Misfit> {
    let table = Table::open(written, "a constraint")?;
    let mut parts = bounds_in_order(&table)?;
    let by_order = table.get(ORDER).is_some();
    let mut bounds = Range::default();
    let mut instants = Instants::default();
    for (at, word, own) in table.entries() {
        if word == OTHER_FIELDS {
            if table.get("fields").is_none() {
                return Err(Misfit::new(
                    at,
                    "`other_fields` belongs to `fields`, and there are none",
                ));
            }
            any_word(own).map_err(|error| error.inside(word))?;
            continue;
        }
        if word == REST {
            if table.get("items").is_none() {
                let problem = "`rest` belongs to `items`, and there are none";
                return Err(Misfit::new(at, problem));
            }
            continue;
        }
        if word == ORDER || (by_order && BOUNDS.iter().any(|(own, _)| *own == word)) {
            continue;
        }
        let kind = KINDS
            .iter()
            .find(|kind| kind.word == word)
            .ok_or_else(|| Misfit::new(at, unknown_kind(word)))?;
        let part = (kind.read)(own).map_err(|error| error.inside(word))?;
        match part.0 {
            Node::Faulty(error) => {
                return Err(Misfit::new(own.span.start, error.to_string()).inside(word));
            }
            // Bounds of one table are one interval.
            Node::Range(own) => bounds = bounds.intersect(own.range()),
            Node::Instants(own) => {
                instants.after = instants.after.or(own.after);
                instants.before = instants.before.or(own.before);
            }
            Node::Fields(fields) if table.get(OTHER_FIELDS).is_some() => {
                parts.push(Constraint(Node::Fields(fields.open())));
            }
            node @ Node::Items(_) => {
                let rest = table.read_at(REST, read_constraint)?;
                parts.push(rest.into_iter().fold(Constraint(node), Constraint::rest));
            }
            node => parts.push(Constraint(node)),
        }
    }
    if instants != Instants::default() {
        parts.push(Constraint(Node::Instants(Box::new(instants))));
    }
    if bounds != Range::default() {
        parts.push(Constraint(Node::Range(bounds.into())));
    }
    match (parts.pop(), parts.is_empty()) {
        (None, _) => Err(Misfit::new(
            table.at,
            "an empty constraint says nothing: write `\"any\"` if any value will do",
        )),
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            parts.push(last);
            Ok(all_of(parts))
        }
    }
}

fn one_text(written: &Written) -> Result<&str, Misfit> {
    let problem = match &written.node {
        SpannedNode::List(_) => {
            "expected one text, found a list: for one of several write `any = [{ … }, { … }]`, each with its own, \
             and of a list that has one of these `has_any = [ … ]`"
        }
        SpannedNode::Object(_) => {
            "expected text, found a table: patterns stand in the policy, and `{ ref = … }` in the place of a value, \
             as in `prefix = { ref = … }` and `under = { join = [ … ] }`"
        }
        _ => return text(written),
    };
    Err(Misfit::new(written.span.start, problem))
}

fn values(written: &Written) -> Result<Vec<Value>, Misfit> {
    match &written.node {
        SpannedNode::Text(text) if Fact::parse(text).is_ok() => {
            let problem = "expected a list, found text: that part of the question is";
            let problem = format!("{problem} `{{ ref = \"{text}\" }}`");
            Err(Misfit::new(written.span.start, problem))
        }
        _ => list(written)?.iter().enumerate().map(|(at, own)| listed(own, at)).collect(),
    }
}

/// A value of a list, which is compared as it is.
fn listed(written: &Written, at: usize) -> Result<Value, Misfit> {
    if let SpannedNode::Object(entries) = &written.node
        && let [(_, word, _)] = entries.as_slice()
        && KINDS.iter().any(|kind| kind.word == &**word)
    {
        let problem = format!(
            "a list has values, and this is a constraint: for one of several write `any = [{{ {word} = … }}, {{ … }}]`"
        );
        return Err(Misfit::new(written.span.start, problem).of_element(at));
    }
    value(written)
}

fn constraints(written: &Written) -> Result<Vec<Constraint>, Misfit> {
    let parts = list(written)?.iter().enumerate();
    parts.map(|(at, own)| read_constraint(own).map_err(|error| error.of_element(at))).collect()
}

fn number(written: &Written) -> Result<Number, Misfit> {
    match value(written)? {
        Value::Number(number) => Ok(number),
        Value::Object(_) => Err(Misfit::new(
            written.span.start,
            "expected a number, found an object: a bound on a field of it is said inside `fields`, as in \
             `fields = { amount = { max = 5 } }`, and one that another part of the question has by \
             `{ ref = \"who.attrs.limit\" }`",
        )),
        other => {
            let found = other.kind_name();
            let meant = match &other {
                Value::Text(text) if is_quoted_number(&written.node) => {
                    format!(": write {text} without quotes")
                }
                Value::Text(text) if Fact::parse(text).is_ok() => {
                    format!(
                        ": another part of the question is `{{ ref = \"{}\" }}`",
                        text.escape_debug()
                    )
                }
                Value::Text(text) => instead_of_number(text),
                _ => String::new(),
            };
            let problem = format!("expected a number, found {found}{meant}");
            Err(Misfit::new(written.span.start, problem))
        }
    }
}

/// Whether a text can be shown inside of what is to be written: it ends no quotes there.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-#".contains(&byte))
}

/// What a text was meant for that stands where a bound does.
fn instead_of_number(text: &str) -> String {
    let inner = text.trim_start_matches(['$', '{', ' ']).trim_end_matches(['}', ' ']);
    if inner.len() < text.len() && is_plain(inner) && Fact::parse(inner).is_ok() {
        return format!(": nothing is put in for it: write `{{ ref = \"{inner}\" }}`");
    }
    if Timestamp::parse_rfc3339(text).is_ok() {
        return ": instants are compared by `after` and `before`".to_owned();
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return ": a number has no unit: write it in the one that the argument has".to_owned();
    }
    ": levels are compared by an order, `order = \"NAME\"` next to it".to_owned()
}

fn instant(written: &Written) -> Result<Timestamp, Misfit> {
    Timestamp::parse_rfc3339(text(written)?)
        .map_err(|error| Misfit::new(written.span.start, error.to_string()))
}

fn value_type(written: &Written) -> Result<ValueType, Misfit> {
    let word = text(written)?;
    ValueType::named(word).ok_or_else(|| {
        let known = ValueType::ALL.map(ValueType::as_str);
        // Words of JSON Schema.
        let meant = match word {
            "string" | "str" => Some("text"),
            "boolean" => Some("bool"),
            "array" => Some("list"),
            "int" => Some("integer"),
            "float" | "double" | "decimal" => Some("number"),
            "dict" | "map" => Some("object"),
            _ => None,
        };
        let guess = meant.map(|own| format!("the word here is `{own}`"));
        let guess = guess.or_else(|| did_you_mean(word, known));
        let guess = guess.map_or(String::new(), |guess| format!(": {guess}"));
        let problem = format!(
            "{} is not a type, expected one of `{}`{guess}",
            Shown(word),
            known.join("`, `")
        );
        Misfit::new(written.span.start, problem)
    })
}

fn boolean(written: &Written) -> Result<bool, Misfit> {
    match &written.node {
        SpannedNode::Bool(bool) => Ok(*bool),
        _ => Err(Misfit::new(written.span.start, "expected `true` or `false`")),
    }
}

fn range(lower: Option<Bound>, upper: Option<Bound>) -> Constraint {
    Constraint(Node::Range(Range { lower, upper }.into()))
}

fn how_many(written: &Written) -> Result<Count, Misfit> {
    if let SpannedNode::Text(_) = &written.node {
        let problem =
            "expected a whole number, found text: a bound is `{ max = 80 }`, or `{ min = 1 }`";
        return Err(Misfit::new(written.span.start, problem));
    }
    if !matches!(written.node, SpannedNode::Object(_)) {
        return whole_number(written).map(Count::from);
    }
    let table = Table::read_translated(written, &["min", "max"], BOUNDS_ELSEWHERE, "a count")?;
    let table = table.said()?;
    let min = table.read_at("min", whole_number)?.unwrap_or(0);
    Ok(Count { min, max: table.read_at("max", whole_number)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_explained_to_authors_of_policies() {
        let page = include_str!("../../docs/policy.md");
        for kind in KINDS {
            let example = format!("{{ {} = ", kind.word);
            let after = format!(", {} = ", kind.word);
            assert!(page.contains(&example) || page.contains(&after), "`{}`", kind.word);
        }
    }
}
