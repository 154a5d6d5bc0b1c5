//! Exact decimal numbers.

/// An exact number: an integer or a decimal of at most 38 digits, in one canonical form, so that
/// equal numbers are equal values (`1` = `1.0` = `10e-1`, `-0` = `0`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    // digits * 10^-scale with |digits| < 10^38 and scale <= 38, scale minimal. The 128 bits are kept
    // as two halves so that a `Value` stays aligned to 8 bytes.
    high: i64,
    low: u64,
    scale: u8,
}

/// Why text or a float is no [`Number`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// More than 38 digits, in front of and behind the point together.
    #[error("a number of more than 38 digits")]
    TooManyDigits,
    /// Not a number in JSON's grammar (`NaN` and infinities among them).
    #[error("not a number")]
    NotANumber,
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, _other: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}
