//! Values that remember where in the text they stood, for messages about what people wrote.

use std::ops::Range;

use super::reader::{JsonFault, JsonLimits, Leaf, Tree, read};
use super::{JsonError, JsonErrorKind, Number};

/// A value that remembers which bytes of the text it came from.
#[derive(Clone, Debug)]
pub(crate) struct Spanned {
    /// The bytes of the text, quotes and brackets included.
    pub(crate) span: Range<usize>,
    /// What stands there.
    pub(crate) node: SpannedNode,
}

/// One value of a [`Spanned`] tree.
#[derive(Clone, Debug)]
pub(crate) enum SpannedNode {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Spanned>),
    /// Key span, key, value; in the order of the text, each key once.
    Object(Vec<(Range<usize>, Box<str>, Spanned)>),
}

/// Reads JSON text as [`Value::from_json`] does, keeping byte offsets.
pub(crate) fn parse_spanned(text: &str, limits: &JsonLimits) -> Result<Spanned, JsonError> {
    read(text, limits)
}

impl Tree for Spanned {
    type Entry = (Range<usize>, Box<str>, Spanned);

    fn leaf(leaf: Leaf, span: Range<usize>) -> Self {
        let node = match leaf {
            Leaf::Null => SpannedNode::Null,
            Leaf::Bool(bool) => SpannedNode::Bool(bool),
            Leaf::Number(number) => SpannedNode::Number(number),
            Leaf::Text(text) => SpannedNode::Text(text),
        };
        Spanned { span, node }
    }

    fn list(items: Vec<Self>, span: Range<usize>) -> Self {
        Spanned { span, node: SpannedNode::List(items) }
    }

    fn entry(key_span: Range<usize>, key: Box<str>, value: Self) -> Self::Entry {
        (key_span, key, value)
    }

    fn object(entries: Vec<Self::Entry>, span: Range<usize>) -> Result<Self, JsonFault> {
        let mut keys: Vec<_> = entries.iter().map(|(span, key, _)| (key, span.start)).collect();
        keys.sort_unstable();
        let repeats =
            keys.iter().zip(keys.iter().skip(1)).filter(|(left, right)| left.0 == right.0);
        if let Some((key, at)) = repeats.map(|(_, repeat)| *repeat).min_by_key(|(_, at)| *at) {
            return Err(JsonFault { at, kind: JsonErrorKind::DuplicateKey(key.clone()) });
        }
        Ok(Spanned { span, node: SpannedNode::Object(entries) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Value, line_and_column};

    fn plain(tree: &Spanned) -> Value {
        match &tree.node {
            SpannedNode::Null => Value::Null,
            SpannedNode::Bool(bool) => Value::Bool(*bool),
            SpannedNode::Number(number) => Value::Number(*number),
            SpannedNode::Text(text) => Value::Text(text.clone()),
            SpannedNode::List(items) => Value::List(items.iter().map(plain).collect()),
            SpannedNode::Object(entries) => {
                let pairs = entries.iter().map(|(_, key, value)| (key.to_string(), plain(value)));
                Value::Object(crate::value::Object::from_pairs(pairs).unwrap())
            }
        }
    }

    /// Every span, read alone, gives the part of the tree it belongs to.
    fn check(text: &str, tree: &Spanned) {
        assert_eq!(Value::from_json(&text[tree.span.clone()]), Ok(plain(tree)));
        match &tree.node {
            SpannedNode::List(items) => items.iter().for_each(|item| check(text, item)),
            SpannedNode::Object(entries) => {
                for (span, key, value) in entries {
                    assert_eq!(Value::from_json(&text[span.clone()]), Ok((&**key).into()));
                    check(text, value);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn spans_are_the_text_of_what_they_belong_to() {
        let text =
            " { \"z\" : [1.5 , true,null,{}] , \"\\u0061é\":\"\\n\" ,\"n\": {\"x\": false } }\n";
        let tree = parse_spanned(text, &JsonLimits::VALUE).unwrap();
        check(text, &tree);
        let SpannedNode::Object(entries) = &tree.node else { panic!("an object") };
        let keys: Vec<_> = entries.iter().map(|(_, key, _)| &**key).collect();
        assert_eq!(keys, ["z", "aé", "n"], "in the order of the text");
    }

    #[test]
    fn limits_are_those_given() {
        let within = |depth, nodes, text| JsonLimits { depth, nodes, text };
        for (limits, message) in [
            (within(1, 9, 9), "line 1 column 2: expected at most 1 levels of nesting"),
            (within(9, 2, 9), "line 1 column 3: expected at most 2 values"),
            (within(9, 9, 4), "line 1 column 1: expected at most 4 bytes of text"),
        ] {
            let error = parse_spanned("[[1]]", &limits).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        assert!(parse_spanned("[[1]]", &within(2, 3, 5)).is_ok());
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let text = "é\r\nab\n";
        for (at, place) in [(0, (1, 1)), (2, (1, 2)), (4, (2, 1)), (5, (2, 2)), (7, (3, 1))] {
            assert_eq!(line_and_column(text, at), place, "{at}");
        }
        assert_eq!(line_and_column(text, 99), (3, 1), "past the end is the end");
    }
}
