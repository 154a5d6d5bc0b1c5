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
    /// Authorizing a call.
    Call,
    /// Starting a call that had been permitted.
    Run,
    /// Giving a grant up.
    GiveUp,
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
    /// Not known: the process ended before it was told.
    Unknown,
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
}
