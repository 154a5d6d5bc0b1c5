//! What keys are called.

use std::fmt;

/// What a key is called, in tokens too: 4 bytes derived from the secret, so that it is neither
/// chosen nor the same for two secrets of one ring.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// The id with these bytes, as a token carries it.
    pub const fn from_bytes(bytes: [u8; 4]) -> KeyId {
        KeyId(bytes)
    }

    /// The 4 bytes.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    /// The id that prints as this text.
    pub(crate) fn parse(text: &str) -> Option<KeyId> {
        let id = KeyId(u32::from_str_radix(text, 16).ok()?.to_be_bytes());
        (id.to_string() == text).then_some(id)
    }
}

/// Eight hex digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_its_one_spelling() {
        let id = KeyId::from_bytes([0, 0xab, 1, 2]);
        assert_eq!(KeyId::parse("00ab0102"), Some(id));
        for bad in ["", "0ab0102", "00AB0102", "+0ab0102", "000ab0102", "00ab010g"] {
            assert_eq!(KeyId::parse(bad), None, "{bad}");
        }
    }
}
