//! Why a token was refused or could not be made.

use crate::denial::Reason;
use crate::key::{KeyId, UnusableKey};
use crate::random::RandomError;
use crate::scope::ScopeBytesError;
use crate::value::DecodeError;

/// Why a presented token was refused: for operators only.
///
/// An agent must not learn which of these it was (attack 78): code that answers an agent turns all of
/// them into its one code for tokens. None carries any byte of the token but the key id, which is
/// public.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`MAX_TOKEN_TEXT`](super::MAX_TOKEN_TEXT): nothing of it was read.
    #[error("a token of {0} bytes, longer than any this crate makes")]
    TooLong(usize),
    /// The text does not begin with a version this reader knows.
    #[error("an unknown token version, expected text that begins with `hp1.` or `hp1c.`")]
    UnknownVersion,
    /// Not two parts of canonical base64url, or the blocks inside do not add up.
    #[error("the token's framing is broken: it was cut or changed, or something stands around it")]
    Framing,
    /// More attenuation blocks than [`MAX_ATTENUATIONS`](super::MAX_ATTENUATIONS).
    #[error("the token has been attenuated too often")]
    TooManyBlocks,
    /// The ring has no such key, or has it no longer.
    #[error("the token's key `{0}` is not in the ring")]
    UnknownKey(KeyId),
    /// The key was retired and its grace is over.
    #[error("the token's key `{0}` was retired and its grace is over")]
    RetiredKey(KeyId),
    /// The tag is not the one this key gives.
    #[error("the token's signature does not verify")]
    BadSignature,
    /// Rightly signed, yet not a root block: what was wrong with it.
    #[error("the token's root block is malformed: {0}")]
    Malformed(&'static str),
    /// An attenuation block, counted from 1, that this reader cannot enforce, so the token is worth
    /// nothing to it.
    #[error("attenuation {at}: {error}")]
    Block {
        /// Which block.
        at: usize,
        /// What is wrong with it.
        error: BlockError,
    },
    /// Bound to a call, where a token itself is expected.
    #[error("the token is bound to a call")]
    CallBound,
    /// A call-bound presentation whose time is not near the clock.
    #[error("the call-bound presentation is too old, or from the future")]
    Stale,
    /// There are attenuation blocks where none are enforced.
    #[error("the token has been attenuated")]
    Attenuated,
    /// Minted for another audience than the keys.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Its time of issue lies ahead of the clock.
    #[error("the token is issued in the future")]
    NotYetIssued,
    /// At or past its expiry.
    #[error("the token has expired")]
    Expired,
}

impl TokenError {
    /// Whether one of our keys had signed what is refused.
    pub(crate) fn is_of_signed(&self) -> bool {
        match self {
            TokenError::TooLong(_)
            | TokenError::UnknownVersion
            | TokenError::Framing
            | TokenError::TooManyBlocks
            | TokenError::UnknownKey(_)
            | TokenError::RetiredKey(_)
            | TokenError::CallBound
            | TokenError::BadSignature => false,
            TokenError::Malformed(_)
            | TokenError::Block { .. }
            | TokenError::Stale
            | TokenError::Attenuated
            | TokenError::WrongAudience
            | TokenError::NotYetIssued
            | TokenError::Expired => true,
        }
    }

    /// What a gate, and code that answers for it, says of it.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            TokenError::TooLong(_)
            | TokenError::UnknownVersion
            | TokenError::Framing
            | TokenError::TooManyBlocks
            | TokenError::Malformed(_) => Reason::MalformedToken,
            TokenError::UnknownKey(_) => Reason::UnknownKey,
            TokenError::RetiredKey(_) => Reason::RetiredKey,
            TokenError::BadSignature => Reason::BadSignature,
            TokenError::Block { .. } | TokenError::Attenuated | TokenError::CallBound => {
                Reason::UnsupportedToken
            }
            TokenError::Stale => Reason::StalePresentation,
            TokenError::WrongAudience | TokenError::NotYetIssued => Reason::ForeignToken,
            TokenError::Expired => Reason::Expired,
        }
    }
}

/// Why a token could not be made: the caller's mistake, or a limit of the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// A field is empty or longer than the format holds.
    #[error("`{field}` has {given} bytes, expected 1 to {most}")]
    FieldLength {
        /// The field of [`Claims`](super::hazmat::Claims), or `block`.
        field: &'static str,
        /// Its length in bytes.
        given: usize,
        /// The most it may have.
        most: usize,
    },
    /// Expiry is not after issue.
    #[error("the token would expire no later than it is issued")]
    NoLifetime,
    /// The claims name another audience than the keys are for.
    #[error("the keys are for audience `{keys}`, the claims for `{claims}`")]
    OtherAudience {
        /// The audience of the keys.
        keys: Box<str>,
        /// The audience of the claims.
        claims: Box<str>,
    },
    /// The text would be longer than any reader takes.
    #[error("the token would have {0} bytes, more than a reader takes")]
    TooLong(usize),
    /// There are as many attenuation blocks as a token may have.
    #[error("the token has as many attenuation blocks as it may have")]
    TooManyBlocks,
    /// The system gave no random bytes for a nonce.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// What the block was to say cannot be said in one.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The text to narrow is not a token.
    #[error("no token to narrow: {0}")]
    NotAToken(#[source] TokenError),
}

/// Why bytes are not an attenuation block, or a scope cannot be written into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A kind of block, or a version of its layout, that this reader does not know.
    #[error("a block of the unknown kind {0}")]
    UnknownKind(u8),
    /// The block is not laid out as its kind says.
    #[error("the block: {0}")]
    Form(#[from] DecodeError),
    /// The scope in it.
    #[error(transparent)]
    Scope(#[from] ScopeBytesError),
}

impl From<UnusableKey> for TokenError {
    fn from(unusable: UnusableKey) -> Self {
        match unusable {
            UnusableKey::Unknown(id) => TokenError::UnknownKey(id),
            UnusableKey::Retired(id) => TokenError::RetiredKey(id),
        }
    }
}
