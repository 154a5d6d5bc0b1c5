//! TOML text to the tree.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue, Error};

use super::misfit::Misfit;
use super::tree::Written;
use crate::value::{MAX_DEPTH, Number, SpannedNode};
use crate::visible::Shown;

/// Reads a TOML document. Numbers are exact; dates and times become their RFC 3339 text.
pub(crate) fn parse_toml(text: &str) -> Result<Written, Misfit> {
    let document = DeTable::parse(text).map_err(|error| misfit_of(text, &error))?;
    let span = document.span();
    Ok(Written { span, node: table(document.into_inner(), 1)? })
}

fn written(value: Spanned<DeValue<'_>>, depth: usize) -> Result<Written, Misfit> {
    let span = value.span();
    if depth > MAX_DEPTH {
        return Err(Misfit::new(span.start, too_deep()));
    }
    let no_number = |problem: &str| Misfit::new(span.start, problem);
    let node = match value.into_inner() {
        DeValue::String(text) => SpannedNode::Text(text.into()),
        DeValue::Boolean(bool) => SpannedNode::Bool(bool),
        DeValue::Integer(integer) => {
            SpannedNode::Number(whole(&integer).ok_or_else(|| no_number(TOO_WIDE))?)
        }
        DeValue::Float(float) => {
            let digits = float.as_str().strip_prefix('+').unwrap_or(float.as_str());
            let problem = if digits.ends_with("inf") || digits.ends_with("nan") {
                "expected a finite number"
            } else {
                TOO_WIDE
            };
            SpannedNode::Number(Number::parse(digits).map_err(|_| no_number(problem))?)
        }
        DeValue::Datetime(instant) => SpannedNode::Text(instant.to_string().into()),
        DeValue::Array(items) => SpannedNode::List(
            items.into_iter().map(|item| written(item, depth + 1)).collect::<Result<_, _>>()?,
        ),
        DeValue::Table(entries) => table(entries, depth + 1)?,
    };
    Ok(Written { span, node })
}

const TOO_WIDE: &str = "expected a number of at most 38 digits";

/// Entries in the order of the text, so that the first mistake is reported first.
fn table(entries: DeTable<'_>, depth: usize) -> Result<SpannedNode, Misfit> {
    let mut own = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let span = key.span();
        own.push((span, Box::from(Cow::into_owned(key.into_inner())), written(value, depth)?));
    }
    own.sort_by_key(|(span, ..)| span.start);
    Ok(SpannedNode::Object(own))
}

fn whole(integer: &DeInteger<'_>) -> Option<Number> {
    let digits = integer.as_str();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if integer.radix() == 10 {
        return Number::parse(digits).ok();
    }
    u128::from_str_radix(digits, integer.radix()).ok()?.to_string().parse().ok()
}

fn too_deep() -> String {
    format!("expected at most {MAX_DEPTH} levels of nesting")
}

fn is_null(text: &str, at: usize) -> bool {
    // What is shown is where the word ends or begins.
    let word = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with("null"));
    (at.saturating_sub(4)..=at).any(word)
}

fn misfit_of(text: &str, error: &Error) -> Misfit {
    let span = error.span().unwrap_or(0..0);
    let problem = match error.message() {
        "duplicate key" => {
            let key = text.get(span.clone()).unwrap_or_default();
            let key = Shown(key.trim_matches(['"', '\'']));
            let header = text.get(..span.start).is_some_and(|before| before.ends_with('['));
            match header {
                // In single brackets here, or above.
                true => format!(
                    "key {key} is given twice: each of several rules, tools and tests is written `[[…]]`, and of the others \
                     there is one"
                ),
                false => format!("key {key} is given twice"),
            }
        }
        // The parser stops at a depth of its own, beyond ours.
        other if other.contains("recurs") => too_deep(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|first| first.to_lowercase().to_string());
            let hint = match other {
                // The parser takes a bare `forbid` for the beginning of `false`.
                other if other.contains("boolean") => {
                    ": `true` and `false` are written so, and text stands in quotes"
                }
                other if other.contains("cannot extend") => {
                    ": what a table in braces has is written inside of them"
                }
                other if other.contains("escape") => {
                    ": in single quotes a backslash stands for itself, as in `regex = '\\d+'`"
                }
                // Of `null`, for the beginning of `nan`.
                other if other.contains("float") && is_null(text, span.start) => {
                    ": there is no null in TOML, for what is not there write `{ present = false }`"
                }
                other if other.contains("key with no value") => {
                    let line = text.get(..span.start).and_then(|before| before.rsplit('\n').next());
                    let from = span.start - line.map_or(0, str::len);
                    let is_comment =
                        text.get(from..).is_some_and(|line| line.trim_start().starts_with("//"));
                    match is_comment {
                        true => ": a comment begins with `#`",
                        false => ": a key is written `key = value`",
                    }
                }
                other if other.contains("must be quoted") => ": text stands in quotes",
                _ if text.trim_start().starts_with('{') => ": JSON is read by `from_json`",
                _ => "",
            };
            format!("not TOML: {}{}{hint}", first.unwrap_or_default(), letters.as_str())
        }
    };
    Misfit::new(span.start, problem)
}
