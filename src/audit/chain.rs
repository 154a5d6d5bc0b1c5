//! The keyed chain: each record's tag covers its line and, through the tag before, all earlier ones.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::key::{KeyRing, KeyUse, MacKey};

/// What the chain begins with, before the broker's name; a new form of line needs a new label.
const GENESIS: &[u8] = b"hallpass audit chain 1";

/// The key of one broker's chain. Whoever has it can write a log that verifies, so it stays with
/// the broker and with those who verify.
#[expect(missing_debug_implementations, reason = "a key is never printed")]
pub struct ChainKey {
    key: MacKey,
    genesis: ChainTag,
}

impl ChainKey {
    /// The key of the chain that a broker with this ring as it is now and this issuer's name writes its
    /// log with, for [verifying](crate::audit::verify) the log away from the broker. It could write a log
    /// that verifies, too.
    pub fn of(ring: &KeyRing, issuer: &str) -> Self {
        Self::new(ring.mac_key(KeyUse::AuditLog), issuer)
    }

    /// The chain of the broker of this name. The key must be used for nothing else.
    pub(crate) fn new(key: MacKey, broker: &str) -> Self {
        let genesis = ChainTag(key.sign_parts([GENESIS, &length(broker), broker.as_bytes()]));
        Self { key, genesis }
    }

    /// Where an empty log stands.
    pub(crate) fn genesis(&self) -> Anchor {
        Anchor { seq: 0, tag: self.genesis }
    }

    /// HMAC-SHA256 over the tag before, the line's length (eight bytes, big-endian), and the line.
    pub(crate) fn next(&self, before: &ChainTag, line: &str) -> ChainTag {
        ChainTag(self.key.sign_parts([&before.0[..], &length(line), line.as_bytes()]))
    }
}

fn length(text: &str) -> [u8; 8] {
    u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes()
}

/// The tag of one record: 32 bytes, written as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ChainTag([u8; 32]);

impl ChainTag {
    /// Wraps bytes that were read back from a log. Only [`verify`](super::verify) says what they
    /// are worth.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ChainTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainTag({self})")
    }
}

impl From<ChainTag> for String {
    fn from(tag: ChainTag) -> Self {
        tag.to_string()
    }
}

impl TryFrom<String> for ChainTag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        text.parse()
    }
}

impl FromStr for ChainTag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(TagError);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, TagError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(TagError),
    }
}

/// The text is not 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a chain tag, expected 64 lowercase hexadecimal digits")]
pub struct TagError;

/// Where a log stood at some moment. Kept somewhere else than the log, it shows whether the log's
/// tail was cut since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The last record's number; 0 for an empty log.
    pub seq: u64,
    /// The last record's tag.
    pub tag: ChainTag,
}

#[cfg(test)]
mod tests {
    use ring::hmac;

    use super::*;

    fn chain(broker: &str) -> ChainKey {
        ChainKey::new(MacKey::from_tag(&[7; 32]), broker)
    }

    #[test]
    fn a_tag_is_the_hmac_of_the_tag_before_the_length_and_the_line() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let chain = chain("acme");
        let genesis = hmac::sign(&key, b"hallpass audit chain 1\0\0\0\0\0\0\0\x04acme");
        assert_eq!(chain.genesis().tag.as_bytes(), genesis.as_ref());

        let mut message = genesis.as_ref().to_vec();
        message.extend_from_slice(b"\0\0\0\0\0\0\0\x02{}");
        let expected = hmac::sign(&key, &message);
        assert_eq!(chain.next(&chain.genesis().tag, "{}").as_bytes(), expected.as_ref());
    }

    #[test]
    fn brokers_of_different_names_have_different_chains() {
        assert_ne!(chain("acme").genesis(), chain("acme2").genesis());
    }

    #[test]
    fn a_tag_has_one_spelling() {
        let tag = chain("acme").genesis().tag;
        let text = tag.to_string();
        assert_eq!(text.parse(), Ok(tag));
        let padded = format!("{text}0");
        for bad in ["", &text[1..], &text.to_uppercase(), &padded, &"g".repeat(64)] {
            assert_eq!(bad.parse::<ChainTag>(), Err(TagError), "{bad}");
        }
        let json = serde_json::to_string(&tag).unwrap();
        assert_eq!(serde_json::from_str::<ChainTag>(&json).unwrap(), tag);
    }
}
