//! What the log says of a question to people.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::words::is_false;
use crate::clock::Timestamp;
use crate::value::Value;

/// A call, or a scope, waits until people agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields carry the names of the vocabulary; the odd ones are said"
)]
#[non_exhaustive]
pub struct Asked<'a> {
    pub task: Cow<'a, str>,
    pub generation: u64,
    /// The question's id.
    pub question: Cow<'a, str>,
    pub who: Cow<'a, str>,
    /// The other names of those who can't answer: the requester, who delegated, and whom they act for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Cow<'a, str>>,
    /// Of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Cow<'a, str>>,
    /// Digest of the arguments of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Cow<'a, str>>,
    /// Of a scope: what asks withhold of it, item by item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Cow<'a, Value>>,
    /// The question that somebody amended: this one is in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<Cow<'a, str>>,
    /// The asks.
    pub rules: Vec<Cow<'a, str>>,
    /// The arguments that may be others in the calls of a yes that reaches several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vary: Vec<Cow<'a, str>>,
    /// Until when people can answer.
    pub expires: Timestamp,
    pub epoch: u64,
    /// What it is about, sealed: for a broker that goes on with the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub break_glass: bool,
}
