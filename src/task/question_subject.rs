//! What a question is about.

use super::plan::ScopePlan;
use super::question_id::QuestionId;
use crate::call::Call;
use crate::context::Context;
use crate::identity::Identity;
use crate::value::Digest;

/// What a question is about.
pub(crate) enum Subject {
    Call {
        /// As the tool will get it.
        call: Call,
        /// As it was made, where its arguments were spelled otherwise.
        made: Option<Box<Call>>,
        /// Of the tool's entry in the catalogue.
        listed: Option<Digest>,
        /// What the host stated when it was asked for.
        context: Box<Context>,
        amended: Option<Box<Amendment>>,
    },
    Scope(Box<ScopePlan>),
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
