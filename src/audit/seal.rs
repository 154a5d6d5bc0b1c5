//! Short texts that a log has to give back to the broker, and to no one without its key.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::digest::push_name;
use crate::base64;
use crate::key::{LogKey, MacKey};
use crate::random::{self, RandomError};

/// Bytes of the salt that each text is sealed with.
const SALT: usize = 32;
/// Plain texts are padded to a multiple of this, so that their length tells little.
const BLOCK: usize = 16;
const TAG: usize = 16;

/// The key under which a log keeps what a digest could not give back.
pub(crate) struct SealKey(Box<MacKey>);

impl SealKey {
    pub(crate) fn of(key: &LogKey) -> Self {
        SealKey(key.seals.share())
    }

    /// Seals a text for one place in the log: it can't be opened as that of another.
    pub(crate) fn seal(&self, place: &[&str], plain: &str) -> Result<String, RandomError> {
        let mut salt = [0; SALT];
        random::fill(&mut salt)?;
        let mut bytes = Zeroizing::new(plain.as_bytes().to_vec());
        bytes.resize(plain.len().next_multiple_of(BLOCK), b' ');
        // The cipher refuses only what is far longer than a number.
        let tag = self
            .cipher(&salt)
            .and_then(|key| {
                let aad = Aad::from(bytes_of(place));
                key.seal_in_place_separate_tag(once(), aad, &mut bytes).ok()
            })
            .ok_or(RandomError)?;
        let mut text = String::new();
        base64::encode_to(&[&salt[..], &bytes, tag.as_ref()].concat(), &mut text);
        Ok(text)
    }

    /// The text that was sealed for this place; `None` if it was changed, or is of another place or key.
    pub(super) fn open(&self, place: &[&str], sealed: &str) -> Option<String> {
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_length(sealed)?]);
        base64::decode(sealed, &mut bytes)?;
        let (salt, rest) = bytes.split_at_mut_checked(SALT)?;
        let cipher = self.cipher(salt)?;
        if rest.len() < TAG {
            return None;
        }
        let plain = cipher.open_in_place(once(), Aad::from(bytes_of(place)), rest).ok()?;
        std::str::from_utf8(plain).ok().map(|text| text.trim_end_matches(' ').to_owned())
    }

    /// A key of its own for each salt, so that each is used with one nonce once.
    fn cipher(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let mut key = Zeroizing::new([0; 32]);
        self.0.sign_into(&mut key, [salt]);
        UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).ok().map(LessSafeKey::new)
    }
}

fn once() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn bytes_of(place: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    place.iter().for_each(|name| push_name(&mut bytes, name));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{LogKeys, SecretKey};

    fn key(first: u8) -> SealKey {
        let secret = SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap();
        SealKey::of(LogKeys::from_secret(secret).active_key())
    }

    #[test]
    fn what_was_sealed_opens_at_its_place_under_its_key_alone() {
        let sealed = key(1).seal(&["dear", "ada"], "10.5").unwrap();
        assert_eq!(key(1).open(&["dear", "ada"], &sealed).as_deref(), Some("10.5"));
        assert_eq!(key(2).open(&["dear", "ada"], &sealed), None);
        assert_eq!(key(1).open(&["dear", "bob"], &sealed), None);
        assert_eq!(key(1).open(&["deara", "da"], &sealed), None);
    }

    #[test]
    fn nothing_that_was_changed_or_cut_opens() {
        let key = key(1);
        let sealed = key.seal(&["dear"], "10.5").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            let other = if changed.as_bytes()[at] == b'A' { "B" } else { "A" };
            changed.replace_range(at..=at, other);
            assert_eq!(key.open(&["dear"], &changed), None, "{at}");
            assert_eq!(key.open(&["dear"], &sealed[..at]), None, "{at}");
        }
    }

    #[test]
    fn equal_texts_look_different_and_short_ones_are_equally_long() {
        let key = key(1);
        let seal = |text: &str| key.seal(&["dear"], text).unwrap();
        assert_ne!(seal("98"), seal("98"));
        assert_eq!(seal("0").len(), seal("99999999999.5").len());
    }
}
