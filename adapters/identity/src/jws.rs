//! A signed token (RFC 7515) in its compact form: read strictly, and verified before its claims are looked at.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::Timestamp;
use hallpass::value::{Object, Value};
use jsonwebtoken::crypto;

use crate::algorithm::Algorithm;
use crate::keys::Keys;
use crate::token_error::Why;

/// Some dozen claims and a signature of RSA take two or three.
const LONGEST: usize = 16 * 1024;

/// By these a token would bring its own keys, or rules that this reader does not know.
const REFUSED: [&str; 9] = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc", "cty"];

/// What signs, and of what types tokens are.
pub(crate) struct Expected<'e> {
    pub(crate) algorithm: Algorithm,
    pub(crate) keys: &'e Keys,
    /// The types, in lower case; `""` is none at all.
    pub(crate) types: &'static [&'static str],
}

/// The claims of a token whose signature verifies.
pub(crate) fn claims(token: &str, expected: &Expected<'_>, now: Timestamp) -> Result<Object, Why> {
    if token.len() > LONGEST {
        return Err(Why::TooLong(LONGEST));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, tag] = parts[..] else { return Err(Why::Parts) };
    let object = |name, part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Why::Encoding(name))?;
        match Value::from_json_bytes(&bytes) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(other) => Err(Why::Json(name, format!("it is a {}", other.kind_name()))),
            Err(error) => Err(Why::Json(name, error.to_string())),
        }
    };
    let said = object("header", header)?;
    if let Some(name) = REFUSED.into_iter().find(|name| said.get(name).is_some()) {
        return Err(Why::Header(name));
    }
    let of = text(&said, "typ")?.unwrap_or_default().to_ascii_lowercase();
    if !expected.types.contains(&of.strip_prefix("application/").unwrap_or(&of)) {
        return Err(Why::Type);
    }
    let algorithm = expected.algorithm;
    if text(&said, "alg")? != Some(algorithm.as_str()) {
        return Err(Why::Algorithm(algorithm.as_str()));
    }
    let key = expected.keys.find(text(&said, "kid")?, now).ok_or(Why::UnknownKey)?;
    if !key.fits(algorithm) {
        return Err(Why::UnfitKey(algorithm.as_str()));
    }
    let signed =
        token.strip_suffix(tag).and_then(|rest| rest.strip_suffix('.')).unwrap_or_default();
    let verified = crypto::verify(tag, signed.as_bytes(), &key.decoding, algorithm.of_library());
    match verified {
        Ok(true) => object("payload", payload),
        Ok(false) | Err(_) => Err(Why::Signature),
    }
}

/// A member that is text, if it is there.
pub(crate) fn text<'o>(object: &'o Object, name: &'static str) -> Result<Option<&'o str>, Why> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(other) => Err(Why::Kind { name, found: other.kind_name(), expected: "text" }),
    }
}

/// A member that is a time, if it is there: whole seconds, as all issuers write them.
pub(crate) fn time(object: &Object, name: &'static str) -> Result<Option<Timestamp>, Why> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let millis = number.to_i64().and_then(|seconds| seconds.checked_mul(1000));
            millis.and_then(Timestamp::from_unix_millis).map(Some).ok_or(Why::Time(name))
        }
        Some(other) => Err(Why::Kind { name, found: other.kind_name(), expected: "a number" }),
    }
}

/// Whom it is for: one text, or a list of texts.
pub(crate) fn audiences(object: &Object) -> Result<Vec<&str>, Why> {
    let unfit = |found: &Value| Why::Kind {
        name: "aud",
        found: found.kind_name(),
        expected: "text or a list of texts",
    };
    match object.get("aud") {
        None => Err(Why::Missing("aud")),
        Some(Value::Text(text)) => Ok(vec![text]),
        Some(Value::List(all)) => {
            all.iter().map(|own| own.as_text().ok_or_else(|| unfit(own))).collect()
        }
        Some(other) => Err(unfit(other)),
    }
}
