//! The cipher under which secrets rest in memory: ChaCha20-Poly1305 under a key of the vault's own.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use zeroize::Zeroizing;

use super::error::VaultError;
use crate::random::{self, RandomError};
use crate::sync::atomic::{AtomicU64, Ordering};

/// The length of the key, and of what is derived with it.
const KEY: usize = 32;

/// Seals and opens under one key, which lives as long as the vault. The key is kept as bytes that are wiped on drop:
/// the cipher's own form of it is made for one use, and never moved to the heap.
pub(super) struct Cipher {
    key: Box<Zeroizing<[u8; KEY]>>,
    /// The next nonce: a count, so that none comes twice under this key.
    next: AtomicU64,
}

/// A ciphertext with what opens it again, but for the key.
pub(super) struct Ciphertext {
    nonce: u64,
    bytes: Vec<u8>,
    tag: Tag,
}

impl Cipher {
    pub(super) fn generate() -> Result<Cipher, RandomError> {
        let mut key = Box::new(Zeroizing::new([0; KEY]));
        random::fill(key.as_mut_slice())?;
        Ok(Cipher { key, next: AtomicU64::new(1) })
    }

    /// Seals a copy of `plain`. What it is called is bound to it: one secret can't be opened as another.
    pub(super) fn seal(&self, name: &str, plain: &[u8]) -> Result<Ciphertext, VaultError> {
        let nonce = self.next.fetch_add(1, Ordering::Relaxed);
        // Wiped if the cipher refuses; what it leaves is the ciphertext.
        let mut bytes = Zeroizing::new(plain.to_vec());
        let sealed = self
            .keyed()
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(spread(nonce));
                key.seal_in_place_separate_tag(nonce, Aad::from(name.as_bytes()), &mut bytes).ok()
            })
            .ok_or(VaultError::Cipher)?;
        Ok(Ciphertext { nonce, bytes: std::mem::take(&mut bytes), tag: sealed })
    }

    /// Opens into memory of its own; `None` if it was changed or is called otherwise.
    pub(super) fn open(&self, name: &str, sealed: &Ciphertext) -> Option<Zeroizing<Vec<u8>>> {
        let Ciphertext { nonce, bytes, tag } = sealed;
        let mut opened = Zeroizing::new(bytes.clone());
        let nonce = Nonce::assume_unique_for_key(spread(*nonce));
        let aad = Aad::from(name.as_bytes());
        self.keyed()?.open_in_place_separate_tag(nonce, aad, *tag, &mut opened, 0..).ok()?;
        Some(opened)
    }

    fn keyed(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, self.key.as_slice()).ok().map(LessSafeKey::new)
    }
}

fn spread(count: u64) -> [u8; NONCE_LEN] {
    let [a, b, c, d, e, f, g, h] = count.to_be_bytes();
    [0, 0, 0, 0, a, b, c, d, e, f, g, h]
}

/// Shows nothing of the key.
impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_under_one_name_or_key_opens_under_no_other() {
        let (cipher, other) = (Cipher::generate().unwrap(), Cipher::generate().unwrap());
        let sealed = cipher.seal("a", b"0123456789abcdef").unwrap();
        assert_eq!(**cipher.open("a", &sealed).unwrap(), *b"0123456789abcdef");
        assert!(cipher.open("b", &sealed).is_none());
        assert!(other.open("a", &sealed).is_none());
    }

    #[test]
    fn one_plaintext_sealed_twice_looks_different_and_like_neither() {
        let cipher = Cipher::generate().unwrap();
        let plain = b"0123456789abcdef";
        let (one, two) = (cipher.seal("a", plain).unwrap(), cipher.seal("a", plain).unwrap());
        assert_ne!(one.bytes, two.bytes);
        assert_ne!(one.bytes, plain);
    }

    #[test]
    fn a_changed_ciphertext_does_not_open() {
        let cipher = Cipher::generate().unwrap();
        let mut sealed = cipher.seal("a", b"0123456789abcdef").unwrap();
        sealed.bytes[3] ^= 1;
        assert!(cipher.open("a", &sealed).is_none());
    }
}
