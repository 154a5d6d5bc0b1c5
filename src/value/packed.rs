//! An object kept in its byte form, for what is kept for long and hardly ever looked at.

use super::decode::Decoder;
use super::{Object, Value};

/// An object of a host's own, as few bytes as its byte form has.
pub(crate) struct PackedObject(Box<[u8]>);

impl PackedObject {
    pub(crate) fn of(object: &Object) -> PackedObject {
        let mut bytes = Vec::with_capacity(128);
        object.encode(&mut bytes);
        PackedObject(bytes.into())
    }

    /// The object; `None` never, as long as an object is what was packed.
    pub(crate) fn unpack(&self) -> Option<Object> {
        // It is as deep, and has as many parts, as what the host has built.
        let mut decoder = Decoder::new(&self.0, usize::MAX);
        match decoder.value(usize::MAX).ok()? {
            Value::Object(object) => decoder.end().is_ok().then_some(object),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let mixed = r#"{"a":[1.5,-3,{"b":[]}],"env":"prod","none":null,"risk":20,"t":"\u00e9\n"}"#;
        for text in ["{}", mixed] {
            let Ok(Value::Object(object)) = Value::from_json(text) else { panic!("{text}") };
            assert_eq!(PackedObject::of(&object).unpack(), Some(object), "{text}");
        }
    }

    /// What a host builds is held to no limit of a reader.
    #[test]
    fn what_is_deep_and_wide_is_unpacked() {
        let deep = (0..500).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        let wide = Value::List(vec![Value::from(1); 100_000]);
        let object = Object::from_pairs([("deep", deep), ("wide", wide)]).unwrap();
        assert_eq!(PackedObject::of(&object).unpack(), Some(object));
    }
}
