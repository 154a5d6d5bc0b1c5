//! Objects: sorted keys, each once.

use std::borrow::Cow;

use super::Value;
use crate::visible::Shown;
use crate::word::is_same;

/// Keys are mostly written in a host's program: these are not copied.
pub(crate) type Key = Cow<'static, str>;

/// Real argument objects have a handful of keys: a scan beats a search until about a dozen.
const FEW: usize = 12;

/// A JSON object whose keys stand in UTF-8 order, each once.
///
/// ```
/// use hallpass::value::{Object, Value};
///
/// let object = Object::from_pairs([("to", "CH93"), ("from", "CH12")])?;
/// assert_eq!(object.keys().collect::<Vec<_>>(), ["from", "to"]);
/// assert_eq!(object.get("to"), Some(&Value::from("CH93")));
/// assert!(Object::from_pairs([("a", 1), ("a", 1)]).is_err());
/// # Ok::<(), hallpass::value::DuplicateKey>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    // INVARIANT: strictly ascending by key.
    entries: Vec<(Key, Value)>,
}

/// A key was given twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {} is given twice", Shown(.0))]
pub struct DuplicateKey(pub Box<str>);

impl Object {
    /// An object without keys.
    pub const fn new() -> Self {
        Object { entries: Vec::new() }
    }

    /// An object of these keys, in any order. A key that is written in the program is not copied; one
    /// that was made is given as a `String`.
    ///
    /// # Errors
    /// [`DuplicateKey`] if a key comes twice, even with equal values.
    #[inline]
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, DuplicateKey>
    where
        K: Into<Cow<'static, str>>,
        V: Into<Value>,
    {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into()));
        let mut entries = Vec::with_capacity(pairs.size_hint().0);
        entries.extend(pairs);
        Object::from_entries(entries)
    }

    /// Sorts once and compares neighbours, whatever order a sender chose.
    #[inline]
    pub(crate) fn from_entries(entries: Vec<(Key, Value)>) -> Result<Self, DuplicateKey> {
        if entries.is_sorted_by(|(left, _), (right, _)| stands_before(left, right)) {
            return Ok(Object { entries });
        }
        Object::from_unsorted(entries)
    }

    fn from_unsorted(mut entries: Vec<(Key, Value)>) -> Result<Self, DuplicateKey> {
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        let mut neighbours = entries.iter().zip(entries.iter().skip(1));
        if let Some(((key, _), _)) = neighbours.find(|((left, _), (right, _))| left == right) {
            return Err(DuplicateKey(key.as_ref().into()));
        }
        Ok(Object { entries })
    }

    /// The value at `key`, if the key is there.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.entries.len() <= FEW {
            let own = self.entries.iter().find(|(own, _)| is_same(own, key));
            return own.map(|(_, value)| value);
        }
        self.find(key).map(|(_, value)| value)
    }

    /// The value at `key`, and at which place in the order of keys it stands.
    pub(crate) fn find(&self, key: &str) -> Option<(usize, &Value)> {
        let at = self.place(key)?;
        self.entries.get(at).map(|(_, value)| (at, value))
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.entries.len() <= FEW {
            return self.entries.iter().position(|(own, _)| is_same(own, key));
        }
        self.entries.binary_search_by(|(own, _)| (**own).cmp(key)).ok()
    }

    /// The value at `key`, to be replaced.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.place(key)?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Takes a key and its value out, if the key is there.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(at) = self.place(key) {
            self.entries.remove(at);
        }
    }

    /// Adds a key. Cheap where keys come in UTF-8 order; for many keys in another order
    /// [`Object::from_pairs`] sorts once instead of moving entries each time.
    ///
    /// # Errors
    /// [`DuplicateKey`] if the key is there already: the first value stays.
    pub fn insert(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> Result<(), DuplicateKey> {
        let (key, value) = (key.into(), value.into());
        if self.entries.last().is_none_or(|(last, _)| *last < key) {
            self.entries.push((key, value));
            return Ok(());
        }
        match self.entries.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(_) => Err(DuplicateKey(key.as_ref().into())),
            Err(at) => {
                self.entries.insert(at, (key, value));
                Ok(())
            }
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values, keys in UTF-8 order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(k, v)| (&**k, v))
    }

    /// Keys in UTF-8 order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(k, _)| &**k)
    }

    /// How many levels of lists and objects stand inside each other, this one included.
    pub fn depth(&self) -> usize {
        1 + self.entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0)
    }
}

/// `left < right`; mostly the first bytes differ and decide.
#[inline]
fn stands_before(left: &str, right: &str) -> bool {
    match (left.as_bytes(), right.as_bytes()) {
        ([first, ..], [other, ..]) if first != other => first < other,
        _ => left < right,
    }
}

/// Keys and values, keys in UTF-8 order.
impl IntoIterator for Object {
    type Item = (Cow<'static, str>, Value);
    type IntoIter = std::vec::IntoIter<(Cow<'static, str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// An object whose keys are literals, or come from a table that has each once; of two the first stays.
pub(crate) fn object_of(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut out = Object::new();
    for (key, value) in fields {
        let _ = out.insert(key, value);
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_stand_in_the_order_of_their_bytes(left in "[ab\u{e9}]{0,4}", right in "[ab\u{e9}]{0,4}") {
            prop_assert_eq!(stands_before(&left, &right), left < right);
        }

        #[test]
        fn a_key_is_found_where_it_stands(
            names in proptest::collection::vec("[ab\u{e9}]{0,9}", 0..20),
            other in "[ab]{0,9}",
        ) {
            let mut object = Object::new();
            for (nth, name) in names.iter().enumerate() {
                let twice = names[..nth].contains(name);
                prop_assert_eq!(object.insert(name.clone(), nth as u64).is_err(), twice);
            }
            for (at, key) in object.keys().enumerate() {
                let first = names.iter().position(|name| name == key).unwrap();
                prop_assert_eq!(object.find(key), Some((at, &Value::from(first as u64))));
            }
            prop_assert_eq!(object.find(&other).is_some(), names.contains(&other));
            prop_assert_eq!(object.get_mut(&other).cloned(), object.get(&other).cloned());
        }
    }
}
