//! Kinds of values that rules are filed under.

use crate::value::Value;

/// A set of kinds of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Kinds = Kinds(0);
    pub(super) const EVERY: Kinds = Kinds(u8::MAX);

    pub(super) fn and_one(self, value: &Value) -> Kinds {
        Kinds(self.0 | Kinds::bit(value))
    }

    pub(super) fn common(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    pub(super) fn include(self, value: &Value) -> bool {
        self.0 & Kinds::bit(value) != 0
    }

    fn bit(value: &Value) -> u8 {
        match value {
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::Text(_) => 4,
            Value::Null | Value::List(_) | Value::Object(_) => 0,
        }
    }
}
