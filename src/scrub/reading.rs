//! What a text says where its percent and JSON escapes are decoded, read from any place on.
//!
//! Nothing is decoded ahead and nothing is kept: each step reads one character, and says where in the text the next one begins.
//! So what a reading says depends on nothing that stands before it, and a stray mark of an escape there takes nothing of
//! it along.

/// The most bytes that one byte takes when it is escaped twice: `\u0041`, each of these once more.
pub(super) const WIDEST: usize = 6 * 6;

/// One character of a reading.
#[derive(Clone, Copy)]
pub(super) struct Step {
    decoded: [u8; 4],
    length: usize,
    /// Where in the text the next one begins.
    pub(super) past: usize,
}

/// A text, read in one way.
pub(super) trait Reading: Copy {
    /// The character that begins there; `None` past the end.
    fn step(self, at: usize) -> Option<Step>;

    /// The bytes of the reading, each with where its character ends.
    fn bytes(self, mut at: usize) -> impl Iterator<Item = (u8, usize)> {
        let mut step: Option<(Step, usize)> = None;
        std::iter::from_fn(move || {
            let (current, given) = match step {
                Some((current, given)) if given < current.length => (current, given),
                _ => {
                    let next = self.step(at)?;
                    at = next.past;
                    (next, 0)
                }
            };
            step = Some((current, given + 1));
            current.decoded.get(given).map(|byte| (*byte, current.past))
        })
    }
}

/// The text as it is.
#[derive(Clone, Copy)]
pub(super) struct Raw<'t>(pub(super) &'t [u8]);

/// A reading with percent escapes decoded.
#[derive(Clone, Copy)]
pub(super) struct Percent<R>(pub(super) R);

/// A reading with JSON escapes decoded.
#[derive(Clone, Copy)]
pub(super) struct Json<R>(pub(super) R);

impl Step {
    fn one(byte: u8, past: usize) -> Step {
        Step { decoded: [byte, 0, 0, 0], length: 1, past }
    }

    fn character(character: char, past: usize) -> Step {
        let mut decoded = [0; 4];
        let length = character.encode_utf8(&mut decoded).len();
        Step { decoded, length, past }
    }

    pub(super) fn decoded(&self) -> &[u8] {
        self.decoded.get(..self.length).unwrap_or_default()
    }

    /// How many bytes it has.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The byte, if it is one alone.
    #[inline]
    pub(super) fn single(&self) -> Option<u8> {
        let [first, ..] = self.decoded;
        (self.length == 1).then_some(first)
    }
}

impl Reading for Raw<'_> {
    #[inline]
    fn step(self, at: usize) -> Option<Step> {
        super::work::note(1);
        self.0.get(at).map(|byte| Step::one(*byte, at + 1))
    }
}

impl<R: Reading> Reading for Percent<R> {
    #[inline]
    fn step(self, at: usize) -> Option<Step> {
        let first = self.0.step(at)?;
        if first.single() != Some(b'%') {
            return Some(first);
        }
        Some(self.escape(first.past).unwrap_or(first))
    }
}

impl<R: Reading> Percent<R> {
    /// What the two digits that begin there stand for.
    fn escape(self, at: usize) -> Option<Step> {
        let high = self.0.step(at)?;
        let low = self.0.step(high.past)?;
        Some(Step::one(digit(high.single()?)? << 4 | digit(low.single()?)?, low.past))
    }
}

impl<R: Reading> Reading for Json<R> {
    #[inline]
    fn step(self, at: usize) -> Option<Step> {
        let first = self.0.step(at)?;
        if first.single() != Some(b'\\') {
            return Some(first);
        }
        Some(self.escape(first.past).unwrap_or(first))
    }
}

impl<R: Reading> Json<R> {
    /// What stands for a character after a backslash.
    fn escape(self, at: usize) -> Option<Step> {
        let kind = self.0.step(at)?;
        let letter = kind.single()?;
        match by_letter(letter) {
            Some(byte) => Some(Step::one(byte, kind.past)),
            None if letter == b'u' => self.numbered(kind.past),
            None => None,
        }
    }

    /// The character whose number begins there, or whose two halves do.
    fn numbered(self, at: usize) -> Option<Step> {
        let (unit, past) = self.unit(at)?;
        if let Some(character) = char::from_u32(unit.into()) {
            return Some(Step::character(character, past));
        }
        let mark = self.0.step(past)?;
        let letter = self.0.step(mark.past)?;
        let escaped = mark.single()? == b'\\' && letter.single()? == b'u';
        let (low, past) = escaped.then(|| self.unit(letter.past))??;
        let character = char::decode_utf16([unit, low]).next()?.ok()?;
        Some(Step::character(character, past))
    }

    /// The number that four digits say.
    fn unit(self, mut at: usize) -> Option<(u16, usize)> {
        let mut unit = 0;
        for _ in 0..4 {
            let step = self.0.step(at)?;
            unit = unit << 4 | u16::from(digit(step.single()?)?);
            at = step.past;
        }
        Some((unit, at))
    }
}

/// All that stand for a byte after a backslash.
pub(super) const LETTERS: &[u8] = b"\"\\/bfnrt";

/// What a letter stands for after a backslash.
pub(super) fn by_letter(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

pub(super) fn is_mark(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\')
}

#[inline]
pub(super) fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
