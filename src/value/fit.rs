//! Values read into a host's own types, exactly or not at all.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Number, Object, Value};
use crate::visible::is_hidden;

/// The most characters of a misfit that are kept: serde repeats the value it found, which may be as long
/// as arguments may be.
const MOST_SHOWN: usize = 256;

/// Why a value does not fit a type: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The keys that lead there, innermost first.
    path: Vec<Box<str>>,
    message: String,
}

impl Object {
    /// The object as a `T`. A number that a float of `T` would round does not fit: the tool must run from
    /// what was decided about.
    pub(crate) fn fit<'v, T: Deserialize<'v>>(&'v self) -> Result<T, Misfit> {
        T::deserialize(MapAccessDeserializer::new(Fields::of(self)))
    }
}

impl Misfit {
    fn new(message: impl fmt::Display) -> Self {
        let mut shown = String::new();
        for (at, c) in message.to_string().chars().enumerate() {
            if at >= MOST_SHOWN {
                shown.push('…');
                break;
            }
            match is_hidden(c) {
                true => shown.extend(c.escape_unicode()),
                false => shown.push(c),
            }
        }
        Misfit { path: Vec::new(), message: shown }
    }

    fn under(mut self, key: &str) -> Self {
        self.path.push(key.into());
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.path.iter().rev().enumerate() {
            f.write_str(if at == 0 { "`" } else { "." })?;
            f.write_str(key)?;
        }
        f.write_str(if self.path.is_empty() { "" } else { "`: " })?;
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Misfit::new(message)
    }
}

/// A value as serde reads it.
struct Source<'v>(&'v Value);

impl<'de> Deserializer<'de> for Source<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(*bool),
            Value::Number(number) => visit_number(*number, visitor),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(list) => visitor.visit_seq(Items(list.iter())),
            Value::Object(object) => visitor.visit_map(Fields::of(object)),
        }
    }

    /// serde's own floats take integers and other floats as they come, and round them.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Number(number) => visitor.visit_f64(exact_f64(*number)?),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let Value::Number(number) = self.0 else { return self.deserialize_any(visitor) };
        match number.to_string().parse::<f32>() {
            Ok(float) if Number::parse(&format!("{float:e}")).as_ref() == Ok(number) => {
                visitor.visit_f32(float)
            }
            _ => Err(rounded(*number)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum((&**text).into_deserializer()),
            Value::Object(object) if object.len() == 1 => {
                let fields = MapAccessDeserializer::new(Fields::of(object));
                fields.deserialize_enum(name, variants, visitor)
            }
            other => Err(Misfit::new(format_args!(
                "expected the name of a variant, or an object of one key, found {}",
                other.kind_name()
            ))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, Misfit> {
    if let Some(integer) = number.to_i64() {
        return visitor.visit_i64(integer);
    }
    if let Some(integer) = number.to_u64() {
        return visitor.visit_u64(integer);
    }
    match number.parts() {
        (integer, 0) => visitor.visit_i128(integer),
        _ => visitor.visit_f64(exact_f64(number)?),
    }
}

/// The float whose shortest decimal is this number.
fn exact_f64(number: Number) -> Result<f64, Misfit> {
    match number.to_string().parse::<f64>() {
        Ok(float) if Number::try_from(float) == Ok(number) => Ok(float),
        _ => Err(rounded(number)),
    }
}

fn rounded(number: Number) -> Misfit {
    Misfit::new(format_args!("a float would round {number}"))
}

struct Items<'v>(std::slice::Iter<'v, Value>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        self.0.next().map(|item| seed.deserialize(Source(item))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields<'v, I> {
    left: I,
    /// Whose key was read, and value is next.
    at: Option<(&'v str, &'v Value)>,
}

impl<'v> Fields<'v, ()> {
    fn of(object: &'v Object) -> Fields<'v, impl ExactSizeIterator<Item = (&'v str, &'v Value)>> {
        Fields { left: object.iter(), at: None }
    }
}

impl<'de, I: ExactSizeIterator<Item = (&'de str, &'de Value)>> MapAccess<'de> for Fields<'de, I> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Misfit> {
        self.at = self.left.next();
        let key = |(key, _): (&'de str, _)| de::value::BorrowedStrDeserializer::new(key);
        self.at.map(|entry| seed.deserialize(key(entry))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        let (key, value) = self.at.take().ok_or_else(|| Misfit::new("a value before its key"))?;
        seed.deserialize(Source(value)).map_err(|misfit| misfit.under(key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}
