//! Tokens that this thread has found rightly signed: presented again, one is compared instead of computed.
//!
//! INVARIANT: what is kept was verified under these very keys, and is told by every byte of it. A change of
//! keys makes other ones, so what was verified before is computed again; audience, time, holder and everything
//! that the table knows are asked each time.

use std::cell::RefCell;
use std::hint::black_box;

use crate::sync;

/// How many tokens a thread keeps. Threads that serve many holders in turn find some of them.
const PLACES: usize = 16;

/// A longer token is computed each time, so that a thread keeps at most 16 KiB.
const LONGEST: usize = 1024;

sync::thread_local! {
    static RECENT: RefCell<[Verified; PLACES]> = const { RefCell::new([const { Verified::NONE }; PLACES]) };
}

struct Verified {
    /// Which keys it was verified under; 0 of none.
    keys: u64,
    body: Vec<u8>,
    tag: [u8; 32],
}

impl Verified {
    const NONE: Verified = Verified { keys: 0, body: Vec::new(), tag: [0; 32] };

    /// The tag is compared whole, whatever differs: how long it takes tells nothing of it.
    fn is(&self, keys: u64, body: &[u8], tag: &[u8; 32]) -> bool {
        let differs = self.tag.iter().zip(tag).fold(0, |all, (own, other)| all | (own ^ other));
        self.keys == keys && self.body == body && black_box(differs) == 0
    }
}

/// Whether the tag is right: it was found so before, or is by `verify`.
#[inline]
pub(super) fn is_signed(
    keys: u64,
    body: &[u8],
    tag: &[u8; 32],
    verify: impl FnOnce() -> bool,
) -> bool {
    if body.len() > LONGEST {
        return verify();
    }
    // By the tag, which is as good as random: a wrong one leads elsewhere, or differs.
    let [first, ..] = tag;
    let at = usize::from(*first) % PLACES;
    let is_kept = |recent: &RefCell<[Verified; PLACES]>| {
        recent.borrow().get(at).is_some_and(|place| place.is(keys, body, tag))
    };
    // A thread that is ending has kept none, and keeps none.
    if RECENT.try_with(is_kept).unwrap_or(false) {
        return true;
    }
    let is_right = verify();
    if is_right {
        let _ = RECENT.try_with(|recent| {
            if let Some(place) = recent.borrow_mut().get_mut(at) {
                place.keys = keys;
                place.body.clear();
                place.body.extend_from_slice(body);
                place.tag = *tag;
            }
        });
    }
    is_right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_verified_under_the_same_keys_is_not_verified_again() {
        let (body, tag) = ([5; 40], [7; 32]);
        let computes = |keys, body: &[u8], tag: &[u8; 32], is_right| {
            let mut computed = false;
            let answer = is_signed(keys, body, tag, || {
                computed = true;
                is_right
            });
            assert_eq!(answer, is_right || !computed);
            computed
        };
        assert!(computes(1, &body, &tag, false), "what was refused");
        assert!(computes(1, &body, &tag, true), "is not kept");
        assert!(!computes(1, &body, &tag, false));
        for at in 0..body.len() * 8 {
            let mut other = body;
            other[at / 8] ^= 1 << (at % 8);
            assert!(computes(1, &other, &tag, false), "bit {at} of the body");
        }
        for at in 0..tag.len() * 8 {
            let mut other = tag;
            other[at / 8] ^= 1 << (at % 8);
            assert!(computes(1, &body, &other, false), "bit {at} of the tag");
        }
        assert!(computes(2, &body, &tag, false), "other keys");
        assert!(computes(1, &body[..39], &tag, false), "a shorter one");
        assert!(!computes(1, &body, &tag, false), "and none of them took its place");
        assert!(std::thread::spawn(move || computes(1, &body, &tag, true)).join().unwrap());
        assert!(computes(1, &[6; 40], &tag, true), "the one that took its place");
        assert!(computes(1, &body, &tag, false));
        let long = [5; LONGEST + 1];
        assert!(computes(1, &long, &tag, true) && computes(1, &long, &tag, true));
    }
}
