//! What events have stated of subjects: it goes before what the operator's file and requests say.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hallpass::identity::Kind;
use hallpass::value::{Object, Value};

/// How many subjects are remembered. Of more, nothing is stated, and the event is refused.
const MOST: usize = 65_536;

/// Attributes of subjects, by the kind and the id that the broker knows them by.
#[derive(Debug, Default)]
pub(super) struct Stated(Mutex<BTreeMap<(Kind, Box<str>), Object>>);

impl Stated {
    /// What is stated of a subject; empty where nothing is.
    pub(super) fn of(&self, kind: Kind, id: &str) -> Object {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(kind, id.into())).cloned().unwrap_or_default()
    }

    /// Whether one more subject can be remembered, or this one is.
    pub(super) fn has_room(&self, kind: Kind, id: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.len() < MOST || all.contains_key(&(kind, id.into()))
    }

    /// States these attributes, in addition to others.
    pub(super) fn state(&self, kind: Kind, id: &str, attributes: &[(String, Value)]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry((kind, id.into())).or_default();
        let with = attributes.iter().cloned();
        let others = own.iter().filter(|(name, _)| attributes.iter().all(|(new, _)| new != name));
        let others: Vec<_> = others.map(|(name, own)| (name.to_owned(), own.clone())).collect();
        *own = Object::from_pairs(others.into_iter().chain(with)).unwrap_or_default();
    }
}
