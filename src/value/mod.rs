//! Exact JSON values: what arguments, attributes and context are made of.
//!
//! A [`Value`] differs from other JSON trees in what a security decision needs of it: numbers are
//! exact (never rounded through a float), objects are sorted and hold each key once, and equality is
//! by value (`1` equals `1.0`).
//!
//! ```
//! use hallpass::value::Value;
//!
//! let one = Value::from_json(r#"{"limit": 1.0, "table": "orders"}"#)?;
//! let other = Value::from_json(r#"{"table":"orders","limit":10e-1}"#)?;
//! assert_eq!(one, other);
//! assert_eq!(one.digest(), other.digest());
//! assert_eq!(one.to_string(), r#"{"limit":1,"table":"orders"}"#);
//!
//! assert!(Value::from_json(r#"{"path": "/data/x", "p\u0061th": "/etc"}"#).is_err());
//! # Ok::<(), hallpass::value::JsonError>(())
//! ```

mod convert;
mod decode;
mod digest;
mod digest_of_parts;
mod encode;
mod fit;
mod json;
mod json_error;
mod number;
mod object;
mod packed;
mod reader;
mod spanned;
mod text_value;
mod write;

pub use convert::ValueError;
pub use decode::DecodeError;
pub(crate) use decode::Decoder;
pub use digest::Digest;
pub(crate) use digest_of_parts::DigestOfParts;
pub(crate) use encode::{ascending, encode_count, encode_text};
pub(crate) use fit::Misfit;
pub use json_error::{JsonError, JsonErrorKind};
pub use number::{Number, NumberError};
pub use object::{DuplicateKey, Object};
pub(crate) use object::{Key, object_of};
pub(crate) use packed::PackedObject;
pub(crate) use reader::{JsonLimits, line_and_column};
pub use reader::{MAX_DEPTH, MAX_NODES, MAX_TEXT};
pub(crate) use spanned::{Spanned, SpannedNode, parse_spanned};
pub(crate) use text_value::TextValue;

/// One JSON value, exact.
///
/// The order between values is total (by kind, then by value) and means nothing to policies: it is
/// there so that sets of values have one form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `null`: a value of its own kind, equal to itself only.
    Null,
    /// `true` or `false`, which no number equals.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// Text, compared byte for byte: no case folding, no Unicode normalisation.
    Text(Box<str>),
    /// A list, in its order.
    List(Vec<Value>),
    /// An object: keys sorted, each once.
    Object(Object),
}

/// What a value counts for in [`Value::size`] in addition to its bytes.
pub(crate) const BYTES_OF_VALUE: usize = 8;

impl Value {
    /// Whether it is there and holds nothing: null, or an empty text, list or object.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::List(list) => list.is_empty(),
            Value::Object(object) => object.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// What kind of value this is, as messages name it: `null`, `boolean`, `number`, `text`, `list` or
    /// `object`.
    pub const fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Text(_) => "text",
            Value::List(_) => "list",
            Value::Object(_) => "object",
        }
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if this is a number: text that looks like one is not.
    pub const fn as_number(&self) -> Option<Number> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// The boolean, if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(bool) = self { Some(*bool) } else { None }
    }

    /// The elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(list) = self { Some(list) } else { None }
    }

    /// The object, if this is one.
    pub const fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// How much there is to look at: the bytes of keys and texts, and some for each value.
    pub(crate) fn size(&self) -> usize {
        BYTES_OF_VALUE
            + match self {
                Value::Text(text) => text.len(),
                Value::List(list) => list.iter().map(Value::size).sum(),
                Value::Object(object) => {
                    object.iter().map(|(key, value)| key.len() + value.size()).sum()
                }
                _ => 0,
            }
    }

    /// How many levels of lists and objects stand inside each other: 0 for `1`, 1 for `[]`, 2 for
    /// `[{}]`. Takes stack in proportion; what was read from JSON has at most [`MAX_DEPTH`] levels.
    pub fn depth(&self) -> usize {
        match self {
            Value::List(list) => 1 + list.iter().map(Value::depth).max().unwrap_or(0),
            Value::Object(object) => object.depth(),
            _ => 0,
        }
    }
}
