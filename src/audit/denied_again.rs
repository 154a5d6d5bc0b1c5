//! The record of denials that equal some that stand in full.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::words::{Stage, is_false};
use crate::clock::Timestamp;
use crate::value::Value;

/// Denials equal to ten that stand in the log in full, within a minute: one record for the rest of them.
///
/// Equal are those of one stage, task, identity, tool, resource and reason, by the same rules, with the same arguments
/// or scope. It stands for all numbers from `from` to its own; what else happened meanwhile has numbers before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields carry the names of a denial's; the odd ones are said")]
#[non_exhaustive]
pub struct DeniedAgain<'a> {
    /// The first number that it stands for.
    pub from: u64,
    /// How many denials there were: as many as numbers it stands for.
    pub count: u64,
    /// The time of the first; the record's own is that of the last.
    pub since: Timestamp,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Cow<'a, str>>,
    /// Digest of the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Cow<'a, str>>,
    /// The scope that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Cow<'a, Value>>,
    /// What the agent was told.
    pub code: Cow<'a, str>,
    /// What only operators are told.
    pub reason: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Cow<'a, str>>,
    /// Under which policy: the last `reloaded` record of this epoch has its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Whether it is of what breaking the glass gave.
    #[serde(default, skip_serializing_if = "is_false")]
    pub break_glass: bool,
}
