//! Algorithms of signatures.

use jsonwebtoken::Algorithm as Named;

/// The algorithm that tokens of an issuer are signed with. A verifier takes one, so that no token chooses it. There is none with
/// a shared secret, for who can verify these can make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
}

/// What a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ed25519,
    P256,
    P384,
    Rsa,
}

use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};

impl Algorithm {
    const ALL: [(Algorithm, &'static str, Named, Family); 9] = [
        (EdDSA, "EdDSA", Named::EdDSA, Family::Ed25519),
        (ES256, "ES256", Named::ES256, Family::P256),
        (ES384, "ES384", Named::ES384, Family::P384),
        (RS256, "RS256", Named::RS256, Family::Rsa),
        (RS384, "RS384", Named::RS384, Family::Rsa),
        (RS512, "RS512", Named::RS512, Family::Rsa),
        (PS256, "PS256", Named::PS256, Family::Rsa),
        (PS384, "PS384", Named::PS384, Family::Rsa),
        (PS512, "PS512", Named::PS512, Family::Rsa),
    ];

    /// As tokens and keys spell it.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The algorithm of this name, in exactly this spelling.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own, ..)| *own == name).map(|(own, ..)| own)
    }

    pub(crate) fn of_library(self) -> Named {
        self.row().2
    }

    pub(crate) fn family(self) -> Family {
        self.row().3
    }

    fn row(self) -> (Algorithm, &'static str, Named, Family) {
        let found = Self::ALL.into_iter().find(|(own, ..)| *own == self);
        found.unwrap_or((EdDSA, "EdDSA", Named::EdDSA, Family::Ed25519))
    }
}
