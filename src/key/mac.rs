//! HMAC-SHA256 under one key, ready for any number of messages.

use std::fmt;

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, FixedOutputCore, UpdateCore};
use hmac::digest::consts::U32;
use hmac::digest::{FixedOutput, MacMarker, Output, OutputSizeUser, Update};
use hmac::{EagerHash, KeyInit, Mac};
use sha2::Sha256;
use zeroize::ZeroizeOnDrop;

use super::stack::overwriting;

/// HMAC-SHA256 with the key taken in: two hash states of 40 bytes, each wiped on drop.
type Keyed = HmacCore<Sha256>;

/// A key derived for one use and one context, ready for HMAC-SHA256.
///
/// Never printed, and wiped on drop; `docs/dependencies.md` says what that does not reach.
pub(crate) struct MacKey(Keyed);

impl MacKey {
    /// The HMAC-SHA256 tag of a message.
    #[inline]
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.sign_parts([message])
    }

    /// Whether `tag` is the whole tag of `message`, compared in constant time.
    #[inline]
    #[must_use]
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        let mut computation = self.begin();
        computation.take(message);
        Mac::verify_slice(&mut computation, tag).is_ok()
    }

    /// The tag of the message that these parts make one after the other. Where one part ends and the
    /// next begins is not signed: who calls says the lengths, or the parts have fixed ones.
    #[inline]
    pub(crate) fn sign_parts<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
        let mut tag = [0; 32];
        self.sign_into(&mut tag, parts);
        tag
    }

    /// The same, written to its place, so that a tag that is a secret leaves no copy on the way.
    #[inline]
    pub(crate) fn sign_into<'p>(
        &self,
        tag: &mut [u8; 32],
        parts: impl IntoIterator<Item = &'p [u8]>,
    ) {
        let mut computation = self.begin();
        for part in parts {
            computation.take(part);
        }
        computation.finalize_into(tag.into());
    }

    /// The key with these bytes: an earlier tag, or a derivation's output.
    #[inline]
    pub(crate) fn from_tag(tag: &[u8; 32]) -> MacKey {
        MacKey::from_bytes(tag)
    }

    #[inline]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub(crate) fn from_bytes(bytes: &[u8]) -> MacKey {
        MacKey(Keyed::new_from_slice(bytes).expect("a key of any length"))
    }

    /// A second one of the same key, for another place that signs with it.
    pub(crate) fn share(&self) -> Box<MacKey> {
        overwriting(|| Box::new(MacKey(self.0.clone())))
    }

    /// The key with these bytes, to be kept.
    pub(super) fn keep(bytes: &[u8; 32]) -> Box<MacKey> {
        overwriting(|| Box::new(MacKey::from_tag(bytes)))
    }

    #[inline]
    fn begin(&self) -> Computation {
        Computation { keyed: self.0.clone(), pending: Buffer::<Keyed>::default() }
    }
}

/// Shows nothing of the key.
impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

/// One tag in the making.
///
/// The same as [`hmac::Hmac`], which keeps its buffer with the key and is moved whenever a tag is
/// finished: that costs a tenth of a tag. Both parts are wiped on drop.
struct Computation {
    keyed: Keyed,
    pending: Buffer<Keyed>,
}

impl Computation {
    #[inline]
    fn take(&mut self, part: &[u8]) {
        self.pending.digest_blocks(part, |blocks| self.keyed.update_blocks(blocks));
    }
}

impl OutputSizeUser for &mut Computation {
    type OutputSize = U32;
}

impl Update for &mut Computation {
    #[inline]
    fn update(&mut self, part: &[u8]) {
        self.take(part);
    }
}

impl FixedOutput for &mut Computation {
    #[inline]
    fn finalize_into(self, tag: &mut Output<Self>) {
        self.keyed.finalize_fixed_core(&mut self.pending, tag);
    }
}

