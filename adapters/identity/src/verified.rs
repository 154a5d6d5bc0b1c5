//! What a verified token says.

use std::fmt;

use hallpass::clock::Timestamp;
use hallpass::identity::{Assertion, Kind};
use hallpass::value::{Object, Value};

/// A token whose signature and claims were verified. Only a [`TokenVerifier`](crate::TokenVerifier) makes one.
///
/// ```compile_fail,E0277
/// # use hallpass_identity::Verified;
/// fn read(text: &str) -> Verified {
///     serde_json::from_str(text).unwrap()
/// }
/// ```
/// ```
/// # use hallpass_identity::Verified;
/// fn read(text: &str) -> String {
///     serde_json::from_str(text).unwrap()
/// }
/// # fn subject(verified: &Verified) -> &str {
/// #     verified.subject()
/// # }
/// ```
pub struct Verified {
    subject: Box<str>,
    expires: Timestamp,
    claims: Object,
}

impl Verified {
    pub(crate) fn new(subject: Box<str>, expires: Timestamp, claims: Object) -> Self {
        Verified { subject, expires, claims }
    }

    /// Whose token it is, as the issuer knows them.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When it expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// All claims.
    pub fn claims(&self) -> &Object {
        &self.claims
    }

    /// The texts of a claim that is a text, or a list of texts; nothing of any other.
    pub fn texts(&self, claim: &str) -> impl Iterator<Item = &str> {
        let claim = self.claims.get(claim);
        let one = claim.and_then(Value::as_text);
        one.into_iter().chain(
            claim.and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_text),
        )
    }

    /// What a host states of the caller, whose id is the subject: good until the token expires, and no longer.
    pub fn assertion(&self, kind: Kind) -> Assertion {
        self.assertion_as(kind, &self.subject)
    }

    /// The same under another id, for a host with several issuers, whose subjects could be alike.
    pub fn assertion_as(&self, kind: Kind, id: &str) -> Assertion {
        let stated = match kind {
            Kind::Agent => Assertion::agent(id),
            Kind::Workload => Assertion::workload(id),
            Kind::Human => Assertion::human(id),
        };
        stated.until(self.expires)
    }
}

/// Claims may be personal: subject and expiry are shown.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("subject", &self.subject)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
