//! The forms in which a secret is looked for.

use zeroize::Zeroizing;

/// One form: the bytes that stand in a result whenever the secret does in this encoding.
pub(super) struct Form {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether the character before or after holds bits of the secret, too, together with what stands next to it.
    pub(super) ragged: Ragged,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Ragged {
    pub(super) before: bool,
    pub(super) after: bool,
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// All forms of a secret: the closed list.
pub(super) fn forms(secret: &[u8]) -> Vec<Form> {
    let whole = |bytes| Form { bytes, ragged: Ragged::default() };
    let mut forms = vec![
        whole(Zeroizing::new(secret.to_vec())),
        whole(hexadecimal(secret, b"0123456789abcdef")),
        whole(hexadecimal(secret, b"0123456789ABCDEF")),
    ];
    for offset in 0..3 {
        forms.extend([STANDARD, URL].map(|alphabet| base64(secret, offset, alphabet)));
    }
    forms
}

/// Whether this character is one of base64 or base64url.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn hexadecimal(secret: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(secret.len() * 2));
    for byte in secret {
        for nibble in [byte >> 4, byte & 15] {
            bytes.extend(digits.get(usize::from(nibble)));
        }
    }
    bytes
}

/// The characters of base64 that a secret alone decides, where `offset` bytes stand before it in its group of three.
/// Characters that it shares with its neighbours are left out.
fn base64(secret: &[u8], offset: usize, alphabet: &[u8; 64]) -> Form {
    let (first_bit, past_bit) = (offset * 8, (offset + secret.len()) * 8);
    let (first, past) = (first_bit.div_ceil(6), past_bit / 6);
    let mut bytes = Zeroizing::new(Vec::with_capacity(past.saturating_sub(first)));
    for at in first..past {
        let bit = at * 6 - first_bit;
        let byte = |at: usize| u16::from(secret.get(at).copied().unwrap_or_default());
        let pair = byte(bit / 8) << 8 | byte(bit / 8 + 1);
        let six = pair >> (10 - bit % 8) & 63;
        bytes.extend(alphabet.get(usize::from(six)));
    }
    let ragged = Ragged { before: first_bit % 6 != 0, after: past_bit % 6 != 0 };
    Form { bytes, ragged }
}

#[cfg(test)]
mod tests {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn base64_of_anything_around_the_secret_holds_one_of_its_forms(
            secret in proptest::collection::vec(any::<u8>(), 8..60),
            before in proptest::collection::vec(any::<u8>(), 0..7),
            after in proptest::collection::vec(any::<u8>(), 0..7),
        ) {
            let forms = forms(&secret);
            let whole = [&before[..], &secret, &after].concat();
            for text in [STANDARD_NO_PAD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                let held = |form: &Form| text.as_bytes().windows(form.bytes.len()).any(|w| w == &form.bytes[..]);
                prop_assert!(forms.iter().skip(3).any(held), "{text}");
            }
        }
    }

    #[test]
    fn a_form_leaves_out_no_character_that_the_secret_decides_alone() {
        for (offset, length) in [(0, 21), (1, 20), (2, 21)] {
            assert_eq!(base64(&[7; 16], offset, URL).bytes.len(), length);
        }
        assert!(base64(&[7; 16], 0, URL).ragged.after && !base64(&[7; 16], 0, URL).ragged.before);
        assert!(!base64(&[7; 16], 2, URL).ragged.after && base64(&[7; 16], 2, URL).ragged.before);
    }
}
