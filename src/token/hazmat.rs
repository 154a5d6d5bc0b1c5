//! What mints, extends and takes tokens apart without a broker: for readers and minters of the format, and
//! for tests.
//!
//! Nothing in here asks a policy, a table or a log. A caller that mints with a gate's keys gives access that no
//! broker has decided about, and one that reads claims without enforcing every block gives a token more than
//! it has. Hosts need none of it.
//!
//! Reading goes through two types, so that nothing is believed before the signature is checked:
//! [`Unverified::parse`] finds the frames and the key id, [`Unverified::verify`] checks the tag and only
//! then decodes. The bytes are specified in `docs/token-format.md`.
//!
//! ```
//! use std::time::Duration;
//! use hallpass::clock::Timestamp;
//! use hallpass::grant::GrantId;
//! use hallpass::key::KeyRing;
//! use hallpass::token::TokenError;
//! use hallpass::token::hazmat::{Claims, Unverified, gate_keys, mint};
//!
//! let keys = gate_keys(&KeyRing::generate()?, "tool-gateway")?;
//! let issued = Timestamp::from_unix_millis(1_767_225_600_000).ok_or("no such instant")?;
//! let expires = issued.checked_add(Duration::from_secs(300)).ok_or("no such instant")?;
//!
//! let token = mint(&keys, &Claims {
//!     issuer: "acme", audience: "tool-gateway",
//!     task: "task-42", generation: 1, grant: GrantId::random()?, serial: 1,
//!     holder: "agent-7", issued, expires, scope: None,
//! })?;
//!
//! let presented = Unverified::parse(token.expose())?;
//! let verified = presented.verify(&keys, issued)?;
//! assert_eq!(verified.claims().holder, "agent-7");
//! assert_eq!(presented.verify(&keys, expires).unwrap_err(), TokenError::Expired);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use super::chain::{Blocks, MAX_BLOCK};
pub use super::claims::Claims;
pub use super::mint::{append_block, mint};
pub use super::verify::{Unverified, VerifiedToken};
pub use crate::key::audience::AudienceKeys;
use crate::key::{KeyError, KeyRing};

/// The keys that sign and verify the tokens of a gate with this audience, as the ring is now.
///
/// # Errors
/// [`KeyError::Audience`] if the audience is empty or longer than 255 bytes.
pub fn gate_keys(ring: &KeyRing, audience: &str) -> Result<AudienceKeys, KeyError> {
    ring.for_gate(audience)
}

/// The key that signs the tokens of verifiers with this audience, as the ring is now.
///
/// # Errors
/// [`KeyError::Audience`] if the audience is empty or longer than 255 bytes.
pub fn verifier_keys(ring: &KeyRing, audience: &str) -> Result<AudienceKeys, KeyError> {
    ring.for_verifiers(audience)
}
