//! What a thief does to a token's text before presenting it.

use crate::value::Value;

use super::fields::{Fields, Misread};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// One change to a token's text. Its effect does not depend on the random parts of the token, so two
/// replays answer alike.
#[derive(Clone, Copy)]
pub(crate) enum Tamper<'v> {
    /// Changes the character at this place, counted from 0 and around the end.
    Flip(u64),
    /// Takes this many characters off the end.
    Cut(u64),
    /// Puts this at the end.
    Append(&'v str),
}

impl<'v> Tamper<'v> {
    /// # Errors
    /// [`Misread`] unless exactly one change is named that changes something.
    pub(crate) fn read(value: &'v Value) -> Result<Self, Misread> {
        let fields = Fields::open("tamper", value, &["flip", "cut", "append"])?;
        let flip = fields.count_if("flip", 0)?.map(Tamper::Flip);
        let cut = fields.count_if("cut", 1)?.map(Tamper::Cut);
        let append = fields.text_if("append")?.filter(|text| !text.is_empty()).map(Tamper::Append);
        let mut given = [flip, cut, append].into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Misread(
                "`tamper` needs exactly one of `flip` (a place), `cut` (how many) and `append` (text)"
                    .to_owned(),
            )),
        }
    }

    pub(crate) fn apply(self, token: &str) -> String {
        match self {
            Tamper::Flip(at) => flipped(token, at),
            Tamper::Cut(count) => {
                let kept = token.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
                token.chars().take(kept).collect()
            }
            Tamper::Append(text) => format!("{token}{text}"),
        }
    }
}

/// Flips the highest of the six bits a character stands for: a character that carries unused low bits
/// keeps them as they were, so the text stays well formed and only its meaning changes.
fn flipped(token: &str, at: u64) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let length = bytes.len().max(1) as u64;
    if let Some(byte) = bytes.get_mut((at % length) as usize) {
        let value = ALPHABET.iter().position(|letter| letter == byte);
        *byte = value.and_then(|value| ALPHABET.get(value ^ 32)).copied().unwrap_or(b'A');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
