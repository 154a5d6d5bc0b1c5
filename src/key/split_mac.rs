//! HMAC-SHA256 in two steps: whole blocks of a message are taken in before its end is known.

use std::fmt;

use hmac::EagerHash;
use hmac::digest::Output;
use hmac::digest::block_api::{Block, Buffer, FixedOutputCore, UpdateCore};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::stack::overwriting;

/// How many bytes SHA-256 takes in at once.
const BLOCK: usize = 64;

/// SHA-256 of whole blocks. Wiped on drop, as `mac.rs` has the compiler see.
type Hash = <Sha256 as EagerHash>::Core;

/// A key that signs messages of which the beginning is known earlier than the end.
///
/// The two halves of HMAC are kept apart, so that [`begin`](Self::begin) hands out what the inner one has made
/// of a beginning. That is no key: no tag is made without the outer half. [`MacKey`](super::MacKey), which keeps
/// both together, can't hand out one of them. Never printed, and wiped on drop.
#[derive(Clone)]
pub(crate) struct SplitMac {
    inner: Hash,
    outer: Hash,
}

/// The inner hash after the key and the beginning of a message.
#[derive(Clone)]
pub(crate) struct Begun(Hash);

impl SplitMac {
    /// The key with these bytes: RFC 2104, for a key that is shorter than a block.
    pub(super) fn from_tag(key: &[u8; 32]) -> SplitMac {
        let half = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK]);
            block.iter_mut().zip(key).for_each(|(own, byte)| *own ^= byte);
            let mut hash = Hash::default();
            hash.update_blocks(std::slice::from_ref::<Block<Hash>>((&*block).into()));
            hash
        };
        SplitMac { inner: half(0x36), outer: half(0x5c) }
    }

    /// The key with these bytes, to be kept.
    #[cfg(test)]
    pub(crate) fn keep(key: &[u8; 32]) -> Box<SplitMac> {
        overwriting(|| Box::new(SplitMac::from_tag(key)))
    }

    /// A second one of the same key, for another place that signs with it.
    pub(crate) fn share(&self) -> Box<SplitMac> {
        overwriting(|| Box::new(self.clone()))
    }

    /// The tag of the message that these parts make one after the other.
    pub(crate) fn sign_parts<const N: usize>(&self, parts: [&[u8]; N]) -> [u8; 32] {
        self.finish(&Begun(self.inner.clone()), &parts.concat())
    }

    /// Takes in the beginning of a message: `text`, and zeros up to the end of a block of 64 bytes. Where the
    /// text ends is not signed: the end of the message has to say it.
    pub(crate) fn begin(&self, text: &[u8]) -> Begun {
        let mut hash = self.inner.clone();
        let (whole, last) = Block::<Hash>::slice_as_chunks(text);
        hash.update_blocks(whole);
        if !last.is_empty() {
            let mut block = Block::<Hash>::default();
            block.iter_mut().zip(last).for_each(|(own, byte)| *own = *byte);
            hash.update_blocks(&[block]);
        }
        Begun(hash)
    }

    /// The tag of a message that was begun under this key, and ends so.
    #[inline]
    pub(crate) fn finish(&self, begun: &Begun, end: &[u8]) -> [u8; 32] {
        let digest = finished(&begun.0, end);
        finished(&self.outer, &digest)
    }
}

/// What a hash of whole blocks comes to with the end of its message.
#[inline]
fn finished(before: &Hash, end: &[u8]) -> [u8; 32] {
    // Not as a pair: what is moved out of one is left behind on the stack.
    let mut hash = before.clone();
    let mut pending = Buffer::<Hash>::default();
    pending.digest_blocks(end, |blocks| hash.update_blocks(blocks));
    let mut digest = [0; 32];
    hash.finalize_fixed_core(&mut pending, <&mut Output<Hash>>::from(&mut digest));
    digest
}

/// Shows nothing of the key.
impl fmt::Debug for SplitMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SplitMac(..)")
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(..)")
    }
}

#[cfg(test)]
mod tests {
    use ring::hmac as other;

    use super::*;

    /// Around every boundary of a block, of the beginning and of the end.
    #[test]
    fn a_tag_in_two_steps_is_the_hmac_of_beginning_zeros_and_end() {
        let message: Vec<u8> = (0..=255).collect();
        let key: [u8; 32] = std::array::from_fn(|at| at as u8);
        let (ours, theirs) = (SplitMac::keep(&key), other::Key::new(other::HMAC_SHA256, &key));
        for beginning in (0..=130).map(|length| &message[..length]) {
            let begun = ours.begin(beginning);
            for end in (0..=130).map(|length| &message[100..100 + length]) {
                let mut whole = beginning.to_vec();
                whole.resize(whole.len().next_multiple_of(BLOCK), 0);
                whole.extend_from_slice(end);
                let expected = other::sign(&theirs, &whole);
                // A beginning serves more than once.
                assert_eq!(ours.finish(&begun, end), expected.as_ref());
                assert_eq!(ours.finish(&begun, end), expected.as_ref());
                let (one, two) = whole.split_at(beginning.len() / 3);
                assert_eq!(ours.sign_parts([one, two, &[]]), expected.as_ref());
            }
        }
    }

    #[test]
    fn a_shared_key_signs_the_same_and_neither_prints_it() {
        let ours = SplitMac::keep(&[7; 32]);
        assert_eq!(ours.share().sign_parts([b"x"]), ours.sign_parts([b"x"]));
        let begun = ours.begin(b"x");
        assert_eq!(format!("{ours:?} {begun:?}"), "SplitMac(..) Begun(..)");
    }
}
