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
