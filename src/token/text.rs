//! The text of a token: `hp1.` + body + `.` + tag, both in base64url without padding; `hp1c.` and a
//! call's proof in the tag's place where it is bound to a call.

use zeroize::Zeroizing;

use super::error::{MintError, TokenError};
use super::proof::Proof;
use crate::base64;

/// The most bytes of text a token may have: what common HTTP servers take for all headers together,
/// and room for a root block with a scope and every attenuation at 180 bytes each. Longer text is
/// refused unread (attack 79).
pub const MAX_TOKEN_TEXT: usize = 8192;

const BEARER: &str = "hp1.";
const CALL_BOUND: &str = "hp1c.";

/// A tag of 32 bytes in base64url.
#[cfg(test)]
const TAG_TEXT: usize = 43;

/// Bodies up to this many bytes are decoded without allocating: a root block takes about 100, an
/// attenuation about 30.
const INLINE: usize = 256;

/// Where a token's body lies while it is looked at: with the caller, unless it is long. It is lent
/// out and filled in place, since every call reads a token and would move these bytes several times.
pub(crate) struct TokenBuffer {
    inline: [u8; INLINE],
    heap: Vec<u8>,
    length: usize,
}

impl TokenBuffer {
    pub(crate) const fn new() -> TokenBuffer {
        TokenBuffer { inline: [0; INLINE], heap: Vec::new(), length: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self.inline.get(..self.length) {
            Some(bytes) => bytes,
            None => &self.heap,
        }
    }

    fn fill(&mut self, text: &str) -> Result<(), TokenError> {
        let length = base64::decoded_length(text).ok_or(TokenError::Framing)?;
        base64::decode(text, self.take(length)).ok_or(TokenError::Framing)
    }

    pub(super) fn copy(&mut self, body: &[u8]) {
        self.take(body.len()).copy_from_slice(body);
    }

    /// Room for this many bytes.
    fn take(&mut self, length: usize) -> &mut [u8] {
        self.length = length;
        match self.inline.get_mut(..length) {
            Some(bytes) => bytes,
            None => {
                self.heap = vec![0; length];
                &mut self.heap
            }
        }
    }
}

/// What proves a token: the last tag itself, or what it signed.
#[derive(Clone, Copy)]
pub(super) enum Seal {
    Tag([u8; 32]),
    Call(Proof),
}

/// Reads the one spelling each token has, its body into `room`: the decoder takes neither padding, nor
/// white space, nor another alphabet, nor trailing bits that are not zero (attack 67).
#[inline]
pub(super) fn decode(text: &str, room: &mut TokenBuffer) -> Result<Seal, TokenError> {
    if text.len() > MAX_TOKEN_TEXT {
        return Err(TokenError::TooLong(text.len()));
    }
    if let Some(parts) = text.strip_prefix(BEARER) {
        let (body, tag) = split(parts)?;
        room.fill(body)?;
        return Ok(Seal::Tag(tag));
    }
    let parts = text.strip_prefix(CALL_BOUND).ok_or(TokenError::UnknownVersion)?;
    let (body, proof) = split(parts)?;
    let proof = Proof::read(&proof).ok_or(TokenError::Framing)?;
    room.fill(body)?;
    Ok(Seal::Call(proof))
}

/// The text of the body, and the seal. A seal has one length, so the point before it has one place:
/// any other point is not base64.
fn split<const N: usize>(parts: &str) -> Result<(&str, [u8; N]), TokenError> {
    let start = parts.len().checked_sub((N * 4).div_ceil(3)).ok_or(TokenError::Framing)?;
    let (body, seal) = parts.split_at_checked(start).ok_or(TokenError::Framing)?;
    let body = body.strip_suffix('.').ok_or(TokenError::Framing)?;
    let mut bytes = [0; N];
    base64::decode(seal, &mut bytes).ok_or(TokenError::Framing)?;
    Ok((body, bytes))
}

/// Writes a token's text.
pub(super) fn encode(body: &[u8], tag: &[u8; 32]) -> Result<String, MintError> {
    write(BEARER, body, tag)
}

/// Writes the text of a token bound to a call.
pub(super) fn encode_call_bound(body: &[u8], proof: &[u8]) -> Result<String, MintError> {
    write(CALL_BOUND, body, proof)
}

fn write(version: &str, body: &[u8], seal: &[u8]) -> Result<String, MintError> {
    let spelled = |bytes: &[u8]| (bytes.len() * 4).div_ceil(3);
    let length = version.len() + spelled(body) + 1 + spelled(seal);
    if length > MAX_TOKEN_TEXT {
        return Err(MintError::TooLong(length));
    }
    // Reserved at once: growing would leave unwiped copies behind.
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(version);
    base64::encode_to(body, &mut text);
    text.push('.');
    base64::encode_to(seal, &mut text);
    Ok(std::mem::take(&mut *text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<(Vec<u8>, [u8; 32]), TokenError> {
        let mut room = TokenBuffer::new();
        match decode(text, &mut room)? {
            Seal::Tag(tag) => Ok((room.bytes().to_vec(), tag)),
            Seal::Call(_) => panic!("a bearer token was written"),
        }
    }

    fn refused(text: &str) -> TokenError {
        read(text).unwrap_err()
    }

    /// attack 67
    #[test]
    fn a_token_has_one_spelling() {
        let tag = "A".repeat(TAG_TEXT);
        let text = |body: &str| format!("hp1.{body}.{tag}");
        assert_eq!(read(&text("YQ")).unwrap().0, b"a");
        // Trailing bits, padding, the other alphabet, white space, and a third part.
        for body in ["YR", "YQ==", "YQ=", "Y", "+/+/", " YQ", "YQ ", "YQ\n", "Y\tQ", "YQ.", ".YQ"] {
            assert_eq!(refused(&text(body)), TokenError::Framing, "{body}");
        }
        for tag in [&tag[1..], &format!("{tag}A"), &format!("{}B", &tag[1..]), &format!("{tag}=")] {
            assert_eq!(refused(&format!("hp1.YQ.{tag}")), TokenError::Framing, "{tag}");
        }
        for text in ["", "h", "hp2.YQ", " hp1.YQ", "HP1.YQ", "hp1C.YQ", "hp10.YQ", "hp1cc"] {
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
            assert_eq!(read(&text), Ok((body, [9; 32])));
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
            let read = read(&text);
            prop_assert_eq!(read.is_ok(), canonical(&body) && canonical(&format!("AA{end}")));
            if let Ok((body, tag)) = read {
                prop_assert_eq!(encode(&body, &tag), Ok(text));
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
