//! HMAC-SHA256 in two steps: whole blocks of a message are taken in before its end is known.

use std::fmt;

use sha2::block_api::compress256;
use zeroize::{Zeroize, Zeroizing};

use super::stack::overwriting;

/// How many bytes SHA-256 takes in at once.
const BLOCK: usize = 64;

/// What SHA-256 begins with (FIPS 180-4, 5.3.3).
const START: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

type State = [u32; 8];

/// A key that signs messages of which the beginning is known earlier than the end.
///
/// The two halves of HMAC are kept apart, so that [`begin`](Self::begin) hands out what the inner one has made
/// of a beginning. That is no key: no tag is made without the outer half. [`MacKey`](super::MacKey), which keeps
/// both together, can't hand out one of them. Never printed, and wiped on drop.
pub(crate) struct SplitMac {
    inner: State,
    outer: State,
}

/// The inner hash after the key and the beginning of a message.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    state: State,
    /// How many bytes it has taken in, the key's block included.
    bytes: u64,
}

impl SplitMac {
    /// The key with these bytes.
    pub(super) fn from_tag(key: &[u8; 32]) -> SplitMac {
        let half = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK]);
            block.iter_mut().zip(key).for_each(|(own, byte)| *own ^= byte);
            let mut state = START;
            compress256(&mut state, std::slice::from_ref(&block));
            state
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
        overwriting(|| Box::new(SplitMac { inner: self.inner, outer: self.outer }))
    }

    /// The tag of the message that these parts make one after the other.
    pub(crate) fn sign_parts<const N: usize>(&self, parts: [&[u8]; N]) -> [u8; 32] {
        self.finish(&Begun { state: self.inner, bytes: BLOCK as u64 }, &parts.concat())
    }

    /// Takes in the beginning of a message: `text`, and zeros up to the end of a block of 64 bytes. Where the
    /// text ends is not signed: the end of the message has to say it.
    pub(crate) fn begin(&self, text: &[u8]) -> Begun {
        let mut state = self.inner;
        let (whole, last) = text.as_chunks::<BLOCK>();
        compress256(&mut state, whole);
        if !last.is_empty() {
            compress256(&mut state, &[padded(last)]);
        }
        Begun { state, bytes: (BLOCK + text.len().next_multiple_of(BLOCK)) as u64 }
    }

    /// The tag of a message that was begun under this key, and ends so.
    #[inline]
    pub(crate) fn finish(&self, begun: &Begun, end: &[u8]) -> [u8; 32] {
        let mut state = begun.state;
        hash_end(&mut state, begun.bytes, end);
        let digest = bytes_of(state);
        let mut state = self.outer;
        hash_end(&mut state, BLOCK as u64, &digest);
        bytes_of(state)
    }
}

impl Drop for SplitMac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// Takes in the end of a message, and its length as SHA-256 pads it (FIPS 180-4, 5.1.1): a one, zeros, and the
/// number of bits in the last eight bytes of a block. `before` bytes were taken in before.
#[inline]
fn hash_end(state: &mut State, before: u64, end: &[u8]) {
    let (whole, last) = end.as_chunks::<BLOCK>();
    compress256(state, whole);
    let bits = before.wrapping_add(end.len() as u64).wrapping_mul(8);
    let mut block = padded(last);
    if let Some(next) = block.get_mut(last.len()) {
        *next = 0x80;
    }
    if last.len() >= BLOCK - 8 {
        compress256(state, &[block]);
        block = [0; BLOCK];
    }
    if let Some(length) = block.last_chunk_mut() {
        *length = bits.to_be_bytes();
    }
    compress256(state, &[block]);
}

/// Less than a block, and zeros up to its end.
#[inline]
fn padded(part: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    if let Some(own) = block.get_mut(..part.len()) {
        own.copy_from_slice(part);
    }
    block
}

#[inline]
fn bytes_of(state: State) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<4>();
    words.iter_mut().zip(state).for_each(|(own, word)| *own = word.to_be_bytes());
    bytes
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
