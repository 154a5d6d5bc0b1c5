//! A text that rules read as a value.

use super::Value;

/// A text kept in the form rules read, so that evaluating copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextValue(Value);

impl TextValue {
    pub(crate) fn new(text: impl Into<Box<str>>) -> Self {
        TextValue(Value::Text(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            Value::Text(text) => text,
            // INVARIANT: `new` stores text only.
            _ => "",
        }
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }
}
