//! The keyed chain: each record's tag covers its line and, through the tag before, all earlier ones.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LogId;
use super::hex::{self, HexError};
use crate::key::{KeyId, LogKey, MacKey};

/// What the chain begins with, and what each of its links does: no message is taken for one of the other
/// kind.
const GENESIS: u8 = 0;
const LINK: u8 = 1;

/// The broker whose log it is: the issuer and the audience that it was built with.
///
/// A log of another broker does not verify, even under the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    issuer: &'a str,
    audience: &'a str,
}

impl<'a> Origin<'a> {
    /// The broker with this [issuer](crate::BrokerBuilder::issuer) and
    /// [audience](crate::BrokerBuilder::audience).
    #[must_use]
    pub const fn new(issuer: &'a str, audience: &'a str) -> Self {
        Origin { issuer, audience }
    }

    /// The issuer.
    #[must_use]
    pub const fn issuer(&self) -> &'a str {
        self.issuer
    }

    /// The audience.
    #[must_use]
    pub const fn audience(&self) -> &'a str {
        self.audience
    }
}

/// One key of a chain.
pub(crate) struct ChainKey {
    id: KeyId,
    key: Box<MacKey>,
}

impl ChainKey {
    pub(crate) fn of(key: &LogKey) -> Self {
        Self { id: key.id, key: key.chain.share() }
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// Where a log of this id and origin stands before its first record.
    pub(crate) fn genesis(&self, log: &LogId, origin: &Origin<'_>) -> Anchor {
        let Origin { issuer, audience } = origin;
        let tag = self.key.sign_parts([
            &[GENESIS][..],
            log.as_bytes(),
            &length(issuer),
            issuer.as_bytes(),
            &length(audience),
            audience.as_bytes(),
        ]);
        Anchor { seq: 0, tag: ChainTag(tag) }
    }

    /// HMAC-SHA256 over a byte that says what it is, the tag before, the line's length (eight bytes,
    /// big-endian), and the line.
    pub(crate) fn next(&self, before: &ChainTag, line: &str) -> ChainTag {
        ChainTag(self.key.sign_parts([&[LINK][..], &before.0, &length(line), line.as_bytes()]))
    }
}

#[cfg(test)]
impl ChainKey {
    pub(crate) fn of_byte(byte: u8) -> Self {
        Self { id: KeyId::from_bytes([byte; 4]), key: Box::new(MacKey::from_tag(&[byte; 32])) }
    }

    pub(crate) fn again(&self) -> Self {
        Self { id: self.id, key: self.key.share() }
    }

    /// Where a log stands that has no head.
    pub(crate) fn start(&self) -> Anchor {
        self.genesis(&LogId::from_bytes([0; 16]), &Origin::new("acme", "gate"))
    }
}

/// Shows the key's id only.
impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainKey").field("id", &self.id).finish_non_exhaustive()
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
    type Error = HexError;

    fn try_from(text: String) -> Result<Self, HexError> {
        text.parse()
    }
}

impl FromStr for ChainTag {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::read("a chain tag", text).map(Self)
    }
}

/// Where a log stood at some moment. Kept somewhere else than the log, it shows whether the log's
/// tail was cut since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The last record's number; 0 for an empty log.
    pub seq: u64,
    /// The last record's tag.
    pub tag: ChainTag,
}

impl Anchor {
    /// Where a log stands that has no record.
    pub(crate) const OF_NOTHING: Self = Anchor { seq: 0, tag: ChainTag([0; 32]) };
}

#[cfg(test)]
mod tests {
    use ring::hmac;

    use super::*;

    const LOG: LogId = LogId::from_bytes([9; 16]);

    fn key() -> ChainKey {
        ChainKey::of_byte(7)
    }

    fn genesis(log: LogId, issuer: &str, audience: &str) -> Anchor {
        key().genesis(&log, &Origin::new(issuer, audience))
    }

    #[test]
    fn a_tag_is_the_hmac_of_the_tag_before_the_length_and_the_line() {
        let other = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let mut message = [&[0][..], &[9; 16]].concat();
        message.extend_from_slice(b"\0\0\0\0\0\0\0\x04acme\0\0\0\0\0\0\0\x02gw");
        let expected = hmac::sign(&other, &message);
        let first = genesis(LOG, "acme", "gw").tag;
        assert_eq!(first.as_bytes(), expected.as_ref());

        let mut message = [&[1][..], expected.as_ref()].concat();
        message.extend_from_slice(b"\0\0\0\0\0\0\0\x02{}");
        let expected = hmac::sign(&other, &message);
        assert_eq!(key().next(&first, "{}").as_bytes(), expected.as_ref());
    }

    /// attack 69: neither does a log of one id, issuer and audience begin as another, nor can a name
    /// pass for a part of its neighbour
    #[test]
    fn no_two_logs_begin_alike() {
        let other = LogId::from_bytes([8; 16]);
        let begins = [
            genesis(LOG, "acme", "gw"),
            genesis(other, "acme", "gw"),
            genesis(LOG, "acme2", "gw"),
            genesis(LOG, "acme", "gw2"),
            genesis(LOG, "acmeg", "w"),
        ];
        for (at, one) in begins.iter().enumerate() {
            assert!(begins[..at].iter().all(|other| other.tag != one.tag), "{at}");
        }
    }

    /// A first record that is chosen to look like a beginning is a link all the same.
    #[test]
    fn a_link_is_never_taken_for_a_beginning() {
        let before = ChainTag::from_bytes([9; 32]);
        let link = key().next(&before, "gw");
        // The bytes of a link as a beginning: what follows its kind is a log's id and a length.
        let as_beginning = key().key.sign_parts([&[0][..], &[9; 32], &length("gw"), b"gw"]);
        assert_ne!(link.as_bytes(), &as_beginning);
    }

    #[test]
    fn a_tag_has_one_spelling() {
        let tag = genesis(LOG, "acme", "gw").tag;
        let text = tag.to_string();
        assert_eq!(text.parse(), Ok(tag));
        let padded = format!("{text}0");
        for bad in ["", &text[1..], &text.to_uppercase(), &padded, &"g".repeat(64)] {
            assert!(bad.parse::<ChainTag>().is_err(), "{bad}");
        }
        let json = serde_json::to_string(&tag).unwrap();
        assert_eq!(serde_json::from_str::<ChainTag>(&json).unwrap(), tag);
    }
}
