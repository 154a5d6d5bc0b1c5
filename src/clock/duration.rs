//! Lengths of time as people write them in a policy: `90s`, `5m`, `2h`.

use std::time::Duration;

/// The longest length of time a policy may state: 366 days, one year of any length.
///
/// Nothing here is meant to stand for a year; the bound is there so that a slip of the keyboard
/// (`30000d`) is an error instead of access for good.
pub const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The longest unit first, so that text is written with the longest that fits exactly.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Longest text an error quotes.
const QUOTED: usize = 40;

/// Reads one whole number and one unit out of `ms`, `s`, `m`, `h` and `d`.
///
/// There is no zero: `0s` never means "unlimited", and a limit of nothing is said by not giving
/// access. Signs, fractions, spaces, leading zeros and sums (`1h30m`) are refused.
///
/// ```
/// use std::time::Duration;
/// use hallpass::clock::parse_duration;
///
/// assert_eq!(parse_duration("5m")?, Duration::from_secs(300));
/// assert!(parse_duration("0s").is_err());
/// # Ok::<(), hallpass::clock::DurationError>(())
/// ```
///
/// # Errors
///
/// When the text has another form, is zero, or is longer than [`MAX_DURATION`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let malformed = || DurationError::Malformed { given: quotable(text) };
    if number.is_empty() || unit.starts_with(['.', ',', ' ']) {
        return Err(malformed());
    }
    if number.bytes().all(|digit| digit == b'0') {
        return Err(DurationError::Zero { given: quotable(text) });
    }
    if number.starts_with('0') {
        return Err(malformed());
    }
    // Without a unit, or with another number behind it (`1h30m`), it has another form.
    if unit.is_empty() || unit.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    let millis_per_unit =
        UNITS.iter().find_map(|&(name, millis)| (name == unit).then_some(millis)).ok_or_else(
            || DurationError::UnknownUnit { given: quotable(text), unit: quotable(unit) },
        )?;
    number
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(millis_per_unit))
        .map(Duration::from_millis)
        .filter(|length| *length <= MAX_DURATION)
        .ok_or_else(|| DurationError::TooLong { given: quotable(text) })
}

/// Writes a length of time in the longest unit that divides it: `300 s` is `5m`, `90 s` is `90s`.
///
/// Fractions of a millisecond, which no policy can state, are dropped.
#[must_use]
pub fn format_duration(length: Duration) -> String {
    let millis = length.as_millis();
    UNITS
        .iter()
        .map(|&(unit, size)| (unit, u128::from(size)))
        .find(|&(_, size)| millis != 0 && millis.is_multiple_of(size))
        .map_or_else(|| "0s".to_owned(), |(unit, size)| format!("{}{unit}", millis / size))
}

/// Why no policy can state this length of time, if it can't: a builder takes any.
pub(crate) fn unstatable(length: Duration) -> Option<&'static str> {
    if length > MAX_DURATION {
        Some("it is longer than 366 days")
    } else if !length.subsec_nanos().is_multiple_of(1_000_000) {
        Some("it is not a whole number of milliseconds")
    } else {
        None
    }
}

/// Text as an error may repeat it: short, and without control characters.
pub(super) fn quotable(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED).is_some() {
        quoted.push('…');
    }
    quoted
}

/// Why text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// No text at all.
    #[error("empty length of time, expected one like `5m`")]
    Empty,
    /// Not one whole number and one unit.
    #[error("`{given}` is not a length of time, expected one whole number and one unit, like `5m`")]
    Malformed {
        /// What was given.
        given: String,
    },
    /// The number is zero.
    #[error("`{given}` is zero, expected at least one: zero never means unlimited")]
    Zero {
        /// What was given.
        given: String,
    },
    /// The unit is none of ours.
    #[error("unknown unit `{unit}` in `{given}`, expected `ms`, `s`, `m`, `h` or `d`")]
    UnknownUnit {
        /// What was given.
        given: String,
        /// What stands where the unit should.
        unit: String,
    },
    /// Longer than [`MAX_DURATION`].
    #[error("`{given}` is too long, expected at most `366d`")]
    TooLong {
        /// What was given.
        given: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, millis) in
            [("1ms", 1), ("90s", 90_000), ("5m", 300_000), ("2h", 7_200_000), ("3d", 259_200_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    /// attack 42
    #[test]
    fn zero_is_an_error_in_every_unit() {
        for text in ["0ms", "0s", "0m", "0h", "0d", "00s", "0"] {
            assert!(matches!(parse_duration(text), Err(DurationError::Zero { .. })), "{text}");
        }
    }

    /// attack 43
    #[test]
    fn what_is_not_one_number_and_one_unit_is_refused() {
        assert_eq!(parse_duration(""), Err(DurationError::Empty));
        for text in [
            "-1s", "+1s", "1.5h", "1,5h", " 1s", "1 s", "s", "05m", "٣s", ".", "5", "1h30m", "1e3s",
        ] {
            assert!(matches!(parse_duration(text), Err(DurationError::Malformed { .. })), "{text}");
        }
        for text in ["5x", "5M", "5s ", "5µs", "5mss", "5s\0"] {
            assert!(
                matches!(parse_duration(text), Err(DurationError::UnknownUnit { .. })),
                "{text}"
            );
        }
    }

    /// attack 43
    #[test]
    fn what_is_longer_than_a_year_or_overflows_is_refused() {
        assert_eq!(parse_duration("366d"), Ok(MAX_DURATION));
        for text in ["367d", "31622400001ms", "18446744073709551615h", "99999999999999999999999s"] {
            assert!(matches!(parse_duration(text), Err(DurationError::TooLong { .. })), "{text}");
        }
    }

    #[test]
    fn an_error_quotes_little_and_nothing_raw() {
        let message =
            parse_duration(&format!("5\n{}", "x".repeat(10_000))).unwrap_err().to_string();
        assert!(message.len() < 300 && !message.contains('\n'), "{message}");
    }

    #[test]
    fn the_longest_exact_unit_is_written() {
        for (millis, text) in
            [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (86_400_000, "1d")]
        {
            assert_eq!(format_duration(Duration::from_millis(millis)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in 1..=31_622_400_000u64) {
            let length = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(length)), Ok(length));
        }
    }
}
