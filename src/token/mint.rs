//! Making tokens: minted by whoever has the key, narrowed by whoever has the token.

use zeroize::Zeroizing;

use super::audience::AudienceKeys;
use super::bearer::Token;
use super::chain;
use super::claims::{self, Claims};
use super::error::{MintError, TokenError};
use super::text;
use super::verify::Unverified;

/// Signs a token that says `claims` with the active key.
///
/// # Errors
/// [`MintError::OtherAudience`] if the claims are not for the keys' audience,
/// [`MintError::NoLifetime`] if they expire no later than they are issued,
/// [`MintError::FieldLength`] or [`MintError::TooLong`] if the format cannot hold them.
pub fn mint(keys: &AudienceKeys, claims: &Claims<'_>) -> Result<Token, MintError> {
    if claims.audience != keys.audience() {
        return Err(MintError::OtherAudience {
            keys: keys.audience().into(),
            claims: claims.audience.into(),
        });
    }
    let (id, key) = keys.signing();
    let body = chain::frame(&claims::encode(claims, id)?)?;
    let tag = Zeroizing::new(key.sign(&body));
    text::encode(&body, &tag).map(Token::from_text)
}

/// Adds an attenuation block to a token, which takes no key: the token's own tag is the key of the
/// next link. The block is opaque here, and a reader that does not know its kind refuses the token.
///
/// ```
/// # use hallpass::clock::Timestamp;
/// # use hallpass::grant::GrantId;
/// # use hallpass::token::*;
/// # let keys = KeyRing::generate()?.for_audience("gate")?;
/// # let at = |millis| Timestamp::from_unix_millis(millis).ok_or("no such instant");
/// # let token = mint(&keys, &Claims {
/// #     issuer: "acme", audience: "gate", task: "task-42", generation: 1,
/// #     grant: GrantId::random()?, serial: 1, holder: "agent-7",
/// #     issued: at(0)?, expires: at(1000)?, scope: None,
/// # })?;
/// let narrowed = append_block(&token, b"block")?;
///
/// let presented = Unverified::parse(narrowed.expose())?;
/// assert!(presented.verify_chain(&keys, at(0)?)?.blocks().eq([b"block"]));
/// assert_eq!(presented.verify(&keys, at(0)?).unwrap_err(), TokenError::UnknownBlock);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MintError::NotAToken`] if the text is none, [`MintError::TooManyBlocks`],
/// [`MintError::FieldLength`] or [`MintError::TooLong`] if the result could not be read back.
pub fn append_block(token: &Token, block: &[u8]) -> Result<Token, MintError> {
    let token = Unverified::parse(token.expose()).map_err(MintError::NotAToken)?;
    let frame = chain::frame(block)?;
    let tag = Zeroizing::new(chain::next_tag(&token.parts().tag, &frame));
    let body = [token.parts().body(), &frame].concat();
    match chain::Frames::read(&body) {
        Ok(_) => text::encode(&body, &tag).map(Token::from_text),
        Err(TokenError::TooManyBlocks) => Err(MintError::TooManyBlocks),
        Err(error) => Err(MintError::NotAToken(error)),
    }
}
