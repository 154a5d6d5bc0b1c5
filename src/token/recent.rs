//! Tokens that this thread has read: presented again, one is compared instead of decoded, and its signature
//! instead of computed.
//!
//! INVARIANT: what is kept says what its text spells, and which keys it was found rightly signed under, which is
//! told by every byte of the text. A change of keys makes other ones, so what was verified before is computed
//! again; audience, time, holder and everything that the table knows are asked each time. Of a call's three
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
    static RECENT: RefCell<[Read; PLACES]> = const { RefCell::new([const { Read::NONE }; PLACES]) };
}

struct Read {
    text: Vec<u8>,
    body: Vec<u8>,
    tag: [u8; 32],
    signed: SignedUnder,
}

/// Which keys a token was found rightly signed under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SignedUnder(u64);

impl SignedUnder {
    /// Of a token that was not verified.
    pub(super) const NONE: SignedUnder = SignedUnder(0);

    /// Whether it is these, by their number.
    pub(super) fn is(self, keys: u64) -> bool {
        self != SignedUnder::NONE && self == SignedUnder(keys)
    }
}

/// What a text that was read before spells.
pub(super) struct Recalled {
    pub(super) tag: [u8; 32],
    pub(super) signed: SignedUnder,
}

impl Read {
    const NONE: Read =
        Read { text: Vec::new(), body: Vec::new(), tag: [0; 32], signed: SignedUnder::NONE };

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

/// Gives the body of the token to `take`, if its text was read before; and the rest of it.
#[inline]
pub(super) fn recall(text: &str, take: impl FnOnce(&[u8])) -> Option<Recalled> {
    let text = text.as_bytes();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let recalled = RECENT.try_with(|recent| {
        let recent = recent.borrow();
        let own = recent.get(place(text)).filter(|own| own.is_of(text))?;
        take(&own.body);
        Some(Recalled { tag: own.tag, signed: own.signed })
    });
    // A thread that is ending remembers none.
    recalled.ok().flatten()
}

/// Keeps what the text spells. Whether it is rightly signed is not known yet.
pub(super) fn keep(text: &str, body: &[u8], tag: &[u8; 32]) {
    let text = text.as_bytes();
    if text.len() > LONGEST {
        return;
    }
    let _ = RECENT.try_with(|recent| {
        if let Some(own) = recent.borrow_mut().get_mut(place(text)) {
            own.text.clear();
            own.text.extend_from_slice(text);
            own.body.clear();
            own.body.extend_from_slice(body);
            own.tag = *tag;
            own.signed = SignedUnder::NONE;
        }
    });
}

/// Keeps that this token was found rightly signed under the keys of that number, if it is still kept.
pub(super) fn note_signed(keys: u64, body: &[u8], tag: &[u8; 32]) {
    let _ = RECENT.try_with(|recent| {
        // Of all places, since its text is not at hand: it is found right once, and compared from then on.
        let mut recent = recent.borrow_mut();
        let own = recent.iter_mut().find(|own| own.tag == *tag && own.body == body);
        if let Some(own) = own {
            own.signed = SignedUnder(keys);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "hp1.YWJj.dGFn";

    fn recalled(text: &str) -> Option<(Vec<u8>, [u8; 32])> {
        let mut body = Vec::new();
        recall(text, |own| body.extend_from_slice(own)).map(|own| (body, own.tag))
    }

    fn is_signed(text: &str, keys: u64) -> bool {
        recall(text, |_| ()).is_some_and(|own| own.signed.is(keys))
    }

    #[test]
    fn a_text_is_recalled_as_what_it_was_kept_as_and_no_other_is() {
        assert_eq!(recalled(TEXT), None);
        keep(TEXT, b"abc", &[7; 32]);
        assert_eq!(recalled(TEXT), Some((b"abc".to_vec(), [7; 32])));
        for at in 0..TEXT.len() {
            let mut other = TEXT.as_bytes().to_vec();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert_eq!(recalled(&other), None, "{other}");
        }
        for other in ["", "n", &TEXT[1..], &TEXT[..TEXT.len() - 1], &format!("{TEXT}n")] {
            assert_eq!(recalled(other), None, "{other}");
        }
        keep("another.n", b"", &[8; 32]);
        assert_eq!(recalled(TEXT), None, "the one that took its place");
        let long = format!("{}n", "x".repeat(LONGEST));
        keep(&long, b"abc", &[7; 32]);
        assert_eq!(recalled(&long), None);
        assert_eq!(std::thread::spawn(|| recalled("another.n")).join().unwrap(), None);
    }

    #[test]
    fn only_what_was_verified_under_the_same_keys_is_not_verified_again() {
        keep(TEXT, b"abc", &[7; 32]);
        assert!(!is_signed(TEXT, 1) && !is_signed(TEXT, 0), "nothing is known of its signature");
        for (body, tag) in [(&b"abd"[..], [7; 32]), (b"ab", [7; 32]), (b"abc", [6; 32])] {
            note_signed(1, body, &tag);
            assert!(!is_signed(TEXT, 1), "what was verified is another token");
        }
        note_signed(1, b"abc", &[7; 32]);
        assert!(is_signed(TEXT, 1));
        assert!(!is_signed(TEXT, 2), "other keys");
        assert!(std::thread::spawn(|| !is_signed(TEXT, 1)).join().unwrap(), "another thread");
        keep(TEXT, b"abc", &[7; 32]);
        assert!(!is_signed(TEXT, 1), "it was decoded anew");
        note_signed(1, b"abc", &[7; 32]);
        note_signed(2, b"abc", &[7; 32]);
        assert!(is_signed(TEXT, 2) && !is_signed(TEXT, 1), "the keys of last time");
        keep("another.n", b"", &[8; 32]);
        note_signed(2, b"abc", &[7; 32]);
        assert!(!is_signed("another.n", 2), "the one that took its place");
    }
}
