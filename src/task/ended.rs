//! What the end of a task or of a grant found, and what ended the grant.

use super::expiry::Expiry;
use super::questions::Questions;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Rows};

/// What the end of a task found.
pub(crate) struct EndedTask {
    /// Numbers of the permits whose calls were running.
    pub(crate) running: Vec<u64>,
    /// The grants, dead from now on, which have yet to be dropped.
    pub(crate) rows: Rows,
    /// The questions: none of them waits any more.
    pub(crate) questions: Option<Box<Questions>>,
}

/// What ended a grant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EndedBy {
    Time(Expiry),
    Other(Reason),
}

impl EndedBy {
    /// What its holder is denied for from then on.
    pub(crate) fn reason(self) -> Reason {
        match self {
            EndedBy::Time(_) => Reason::Expired,
            EndedBy::Other(reason) => reason,
        }
    }

    pub(crate) fn denial(self) -> Denial {
        match self {
            EndedBy::Time(expiry) => expiry.denial(),
            EndedBy::Other(reason) => Denial::new(reason),
        }
    }
}

impl From<Reason> for EndedBy {
    fn from(reason: Reason) -> Self {
        EndedBy::Other(reason)
    }
}

/// What the end of a grant found.
pub(crate) struct EndedGrant {
    /// The grant, and those below it as far as they were removed in the same step.
    pub(crate) removed: Vec<GrantId>,
    /// Numbers of the permits whose calls were running.
    pub(crate) running: Vec<u64>,
}
