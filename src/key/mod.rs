//! Keys: the ring a broker signs with, and what is derived from it.
//!
//! One secret gives one key for each use and, for tokens, one for each audience, so that a tag made for
//! one use is never taken for another. Secrets are wiped when dropped and never printed.

mod audience;
mod derive;
mod error;
mod id;
mod mac;
mod ring;
mod secret;

pub(crate) use audience::UnusableKey;
pub use audience::{AudienceKeys, AudienceSecret};
pub use derive::KeyUse;
pub use error::KeyError;
pub(crate) use error::MAX_AUDIENCE;
pub use id::KeyId;
pub use mac::MacKey;
pub use ring::KeyRing;
pub use secret::SecretKey;
