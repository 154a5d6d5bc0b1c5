//! What hallpass answers itself.

use std::fmt::Write;

use hallpass::clock::format_duration;
use hallpass::{Code, Denial};

use super::message::{Answer, Id, object, quoted, response};
use super::revision::{Revision, result_type};

/// JSON-RPC: not JSON.
pub(super) const PARSE_ERROR: i64 = -32700;
/// JSON-RPC: not a message.
pub(super) const INVALID_REQUEST: i64 = -32600;
/// JSON-RPC: no such method.
pub(super) const METHOD_NOT_FOUND: i64 = -32601;
/// JSON-RPC: it can't be done now.
pub(super) const INTERNAL_ERROR: i64 = -32603;
/// Of hallpass, where the protocol has no result that says it: the request is denied.
pub(super) const DENIED: i64 = -32010;
/// What clients answer to a server whose request for sampling is turned down.
pub(super) const TURNED_DOWN: i64 = -1;

/// An error response; without an id where none could be read.
pub(super) fn error(id: Option<&Id>, code: i64, message: &str) -> Vec<u8> {
    let text = error_text(code, message, None);
    match id {
        Some(id) => response(id, Answer::Error(&text)),
        None => format!(r#"{{"jsonrpc":"2.0","id":null,"error":{text}}}"#).into_bytes(),
    }
}

fn error_text(code: i64, message: &str, denied: Option<Code>) -> String {
    let (code, message) = (code.to_string(), quoted(message));
    let data = denied.map(|denied| object([("code", quoted(denied.as_str()).as_str())]));
    let members = [("code", code.as_str()), ("message", message.as_str())];
    object(members.into_iter().chain(data.as_deref().map(|data| ("data", data))))
}

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

/// A denial where the protocol has no result that says it.
pub(super) fn refusal(id: &Id, denial: &Denial) -> Vec<u8> {
    let code = if denial.code() == Code::Unavailable { INTERNAL_ERROR } else { DENIED };
    response(id, Answer::Error(&error_text(code, &told(denial), Some(denial.code()))))
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

/// What an agent is told of a denial: its code, and what it can come back with.
fn told(denial: &Denial) -> String {
    let mut told = denial.to_string();
    if let Some(pending) = denial.pending() {
        // Writing to a text does not fail.
        let _ = write!(told, ": question {} waits for people to agree", pending.id());
    }
    if let Some(wait) = denial.retry_after() {
        let _ = write!(told, ": free again in {}", format_duration(wait));
    }
    told
}
