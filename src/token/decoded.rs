//! Tokens whose text this thread has decoded: presented again, one is compared instead of decoded.
//!
//! INVARIANT: what is kept says what its text spells, and nothing of what it is worth: the tag, the key, time and
//! everything that the table knows are asked each time. Of a call's three quarters of a microsecond before the
//! rules, decoding took a tenth.

use std::cell::RefCell;
use std::hint::black_box;

use crate::sync;

/// How many texts a thread keeps. Threads that serve many holders in turn find some of them.
const PLACES: usize = 16;

/// A longer text is decoded each time, so that a thread keeps at most 16 KiB of text.
const LONGEST: usize = 1024;

sync::thread_local! {
    static DECODED: RefCell<[Decoded; PLACES]> = const { RefCell::new([const { Decoded::NONE }; PLACES]) };
}

struct Decoded {
    text: Vec<u8>,
    body: Vec<u8>,
    tag: [u8; 32],
}

impl Decoded {
    const NONE: Decoded = Decoded { text: Vec::new(), body: Vec::new(), tag: [0; 32] };

    /// Compared whole, wherever it differs: what is kept may be a good token, and how long it takes tells nothing
    /// of its tag.
    fn is_of(&self, text: &[u8]) -> bool {
        let differs = self.text.iter().zip(text).fold(0, |all, (own, other)| all | (own ^ other));
        self.text.len() == text.len() && black_box(differs) == 0
    }
}

fn place(text: &[u8]) -> usize {
    // The last character spells four bits of the tag, in its higher bits: as good as random.
    text.last().map_or(0, |last| usize::from(last >> 2) % PLACES)
}

/// Gives the body of the token to `take`, if its text was decoded before; and the tag.
#[inline]
pub(super) fn recall(text: &str, take: impl FnOnce(&[u8])) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let recalled = DECODED.try_with(|decoded| {
        let decoded = decoded.borrow();
        let own = decoded.get(place(text)).filter(|own| own.is_of(text))?;
        take(&own.body);
        Some(own.tag)
    });
    // A thread that is ending remembers none.
    recalled.ok().flatten()
}

/// Keeps what the text spells.
pub(super) fn keep(text: &str, body: &[u8], tag: &[u8; 32]) {
    let text = text.as_bytes();
    if text.len() > LONGEST {
        return;
    }
    let _ = DECODED.try_with(|decoded| {
        if let Some(own) = decoded.borrow_mut().get_mut(place(text)) {
            own.text.clear();
            own.text.extend_from_slice(text);
            own.body.clear();
            own.body.extend_from_slice(body);
            own.tag = *tag;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recalled(text: &str) -> Option<(Vec<u8>, [u8; 32])> {
        let mut body = Vec::new();
        recall(text, |own| body.extend_from_slice(own)).map(|tag| (body, tag))
    }

    #[test]
    fn a_text_is_recalled_as_what_it_was_kept_as_and_no_other_is() {
        let text = "hp1.YWJj.dGFn";
        assert_eq!(recalled(text), None);
        keep(text, b"abc", &[7; 32]);
        assert_eq!(recalled(text), Some((b"abc".to_vec(), [7; 32])));
        for at in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert_eq!(recalled(&other), None, "{other}");
        }
        for other in ["", "n", &text[1..], &text[..text.len() - 1], &format!("{text}n")] {
            assert_eq!(recalled(other), None, "{other}");
        }
        keep("another.n", b"", &[8; 32]);
        assert_eq!(recalled(text), None, "the one that took its place");
        let long = format!("{}n", "x".repeat(LONGEST));
        keep(&long, b"abc", &[7; 32]);
        assert_eq!(recalled(&long), None);
        assert_eq!(std::thread::spawn(|| recalled("another.n")).join().unwrap(), None);
    }
}
