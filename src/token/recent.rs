//! Tokens that this thread has found rightly signed: presented again, one is compared instead of decoded, and its
//! signature instead of computed.
//!
//! INVARIANT: what is kept was verified under the keys of that number, and is told by every byte of its text. A change of
//! keys makes other ones, so what was verified before is computed again; audience, time, holder and everything that
//! the table knows are asked each time. A forged token is not kept, so it takes no other's place. Of a call's three
//! quarters of a microsecond before the rules, decoding took a tenth, and comparing body and tag once more a
//! twentieth.

use std::cell::RefCell;
use std::hint::black_box;

use crate::sync;

/// How many tokens a thread keeps. Threads that serve many holders in turn find some of them.
const PLACES: usize = 16;

/// A longer text is decoded and computed each time, so that a thread keeps at most 28 KiB.
const LONGEST: usize = 1024;

sync::thread_local! {
    static RECENT: RefCell<[Verified; PLACES]> = const { RefCell::new([const { Verified::NONE }; PLACES]) };
}

struct Verified {
    text: Vec<u8>,
    body: Vec<u8>,
    tag: [u8; 32],
    /// Which keys it was verified under.
    keys: u64,
}

/// What a text that was verified before spells, and under which keys that was.
pub(super) struct Recalled {
    pub(super) tag: [u8; 32],
    pub(super) keys: u64,
}

impl Verified {
    const NONE: Verified = Verified { text: Vec::new(), body: Vec::new(), tag: [0; 32], keys: 0 };

    /// Compared whole, wherever it differs: what is kept is a good token, and how long it takes tells nothing of its
    /// tag.
    fn is_of(&self, text: &[u8]) -> bool {
        let differs = self.text.iter().zip(text).fold(0, |all, (own, other)| all | (own ^ other));
        self.text.len() == text.len() && black_box(differs) == 0
    }
}

/// The place of a text that may be kept.
fn place(text: &[u8]) -> Option<usize> {
    // The last character spells four bits of the tag, in its higher bits: as good as random.
    let last = text.last().filter(|_| text.len() <= LONGEST)?;
    Some(usize::from(last >> 2) % PLACES)
}

/// Gives the body of the token to `take`, if its text was verified before; and the rest of it.
#[inline]
pub(super) fn recall(text: &str, take: impl FnOnce(&[u8])) -> Option<Recalled> {
    let text = text.as_bytes();
    let at = place(text)?;
    let recalled = RECENT.try_with(|recent| {
        let recent = recent.borrow();
        let own = recent.get(at).filter(|own| own.is_of(text))?;
        take(&own.body);
        Some(Recalled { tag: own.tag, keys: own.keys })
    });
    // A thread that is ending remembers none.
    recalled.ok().flatten()
}

/// Keeps what a text spells that was verified under these keys.
pub(super) fn keep(text: &str, (body, tag): (&[u8], &[u8; 32]), keys: u64) {
    let text = text.as_bytes();
    let Some(at) = place(text) else { return };
    let _ = RECENT.try_with(|recent| {
        if let Some(own) = recent.borrow_mut().get_mut(at) {
            own.text.clear();
            own.text.extend_from_slice(text);
            own.body.clear();
            own.body.extend_from_slice(body);
            own.tag = *tag;
            own.keys = keys;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "hp1.YWJj.dGFn";

    fn recalled(text: &str) -> Option<(Vec<u8>, [u8; 32], u64)> {
        let mut body = Vec::new();
        recall(text, |own| body.extend_from_slice(own)).map(|own| (body, own.tag, own.keys))
    }

    #[test]
    fn a_text_is_recalled_as_what_it_was_kept_as_and_no_other_is() {
        assert_eq!(recalled(TEXT), None);
        keep(TEXT, (b"abc", &[7; 32]), 1);
        assert_eq!(recalled(TEXT), Some((b"abc".to_vec(), [7; 32], 1)));
        for at in 0..TEXT.len() * 7 {
            let mut other = TEXT.as_bytes().to_vec();
            other[at / 7] ^= 1 << (at % 7);
            let other = String::from_utf8(other).unwrap();
            assert_eq!(recalled(&other), None, "{other}");
        }
        for other in ["", "n", &TEXT[1..], &TEXT[..TEXT.len() - 1], &format!("{TEXT}n")] {
            assert_eq!(recalled(other), None, "{other}");
        }
        keep(TEXT, (b"abc", &[7; 32]), 2);
        assert_eq!(recalled(TEXT), Some((b"abc".to_vec(), [7; 32], 2)), "the keys of last time");
        keep("another.n", (b"", &[8; 32]), 1);
        assert_eq!(recalled(TEXT), None, "the one that took its place");
        let long = format!("{}n", "x".repeat(LONGEST));
        keep(&long, (b"abc", &[7; 32]), 1);
        assert_eq!(recalled(&long), None);
        assert_eq!(std::thread::spawn(|| recalled("another.n")).join().unwrap(), None);
    }
}
