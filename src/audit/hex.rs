//! Bytes in lowercase hexadecimal digits: one spelling each.

/// A text that is not the bytes of what was expected, in lowercase hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {what}, expected {digits} lowercase hexadecimal digits")]
pub struct HexError {
    what: &'static str,
    digits: usize,
}

/// Reads exactly `N` bytes of `what`.
pub(super) fn read<const N: usize>(what: &'static str, text: &str) -> Result<[u8; N], HexError> {
    bytes(text).ok_or(HexError { what, digits: 2 * N })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
