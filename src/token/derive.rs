//! One secret, many keys: a key for each use, so that no tag made for one passes for another.

use std::fmt;

use ring::hmac;
use zeroize::Zeroizing;

use super::secret::SecretKey;

/// What a derived key is for. Every use of a ring's secret has its label here and nowhere else
/// (attack 70).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUse {
    /// Signing the root blocks of tokens, for one audience.
    Token,
    /// Naming a key: the id tokens carry.
    KeyId,
    /// Chaining the records of the log.
    AuditLog,
    /// Digests of arguments in the log, so that short values cannot be guessed from them.
    ArgumentDigest,
}

impl KeyUse {
    /// Every use.
    pub const ALL: [KeyUse; 4] =
        [KeyUse::Token, KeyUse::KeyId, KeyUse::AuditLog, KeyUse::ArgumentDigest];

    /// The label that goes into the derivation. Changing one changes every key of that use.
    pub const fn label(self) -> &'static str {
        match self {
            KeyUse::Token => "hallpass/v1/token",
            KeyUse::KeyId => "hallpass/v1/key-id",
            KeyUse::AuditLog => "hallpass/v1/audit-log",
            KeyUse::ArgumentDigest => "hallpass/v1/argument-digest",
        }
    }
}

/// A key derived for one use and one context, ready for HMAC-SHA256.
///
/// Never printed. `ring` keeps the key as a hash state and does not wipe it on drop: a known limit,
/// see `docs/token-format.md`.
///
/// ```
/// # use hallpass::token::{KeyRing, KeyUse};
/// let ring = KeyRing::generate()?;
/// let tag = ring.mac_key(KeyUse::AuditLog).sign(b"record");
/// assert!(ring.mac_key(KeyUse::AuditLog).verify(b"record", &tag));
/// assert!(!ring.mac_key(KeyUse::ArgumentDigest).verify(b"record", &tag));
/// # Ok::<(), hallpass::RandomError>(())
/// ```
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The key of this use and context.
    pub(super) fn derive(secret: &SecretKey, key_use: KeyUse, context: Context<'_>) -> MacKey {
        MacKey::from_tag(&derive_bytes(secret, key_use, context))
    }

    /// The HMAC-SHA256 tag of a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        bytes(&hmac::sign(&self.0, message))
    }

    /// Whether `tag` is the whole tag of `message`, compared in constant time.
    #[must_use]
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }

    /// The key itself, for a chain that is computed piece by piece.
    pub(crate) fn into_hmac(self) -> hmac::Key {
        self.0
    }

    /// The key with these bytes: an earlier tag, or a derivation's output.
    pub(super) fn from_tag(tag: &[u8; 32]) -> MacKey {
        MacKey(hmac::Key::new(hmac::HMAC_SHA256, tag))
    }
}

/// Shows nothing of the key.
impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

/// What sets keys of one use apart, short enough to be length-prefixed without doubt.
#[derive(Clone, Copy)]
pub(super) struct Context<'a>(&'a [u8]);

impl<'a> Context<'a> {
    /// No context: the use has one key.
    pub(super) const NONE: Context<'static> = Context(&[]);

    /// This context, unless it is longer than a length prefix can say.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Context<'a>> {
        u16::try_from(bytes.len()).is_ok().then_some(Context(bytes))
    }
}

