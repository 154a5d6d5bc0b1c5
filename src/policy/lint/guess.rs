//! What may have been meant instead of a name that is not known.

use std::cell::Cell;

use crate::document::did_you_mean;

/// How many names are compared in all. Each unknown name is compared with all known ones, and a
/// policy may have many of both: a hundred typing errors among a thousand names get a guess each.
const MOST_COMPARED: usize = 100_000;

/// Guesses, as long as they cost little.
pub(super) struct Guesses {
    left: Cell<usize>,
}

impl Guesses {
    pub(super) const fn new() -> Self {
        Guesses { left: Cell::new(MOST_COMPARED) }
    }

    /// The end of a message that says which of `known` may have been meant; empty if none is near.
    pub(super) fn of<'k>(
        &self,
        word: &str,
        known: impl ExactSizeIterator<Item = &'k str>,
    ) -> String {
        let Some(left) = self.left.get().checked_sub(known.len()) else { return String::new() };
        self.left.set(left);
        did_you_mean(word, known).map_or(String::new(), |guess| format!(": {guess}"))
    }

    /// As [`of`](Self::of), of names in no order, some of them several times.
    pub(super) fn of_some<'k>(&self, word: &str, known: impl Iterator<Item = &'k str>) -> String {
        let mut known: Vec<&str> = known.take(self.left.get()).collect();
        known.sort_unstable();
        known.dedup();
        self.of(word, known.into_iter())
    }
}