/// With this, comparing is the crate's, too: whole tags only, in constant time.
impl MacMarker for &mut Computation {}

/// Key and computation are made of what is wiped on drop and of nothing else: without the feature
/// `zeroize` of `sha2`, which sets it for what both crates are built on, this does not compile.
const _: () = {
    const fn wiped<T: ZeroizeOnDrop>() -> usize {
        size_of::<T>()
    }
    let states = 2 * wiped::<<Sha256 as EagerHash>::Core>();
    assert!(size_of::<MacKey>() == states);
    assert!(size_of::<Computation>() == states + wiped::<Buffer<Keyed>>());
};

#[cfg(test)]
mod tests {
    use ring::hmac as other;

    use super::*;

    #[test]
    fn a_tag_verifies_whole_or_not_at_all() {
        let key = MacKey::from_tag(&[7; 32]);
        let tag = key.sign(b"x");
        assert!(key.verify(b"x", &tag));
        assert!(!key.verify(b"y", &tag));
        for length in 0..32 {
            assert!(!key.verify(b"x", &tag[..length]));
        }
        assert!(!key.verify(b"x", &[&tag[..], &[0]].concat()));
        for bit in 0..256 {
            let mut wrong = tag;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(b"x", &wrong));
        }
        assert_eq!(format!("{key:?}"), "MacKey(..)");
    }

    #[test]
    fn a_key_signs_as_before_after_any_number_of_messages() {
        let key = MacKey::from_tag(&[7; 32]);
        let first = key.sign(b"x");
        assert_ne!(key.sign(&[1; 1000]), first);
        assert!(!key.verify(&[2; 64], &first));
        assert_eq!(key.sign(b"x"), first);
    }

    /// Around every boundary of a block, in one part and in two.
    #[test]
    fn tags_are_those_of_another_implementation() {
        let message: Vec<u8> = (0..=255).collect();
        for length in 0..=131 {
            let key = &message[100..100 + length];
            let ours = MacKey::from_bytes(key);
            let theirs = other::Key::new(other::HMAC_SHA256, key);
            for end in 0..=131 {
                let expected = other::sign(&theirs, &message[..end]);
                let (one, two) = message[..end].split_at(end * length / 131);
                assert_eq!(ours.sign(&message[..end]), expected.as_ref());
                assert_eq!(ours.sign_parts([one, two, &[]]), expected.as_ref());
                assert!(ours.verify(&message[..end], expected.as_ref()));
            }
        }
    }

    /// Wycheproof and RFC 4231: right tags verify; wrong ones do not, nor do shortened ones, even
    /// those the vectors call valid for their length.
    #[test]
    #[ignore = "published data: HALLPASS_CORPORA says where it is"]
    fn the_hmac_corpus_agrees() {
        let corpus = testkit::corpora::corpus("crypto_tokens/hmac_sha256.json");
        let hex = |case: &serde_json::Value, field: &str| -> Vec<u8> {
            let text = case[field].as_str().unwrap();
            let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(byte).collect()
        };

        let wycheproof = corpus["wycheproof"]["tests"].as_array().unwrap();
        for case in wycheproof {
            let key = MacKey::from_bytes(&hex(case, "key"));
            let (message, tag) = (hex(case, "msg"), hex(case, "tag"));
            let valid = case["result"] == "valid";
            let whole = case["tag_bits"] == 256;
            assert_eq!(key.verify(&message, &tag), valid && whole, "{case}");
            assert_eq!(key.sign(&message).starts_with(&tag), valid, "{case}");
        }
        let rfc4231 = corpus["rfc4231"]["tests"].as_array().unwrap();
        for case in rfc4231 {
            let tag = hex(case, "tag");
            let key = MacKey::from_bytes(&hex(case, "key"));
            assert!(key.sign(&hex(case, "data")).starts_with(&tag), "{case}");
        }
        assert_eq!((wycheproof.len(), rfc4231.len()), (174, 7));
    }
}
