//! Byte forms read back: exactly what was written, and nothing else.

use super::encode::{FALSE, LIST, NULL, NUMBER, OBJECT, TEXT, TRUE};
use super::{Key, Number, Object, Value};

/// Why bytes are not the byte form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end within a field.
    #[error("it ends within a field")]
    Cut,
    /// Bytes follow the last field.
    #[error("bytes follow its last field")]
    Trailing,
    /// A byte that stands for nothing; where.
    #[error("{0} is unknown")]
    Unknown(&'static str),
    /// Another spelling of something that has exactly one.
    #[error("{0}")]
    NotCanonical(&'static str),
    /// Nested deeper than the reader follows.
    #[error("it is nested too deeply")]
    TooDeep,
    /// More parts than the reader builds.
    #[error("it has too many parts")]
    TooManyNodes,
}

/// A value without parts, where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'a str),
}

/// Reads byte forms from the front of untrusted bytes, within a budget.
///
/// Whatever is read here writes back to the very bytes it was read from.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    left: &'a [u8],
    nodes: usize,
}

impl<'a> Decoder<'a> {
    /// A reader of these bytes that builds at most `nodes` parts.
    pub(crate) fn new(bytes: &'a [u8], nodes: usize) -> Self {
        Decoder { left: bytes, nodes }
    }

    /// What was read since `left` was what had not been.
    fn since(&self, left: &'a [u8]) -> &'a [u8] {
        left.get(..left.len().saturating_sub(self.left.len())).unwrap_or_default()
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.left.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }

    /// Takes one part out of the budget: called before it is built.
    #[inline]
    pub(crate) fn spend(&mut self) -> Result<(), DecodeError> {
        self.nodes = self.nodes.checked_sub(1).ok_or(DecodeError::TooManyNodes)?;
        Ok(())
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.left.split_first_chunk().ok_or(DecodeError::Cut)?;
        self.left = rest;
        Ok(*array)
    }

    /// An unsigned LEB128 number in its shortest form.
    #[inline]
    pub(crate) fn count(&mut self) -> Result<u64, DecodeError> {
        // Nearly all are below 128, and a byte long.
        if let [byte @ 0..0x80, rest @ ..] = self.left {
            self.left = rest;
            return Ok(u64::from(*byte));
        }
        self.long_count()
    }

    fn long_count(&mut self) -> Result<u64, DecodeError> {
        let mut count = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            count |= bits << shift;
            if bits << shift >> shift != bits {
                return Err(DecodeError::NotCanonical("a count is out of range"));
            }
            if byte & 0x80 == 0 {
                return match byte == 0 && shift > 0 {
                    true => Err(DecodeError::NotCanonical("a count is not in its shortest form")),
                    false => Ok(count),
                };
            }
        }
        Err(DecodeError::NotCanonical("a count is out of range"))
    }

    /// How many parts follow, each of at least one byte: more than bytes are left is a cut.
    #[inline]
    pub(crate) fn parts(&mut self) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.count()?).map_err(|_| DecodeError::Cut)?;
        if count > self.left.len() { Err(DecodeError::Cut) } else { Ok(count) }
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let length = self.parts()?;
        let (bytes, rest) = self.left.split_at_checked(length).ok_or(DecodeError::Cut)?;
        self.left = rest;
        std::str::from_utf8(bytes).map_err(|_| DecodeError::NotCanonical("a text is not UTF-8"))
    }

    /// A value of at most `depth` levels.
    pub(crate) fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        self.spend()?;
        Ok(match self.byte()? {
            LIST => {
                let inner = depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
                Value::List(self.repeat(|own| own.value(inner))?)
            }
            OBJECT => {
                let inner = depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
                let entries =
                    self.repeat(|own| Ok((own.text()?.to_owned().into(), own.value(inner)?)))?;
                if !entries.is_sorted_by(|(left, _): &(Key, _), (right, _)| left < right) {
                    return Err(DecodeError::NotCanonical("keys are not in order, each once"));
                }
                Object::from_entries(entries)
                    .map(Value::Object)
                    .map_err(|_| DecodeError::NotCanonical("a key stands twice"))?
            }
            kind => self.scalar_of(kind)?.into(),
        })
    }

    /// As [`Decoder::value`], of what has no parts: a list or an object is refused.
    #[inline]
    pub(crate) fn scalar(&mut self) -> Result<Scalar<'a>, DecodeError> {
        self.spend()?;
        let kind = self.byte()?;
        self.scalar_of(kind)
    }

    #[inline]
    fn scalar_of(&mut self, kind: u8) -> Result<Scalar<'a>, DecodeError> {
        Ok(match kind {
            NULL => Scalar::Null,
            FALSE => Scalar::Bool(false),
            TRUE => Scalar::Bool(true),
            NUMBER => Scalar::Number(self.number_parts()?),
            TEXT => Scalar::Text(self.text()?),
            _ => return Err(DecodeError::Unknown("a kind of value")),
        })
    }

    /// A number, its kind included.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<Number, DecodeError> {
        self.spend()?;
        match self.byte()? {
            NUMBER => self.number_parts(),
            _ => Err(DecodeError::Unknown("something where a number stands")),
        }
    }

    /// A count, then that number of parts. Grows as parts come, never ahead of them.
    #[inline]
    pub(crate) fn repeat<T>(
        &mut self,
        mut part: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.parts()?;
        let mut parts = Vec::with_capacity(count.min(8));
        for _ in 0..count {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    /// As [`Decoder::repeat`], for parts whose order means nothing: they stand in ascending order of
    /// their bytes, each once.
    #[inline]
    pub(crate) fn ascending<T>(
        &mut self,
        mut part: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut before: Option<&[u8]> = None;
        self.repeat(|own| {
            let left = own.left;
            let read = part(own)?;
            let bytes = own.since(left);
            if before.is_some_and(|before| before >= bytes) {
                return Err(DecodeError::NotCanonical("parts are not in order, each once"));
            }
            before = Some(bytes);
            Ok(read)
        })
    }

    /// As [`Decoder::ascending`], of parts of which nothing is kept: how many there are.
    #[inline]
    pub(crate) fn walk(
        &mut self,
        part: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<usize, DecodeError> {
        // Units take no room.
        self.ascending(part).map(|parts| parts.len())
    }

    #[inline]
    fn number_parts(&mut self) -> Result<Number, DecodeError> {
        let scale = self.byte()?;
        let digits = i128::from_be_bytes(self.array()?);
        Number::from_parts(digits, scale)
            .ok_or(DecodeError::NotCanonical("a number is not in its one form"))
    }
}

impl From<Scalar<'_>> for Value {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(bool) => Value::Bool(bool),
            Scalar::Number(number) => Value::Number(number),
            Scalar::Text(text) => Value::Text(text.into()),
        }
    }
}

