//! Why a token is not taken.

use hallpass::identity::SpiffeIdError;

/// Why a token is not taken: for operators. A caller is told no more than that it is unauthenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token {0}")]
pub struct TokenError(#[from] pub(crate) Why);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("has more than {0} bytes")]
    TooLong(usize),
    #[error("is not three parts with dots between them")]
    Parts,
    #[error("has a {0} that is not base64url")]
    Encoding(&'static str),
    #[error("has a {0} that is not a JSON object: {1}")]
    Json(&'static str, String),
    #[error("has a `{name}` that is a {found}, expected {expected}")]
    Kind { name: &'static str, found: &'static str, expected: &'static str },
    #[error("has no `{0}`")]
    Missing(&'static str),
    #[error("says `{0}` in its header, which no token may")]
    Header(&'static str),
    #[error("is of another type than expected")]
    Type,
    #[error("is signed with another algorithm than `{0}`")]
    Algorithm(&'static str),
    #[error("names no key of the issuer")]
    UnknownKey,
    #[error("names a key that is not for `{0}`")]
    UnfitKey(&'static str),
    #[error("has a signature that does not verify")]
    Signature,
    #[error("is of another issuer")]
    Issuer,
    #[error("is for another audience, or for others too")]
    Audience,
    #[error("has a `{0}` that is not a time")]
    Time(&'static str),
    #[error("has expired")]
    Expired,
    #[error("has a `{0}` in the future")]
    Early(&'static str),
    #[error("has a `sub` that is not a SPIFFE ID: {0}")]
    Subject(SpiffeIdError),
    #[error("has a `sub` that is empty")]
    NoSubject,
    #[error("is of another trust domain")]
    TrustDomain,
    #[error("was issued before its subject was revoked")]
    Revoked,
}
