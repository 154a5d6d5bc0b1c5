//! What a question is about.

use super::plan::ScopePlan;
use super::question_id::QuestionId;
use crate::call::Call;
use crate::identity::Identity;
use crate::value::PackedObject;

/// What a question is about.
pub(crate) enum Subject {
    Call {
        /// As the tool will get it.
        call: Call,
        /// What the host stated when it was asked for.
        context: PackedObject,
        /// The calls that it was before, if it was another one.
        other: Option<Box<OtherCalls>>,
    },
    Scope(Box<ScopePlan>),
}

/// What a call was before it was the one that is asked about.
pub(crate) struct OtherCalls {
    /// As it was made, where its arguments were spelled otherwise.
    pub(crate) made: Option<Call>,
    pub(crate) amended: Option<Amendment>,
}

impl OtherCalls {
    pub(crate) fn of(made: Option<Call>, amended: Option<Amendment>) -> Option<Box<OtherCalls>> {
        let is_any = made.is_some() || amended.is_some();
        is_any.then(|| Box::new(OtherCalls { made, amended }))
    }
}

/// What somebody who may answer made of another call.
pub(crate) struct Amendment {
    /// The call before.
    pub(crate) before: Call,
    /// The question before.
    pub(crate) amends: QuestionId,
    /// Everyone who amended it so far.
    pub(crate) by: Box<[Identity]>,
}
