//! JSON text to values, strictly.
//!
//! Why not `serde_json`: it keeps the last of two equal keys, rounds numbers through `f64`, and the
//! feature that stops the rounding changes `serde_json` for the whole host program.

use std::ops::Range;

use super::reader::{JsonFault, JsonLimits, Leaf, Tree, check_length, read};
use super::spanned::parse_spanned;
use super::{JsonError, JsonErrorKind, Key, Object, Value};

impl Value {
    /// Reads JSON text (RFC 8259, nothing more): one value, each key once, numbers exact.
    ///
    /// ```
    /// use hallpass::value::Value;
    ///
    /// let error = Value::from_json("{\n  \"a\": 1,\n  \"a\": 2\n}").unwrap_err();
    /// assert_eq!(error.to_string(), "line 3 column 3: key `a` is given twice");
    /// ```
    ///
    /// # Errors
    /// [`JsonError`] for anything outside the grammar, for a key given twice (also where escapes spell it
    /// differently), half a surrogate pair, a number of more than 38 digits, and more than
    /// [`MAX_DEPTH`](super::MAX_DEPTH) levels, [`MAX_NODES`](super::MAX_NODES) values or
    /// [`MAX_TEXT`](super::MAX_TEXT) bytes.
    pub fn from_json(text: &str) -> Result<Value, JsonError> {
        Value::from_json_within(text, &JsonLimits::VALUE)
    }

    /// As [`Value::from_json`], from bytes that ought to be UTF-8.
    ///
    /// # Errors
    /// As [`Value::from_json`], and [`JsonErrorKind::NotUtf8`].
    pub fn from_json_bytes(bytes: &[u8]) -> Result<Value, JsonError> {
        check_length(bytes.len(), &JsonLimits::VALUE)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Value::from_json(text),
            Err(error) => {
                let (valid, _) = bytes.split_at(error.valid_up_to());
                let valid = String::from_utf8_lossy(valid);
                Err(JsonFault { at: valid.len(), kind: JsonErrorKind::NotUtf8 }.in_text(&valid))
            }
        }
    }

    pub(crate) fn from_json_within(text: &str, limits: &JsonLimits) -> Result<Value, JsonError> {
        read::<Value>(text, limits).map_err(|error| match error.kind {
            // Values do not remember where their keys stood, so read again with a tree that does.
            JsonErrorKind::DuplicateKey(_) => parse_spanned(text, limits).err().unwrap_or(error),
            _ => error,
        })
    }
}

impl Tree for Value {
    type Entry = (Key, Value);

    fn leaf(leaf: Leaf, _: Range<usize>) -> Self {
        match leaf {
            Leaf::Null => Value::Null,
            Leaf::Bool(bool) => Value::Bool(bool),
            Leaf::Number(number) => Value::Number(number),
            Leaf::Text(text) => Value::Text(text),
        }
    }

    fn list(items: Vec<Self>, _: Range<usize>) -> Self {
        Value::List(items)
    }

    fn entry(_: Range<usize>, key: Box<str>, value: Self) -> Self::Entry {
        (String::from(key).into(), value)
    }

    fn object(entries: Vec<Self::Entry>, span: Range<usize>) -> Result<Self, JsonFault> {
        Object::from_entries(entries).map(Value::Object).map_err(|duplicate| JsonFault {
            at: span.start,
            kind: JsonErrorKind::DuplicateKey(duplicate.0),
        })
    }
}
