//! What shows that a log is not the one that was written.

use serde::Deserialize;

use crate::key::KeyId;

/// The first record that shows that a log is not the one that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The first record does not say which log it begins.
    #[error("record 1 does not begin a log: its head is missing")]
    Headless,
    /// It is the log of a broker with another issuer or audience.
    #[error("record 1 begins the log of a broker with another issuer or audience")]
    Foreign,
    /// A log begins within the log.
    #[error("record {seq} begins a log, expected one of the log that record 1 begins")]
    StartedAgain {
        /// The record's number.
        seq: u64,
    },
    /// The records from here on are under a key that was not given.
    #[error("record {seq} names the log key `{key}`, which is none of the keys given")]
    UnknownKey {
        /// The record that names the key.
        seq: u64,
        /// The key's id.
        key: KeyId,
    },
    /// It was changed or put in: its tag is not the chain's.
    #[error("record {seq} does not carry the tag of its content: it was changed or put in")]
    Changed {
        /// The record's number.
        seq: u64,
    },
    /// It is not there; a later one stands in its place.
    #[error("record {seq} is missing: record {found} stands in its place")]
    Missing {
        /// The record's number.
        seq: u64,
        /// The number that stands in its place.
        found: u64,
    },
    /// An earlier record stands in its place a second time.
    #[error("record {found} stands a second time, in the place of record {seq}")]
    Repeated {
        /// The number that belongs here.
        seq: u64,
        /// The number that stands here.
        found: u64,
    },
    /// Its tag is right, and yet it is not a record.
    #[error("record {seq} cannot be read")]
    Unreadable {
        /// The record's number.
        seq: u64,
    },
    /// The log ends before it although the anchor has seen more.
    #[error("record {seq} is missing: the log was cut, its anchor stands at {anchored}")]
    Cut {
        /// The first number that is missing.
        seq: u64,
        /// The anchor's number.
        anchored: u64,
    },
    /// The chain holds but is another one than the anchor has seen.
    #[error("record {seq} is not the one its anchor has seen: the log was rebuilt")]
    Rebuilt {
        /// The anchor's number.
        seq: u64,
    },
    /// It is a sum of denials that does not stand for as many as it has numbers.
    #[error("record {seq} sums {summed} denials, expected one for each number that it stands for")]
    WrongSum {
        /// The record's number, the last that it stands for.
        seq: u64,
        /// How many denials it sums.
        summed: u64,
    },
    /// It is an outcome of what is not an earlier permit.
    #[error("record {seq} is an outcome of record {of}, which is not an earlier permit")]
    OutcomeOfNoPermit {
        /// The outcome's number.
        seq: u64,
        /// The number it refers to.
        of: u64,
    },
    /// It is about a question that was not asked before it, or asks one a second time.
    #[error("record {seq} is about a question that no earlier record asked, or asks it again")]
    NoQuestion {
        /// The record's number.
        seq: u64,
    },
    /// It counts the approval of somebody who is a party to the call.
    #[error("record {seq} counts the approval of somebody who is a party to what they approve")]
    OwnApproval {
        /// The answer's number.
        seq: u64,
    },
    /// It counts an answer that no one gave.
    #[error("record {seq} counts the answer of no one")]
    OfNoOne {
        /// The answer's number.
        seq: u64,
    },
    /// It counts an answer that changes what was settled or past its time, or ends that again.
    #[error("record {seq} answers or ends a question that was settled, or past its time")]
    Settled {
        /// The record's number.
        seq: u64,
    },
    /// It redeems an approval that was not good at that moment.
    #[error("record {seq} redeems an approval that was not given, not good any more, or used")]
    NotApproved {
        /// The permit's number.
        seq: u64,
    },
    /// It redeems the approval of another call: another caller or tool, or other arguments.
    #[error("record {seq} redeems what was approved for another caller, tool or arguments")]
    OtherCall {
        /// The permit's number.
        seq: u64,
    },
    /// It plans a credential for what is not a permit of its grant without an outcome.
    #[error(
        "record {seq} plans a credential for permit {of}, which is not one of its grant that is open"
    )]
    NotPermitted {
        /// The record's number.
        seq: u64,
        /// The permit's number.
        of: u64,
    },
    /// It is about a credential that was not planned before it or is gone, or plans or mints one a second time.
    #[error(
        "record {seq} is about a credential that no earlier record planned, or repeats what one says"
    )]
    NoCredential {
        /// The record's number.
        seq: u64,
    },
    /// The credential lives for longer than was planned.
    #[error("record {seq} says that a credential was minted for longer than was planned")]
    LivesTooLong {
        /// The record's number.
        seq: u64,
    },
    /// The credential may still be there.
    #[error(
        "record {seq} says that a credential is gone which was not withdrawn and has not expired"
    )]
    NotWithdrawn {
        /// The record's number.
        seq: u64,
    },
    /// It says that a task is settled which is not, or not as it says; or it ends one with something left, and does not say
    /// so; or it is of a call that ran past its task's end, of which that does not say so.
    #[error("record {seq} settles a task of which something is left, or hides that something is")]
    NotSettled {
        /// The record's number.
        seq: u64,
    },
    /// It gives or permits something in a task that is not open, opens one that is, or ends one that is not.
    #[error("record {seq} is about a task that is not open, or is open already")]
    NoTask {
        /// The record's number.
        seq: u64,
    },
    /// It permits a call, delegates or renews under what was not live: a grant that had ended or was past its
    /// time, itself or one it was delegated from, or an older token of it.
    #[error("record {seq} gives access under a grant, or a token of it, that was not live")]
    NoGrant {
        /// The record's number.
        seq: u64,
    },
    /// It permits a call to another than the grant's holder, or hands the grant to another.
    #[error("record {seq} gives access to another than the holder of the grant")]
    NotTheHolder {
        /// The record's number.
        seq: u64,
    },
    /// It permits a tool that the grant, or one that it was delegated from, does not name.
    #[error(
        "record {seq} permits a tool that the grant, or what it was delegated from, does not name"
    )]
    OutOfScope {
        /// The permit's number.
        seq: u64,
    },
    /// It gives more time than the task has, or the grant that it was delegated from.
    #[error("record {seq} gives more time than its task has, or what it was delegated from")]
    TooLong {
        /// The record's number.
        seq: u64,
    },
    /// It breaks the glass while this person owes a review that refuses that.
    #[error("record {seq} breaks the glass for somebody who owes a review that refuses that")]
    ReviewOwed {
        /// The record's number.
        seq: u64,
    },
    /// It reviews what is not owed.
    #[error("record {seq} reviews what is not owed, or not any more")]
    NoDebt {
        /// The record's number.
        seq: u64,
    },
    /// It counts the review of who broke the glass.
    #[error("record {seq} counts a review by the person who broke the glass")]
    OwnReview {
        /// The record's number.
        seq: u64,
    },
    /// It is marked as of a broken glass and is not, or the other way round; or it renews or delegates what that
    /// gave.
    #[error(
        "record {seq} is not marked as what it is of, or renews or delegates what breaking the glass gave"
    )]
    GlassUnmarked {
        /// The record's number.
        seq: u64,
    },
    /// An answer other than a reviewer's yes says how far it is to reach.
    #[error("record {seq} counts an answer with a width that is not a yes of a reviewer")]
    NotOffered {
        /// The record's number.
        seq: u64,
    },
    /// It says that a call which people agreed to ran, or may have, and no record before it says that it was about
    /// to; or that one starts which was not permitted, or starts already.
    #[error(
        "record {seq} starts a call that no open permit of an approval is for, or ends one that never started"
    )]
    Unstarted {
        /// The record's number.
        seq: u64,
    },
    /// It is the second outcome of one permit.
    #[error("record {seq} is a second outcome of permit {of}")]
    SecondOutcome {
        /// The outcome's number.
        seq: u64,
        /// The permit's number.
        of: u64,
    },
}

