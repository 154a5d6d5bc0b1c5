//! What the log says of broken glass.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::plain::Plain;
use super::words::is_false;
use crate::clock::Timestamp;
use crate::value::Value;

/// A human broke the glass: the emergency path gave a grant, and owes a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields carry the names of the vocabulary; the odd ones are said"
)]
#[non_exhaustive]
pub struct BrokenGlass<'a> {
    pub task: Cow<'a, str>,
    pub generation: u64,
    pub grant: Cow<'a, str>,
    pub who: Cow<'a, str>,
    /// The other names of that person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Cow<'a, str>>,
    pub justification: Cow<'a, str>,
    pub scope: Cow<'a, Value>,
    /// Digest of the context.
    pub context: Cow<'a, str>,
    pub rules: Vec<Cow<'a, str>>,
    /// The asks that it was not held up by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Cow<'a, str>>,
    pub epoch: u64,
    pub policy: Cow<'a, str>,
    pub expires: Timestamp,
    /// Until when it has to be reviewed.
    pub due: Timestamp,
    /// Whether this person can't break the glass again before that, due or not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refuses_while_open: bool,
    /// Where in a trace it was asked, if the context said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<Box<Plain<'a>>>,
}
