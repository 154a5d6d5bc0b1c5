//! Scrubbing what comes in pieces.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use super::scrubber::{Known, REDACTED, ScrubSource, Views};

/// Takes the secrets of a task out of what comes in pieces, wherever the borders are. As much as the longest form of a
/// secret may take is kept back until more has come: about 72 bytes for each byte of the longest secret. While
/// the task has used none, nothing is kept back.
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
    known: Option<Known>,
    found: BTreeSet<Arc<str>>,
}

impl ScrubStream {
    pub(crate) fn new(source: ScrubSource) -> Self {
        let kept = Zeroizing::default();
        ScrubStream { source, kept, covered: 0, known: None, found: BTreeSet::new() }
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

    /// Room is made by hand: what grows by itself leaves a copy behind.
    fn take(&mut self, piece: &[u8]) {
        let length = self.kept.len() + piece.len();
        if length > self.kept.capacity() {
            let mut grown = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2)));
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
            self.known = Known::of(used);
        }
        let Some(known) = &self.known else {
            // What can't be looked through is not shown.
            self.kept.zeroize();
            return if all { REDACTED.to_vec() } else { Vec::new() };
        };
        let reach = if all { 0 } else { known.reach() };
        // What is kept back is looked through again each time, so not for every byte that comes.
        let most = self.kept.len().saturating_sub(reach);
        if !all && most < reach / 4 {
            return Vec::new();
        }
        let views = Views::of(&self.kept);
        let cut = if all { most } else { views.cut(most) };
        let (ranges, found) = known.find(&self.kept, &views);
        let mut given = Vec::with_capacity(cut);
        let mut at = self.covered;
        for range in ranges.into_iter().filter(|range| range.start < cut) {
            // One that overlaps what was taken out before is a part of it.
            if range.start >= at {
                given.extend_from_slice(self.kept.get(at..range.start).unwrap_or_default());
                given.extend_from_slice(REDACTED);
            }
            at = at.max(range.end);
        }
        given.extend_from_slice(self.kept.get(at..cut).unwrap_or_default());
        self.found.extend(found);
        self.covered = at.saturating_sub(cut);
        let rest = Zeroizing::new(self.kept.get(cut..).unwrap_or_default().to_vec());
        self.kept = rest;
        given
    }
}

/// What was found is told, whether the stream came to its end or not.
impl Drop for ScrubStream {
    fn drop(&mut self) {
        let found = std::mem::take(&mut self.found);
        if let (Some(used), false) = (&self.source.used, found.is_empty()) {
            self.source.tell(used, found);
        }
    }
}

/// Shows nothing of what came.
impl fmt::Debug for ScrubStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrubStream").finish_non_exhaustive()
    }
}