/// As between values.
impl PartialEq<Value> for Scalar<'_> {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Scalar::Null, Value::Null) => true,
            (Scalar::Bool(own), Value::Bool(other)) => own == other,
            (Scalar::Number(own), Value::Number(other)) => own == other,
            (Scalar::Text(own), Value::Text(other)) => *own == &**other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
        let mut decoder = Decoder::new(bytes, 64);
        let value = decoder.value(4)?;
        decoder.end()?;
        Ok(value)
    }

    fn encoded(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        value.encode(&mut out);
        out
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            "-?[1-9][0-9]{0,17}\\.[0-9]{1,18}"
                .prop_map(|text| Value::Number(Number::parse(&text).unwrap())),
            "[a-zé]{0,130}".prop_map(|text| Value::Text(text.into())),
        ];
        leaf.prop_recursive(3, 40, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
                prop::collection::btree_map("[a-z]{0,2}", inner, 0..3)
                    .prop_map(|map| Value::Object(Object::from_pairs(map).unwrap())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_reads_back_from_its_byte_form(value in values()) {
            prop_assert_eq!(decode(&encoded(&value)), Ok(value));
        }

        #[test]
        fn bytes_that_are_read_are_the_byte_form_of_what_was_read(
            bytes in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..60),
        ) {
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(encoded(&value), bytes);
            }
        }

        #[test]
        fn a_changed_byte_form_is_refused_or_means_another_value(
            value in values(), at in any::<prop::sample::Index>(), to in any::<u8>(),
        ) {
            let mut bytes = encoded(&value);
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            if let Ok(other) = decode(&bytes) {
                prop_assert_ne!(&other, &value);
                prop_assert_eq!(encoded(&other), bytes);
            }
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        use DecodeError::{Cut, NotCanonical, TooDeep, TooManyNodes, Trailing, Unknown};
        let number =
            |scale: u8, digits: i128| [&[NUMBER, scale][..], &digits.to_be_bytes()].concat();
        let out_of_form = NotCanonical("a number is not in its one form");
        for (bytes, error) in [
            (vec![], Cut),
            (vec![7], Unknown("a kind of value")),
            (vec![NULL, NULL], Trailing),
            (vec![TEXT, 2, b'a'], Cut),
            (vec![TEXT, 1, 0xff], NotCanonical("a text is not UTF-8")),
            (vec![TEXT, 0x80, 0], NotCanonical("a count is not in its shortest form")),
            (vec![TEXT, 0xff, 0xff, 0xff, 0xff, 0x0f], Cut),
            ([&[LIST][..], &[0xff; 9], &[2]].concat(), NotCanonical("a count is out of range")),
            ([&[LIST][..], &[0xff; 10], &[1]].concat(), NotCanonical("a count is out of range")),
            (number(1, 10), out_of_form),
            (number(39, 1), out_of_form),
            (number(1, 0), out_of_form),
            (number(0, 10i128.pow(38)), out_of_form),
            (number(0, i128::MIN), out_of_form),
            (
                vec![OBJECT, 2, 1, b'b', NULL, 1, b'a', NULL],
                NotCanonical("keys are not in order, each once"),
            ),
            (
                vec![OBJECT, 2, 1, b'a', NULL, 1, b'a', NULL],
                NotCanonical("keys are not in order, each once"),
            ),
            (vec![LIST, 1, LIST, 1, LIST, 1, LIST, 1, LIST, 0], TooDeep),
            ([&[LIST, 64][..], &[NULL; 64]].concat(), TooManyNodes),
        ] {
            assert_eq!(decode(&bytes), Err(error), "{bytes:02x?}");
        }
    }
}
