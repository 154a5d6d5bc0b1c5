//! What the host has noted of results in a task: opaque ids, under the tool that gave them and the field they stood in.

use std::collections::{BTreeMap, BTreeSet};

use crate::value::Value;

/// How many values a task keeps in all. An inbox or a listing has tens of ids; one that has more is better narrowed by the
/// tool that reads it.
const MOST_VALUES: usize = 1024;

/// How many bytes they have together.
const MOST_BYTES: usize = 64 * 1024;

/// How long one text may be: ids are short, and what is long is content, which the host can't vouch for.
const LONGEST: usize = 256;

/// How many names a task has notes under.
const MOST_NAMES: usize = 64;

/// The notes of a task: under each name a list, of which each value is there once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    lists: BTreeMap<Box<str>, Value>,
    values: usize,
    bytes: usize,
}

impl Notes {
    /// What was noted under a name: a list, and never an empty one.
    pub(crate) fn list(&self, name: &str) -> Option<&Value> {
        self.lists.get(name)
    }

    /// Adds these values, all or none, and says how many of them are new.
    ///
    /// # Errors
    /// [`NotesFault`]: one of the values is no id, or the task would keep more than it may.
    pub(crate) fn add(&mut self, name: &str, value: &Value) -> Result<usize, NotesFault> {
        let given = match value {
            Value::List(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        let known = self.lists.get(name).and_then(Value::as_list).unwrap_or_default();
        let mut texts: BTreeSet<&str> = known.iter().filter_map(Value::as_text).collect();
        let mut new: Vec<Value> = Vec::new();
        let mut bytes = self.bytes;
        for value in given {
            let length = match value {
                Value::Text(text) if text.is_empty() => return Err(NotesFault::Empty),
                Value::Text(text) if text.len() > LONGEST => {
                    return Err(NotesFault::Long(text.len()));
                }
                Value::Text(text) => text.len(),
                Value::Number(_) => 0,
                other => return Err(NotesFault::Kind(other.kind_name())),
            };
            let is_new = match value {
                Value::Text(text) => texts.insert(text),
                number => !known.contains(number) && !new.contains(number),
            };
            if is_new {
                bytes += length;
                new.push(value.clone());
            }
            // Looked at as they are taken: a list of millions is refused once it is too long.
            if self.values + new.len() > MOST_VALUES || bytes > MOST_BYTES {
                return Err(NotesFault::Full);
            }
        }
        let added = new.len();
        if added > 0 {
            let names = self.lists.len();
            match self.lists.get_mut(name) {
                Some(Value::List(own)) => own.extend(new),
                _ if names >= MOST_NAMES => return Err(NotesFault::Names),
                _ => drop(self.lists.insert(name.into(), Value::List(new))),
            }
        }
        (self.values, self.bytes) = (self.values + added, bytes);
        Ok(added)
    }
}

/// Why values are not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotesFault {
    #[error(
        "a note is text or a number, or a list of such, and this is of kind {0}: note the id that stands in it"
    )]
    Kind(&'static str),
    #[error("a note of an empty text says nothing: leave it out")]
    Empty,
    #[error(
        "a note of {0} bytes, expected an id of at most {LONGEST}: what is longer is content, and no host can vouch for that"
    )]
    Long(usize),
    #[error(
        "a task keeps at most {MOST_VALUES} notes of {MOST_BYTES} bytes together: have the tool give less at a time, or open \
         a task for each errand"
    )]
    Full,
    #[error("a task has notes under at most {MOST_NAMES} names")]
    Names,
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Notes {
        /// The notes with these values, too, and how many of them are new.
        fn with(&self, name: &str, value: &Value) -> Result<(Notes, usize), NotesFault> {
            let mut after = self.clone();
            let added = after.add(name, value);
            // What is refused leaves all as it was.
            assert!(added.is_ok() || after == *self);
            added.map(|added| (after, added))
        }
    }

    fn texts(all: &[&str]) -> Value {
        Value::List(all.iter().map(|own| Value::from(*own)).collect())
    }

    #[test]
    fn each_value_is_kept_once_under_its_name() {
        let (notes, added) = Notes::default().with("t#id", &texts(&["a", "b", "a"])).unwrap();
        assert_eq!((added, notes.list("t#id")), (2, Some(&texts(&["a", "b"]))));
        let (notes, added) = notes.with("t#id", &Value::from("b")).unwrap();
        assert_eq!((added, notes.values, notes.bytes), (0, 2, 2));
        let (notes, added) = notes.with("t#no", &Value::from(7)).unwrap();
        let (notes, more) = notes.with("t#no", &Value::from(7)).unwrap();
        assert_eq!((added, more, notes.list("t#no")), (1, 0, Some(&Value::List(vec![7.into()]))));
        assert_eq!(notes.list("t"), None);
        let (notes, added) = notes.with("t#other", &texts(&[])).unwrap();
        assert_eq!((added, notes.list("t#other")), (0, None), "an empty list is never there");
    }

    #[test]
    fn what_is_no_id_is_refused_and_nothing_of_its_list_is_noted() {
        let long = "x".repeat(LONGEST + 1);
        for (value, fault) in [
            (Value::Null, NotesFault::Kind("null")),
            (Value::Bool(true), NotesFault::Kind("boolean")),
            (Value::List(vec![texts(&["a"])]), NotesFault::Kind("list")),
            (texts(&["a", ""]), NotesFault::Empty),
            (texts(&["a", &long]), NotesFault::Long(LONGEST + 1)),
        ] {
            assert_eq!(Notes::default().with("t#id", &value), Err(fault), "{value}");
        }
        let most = "x".repeat(LONGEST);
        assert!(Notes::default().with("t#id", &texts(&[&most])).is_ok());
    }

    #[test]
    fn a_task_keeps_so_many_values_bytes_and_names_and_no_more() {
        let ids: Vec<Value> = (0..MOST_VALUES).map(|n| Value::from(n.to_string())).collect();
        let (full, added) = Notes::default().with("t#id", &Value::List(ids.clone())).unwrap();
        assert_eq!(added, MOST_VALUES);
        assert_eq!(full.with("u#id", &Value::from("one")), Err(NotesFault::Full));
        assert!(full.with("t#id", &Value::List(ids)).is_ok(), "what is there takes no more place");

        let long = |n: usize| Value::from(format!("{n:0LONGEST$}"));
        let many: Vec<Value> = (0..MOST_BYTES / LONGEST).map(long).collect();
        let (full, _) = Notes::default().with("t#id", &Value::List(many)).unwrap();
        assert_eq!(full.with("t#id", &Value::from("x")), Err(NotesFault::Full));

        let mut notes = Notes::default();
        for n in 0..MOST_NAMES {
            notes = notes.with(&format!("t#{n}"), &Value::from("x")).unwrap().0;
        }
        assert_eq!(notes.with("t#more", &Value::from("x")), Err(NotesFault::Names));
        assert!(notes.with("t#0", &Value::from("y")).is_ok());
    }
}
