//! Presenting: what can be said of a token before the task's lock is taken.

use std::sync::Arc;

use super::shared::{Current, Shared};
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, TaskCell};
use crate::identity::Identity;
use crate::token::{Narrowing, Token, TokenError, Unverified};

/// What a good token led to: a task that is live as far as the table knows.
pub(super) struct Presented {
    pub(super) cell: Arc<TaskCell>,
    pub(super) grant: GrantId,
    pub(super) serial: u32,
    /// Each of them must cover the call, beside the grant.
    pub(super) narrowings: Vec<Narrowing>,
}

/// Checks the token and finds its task.
pub(super) fn present(
    shared: &Shared,
    current: &Current,
    token: &Token,
    caller: &Identity,
    now: Timestamp,
) -> Result<Presented, Denial> {
    let unverified = Unverified::parse(token.expose()).map_err(denial)?;
    let verified = unverified.verify_chain(&current.keys, now).map_err(denial)?;
    let claims = verified.claims();
    if claims.issuer != &*shared.issuer {
        return Err(Denial::new(Reason::ForeignToken).because("another issuer's"));
    }
    let narrowings = verified.narrowings().map_err(denial)?;
    if narrowings.iter().any(|narrowing| narrowing.expires.is_some_and(|at| now >= at)) {
        return Err(Denial::new(Reason::Expired).because("an attenuation has expired"));
    }
    shared.attested(caller)?;
    if claims.holder != caller.subject().as_str() {
        return Err(Denial::new(Reason::NotTheHolder).because(format_args!(
            "`{}` presents what `{}` holds",
            caller.subject(),
            claims.holder
        )));
    }
    let gone =
        if shared.table.knew(claims.generation) { Reason::TaskOver } else { Reason::UnknownGrant };
    let cell = shared.table.task(claims.generation).ok_or_else(|| Denial::new(gone))?;
    if *cell.name != *claims.task {
        // A generation of another run of a broker with the same key.
        return Err(Denial::new(Reason::UnknownGrant));
    }
    Ok(Presented { cell, grant: claims.grant, serial: claims.serial, narrowings })
}

fn denial(error: TokenError) -> Denial {
    let reason = match error {
        TokenError::TooLong(_)
        | TokenError::UnknownVersion
        | TokenError::Framing
        | TokenError::TooManyBlocks
        | TokenError::Malformed(_) => Reason::MalformedToken,
        TokenError::UnknownKey(_) => Reason::UnknownKey,
        TokenError::RetiredKey(_) => Reason::RetiredKey,
        TokenError::BadSignature => Reason::BadSignature,
        TokenError::Block { .. } | TokenError::Attenuated => Reason::UnsupportedToken,
        TokenError::WrongAudience | TokenError::NotYetIssued => Reason::ForeignToken,
        TokenError::Expired => Reason::Expired,
    };
    Denial::new(reason).because(error)
}
