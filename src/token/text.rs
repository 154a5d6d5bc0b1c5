//! The text of a token: `hp1.` + body + `.` + tag, both in base64url without padding.

use zeroize::Zeroizing;

use super::error::{MintError, TokenError};
use crate::base64;

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
#[inline]
pub(super) fn decode(text: &str) -> Result<Parts, TokenError> {
    if text.len() > MAX_TOKEN_TEXT {
        return Err(TokenError::TooLong(text.len()));
    }
    let parts = text.strip_prefix(VERSION).ok_or(TokenError::UnknownVersion)?;
    // A tag has one length, so the point before it has one place. Any other point is no base64.
    let start = parts.len().checked_sub(TAG_TEXT).ok_or(TokenError::Framing)?;
    let (body, tag_text) = parts.split_at_checked(start).ok_or(TokenError::Framing)?;
    let body = body.strip_suffix('.').ok_or(TokenError::Framing)?;
    let mut tag = [0; 32];
    base64::decode(tag_text, &mut tag).ok_or(TokenError::Framing)?;
    Ok(Parts { body: decode_body(body)?, tag })
}

#[inline]
fn decode_body(text: &str) -> Result<Body, TokenError> {
    let length = base64::decoded_length(text).ok_or(TokenError::Framing)?;
    let mut inline = [0; INLINE];
    if let Some(bytes) = inline.get_mut(..length) {
        base64::decode(text, bytes).ok_or(TokenError::Framing)?;
        return Ok(Body::Inline(inline, length));
    }
    let mut bytes = vec![0; length];
    base64::decode(text, &mut bytes).ok_or(TokenError::Framing)?;
    Ok(Body::Heap(bytes))
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
    base64::encode_to(body, &mut text);
    text.push('.');
    base64::encode_to(tag, &mut text);
    Ok(std::mem::take(&mut *text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> TokenError {
        decode(text).map(|_| ()).unwrap_err()
    }

    /// attack 67
    #[test]
    fn a_token_has_one_spelling() {
        let tag = "A".repeat(TAG_TEXT);
        let text = |body: &str| format!("hp1.{body}.{tag}");
        assert_eq!(decode(&text("YQ")).unwrap().body(), b"a");
        // Trailing bits, padding, the other alphabet, white space, and a third part.
        for body in ["YR", "YQ==", "YQ=", "Y", "+/+/", " YQ", "YQ ", "YQ\n", "Y\tQ", "YQ.", ".YQ"] {
            assert_eq!(refused(&text(body)), TokenError::Framing, "{body}");
        }
        for tag in [&tag[1..], &format!("{tag}A"), &format!("{}B", &tag[1..]), &format!("{tag}=")] {
            assert_eq!(refused(&format!("hp1.YQ.{tag}")), TokenError::Framing, "{tag}");
        }
        for text in ["", "h", "hp2.YQ", " hp1.YQ", "HP1.YQ", "hp1c.YQ", "hp10.YQ"] {
            assert_eq!(refused(&format!("{text}.{tag}")), TokenError::UnknownVersion, "{text}");
        }
        assert_eq!(refused("hp1."), TokenError::Framing);
        assert_eq!(refused(&format!("hp1.{tag}")), TokenError::Framing);
    }

    /// attack 79
    #[test]
    fn text_over_the_limit_is_refused_before_anything_of_it_is_read() {
        let most = "x".repeat(MAX_TOKEN_TEXT);
        assert_eq!(refused(&most), TokenError::UnknownVersion);
        assert_eq!(refused(&format!("{most}x")), TokenError::TooLong(MAX_TOKEN_TEXT + 1));
        assert_eq!(refused(&"hp1.".repeat(1 << 18)), TokenError::TooLong(1 << 20));
    }

    #[test]
    fn what_is_written_can_be_read_and_what_could_not_is_not_written() {
        let most = (MAX_TOKEN_TEXT - 4 - 1 - TAG_TEXT) / 4 * 3;
        for length in [0, 1, 2, 3, 4, INLINE - 2, INLINE - 1, INLINE, INLINE + 1, most] {
            let body = vec![7; length];
            let text = encode(&body, &[9; 32]).unwrap();
            assert_eq!(text.capacity(), text.len(), "no copy was left behind by growing");
            let parts = decode(&text).unwrap();
            assert_eq!((parts.body(), parts.tag), (&*body, [9; 32]));
        }
        assert_eq!(
            encode(&vec![7; most + 1], &[9; 32]),
            Err(MintError::TooLong(MAX_TOKEN_TEXT + 2))
        );
    }

    proptest! {
        /// attack 67: text is accepted if and only if it is what the parts encode to
        #[test]
        fn accepted_text_encodes_to_itself(body in "[A-Za-z0-9_-]{0,8}", end in "[A-Za-z0-9_-]") {
            let text = format!("hp1.{body}.{}{end}", "A".repeat(TAG_TEXT - 1));
            let canonical = |text: &str| base64_by_hand(text).is_some();
            let read = decode(&text);
            prop_assert_eq!(read.is_ok(), canonical(&body) && canonical(&format!("AA{end}")));
            if let Ok(parts) = read {
                prop_assert_eq!(encode(parts.body(), &parts.tag), Ok(text));
            }
        }
    }

    /// base64url by the letter of RFC 4648, for comparison.
    fn base64_by_hand(text: &str) -> Option<Vec<u8>> {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut bits = Vec::new();
        for letter in text.chars() {
            let value = ALPHABET.find(letter)?;
            bits.extend((0..6).rev().map(|bit| value >> bit & 1));
        }
        let (whole, rest) = bits.split_at(bits.len() / 8 * 8);
        let canonical = rest.len() < 6 && rest.iter().all(|bit| *bit == 0);
        canonical.then(|| {
            whole
                .chunks(8)
                .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8))
                .collect()
        })
    }
}
