//! Exact decimal numbers.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The most digits a number has, in front of and behind the point together. 38 digits hold every
/// `i64`, `u64` and SQL decimal, and two such numbers still compare in 128-bit arithmetic.
const MAX_DIGITS: u32 = 38;

const LIMIT: u128 = 10u128.pow(MAX_DIGITS);

/// An exact number: an integer or a decimal of at most 38 digits, in one canonical form, so that
/// equal numbers are equal values (`1` = `1.0` = `10e-1`, `-0` = `0`).
///
/// ```
/// use hallpass::value::Number;
///
/// let wide = Number::parse("9007199254740993")?;
/// assert!(wide > Number::from(9_007_199_254_740_992_i64), "no rounding through a float");
/// assert_eq!(Number::parse("1.50")?, Number::parse("15e-1")?);
/// assert_eq!(Number::parse("1.50")?.to_string(), "1.5");
/// # Ok::<(), hallpass::value::NumberError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    // INVARIANT: the value is digits * 10^-scale with |digits| < 10^38 and scale <= 38, scale
    // minimal. The 128 bits are kept as two halves so that a `Value` stays aligned to 8 bytes.
    high: i64,
    low: u64,
    scale: u8,
}

/// Why text or a float is not a [`Number`].
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

impl Number {
    /// Nought.
    pub const ZERO: Number = Number { high: 0, low: 0, scale: 0 };

    /// The largest there is.
    pub(crate) const MAX: Number = Number::canonical(LIMIT as i128 - 1, 0);

    /// Reads a number in JSON's grammar: `-`, digits without leading zeros, optionally a fraction
    /// and an exponent; nothing around them.
    ///
    /// What counts is the value, not its spelling: `1.000` and `1e2` are fine however long, so long as
    /// the value written out has at most 38 significant digits, none further than 38 behind the point.
    ///
    /// # Errors
    /// [`NumberError::NotANumber`] if the grammar is not met, else [`NumberError::TooManyDigits`] if
    /// the exact value does not fit.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if let Some(small) = small_integer(unsigned.as_bytes()) {
            return Ok(Number::from(if negative { -small } else { small }));
        }
        let spelling = Spelling::read(unsigned.as_bytes()).ok_or(NumberError::NotANumber)?;
        let (magnitude, scale) = spelling.value().ok_or(NumberError::TooManyDigits)?;
        Ok(Number::signed(negative, magnitude, scale))
    }

    /// Whether there is nothing behind the point (`1.0` is an integer).
    pub const fn is_integer(&self) -> bool {
        self.scale == 0
    }

    /// Whether the number is below nought (`-0` is not).
    pub const fn is_negative(&self) -> bool {
        self.high < 0
    }

    /// The number as an `i64`, if it is exactly one.
    pub fn to_i64(&self) -> Option<i64> {
        if self.is_integer() { i64::try_from(self.digits()).ok() } else { None }
    }

    /// The number as a `u64`, if it is exactly one.
    pub fn to_u64(&self) -> Option<u64> {
        (self.is_integer() && self.high == 0).then_some(self.low)
    }

    /// The exact sum, or `None` if it needs more than 38 digits.
    pub fn checked_add(self, other: Number) -> Option<Number> {
        let scale = self.scale.max(other.scale);
        // Where scales differ the sum ends in the last digit of the finer one, so its scale cannot
        // shrink: what overflows here could not have fitted. Magnitudes stay below 3 * 10^38.
        let left = self.magnitude_at(scale)?;
        let right = other.magnitude_at(scale)?;
        let (negative, magnitude) = if self.is_negative() == other.is_negative() {
            (self.is_negative(), left.checked_add(right)?)
        } else if left >= right {
            (self.is_negative(), left - right)
        } else {
            (other.is_negative(), right - left)
        };
        let (magnitude, scale) = minimal(magnitude, scale);
        (magnitude < LIMIT).then(|| Number::signed(negative, magnitude, scale))
    }

    /// The exact difference, or `None` if it needs more than 38 digits.
    pub fn checked_sub(self, other: Number) -> Option<Number> {
        self.checked_add(other.negated())
    }

    /// Digits and scale: the value is `digits * 10^-scale`, scale minimal.
    pub(crate) const fn parts(&self) -> (i128, u8) {
        (self.digits(), self.scale)
    }

    /// The number with these digits and this scale; `None` unless that is its one form.
    #[inline]
    pub(crate) fn from_parts(digits: i128, scale: u8) -> Option<Number> {
        let canonical = digits.unsigned_abs() < LIMIT
            && u32::from(scale) <= MAX_DIGITS
            && (scale == 0 || digits % 10 != 0);
        canonical.then(|| Number::canonical(digits, scale))
    }

    const fn digits(&self) -> i128 {
        ((self.high as i128) << 64) | self.low as i128
    }

    fn negated(self) -> Number {
        Number::canonical(-self.digits(), self.scale)
    }

    fn magnitude_at(&self, scale: u8) -> Option<u128> {
        let factor = ten_to(scale.checked_sub(self.scale)?);
        self.digits().unsigned_abs().checked_mul(factor)
    }

    /// `magnitude` below 10^38, `scale` minimal.
    fn signed(negative: bool, magnitude: u128, scale: u8) -> Number {
        let digits = magnitude as i128;
        Number::canonical(if negative { -digits } else { digits }, scale)
    }

    const fn canonical(digits: i128, scale: u8) -> Number {
        Number { high: (digits >> 64) as i64, low: digits as u64, scale }
    }
}

impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return (self.high, self.low).cmp(&(other.high, other.low));
        }
        self.cmp_of_other_scale(other)
    }
}

impl Number {
    /// Apart from the usual case, so that callers take that one in whole.
    #[inline(never)]
    fn cmp_of_other_scale(&self, other: &Self) -> Ordering {
        let (left, right) = (self.digits(), other.digits());
        let (left_unit, right_unit) = (ten_to(self.scale) as i128, ten_to(other.scale) as i128);
        // Rounding towards nought keeps order, so integral parts decide unless equal; what is left
        // over is below one unit, hence below 10^38 once both count in 10^-38.
        let integral = (left / left_unit).cmp(&(right / right_unit));
        integral.then_with(|| {
            let fine = |rest: i128, scale: u8| rest * ten_to(38 - scale.min(38)) as i128;
            fine(left % left_unit, self.scale).cmp(&fine(right % right_unit, other.scale))
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Plain decimal without exponent; reads back as the same number.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(small) = self.to_i64() {
            return write!(f, "{small}");
        }
        if self.is_negative() {
            f.write_char('-')?;
        }
        let magnitude = self.digits().unsigned_abs();
        if self.scale == 0 {
            return write!(f, "{magnitude}");
        }
        let unit = ten_to(self.scale);
        let width = usize::from(self.scale);
        write!(f, "{}.{:0>width$}", magnitude / unit, magnitude % unit)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// As [`Number::parse`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Number::parse(text)
    }
}

/// A float counts as the shortest decimal that reads back as it: `0.1_f64` is the number 0.1, which is
/// what its author wrote, and not the binary fraction next to it.
///
/// # Errors
/// [`NumberError::NotANumber`] for NaN and infinities, [`NumberError::TooManyDigits`] for floats such as
/// `1e300`.
impl TryFrom<f64> for Number {
    type Error = NumberError;

    fn try_from(float: f64) -> Result<Self, Self::Error> {
        if !float.is_finite() {
            return Err(NumberError::NotANumber);
        }
        // The exponent form is the shortest spelling too, and stays short for 1e300.
        Number::parse(&format!("{float:e}"))
    }
}

/// # Errors
/// [`NumberError::TooManyDigits`] from 10^38 on, either side of nought.
impl TryFrom<i128> for Number {
    type Error = NumberError;

    fn try_from(integer: i128) -> Result<Self, Self::Error> {
        if integer.unsigned_abs() < LIMIT {
            Ok(Number::canonical(integer, 0))
        } else {
            Err(NumberError::TooManyDigits)
        }
    }
}

/// # Errors
/// [`NumberError::TooManyDigits`] from 10^38 on.
impl TryFrom<u128> for Number {
    type Error = NumberError;

    fn try_from(integer: u128) -> Result<Self, Self::Error> {
        let integer = i128::try_from(integer).map_err(|_| NumberError::TooManyDigits)?;
        Number::try_from(integer)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Number {
            #[inline]
            fn from(integer: $integer) -> Self {
                Number::canonical(integer as i128, 0)
            }
        }
    )*};
}
from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

/// What a number's text says, before it is known to fit: `mantissa * 10^exponent`.
#[derive(Default)]
struct Spelling {
    // From the first digit that is not zero to the last; worthless once there are more than 38.
    mantissa: u128,
    digits: u64,
    // Zeros seen since the last digit that is not zero.
    zeros: u64,
    exponent: i64,
}

impl Spelling {
    /// Reads an unsigned number in JSON's grammar; `None` if it is not one.
    fn read(text: &[u8]) -> Option<Spelling> {
        let mut spelling = Spelling::default();
        let (whole, rest) = leading_digits(text);
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
            return None;
        }
        spelling.push(whole);
        let mut rest = rest;
        let mut behind_point = 0;
        if let Some(fraction) = rest.strip_prefix(b".") {
            let (fraction, after) = leading_digits(fraction);
            if fraction.is_empty() {
                return None;
            }
            spelling.push(fraction);
            behind_point = i64::try_from(fraction.len()).ok()?;
            rest = after;
        }
        let mut written = 0;
        if let [b'e' | b'E', power @ ..] = rest {
            let (negative, power) = match power {
                [b'-', power @ ..] => (true, power),
                [b'+', power @ ..] => (false, power),
                power => (false, power),
            };
            let (power, after) = leading_digits(power);
            if power.is_empty() {
                return None;
            }
            written = saturating_integer(power);
            if negative {
                written = -written;
            }
            rest = after;
        }
        let zeros = i64::try_from(spelling.zeros).ok()?;
        spelling.exponent = written.saturating_sub(behind_point).saturating_add(zeros);
        rest.is_empty().then_some(spelling)
    }

