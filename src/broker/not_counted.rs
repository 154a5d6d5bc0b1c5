//! What came of an answer: whether it counts, and where the question stands then.

use crate::denial::Reason;
use crate::task::QuestionState;

/// Where a question stands, and how many of the people asked for have agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Where it stands.
    pub state: QuestionState,
    /// How many places are filled by distinct people.
    pub have: u32,
    /// How many there are.
    pub need: u32,
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCounted {
    /// Another broker asked the question.
    #[error("another broker asked the question")]
    ForeignQuestion,
    /// Another broker attested the identity.
    #[error("another broker attested who answers")]
    ForeignIdentity,
    /// What vouched for the identity is over.
    #[error("what vouched for who answers is over: attest the identity anew")]
    IdentityExpired,
    /// The identity is halted.
    #[error("who answers is halted")]
    Halted,
    /// The rules do not say that this person may answer: no line describes them, or they take part in what
    /// they would approve.
    #[error(
        "who answers may not: no line of reviewers describes them, or they are a party to the call"
    )]
    NotEligible,
    /// What was shown is not what the question shows.
    #[error("what was shown is not what the question shows: look at it again")]
    StaleView,
    /// The question has no item of such a number.
    #[error("the question has no such item: items are numbered from 1, as its view shows them")]
    NoSuchItem,
    /// A scope is not amended.
    #[error("it is about a scope, which is not amended: deny its items, and have others asked for")]
    NotACall,
    /// What somebody would make of the call is not permitted, or can't be asked about.
    #[error("the amended call is not given: {}", .0.as_str())]
    NotPermitted(Reason),
    /// The yes would reach further than is offered.
    #[error("the width is not offered")]
    NotOffered,
    /// The review is not owed here, or not any more.
    #[error("the review is not owed, or not any more")]
    NotOwed,
    /// A verdict and a note say what was found, and one of them is empty.
    #[error("the verdict or the note is empty: say what was found")]
    Unsaid,
    /// It is settled.
    #[error("the question is {0}, expected one that waits")]
    NotWaiting(QuestionState),
    /// The clock can't be read.
    #[error("the clock can't be read")]
    ClockUnreadable,
    /// This process was forked from the one that the broker was built in.
    #[error("the broker was built in the process that this one was forked from: answer there")]
    Forked,
}

impl NotCounted {
    /// The word of records and traces.
    pub const fn as_str(&self) -> &'static str {
        match self {
            NotCounted::ForeignQuestion => "foreign_question",
            NotCounted::ForeignIdentity => "foreign_identity",
            NotCounted::IdentityExpired => "identity_expired",
            NotCounted::Halted => "halted",
            NotCounted::NotEligible => "not_eligible",
            NotCounted::StaleView => "stale_view",
            NotCounted::NoSuchItem => "no_such_item",
            NotCounted::NotACall => "not_a_call",
            NotCounted::NotPermitted(_) => "not_permitted",
            NotCounted::NotOffered => "not_offered",
            NotCounted::NotOwed => "not_owed",
            NotCounted::Unsaid => "unsaid",
            NotCounted::NotWaiting(_) => "not_waiting",
            NotCounted::ClockUnreadable => "clock_unreadable",
            NotCounted::Forked => "forked",
        }
    }
}
