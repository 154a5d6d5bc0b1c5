//! Values from Rust and serde data, and back.

use std::convert::Infallible;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::{DuplicateKey, MAX_DEPTH, Number, NumberError, Object, Value};

/// Why data from elsewhere is not a [`Value`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A number has too many digits.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Lists and objects stand inside each other more than [`MAX_DEPTH`] levels deep.
    #[error("expected at most {MAX_DEPTH} levels of nesting")]
    TooDeep,
    /// A key was given twice.
    #[error(transparent)]
    DuplicateKey(#[from] DuplicateKey),
}

/// Lets a function take `impl TryInto<Value>` and be given a value.
impl From<Infallible> for ValueError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

macro_rules! value_from {
    ($($source:ty => $make:expr,)*) => {$(
        impl From<$source> for Value {
            #[inline]
            fn from(source: $source) -> Self {
                $make(source)
            }
        }
    )*};
}
value_from! {
    bool => Value::Bool,
    &str => |text: &str| Value::Text(text.into()),
    String => |text: String| Value::Text(text.into_boxed_str()),
    Box<str> => Value::Text,
    Number => Value::Number,
    Object => Value::Object,
    i8 => |integer| Value::Number(Number::from(integer)),
    i16 => |integer| Value::Number(Number::from(integer)),
    i32 => |integer| Value::Number(Number::from(integer)),
    i64 => |integer| Value::Number(Number::from(integer)),
    isize => |integer| Value::Number(Number::from(integer)),
    u8 => |integer| Value::Number(Number::from(integer)),
    u16 => |integer| Value::Number(Number::from(integer)),
    u32 => |integer| Value::Number(Number::from(integer)),
    u64 => |integer| Value::Number(Number::from(integer)),
    usize => |integer| Value::Number(Number::from(integer)),
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        Value::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(list: [T; N]) -> Self {
        Value::List(list.into_iter().map(Into::into).collect())
    }
}

/// # Errors
/// As for [`Number`].
impl TryFrom<f64> for Value {
    type Error = NumberError;

    fn try_from(float: f64) -> Result<Self, Self::Error> {
        Number::try_from(float).map(Value::Number)
    }
}

/// What `serde_json` rounded or dropped before is gone: read agents' text with [`Value::from_json`].
/// Its floats count as the shortest decimal that reads back as them.
///
/// # Errors
/// [`ValueError`] for numbers of more than 38 digits and more than [`MAX_DEPTH`] levels.
impl TryFrom<serde_json::Value> for Value {
    type Error = ValueError;

    fn try_from(json: serde_json::Value) -> Result<Self, Self::Error> {
        from_serde_json(json, MAX_DEPTH)
    }
}

/// As from an owned one, copying texts and keys.
///
/// # Errors
/// As from an owned one.
impl TryFrom<&serde_json::Value> for Value {
    type Error = ValueError;

    fn try_from(json: &serde_json::Value) -> Result<Self, Self::Error> {
        from_serde_json_ref(json, MAX_DEPTH)
    }
}

/// A number is the same number if `serde_json` can hold it, and its decimal text if it would be rounded:
/// see the serialised form of [`Number`].
impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(bool) => serde_json::Value::Bool(bool),
            Value::Number(number) => to_serde_number(number),
            Value::Text(text) => serde_json::Value::String(text.into_string()),
            Value::List(list) => list.into_iter().map(serde_json::Value::from).collect(),
            Value::Object(object) => serde_json::Value::Object(object.into()),
        }
    }
}

/// As a [`Value`].
impl From<Object> for serde_json::Map<String, serde_json::Value> {
    fn from(object: Object) -> Self {
        object.into_iter().map(|(key, value)| (key.into_owned(), value.into())).collect()
    }
}

fn to_serde_number(number: Number) -> serde_json::Value {
    if let Some(integer) = number.to_i64() {
        return integer.into();
    }
    if let Some(integer) = number.to_u64() {
        return integer.into();
    }
    let text = number.to_string();
    // Read back, because `serde_json` keeps what was written only with the host's `arbitrary_precision`.
    match text.parse::<serde_json::Number>() {
        Ok(same) if from_serde_number(&same) == Ok(number) => serde_json::Value::Number(same),
        _ => serde_json::Value::String(text),
    }
}

fn from_serde_json(json: serde_json::Value, levels: usize) -> Result<Value, ValueError> {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(bool),
        Json::Number(number) => Value::Number(from_serde_number(&number)?),
        Json::String(text) => Value::Text(text.into_boxed_str()),
        Json::Array(list) => {
            let levels = levels.checked_sub(1).ok_or(ValueError::TooDeep)?;
            let list = list.into_iter().map(|item| from_serde_json(item, levels));
            Value::List(list.collect::<Result<_, _>>()?)
        }
        Json::Object(map) => {
            let levels = levels.checked_sub(1).ok_or(ValueError::TooDeep)?;
            let entries = map
                .into_iter()
                .map(|(key, value)| Ok((key.into(), from_serde_json(value, levels)?)));
            Value::Object(Object::from_entries(entries.collect::<Result<_, ValueError>>()?)?)
        }
    })
}

