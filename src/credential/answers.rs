//! What a provider answers.

use std::fmt;
use std::time::Duration;

use super::handle::Handle;
use super::plan::Plan;
use crate::clock::Timestamp;
use crate::vault::Secret;

/// A provider does not plan to mint, and why: in words for operators, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(Box<str>);

impl Refused {
    /// For this reason.
    pub fn new(why: impl fmt::Display) -> Refused {
        Refused(why.to_string().into())
    }
}

/// A credential that was minted.
#[derive(Debug)]
pub struct Minted {
    pub(crate) secret: Secret,
    pub(crate) handle: Handle,
    pub(crate) expires: Timestamp,
}

impl Minted {
    /// Minted as planned, good until `expires` at the longest.
    pub fn new(plan: &Plan, secret: Secret, expires: Timestamp) -> Minted {
        Minted { secret, handle: plan.handle().clone(), expires }
    }

    /// What the provider needs to find it again: plain text, never secret.
    #[must_use]
    pub fn detail(self, detail: &str) -> Minted {
        Minted { handle: Handle::new(self.handle.name(), detail), ..self }
    }
}

/// A provider has not minted, or does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// Nothing was made, and nothing will be.
    #[error("nothing was minted: {0}")]
    NotMinted(Box<str>),
    /// Something may have been made, or may still be: it is looked for, and withdrawn.
    #[error("whether it was minted is not known: {0}")]
    Unknown(Box<str>),
}

impl MintError {
    /// Nothing was made, and nothing will be.
    pub fn not_minted(why: impl fmt::Display) -> MintError {
        MintError::NotMinted(why.to_string().into())
    }

    /// Something may have been made, or may still be.
    pub fn unknown(why: impl fmt::Display) -> MintError {
        MintError::Unknown(why.to_string().into())
    }
}

/// What became of a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// It was withdrawn.
    Done,
    /// It was not there any more, or never.
    Already,
    /// It could not be withdrawn now: it will be tried again, no earlier than after that time.
    Retry {
        /// The earliest that makes sense.
        after: Duration,
        /// Why, in words for operators, without secrets.
        why: Box<str>,
    },
    /// It can't be withdrawn, and stands until then.
    Impossible {
        /// When it expires.
        until: Timestamp,
        /// Why, in words for operators, without secrets.
        why: Box<str>,
    },
}

impl Withdrawn {
    /// To be tried again, no earlier than after that time.
    pub fn retry(after: Duration, why: impl fmt::Display) -> Withdrawn {
        Withdrawn::Retry { after, why: why.to_string().into() }
    }

    /// It stands until then.
    pub fn impossible(until: Timestamp, why: impl fmt::Display) -> Withdrawn {
        Withdrawn::Impossible { until, why: why.to_string().into() }
    }
}

/// Whether a credential is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Nothing of it is left.
    Gone,
    /// Something is left, and what: in words for operators, without secrets.
    Still(Box<str>),
    /// It can't be told.
    Unknown,
}

impl Gone {
    /// This is left.
    pub fn still(what: impl fmt::Display) -> Gone {
        Gone::Still(what.to_string().into())
    }
}
