//! What percent and JSON escapes decode to, and where in the original that stands.

use std::ops::Range;

use zeroize::Zeroizing;

/// The kinds of escapes.
#[derive(Clone, Copy)]
pub(super) enum Escapes {
    Percent,
    Json,
}

/// A decoded text. It may hold a secret, and is wiped.
pub(super) struct Decoded {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// The escapes, in their order.
    escapes: Vec<Escape>,
}

struct Escape {
    /// Where it stood, and in how many bytes.
    source: usize,
    written: usize,
    /// Where what it decodes to begins, and in how many bytes.
    decoded: usize,
    length: usize,
}

impl Escapes {
    pub(super) const ALL: [Escapes; 2] = [Escapes::Percent, Escapes::Json];

    /// How many bytes one byte takes at most when it is escaped once: `\u0041`.
    pub(super) const WIDEST: usize = 6;

    /// Decodes each escape once, from left to right; `None` if there is none. What is no escape stays as it is.
    pub(super) fn decode(self, text: &[u8]) -> Option<Decoded> {
        let mark = match self {
            Escapes::Percent => b'%',
            Escapes::Json => b'\\',
        };
        text.contains(&mark).then_some(())?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        let mut escapes = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| *byte == mark) {
            let (plain, marked) = rest.split_at_checked(at)?;
            bytes.extend_from_slice(plain);
            let mut character = [0; 4];
            let (written, decoded) = match self {
                Escapes::Percent => percent(marked, &mut character),
                Escapes::Json => json(marked, &mut character),
            }
            .unwrap_or((1, &[]));
            if decoded.is_empty() {
                bytes.push(mark);
            } else {
                let (source, length) = (text.len() - marked.len(), decoded.len());
                escapes.push(Escape { source, written, decoded: bytes.len(), length });
                bytes.extend_from_slice(decoded);
            }
            rest = marked.get(written..).unwrap_or_default();
        }
        if escapes.is_empty() {
            return None;
        }
        bytes.extend_from_slice(rest);
        Some(Decoded { bytes, escapes })
    }
}

impl Decoded {
    /// Where a part of the decoded text stands in the original: whole escapes.
    pub(super) fn source(&self, decoded: Range<usize>) -> Range<usize> {
        let start = self.source_of(decoded.start).start;
        let end = decoded.end.checked_sub(1).map_or(start, |last| self.source_of(last).end);
        start..end.max(start)
    }

    /// The original of one decoded byte.
    fn source_of(&self, at: usize) -> Range<usize> {
        let after = self.escapes.partition_point(|escape| escape.decoded <= at);
        let Some(escape) = after.checked_sub(1).and_then(|before| self.escapes.get(before)) else {
            return at..at + 1;
        };
        let past = escape.source + escape.written;
        match at.checked_sub(escape.decoded + escape.length) {
            Some(beyond) => past + beyond..past + beyond + 1,
            None => escape.source..past,
        }
    }

    /// The escape that stands around `at` in the original, not beginning there.
    pub(super) fn around(&self, at: usize) -> Option<usize> {
        let after = self.escapes.partition_point(|escape| escape.source < at);
        let escape = self.escapes.get(after.checked_sub(1)?)?;
        (at < escape.source + escape.written).then_some(escape.source)
    }

    /// The escapes as they stand in the decoded text of another: each as a range of this one's original.
    pub(super) fn originals(&self) -> impl Iterator<Item = Range<usize>> {
        self.escapes.iter().map(|escape| escape.source..escape.source + escape.written)
    }
}

fn percent<'c>(text: &[u8], character: &'c mut [u8; 4]) -> Option<(usize, &'c [u8])> {
    let [_, high, low, ..] = *text else { return None };
    let byte = digit(high)? << 4 | digit(low)?;
    Some((3, one(byte, character)))
}

fn json<'c>(text: &[u8], character: &'c mut [u8; 4]) -> Option<(usize, &'c [u8])> {
    let byte = match *text.get(1)? {
        byte @ (b'"' | b'\\' | b'/') => byte,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let (unit, low) = (unit(text)?, text.get(6..).and_then(unit));
            let pair = low.map(|low| [unit, low]);
            let (written, decoded) = match (char::from_u32(unit.into()), pair) {
                (Some(plain), _) => (6, plain),
                (None, Some(pair)) => (12, char::decode_utf16(pair).next()?.ok()?),
                (None, None) => return None,
            };
            return Some((written, decoded.encode_utf8(character).as_bytes()));
        }
        _ => return None,
    };
    Some((2, one(byte, character)))
}

/// The number of `\u` and four digits.
fn unit(text: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = text else { return None };
    let four = digits.get(..4)?;
    four.iter().try_fold(0, |unit, byte| Some(unit << 4 | u16::from(digit(*byte)?)))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn one(byte: u8, character: &mut [u8; 4]) -> &[u8] {
    let [first, ..] = character;
    *first = byte;
    std::slice::from_ref(first)
}
