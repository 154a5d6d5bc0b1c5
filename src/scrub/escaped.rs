//! Looking for forms that are written with escapes.
//!
//! A form may begin at any byte of a result, whatever an escape before it seems to take along. So every byte is asked
//! whether one begins there: by a table of the pairs of bytes with which an escaped form is written first, which leaves few.
//! From these on the result is read in each way, and compared.

use std::ops::Range;

use zeroize::Zeroizing;

use super::encoding::{Form, is_base64};
use super::matcher::{Hit, Matcher};
use super::reading::{Json, LETTERS, Percent, Raw, Reading, WIDEST, by_letter, digit, is_mark};
use super::work;

/// How the forms that a matcher knows begin. Secret material, as the matcher is.
pub(super) struct Openings {
    /// The first two bytes of each.
    plain: Pairs,
    /// The two bytes at which one may be written first, escaped.
    written: Pairs,
}

/// A set of pairs of bytes: 8 KiB, which stay in the nearest cache.
struct Pairs(Box<Zeroizing<[u64; PAIRS / 64]>>);

const PAIRS: usize = 1 << 16;

const DIGITS: &[u8] = b"0123456789abcdefABCDEF";

impl Openings {
    pub(super) fn of(matcher: &Matcher) -> Openings {
        let (mut plain, mut written) = (Pairs::none(), Pairs::none());
        let mut live = Zeroizing::new([false; 256]);
        // What an escape stands for may be the mark of an escape itself.
        let mut note =
            |byte: u8| live.get_mut(usize::from(byte)).into_iter().for_each(|l| *l = true);
        [b'%', b'\\'].into_iter().for_each(&mut note);
        for form in matcher.forms() {
            let [first, second, ..] = *form.bytes.as_slice() else { continue };
            note(first);
            plain.add(first, second);
            for second in [second, b'%', b'\\'] {
                written.add(first, second);
            }
        }
        // Here only the bytes after these say what it is: more escapes, or four digits.
        for (first, second) in [(b'\\', b'u'), (b'\\', b'%'), (b'%', b'\\'), (b'%', b'%')] {
            written.add(first, second);
        }
        let stood_for =
            (0..=u8::MAX).zip(live.iter()).filter_map(|(byte, live)| live.then_some(byte));
        for byte in stood_for {
            let digits = DIGITS.iter().filter(|own| digit(**own) == Some(byte >> 4));
            digits.for_each(|digit| written.add(b'%', *digit));
            let letters = LETTERS.iter().filter(|own| by_letter(**own) == Some(byte));
            letters.for_each(|letter| written.add(b'\\', *letter));
        }
        Openings { plain, written }
    }

    /// Calls `hit` for each form that begins at one of `starts` and has an escape in it; for some that have none, too.
    pub(super) fn find(
        &self,
        matcher: &Matcher,
        text: &[u8],
        starts: Range<usize>,
        hit: &mut impl FnMut(Hit),
    ) {
        let longest = matcher.longest_form();
        let ahead = text.len().min(starts.end.saturating_add(longest));
        let mut at = starts.start;
        while at < starts.end {
            let rest = text.get(at..ahead).unwrap_or_default();
            let Some(before) = rest.iter().position(|byte| is_mark(*byte)) else { return };
            // What begins further before the mark has ended before it.
            at += (before + 1).saturating_sub(longest);
            let past = starts.end.min(at + before + 1).min(at + longest);
            work::note(past.saturating_sub(at));
            let pairs = text.get(at..past + 1).or_else(|| text.get(at..)).unwrap_or_default();
            for (from, pair) in (at..).zip(pairs.windows(2)) {
                if let [first, second] = *pair
                    && self.written.has(first, second)
                {
                    self.read(matcher, text, from, hit);
                }
            }
            at = past;
        }
    }

    /// Reads on from there in each way.
    #[inline(never)]
    fn read(&self, matcher: &Matcher, text: &[u8], at: usize, hit: &mut impl FnMut(Hit)) {
        let raw = Raw(text);
        self.compare(matcher, Percent(raw), at, hit);
        self.compare(matcher, Json(raw), at, hit);
        self.compare(matcher, Percent(Percent(raw)), at, hit);
        self.compare(matcher, Percent(Json(raw)), at, hit);
        self.compare(matcher, Json(Percent(raw)), at, hit);
        self.compare(matcher, Json(Json(raw)), at, hit);
    }

    fn compare(
        &self,
        matcher: &Matcher,
        reading: impl Reading,
        at: usize,
        hit: &mut impl FnMut(Hit),
    ) {
        let Some(first) = reading.step(at) else { return };
        // A secret that is not a text may begin within a character.
        for within in 0..first.length() {
            let mut bytes = reading.bytes(at).skip(within).map(|(byte, _)| byte);
            let (Some(one), Some(two)) = (bytes.next(), bytes.next()) else { continue };
            if !self.plain.has(one, two) {
                continue;
            }
            let mut window = Zeroizing::new([one, two, 0, 0, 0, 0, 0, 0]);
            window.iter_mut().skip(2).zip(bytes).for_each(|(to, byte)| *to = byte);
            for (secret, form) in matcher.beginning(u64::from_le_bytes(*window)) {
                if let Some(end) = end(form, reading, at, within) {
                    let range = with_ragged_ends(reading, at..end, form);
                    hit(Hit { range, secret });
                }
            }
        }
    }
}

/// Where the form ends, if the reading says it from there on.
fn end(form: &Form, reading: impl Reading, at: usize, within: usize) -> Option<usize> {
    let mut bytes = reading.bytes(at).skip(within);
    form.bytes.iter().try_fold(at, |_, expected| {
        bytes.next().filter(|(byte, _)| byte == expected).map(|(_, past)| past)
    })
}

/// The range with the characters next to it that hold some bits of the secret.
fn with_ragged_ends(
    reading: impl Reading,
    Range { mut start, mut end }: Range<usize>,
    form: &Form,
) -> Range<usize> {
    let encoded = |at: usize| {
        let step = reading.step(at)?;
        step.single().is_some_and(is_base64).then_some(step.past)
    };
    if form.ragged.before {
        // Where it can be read as one escaped character or as the last of several, all of it goes.
        let mut before = start.saturating_sub(WIDEST)..start;
        start = before.find(|at| encoded(*at) == Some(start)).unwrap_or(start);
    }
    if form.ragged.after {
        end = encoded(end).unwrap_or(end);
    }
    start..end
}

impl Pairs {
    fn none() -> Pairs {
        Pairs(Box::new(Zeroizing::new([0; PAIRS / 64])))
    }

    fn add(&mut self, first: u8, second: u8) {
        let pair = usize::from(first) << 8 | usize::from(second);
        if let Some(bits) = self.0.get_mut(pair / 64) {
            *bits |= 1 << (pair % 64);
        }
    }

    #[inline]
    fn has(&self, first: u8, second: u8) -> bool {
        let pair = usize::from(first) << 8 | usize::from(second);
        self.0.get(pair / 64).is_some_and(|bits| bits >> (pair % 64) & 1 == 1)
    }
}
