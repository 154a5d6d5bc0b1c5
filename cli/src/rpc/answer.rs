//! What hallpass answers itself.

use std::fmt::Write;

use hallpass::clock::format_duration;
use hallpass::{Code, Denial};

use super::message::{Answer, Id, object, quoted, response};

/// JSON-RPC: not JSON.
pub(crate) const PARSE_ERROR: i64 = -32700;
/// JSON-RPC: not a message.
pub(crate) const INVALID_REQUEST: i64 = -32600;
/// JSON-RPC: no such method.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
/// JSON-RPC: it can't be done now.
pub(crate) const INTERNAL_ERROR: i64 = -32603;
/// Of hallpass, where the protocol has no result that says it: the request is denied.
pub(crate) const DENIED: i64 = -32010;

/// An error response; without an id where none could be read.
pub(crate) fn error(id: Option<&Id>, code: i64, message: &str) -> Vec<u8> {
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

/// A denial where the protocol has no result that says it.
pub(crate) fn refusal(id: &Id, denial: &Denial) -> Vec<u8> {
    let code = if denial.code() == Code::Unavailable { INTERNAL_ERROR } else { DENIED };
    response(id, Answer::Error(&error_text(code, &told(denial), Some(denial.code()))))
}

/// What an agent is told of a denial: its code, and what it can come back with.
pub(crate) fn told(denial: &Denial) -> String {
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
