//! base64url without padding (RFC 4648): the one spelling of bytes in tokens, ids and digests.
//!
//! Writing is left to the `base64` crate. Reading is done here, because every call reads a token:
//! it takes the canonical spelling of exactly as many bytes as it is given room for, in one pass
//! without a branch on any character, so that a wrong character costs what a right one does.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a character that is none of base64url counts as: no four values together have this bit.
const WRONG: u32 = 1 << 31;

/// The value of each character, where it stands in a group of four.
static VALUES: [[u32; 256]; 4] = [values(18), values(12), values(6), values(0)];

/// How many bytes a text of this length spells; `None` if no text of this length spells any.
pub(crate) fn decoded_length(text: &str) -> Option<usize> {
    let (groups, rest) = (text.len() / 4, text.len() % 4);
    match rest {
        0 => Some(groups * 3),
        1 => None,
        rest => Some(groups * 3 + rest - 1),
    }
}

/// Reads text that spells exactly `bytes.len()` bytes; `None` if it does not, or has another
/// spelling than the canonical one: padding, white space, trailing bits that are not zero.
pub(crate) fn decode(text: &str, bytes: &mut [u8]) -> Option<()> {
    if decoded_length(text)? != bytes.len() {
        return None;
    }
    let (pairs, text) = text.as_bytes().as_chunks::<8>();
    let (sixes, bytes) = bytes.split_at_mut_checked(pairs.len() * 6)?;
    // All values seen, one over the other: whether any was wrong is asked once, at the end.
    let mut seen = 0;
    // Two groups of four at a time, which are written at once.
    for (six, [a, b, c, d, e, f, g, h]) in sixes.as_chunks_mut::<6>().0.iter_mut().zip(pairs) {
        let (bits, more) = (joined([*a, *b, *c, *d]), joined([*e, *f, *g, *h]));
        seen |= bits | more;
        let [_, _, bytes @ ..] = (u64::from(bits) << 24 | u64::from(more)).to_be_bytes();
        *six = bytes;
    }
    let (groups, rest) = text.as_chunks::<4>();
    let (triples, tail) = bytes.as_chunks_mut::<3>();
    for (triple, group) in triples.iter_mut().zip(groups) {
        let bits = joined(*group);
        seen |= bits;
        let [_, bytes @ ..] = bits.to_be_bytes();
        *triple = bytes;
    }
    let last = match *rest {
        [a, b] => [a, b, b'A', b'A'],
        [a, b, c] => [a, b, c, b'A'],
        _ => [b'A'; 4],
    };
    let bits = joined(last);
    seen |= bits;
    let [_, a, b, c] = bits.to_be_bytes();
    let trailing = match tail {
        [first, second] => {
            (*first, *second) = (a, b);
            c
        }
        [first] => {
            *first = a;
            b | c
        }
        _ => 0,
    };
    (seen & WRONG == 0 && trailing == 0).then_some(())
}

/// Appends the text that spells these bytes.
pub(crate) fn encode_to(bytes: &[u8], text: &mut String) {
    // A piece of whole groups at a time: the crate's own way into a string goes a longer way round.
    let mut room = [0; 256];
    for piece in bytes.chunks(room.len() / 4 * 3) {
        let length = URL_SAFE_NO_PAD.encode_slice(piece, &mut room).unwrap_or_default();
        let spelled = room.get(..length).and_then(|spelled| std::str::from_utf8(spelled).ok());
        text.push_str(spelled.unwrap_or_default());
    }
}

/// Text of a fixed length, written without allocating. It begins at a whole word, since the standard library
/// looks at words where it can, and half of what it took was to come to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(8))]
pub(crate) struct Spelled<const N: usize>([u8; N]);

impl<const N: usize> Spelled<N> {
    /// The text that spells these bytes. `N` is its length; were it not, the text would be blank.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut text = [b'A'; N];
        match URL_SAFE_NO_PAD.encode_slice(bytes, &mut text) {
            Ok(length) if length == N => Spelled(text),
            _ => Spelled([b' '; N]),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Four times six bits.
#[expect(clippy::indexing_slicing, reason = "a byte is always below 256")]
fn joined([a, b, c, d]: [u8; 4]) -> u32 {
    let [first, second, third, fourth] = &VALUES;
    first[usize::from(a)] | second[usize::from(b)] | third[usize::from(c)] | fourth[usize::from(d)]
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, which would refuse")]
const fn values(shift: u32) -> [u32; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [WRONG; 256];
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = (value as u32) << shift;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Vec<u8>> {
        let mut bytes = vec![0; decoded_length(text)?];
        decode(text, &mut bytes).map(|()| bytes)
    }

    #[test]
    fn text_of_another_length_than_the_room_is_refused() {
        assert_eq!(decode("YWJj", &mut [0; 2]), None);
        assert_eq!(decode("YWJj", &mut [0; 4]), None);
        assert_eq!(decode("YWJj", &mut [0; 3]), Some(()));
        assert_eq!(decode("", &mut []), Some(()));
    }

    /// attack 67: one that is read as another would be a second spelling
    #[test]
    fn a_wrong_character_is_seen_wherever_it_stands() {
        for length in (0..=40).filter(|length| length % 4 != 1) {
            let text = "A".repeat(length);
            assert_eq!(read(&text), URL_SAFE_NO_PAD.decode(&text).ok());
            for (at, wrong) in
                (0..length).flat_map(|at| "=+/ .\n\0\u{7f}".chars().map(move |c| (at, c)))
            {
                let mut text = text.clone();
                text.replace_range(at..=at, &wrong.to_string());
                assert_eq!(read(&text), None, "{text:?}");
            }
        }
    }

    #[test]
    fn a_fixed_text_is_the_usual_one() {
        assert_eq!(Spelled::<4>::new(b"abc").as_str(), "YWJj");
        assert_eq!(Spelled::<3>::new(b"ab").as_str(), "YWI");
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_the_crate_writes_in_one_go(
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
        ) {
            let mut text = "before".to_owned();
            encode_to(&bytes, &mut text);
            prop_assert_eq!(text, format!("before{}", URL_SAFE_NO_PAD.encode(bytes)));
        }

        /// attack 67: the crate that writes, and that reads strictly too, is the model
        #[test]
        fn whatever_is_read_is_what_the_other_reader_reads(
            text in prop_oneof![
                "[A-Za-z0-9_-]{0,12}",
                "[A-D_=+/. -]{0,9}",
                any::<String>(),
                proptest::collection::vec(any::<u8>(), 0..40)
                    .prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
            ]
        ) {
            prop_assert_eq!(read(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
