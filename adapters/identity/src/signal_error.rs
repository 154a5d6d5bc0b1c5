//! Why a security event token is not taken.

use crate::token_error::Why;

/// The events of one token.
pub(crate) const MOST_EVENTS: usize = 16;

/// Why a security event token is not taken: for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignalError(#[from] pub(crate) Refused);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the token {0}")]
    Token(Why),
    #[error("the token is older than is remembered, and can't be told from one that was received")]
    Late,
    #[error("too much is remembered: it can be sent again later")]
    Full,
    #[error("the token has no events, or more than {MOST_EVENTS}")]
    Events,
    #[error("the token says two subjects")]
    Subjects,
    #[error("the subject is none that the host knows")]
    UnknownSubject,
    #[error("the subject can't be acted upon: {0}")]
    Subject(String),
    #[error("the host's function panicked")]
    Hook,
    #[error("what was received can't be kept: {0}")]
    Unkept(String),
}

impl From<Why> for Refused {
    fn from(why: Why) -> Self {
        Refused::Token(why)
    }
}

impl SignalError {
    /// The error code of push delivery (RFC 8935).
    pub fn code(&self) -> &'static str {
        match &self.0 {
            Refused::Token(Why::Issuer) => "invalid_issuer",
            Refused::Token(Why::Audience) => "invalid_audience",
            Refused::Token(
                Why::UnknownKey | Why::UnfitKey(_) | Why::Signature | Why::Algorithm(_),
            ) => "invalid_key",
            _ => "invalid_request",
        }
    }

    /// Whether the same token can be taken later.
    pub fn is_passing(&self) -> bool {
        matches!(self.0, Refused::Full | Refused::Hook | Refused::Unkept(_))
    }
}
