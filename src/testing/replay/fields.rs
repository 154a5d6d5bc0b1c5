//! The members of a JSON object, read strictly: each is known, and of the kind it should be.

use std::time::Duration;

use crate::clock::{Timestamp, parse_duration};
use crate::value::{Object, Value};

/// What a line says that can't be meant, and what was expected instead.
#[derive(Debug)]
pub(crate) struct Misread(pub(crate) String);

/// An object of which every key is known.
pub(crate) struct Fields<'v> {
    of: &'v str,
    object: &'v Object,
}

impl<'v> Fields<'v> {
    /// Opens the object; `of` names it in messages.
    ///
    /// # Errors
    /// [`Misread`] if it is not an object, or has a key outside `known`.
    pub(crate) fn open(of: &'v str, value: &'v Value, known: &[&str]) -> Result<Self, Misread> {
        let Value::Object(object) = value else {
            return Err(Misread(format!("`{of}` is {}, expected an object", article(value))));
        };
        Fields { of, object }.knowing(known)
    }

    /// # Errors
    /// [`Misread`] if there is a key outside `known`.
    pub(crate) fn of(of: &'v str, object: &'v Object, known: &[&str]) -> Result<Self, Misread> {
        Fields { of, object }.knowing(known)
    }

    fn knowing(self, known: &[&str]) -> Result<Self, Misread> {
        match self.object.keys().find(|key| !known.contains(key)) {
            None => Ok(self),
            Some(key) => Err(Misread(format!(
                "unknown field `{}` in `{}`, expected {}",
                key.escape_debug(),
                self.of,
                listed(known)
            ))),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'v Value> {
        self.object.get(key)
    }

    /// # Errors
    /// [`Misread`] if it is missing.
    pub(crate) fn require(&self, key: &str, expected: &str) -> Result<&'v Value, Misread> {
        self.get(key)
            .ok_or_else(|| Misread(format!("`{}` has no `{key}`, expected {expected}", self.of)))
    }

    /// # Errors
    /// [`Misread`] if it is missing or no text.
    pub(crate) fn text(&self, key: &str) -> Result<&'v str, Misread> {
        self.require(key, "text").and_then(|value| text(key, value))
    }

    /// # Errors
    /// [`Misread`] if it is there and no text.
    pub(crate) fn text_if(&self, key: &str) -> Result<Option<&'v str>, Misread> {
        self.get(key).map(|value| text(key, value)).transpose()
    }

    /// The one field of these that is there, and its text.
    ///
    /// # Errors
    /// [`Misread`] if none is there, or more than one, or it is not text.
    pub(crate) fn one_text(
        &self,
        keys: &[&'static str],
    ) -> Result<(&'static str, &'v str), Misread> {
        let mut given = keys.iter().filter(|key| self.get(key).is_some());
        match (given.next(), given.next()) {
            (Some(key), None) => Ok((key, self.text(key)?)),
            _ => Err(Misread(format!("`{}` needs exactly one of {}", self.of, listed(keys)))),
        }
    }

    /// The elements; none if the key is missing.
    ///
    /// # Errors
    /// [`Misread`] if it is there and no list.
    pub(crate) fn list(&self, key: &str) -> Result<&'v [Value], Misread> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::List(list)) => Ok(list),
            Some(other) => Err(unexpected(key, other, "a list")),
        }
    }

    /// # Errors
    /// [`Misread`] if it is there and no object.
    pub(crate) fn object_if(&self, key: &str) -> Result<Option<&'v Object>, Misread> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(unexpected(key, other, "an object")),
        }
    }

    /// Whether something is so; it is not, where the key is missing.
    ///
    /// # Errors
    /// [`Misread`] if it is there and neither true nor false.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Misread> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(so)) => Ok(*so),
            Some(other) => Err(unexpected(key, other, "`true` or `false`")),
        }
    }

    /// The meaning of one of a few words.
    ///
    /// # Errors
    /// [`Misread`] if it is there and none of the words.
    pub(crate) fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Misread> {
        let Some(given) = self.text_if(key)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == given) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let given = given.escape_debug();
                Err(Misread(format!("`{key}` is `{given}`, expected {}", listed(&words))))
            }
        }
    }

    /// # Errors
    /// [`Misread`] if it is there and no whole number from `least`.
    pub(crate) fn count_if(&self, key: &str, least: u64) -> Result<Option<u64>, Misread> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match value.as_number().and_then(|number| number.to_u64()) {
            Some(count) if count >= least => Ok(Some(count)),
            _ => Err(Misread(format!(
                "`{key}` is `{value}`, expected a whole number of at least {least}"
            ))),
        }
    }
}

fn unexpected(key: &str, value: &Value, expected: &str) -> Misread {
    Misread(format!("`{key}` is {}, expected {expected}", article(value)))
}

/// # Errors
/// [`Misread`] if it is not text.
pub(crate) fn text<'v>(key: &str, value: &'v Value) -> Result<&'v str, Misread> {
    value.as_text().ok_or_else(|| Misread(format!("`{key}` is {}, expected text", article(value))))
}

fn article(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(_) => "text".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => format!("a {}", other.kind_name()),
    }
}

/// The words as a message lists them.
pub(crate) fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

pub(crate) fn length(field: &str, text: &str) -> Result<Duration, Misread> {
    parse_duration(text).map_err(|error| Misread(format!("`{field}`: {error}")))
}

pub(crate) fn instant(field: &str, text: &str) -> Result<Timestamp, Misread> {
    Timestamp::parse_rfc3339(text).map_err(|error| Misread(format!("`{field}`: {error}")))
}
