//! Why a key, or a change of the ring, was refused.

use super::id::KeyId;

/// The longest audience, in bytes: a token names it in one of its names.
pub(crate) const MAX_AUDIENCE: usize = 255;

/// Why a key or a change of the ring was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Too few bytes.
    #[error("a secret of {given} bytes, expected at least {fewest}")]
    TooShort {
        /// How many there were.
        given: usize,
        /// How many there must be.
        fewest: usize,
    },
    /// The text is not base64url.
    #[error("a secret that is not base64url, expected one line of `A-Za-z0-9-_`")]
    NotBase64Url,
    /// All bytes are the same.
    #[error("a secret whose bytes are all the same, expected random ones")]
    Uniform,
    /// The ring has or had a key of this id, or the log has it.
    #[error("key `{0}` is or was in use already, expected one that is used for nothing else")]
    Reused(KeyId),
    /// The key signs.
    #[error("key `{0}` is the active one, expected a retired one")]
    Active(KeyId),
    /// No key with a secret has this id.
    #[error("key `{0}` is not in the ring")]
    Unknown(KeyId),
    /// The grace ends past the last instant there is.
    #[error("a grace that ends past the last instant there is")]
    Grace,
    /// This process was forked from the one that the broker was built in.
    #[error(
        "the broker was built in the process that this one was forked from: build another here"
    )]
    Forked,
    /// The audience has no bytes or too many.
    #[error("an audience of {0} bytes, expected 1 to {MAX_AUDIENCE}")]
    Audience(usize),
}
