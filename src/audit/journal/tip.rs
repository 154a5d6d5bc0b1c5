//! Where the log stands, for everybody to read while one thread writes.
//!
//! The number and the tag belong together and take more than one word, so who reads looks whether a
//! change had begun meanwhile. No lock: one that is taken with every record would be one more piece of
//! memory that threads take from each other, and asking must not wait for a slow sink.
//!
//! INVARIANT: only the thread that has the right to write changes it, and the number only rises.

use crate::audit::{Anchor, ChainTag};
use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// The last record that the sink has accepted.
pub(super) struct Tip {
    /// Its number, stored last.
    seq: AtomicU64,
    tag: [AtomicU64; 4],
    /// The number whose tag is being stored, or has been.
    begun: AtomicU64,
}

impl Tip {
    pub(super) fn at(anchor: Anchor) -> Self {
        Tip {
            seq: AtomicU64::new(anchor.seq),
            tag: words(anchor.tag).map(AtomicU64::new),
            begun: AtomicU64::new(anchor.seq),
        }
    }

    /// For the thread that has the right to write: the log stands here now.
    pub(super) fn advance(&self, to: Anchor) {
        self.begun.store(to.seq, Ordering::Relaxed);
        // A reader that sees a word of the new tag sees, after its own fence, that the change had begun.
        fence(Ordering::Release);
        for (own, word) in self.tag.iter().zip(words(to.tag)) {
            own.store(word, Ordering::Relaxed);
        }
        self.seq.store(to.seq, Ordering::Release);
    }

    /// The number alone.
    pub(super) fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    /// Where the log stands, unless that is changing just now.
    pub(super) fn look(&self) -> Option<Anchor> {
        let seen = self.held();
        fence(Ordering::Acquire);
        (self.begun.load(Ordering::Relaxed) == seen.seq).then_some(seen)
    }

    /// For the thread that has the right to write, so that nothing changes meanwhile.
    pub(super) fn held(&self) -> Anchor {
        let seq = self.seq();
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(&self.tag) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        Anchor { seq, tag: ChainTag::from_bytes(bytes) }
    }
}

fn words(tag: ChainTag) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(tag.as_bytes().as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*chunk);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(seq: u64) -> Anchor {
        Anchor { seq, tag: ChainTag::from_bytes([seq as u8; 32]) }
    }

    #[test]
    fn a_tip_is_where_it_was_brought() {
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8);
        let to = Anchor { seq: 7, tag: ChainTag::from_bytes(bytes) };
        let tip = Tip::at(anchor(3));
        assert_eq!(tip.look(), Some(anchor(3)));
        tip.advance(to);
        assert_eq!((tip.look(), tip.held(), tip.seq()), (Some(to), to, 7));
    }

    #[test]
    fn a_change_that_has_begun_shows_nothing_half() {
        let tip = Tip::at(anchor(3));
        tip.begun.store(4, Ordering::Relaxed);
        assert_eq!(tip.look(), None);
        tip.advance(anchor(4));
        assert_eq!(tip.look(), Some(anchor(4)));
    }

    /// Real threads: the number and the tag that are seen together belong together.
    #[test]
    fn who_looks_while_it_moves_sees_one_record() {
        let tip = Tip::at(anchor(0));
        std::thread::scope(|scope| {
            scope.spawn(|| (1..=200_000).for_each(|seq| tip.advance(anchor(seq))));
            scope.spawn(|| {
                let mut before = 0;
                while before < 200_000 {
                    if let Some(seen) = tip.look() {
                        assert_eq!(seen, anchor(seen.seq));
                        assert!(before <= seen.seq);
                        before = seen.seq;
                    }
                }
            });
        });
    }
}
