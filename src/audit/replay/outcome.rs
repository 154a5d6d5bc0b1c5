//! What came of a replay.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What came of deciding a log's calls and requests again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Replay {
    /// How many decisions rules made.
    pub decisions: u64,
    /// How many of them were about what grants give: requests, delegations, renewals and emergencies. The others are about
    /// calls.
    pub requests: u64,
    /// How many of them were decided again.
    pub replayed: u64,
    /// How many of those came out otherwise.
    pub differing: u64,
    /// The first 4,096 of them.
    pub differences: Vec<Difference>,
    /// How many decisions were not decided again, and why.
    pub not_replayable: BTreeMap<NotReplayable, u64>,
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
    /// The caller, or the holder.
    pub who: String,
    /// What was decided.
    pub about: Decided,
    /// The tool that was called, or the tools that were asked for.
    pub tools: Vec<String>,
    /// What was decided then.
    pub recorded: Ruling,
    /// What is decided now.
    pub replayed: Ruling,
}

/// What a decision was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decided {
    /// A call.
    Call,
    /// A request for a grant.
    Request,
    /// A grant that was to be delegated.
    Delegation,
    /// A grant that was to be renewed, or was looked at afresh.
    Renewal,
    /// A grant that breaking the glass was to give.
    Emergency,
}

/// What rules said, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ruling {
    /// What they said.
    pub ruled: Ruled,
    /// The rules that decided, in the order of their ids.
    pub rules: Vec<String>,
}

/// What rules say of a call, or of a scope that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ruled {
    /// Permits give it.
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
    /// The log does not say who held the grant that it is about.
    NoGrant,
    /// A request was to be trimmed, and rules gave nothing of any part of it: the log does not say what they said of each.
    ByParts,
    /// Something that rules look at stands in the log as a digest, or not at all.
    NotPlain,
    /// It is one of a flood: the log says how many equal denials there were, and not in which context each was.
    Counted,
    /// A value was erased.
    Erased,
    /// A value is not the one that the record commits to.
    Changed,
}

impl Decided {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Decided::Call => "call",
            Decided::Request => "request",
            Decided::Delegation => "delegation",
            Decided::Renewal => "renewal",
            Decided::Emergency => "emergency",
        }
    }
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
            NotReplayable::NoGrant => "the log does not say who held the grant",
            NotReplayable::ByParts => "it was to be trimmed, and rules decided part by part",
            NotReplayable::NotPlain => "something that rules look at is not in plain in the log",
            NotReplayable::Counted => "the log only counts them, as the rest of a flood",
            NotReplayable::Erased => "a value was erased",
            NotReplayable::Changed => "a value is not the one that the record commits to",
        })
    }
}
