//! Keys of two lives of nodes, and of one session between them.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::wire::{Direction, NodeLife};
use crate::fleet::keys::FleetKeys;
use crate::key::MacKey;

const TAG: usize = 16;

/// The key of what one life of a node says to one of another: no incarnation that is over has it again.
pub(super) struct PairKey(MacKey);

/// The two keys of a session, which both sides' fresh bytes go into.
pub(super) struct SessionKeys {
    requests: Box<Zeroizing<[u8; 32]>>,
    replies: Box<Zeroizing<[u8; 32]>>,
}

impl PairKey {
    pub(super) fn of(keys: &FleetKeys, from: &NodeLife, to: &NodeLife) -> PairKey {
        let mut lives = Vec::with_capacity(164);
        from.push_to(&mut lives);
        to.push_to(&mut lives);
        let mut key = Zeroizing::new([0; 32]);
        // One block of HKDF's expansion.
        keys.call.sign_into(&mut key, [&lives[..], &[1]]);
        PairKey(MacKey::from_tag(&key))
    }

    pub(super) fn sign(&self, label: &[u8], parts: [&[u8]; 2]) -> [u8; 32] {
        let [first, second] = parts;
        self.0.sign_parts([label, &length(first), first, second])
    }

    pub(super) fn verify(&self, label: &[u8], parts: [&[u8]; 2], tag: &[u8; 32]) -> bool {
        let [first, second] = parts;
        self.0.verify(&[label, &length(first), first, second].concat(), tag)
    }

    fn derive(&self, label: &[u8], transcript: [&[u8]; 2]) -> Box<Zeroizing<[u8; 32]>> {
        let [hello, welcome] = transcript;
        let mut key = Box::new(Zeroizing::new([0; 32]));
        self.0.sign_into(&mut key, [label, &length(hello), hello, welcome, &[1]]);
        key
    }
}

/// The labels of what a pair's key signs.
pub(super) const SIGNS_HELLO: &[u8] = b"hello";
pub(super) const SIGNS_WELCOME: &[u8] = b"welcome";

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

impl SessionKeys {
    /// Of the key from the asker to the home, the one back, and what both said, which their fresh bytes are in.
    pub(super) fn of(there: &PairKey, back: &PairKey, hello: &[u8], welcome: &[u8]) -> Self {
        SessionKeys {
            requests: there.derive(b"requests", [hello, welcome]),
            replies: back.derive(b"replies", [hello, welcome]),
        }
    }

    fn cipher(&self, direction: Direction) -> Option<LessSafeKey> {
        let key = match direction {
            Direction::Request => &self.requests,
            Direction::Reply => &self.replies,
        };
        UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).ok().map(LessSafeKey::new)
    }

    /// The ciphertext under this counter, which no other message of that direction has. `bound` is what it is tied to
    /// besides: the header, and of a reply the digest of its request.
    pub(super) fn seal(
        &self,
        direction: Direction,
        counter: u64,
        bound: &[u8],
        plain: &[u8],
    ) -> Option<Vec<u8>> {
        let mut bytes = plain.to_vec();
        let cipher = self.cipher(direction)?;
        cipher.seal_in_place_append_tag(nonce(counter), Aad::from(bound), &mut bytes).ok()?;
        Some(bytes)
    }

    pub(super) fn open(
        &self,
        direction: Direction,
        counter: u64,
        bound: &[u8],
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(ciphertext.to_vec());
        let cipher = self.cipher(direction)?;
        let length = cipher.open_in_place(nonce(counter), Aad::from(bound), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

/// How long the ciphertext of a plain text is.
pub(super) fn sealed_length(plain: usize) -> usize {
    plain.saturating_add(TAG)
}

fn nonce(counter: u64) -> Nonce {
    let [a, b, c, d, e, f, g, h] = counter.to_be_bytes();
    Nonce::assume_unique_for_key([0, 0, 0, 0, a, b, c, d, e, f, g, h])
}
