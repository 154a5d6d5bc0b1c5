//! Values that a record keeps in plain: commitments in the record, the values next to the log.
//!
//! The record says of each value a commitment alone, an HMAC under a salt of its own. Value and salt stand in a line
//! next to the log, which can be erased: the chain does not cover it, and without the salt the commitment tells nothing,
//! also of a value that has few others. Read back, a value counts only if it is the one that was committed to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::push_name;
use super::escaped::push_escaped;
use super::words::is_false;
use crate::base64;
use crate::clock::Timestamp;
use crate::key::MacKey;
use crate::random::{self, RandomError};
use crate::value::{Digest, Object, Value};

/// The longest value, in bytes of JSON: what decides is short, and a denied agent may try again and again.
const LONGEST: usize = 1024;
/// As many bytes of values one record has next to it at most, for the same reason.
const MOST_BYTES: usize = 4096;
const SALT: usize = 32;

/// Which parts of a question a record keeps in plain, by their names in policies: `args.amount`, `when.env`,
/// `who.groups`. Of a request `who` is the holder to be; what is said of a requester who is another one stands under
/// `requester.groups`, and of those above what is delegated under `delegator-1.groups`, the nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plain<'a> {
    /// For each part its commitment, HMAC-SHA256 of name and value under the salt that stands with the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// Parts that the question did not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Cow<'a, str>>,
    /// Parts of which the record has the digest of arguments or context alone: their values are too long, or hold a
    /// secret that the task has used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digest_only: Vec<Cow<'a, str>>,
    /// How many arguments the call had that the catalogue does not list as plain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub other_args: u64,
    /// Whether the token was presented bound to the call.
    #[serde(default, skip_serializing_if = "is_false")]
    pub call_bound: bool,
    /// Whether the catalogue brought arguments of the call to another spelling, or left some out: the values are those
    /// that the tool gets. Of a grant, whether it brought the scope to another spelling.
    #[serde(default, skip_serializing_if = "is_false")]
    pub respelled: bool,
    /// Whether rules decided about each part of a scope by itself, as they do where a request is to be trimmed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_parts: bool,
    /// The time that was decided by, where it is not the record's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The values of a record that stood next to it, as far as they are what was committed to.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PlainValues {
    /// By the names of the parts.
    pub values: BTreeMap<String, Value>,
    /// Parts whose values are not there any more.
    pub erased: Vec<String>,
    /// Parts that stand there with another value than the record says.
    pub changed: Vec<String>,
}

impl Plain<'_> {
    /// The values, from the line that stands next to the record: `kept` is that line, if there is one.
    #[must_use]
    pub fn open(&self, kept: Option<&str>) -> PlainValues {
        let line = kept.and_then(|line| Value::from_json(line).ok());
        let kept = line.as_ref().and_then(|line| line.as_object()?.get("plain")?.as_object());
        let mut opened = PlainValues::default();
        for (name, commitment) in &self.values {
            let part = kept.and_then(|kept| kept.get(name)?.as_object());
            let Some(part) = part else {
                opened.erased.push(name.clone().into_owned());
                continue;
            };
            match part.get("value").filter(|value| is_committed(part, name, value, commitment)) {
                Some(value) => {
                    opened.values.insert(name.clone().into_owned(), value.clone());
                }
                None => opened.changed.push(name.clone().into_owned()),
            }
        }
        opened
    }
}

fn is_committed(part: &Object, name: &str, value: &Value, commitment: &str) -> bool {
    let salt = || {
        let mut salt = [0; SALT];
        base64::decode(part.get("salt")?.as_text()?, &mut salt)?;
        Some(salt)
    };
    salt().is_some_and(|salt| commit(&salt, name, value).to_string() == *commitment)
}

/// What a record says of a value.
fn commit(salt: &[u8; SALT], name: &str, value: &Value) -> Digest {
    let mut message = Vec::with_capacity(64);
    push_name(&mut message, name);
    value.encode(&mut message);
    MacKey::from_tag(salt).sign(&message).into()
}

/// What a record is to keep in plain, as it is put together.
#[derive(Default)]
pub(crate) struct PlainDraft {
    plain: Plain<'static>,
    kept: Object,
    bytes: usize,
}

/// What a record says of its plain values, and the values themselves, for the line next to it.
#[derive(Clone, Debug)]
pub(crate) struct KeptPlain {
    pub(crate) plain: Plain<'static>,
    pub(crate) values: Box<str>,
}

impl PlainDraft {
    /// A draft of a call with this many arguments that are not listed.
    pub(crate) fn new(other_args: usize, call_bound: bool, respelled: bool) -> Self {
        let other_args = u64::try_from(other_args).unwrap_or(u64::MAX);
        let plain = Plain { other_args, call_bound, respelled, ..Plain::default() };
        PlainDraft { plain, ..PlainDraft::default() }
    }

    /// A draft of a request.
    pub(crate) fn of_request(respelled: bool, by_parts: bool) -> Self {
        let plain = Plain { respelled, by_parts, ..Plain::default() };
        PlainDraft { plain, ..PlainDraft::default() }
    }

    /// Keeps a part that is not there, and says so.
    pub(crate) fn note_absent(&mut self, name: String) {
        self.plain.absent.push(name.into());
    }

    /// Keeps a part; of one that is too long, or `holds_secret` says to hold a secret, says that it is not kept.
    ///
    /// # Errors
    /// Without randomness there is no salt, and nothing may be kept without.
    pub(crate) fn keep(
        &mut self,
        name: String,
        value: &Value,
        holds_secret: impl FnOnce(&str) -> bool,
    ) -> Result<(), RandomError> {
        let text = value.to_json();
        let bytes = self.bytes + text.len();
        // What lies too deep could not be read back around that many braces.
        let is_deep = Value::from_json(&format!("[[[{text}]]]")).is_err();
        if text.len() > LONGEST || bytes > MOST_BYTES || is_deep || holds_secret(&text) {
            self.plain.digest_only.push(name.into());
            return Ok(());
        }
        let mut salt = [0; SALT];
        random::fill(&mut salt)?;
        let commitment = commit(&salt, &name, value).to_string();
        let mut spelled = String::new();
        base64::encode_to(&salt, &mut spelled);
        let mut part = Object::new();
        // Each key is written once, as each name is listed once.
        let _ = part.insert("salt", spelled);
        let _ = part.insert("value", value.clone());
        let _ = self.kept.insert(name.clone(), Value::Object(part));
        self.bytes = bytes;
        self.plain.values.insert(name.into(), commitment.into());
        Ok(())
    }

    /// What was decided at `at`, if the record has another time.
    pub(crate) fn finish(self) -> KeptPlain {
        let mut values = String::new();
        push_escaped(&mut values, &self.kept.to_json());
        KeptPlain { plain: self.plain, values: values.into() }
    }
}

#[cfg(test)]
mod tests;
