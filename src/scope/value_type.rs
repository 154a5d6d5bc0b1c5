//! The types of values that a constraint tells apart.

use crate::value::Value;

/// A type of value, for [`of_type`](super::of_type).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// Text, the empty one too.
    Text,
    /// Any number.
    Number,
    /// A number without a fraction, however it is written: `1.0` is one.
    Integer,
    /// `true` or `false`.
    Bool,
    /// A list, the empty one too.
    List,
    /// An object, the empty one too.
    Object,
    /// `null`.
    Null,
}

impl ValueType {
    /// Every type, in the order of their numbers in a token.
    pub(crate) const ALL: [ValueType; 7] = [
        ValueType::Text,
        ValueType::Number,
        ValueType::Integer,
        ValueType::Bool,
        ValueType::List,
        ValueType::Object,
        ValueType::Null,
    ];

    /// The word of policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            ValueType::Text => "text",
            ValueType::Number => "number",
            ValueType::Integer => "integer",
            ValueType::Bool => "bool",
            ValueType::List => "list",
            ValueType::Object => "object",
            ValueType::Null => "null",
        }
    }

    /// The type of a value.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => ValueType::Null,
            Value::Bool(_) => ValueType::Bool,
            Value::Number(_) => ValueType::Number,
            Value::Text(_) => ValueType::Text,
            Value::List(_) => ValueType::List,
            Value::Object(_) => ValueType::Object,
        }
    }

    /// The type that the word names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        ValueType::ALL.into_iter().find(|own| own.as_str() == word)
    }

    /// Its number in a token.
    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    pub(super) fn numbered(number: u8) -> Option<Self> {
        ValueType::ALL.get(usize::from(number)).copied()
    }

    /// Whether `value` is of the type.
    pub(super) fn includes(self, value: &Value) -> bool {
        match (self, value) {
            (ValueType::Integer, Value::Number(number)) => number.is_integer(),
            (ValueType::Text, Value::Text(_))
            | (ValueType::Number, Value::Number(_))
            | (ValueType::Bool, Value::Bool(_))
            | (ValueType::List, Value::List(_))
            | (ValueType::Object, Value::Object(_))
            | (ValueType::Null, Value::Null) => true,
            _ => false,
        }
    }

    /// Whether every value of this type is of the other.
    pub(super) fn is_within(self, wider: ValueType) -> bool {
        self == wider || (self, wider) == (ValueType::Integer, ValueType::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_word_and_one_number() {
        for (at, own) in (0..).zip(ValueType::ALL) {
            assert_eq!(own.number(), at);
            assert_eq!(ValueType::numbered(at), Some(own));
            assert_eq!(ValueType::named(own.as_str()), Some(own));
        }
        assert_eq!(ValueType::numbered(7), None);
        assert_eq!(ValueType::named("string"), None);
    }

    #[test]
    fn a_value_is_of_one_type_and_an_integer_of_two() {
        for (value, words) in [
            (r#""""#, "text"),
            ("1", "number integer"),
            ("1.0", "number integer"),
            ("-2e3", "number integer"),
            ("1.5", "number"),
            ("1e-38", "number"),
            ("true", "bool"),
            ("[]", "list"),
            (r#"["a"]"#, "list"),
            ("{}", "object"),
            ("null", "null"),
        ] {
            let value = Value::from_json(value).unwrap();
            let of: Vec<&str> = ValueType::ALL
                .into_iter()
                .filter(|own| own.includes(&value))
                .map(ValueType::as_str)
                .collect();
            assert_eq!(of.join(" "), words, "{value}");
            assert!(ValueType::of(&value).includes(&value), "{value}");
        }
    }
}
