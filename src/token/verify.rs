//! From presented text to a token that may be believed.

use std::fmt;
use std::time::Duration;

use super::block::Narrowings;
use super::chain::{Blocks, Frames};
use super::claims::{self, Claims};
use super::error::TokenError;
use super::recent;
use super::text::{self, Seal, TokenBuffer};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::grant::Once;
use crate::key::{AudienceKeys, KeyId};
use crate::scope::CallParts;
use crate::word::is_same;

/// A presented token of which only the frames and the key id are known. It proves nothing.
pub struct Unverified {
    room: TokenBuffer,
    seal: Seal,
    key: KeyId,
}

impl Unverified {
    /// Takes presented text apart: sizes first, then the version, the base64 and the frames. No
    /// claim is read.
    ///
    /// # Errors
    /// [`TokenError::TooLong`], [`UnknownVersion`](TokenError::UnknownVersion),
    /// [`Framing`](TokenError::Framing) or [`TooManyBlocks`](TokenError::TooManyBlocks).
    pub fn parse(text: &str) -> Result<Unverified, TokenError> {
        let mut room = TokenBuffer::new();
        let Framed { seal, key, .. } = Framed::read(text, &mut room)?;
        Ok(Unverified { room, seal, key })
    }

    /// The key the token says it is signed with.
    pub fn key_id(&self) -> KeyId {
        self.key
    }

    /// Checks the tag, and only then decodes the claims and looks at the audience and the clock.
    ///
    /// A token that was attenuated is refused: use [`verify_chain`](Self::verify_chain) where its
    /// blocks are enforced.
    ///
    /// # Errors
    /// As [`verify_chain`](Self::verify_chain), and [`TokenError::Attenuated`] if there is an
    /// attenuation block.
    pub fn verify(
        &self,
        keys: &AudienceKeys,
        now: Timestamp,
    ) -> Result<VerifiedToken<'_>, TokenError> {
        let verified = self.verify_chain(keys, now)?;
        if verified.blocks().next().is_some() {
            return Err(TokenError::Attenuated);
        }
        Ok(verified)
    }

    /// As [`verify`](Self::verify), for a caller that enforces every one of
    /// [`blocks`](VerifiedToken::blocks): a caller that ignores one gives the token more than it has.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] or [`RetiredKey`](TokenError::RetiredKey) if no key verifies it,
    /// [`CallBound`](TokenError::CallBound) if it is not the token itself,
    /// [`BadSignature`](TokenError::BadSignature), then [`Malformed`](TokenError::Malformed),
    /// [`WrongAudience`](TokenError::WrongAudience), [`NotYetIssued`](TokenError::NotYetIssued) and
    /// [`Expired`](TokenError::Expired) from `expires` on.
    pub fn verify_chain(
        &self,
        keys: &AudienceKeys,
        now: Timestamp,
    ) -> Result<VerifiedToken<'_>, TokenError> {
        Framed::of(self.room.bytes(), self.seal)?.verify_chain(keys, now)
    }
}

/// What [`Unverified`] is, its bytes in a [`TokenBuffer`] of the caller.
pub(crate) struct Framed<'b> {
    body: &'b [u8],
    frames: Frames<'b>,
    key: KeyId,
    seal: Seal,
    /// What it was read from, if that is at hand.
    text: Option<&'b str>,
    /// The keys that this thread has verified it under before, by their number.
    verified_under: Option<u64>,
}

