//! What the model and the host are told of a denial.

use hallpass::{Code, Denial};
use rig_core::tool::context::ContextValue;
use rig_core::tool::{ToolContext, ToolErrorKind, ToolExecutionError};
use serde::{Deserialize, Serialize};

/// What a call waits for, in the context of its result: a hook of the host's finds it there, to show people where they can
/// answer. The model is not shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The question's id, which the model is told, too.
    pub id: String,
    /// Its text, by which [`Session::pending`](hallpass::Session::pending) finds it again; nothing of a broker whose keys it
    /// would not outlive.
    pub text: Option<String>,
}

impl ContextValue for Waiting {
    const KEY: &'static str = "hallpass.waiting";
}

/// A denial as the result of the call, by its code.
pub(crate) fn denied(denial: &Denial, call: &mut ToolContext) -> ToolExecutionError {
    let (kind, again) = match denial.code() {
        Code::BadRequest => (ToolErrorKind::InvalidArgs, false),
        Code::LimitReached => (ToolErrorKind::RateLimited, denial.retry_after().is_some()),
        Code::Unavailable => (ToolErrorKind::Other, true),
        Code::ApprovalRequired => (ToolErrorKind::PermissionDenied, true),
        _ => (ToolErrorKind::PermissionDenied, false),
    };
    let mut words = denial.to_string();
    let waits = denial.pending().filter(|_| denial.code() == Code::ApprovalRequired);
    if let Some(pending) = waits {
        let waiting = Waiting { id: pending.id(), text: pending.to_text() };
        words.push_str(&format!(
            ": question {} waits for people to agree; call again with the same arguments once they have",
            waiting.id
        ));
        // Where it can't be kept, the model has its id all the same.
        let _ = call.insert_result(waiting);
    }
    if let Some(wait) = denial.retry_after() {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        words.push_str(&format!(": free again in {seconds}s"));
    }
    ToolExecutionError::new(kind, words).with_code(denial.code().as_str()).with_retryable(again)
}
