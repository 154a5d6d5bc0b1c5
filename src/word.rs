//! Short text compared and classified eight bytes at a time.

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = EACH * 0x80;

/// Eight bytes, the first of them lowest.
#[derive(Clone, Copy)]
pub(crate) struct Word(u64);

impl Word {
    #[inline]
    pub(crate) fn of(bytes: [u8; 8]) -> Self {
        Word(u64::from_le_bytes(bytes))
    }

    /// Whether each byte is printable ASCII: the sums carry into the highest bit of a byte where it is at
    /// least a space, and where it is DEL.
    #[inline]
    pub(crate) fn is_printable(self) -> bool {
        let low = self.0 & !HIGH;
        let printable = !self.0 & (low + EACH * 0x60) & !(low + EACH);
        printable & HIGH == HIGH
    }

    /// The highest bit of each byte that is this one, where all of them are ASCII: what differs from it
    /// carries.
    #[inline]
    pub(crate) fn places_of(self, byte: u8) -> u64 {
        let differs = self.0 ^ (EACH * u64::from(byte));
        !(differs + !HIGH) & HIGH
    }
}

/// `left == right`, for names: of one that is short, all there is is in its first and its last bytes,
/// and to look at these takes less than to have them compared elsewhere.
#[inline]
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    match left.len() {
        length if length != right.len() => false,
        length @ 1..=3 => {
            left.first() == right.first()
                && left.last() == right.last()
                && left.get(length / 2) == right.get(length / 2)
        }
        4..=8 => {
            left.first_chunk::<4>() == right.first_chunk()
                && left.last_chunk::<4>() == right.last_chunk()
        }
        9..=16 => {
            left.first_chunk::<8>() == right.first_chunk()
                && left.last_chunk::<8>() == right.last_chunk()
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_of_which_one_goes_on_or_differs_in_one_place_are_not_the_same() {
        let texts = || (0..=40).map(|length| "read".repeat(10)[..length].to_owned());
        for text in texts() {
            for other in texts() {
                assert_eq!(is_same(&text, &other), text == other, "{text} {other}");
            }
            for at in 0..text.len() {
                let mut changed = text.clone();
                changed.replace_range(at..=at, "x");
                assert!(!is_same(&text, &changed) && !is_same(&changed, &text), "{text} {changed}");
            }
        }
    }

    proptest! {
        #[test]
        fn texts_are_the_same_if_their_bytes_are(text in "[ab]{0,20}", other in "[ab]{0,20}", at in 0_usize..20) {
            prop_assert!(is_same(&text, &text.clone()));
            prop_assert_eq!(is_same(&text, &other), text == other);
            if at < text.len() {
                let mut changed = text.clone();
                changed.replace_range(at..=at, "c");
                prop_assert!(!is_same(&text, &changed), "{} {}", text, at);
            }
        }

        #[test]
        fn a_word_is_printable_if_each_of_its_bytes_is(bytes in any::<[u8; 8]>(), ascii in any::<bool>()) {
            let bytes = if ascii { bytes.map(|byte| byte & 0x7f) } else { bytes };
            let each = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
            prop_assert_eq!(Word::of(bytes).is_printable(), each);
        }

        #[test]
        fn a_printable_word_is_printable(text in "[ -~]{8}", at in 0_usize..8, odd in prop_oneof![0..b' ', 127..=255_u8]) {
            let mut bytes = <[u8; 8]>::try_from(text.as_bytes()).unwrap();
            prop_assert!(Word::of(bytes).is_printable());
            bytes[at] = odd;
            prop_assert!(!Word::of(bytes).is_printable());
        }

        #[test]
        fn places_are_those_of_the_byte(bytes in proptest::array::uniform8(0_u8..128), byte in 0_u8..128, at in 0_usize..8) {
            let mut bytes = bytes;
            bytes[at] = byte;
            let places = Word::of(bytes).places_of(byte).to_le_bytes();
            let model = bytes.map(|own| if own == byte { 0x80 } else { 0 });
            prop_assert_eq!(places, model);
        }
    }
}
