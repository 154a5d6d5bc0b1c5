//! What came of a replay.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What came of deciding a log's calls again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Replay {
    /// How many decisions rules made about calls.
    pub decisions: u64,
    /// How many of them were decided again.
    pub replayed: u64,
    /// How many of those came out otherwise.
    pub differing: u64,
    /// The first 4,096 of them.
    pub differences: Vec<Difference>,
    /// How many decisions were not decided again, and why.
    pub not_replayable: BTreeMap<NotReplayable, u64>,
    /// How many requests the log has, given and denied: these are not decided again.
    pub requests: u64,
}

/// What a replay comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReplayVerdict {
    /// All that was decided again came out the same.
    Same,
    /// Something came out otherwise.
    Differs,
    /// Of the log's decisions none was decided again: nothing is known of them.
    NothingReplayed,
    /// The log has no decision of rules.
    NoDecisions,
}

impl Replay {
    /// What it comes to: that nothing came out otherwise says nothing where nothing was decided again.
    #[must_use]
    pub fn verdict(&self) -> ReplayVerdict {
        match self {
            Replay { decisions: 0, .. } => ReplayVerdict::NoDecisions,
            Replay { replayed: 0, .. } => ReplayVerdict::NothingReplayed,
            Replay { differing: 0, .. } => ReplayVerdict::Same,
            _ => ReplayVerdict::Differs,
        }
    }
}

/// A decision that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The number of its record.
    pub seq: u64,
    /// The task's name.
    pub task: String,
    /// The caller.
    pub who: String,
    /// The tool.
    pub tool: String,
    /// What was decided then.
    pub recorded: Ruling,
    /// What is decided now.
    pub replayed: Ruling,
}

/// What rules said of a call, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ruling {
    /// What they said.
    pub ruled: Ruled,
    /// The rules that decided, in the order of their ids.
    pub rules: Vec<String>,
}

/// What rules say of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ruled {
    /// A permit gives it.
    Permitted,
    /// People have to agree first.
    Asked,
    /// A forbid refuses it.
    Forbidden,
    /// No permit gives it.
    NotCovered,
    /// It is refused before any rule is asked, for the [reason](crate::Reason) of this name: the tool is not in the
    /// catalogue, or an argument is not of its type.
    Refused(&'static str),
}

/// Why a decision can't be decided again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotReplayable {
    /// The policy that it was decided under is not among those given.
    NoPolicy,
    /// The log does not say what the task was for.
    NoTask,
    /// Something that rules look at stands in the log as a digest, or not at all.
    NotPlain,
    /// It is one of a flood: the log says how many equal denials there were, and not in which context each was.
    Counted,
    /// A value was erased.
    Erased,
    /// A value is not the one that the record commits to.
    Changed,
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ruled {
            Ruled::Permitted => f.write_str("permitted")?,
            Ruled::Asked => f.write_str("withheld until people agree")?,
            Ruled::Forbidden => f.write_str("forbidden")?,
            Ruled::NotCovered => f.write_str("given by no rule")?,
            Ruled::Refused(reason) => write!(f, "refused as {reason}")?,
        }
        match self.rules.is_empty() {
            true => Ok(()),
            false => write!(f, " by {}", self.rules.join(", ")),
        }
    }
}

impl fmt::Display for NotReplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotReplayable::NoPolicy => "their policy was not given",
            NotReplayable::NoTask => "the log does not say what the task was for",
            NotReplayable::NotPlain => "something that rules look at is not in plain in the log",
            NotReplayable::Counted => "the log only counts them, as the rest of a flood",
            NotReplayable::Erased => "a value was erased",
            NotReplayable::Changed => "a value is not the one that the record commits to",
        })
    }
}