impl<'b> Framed<'b> {
    /// As [`Unverified::parse`].
    #[inline]
    pub(crate) fn read(text: &'b str, room: &'b mut TokenBuffer) -> Result<Framed<'b>, TokenError> {
        let (seal, verified_under) = match recent::recall(text, |body| room.copy(body)) {
            Some(recalled) => (Seal::Tag(recalled.tag), Some(recalled.keys)),
            None => (text::decode(text, room)?, None),
        };
        let framed = Framed::of(room.bytes(), seal)?;
        Ok(Framed { text: Some(text), verified_under, ..framed })
    }

    #[inline]
    fn of(body: &'b [u8], seal: Seal) -> Result<Framed<'b>, TokenError> {
        let frames = Frames::read(body)?;
        let key = claims::key_id(frames.root()).ok_or(TokenError::Framing)?;
        Ok(Framed { body, frames, key, seal, text: None, verified_under: None })
    }

    /// As [`Unverified::verify_chain`].
    pub(crate) fn verify_chain(
        &self,
        keys: &AudienceKeys,
        now: Timestamp,
    ) -> Result<VerifiedToken<'b>, TokenError> {
        let root_key = keys.verifying(self.key, now)?;
        let Seal::Tag(tag) = &self.seal else {
            return Err(TokenError::CallBound);
        };
        if self.verified_under != Some(keys.number()) {
            if !self.frames.verify(root_key, tag) {
                return Err(TokenError::BadSignature);
            }
            if let Some(text) = self.text {
                recent::keep(text, (self.body, tag), keys.number());
            }
        }
        claimed(self.frames, keys, now)
    }

    /// As [`verify_chain`](Self::verify_chain), for either form: one that is bound to a call has to
    /// be bound to this one, and its time within `window` of the clock. Taking it once is the caller's to
    /// do.
    #[inline]
    pub(crate) fn verify_for(
        &self,
        call: &Call,
        keys: &AudienceKeys,
        now: Timestamp,
        window: Duration,
    ) -> Result<(VerifiedToken<'b>, Option<Once>), TokenError> {
        let Seal::Call(proof) = &self.seal else {
            return Ok((self.verify_chain(keys, now)?, None));
        };
        let root_key = keys.verifying(self.key, now)?;
        let (last_tag, path) = self.frames.last_tag(root_key);
        if !proof.verify(&last_tag, keys.audience(), call) {
            return Err(TokenError::BadSignature);
        }
        let verified = claimed(self.frames, keys, now)?;
        let until = proof.nonce.lives_until(now, window).ok_or(TokenError::Stale)?;
        Ok((verified, Some(Once { until, nonce: proof.nonce.bytes, path })))
    }

    /// What the token says, verified or not.
    pub(crate) fn claims(&self) -> Option<Claims<'b>> {
        claims::decode(self.frames.root()).ok().map(|(_, claims)| claims)
    }

    /// The audience the token says it is for, which nothing has verified: its holder needs it, to
    /// bind a call.
    pub(super) fn claimed_audience(&self) -> Result<&'b str, TokenError> {
        let (_, claims) = claims::decode(self.frames.root())?;
        Ok(claims.audience)
    }

    /// The frames one after the other, and the last tag: what one more block is added to.
    pub(super) fn bearer(&self) -> Result<(&'b [u8], &[u8; 32]), TokenError> {
        match &self.seal {
            Seal::Tag(tag) => Ok((self.body, tag)),
            Seal::Call(_) => Err(TokenError::CallBound),
        }
    }
}

/// What a token whose signature is right says to this audience at this instant.
#[inline]
fn claimed<'a>(
    frames: Frames<'a>,
    keys: &AudienceKeys,
    now: Timestamp,
) -> Result<VerifiedToken<'a>, TokenError> {
    let (_, claims) = claims::decode(frames.root())?;
    // Its key is this audience's alone, so this catches a minter that lied, not a thief.
    if !is_same(claims.audience, keys.audience()) {
        return Err(TokenError::WrongAudience);
    }
    if now < claims.issued {
        return Err(TokenError::NotYetIssued);
    }
    if now >= claims.expires {
        return Err(TokenError::Expired);
    }
    Ok(VerifiedToken { claims, blocks: frames.attenuations() })
}

/// Shows the key id only.
impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("key_id", &self.key).finish_non_exhaustive()
    }
}

/// A token whose tag one of the audience's keys made, within its lifetime when it was verified.
///
/// Only [`Unverified::verify`] and [`Unverified::verify_chain`] make one. It says what was minted,
/// not that the grant still lives: that is the table's to answer.
///
/// ```compile_fail,E0451
/// # use hallpass::token::hazmat::{Claims, VerifiedToken};
/// fn forge<'a>(claims: Claims<'a>, token: VerifiedToken<'a>) -> VerifiedToken<'a> {
///     VerifiedToken { claims, ..token }
/// }
/// ```
/// ```compile_fail,E0277
/// # use hallpass::token::hazmat::VerifiedToken;
/// fn copy<T: Clone>() {}
/// copy::<VerifiedToken<'static>>();
/// ```
/// ```compile_fail,E0277
/// # use hallpass::token::hazmat::VerifiedToken;
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<VerifiedToken<'static>>();
/// ```
/// ```
/// # use hallpass::token::hazmat::{Claims, VerifiedToken};
/// fn copy<T: Clone>() {}
/// copy::<Claims<'static>>();
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<String>();
/// fn look<'a>(token: &VerifiedToken<'a>) -> Claims<'a> {
///     *token.claims()
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedToken<'a> {
    claims: Claims<'a>,
    blocks: Blocks<'a>,
}

