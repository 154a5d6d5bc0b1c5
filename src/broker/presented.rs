//! Presenting: what can be said of a token before the task's lock is taken.

use std::sync::Arc;

use super::call_request::Refusal;
use super::current::Current;
use super::shared::Shared;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Once};
use crate::identity::Identity;
use crate::key::AudienceKeys;
use crate::scope::CallParts;
use crate::task::TaskCell;
use crate::token::{
    Claims, Form, Framed, Narrowing, RefusingBlock, TokenBuffer, TokenError, VerifiedToken,
};
use crate::word::is_same;

/// What a good token led to: a task that is live as far as the table knows.
pub(super) struct PresentedGrant {
    pub(super) cell: Arc<TaskCell>,
    pub(super) grant: GrantId,
    pub(super) serial: u32,
    /// Each of them must cover the call, in addition to the grant. Those that plainly do are left out.
    pub(super) narrowings: Vec<Narrowing>,
    /// What refuses the call, whatever covers it besides.
    pub(super) refusing: Option<RefusingBlock>,
    /// When the first attenuation that says so expires.
    pub(super) until: Option<Timestamp>,
    /// Set where it is bound to the call.
    pub(super) once: Option<Once>,
}

impl PresentedGrant {
    pub(super) fn form(&self) -> Form {
        if self.once.is_some() { Form::CallBound } else { Form::Bearer }
    }

    /// Whether every attenuation is within its time.
    pub(super) fn check_attenuations(&self, now: Timestamp) -> Result<(), Denial> {
        check_attenuations(self.until, now)
    }
}

/// Checks what is presented for a call, and finds its task. Where the catalogue is said to type no
/// argument of the tool, the call is compared with narrowings as it is.
pub(super) fn present(
    shared: &Shared,
    current: &Current,
    text: &str,
    caller: &Identity,
    (call, untyped): (&Call, bool),
    now: Timestamp,
) -> Result<PresentedGrant, Refusal> {
    let window = shared.settings.presentation_window;
    let mut room = TokenBuffer::new();
    let refusal = |error: &TokenError, denial| {
        let signed = error.is_of_signed();
        Refusal { signed, denial, about: None }
    };
    let framed = Framed::read(text, &mut room).map_err(|error| refusal(&error, denial(&error)))?;
    let refused = |error: TokenError| refusal(&error, shared.refused(&error, &framed, now));
    let (verified, once) =
        framed.verify_for(call, &current.keys.tokens, now, window).map_err(refused)?;
    let plain = untyped.then(|| call.parts());
    find(shared, &verified, (once, plain), caller, now).map_err(|denial| Refusal {
        denial,
        about: None,
        signed: true,
    })
}

/// Checks a token itself, presented for no call, and finds its task.
pub(super) fn present_token(
    shared: &Shared,
    keys: &AudienceKeys,
    text: &str,
    caller: &Identity,
    now: Timestamp,
) -> Result<PresentedGrant, Denial> {
    let mut room = TokenBuffer::new();
    let framed = Framed::read(text, &mut room).map_err(|error| denial(&error))?;
    let verified =
        framed.verify_chain(keys, now).map_err(|error| shared.refused(&error, &framed, now))?;
    find(shared, &verified, (None, None), caller, now)
}

fn find(
    shared: &Shared,
    verified: &VerifiedToken<'_>,
    (once, plain): (Option<Once>, Option<CallParts<'_>>),
    caller: &Identity,
    now: Timestamp,
) -> Result<PresentedGrant, Denial> {
    let claims = verified.claims();
    if !is_same(claims.issuer, &shared.issuer) {
        return Err(elsewhere(shared, claims, caller, now));
    }
    let narrowed = verified.narrowings(plain).map_err(|error| denial(&error))?;
    check_attenuations(narrowed.expires, now)?;
    shared.attested(caller, now)?;
    check_holder(claims, caller)?;
    let gone =
        if shared.table.knew(claims.generation) { Reason::TaskOver } else { Reason::UnknownGrant };
    let cell = shared.table.task(claims.generation).ok_or_else(|| Denial::new(gone))?;
    if !is_same(&cell.name, claims.task) {
        // A generation of another run of a broker with the same key.
        return Err(Denial::new(Reason::UnknownGrant));
    }
    let (grant, serial, until) = (claims.grant, claims.serial, narrowed.expires);
    let (narrowings, refusing) = (narrowed.to_ask, narrowed.refusing);
    Ok(PresentedGrant { cell, grant, serial, narrowings, refusing, until, once })
}

/// Why another issuer's token is denied. One of another node of the fleet is held to its holder first: where a task is at
/// home is nothing for others.
#[cold]
fn elsewhere(shared: &Shared, claims: &Claims<'_>, caller: &Identity, now: Timestamp) -> Denial {
    let Some(home) = shared.member.home_of(claims.issuer) else {
        return Denial::new(Reason::ForeignToken).because("another issuer's");
    };
    let held = shared.attested(caller, now).and_then(|()| check_holder(claims, caller));
    held.err().unwrap_or_else(|| Denial::at_home_at(&home))
}

fn check_holder(claims: &Claims<'_>, caller: &Identity) -> Result<(), Denial> {
    match is_same(claims.holder, caller.subject().as_str()) {
        true => Ok(()),
        false => Err(Denial::new(Reason::NotTheHolder).because(format_args!(
            "`{}` presents what `{}` holds",
            caller.subject(),
            claims.holder
        ))),
    }
}

fn check_attenuations(until: Option<Timestamp>, now: Timestamp) -> Result<(), Denial> {
    match until {
        Some(until) if now >= until => {
            Err(Denial::new(Reason::Expired)
                .because(format_args!("an attenuation expired at {until}")))
        }
        _ => Ok(()),
    }
}

impl Shared {
    /// Why a token was refused. Of one that has expired, which is said of rightly signed ones alone, its
    /// grant tells which limit it reached.
    #[cold]
    fn refused(&self, error: &TokenError, framed: &Framed<'_>, now: Timestamp) -> Denial {
        let expired = framed.claims().filter(|_| *error == TokenError::Expired);
        let found = expired.and_then(|claims| {
            let cell = self.table.task(claims.generation)?;
            let life = cell.life.lock();
            match life.grant(claims.grant) {
                Some(row) if row.serial != claims.serial => None,
                Some(_) => Some(cell.expiry(&life, claims.grant, self.as_of(now))?.denial()),
                None => Some(life.gone(claims.grant)),
            }
        });
        found.filter(|found| found.reason() == Reason::Expired).unwrap_or_else(|| denial(error))
    }
}

fn denial(error: &TokenError) -> Denial {
    let reason = error.reason();
    Denial::new(reason).because(error)
}
