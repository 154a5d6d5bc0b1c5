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
    /// Whether one of these is the mark of an escape.
    begins_with_mark: bool,
    /// The first two bytes of each.
    plain: Pairs,
    /// The two bytes at which one may be written first, escaped.
    written: Pairs,
}

/// A set of pairs of bytes: 8 KiB, which stay in the nearest cache.
struct Pairs(Box<Zeroizing<[u64; PAIRS / 64]>>);

const PAIRS: usize = 1 << 16;

/// How many bytes behind the mark of an escape are looked at together with it.
const TOGETHER: usize = 64;

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
        let begins_with_mark =
            (0..=u8::MAX).zip(begins.iter()).any(|(byte, begins)| *begins && is_mark(byte));
        Openings { first: begins, begins_beyond_ascii, begins_with_mark, plain, written }
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
            let Some(before) = next_mark(rest) else { return };
            // What begins further before the mark has ended before it.
            at += (before + 1).saturating_sub(longest);
            // Behind a mark there are more, mostly.
            let past = starts.end.min(at + before.min(longest.saturating_sub(1)) + 1 + TOGETHER);
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
        let (first, past) = match character(text, at) {
            Said::Plain { byte, past } if self.begins(byte) => (byte, past),
            Said::Escape { .. } if self.begins_with_mark => return true,
            Said::Escape { byte, past } if self.begins(byte) => (byte, past),
            Said::Plain { .. } | Said::Escape { .. } => return false,
            Said::Mark => return self.begins_with_mark,
            // No byte of a character of several is one of ASCII.
            Said::Several => return self.begins_with_mark || self.begins_beyond_ascii,
            Said::Unclear => return true,
        };
        let mark = || self.plain.has(first, b'%') || self.plain.has(first, b'\\');
        match character(text, past) {
            Said::Plain { byte, .. } => self.plain.has(first, byte),
            Said::Mark => mark(),
            Said::Escape { byte, .. } => self.plain.has(first, byte) || mark(),
            Said::Several | Said::Unclear => true,
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

/// Where the mark of an escape stands first, many bytes at a time.
fn next_mark(text: &[u8]) -> Option<usize> {
    let any = |part: &[u8]| part.iter().fold(false, |any, byte| any | is_mark(*byte));
    let (at, part) = text.chunks(TOGETHER).enumerate().find(|(_, part)| any(part))?;
    part.iter().position(|byte| is_mark(*byte)).map(|within| at * TOGETHER + within)
}

/// What the character that begins somewhere is, in all readings.
enum Said {
    /// The byte as it is written, up to `past`.
    Plain { byte: u8, past: usize },
    /// The mark of an escape, in each of them.
    Mark,
    /// In some the byte that an escape stands for, up to `past`; in the others the mark of an escape.
    Escape { byte: u8, past: usize },
    /// A character of several bytes, or the mark of an escape.
    Several,
    /// It can't be said from a few bytes.
    Unclear,
}

/// Says it of what is escaped once, or twice in the ways that are written most.
#[inline]
fn character(text: &[u8], at: usize) -> Said {
    match text.get(at..).unwrap_or_default() {
        [b'%', rest @ ..] => percent_escape(rest, at + 1),
        [b'\\', rest @ ..] => json_escape(rest, at + 1),
        [byte, ..] => Said::Plain { byte: *byte, past: at + 1 },
        [] => Said::Unclear,
    }
}

/// What two digits stand for, or no digits, or what may be digits that are escaped themselves.
enum Digits {
    Byte(u8),
    None,
    Unclear,
}

#[inline]
fn digits(rest: &[u8]) -> Digits {
    let [high, low, ..] = *rest else { return Digits::Unclear };
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Digits::Byte(high << 4 | low),
        (Some(_), None) if may_be_digit(rest.get(1..).unwrap_or_default()) => Digits::Unclear,
        (None, _) if may_be_digit(rest) => Digits::Unclear,
        _ => Digits::None,
    }
}

/// Whether an escape begins there that may stand for a hexadecimal digit.
#[inline]
fn may_be_digit(rest: &[u8]) -> bool {
    match *rest {
        [b'%', high, low, ..] => match (digit(high), digit(low)) {
            (Some(high), Some(low)) => digit(high << 4 | low).is_some(),
            _ => false,
        },
        // No letter alone stands for one.
        [b'\\', letter, ..] => letter == b'u',
        [byte, ..] => is_mark(byte),
        [] => true,
    }
}

