//! Where a question stands.

use std::fmt;

/// Where a question stands: what waits, what became of it, and what became of the approval.
///
/// Only what is [`Approved`](Self::Approved) can be redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuestionState {
    /// People have not answered, or not enough of them.
    Waiting,
    /// Enough people have agreed: the call can be redeemed.
    Approved,
    /// Of a plan: some of its items were answered, and not all of them with yes.
    Partial,
    /// One of those who may answer said no. Final.
    Denied,
    /// It was not answered in time.
    Expired,
    /// The asker or an operator took it back, or its task ended.
    Cancelled,
    /// Somebody asked another question in its place.
    Amended,
    /// A rule that it was asked under changed, or those who agreed may not any more.
    Void,
    /// The approval was used.
    Spent,
    /// The approval was not used in time.
    Lapsed,
    /// The approval was taken back before the call started.
    Withdrawn,
}

impl QuestionState {
    /// The word of records and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            QuestionState::Waiting => "waiting",
            QuestionState::Approved => "approved",
            QuestionState::Partial => "partial",
            QuestionState::Denied => "denied",
            QuestionState::Expired => "expired",
            QuestionState::Cancelled => "cancelled",
            QuestionState::Amended => "amended",
            QuestionState::Void => "void",
            QuestionState::Spent => "spent",
            QuestionState::Lapsed => "lapsed",
            QuestionState::Withdrawn => "withdrawn",
        }
    }

    /// Whether it is to be answered still.
    pub const fn is_waiting(self) -> bool {
        matches!(self, QuestionState::Waiting)
    }
}

impl fmt::Display for QuestionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