    fn push(&mut self, digits: &[u8]) {
        for digit in digits {
            if *digit == b'0' {
                self.zeros += u64::from(self.digits > 0);
                continue;
            }
            let shift = self.zeros + 1;
            self.zeros = 0;
            self.digits += shift;
            if self.digits <= u64::from(MAX_DIGITS) {
                self.mantissa = self.mantissa * ten_to(shift as u8) + u128::from(digit - b'0');
            }
        }
    }

    /// Magnitude and minimal scale, if they fit.
    fn value(&self) -> Option<(u128, u8)> {
        if self.digits == 0 {
            return Some((0, 0));
        }
        let room = u64::from(MAX_DIGITS).checked_sub(self.digits)?;
        match u64::try_from(self.exponent) {
            Ok(shift) if shift <= room => Some((self.mantissa * ten_to(shift as u8), 0)),
            Ok(_) => None,
            Err(_) => {
                let scale = u8::try_from(self.exponent.unsigned_abs()).ok()?;
                (u32::from(scale) <= MAX_DIGITS).then_some((self.mantissa, scale))
            }
        }
    }
}

/// The usual number, an integer of up to 18 digits, without 128-bit arithmetic.
fn small_integer(text: &[u8]) -> Option<i64> {
    match text {
        [b'0'] => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= 18 => {}
        _ => return None,
    }
    text.iter().try_fold(0_i64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn saturating_integer(digits: &[u8]) -> i64 {
    digits
        .iter()
        .fold(0, |sum: i64, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')))
}

fn minimal(mut magnitude: u128, mut scale: u8) -> (u128, u8) {
    while scale > 0 && magnitude.is_multiple_of(10) {
        magnitude /= 10;
        scale -= 1;
    }
    (magnitude, scale)
}

/// 10^`power` for powers up to 38, the largest that fits.
const fn ten_to(power: u8) -> u128 {
    10u128.pow(power as u32)
}
