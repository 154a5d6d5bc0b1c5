//! The digest of a value that is too large to be put together first.

use sha2::{Digest as _, Sha256};

use super::Value;
use super::digest::Digest;
use super::encode::{LIST, OBJECT, encode_count, encode_text};

/// The digest of a value's byte form, part after part.
pub(crate) struct DigestOfParts {
    hash: Sha256,
    /// Taken again for each part.
    bytes: Vec<u8>,
}

impl DigestOfParts {
    /// Begins an object of this number of keys, which are said in the order of their bytes, each with what is behind it.
    pub(crate) fn object(count: usize) -> Self {
        let mut own = DigestOfParts { hash: Sha256::new(), bytes: Vec::new() };
        own.take(|bytes| {
            bytes.push(OBJECT);
            encode_count(bytes, count as u64);
        });
        own
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.take(|bytes| encode_text(bytes, key));
        self
    }

    pub(crate) fn value(mut self, value: &Value) -> Self {
        self.take(|bytes| value.encode(bytes));
        self
    }

    /// A list of this number of values.
    pub(crate) fn list(mut self, count: usize, values: impl Iterator<Item = Value>) -> Self {
        self.take(|bytes| {
            bytes.push(LIST);
            encode_count(bytes, count as u64);
        });
        values.fold(self, |own, value| own.value(&value))
    }

    pub(crate) fn finish(self) -> Digest {
        <[u8; 32]>::from(self.hash.finalize()).into()
    }

    fn take(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.clear();
        encode(&mut self.bytes);
        self.hash.update(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::value::Object;

    proptest! {
        #[test]
        fn the_digest_of_parts_is_that_of_the_whole(list in vec("[a-c]{0,3}", 0..200), value in any::<i64>()) {
            let value = Value::from(value);
            let list: Vec<Value> = list.into_iter().map(Value::from).collect();
            let parts = DigestOfParts::object(2).key("a").list(list.len(), list.iter().cloned());
            let parts = parts.key("b").value(&value).finish();
            let whole = Object::from_pairs([("a", Value::List(list)), ("b", value)]).unwrap();
            prop_assert_eq!(parts, Value::Object(whole).digest());
        }
    }
}
