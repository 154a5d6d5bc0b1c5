//! The keyed chain: each record's tag covers its line and, through the tag before, all earlier ones.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hex::{self, HexError};
use super::{LogId, numbered};
use crate::key::{Begun, KeyId, LogKey, SplitMac};
use crate::sync::process_wide::{AtomicU64, Ordering};

/// What the message of a log's beginning begins with. That of a record begins with `"`, as what follows the
/// number in its line does: no message is taken for one of the other kind.
const GENESIS: u8 = 0;

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
    /// A number that no other key of this process has.
    number: u64,
    key: Box<SplitMac>,
}

/// A record that was hashed under a key of the chain as far as it does not depend on its place.
#[derive(Clone, Debug)]
pub(crate) struct HashedRecord {
    key: u64,
    begun: Begun,
}

impl ChainKey {
    pub(crate) fn of(key: &LogKey) -> Self {
        Self::new(key.id, key.chain.share())
    }

    fn new(id: KeyId, key: Box<SplitMac>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { id, number: NEXT.fetch_add(1, Ordering::Relaxed), key }
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

    /// Hashes a record, which has no place yet: all of its line behind the number, and zeros up to the end of a
    /// block.
    pub(crate) fn hash(&self, unnumbered: &str) -> HashedRecord {
        let begun = self.key.begin(unnumbered.as_bytes());
        HashedRecord { key: self.number, begun }
    }

    /// The tag of the record of number `seq`: what was [hashed](Self::hash) and, eight bytes big-endian each,
    /// how long that is and the number; last the tag before. The end has one length, so that no two records
    /// have one message.
    ///
    /// What was hashed under another key is hashed anew.
    pub(crate) fn link(
        &self,
        before: &ChainTag,
        seq: u64,
        unnumbered: &str,
        hashed: Option<&HashedRecord>,
    ) -> ChainTag {
        let mut end = [0; 48];
        // Word by word: this is done while others wait.
        let (words, _) = end.as_chunks_mut::<8>();
        let (tag_words, _) = before.0.as_chunks::<8>();
        let parts = [length(unnumbered), seq.to_be_bytes()];
        words.iter_mut().zip(parts.iter().chain(tag_words)).for_each(|(own, word)| *own = *word);
        let tag = match hashed.filter(|hashed| hashed.key == self.number) {
            Some(hashed) => self.key.finish(&hashed.begun, &end),
            None => self.key.finish(&self.hash(unnumbered).begun, &end),
        };
        ChainTag(tag)
    }

    /// The tag of a line; `None` of one that does not begin with a number as every record's does.
    pub(crate) fn next(&self, before: &ChainTag, line: &str) -> Option<ChainTag> {
        let (seq, unnumbered) = numbered::split(line)?;
        Some(self.link(before, seq, unnumbered, None))
    }
}

#[cfg(test)]
impl ChainKey {
    pub(crate) fn of_byte(byte: u8) -> Self {
        Self::new(KeyId::from_bytes([byte; 4]), SplitMac::keep(&[byte; 32]))
    }

    pub(crate) fn again(&self) -> Self {
        Self::new(self.id, self.key.share())
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
    fn a_tag_is_the_hmac_that_the_page_says() {
        let other = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let mut message = [&[0][..], &[9; 16]].concat();
        message.extend_from_slice(b"\0\0\0\0\0\0\0\x04acme\0\0\0\0\0\0\0\x02gw");
        let expected = hmac::sign(&other, &message);
        let first = genesis(LOG, "acme", "gw").tag;
        assert_eq!(first.as_bytes(), expected.as_ref());

        for length in [6, 62, 63, 64, 65, 128] {
            let unnumbered = format!("\"{}", "x".repeat(length));
            let mut message = unnumbered.as_bytes().to_vec();
            message.resize(message.len().next_multiple_of(64), 0);
            message.extend_from_slice(&(unnumbered.len() as u64).to_be_bytes());
            message.extend_from_slice(b"\0\0\0\0\0\0\x01\x02");
            message.extend_from_slice(first.as_bytes());
            let expected = hmac::sign(&other, &message);
            let line = format!(r#"{{"seq":258,{unnumbered}"#);
            assert_eq!(key().next(&first, &line).unwrap().as_bytes(), expected.as_ref());
        }
    }

    /// What two threads hashed before a change of keys, and what was not hashed, has the tag of the key it is
    /// written under.
    #[test]
    fn what_was_hashed_under_another_key_is_hashed_anew() {
        let (first, again, second) = (key(), key().again(), ChainKey::of_byte(8));
        let before = genesis(LOG, "acme", "gw").tag;
        let text = r#""at":5,"kind":"reloaded"}"#;
        for under in [&first, &again, &second] {
            let expected = under.link(&before, 3, text, None);
            for hashed in [&first, &again, &second].map(|key| key.hash(text)) {
                assert_eq!(under.link(&before, 3, text, Some(&hashed)), expected);
            }
        }
        assert_ne!(first.link(&before, 3, text, None), second.link(&before, 3, text, None));
    }

    /// attack 183: the tag of a record depends on each part of it and on its place
    #[test]
    fn no_two_records_and_no_two_places_have_one_tag() {
        let (one, other) = (ChainTag::from_bytes([1; 32]), ChainTag::from_bytes([2; 32]));
        let texts =
            [r#""at":5}"#, "\"at\":5}\0", r#""at":6}"#, "", &"x".repeat(63), &"x".repeat(64)];
        let mut tags = std::collections::BTreeSet::new();
        for text in texts {
            for (before, seq) in [(&one, 1), (&one, 2), (&other, 1), (&one, 1 << 56)] {
                assert!(
                    tags.insert(*key().link(before, seq, text, None).as_bytes()),
                    "{text} {seq}"
                );
            }
        }
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

    /// Whatever a line says behind its number, it does not begin as the message of a beginning does.
    #[test]
    fn a_link_is_never_taken_for_a_beginning() {
        let before = ChainTag::from_bytes([9; 32]);
        let begins_as = |first: char| format!("{{\"seq\":1,{first}at\":5}}");
        assert!(key().next(&before, &begins_as('"')).is_some());
        for first in ['\0', '\u{1}', ' ', 'a', '}'] {
            assert_eq!(key().next(&before, &begins_as(first)), None, "{first:?}");
        }
        assert_ne!(GENESIS, b'"');
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
