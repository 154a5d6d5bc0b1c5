//! What of a message is said in the headers of its request.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mcp::revision::REVISION_KEY;
use crate::rpc::members::Members;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The most characters of a session's id.
const MAX_SESSION: usize = 1024;

/// The session that a server has begun, and what was agreed on in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreed {
    pub(super) session: Option<HeaderValue>,
    pub(super) revision: Option<HeaderValue>,
}

/// The revision that a request states by itself: it belongs to no session.
pub(super) fn stated_revision(params: Option<&str>) -> Option<String> {
    let params = Members::of(params?).ok()?;
    Members::of(params.get("_meta")?).ok()?.text(REVISION_KEY)
}

/// Adds what a request says that states its revision by itself: from its own body, so that who reads the one is told the
/// same as who reads the other.
pub(super) fn add_stated(
    headers: &mut HeaderMap,
    revision: &str,
    method: &str,
    params: Option<&str>,
) -> Option<()> {
    headers.insert(VERSION, HeaderValue::from_str(revision).ok()?);
    headers.insert(METHOD, HeaderValue::from_str(&encoded(method)).ok()?);
    let member = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return Some(()),
    };
    let name = Members::of(params?).ok()?.text(member)?;
    headers.insert(NAME, HeaderValue::from_str(&encoded(&name)).ok()?);
    Some(())
}

impl Agreed {
    /// Adds what all of a session's requests say.
    pub(super) fn add(&self, headers: &mut HeaderMap) {
        headers.extend(self.session.clone().map(|own| (SESSION, own)));
        headers.extend(self.revision.clone().map(|own| (VERSION, own)));
    }
}

/// Adds what a body is, and what may answer it.
pub(super) fn add_media(headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
}

/// The id of a session, if it is one: characters that can be seen, as the protocol has it.
pub(super) fn session_id(text: &str) -> Option<HeaderValue> {
    let is_one = !text.is_empty()
        && text.len() <= MAX_SESSION
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    let mut id = HeaderValue::from_str(text).ok().filter(|_| is_one)?;
    id.set_sensitive(true);
    Some(id)
}

/// A text as a header says it, as the protocol has it: as it is, or, where another would be read, as base64.
fn encoded(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.trim() == text
        && !(text.starts_with("=?base64?") && text.ends_with("?="));
    if is_plain { text.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(method: &str, params: &str) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        add_stated(&mut headers, "2026-07-28", method, Some(params)).unwrap();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn headers_say_what_the_body_does_and_no_name_makes_another_header() {
        for (name, said) in [
            ("fs.read", "fs.read"),
            ("a b", "a b"),
            ("a\\r\\nX-Other: 1", "=?base64?YQ0KWC1PdGhlcjogMQ==?="),
            (" a", "=?base64?IGE=?="),
            ("é", "=?base64?w6k=?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            let headers = stated("tools/call", &format!(r#"{{"name":"{name}","arguments":{{}}}}"#));
            let own = [("mcp-method", "tools/call"), ("mcp-name", said)];
            for (name, value) in own.into_iter().chain([("mcp-protocol-version", "2026-07-28")]) {
                assert!(headers.contains(&(name.into(), value.into())), "{headers:?}");
            }
            assert_eq!(headers.len(), 3);
        }
        assert_eq!(stated("tools/list", "{}").len(), 2);
    }

    #[test]
    fn the_id_of_a_session_is_of_characters_that_can_be_seen() {
        assert!(session_id("0a-Z~!").is_some());
        for id in ["", "a b", "a\tb", "é", "\u{7f}", &"x".repeat(MAX_SESSION + 1)] {
            assert!(session_id(id).is_none(), "{id:?}");
        }
    }
}
