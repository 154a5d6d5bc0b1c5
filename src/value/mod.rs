//! Exact JSON values: what arguments, attributes and context are made of.
//!
//! A [`Value`] differs from other JSON trees in what a security decision needs of it: numbers are
//! exact (never rounded through a float), objects are sorted and hold each key once, and equality is
//! by value (`1` equals `1.0`).

mod number;
mod object;

pub use number::{Number, NumberError};
pub use object::{DuplicateKey, Object};

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