fn from_serde_json_ref(json: &serde_json::Value, levels: usize) -> Result<Value, ValueError> {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => Value::Number(from_serde_number(number)?),
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(list) => {
            let levels = levels.checked_sub(1).ok_or(ValueError::TooDeep)?;
            let list = list.iter().map(|item| from_serde_json_ref(item, levels));
            Value::List(list.collect::<Result<_, _>>()?)
        }
        Json::Object(map) => {
            let levels = levels.checked_sub(1).ok_or(ValueError::TooDeep)?;
            let entries = map
                .iter()
                .map(|(key, value)| Ok((key.clone().into(), from_serde_json_ref(value, levels)?)));
            Value::Object(Object::from_entries(entries.collect::<Result<_, ValueError>>()?)?)
        }
    })
}

fn from_serde_number(number: &serde_json::Number) -> Result<Number, NumberError> {
    if let Some(integer) = number.as_i64() {
        return Ok(Number::from(integer));
    }
    if let Some(integer) = number.as_u64() {
        return Ok(Number::from(integer));
    }
    // The text is a float's shortest spelling, or with the host's `arbitrary_precision` what was
    // written; asking for the float would round the latter.
    Number::parse(&number.to_string())
}

/// An integer within `i64` or `u64` is written as one, another number as a float if the float reads
/// back as the same number, else as decimal text: serde has no exact decimals.
/// [`Value::to_json`] writes every number as a number.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(integer) = self.to_i64() {
            return serializer.serialize_i64(integer);
        }
        if let Some(integer) = self.to_u64() {
            return serializer.serialize_u64(integer);
        }
        let text = self.to_string();
        match text.parse::<f64>() {
            Ok(float) if Number::try_from(float).as_ref() == Ok(self) => {
                serializer.serialize_f64(float)
            }
            _ => serializer.serialize_str(&text),
        }
    }
}

/// As data; for numbers see [`Number`].
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Number(number) => number.serialize(serializer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(list) => list.serialize(serializer),
            Value::Object(object) => object.serialize(serializer),
        }
    }
}

/// As a map, keys in UTF-8 order.
impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// From self-describing data, keys given twice and more than [`MAX_DEPTH`] levels refused. A float
/// the format rounded stays rounded: agents' text is read with [`Value::from_json`].
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Levels(MAX_DEPTH).deserialize(deserializer)
    }
}

/// As [`Value`], and an object.
impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(object) => Ok(object),
            other => Err(de::Error::custom(format_args!(
                "expected an object, found a {}",
                other.kind_name()
            ))),
        }
    }
}

/// As [`Value`], and a number.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(number),
            other => Err(de::Error::custom(format_args!(
                "expected a number, found a {}",
                other.kind_name()
            ))),
        }
    }
}

/// Keys by which formats smuggle values of their own kinds through serde's data model: numbers as text
/// (`serde_json` with `arbitrary_precision`) and dates (TOML). Reading those as objects would give a
/// rule something else to look at than was written.
const SMUGGLED: [&str; 3] =
    ["$serde_json::private::Number", "$serde_json::private::RawValue", "$__toml_private_datetime"];

/// Deserialises a value of at most this many levels.
struct Levels(usize);

impl Levels {
    fn below<E: de::Error>(&self) -> Result<usize, E> {
        self.0.checked_sub(1).ok_or_else(|| E::custom(ValueError::TooDeep))
    }
}

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a boolean, a number, text, a list or an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Value, E> {
        Ok(Value::from(integer))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Value, E> {
        Ok(Value::from(integer))
    }

    fn visit_i128<E: de::Error>(self, integer: i128) -> Result<Value, E> {
        Number::try_from(integer).map(Value::Number).map_err(E::custom)
    }

    fn visit_u128<E: de::Error>(self, integer: u128) -> Result<Value, E> {
        Number::try_from(integer).map(Value::Number).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Value, E> {
        Value::try_from(float).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Levels(below))? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut entries = Vec::new();
        while let Some(key) = pairs.next_key::<String>()? {
            if SMUGGLED.contains(&key.as_str()) {
                return Err(de::Error::custom("expected JSON data, found a format's own kind"));
            }
            entries.push((key.into(), pairs.next_value_seed(Levels(below))?));
        }
        Object::from_entries(entries).map(Value::Object).map_err(de::Error::custom)
    }
}
