//! The grammar of RFC 8259, and nothing more.

use std::ops::Range;

use super::number::NumberError;
use super::{JsonError, JsonErrorKind, Number};

/// The most levels of lists and objects inside each other. Real tool arguments have fewer than ten;
/// reading, comparing and dropping take stack in proportion, and 32 levels fit the smallest thread.
pub const MAX_DEPTH: usize = 32;

/// The most bytes of JSON text, looked at before anything else. A file's content fits, and the worst
/// text of this size is read in milliseconds.
pub const MAX_TEXT: usize = 1 << 20;

/// The most values in one text, lists and objects counted too. `[0,0,..]` makes 16 bytes of memory out
/// of each byte of text; this keeps any text below a few megabytes of values.
pub const MAX_NODES: usize = 65_536;

/// How much JSON text may ask of the reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonLimits {
    /// Levels of lists and objects inside each other.
    pub(crate) depth: usize,
    /// Values, lists and objects counted too.
    pub(crate) nodes: usize,
    /// Bytes of text.
    pub(crate) text: usize,
}

impl JsonLimits {
    /// What values from outside are held to.
    pub(crate) const VALUE: JsonLimits =
        JsonLimits { depth: MAX_DEPTH, nodes: MAX_NODES, text: MAX_TEXT };
}

/// Reads one value, refusing whatever is outside the grammar or the limits.
pub(super) fn read<T: Tree>(text: &str, limits: &JsonLimits) -> Result<T, JsonError> {
    check_length(text.len(), limits)?;
    let mut reader = Reader { text, at: 0, depth: 0, nodes: 0, limits };
    reader.document().map_err(|fault| fault.in_text(text))
}

/// Looks at the size alone, before anything is read.
pub(super) fn check_length(bytes: usize, limits: &JsonLimits) -> Result<(), JsonError> {
    if bytes > limits.text {
        return Err(JsonError { kind: JsonErrorKind::TooLong(limits.text), line: 1, column: 1 });
    }
    Ok(())
}

/// What the reader builds; `Value` pays nothing for the spans `Spanned` keeps.
pub(super) trait Tree: Sized {
    type Entry;
    fn leaf(leaf: Leaf, span: Range<usize>) -> Self;
    fn list(items: Vec<Self>, span: Range<usize>) -> Self;
    fn entry(key_span: Range<usize>, key: Box<str>, value: Self) -> Self::Entry;
    fn object(entries: Vec<Self::Entry>, span: Range<usize>) -> Result<Self, JsonFault>;
}

/// A value without parts.
pub(super) enum Leaf {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
}

/// An error at a byte offset, before anyone asked for line and column.
pub(super) struct JsonFault {
    pub(super) at: usize,
    pub(super) kind: JsonErrorKind,
}

