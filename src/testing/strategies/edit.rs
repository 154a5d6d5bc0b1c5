//! A change of one part of a question in words.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::value::{Object, Value};

/// Another value for one part, or none: chosen by places, so that it shrinks with them.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) part: Index,
    pub(super) value: Index,
    pub(super) is_left_out: bool,
}

pub(super) fn edits() -> impl Strategy<Value = Edit> {
    (any::<Index>(), any::<Index>(), proptest::bool::weighted(0.2))
        .prop_map(|(part, value, is_left_out)| Edit { part, value, is_left_out })
}

/// Where a part of the question, named as in a policy, stands in a question in words; `None` of what no question
/// states.
pub(super) fn place(part: &str) -> Option<Vec<&str>> {
    match part {
        "what.tool" => return Some(vec!["tool"]),
        "why.purpose" => return Some(vec!["purpose", "name"]),
        "why.ticket" => return Some(vec!["purpose", "ticket"]),
        "when.now" => return Some(vec!["at"]),
        // What the task has seen is the history's, and labels are the catalogue's.
        "when.seen" | "what.labels" => return None,
        _ => {}
    }
    let (root, rest) = part.split_once('.')?;
    match root {
        "when" => Some(vec!["context", rest]),
        "args" => Some([root].into_iter().chain(rest.split('.')).collect()),
        "who" | "resource" => Some(match rest.strip_prefix("attrs.") {
            Some(name) => vec![root, "attrs", name],
            None => vec![root, rest],
        }),
        _ => None,
    }
}

/// Puts a value at a place, or takes it away from there. Objects on the way are made where there are none.
pub(super) fn put(object: &mut Object, place: &[&str], value: Option<Value>) {
    let Some((name, rest)) = place.split_first() else { return };
    let was = object.get(name).cloned();
    object.remove(name);
    let inside = match (was, rest.is_empty()) {
        (_, true) => value,
        (Some(Value::Object(mut inside)), false) => {
            put(&mut inside, rest, value);
            Some(Value::Object(inside))
        }
        (None, false) if value.is_none() => None,
        (_, false) => {
            let mut inside = Object::new();
            put(&mut inside, rest, value);
            Some(Value::Object(inside))
        }
    };
    if let Some(inside) = inside {
        // It was taken out above, if it was there.
        let _ = object.insert((*name).to_owned(), inside);
    }
}
