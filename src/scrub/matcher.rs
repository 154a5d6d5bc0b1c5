//! Looking for many forms at once.
//!
//! A form of `m` bytes, wherever it stands, holds a whole window of eight bytes that begins at a multiple of `m - 7`. So
//! only every eighth window of a result is looked at (fewer apart where a form is shorter than 15 bytes), and looked up
//! among the first eight windows of every form. What is looked up and found is compared with the whole form.

use std::ops::Range;

use zeroize::Zeroizing;

use super::encoding::{Form, forms, is_base64};
use super::work;
use crate::vault::Secret;

/// The length of a window: one machine word.
const WINDOW: usize = 8;

/// How many bits of a filter word's hash choose its bit. 2^15 bits are 4 KiB, which stay in the nearest cache; a hundred
/// secrets set a fifth of them.
const FILTER_BITS: u32 = 15;
const FILTER_WORDS: usize = 1 << (FILTER_BITS - 6);

/// Knows all forms of some secrets: secret material, which lives for one scrubbing and is wiped with it.
pub(super) struct Matcher {
    forms: Vec<(usize, Form)>,
    /// The first windows of each form: the word, the form, and how far into it the window begins. Sorted.
    windows: Zeroizing<Vec<(u64, u32, u32)>>,
    filter: Box<Zeroizing<[u64; FILTER_WORDS]>>,
    step: usize,
    longest: usize,
}

/// Where a secret stands, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) secret: usize,
}

impl Matcher {
    /// Of secrets in the clear, which are known by their places.
    pub(super) fn of<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Matcher {
        let mut all = Vec::new();
        for (at, secret) in secrets.into_iter().enumerate() {
            all.extend(forms(secret.expose()).into_iter().map(|form| (at, form)));
        }
        let longest = all.iter().map(|(_, form)| form.bytes.len()).max().unwrap_or_default();
        let reach = |form: &Form| (form.bytes.len() + 1).saturating_sub(WINDOW).clamp(1, WINDOW);
        let step = all.iter().map(|(_, form)| reach(form)).min().unwrap_or(WINDOW);
        // All room at once: what grows leaves a copy behind.
        let mut windows = Zeroizing::new(Vec::with_capacity(all.len() * WINDOW));
        let mut filter = Box::new(Zeroizing::new([0; FILTER_WORDS]));
        for (index, (_, form)) in (0..).zip(&all) {
            for (phase, window) in (0..).zip(form.bytes.windows(WINDOW).take(reach(form))) {
                let Some(word) = word(window) else { continue };
                windows.push((word, index, phase));
                let (at, bit) = place(word);
                if let Some(bits) = filter.get_mut(at) {
                    *bits |= bit;
                }
            }
        }
        windows.sort_unstable();
        Matcher { forms: all, windows, filter, step, longest }
    }

    /// The length of the longest form.
    pub(super) fn longest_form(&self) -> usize {
        self.longest
    }

    pub(super) fn forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.iter().map(|(_, form)| form)
    }

    /// The forms that begin with this window, and the secrets that they are of.
    pub(super) fn beginning(&self, word: u64) -> impl Iterator<Item = (usize, &Form)> {
        let known = self.may_hold(word);
        let windows = known.then(|| self.with_window(word)).into_iter().flatten();
        windows.filter(|(.., phase)| *phase == 0).map(|(secret, form, _)| (secret, form))
    }

    /// Calls `hit` for each form that stands at one of `starts`, written as it is.
    pub(super) fn find(&self, text: &[u8], starts: Range<usize>, mut hit: impl FnMut(Hit)) {
        // The first window that is looked at of what begins at the last of them.
        let past = text.len().min(starts.end.saturating_add(2 * WINDOW));
        let looked = text.get(starts.start..past).unwrap_or_default();
        work::note(looked.len());
        if self.step == WINDOW {
            for (at, window) in looked.as_chunks::<WINDOW>().0.iter().enumerate() {
                let word = u64::from_le_bytes(*window);
                if self.may_hold(word) {
                    self.compare(text, (starts.start + at * WINDOW, &starts), word, &mut hit);
                }
            }
            return;
        }
        for (at, window) in looked.windows(WINDOW).step_by(self.step).enumerate() {
            if let Some(word) = word(window).filter(|word| self.may_hold(*word)) {
                self.compare(text, (starts.start + at * self.step, &starts), word, &mut hit);
            }
        }
    }

    #[inline]
    fn may_hold(&self, word: u64) -> bool {
        let (at, bit) = place(word);
        self.filter.get(at).is_some_and(|bits| bits & bit != 0)
    }

    /// The forms that have this window among their first, and how far into them it begins.
    fn with_window(&self, word: u64) -> impl Iterator<Item = (usize, &Form, usize)> {
        let first = self.windows.partition_point(|(own, ..)| *own < word);
        let same = self.windows.iter().skip(first).take_while(move |(own, ..)| *own == word);
        same.filter_map(|(_, index, phase)| {
            let (secret, form) = self.forms.get(*index as usize)?;
            Some((*secret, form, *phase as usize))
        })
    }

    #[cold]
    fn compare(
        &self,
        text: &[u8],
        (at, starts): (usize, &Range<usize>),
        word: u64,
        hit: &mut impl FnMut(Hit),
    ) {
        for (secret, form, phase) in self.with_window(word) {
            let start = at.checked_sub(phase).filter(|start| starts.contains(start));
            let Some(start) = start else { continue };
            let end = start + form.bytes.len();
            if text.get(start..end).is_some_and(|found| found == form.bytes.as_slice()) {
                let range = with_ragged_ends(text, start..end, form);
                hit(Hit { range, secret });
            }
        }
    }
}

/// The range with the characters next to it that hold some bits of the secret.
fn with_ragged_ends(
    text: &[u8],
    Range { mut start, mut end }: Range<usize>,
    form: &Form,
) -> Range<usize> {
    let encoded = |at: usize| text.get(at).is_some_and(|byte| is_base64(*byte));
    if form.ragged.before && start.checked_sub(1).is_some_and(encoded) {
        start -= 1;
    }
    if form.ragged.after && encoded(end) {
        end += 1;
    }
    start..end
}

fn word(window: &[u8]) -> Option<u64> {
    window.try_into().ok().map(u64::from_le_bytes)
}

#[inline]
fn place(word: u64) -> (usize, u64) {
    let hash = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    ((hash >> 6) as usize % FILTER_WORDS, 1 << (hash & 63))
}
