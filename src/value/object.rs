//! Objects: sorted keys, each once.

use super::Value;

/// A JSON object whose keys stand in UTF-8 order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    entries: Vec<(Box<str>, Value)>,
}

/// A key was given twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key `{0}` is given twice")]
pub struct DuplicateKey(pub Box<str>);

impl Object {
    /// An object without keys.
    pub const fn new() -> Self {
        Object { entries: Vec::new() }
    }

    /// The value at `key`, if the key is there.
    pub fn get(&self, key: &str) -> Option<&Value> {
        // Real argument objects have a handful of keys: a scan beats a search until about a dozen.
        if self.entries.len() <= 12 {
            return self.entries.iter().find(|(k, _)| &**k == key).map(|(_, v)| v);
        }
        let at = self.entries.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.entries.get(at).map(|(_, v)| v)
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`DuplicateKey`] if the key is there already: the first value stays.
    pub fn insert(&mut self, key: impl Into<Box<str>>, value: Value) -> Result<(), DuplicateKey> {
        let key = key.into();
        match self.entries.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(_) => Err(DuplicateKey(key)),
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
}