/// HKDF-SHA256 (RFC 5869) without salt, for 32 bytes of output, with
/// `info = u16 length | label | u16 length | context`.
///
/// One block of output is two HMACs; spelled out because `ring::hkdf` can fail where this cannot.
pub(super) fn derive_bytes(
    secret: &SecretKey,
    key_use: KeyUse,
    context: Context<'_>,
) -> Zeroizing<[u8; 32]> {
    let extract = hmac::Key::new(hmac::HMAC_SHA256, &[]);
    let pseudorandom = hmac::sign(&extract, secret.bytes());
    let expand = hmac::Key::new(hmac::HMAC_SHA256, pseudorandom.as_ref());
    let mut expand = hmac::Context::with_key(&expand);
    for part in [key_use.label().as_bytes(), context.0] {
        // Labels are constants and contexts are bounded by their constructor.
        expand.update(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        expand.update(part);
    }
    expand.update(&[1]);
    Zeroizing::new(bytes(&expand.sign()))
}

fn bytes(tag: &hmac::Tag) -> [u8; 32] {
    // The tag of HMAC-SHA256 has 32 bytes. Were it ever shorter, zeros would verify nowhere.
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ring::hkdf;

    use super::*;

    fn secret() -> SecretKey {
        SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap()
    }

    #[test]
    fn the_derivation_is_the_hkdf_of_rfc_5869() {
        let info: &[&[u8]] = &[b"\x00\x11hallpass/v1/token", b"\x00\x04gate"];
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret().bytes());
        let theirs = hmac::Key::from(prk.expand(info, hmac::HMAC_SHA256).unwrap());
        let ours = MacKey::derive(&secret(), KeyUse::Token, Context::new(b"gate").unwrap());
        assert_eq!(ours.sign(b"x"), hmac::sign(&theirs, b"x").as_ref());
    }

    /// attacks 70 and 71: a tag of one use or context is none of another
    #[test]
    fn every_use_and_context_has_its_own_key() {
        let contexts = [Context::NONE, Context(b"a"), Context(b"b")];
        let tags: BTreeSet<_> = KeyUse::ALL
            .iter()
            .flat_map(|&u| contexts.map(|c| MacKey::derive(&secret(), u, c).sign(b"message")))
            .collect();
        assert_eq!(tags.len(), KeyUse::ALL.len() * contexts.len());
    }

    /// attack 69, for the derivation
    #[test]
    fn label_and_context_cannot_trade_bytes() {
        let labels: BTreeSet<_> = KeyUse::ALL.iter().map(|u| u.label()).collect();
        assert_eq!(labels.len(), KeyUse::ALL.len());
        assert!(Context::new(&[0; 65536]).is_none());
        assert!(Context::new(&[0; 65535]).is_some());
    }

    #[test]
    fn a_tag_verifies_whole_or_not_at_all() {
        let key = MacKey::derive(&secret(), KeyUse::AuditLog, Context::NONE);
        let tag = key.sign(b"x");
        assert!(key.verify(b"x", &tag));
        assert!(!key.verify(b"y", &tag));
        assert!(!key.verify(b"x", &tag[..31]));
        assert!(!key.verify(b"x", &[]));
        assert_eq!(format!("{key:?}"), "MacKey(..)");
    }

    /// Wycheproof and RFC 4231: right tags verify; wrong ones do not, nor do shortened ones, even
    /// those the vectors call valid for their length.
    #[test]
    fn the_hmac_corpus_agrees() {
        let Some(corpora) = std::env::var_os("HALLPASS_CORPORA") else {
            println!("skipped: HALLPASS_CORPORA is not set");
            return;
        };
        let path = std::path::Path::new(&corpora).join("crypto_tokens/hmac_sha256.json");
        let corpus: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let hex = |case: &serde_json::Value, field: &str| -> Vec<u8> {
            let text = case[field].as_str().unwrap();
            let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(byte).collect()
        };
        let key_of = |bytes: &[u8]| MacKey(hmac::Key::new(hmac::HMAC_SHA256, bytes));

        let wycheproof = corpus["wycheproof"]["tests"].as_array().unwrap();
        for case in wycheproof {
            let key = hex(case, "key");
            let (key, message, tag) = (key_of(&key), hex(case, "msg"), hex(case, "tag"));
            let valid = case["result"] == "valid";
            let whole = case["tag_bits"] == 256;
            assert_eq!(key.verify(&message, &tag), valid && whole, "{case}");
            assert_eq!(key.sign(&message).starts_with(&tag), valid, "{case}");
        }
        let rfc4231 = corpus["rfc4231"]["tests"].as_array().unwrap();
        for case in rfc4231 {
            let tag = hex(case, "tag");
            assert!(key_of(&hex(case, "key")).sign(&hex(case, "data")).starts_with(&tag), "{case}");
        }
        assert_eq!((wycheproof.len(), rfc4231.len()), (174, 7));
    }
}
