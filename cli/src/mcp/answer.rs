//! What hallpass answers itself, as this protocol has it.

use hallpass::{Code, Denial};

use super::revision::{Revision, result_type};
use crate::rpc::answer::told;
pub(super) use crate::rpc::answer::{
    INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, error, refusal,
};
use crate::rpc::message::{Answer, Id, object, quoted, response};

/// What clients answer to a server whose request for sampling is turned down.
pub(super) const TURNED_DOWN: i64 = -1;

/// What answers a request that states a revision which is not known: those that requests may state.
pub(super) fn unknown_revision(id: &Id) -> Vec<u8> {
    let known = r#"{"code":-32022,"message":"unsupported protocol version","data":{"supported":["2026-07-28"]}}"#;
    response(id, Answer::Error(known))
}

/// What answers a request of a revision without sessions where there are sessions alone.
pub(super) fn no_stateless(id: &Id) -> Vec<u8> {
    let known = r#"{"code":-32022,"message":"unsupported protocol version","data":{"supported":["2025-11-25","2025-06-18","2025-03-26"]}}"#;
    response(id, Answer::Error(known))
}

/// A denial of a tool's call, which the model sees: a result that is an error. That nothing can be decided now is not
/// for the model, and an error of the protocol.
pub(super) fn denied_call(id: &Id, denial: &Denial, revision: Revision) -> Vec<u8> {
    if denial.code() == Code::Unavailable {
        return refusal(id, denial);
    }
    response(id, Answer::Result(&error_result(&told(denial), Some(denial.code()), revision)))
}

/// A result of a tool that says that it failed.
pub(super) fn error_result(text: &str, code: Option<Code>, revision: Revision) -> String {
    let block = object([("type", quoted("text").as_str()), ("text", quoted(text).as_str())]);
    let content = format!("[{block}]");
    let meta = code.map(|code| object([("hallpass/code", quoted(code.as_str()).as_str())]));
    let kind = result_type(revision);
    let members = [("content", content.as_str()), ("isError", "true")];
    let kind = kind.as_ref().map(|(name, value)| (*name, value.as_str()));
    object(members.into_iter().chain(meta.as_deref().map(|meta| ("_meta", meta))).chain(kind))
}
