//! A set of public keys (JWKS, RFC 7517), read strictly.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::value::{Object, Value};
use jsonwebtoken::DecodingKey;

use crate::algorithm::{Algorithm, Family};

/// An issuer rotates among a few; more than this is not a set of one issuer, and each costs memory.
const MOST_KEYS: usize = 64;

/// The longest name of a key.
const LONGEST_KID: usize = 256;

/// Of shorter ones signatures can be forged.
const SHORTEST_MODULUS: usize = 256;

/// The public keys of an issuer.
#[derive(Clone)]
pub struct KeySet(Vec<Key>);

/// One of them.
#[derive(Clone)]
pub(crate) struct Key {
    kid: Option<Box<str>>,
    family: Family,
    algorithm: Option<Algorithm>,
    pub(crate) decoding: DecodingKey,
}

/// Why a text is not a set of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key set {0}")]
pub struct KeySetError(String);

fn unfit<T>(why: impl fmt::Display) -> Result<T, KeySetError> {
    Err(KeySetError(why.to_string()))
}

impl KeySet {
    /// Reads a set. Keys that are of other use than signatures or of a kind that no [`Algorithm`] has are left out, as the standard asks.
    ///
    /// # Errors
    /// [`KeySetError`] of what is not a set, holds a private or a shared key, a name twice, a key that is malformed or too short, or
    /// nothing of use.
    pub fn from_json(text: &str) -> Result<Self, KeySetError> {
        let set =
            Value::from_json(text).or_else(|error| unfit(format_args!("is not JSON: {error}")))?;
        let keys = set.as_object().and_then(|set| set.get("keys")).and_then(Value::as_list);
        let Some(keys) = keys else { return unfit("has no list `keys`") };
        if keys.len() > MOST_KEYS {
            return unfit(format_args!("has {} keys, expected at most {MOST_KEYS}", keys.len()));
        }
        let mut read: Vec<Key> = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let Some(key) = key.as_object() else {
                return unfit(format_args!("has no object at {at}"));
            };
            let key = Key::read(key).or_else(|why| unfit(format_args!("has key {at}, {why}")))?;
            let Some(key) = key else { continue };
            if read.iter().any(|own| own.kid == key.kid) {
                return unfit(format_args!("has the `kid` of key {at} twice"));
            }
            read.push(key);
        }
        if read.is_empty() { unfit("has no key to verify with") } else { Ok(KeySet(read)) }
    }

    /// The key of this name. Without a name, the only one there is.
    pub(crate) fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match kid {
            Some(kid) => self.0.iter().find(|own| own.kid.as_deref() == Some(kid)),
            None => self.0.first().filter(|_| self.0.len() == 1),
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.kid)).finish()
    }
}

impl Key {
    /// Nothing of a key that is not for this.
    fn read(key: &Object) -> Result<Option<Self>, String> {
        let text = |name: &str| match key.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(&**text)),
            Some(other) => Err(format!("`{name}` is a {}, expected text", other.kind_name())),
        };
        for secret in ["k", "d", "p", "q", "dp", "dq", "qi", "oth"] {
            if key.get(secret).is_some() {
                return Err(format!("it holds the secret part `{secret}`, which no one may have"));
            }
        }
        let kid = text("kid")?;
        if kid.is_some_and(|kid| kid.is_empty() || kid.len() > LONGEST_KID) {
            return Err(format!("its `kid` has no or more than {LONGEST_KID} bytes"));
        }
        let for_signatures = matches!(text("use")?, None | Some("sig" | "jwt-svid"));
        let operations = key.get("key_ops").and_then(Value::as_list);
        let verifies =
            operations.is_none_or(|all| all.iter().any(|own| own.as_text() == Some("verify")));
        let named = text("alg")?;
        let algorithm = named.and_then(Algorithm::named);
        if !for_signatures || !verifies || named.is_some() && algorithm.is_none() {
            return Ok(None);
        }
        let part = |name: &str| {
            let text = text(name)?.ok_or_else(|| format!("it has no `{name}`"))?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its `{name}` is not base64url"))
        };
        let (family, decoding) = match (text("kty")?, text("crv")?) {
            (Some("OKP"), Some("Ed25519")) => {
                (Family::Ed25519, DecodingKey::from_ed_der(&exactly(32, part("x")?)?))
            }
            (Some("EC"), Some(curve @ ("P-256" | "P-384"))) => {
                let (family, length) =
                    if curve == "P-256" { (Family::P256, 32) } else { (Family::P384, 48) };
                let point = [exactly(length, part("x")?)?, exactly(length, part("y")?)?].concat();
                (family, DecodingKey::from_ec_der(&[&[4], point.as_slice()].concat()))
            }
            (Some("RSA"), None) => {
                let (n, e) = (part("n")?, part("e")?);
                if n.len() < SHORTEST_MODULUS {
                    return Err(format!("it has {} bits, expected 2048 at least", n.len() * 8));
                }
                (Family::Rsa, DecodingKey::from_rsa_raw_components(&n, &e))
            }
            (None, _) => return Err("it has no `kty`".to_owned()),
            _ => return Ok(None),
        };
        if algorithm.is_some_and(|own| own.family() != family) {
            return Err("its `alg` is none of its kind".to_owned());
        }
        Ok(Some(Key { kid: kid.map(Into::into), family, algorithm, decoding }))
    }

    /// Whether this algorithm may be used with it.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.family == algorithm.family() && self.algorithm.is_none_or(|own| own == algorithm)
    }
}

fn exactly(length: usize, part: Vec<u8>) -> Result<Vec<u8>, String> {
    match part.len() == length {
        true => Ok(part),
        false => Err(format!("a part has {} bytes, expected {length}", part.len())),
    }
}