impl JsonFault {
    pub(super) fn in_text(self, text: &str) -> JsonError {
        let (line, column) = line_and_column(text, self.at);
        JsonError { kind: self.kind, line, column }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: usize,
    limits: &'a JsonLimits,
}

impl<'a> Reader<'a> {
    fn document<T: Tree>(&mut self) -> Result<T, JsonFault> {
        let value = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.expected("the end of the text")),
        }
    }

    // Recursion is bounded by `limits.depth`.
    fn value<T: Tree>(&mut self) -> Result<T, JsonFault> {
        self.skip_space();
        if self.nodes == self.limits.nodes {
            return Err(self.fault(JsonErrorKind::TooManyValues(self.limits.nodes)));
        }
        self.nodes += 1;
        let start = self.at;
        let leaf = match self.peek() {
            Some(b'{') => return self.object(),
            Some(b'[') => return self.list(),
            Some(b'"') => Leaf::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Leaf::Number(self.number()?),
            Some(b't') => self.word("true", Leaf::Bool(true))?,
            Some(b'f') => self.word("false", Leaf::Bool(false))?,
            Some(b'n') => self.word("null", Leaf::Null)?,
            _ => return Err(self.expected("a value")),
        };
        Ok(T::leaf(leaf, start..self.at))
    }

    fn object<T: Tree>(&mut self) -> Result<T, JsonFault> {
        let start = self.enter()?;
        let mut entries = Vec::new();
        self.skip_space();
        if !self.take(b'}') {
            loop {
                self.skip_space();
                let key_start = self.at;
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a key in double quotes"));
                }
                let key = self.string()?;
                let key_span = key_start..self.at;
                self.skip_space();
                if !self.take(b':') {
                    return Err(self.expected("`:`"));
                }
                entries.push(T::entry(key_span, key, self.value()?));
                self.skip_space();
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.expected("`,` or `}`"));
                }
            }
        }
        self.depth -= 1;
        T::object(entries, start..self.at)
    }

    fn list<T: Tree>(&mut self) -> Result<T, JsonFault> {
        let start = self.enter()?;
        let mut items = Vec::new();
        self.skip_space();
        if !self.take(b']') {
            loop {
                items.push(self.value()?);
                self.skip_space();
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.expected("`,` or `]`"));
                }
            }
        }
        self.depth -= 1;
        Ok(T::list(items, start..self.at))
    }

    fn enter(&mut self) -> Result<usize, JsonFault> {
        if self.depth == self.limits.depth {
            return Err(self.fault(JsonErrorKind::TooDeep(self.limits.depth)));
        }
        self.depth += 1;
        let start = self.at;
        self.at += 1;
        Ok(start)
    }

    fn word(&mut self, word: &'static str, leaf: Leaf) -> Result<Leaf, JsonFault> {
        if !self.rest().starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(leaf)
    }

    fn number(&mut self) -> Result<Number, JsonFault> {
        let rest = self.rest();
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let number = Number::parse(rest.get(..end).unwrap_or_default());
        let number = number.map_err(|error| match error {
            NumberError::TooManyDigits => self.fault(JsonErrorKind::TooManyDigits),
            NumberError::NotANumber => self.expected("a number in JSON's form"),
        })?;
        self.at += end;
        Ok(number)
    }

    /// A string, the opening quote still to be read.
    fn string(&mut self) -> Result<Box<str>, JsonFault> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let stop = |byte: u8| byte == b'"' || byte == b'\\' || byte < 0x20;
            let plain = rest.bytes().position(stop).unwrap_or(rest.len());
            let plain = rest.get(..plain).unwrap_or_default();
            self.at += plain.len();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if text.is_empty() {
                        return Ok(plain.into());
                    }
                    text.push_str(plain);
                    return Ok(text.into_boxed_str());
                }
                Some(b'\\') => {
                    text.push_str(plain);
                    text.push(self.escape()?);
                }
                Some(_) => return Err(self.expected("an escape instead of a control character")),
                None => return Err(self.expected("a closing `\"`")),
            }
        }
    }

    /// An escape, the backslash still to be read.
    fn escape(&mut self) -> Result<char, JsonFault> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.expected("one of the escapes JSON has")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// One `\u` escape, or two that are a surrogate pair, the first `u` still to be read.
    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonFault> {
        let lone = JsonFault { at: start, kind: JsonErrorKind::LoneSurrogate };
        self.at += 1;
        let first = self.four_hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(lone);
        }
        if !self.rest().starts_with("\\u") {
            return Err(lone);
        }
        self.at += 2;
        let second = self.four_hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(lone)
    }

    fn four_hex(&mut self) -> Result<u32, JsonFault> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        // `from_str_radix` would take a sign.
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.expected("four hexadecimal digits"));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.expected("four hexadecimal digits"))
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &'static str) -> JsonFault {
        self.fault(JsonErrorKind::Expected(what))
    }

    fn fault(&self, kind: JsonErrorKind) -> JsonFault {
        JsonFault { at: self.at, kind }
    }
}

/// Line and column, both counted from 1, of a byte offset; columns count characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before.get(start..).unwrap_or_default().chars().count() + 1)
}