/// After a percent sign.
#[inline]
fn percent_escape(rest: &[u8], at: usize) -> Said {
    let after = rest.get(2..).unwrap_or_default();
    match digits(rest) {
        Digits::Byte(b'%') => match digits(after) {
            Digits::Byte(byte) => Said::Escape { byte, past: at + 4 },
            Digits::None => Said::Mark,
            Digits::Unclear => Said::Unclear,
        },
        Digits::Byte(b'\\') => letter(after, at + 2),
        Digits::Byte(byte) => Said::Escape { byte, past: at + 2 },
        Digits::None => Said::Mark,
        Digits::Unclear => Said::Unclear,
    }
}

/// After a backslash.
#[inline]
fn json_escape(rest: &[u8], at: usize) -> Said {
    match *rest {
        [b'\\', b'\\', kind, ..] if kind != b'u' => {
            // Twice escaped: what two backslashes and a letter stand for is a backslash and what that letter does.
            let (letter, past) = by_letter(kind).map_or((b'\\', at + 2), |byte| (byte, at + 3));
            by_letter(letter).map_or(Said::Mark, |byte| Said::Escape { byte, past })
        }
        [b'\\', b'\\', ..] | [b'\\'] => Said::Unclear,
        [b'\\', kind, ..] if kind != b'%' => letter(rest.get(1..).unwrap_or_default(), at + 1),
        [b'\\', ..] => Said::Mark,
        [b'u', a, b, c, d, ..] => match [a, b, c, d].map(digit) {
            [Some(0), Some(0), Some(high @ 0..8), Some(low)] => match high << 4 | low {
                b'%' | b'\\' => Said::Unclear,
                byte => Said::Escape { byte, past: at + 5 },
            },
            [Some(_), Some(_), Some(_), Some(_)] => Said::Several,
            _ if [a, b, c, d].into_iter().any(is_mark) => Said::Unclear,
            _ => Said::Mark,
        },
        _ => letter(rest, at),
    }
}

/// What the letter that begins there, and that may be written as a percent escape, stands for after a backslash.
#[inline]
fn letter(rest: &[u8], at: usize) -> Said {
    let (letter, past) = match *rest {
        [b'%', high, low, ..] => match (digit(high), digit(low)) {
            (Some(high), Some(low)) => (high << 4 | low, at + 3),
            _ => (b'%', at + 1),
        },
        [b'%', ..] | [] => return Said::Unclear,
        [letter, ..] => (letter, at + 1),
    };
    match by_letter(letter) {
        Some(byte) => Said::Escape { byte, past },
        None if letter == b'u' => Said::Unclear,
        None => Said::Mark,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vault::Secret;

    /// The first two bytes of a reading, from each byte of its first character on.
    fn beginnings(reading: impl Reading, at: usize) -> Vec<(u8, u8)> {
        let length = reading.step(at).map_or(0, |step| step.length());
        let bytes: Vec<u8> = reading.bytes(at).take(length + 1).map(|(byte, _)| byte).collect();
        bytes.windows(2).take(length).map(|pair| (pair[0], pair[1])).collect()
    }

    /// A character that escapes are written with, or one of several bytes that is escaped.
    fn piece() -> impl Strategy<Value = String> {
        let one = proptest::sample::select(
            r#"%%%%\\\\uu00255577ccC4a6e/"nr"#.chars().collect::<Vec<_>>(),
        );
        let several = proptest::sample::select(vec!["\\u00e4", "\\u00E4", "%c3%a4", "\\\\u00e4"]);
        prop_oneof![9 => one.prop_map(String::from), 1 => several.prop_map(str::to_owned)]
    }

    proptest! {
        #[test]
        fn where_a_form_can_be_ruled_out_no_reading_begins_one(
            text in proptest::collection::vec(piece(), 1..60).prop_map(|pieces| pieces.concat().into_bytes()),
            begins in proptest::sample::select(vec!["%5", "\\u", "W\"", "/n", "\u{7}/", "\nr", "\u{e4}5", "Lu", "Ee"]),
        ) {
            let secret = format!("{begins} and some more of it");
            let matcher = Matcher::of([&Secret::new(secret).unwrap()]);
            let openings = Openings::of(&matcher);
            for at in (0..text.len()).filter(|at| !openings.may_begin(&text, *at)) {
                let raw = Raw(&text);
                let all = [
                    beginnings(Percent(raw), at),
                    beginnings(Json(raw), at),
                    beginnings(Percent(Percent(raw)), at),
                    beginnings(Percent(Json(raw)), at),
                    beginnings(Json(Percent(raw)), at),
                    beginnings(Json(Json(raw)), at),
                ];
                for (one, two) in all.into_iter().flatten() {
                    prop_assert!(!openings.plain.has(one, two), "{one} {two} at {at} of {}", text.escape_ascii());
                }
            }
        }
    }
}
