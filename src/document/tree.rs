//! The tree, and reading plain values out of it.

use super::misfit::Misfit;
use super::nearest::did_you_mean;
use crate::value::{Number, Object, Spanned, SpannedNode, Value};
use crate::visible::Shown;

/// A value of a document with the bytes it stands at.
pub(crate) type Written = Spanned;

/// A value that was never text, as a tree whose places are all 0.
pub(crate) fn tree_of(value: &Value) -> Written {
    let node = match value {
        Value::Null => SpannedNode::Null,
        Value::Bool(bool) => SpannedNode::Bool(*bool),
        Value::Number(number) => SpannedNode::Number(*number),
        Value::Text(text) => SpannedNode::Text(text.clone()),
        Value::List(list) => SpannedNode::List(list.iter().map(tree_of).collect()),
        Value::Object(object) => SpannedNode::Object(
            object.iter().map(|(key, value)| (0..0, key.into(), tree_of(value))).collect(),
        ),
    };
    Written { span: 0..0, node }
}

/// The plain value, without its place.
pub(crate) fn value(written: &Written) -> Result<Value, Misfit> {
    Ok(match &written.node {
        SpannedNode::Null => Value::Null,
        SpannedNode::Bool(bool) => Value::Bool(*bool),
        SpannedNode::Number(number) => Value::Number(*number),
        SpannedNode::Text(text) => Value::Text(text.clone()),
        SpannedNode::List(list) => Value::List(list.iter().map(value).collect::<Result<_, _>>()?),
        SpannedNode::Object(entries) => {
            let pairs = entries.iter().map(|(_, key, own)| Ok((key.to_string(), value(own)?)));
            let pairs = pairs.collect::<Result<Vec<_>, Misfit>>()?;
            let object = Object::from_pairs(pairs)
                .map_err(|twice| Misfit::new(written.span.start, twice.to_string()))?;
            Value::Object(object)
        }
    })
}

pub(crate) fn text(written: &Written) -> Result<&str, Misfit> {
    match &written.node {
        SpannedNode::Text(text) => Ok(text),
        other => Err(expected(written, &format!("text, found {}", kind_name(other)))),
    }
}

/// The elements of a list that has at least one.
pub(crate) fn list(written: &Written) -> Result<&[Written], Misfit> {
    match &written.node {
        SpannedNode::List(list) if list.is_empty() => {
            Err(Misfit::new(written.span.start, "an empty list names nothing, and never means all"))
        }
        SpannedNode::List(list) => Ok(list),
        SpannedNode::Object(_) => Err(expected(written, "a list, found a table: write `[{ … }]`")),
        other => {
            let found = kind_name(other);
            Err(expected(written, &format!("a list, found {found}: write `[ … ]`, of one, too")))
        }
    }
}

/// A whole number from 0 on.
pub(crate) fn whole_number(written: &Written) -> Result<u64, Misfit> {
    match &written.node {
        SpannedNode::Number(number) => number
            .to_u64()
            .ok_or_else(|| expected(written, &format!("a whole number from 0 on, found {number}"))),
        other => {
            let found = kind_name(other);
            let quoted = if is_quoted_number(other) { ": write it without quotes" } else { "" };
            Err(expected(written, &format!("a whole number from 0 on, found {found}{quoted}")))
        }
    }
}

/// Whether it is a number that stands in quotes.
pub(crate) fn is_quoted_number(node: &SpannedNode) -> bool {
    matches!(node, SpannedNode::Text(text) if Number::parse(text).is_ok())
}

/// The word `any`, which is what opening something is spelled like.
pub(crate) fn any_word(written: &Written) -> Result<(), Misfit> {
    match &written.node {
        SpannedNode::Text(text) if &**text == "any" => Ok(()),
        SpannedNode::Text(text) => {
            Err(expected(written, &format!("\"any\", found {}", Shown(text))))
        }
        other => Err(expected(written, &format!("\"any\", found {}", kind_name(other)))),
    }
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(written: &Written, words: &[(&'static str, T)]) -> Result<T, Misfit> {
    let given = match &written.node {
        SpannedNode::Text(given) => &**given,
        _ => "",
    };
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == given) {
        return Ok(*meant);
    }
    let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let known = match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    };
    if !matches!(written.node, SpannedNode::Text(_)) {
        let found = kind_name(&written.node);
        return Err(expected(written, &format!("{known}, found {found}")));
    }
    let guess = did_you_mean(given, words.iter().map(|(word, _)| *word));
    let guess = guess.map_or(String::new(), |guess| format!(": {guess}"));
    Err(expected(written, &format!("{known}, found {}{guess}", Shown(given))))
}

pub(super) fn kind_name(node: &SpannedNode) -> &'static str {
    match node {
        SpannedNode::Null => "null",
        SpannedNode::Bool(_) => "a boolean",
        SpannedNode::Number(_) => "a number",
        SpannedNode::Text(_) => "text",
        SpannedNode::List(_) => "a list",
        SpannedNode::Object(_) => "a table",
    }
}

fn expected(written: &Written, what: &str) -> Misfit {
    Misfit::new(written.span.start, format!("expected {what}"))
}
