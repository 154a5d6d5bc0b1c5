//! The text of a token: `hp1.` + body + `.` + tag, both in base64url without padding.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::error::{MintError, TokenError};

/// The most bytes of text a token may have: what common HTTP servers take for all headers together,
/// and room for a root block with a scope and every attenuation at 180 bytes each. Longer text is
/// refused unread (attack 79).
pub const MAX_TOKEN_TEXT: usize = 8192;

const VERSION: &str = "hp1.";

/// A tag of 32 bytes in base64url.
const TAG_TEXT: usize = 43;

/// Bodies up to this many bytes are decoded without allocating: a root block takes about 100, an
/// attenuation about 30.
const INLINE: usize = 256;

/// The parts of a token's text, decoded and not yet looked at.
pub(super) struct Parts {
    body: Body,
    pub(super) tag: [u8; 32],
}

#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the common one, kept off the heap"
)]
enum Body {
    Inline([u8; INLINE], usize),
    Heap(Vec<u8>),
}

impl Parts {
    pub(super) fn body(&self) -> &[u8] {
        match &self.body {
            Body::Inline(bytes, length) => bytes.get(..*length).unwrap_or_default(),
            Body::Heap(bytes) => bytes,
        }
    }
}

/// Reads the one spelling each token has: the decoder takes neither padding, nor white space, nor
/// another alphabet, nor trailing bits that are not zero (attack 67).
pub(super) fn decode(text: &str) -> Result<Parts, TokenError> {
    if text.len() > MAX_TOKEN_TEXT {
        return Err(TokenError::TooLong(text.len()));
    }
    let parts = text.strip_prefix(VERSION).ok_or(TokenError::UnknownVersion)?;
    let (body, tag_text) = parts.rsplit_once('.').ok_or(TokenError::Framing)?;
    let mut tag = [0; 32];
    if tag_text.len() != TAG_TEXT || decode_into(tag_text, &mut tag)? != tag.len() {
        return Err(TokenError::Framing);
    }
    Ok(Parts { body: decode_body(body)?, tag })
}

fn decode_body(text: &str) -> Result<Body, TokenError> {
    // Never less than what comes out.
    let room = text.len().div_ceil(4) * 3;
    if room <= INLINE {
        let mut bytes = [0; INLINE];
        let length = decode_into(text, &mut bytes)?;
        return Ok(Body::Inline(bytes, length));
    }
    let mut bytes = vec![0; room];
    let length = decode_into(text, &mut bytes)?;
    bytes.truncate(length);
    Ok(Body::Heap(bytes))
}

fn decode_into(text: &str, bytes: &mut [u8]) -> Result<usize, TokenError> {
    URL_SAFE_NO_PAD.decode_slice(text, bytes).map_err(|_| TokenError::Framing)
}

/// Writes a token's text.
pub(super) fn encode(body: &[u8], tag: &[u8; 32]) -> Result<String, MintError> {
    let length = VERSION.len() + (body.len() * 4).div_ceil(3) + 1 + TAG_TEXT;
    if length > MAX_TOKEN_TEXT {
        return Err(MintError::TooLong(length));
    }
    // Reserved at once: growing would leave unwiped copies behind.
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(VERSION);
    URL_SAFE_NO_PAD.encode_string(body, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(tag, &mut text);
    Ok(std::mem::take(&mut *text))
}
