//! The one byte form of values, which digests are made of.

use super::{Digest, Object, Value};

pub(super) const NULL: u8 = 0;
pub(super) const FALSE: u8 = 1;
pub(super) const TRUE: u8 = 2;
pub(super) const NUMBER: u8 = 3;
pub(super) const TEXT: u8 = 4;
pub(super) const LIST: u8 = 5;
pub(super) const OBJECT: u8 = 6;

/// Room for the byte form of an everyday call, so that digesting it allocates once.
const USUAL: usize = 256;

impl Value {
    /// Appends the value's one byte form: equal values have equal byte forms, other values others.
    ///
    /// | value | bytes |
    /// |---|---|
    /// | `null` | `00` |
    /// | `false` | `01` |
    /// | `true` | `02` |
    /// | number | `03`, scale (1 byte), digits (16 bytes, two's complement, big-endian) |
    /// | text | `04`, length, UTF-8 bytes |
    /// | list | `05`, count, each element's byte form |
    /// | object | `06`, count, for each key in UTF-8 order: length, UTF-8 bytes, the value's byte form |
    ///
    /// A number is `digits * 10^-scale` with the smallest scale that is not negative: 1, 1.0 and 10e-1 all
    /// have digits 1 and scale 0, 1.5 has digits 15 and scale 1, and nought has no sign. Lengths are in
    /// bytes, counts in elements or keys; both are unsigned LEB128 in its shortest form: seven bits a byte,
    /// lowest first, the top bit set on all bytes but the last. Text is taken as it is, without
    /// normalisation.
    ///
    /// No byte form is the beginning of another, so byte forms written one after the other can be told
    /// apart, and two values have the same byte form only if they are equal.
    ///
    /// | value | byte form, hexadecimal | SHA-256, base64url |
    /// |---|---|---|
    /// | `null` | `00` | `bjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0` |
    /// | `[1.50,-1,""]` | `050303010000000000000000000000000000000f0300ffffffffffffffffffffffffffffffff0400` | `r-iN5vcjJQe1yTtAPYkEdtDw2RWqASV_hqJjfq2ppeE` |
    /// | `{"b":true,"a":"é"}` | `060201610402c3a9016202` | `jPe0J-jeh3vjzjkcB1QHNyAhS4kf6orD78K8s3lH3SI` |
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(NULL),
            Value::Bool(false) => out.push(FALSE),
            Value::Bool(true) => out.push(TRUE),
            Value::Number(number) => {
                let (digits, scale) = number.parts();
                out.extend_from_slice(&[NUMBER, scale]);
                out.extend_from_slice(&digits.to_be_bytes());
            }
            Value::Text(text) => {
                out.push(TEXT);
                encode_text(out, text);
            }
            Value::List(list) => {
                out.push(LIST);
                encode_count(out, list.len() as u64);
                list.iter().for_each(|item| item.encode(out));
            }
            Value::Object(object) => object.encode(out),
        }
    }

    /// The digest of the value's byte form.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(USUAL);
        self.encode(&mut bytes);
        Digest::of(&bytes)
    }
}

impl Object {
    /// Appends the object's one byte form, the same as that of the [`Value::Object`]
    /// ([`Value::encode`] describes it).
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(OBJECT);
        encode_count(out, self.len() as u64);
        for (key, value) in self.iter() {
            encode_text(out, key);
            value.encode(out);
        }
    }

    /// The digest of the object's byte form.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(USUAL);
        self.encode(&mut bytes);
        Digest::of(&bytes)
    }
}

/// Text with its length.
pub(crate) fn encode_text(out: &mut Vec<u8>, text: &str) {
    encode_count(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Unsigned LEB128 in its shortest form.
pub(crate) fn encode_count(out: &mut Vec<u8>, mut count: u64) {
    while count >= 0x80 {
        out.push(count as u8 | 0x80);
        count >>= 7;
    }
    out.push(count as u8);
}

/// Parts whose order means nothing: in ascending order of their bytes, each once.
pub(crate) fn ascending<T, E>(
    out: &mut Vec<u8>,
    parts: &[T],
    encode: impl Fn(&mut Vec<u8>, &T) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    encode_count(out, parts.len() as u64);
    let mut ends = Vec::with_capacity(parts.len() + 1);
    ends.push(out.len());
    for part in parts {
        encode(out, part)?;
        ends.push(out.len());
    }
    // As they nearly always are, since scopes keep their parts in some order.
    if !slices(out, &ends).is_sorted_by(|before, after| before < after) {
        let unsorted = out.clone();
        let mut pieces: Vec<&[u8]> = slices(&unsorted, &ends).collect();
        pieces.sort_unstable();
        pieces.dedup();
        out.truncate(start);
        encode_count(out, pieces.len() as u64);
        pieces.into_iter().for_each(|piece| out.extend_from_slice(piece));
    }
    Ok(())
}

/// The bytes between each end and the next.
fn slices<'b>(bytes: &'b [u8], ends: &'b [usize]) -> impl Iterator<Item = &'b [u8]> {
    let pairs = ends.iter().zip(ends.iter().skip(1));
    pairs.map(|(from, to)| bytes.get(*from..*to).unwrap_or_default())
}
