//! Scrubbing what comes in pieces.

use std::fmt;
use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use super::reading::WIDEST;
use super::scrubber::{Known, REDACTED, ScrubSource, redacted};
use super::work;

/// Takes the secrets of a task out of what comes in pieces, wherever the borders are. As much as the longest form of a
/// secret may take is kept back until more has come: about 90 bytes for each byte of the longest secret. While
/// the task has used none, nothing is kept back. What is found is told when it is found.
///
/// ```
/// # use hallpass::Running;
/// fn tell(running: &Running, pieces: impl Iterator<Item = Vec<u8>>, mut agent: impl FnMut(&[u8])) {
///     let mut stream = running.scrub_stream();
///     for piece in pieces {
///         agent(&stream.push(&piece));
///     }
///     agent(&stream.finish());
/// }
/// ```
pub struct ScrubStream {
    source: ScrubSource,
    kept: Zeroizing<Vec<u8>>,
    /// How much of what is kept belongs to a secret already taken out.
    covered: usize,
    /// How much of what is kept was asked whether a secret begins there.
    decided: usize,
    /// Where secrets stand in what is kept, as far as that is decided, in order.
    ranges: Vec<Range<usize>>,
    known: Option<Known>,
}

impl ScrubStream {
    pub(crate) fn new(source: ScrubSource) -> Self {
        let kept = Zeroizing::default();
        let (covered, decided, ranges) = (0, 0, Vec::new());
        ScrubStream { source, kept, covered, decided, ranges, known: None }
    }

    /// Takes the next piece, and gives what can be shown by now.
    #[must_use = "what is not shown is lost"]
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.take(piece);
        self.give(false)
    }

    /// There is no more: gives the rest.
    #[must_use = "what is not shown is lost"]
    pub fn finish(mut self) -> Vec<u8> {
        self.give(true)
    }

    /// How much is kept back.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Room is made by hand: what grows by itself leaves a copy behind.
    fn take(&mut self, piece: &[u8]) {
        let length = self.kept.len() + piece.len();
        if length > self.kept.capacity() {
            let mut grown = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2)));
            work::note(self.kept.len());
            grown.extend_from_slice(&self.kept);
            self.kept = grown;
        }
        self.kept.extend_from_slice(piece);
    }

    fn give(&mut self, all: bool) -> Vec<u8> {
        let Some(used) = self.source.used.as_ref().filter(|used| used.any()) else {
            return std::mem::take(&mut *self.kept);
        };
        if self.known.as_ref().is_none_or(|known| known.count != used.count()) {
            // What is kept is looked through once more, for what is new.
            self.known = Known::of(used);
            self.decided = 0;
        }
        let Some(known) = &self.known else {
            // What can't be looked through is not shown.
            self.kept.zeroize();
            self.ranges.clear();
            self.covered = 0;
            return if all { REDACTED.to_vec() } else { Vec::new() };
        };
        // What begins before it can be told by now.
        let decided =
            if all { self.kept.len() } else { self.kept.len().saturating_sub(known.reach()) };
        // What stays is moved each time, so not for every byte that comes.
        if !all && decided.saturating_sub(self.decided) < known.reach() / 4 {
            return Vec::new();
        }
        let found = known.find(&self.kept, self.decided..decided, &mut self.ranges);
        // At once: a stream may run for as long as its tool does.
        self.source.tell(used, found);
        // A range may begin before its secret.
        let cut = if all { decided } else { decided.saturating_sub(WIDEST) };
        let (given, past) = redacted(&self.kept, self.covered..cut, &self.ranges);
        self.covered = past - cut;
        self.ranges.retain_mut(|range| {
            let later = range.start >= cut;
            *range = range.start.saturating_sub(cut)..range.end.saturating_sub(cut);
            later
        });
        self.decided = decided - cut;
        self.shift(cut);
        given
    }

    /// Lets go of what was given. What is left of it in the buffer is wiped with that.
    fn shift(&mut self, given: usize) {
        let rest = self.kept.len() - given;
        work::note(rest);
        self.kept.copy_within(given.., 0);
        self.kept.truncate(rest);
    }
}

/// Shows nothing of what came.
impl fmt::Debug for ScrubStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrubStream").finish_non_exhaustive()
    }
}
