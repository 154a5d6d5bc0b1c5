//! Looking for forms that are written with escapes.
//!
//! A form may begin at any byte of a result, whatever an escape before it seems to take along. So every byte is asked
//! whether one begins there: by a table of the pairs of bytes with which an escaped form is written first, and by what its
//! first two characters stand for, where that is plain to see. From the few that are left the result is read in each way,
//! and compared.

use std::ops::Range;

use zeroize::Zeroizing;

use super::encoding::{Form, is_base64};
use super::matcher::{Hit, Matcher};
use super::reading::{Json, LETTERS, Percent, Raw, Reading, WIDEST, by_letter, digit, is_mark};
use super::work;

/// How the forms that a matcher knows begin. Secret material, as the matcher is.
pub(super) struct Openings {
    /// The first byte of each.
    first: Zeroizing<[bool; 256]>,
    /// Whether one of these is not of ASCII.
    begins_beyond_ascii: bool,
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
        let mut begins = Zeroizing::new([false; 256]);
        for form in matcher.forms() {
            let [first, second, ..] = *form.bytes.as_slice() else { continue };
            if let Some(begins) = begins.get_mut(usize::from(first)) {
                *begins = true;
            }
            plain.add(first, second);
            for second in [second, b'%', b'\\'] {
                written.add(first, second);
            }
        }
        // Here only the bytes after these say what it is: more escapes, or four digits.
        for (first, second) in [(b'\\', b'u'), (b'\\', b'%'), (b'%', b'\\'), (b'%', b'%')] {
            written.add(first, second);
        }
        // What an escape stands for may be the mark of an escape itself.
        let stood_for = (0..=u8::MAX).zip(begins.iter());
        for (byte, _) in stood_for.filter(|(byte, begins)| **begins || is_mark(*byte)) {
            let digits = DIGITS.iter().filter(|own| digit(**own) == Some(byte >> 4));
            digits.for_each(|digit| written.add(b'%', *digit));
            let letters = LETTERS.iter().filter(|own| by_letter(**own) == Some(byte));
            letters.for_each(|letter| written.add(b'\\', *letter));
        }
        let begins_beyond_ascii = begins.iter().skip(128).any(|begins| *begins);
        Openings { first: begins, begins_beyond_ascii, plain, written }
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
                    && self.may_begin(text, from)
                {
                    self.read(matcher, text, from, hit);
                }
            }
            at = past;
        }
    }

    /// Whether a form may begin there, as far as the first two characters say.
    #[inline]
    fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let (one, two) = match characters(text, at) {
            Said::Byte { written, byte, past } => {
                if byte != written && self.begins(written) {
                    return true;
                }
                match self.begins(byte) {
                    true => (byte, characters(text, past)),
                    false => return false,
                }
            }
            Said::Several { written } => {
                // No byte of a character of several is one of ASCII.
                return self.begins(written) || self.begins_beyond_ascii;
            }
            Said::Unclear => return true,
        };
        match two {
            Said::Byte { written, byte, .. } => {
                self.plain.has(one, byte) || byte != written && self.plain.has(one, written)
            }
            Said::Several { .. } | Said::Unclear => true,
        }
    }

    fn begins(&self, byte: u8) -> bool {
        self.first.get(usize::from(byte)).is_some_and(|begins| *begins)
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
        if !first.decoded().iter().any(|byte| self.begins(*byte)) {
            return;
        }
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

/// What the character that begins somewhere is, in readings that take it for an escape and in those that do not.
enum Said {
    /// The byte as written, or where it is the mark of an escape, the one that this stands for, up to `past`.
    Byte { written: u8, byte: u8, past: usize },
    /// As written, or a character of several bytes.
    Several { written: u8 },
    /// Another escape has a part in it.
    Unclear,
}

#[inline]
fn characters(text: &[u8], at: usize) -> Said {
    let rest = text.get(at..).unwrap_or_default();
    match *rest {
        [b'%', high, low, ..] if !is_mark(high) => match (digit(high), digit(low)) {
            (Some(high), Some(low)) if !is_mark(high << 4 | low) => {
                Said::Byte { written: b'%', byte: high << 4 | low, past: at + 3 }
            }
            (None, _) => Said::Byte { written: b'%', byte: b'%', past: at + 1 },
            (Some(_), None) if !is_mark(low) => {
                Said::Byte { written: b'%', byte: b'%', past: at + 1 }
            }
            _ => Said::Unclear,
        },
        [written @ b'\\', b'u', a, b, c, d, ..] => match [a, b, c, d].map(digit) {
            [Some(0), Some(0), Some(high), Some(low)] if high < 8 && !is_mark(high << 4 | low) => {
                Said::Byte { written, byte: high << 4 | low, past: at + 6 }
            }
            [Some(0), Some(0), Some(high), Some(_)] if high < 8 => Said::Unclear,
            [Some(_), Some(_), Some(_), Some(_)] => Said::Several { written },
            _ => Said::Unclear,
        },
        [written @ b'\\', letter, ..] if letter != b'u' && !is_mark(letter) => {
            match by_letter(letter) {
                Some(byte) => Said::Byte { written, byte, past: at + 2 },
                None => Said::Byte { written, byte: written, past: at + 1 },
            }
        }
        [written, ..] if !is_mark(written) => Said::Byte { written, byte: written, past: at + 1 },
        _ => Said::Unclear,
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