impl<'a> VerifiedToken<'a> {
    /// What the token says.
    pub fn claims(&self) -> &Claims<'a> {
        &self.claims
    }

    /// The attenuation blocks, still encoded, in the order in which they were added.
    pub fn blocks(&self) -> Blocks<'a> {
        self.blocks.clone()
    }

    /// What the attenuation blocks say. One that cannot be read makes the whole token worthless.
    ///
    /// Where it is asked of a call, which is compared with them as it is, those that plainly cover the
    /// call are not built.
    pub(crate) fn narrowings(&self, call: Option<CallParts<'_>>) -> Result<Narrowings, TokenError> {
        Narrowings::read(self.blocks(), call)
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain;
    use super::*;
    use crate::grant::GrantId;
    use crate::key::{AudienceKeys, KeyRing, SecretKey};

    fn keys() -> AudienceKeys {
        let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        KeyRing::from_secret(secret).for_gate("gate").unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    fn block(audience: &str) -> Vec<u8> {
        let claims = Claims {
            issuer: "acme",
            audience,
            task: "task-42",
            generation: 7,
            grant: GrantId::from_bytes([9; 16]),
            serial: 3,
            holder: "agent-7",
            issued: at(1_000),
            expires: at(2_000),
            scope: None,
        };
        claims::encode(&claims, keys().signing().0).unwrap()
    }

    /// The text of any root block at all, rightly signed or not.
    fn text_of(block: &[u8], signed: bool) -> String {
        let body = chain::frame(block).unwrap();
        let tag = if signed { keys().signing().1.sign(&body) } else { [0; 32] };
        text::encode(&body, &tag).unwrap()
    }

    fn refused(text: &str, now: i64) -> TokenError {
        let unverified = Unverified::parse(text).unwrap();
        unverified.verify(&keys(), at(now)).unwrap_err()
    }

    /// attack 68, with the right key: a mistake of the minter's is not a way in either
    #[test]
    fn a_signed_block_that_is_malformed_is_refused() {
        let mut long = block("gate");
        long.push(0);
        assert_eq!(
            refused(&text_of(&long, true), 1_500),
            TokenError::Malformed("bytes follow its last field")
        );
        let mut other_kind = block("gate");
        other_kind[0] = 2;
        assert_eq!(
            refused(&text_of(&other_kind, true), 1_500),
            TokenError::Malformed("its kind is unknown")
        );
    }

    /// attack 73
    #[test]
    fn a_signed_block_for_another_audience_is_refused() {
        assert_eq!(refused(&text_of(&block("vault"), true), 1_500), TokenError::WrongAudience);
    }

    /// attack 78: whatever else is wrong with a forged token, the signature is what refuses it, so
    /// that no forgery finds out more, or takes another path, than any other
    #[test]
    fn nothing_is_decoded_before_the_signature_is_checked() {
        let mut garbage = block("gate");
        garbage[5..].fill(0xff);
        for block in [block("gate"), block("vault"), garbage] {
            for now in [0, 1_500, 9_000] {
                assert_eq!(refused(&text_of(&block, false), now), TokenError::BadSignature);
            }
        }
    }

    #[test]
    fn what_is_forged_or_only_read_is_not_kept_and_takes_no_place() {
        let (good, forged) = (text_of(&block("gate"), true), text_of(&block("gate"), false));
        let (keys, mut room) = (keys(), TokenBuffer::new());
        let is_kept = |text: &str| recent::recall(text, |_| ()).map(|own| own.keys);
        let framed = Framed::read(&good, &mut room).unwrap();
        assert_eq!(is_kept(&good), None);
        framed.verify_chain(&keys, at(1_500)).unwrap();
        assert_eq!(is_kept(&good), Some(keys.number()));
        // As many as there are places, and more.
        for at_end in "AEIMQUYcgkosw048".chars() {
            let forged = format!("{}{at_end}", &forged[..forged.len() - 1]);
            let mut room = TokenBuffer::new();
            let framed = Framed::read(&forged, &mut room).unwrap();
            assert!(framed.verify_chain(&keys, at(1_500)).is_err());
            assert_eq!(is_kept(&forged), None);
        }
        assert_eq!(is_kept(&good), Some(keys.number()));
    }

    /// attack 81
    #[test]
    fn a_token_lives_from_its_issue_until_just_before_its_expiry() {
        let text = text_of(&block("gate"), true);
        let unverified = Unverified::parse(&text).unwrap();
        assert_eq!(refused(&text, 999), TokenError::NotYetIssued);
        assert!(unverified.verify(&keys(), at(1_000)).is_ok());
        assert!(unverified.verify(&keys(), at(1_999)).is_ok());
        assert_eq!(refused(&text, 2_000), TokenError::Expired);
    }

    #[test]
    fn a_root_block_too_short_for_a_key_id_is_no_token() {
        for length in 1..5 {
            let text = text_of(&vec![1; length], true);
            assert_eq!(Unverified::parse(&text).unwrap_err(), TokenError::Framing);
        }
    }
}
