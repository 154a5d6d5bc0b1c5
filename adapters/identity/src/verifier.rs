//! Tokens of an issuer, verified.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::identity::SpiffeId;

use crate::algorithm::Algorithm;
use crate::jws::{Expected, audiences, claims, text, time};
use crate::keys::Keys;
use crate::provider;
use crate::revocations::Revocations;
use crate::token_error::{TokenError, Why};
use crate::verified::Verified;

/// The most that clocks of issuer and host may differ.
const MOST_LEEWAY: Duration = Duration::from_secs(300);

/// Verifies tokens of one issuer, for one audience, under one algorithm.
///
/// A host with several issuers has one for each, and knows whose token it looks at by where it came from; a token's own word
/// for its issuer is not asked.
#[derive(Clone, Debug)]
pub struct TokenVerifier {
    kind: Kind,
    audience: Box<str>,
    algorithm: Algorithm,
    keys: Keys,
    leeway: Duration,
    among_others: bool,
    revocations: Option<Revocations>,
}

#[derive(Clone, Debug)]
enum Kind {
    Oidc { issuer: Box<str> },
    JwtSvid { trust_domain: Box<str> },
}

/// Why a verifier can't be made: it would take what it should not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct VerifierError(String);

impl VerifierError {
    pub(crate) fn new(why: &str) -> Self {
        VerifierError(why.to_owned())
    }
}

impl TokenVerifier {
    /// For tokens of an OpenID provider: ID tokens, or access tokens that are JWTs (RFC 9068).
    ///
    /// # Errors
    /// [`VerifierError`] of an issuer or an audience that is empty.
    pub fn oidc(
        issuer: &str,
        audience: &str,
        algorithm: Algorithm,
        keys: Keys,
    ) -> Result<Self, VerifierError> {
        if issuer.is_empty() {
            return Err(VerifierError::new("the issuer is empty"));
        }
        Self::of(Kind::Oidc { issuer: issuer.into() }, audience, algorithm, keys)
    }

    /// For JWT-SVIDs of a SPIFFE trust domain.
    ///
    /// # Errors
    /// [`VerifierError`] of what is not a trust domain, or an audience that is empty.
    pub fn jwt_svid(
        trust_domain: &str,
        audience: &str,
        algorithm: Algorithm,
        keys: Keys,
    ) -> Result<Self, VerifierError> {
        let id = SpiffeId::parse(&format!("spiffe://{trust_domain}"));
        let id = id.map_err(|error| VerifierError(error.to_string()))?;
        if id.trust_domain() != trust_domain {
            return Err(VerifierError(format!("`{trust_domain}` is not a trust domain")));
        }
        let kind = Kind::JwtSvid { trust_domain: trust_domain.into() };
        Self::of(kind, audience, algorithm, keys)
    }

    fn of(
        kind: Kind,
        audience: &str,
        algorithm: Algorithm,
        keys: Keys,
    ) -> Result<Self, VerifierError> {
        if audience.is_empty() {
            return Err(VerifierError::new("the audience is empty"));
        }
        provider::install();
        let (leeway, among_others, revocations) = (Duration::ZERO, false, None);
        let audience = audience.into();
        Ok(TokenVerifier { kind, audience, algorithm, keys, leeway, among_others, revocations })
    }

    /// By how much the issuer's clock may be ahead, for `nbf` and `iat`; five minutes at most, none by default. `exp` has none.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(MOST_LEEWAY);
        self
    }

    /// Takes tokens that are for other audiences, too: each of these can show them here as the caller.
    #[must_use]
    pub fn among_other_audiences(mut self) -> Self {
        self.among_others = true;
        self
    }

    /// Refuses tokens that were issued before their subject was revoked, and those of such a subject that do not say when they
    /// were issued.
    #[must_use]
    pub fn revoked_by(mut self, revocations: &Revocations) -> Self {
        self.revocations = Some(revocations.clone());
        self
    }

    /// Verifies a token at this time, which is the broker's.
    ///
    /// # Errors
    /// [`TokenError`], for operators.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        let types: &[&str] = match self.kind {
            Kind::Oidc { .. } => &["", "jwt", "at+jwt"],
            Kind::JwtSvid { .. } => &["", "jwt", "jose"],
        };
        let expected = Expected { algorithm: self.algorithm, keys: &self.keys, types };
        let claims = claims(token, &expected, now)?;
        // A security event, or a logout, that does not say so in its type: it says who, for whom and until when, too.
        if claims.get("events").is_some() {
            return Err(Why::Type.into());
        }

        let issuer = text(&claims, "iss")?;
        let subject = text(&claims, "sub")?.ok_or(Why::Missing("sub"))?;
        match &self.kind {
            Kind::Oidc { issuer: own } => {
                if issuer.ok_or(Why::Missing("iss"))? != &**own {
                    return Err(Why::Issuer.into());
                }
                if subject.is_empty() {
                    return Err(Why::NoSubject.into());
                }
            }
            Kind::JwtSvid { trust_domain } => {
                let id = SpiffeId::parse(subject).map_err(Why::Subject)?;
                if id.trust_domain() != &**trust_domain {
                    return Err(Why::TrustDomain.into());
                }
            }
        }

        let audiences = audiences(&claims)?;
        let is_own = |of: &&str| **of == *self.audience;
        if !audiences.iter().any(is_own) || !self.among_others && !audiences.iter().all(is_own) {
            return Err(Why::Audience.into());
        }

        let expires = time(&claims, "exp")?.ok_or(Why::Missing("exp"))?;
        if now >= expires {
            return Err(Why::Expired.into());
        }
        let latest = now.checked_add(self.leeway).unwrap_or(now);
        let issued = time(&claims, "iat")?;
        for (name, time) in [("nbf", time(&claims, "nbf")?), ("iat", issued)] {
            if time.is_some_and(|time| time > latest) {
                return Err(Why::Early(name).into());
            }
        }
        if let Some(revocations) = &self.revocations {
            revocations.check(subject, issued)?;
        }
        Ok(Verified::new(subject.into(), expires, claims))
    }
}
