//! An issuer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::Timestamp;
use hallpass_identity::{Algorithm, KeySet, Keys, TokenVerifier};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://idp.acme.test";
pub(crate) const AUDIENCE: &str = "hallpass";
pub(crate) const NOW: i64 = 1_795_900_100;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1000).unwrap()
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of the issuer's.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    pub(crate) kid: &'static str,
}

impl Signer {
    pub(crate) fn new(kid: &'static str, seed: u8) -> Self {
        Signer { pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(), kid }
    }

    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(self.public()), "kid": self.kid, "use": "sig" })
    }

    /// A token of these texts, which need not be JSON.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(payload));
        let tag = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", encoded(tag))
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "kid": self.kid, "typ": "JWT" })
    }

    /// A token of the usual header and these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user-17", "aud": AUDIENCE, "iat": NOW - 100, "nbf": NOW - 100, "exp": NOW + 3500,
        "groups": ["finance", "staff"],
    })
}

/// With some members changed; `null` takes one out.
pub(crate) fn but(mut object: Value, changes: Value) -> Value {
    let own = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(own.remove(name)),
            _ => drop(own.insert(name.clone(), value.clone())),
        }
    }
    object
}

pub(crate) fn set_of(keys: &[Value]) -> KeySet {
    KeySet::from_json(&json!({ "keys": keys }).to_string()).unwrap()
}

pub(crate) fn oidc(keys: Keys) -> TokenVerifier {
    TokenVerifier::oidc(ISSUER, AUDIENCE, Algorithm::EdDSA, keys).unwrap()
}
