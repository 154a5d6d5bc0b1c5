//! `hand-ring-bin`: the checks of W1 by hand, HMAC over a length-prefixed payload that carries the scope.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use super::Query;

/// How long a tag is: it stands before the payload, so that one pass decodes both.
const TAG: usize = 32;

pub(crate) struct Hand {
    key: hmac::Key,
}

impl Hand {
    pub(crate) fn new() -> Self {
        Hand { key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]) }
    }

    pub(crate) fn mint(&self, issued: u64, expires: u64) -> String {
        let mut body = Vec::new();
        for text in ["zsp-bench", "tool-gateway", "agent-7", "task-42"] {
            push(&mut body, text);
        }
        body.extend_from_slice(&[0x0a; 16]);
        body.extend_from_slice(&issued.to_be_bytes());
        body.extend_from_slice(&expires.to_be_bytes());
        push(&mut body, "db.query");
        body.push(2);
        push(&mut body, "orders");
        push(&mut body, "customers");
        body.extend_from_slice(&0_i64.to_be_bytes());
        body.extend_from_slice(&1000_i64.to_be_bytes());
        push(&mut body, "/data/reports");
        let tag = hmac::sign(&self.key, &body);
        URL_SAFE_NO_PAD.encode([tag.as_ref(), &body].concat())
    }

    /// Compares bytes with bytes: what was signed here is not looked at for whether it is text.
    pub(crate) fn check(&self, token: &str, holder: &str, query: &Query<'_>) -> Option<()> {
        let mut room = [0; 512];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut room).ok()?;
        let (tag, body) = room.get(..length)?.split_at_checked(TAG)?;
        hmac::verify(&self.key, body, tag).ok()?;
        let body = &mut &*body;
        let known = text(body)? == b"zsp-bench" && text(body)? == b"tool-gateway";
        known.then_some(())?;
        (text(body)? == holder.as_bytes()).then_some(())?;
        let _task = text(body)?;
        let _id = take(body, 16)?;
        let _issued = number(body)?;
        #[expect(clippy::disallowed_methods, reason = "what a gate written by hand would read")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        (now < number(body)? as u64).then_some(())?;
        (text(body)? == query.tool.as_bytes()).then_some(())?;
        let mut named = false;
        for _ in 0..take(body, 1)?[0] {
            named |= text(body)? == query.table.as_bytes();
        }
        named.then_some(())?;
        (number(body)?..=number(body)?).contains(&query.limit).then_some(())?;
        let below = query.path.as_bytes().strip_prefix(text(body)?)?;
        (below.is_empty() || below.starts_with(b"/")).then_some(())
    }
}

fn push(body: &mut Vec<u8>, text: &str) {
    body.push(text.len() as u8);
    body.extend_from_slice(text.as_bytes());
}

#[inline]
fn take<'a>(body: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(taken)
}

#[inline]
fn text<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(*take(body, 1)?.first()?);
    take(body, length)
}

#[inline]
fn number(body: &mut &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(take(body, 8)?.try_into().ok()?))
}
