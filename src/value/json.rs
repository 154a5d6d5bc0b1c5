//! JSON text to values, strictly.
//!
//! Why not `serde_json`: it keeps the last of two equal keys, rounds numbers through `f64`, and the
//! feature that stops the rounding changes `serde_json` for the whole host program.

use std::fmt;
use std::ops::Range;

use super::reader::{Fault, Leaf, Limits, Tree, check_length, read};
use super::spanned::parse_spanned;
use super::{Key, Object, Value};
use crate::visible::Shown;

/// The most levels of lists and objects inside each other. Real tool arguments have fewer than ten;
/// reading, comparing and dropping take stack in proportion, and 32 levels fit the smallest thread.
pub const MAX_DEPTH: usize = 32;

/// The most bytes of JSON text, looked at before anything else. A file's content fits, and the worst
/// text of this size is read in milliseconds.
pub const MAX_TEXT: usize = 1 << 20;

/// The most values in one text, lists and objects counted too. `[0,0,..]` makes 16 bytes of memory out
/// of each byte of text; this keeps any text below a few megabytes of values.
pub const MAX_NODES: usize = 65_536;

/// Why JSON text was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} column {column}: {kind}")]
pub struct JsonError {
    pub(super) kind: JsonErrorKind,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl JsonError {
    /// What is wrong.
    pub const fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }

    /// The line, counted from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, counted from 1.
    pub const fn column(&self) -> usize {
        self.column
    }
}

/// What is wrong with JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// Something else should stand here.
    Expected(&'static str),
    /// An object has this key already, however either is spelled.
    DuplicateKey(Box<str>),
    /// A `\u` escape is half a surrogate pair, which is no character.
    LoneSurrogate,
    /// A number has more than 38 digits, in front of and behind the point together.
    TooManyDigits,
    /// Lists and objects stand inside each other more than this many levels deep.
    TooDeep(usize),
    /// There are more than this many values.
    TooManyValues(usize),
    /// The text has more than this many bytes; nothing of it was read.
    TooLong(usize),
    /// The bytes are not UTF-8.
    NotUtf8,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonErrorKind::Expected(what) => write!(f, "expected {what}"),
            JsonErrorKind::DuplicateKey(key) => write!(f, "key {} is given twice", Shown(key)),
            JsonErrorKind::LoneSurrogate => f.write_str("expected both halves of a surrogate pair"),
            JsonErrorKind::TooManyDigits => f.write_str("expected a number of at most 38 digits"),
            JsonErrorKind::TooDeep(most) => write!(f, "expected at most {most} levels of nesting"),
            JsonErrorKind::TooManyValues(most) => write!(f, "expected at most {most} values"),
            JsonErrorKind::TooLong(most) => write!(f, "expected at most {most} bytes of text"),
            JsonErrorKind::NotUtf8 => f.write_str("expected UTF-8"),
        }
    }
}

impl Value {
    /// Reads JSON text (RFC 8259, nothing besides): one value, each key once, numbers exact.
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
    /// [`MAX_DEPTH`] levels, [`MAX_NODES`] values or [`MAX_TEXT`] bytes.
    pub fn from_json(text: &str) -> Result<Value, JsonError> {
        Value::from_json_within(text, &Limits::VALUE)
    }

    /// As [`Value::from_json`], from bytes that ought to be UTF-8.
    ///
    /// # Errors
    /// As [`Value::from_json`], and [`JsonErrorKind::NotUtf8`].
    pub fn from_json_bytes(bytes: &[u8]) -> Result<Value, JsonError> {
        check_length(bytes.len(), &Limits::VALUE)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Value::from_json(text),
            Err(error) => {
                let (valid, _) = bytes.split_at(error.valid_up_to());
                let valid = String::from_utf8_lossy(valid);
                Err(Fault { at: valid.len(), kind: JsonErrorKind::NotUtf8 }.in_text(&valid))
            }
        }
    }

    pub(crate) fn from_json_within(text: &str, limits: &Limits) -> Result<Value, JsonError> {
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

    fn object(entries: Vec<Self::Entry>, span: Range<usize>) -> Result<Self, Fault> {
        Object::from_entries(entries).map(Value::Object).map_err(|duplicate| Fault {
            at: span.start,
            kind: JsonErrorKind::DuplicateKey(duplicate.0),
        })
    }
}
