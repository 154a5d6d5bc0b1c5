//! Minting what the holder of a grant presents: a token for the gate, and one for each verifier.

use super::current::Current;
use super::grant_request::GrantRequest;
use super::offer::Offer;
use super::tokens::Tokens;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::key::AudienceKeys;
use crate::scope::Scope;
use crate::token::hazmat::{Claims, mint};
use crate::token::{Token, encode_carried};

/// For how many verifiers one grant has tokens: each is derived a key and signed for.
const MOST_VERIFIERS: usize = 8;

/// What identifies a token of a grant.
pub(super) struct Made {
    pub(super) id: GrantId,
    pub(super) serial: u32,
    pub(super) expires: Timestamp,
}

impl GrantRequest<'_> {
    /// Mints the tokens of a grant that is given now.
    pub(super) fn tokens(
        &self,
        current: &Current,
        made: &Made,
        (scope, given): (&Scope, &Offer),
        issued: Timestamp,
    ) -> Result<Tokens, Denial> {
        let minter = Minter { request: self, made, issued };
        let gate = minter.mint(&current.keys.tokens, None)?;
        if scope.verifiers().is_empty() {
            return Ok(Tokens { gate, verifiers: Vec::new() });
        }
        if scope.verifiers().len() > MOST_VERIFIERS {
            return Err(Denial::new(Reason::MalformedScope).because(format_args!(
                "it is for {} verifiers, expected at most {MOST_VERIFIERS}",
                scope.verifiers().len()
            )));
        }
        let granted: Vec<_> = given.terms.scope.iter().map(|own| &own.capability).collect();
        let carried =
            encode_carried(&granted, |tool| Some(&current.policy.catalogue.get(tool)?.typed))
                .map_err(malformed)?;
        let verifiers = scope.verifiers().iter().map(|audience| {
            if **audience == *self.shared.audience {
                return Err(Denial::new(Reason::MalformedScope).because(format_args!(
                    "`{audience}` is the audience of the gate, expected that of a verifier"
                )));
            }
            // Taken after what is in force, as a rotation does.
            let keys = self.shared.ring.lock().for_verifiers(audience).map_err(malformed)?;
            Ok((audience.clone(), minter.mint(&keys, Some(&carried))?))
        });
        Ok(Tokens { gate, verifiers: verifiers.collect::<Result<_, _>>()? })
    }
}

struct Minter<'m> {
    request: &'m GrantRequest<'m>,
    made: &'m Made,
    issued: Timestamp,
}

impl Minter<'_> {
    fn mint(&self, keys: &AudienceKeys, scope: Option<&[u8]>) -> Result<Token, Denial> {
        let GrantRequest { shared, cell, holder, .. } = self.request;
        let claims = Claims {
            issuer: &shared.issuer,
            audience: keys.audience(),
            task: &cell.name,
            generation: cell.generation,
            grant: self.made.id,
            serial: self.made.serial,
            holder: holder.subject().as_str(),
            issued: self.issued,
            expires: self.made.expires,
            scope,
        };
        mint(keys, &claims).map_err(malformed)
    }
}

fn malformed(error: impl std::fmt::Display) -> Denial {
    Denial::new(Reason::MalformedScope).because(error)
}