impl Fault {
    /// The number of the record that it names.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match *self {
            Fault::Headless | Fault::Foreign => 1,
            Fault::StartedAgain { seq }
            | Fault::UnknownKey { seq, .. }
            | Fault::Changed { seq }
            | Fault::Missing { seq, .. }
            | Fault::Repeated { seq, .. }
            | Fault::Unreadable { seq }
            | Fault::Cut { seq, .. }
            | Fault::Rebuilt { seq }
            | Fault::WrongSum { seq, .. }
            | Fault::OutcomeOfNoPermit { seq, .. }
            | Fault::NoQuestion { seq }
            | Fault::OwnApproval { seq }
            | Fault::OfNoOne { seq }
            | Fault::Settled { seq }
            | Fault::NotApproved { seq }
            | Fault::OtherCall { seq }
            | Fault::NotPermitted { seq, .. }
            | Fault::NoCredential { seq }
            | Fault::LivesTooLong { seq }
            | Fault::NotWithdrawn { seq }
            | Fault::NotSettled { seq }
            | Fault::NoTask { seq }
            | Fault::NoGrant { seq }
            | Fault::NotTheHolder { seq }
            | Fault::OutOfScope { seq }
            | Fault::TooLong { seq }
            | Fault::ReviewOwed { seq }
            | Fault::NoDebt { seq }
            | Fault::OwnReview { seq }
            | Fault::GlassUnmarked { seq }
            | Fault::NotOffered { seq }
            | Fault::Unstarted { seq }
            | Fault::SecondOutcome { seq, .. } => seq,
        }
    }

    /// Whether the record is the one that was written, and says that something was done that must not be. All
    /// other faults say that the log is not the one that was written.
    #[must_use]
    pub fn is_unlawful(&self) -> bool {
        matches!(
            self,
            Fault::OutcomeOfNoPermit { .. }
                | Fault::SecondOutcome { .. }
                | Fault::NoQuestion { .. }
                | Fault::OwnApproval { .. }
                | Fault::OfNoOne { .. }
                | Fault::Settled { .. }
                | Fault::NotApproved { .. }
                | Fault::OtherCall { .. }
                | Fault::NotPermitted { .. }
                | Fault::NoCredential { .. }
                | Fault::LivesTooLong { .. }
                | Fault::NotWithdrawn { .. }
                | Fault::NotSettled { .. }
                | Fault::NoTask { .. }
                | Fault::NoGrant { .. }
                | Fault::NotTheHolder { .. }
                | Fault::OutOfScope { .. }
                | Fault::TooLong { .. }
                | Fault::ReviewOwed { .. }
                | Fault::NoDebt { .. }
                | Fault::OwnReview { .. }
                | Fault::GlassUnmarked { .. }
                | Fault::NotOffered { .. }
                | Fault::Unstarted { .. }
        )
    }

    /// A line without the right tag. The number it claims is not proof, but it tells an operator
    /// what probably happened.
    pub(super) fn suspect(seq: u64, line: &str) -> Self {
        #[derive(Deserialize)]
        struct Claim {
            seq: u64,
            from: Option<u64>,
        }
        let claimed =
            serde_json::from_str::<Claim>(line).map(|claim| claim.from.unwrap_or(claim.seq));
        match claimed {
            Ok(claimed) if claimed != seq => Self::out_of_order(seq, claimed),
            _ => Self::Changed { seq },
        }
    }

    /// A first line that begins no log: mostly one before it was removed.
    pub(super) fn headless(line: &str) -> Self {
        match Self::suspect(1, line) {
            Self::Changed { .. } => Self::Headless,
            fault => fault,
        }
    }

    pub(super) fn out_of_order(seq: u64, found: u64) -> Self {
        if found > seq { Self::Missing { seq, found } } else { Self::Repeated { seq, found } }
    }
}
