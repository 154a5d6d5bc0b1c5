//! What the authorization server answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::Timestamp;
use hallpass::credential::{MintError, Plan};
use hallpass::vault::Secret;
use serde_json::{Map, Value};

use crate::chain::{act_of, is_same_chain, subject_of};
use crate::client::Reply;
use crate::exchange::Settings;
use crate::parties::ACCESS_TOKEN;

/// A token that is what was asked for, and when it has expired.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: Secret,
    pub(crate) expires: Timestamp,
}

/// A token was made and is not what was asked for: it is good until it expires, and is lost.
fn unfit(why: impl std::fmt::Display) -> MintError {
    MintError::unknown(why)
}

impl Settings {
    /// Reads an answer to a request that was sent no earlier than `asked`.
    pub(crate) fn read(
        &self,
        reply: &Reply,
        plan: &Plan,
        asked: Timestamp,
    ) -> Result<Issued, MintError> {
        let said = object_of(&reply.body);
        match reply.status {
            200 => {}
            // An error in the form of RFC 6749, section 5.2, is the authorization server's own word that it has made none.
            400 | 401 if is_refusal(said.as_ref()) => {
                return Err(MintError::not_minted(told(reply.status, said.as_ref())));
            }
            // Anything else may come from a proxy that gave up waiting while a token was made.
            status => return Err(MintError::unknown(told(status, said.as_ref()))),
        }
        let said = said.ok_or_else(|| unfit("the answer is not a JSON object"))?;
        let text = |name: &str| said.get(name).and_then(Value::as_str);
        if text("issued_token_type") != Some(ACCESS_TOKEN) {
            return Err(unfit("`issued_token_type` is not that of an access token"));
        }
        if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(unfit("`token_type` is not `Bearer`"));
        }
        // With one there would be access without a task.
        if said.contains_key("refresh_token") {
            return Err(unfit(
                "a refresh token was issued, expected a server that issues none here",
            ));
        }
        let is_asked = |scope: &str| self.scopes.iter().any(|own| **own == *scope);
        match said.get("scope") {
            None => {}
            Some(Value::String(scope)) if scope.split(' ').all(is_asked) => {}
            Some(_) => return Err(unfit("`scope` is wider than what was asked for")),
        }
        let life = said.get("expires_in").and_then(Value::as_u64).map(Duration::from_secs);
        let life = life.ok_or_else(|| unfit("`expires_in` is missing, or no number of seconds"))?;
        if life > self.life {
            return Err(unfit(format!("the token lives for {life:?}, expected {:?}", self.life)));
        }
        // It was issued within this time.
        let expires = asked.checked_add(plan.within()).and_then(|at| at.checked_add(life));
        let expires = expires.ok_or_else(|| unfit("`expires_in` is beyond all times"))?;
        let token = text("access_token").ok_or_else(|| unfit("`access_token` is missing"))?;
        if !self.opaque {
            self.check_claims(token, plan, expires)?;
        }
        let token = Secret::new(token).map_err(unfit)?;
        Ok(Issued { token, expires })
    }

    /// Whether a token says what was asked for. Whether it is genuine is asked by who takes it.
    fn check_claims(&self, token: &str, plan: &Plan, expires: Timestamp) -> Result<(), MintError> {
        let claims = claims(token)
            .ok_or_else(|| unfit("the token is not a JWT, expected `opaque()` then"))?;
        if claims.get("sub").and_then(Value::as_str) != Some(subject_of(plan.holder())) {
            return Err(unfit("`sub` of the token is not who the holder acts for"));
        }
        if !is_same_chain(claims.get("act"), act_of(plan.holder()).as_ref()) {
            return Err(unfit("`act` of the token is not the holder's chain"));
        }
        let is_for =
            |audience: &Value| self.audiences.iter().any(|own| audience.as_str() == Some(&**own));
        let is_for_these = match claims.get("aud") {
            Some(Value::Array(all)) => !all.is_empty() && all.iter().all(is_for),
            Some(one) => is_for(one),
            None => false,
        };
        if !is_for_these {
            return Err(unfit("`aud` of the token is not what was asked for"));
        }
        let until = claims.get("exp").and_then(Value::as_i64);
        let until =
            until.and_then(|seconds| Timestamp::from_unix_millis(seconds.checked_mul(1000)?));
        match until {
            Some(until) if until <= expires => Ok(()),
            _ => Err(unfit("`exp` of the token is missing, or later than `expires_in` says")),
        }
    }
}

/// A JSON object. One that has a member twice is none: another reader may take the other one.
fn object_of(text: &[u8]) -> Option<Map<String, Value>> {
    hallpass::value::Value::from_json_bytes(text).ok()?;
    serde_json::from_slice(text).ok()
}

/// The claims of a JWT.
fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    object_of(&URL_SAFE_NO_PAD.decode(claims).ok()?)
}

/// Whether an answer is an error of the protocol: its codes have no space in them, as what frameworks call a status has.
fn is_refusal(said: Option<&Map<String, Value>>) -> bool {
    error_of(said).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_graphic()))
        && said.is_some_and(|said| !said.contains_key("access_token"))
}

/// The code of an error, if it is one.
fn error_of(said: Option<&Map<String, Value>>) -> Option<&str> {
    said?.get("error").and_then(Value::as_str).filter(|code| !code.is_empty())
}

/// An error in words: its code alone, since descriptions may repeat what was sent.
fn told(status: u16, said: Option<&Map<String, Value>>) -> String {
    let is_plain = |code: &&str| {
        code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match error_of(said).filter(is_plain) {
        Some(code) => format!("the server answered with {status}: `{code}`"),
        None => format!("the server answered with {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who takes the token may read the other one.
    #[test]
    fn claims_are_there_once() {
        let read = |text: &str| claims(&format!("h.{}.s", URL_SAFE_NO_PAD.encode(text)));
        assert!(read(r#"{"aud":"a","sub":"b"}"#).is_some());
        for text in [r#"{"aud":"a","aud":"b"}"#, r#"{"aud":"a","\u0061ud":"b"}"#, "[]", ""] {
            assert!(read(text).is_none(), "{text}");
        }
        let own = URL_SAFE_NO_PAD.encode(r#"{"aud":"a"}"#);
        for parts in [format!("h.{own}"), format!("h.{own}.s.t"), own.clone()] {
            assert!(claims(&parts).is_none(), "{parts}");
        }
    }
}
