//! Who calls, by OIDC tokens, JWT-SVIDs and X.509-SVIDs, read strictly; and what is heard of them since, by security events.
//!
//! A [`TokenVerifier`] turns a token of an identity provider into an [`Assertion`](hallpass::identity::Assertion) that is good
//! for as long as the token: an identity never outlives its evidence.
//!
//! ```
//! use hallpass::clock::Timestamp;
//! use hallpass::identity::Kind;
//! use hallpass::prelude::*;
//! use hallpass_identity::{Algorithm, KeySet, Keys, TokenVerifier};
//!
//! # fn run(broker: &Broker, jwks: &str, token: &str, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
//! // Once: from whom, for whom, under which algorithm, by which keys.
//! let keys = Keys::new(KeySet::from_json(jwks)?);
//! let verifier = TokenVerifier::oidc("https://idp.acme.test", "hallpass", Algorithm::ES256, keys)?;
//!
//! // For each request: whose it is.
//! let verified = verifier.verify(token, now)?;
//! let groups = verified.texts("groups").map(str::to_owned).collect::<Vec<_>>();
//! let caller = broker.assert_identity(verified.assertion(Kind::Human).groups(groups))?;
//! # let _ = caller;
//! # Ok(())
//! # }
//! ```
//!
//! # What is checked
//!
//! | | |
//! |---|---|
//! | the token | at most 16 KiB; three parts in the one spelling of base64url; JSON without doubled members, at any depth |
//! | `alg` | the one algorithm that the verifier was made with, whatever the token says; there is no `none` and no shared secret |
//! | `typ` | absent, `JWT` or `at+jwt`, so that no token of another kind is taken for one of these |
//! | `events` | absent: a token with it reports events about its subject, and does not identify it |
//! | `crit`, `jku`, `jwk`, `x5u`, `x5c`, `b64`, `zip`, `enc` | refused: a token brings neither keys nor rules of its own |
//! | `kid` | names a key of the set, which has each name once; without one the set has one key alone |
//! | the key | of the kind and curve of the algorithm, RSA of 2048 bits at least |
//! | `iss` | exactly the issuer; of a JWT-SVID, if it is there |
//! | `aud` | exactly the audience, and no other unless [told](TokenVerifier::among_other_audiences) |
//! | `sub` | text; of a JWT-SVID a SPIFFE ID of the trust domain |
//! | `exp` | is required and has no leeway |
//! | `nbf`, `iat` | where they are there, not in the future by more than the [leeway](TokenVerifier::leeway) |
//!
//! # Peers of TLS
//!
//! A [`SvidReader`] says who a peer is by its certificate, once TLS has verified that: one URI among its names, which is a SPIFFE ID of the trust
//! domain, of no authority, with a key for signatures alone; an extension that is there twice, and DER in another spelling, are refused.
//!
//! # What is heard later
//!
//! A [`SignalReceiver`] takes the security events of OpenID CAEP (a session revoked, a device that no longer complies), pushed as signed
//! tokens, and acts on each once: what a subject holds is revoked, it is halted, or what is attested of it is stated anew.
//! [`Revocations`], shared with a verifier, keep tokens out that were issued before.
//!
//! # What it does not do
//!
//! - It fetches nothing: keys come from the host, and new ones by its [hook](Keys::fetched).
//! - What it has heard is in memory, unless it is [kept on file](SignalReceiver::remembering): after a restart a security event that is
//!   sent again is acted upon again, and tokens of before count, until they expire.
//! - A stolen token works until it expires: take it over TLS alone.
//! - Verifying takes `jsonwebtoken`, with `ring` behind it. That library has one provider of cryptography for the whole
//!   process: where the host has installed another before, that one verifies.

#![forbid(unsafe_code)]

mod algorithm;
mod der;
mod event;
mod jws;
mod key_set;
mod keys;
mod memory;
mod provider;
mod revocations;
mod seen;
mod signal_error;
mod signals;
mod token_error;
mod verified;
mod verifier;
mod x509_svid;

pub use algorithm::Algorithm;
pub use event::{Action, EventKind, EventSubject, SecurityEvent};
pub use key_set::{KeySet, KeySetError};
pub use keys::Keys;
pub use memory::MemoryError;
pub use revocations::Revocations;
pub use signal_error::SignalError;
pub use signals::{Received, SignalReceiver};
pub use token_error::TokenError;
pub use verified::Verified;
pub use verifier::{TokenVerifier, VerifierError};
pub use x509_svid::{SvidError, SvidReader, X509Svid};
