//! What a node asks its broker about calls whose tasks are at home elsewhere.

use super::Broker;
use crate::audit::{DeniedQuestion, Stage};
use crate::call::Call;
use crate::clock::{Reading, Timestamp};
use crate::denial::{Denial, Reason};
use crate::identity::{Identity, KeptIdentity};
use crate::membership::{Membership, Peer};
use crate::token::{Framed, TokenBuffer};

/// Where the task of a token is at home.
pub(crate) enum TokenHome {
    /// Here, or at no node that is known: this broker's gate says which.
    Here,
    There {
        node: Box<str>,
        peer: Peer,
        /// When the token, or an attenuation of it, is good no more.
        expires: Timestamp,
    },
}

impl Broker {
    /// The broker's name in tokens.
    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Where the task of a token is at home, once the token is known to be good and its holder's: framing, signature,
    /// expiry and holder are checked here, before any other node is asked.
    ///
    /// # Errors
    /// The [`Denial`] that the gate gives for the same, which is in the log.
    pub(crate) fn home_of(
        &self,
        node: &Membership,
        text: &str,
        caller: &Identity,
        call: &Call,
    ) -> Result<TokenHome, Denial> {
        let gate = self.gate();
        let now =
            self.shared.now().map_err(|denial| gate.refuse(denial, caller, Some(call.tool())))?;
        let mut room = TokenBuffer::new();
        let current = self.shared.current();
        let window = self.shared.settings.presentation_window;
        let verified = Framed::read(text, &mut room)
            .and_then(|framed| framed.verify_for(call, &current.keys.tokens, now, window));
        // What does not verify is denied by the gate, with all that it says of it.
        let Ok((verified, _)) = verified else { return Ok(TokenHome::Here) };
        let claims = verified.claims();
        let held = claims.holder == caller.subject().as_str();
        if *claims.issuer == *self.shared.issuer
            || self.shared.attested(caller, now).is_err()
            || !held
        {
            return Ok(TokenHome::Here);
        }
        let Some((name, peer)) = node.home_of(claims.issuer) else {
            // It may have joined since the rows were read: the next call finds it.
            node.want_home(claims.issuer);
            return Ok(TokenHome::Here);
        };
        let Ok(narrowed) = verified.narrowings(None) else { return Ok(TokenHome::Here) };
        let expires = narrowed.expires.map_or(claims.expires, |own| own.min(claims.expires));
        Ok(TokenHome::There { node: name.into(), peer, expires })
    }

    /// Records what is denied of a call that is asked for elsewhere, and hands it on.
    pub(crate) fn refuse_call(&self, denial: Denial, caller: &Identity, tool: &str) -> Denial {
        self.gate().refuse(denial, caller, Some(tool))
    }

    /// The last check of a call whose task is at home elsewhere, as far as it is this node's to make; and the reading
    /// that it was made at, by which the leave is looked at.
    ///
    /// # Errors
    /// [`Reason::NoLease`], [`Reason::Expired`], [`Reason::Halted`] and those of an identity.
    pub(crate) fn check_start_elsewhere(
        &self,
        caller: &Identity,
        tool: &str,
        expires: Timestamp,
    ) -> Result<Reading, Denial> {
        let shared = &self.shared;
        let (now, reading) = shared.keeper.read().map_err(super::shared::no_time)?;
        shared.member.check_lease(&reading)?;
        shared.attested(caller, now)?;
        if now >= expires {
            return Err(
                Denial::new(Reason::Expired).because("the token expired before the call started")
            );
        }
        match shared.halts.stopping_call(caller, tool, now) {
            Some(halt) => Err(Denial::new(Reason::Halted).because(halt)),
            None => Ok(reading),
        }
    }

    /// The identity that another node attested, as this one's own.
    pub(crate) fn attest_kept(&self, kept: KeptIdentity) -> Option<Identity> {
        kept.attest(self.shared.id, self.shared.fold)
    }

    /// Records that a message was refused which no node of the fleet sent to this one as it is now.
    pub(crate) fn refuse_message(&self, from: Option<&str>, why: &str) {
        let denial = Denial::new(Reason::ForeignMessage).because(why);
        let question = DeniedQuestion { who: from, ..DeniedQuestion::at(Stage::Call) };
        self.shared.record_denial(self.shared.time_or_latest(), &denial, question);
    }
}
