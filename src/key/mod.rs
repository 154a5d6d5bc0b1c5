//! Keys: the ring a broker signs tokens with, the keys of its log, and what is derived from them.
//!
//! One secret gives one key for each use and, for tokens, one for each audience, so that a tag made for
//! one use is never taken for another. Secrets are wiped when dropped and never printed.

pub(crate) mod audience;
mod derive;
mod error;
mod id;
mod log_keys;
mod mac;
mod ring;
mod secret;
mod split_mac;
mod stack;

pub(crate) use audience::AudienceKeys;
pub use audience::AudienceSecret;
pub(crate) use audience::UnusableKey;
pub use error::KeyError;
pub(crate) use error::MAX_AUDIENCE;
pub use id::KeyId;
pub(crate) use log_keys::LogKey;
pub use log_keys::LogKeys;
pub(crate) use mac::MacKey;
pub use ring::KeyRing;
pub use secret::SecretKey;
pub(crate) use split_mac::{Begun, SplitMac};
pub(crate) use stack::overwriting;
