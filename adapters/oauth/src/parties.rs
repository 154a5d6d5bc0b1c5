//! Who a token is for and who acts, as the authorization server knows them.

use std::fmt;

use hallpass::vault::Secret;

pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A token that identifies a party, and its type.
pub struct SubjectToken {
    pub(crate) secret: Secret,
    pub(crate) kind: Box<str>,
}

impl SubjectToken {
    /// A JWT, as the host or an identity provider signs one.
    pub fn jwt(secret: Secret) -> SubjectToken {
        SubjectToken::of_type(JWT, secret)
    }

    /// An access token of the server's own.
    pub fn access_token(secret: Secret) -> SubjectToken {
        SubjectToken::of_type(ACCESS_TOKEN, secret)
    }

    /// One of another type, by its URI.
    pub fn of_type(kind: &str, secret: Secret) -> SubjectToken {
        SubjectToken { secret, kind: kind.into() }
    }
}

/// Who a token is for and who acts.
pub struct Parties {
    pub(crate) subject: SubjectToken,
    pub(crate) actor: Option<SubjectToken>,
}

impl Parties {
    /// The token of who the holder acts for in the end, or of the holder where it acts for itself. Where it says who may act (`may_act`), or
    /// the server takes the actor from the host's own authentication, no more is needed.
    pub fn of(subject: SubjectToken) -> Parties {
        Parties { subject, actor: None }
    }

    /// The token of the acting party: see [`actor_claims`](crate::actor_claims).
    #[must_use]
    pub fn acting(self, actor: SubjectToken) -> Parties {
        Parties { actor: Some(actor), ..self }
    }
}

/// Shows the types.
impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectToken").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for Parties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parties")
            .field("subject", &self.subject)
            .field("actor", &self.actor)
            .finish()
    }
}
