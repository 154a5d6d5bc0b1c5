//! Why JSON text was refused.

use std::fmt;

use crate::visible::Shown;

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
    /// A `\u` escape is half a surrogate pair, which is not a character.
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
