//! Kinds of values that rules are filed under.

use crate::value::Value;

const TEXT: u8 = 4;

/// A set of kinds of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Kinds = Kinds(0);

    /// Those of some values.
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Kinds {
        Kinds(values.into_iter().fold(0, |kinds, value| kinds | Kinds::bit(value)))
    }

    pub(super) fn include(self, value: &Value) -> bool {
        self.0 & Kinds::bit(value) != 0
    }

    pub(super) fn include_text(self) -> bool {
        self.0 & TEXT != 0
    }

    fn bit(value: &Value) -> u8 {
        match value {
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::Text(_) => TEXT,
            Value::Null | Value::List(_) | Value::Object(_) => 0,
        }
    }
}
