//! What the log says of an answer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::words::{Answered, is_false};
use crate::clock::Timestamp;

/// Somebody answered a question, or tried to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields carry the names of the vocabulary; the odd ones are said"
)]
#[non_exhaustive]
pub struct AnswerGiven<'a> {
    pub task: Cow<'a, str>,
    pub generation: u64,
    pub question: Cow<'a, str>,
    /// Who; nothing where the asker took the question back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Cow<'a, str>>,
    pub answer: Answered,
    /// Digest of what was shown to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Cow<'a, str>>,
    /// Of a scope: the numbers of the items that were answered, counted from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<u32>,
    /// Of a scope: those of them that this was the last yes to that was missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<u32>,
    /// How far the yes of a reviewer is to reach, where that is not the one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Cow<'a, str>>,
    /// Why it does not count, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// Where the question stands then.
    pub state: Cow<'a, str>,
    /// Until when the approval is good, if this made it complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_until: Option<Timestamp>,
    /// Who said yes, as the host stated that, sealed: for a broker that goes on with the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub break_glass: bool,
}
