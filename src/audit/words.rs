//! What records say in one of a few words: where a denial fell, what was answered, how something ended.

use serde::{Deserialize, Serialize};

/// What somebody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answered {
    /// A yes of a reviewer.
    Approve,
    /// A yes of the human that is acted for.
    Confirm,
    /// A no.
    Deny,
    /// The question was taken back.
    Cancel,
    /// Another question was asked in its place.
    Amend,
}

impl Answered {
    /// As records spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Answered::Approve => "approve",
            Answered::Confirm => "confirm",
            Answered::Deny => "deny",
            Answered::Cancel => "cancel",
            Answered::Amend => "amend",
        }
    }
}

/// Where a denial fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Opening a task.
    Open,
    /// Requesting a grant.
    Request,
    /// Delegating a part of a grant.
    Delegate,
    /// Renewing a grant, or looking at it afresh at a checkpoint.
    Renew,
    /// Authorizing a call.
    Call,
    /// Starting a call that had been permitted.
    Run,
    /// Giving a grant up.
    GiveUp,
}

impl Stage {
    /// As records spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Open => "open",
            Stage::Request => "request",
            Stage::Delegate => "delegate",
            Stage::Renew => "renew",
            Stage::Call => "call",
            Stage::Run => "run",
            Stage::GiveUp => "give_up",
        }
    }
}

/// What became of a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The tool ran and succeeded.
    Ok,
    /// The tool ran and reported an error.
    Error,
    /// The tool never started.
    Abandoned,
    /// The tool panicked or was cancelled after it had started.
    Interrupted,
    /// The call was handed to what runs it elsewhere, and what became of it there is not told.
    Forwarded,
    /// Not known: the process ended before it was told.
    Unknown,
}

impl Outcome {
    /// As records spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Abandoned => "abandoned",
            Outcome::Interrupted => "interrupted",
            Outcome::Forwarded => "forwarded",
            Outcome::Unknown => "unknown",
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// Its work was done.
    Completed,
    /// Its work failed.
    Failed,
    /// Its handle was dropped.
    Dropped,
    /// Somebody revoked it.
    Revoked,
    /// It reached its ceiling.
    Ceiling,
    /// Its broker was closed.
    Closed,
    /// Its process ended before it did.
    Interrupted,
    /// The fleet gave its node up.
    Lost,
}

impl How {
    /// As records spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            How::Completed => "completed",
            How::Failed => "failed",
            How::Dropped => "dropped",
            How::Revoked => "revoked",
            How::Ceiling => "ceiling",
            How::Closed => "closed",
            How::Interrupted => "interrupted",
            How::Lost => "lost",
        }
    }
}

/// How a credential was found to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GoneHow {
    /// Nothing was ever minted.
    NeverMinted,
    /// It was looked for, and nothing of it is left.
    Verified,
    /// It can't be looked for, and has expired.
    Expired,
}

/// For fields that are written where they are so.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

/// For numbers that are written where there is something to count.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(super) fn is_zero(value: &u64) -> bool {
    *value == 0
}
