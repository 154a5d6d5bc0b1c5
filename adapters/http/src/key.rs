//! The key of one call's endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The user of the proxy's password.
const USER: &str = "hallpass";

/// 256 random bits that only the tool of one running call is told.
pub(crate) struct Key(Zeroizing<String>);

impl Key {
    /// `None` if the operating system gives no random bytes.
    pub(crate) fn generate() -> Option<Key> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(bytes.as_mut_slice()).ok()?;
        let mut text = Zeroizing::new(String::with_capacity(64));
        for byte in bytes.iter() {
            for half in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(half), 16)?);
            }
        }
        Some(Key(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As a part of a URL, before its host.
    pub(crate) fn userinfo(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{USER}:{}", &*self.0))
    }

    /// Whether this is it.
    pub(crate) fn is(&self, given: &str) -> bool {
        is_same(self.0.as_bytes(), given.as_bytes())
    }

    /// Whether the value of `proxy-authorization` has it.
    pub(crate) fn is_password_in(&self, header: &[u8]) -> bool {
        let Some((scheme, given)) = header.split_at_checked(6) else { return false };
        let expected = Zeroizing::new(STANDARD.encode(&*self.userinfo()));
        scheme.eq_ignore_ascii_case(b"basic ") && is_same(expected.as_bytes(), given.trim_ascii())
    }
}

/// Whether two texts are the same, in a time that does not say where they differ.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    let pairs = left.iter().zip(right);
    left.len() == right.len() && pairs.fold(0, |all, (left, right)| all | (left ^ right)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_itself_alone_in_a_path_and_in_a_header() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        assert_eq!(key.as_str().len(), 64);
        assert!(key.is(key.as_str()) && !key.is(other.as_str()));
        assert!(
            !key.is("")
                && !key.is(&key.as_str()[..63])
                && !key.is(&key.as_str().to_uppercase().replace('0', "1"))
        );
        let header = |key: &Key| format!("bAsIc {}", STANDARD.encode(&*key.userinfo()));
        assert!(key.is_password_in(header(&key).as_bytes()));
        let spaced = header(&key).replace(' ', "  ") + " ";
        assert!(key.is_password_in(spaced.as_bytes()));
        for wrong in [header(&other), key.as_str().to_owned(), "Basic ".to_owned(), String::new()] {
            assert!(!key.is_password_in(wrong.as_bytes()), "{wrong}");
        }
        let bearer = header(&key).replace("bAsIc", "Bearer");
        assert!(!key.is_password_in(bearer.as_bytes()));
    }
}
