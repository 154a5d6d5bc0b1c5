//! Values that remember where in the text they stood, for messages about what people wrote.

use std::ops::Range;

use super::reader::{Fault, Leaf, Limits, Tree, read};
use super::{JsonError, JsonErrorKind, Number};

#[allow(dead_code, reason = "spans are for the policy loader")]
/// A value that remembers which bytes of the text it came from.
#[derive(Clone, Debug)]
pub(crate) struct Spanned {
    /// The bytes of the text, quotes and brackets included.
    pub(crate) span: Range<usize>,
    /// What stands there.
    pub(crate) node: Node,
}

#[allow(dead_code, reason = "spans are for the policy loader")]
/// One value of a [`Spanned`] tree.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Spanned>),
    /// Key span, key, value; in the order of the text, each key once.
    Object(Vec<(Range<usize>, Box<str>, Spanned)>),
}

/// Reads JSON text as [`Value::from_json`] does, keeping byte offsets.
pub(crate) fn parse_spanned(text: &str, limits: &Limits) -> Result<Spanned, JsonError> {
    read(text, limits)
}

impl Tree for Spanned {
    type Entry = (Range<usize>, Box<str>, Spanned);

    fn leaf(leaf: Leaf, span: Range<usize>) -> Self {
        let node = match leaf {
            Leaf::Null => Node::Null,
            Leaf::Bool(bool) => Node::Bool(bool),
            Leaf::Number(number) => Node::Number(number),
            Leaf::Text(text) => Node::Text(text),
        };
        Spanned { span, node }
    }

    fn list(items: Vec<Self>, span: Range<usize>) -> Self {
        Spanned { span, node: Node::List(items) }
    }

    fn entry(key_span: Range<usize>, key: Box<str>, value: Self) -> Self::Entry {
        (key_span, key, value)
    }

    fn object(entries: Vec<Self::Entry>, span: Range<usize>) -> Result<Self, Fault> {
        let mut keys: Vec<_> = entries.iter().map(|(span, key, _)| (key, span.start)).collect();
        keys.sort_unstable();
        let repeats =
            keys.iter().zip(keys.iter().skip(1)).filter(|(left, right)| left.0 == right.0);
        if let Some((key, at)) = repeats.map(|(_, repeat)| *repeat).min_by_key(|(_, at)| *at) {
            return Err(Fault { at, kind: JsonErrorKind::DuplicateKey(key.clone()) });
        }
        Ok(Spanned { span, node: Node::Object(entries) })
    }
}
