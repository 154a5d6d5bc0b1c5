//! One instant, in whole milliseconds.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MILLIS_PER_SECOND: i64 = 1_000;
const NANOS_PER_MILLI: i128 = 1_000_000;

/// An instant between the start of 1970 and the end of 9999 (UTC), in whole milliseconds.
///
/// The range is what RFC 3339 can write, and it is closed: no arithmetic wraps or leaves it. In
/// serde it is the number of milliseconds since the Unix epoch; in text, RFC 3339.
///
/// ```
/// use std::time::Duration;
/// use hallpass::clock::Timestamp;
///
/// let noon = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z")?;
/// let later = noon.checked_add(Duration::from_millis(1_500)).expect("far from the year 9999");
/// assert_eq!(later.to_string(), "2026-01-01T12:00:01.500Z");
/// assert_eq!(later.since(noon), Duration::from_millis(1_500));
/// assert_eq!(noon.since(later), Duration::ZERO);
/// # Ok::<(), hallpass::clock::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "i64", try_from = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// `1970-01-01T00:00:00Z`.
    pub const MIN: Self = Self(0);
    /// `9999-12-31T23:59:59.999Z`.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The instant this many milliseconds after the Unix epoch; nothing outside the range.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Option<Self> {
        if millis < Self::MIN.0 || millis > Self::MAX.0 { None } else { Some(Self(millis)) }
    }

    /// Milliseconds since the Unix epoch, never negative.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The instant `span` later, or nothing when that is after [`Timestamp::MAX`].
    ///
    /// A fraction of a millisecond is dropped, so an expiry is never later than what was asked for.
    #[must_use]
    pub fn checked_add(self, span: Duration) -> Option<Self> {
        Self::from_unix_millis(self.0.checked_add(whole_millis(span)?)?)
    }

    /// The instant `span` earlier, or nothing when that is before [`Timestamp::MIN`].
    ///
    /// Rounds to the earlier millisecond, as [`checked_add`](Self::checked_add) does: a window that
    /// looks back from here is never shorter than what was asked for.
    #[must_use]
    pub fn checked_sub(self, span: Duration) -> Option<Self> {
        let millis =
            i64::try_from(span.as_nanos().div_ceil(NANOS_PER_MILLI.unsigned_abs())).ok()?;
        Self::from_unix_millis(self.0.checked_sub(millis)?)
    }

    /// How long ago `earlier` was; zero when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 date and time with its offset: `T`, `t` or one space stands between date and
    /// time. Digits past the millisecond are dropped.
    ///
    /// # Errors
    ///
    /// When the text is not of that form, or is before 1970 or after 9999 once brought to UTC.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimestampError> {
        // The parser takes any character there.
        let is_separated = matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '));
        let parsed = OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .filter(|_| is_separated)
            .ok_or_else(|| TimestampError::Malformed { given: super::duration::quotable(text) })?;
        i64::try_from(parsed.unix_timestamp_nanos().div_euclid(NANOS_PER_MILLI))
            .ok()
            .and_then(Self::from_unix_millis)
            .ok_or_else(|| TimestampError::OutOfRange { given: super::duration::quotable(text) })
    }
}

/// As people read it, in logs and failed tests too.
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(MILLIS_PER_SECOND);
        let millis = self.0.rem_euclid(MILLIS_PER_SECOND);
        let at = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| fmt::Error)?;
        let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("Z")
    }
}

impl From<Timestamp> for i64 {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = TimestampError;

    fn try_from(millis: i64) -> Result<Self, TimestampError> {
        Self::from_unix_millis(millis)
            .ok_or_else(|| TimestampError::OutOfRange { given: millis.to_string() })
    }
}

/// Why something is not a [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not an RFC 3339 date and time.
    #[error("`{given}` is not an RFC 3339 time, expected one like `2026-01-01T00:00:00Z`")]
    Malformed {
        /// What was given.
        given: String,
    },
    /// Before 1970 or after 9999.
    #[error("`{given}` is outside the years 1970 to 9999")]
    OutOfRange {
        /// What was given.
        given: String,
    },
}

/// A span in whole milliseconds, if there are that few.
#[inline]
pub(super) fn whole_millis(span: Duration) -> Option<i64> {
    let seconds = i64::try_from(span.as_secs()).ok()?;
    seconds.checked_mul(1000)?.checked_add(span.subsec_millis().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST_SECONDS: u64 = i64::MAX as u64 / 1000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    #[test]
    fn debug_shows_the_instant_as_people_read_it() {
        assert_eq!(format!("{:?}", at(1_767_225_600_000)), "Timestamp(2026-01-01T00:00:00Z)");
    }

    /// attack 84
    #[test]
    fn instants_outside_1970_to_9999_do_not_exist() {
        assert_eq!(Timestamp::from_unix_millis(-1), None);
        assert_eq!(Timestamp::from_unix_millis(Timestamp::MAX.unix_millis() + 1), None);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN), None);
        assert_eq!(Timestamp::from_unix_millis(i64::MAX), None);
        for text in
            ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59-00:01", "1970-01-01T00:00:00+00:01"]
        {
            let error = Timestamp::parse_rfc3339(text).unwrap_err();
            assert_eq!(error, TimestampError::OutOfRange { given: text.to_owned() });
        }
    }

    /// attack 84
    #[test]
    fn arithmetic_never_leaves_the_range() {
        let milli = Duration::from_millis(1);
        assert_eq!(Timestamp::MAX.checked_add(milli), None);
        assert_eq!(Timestamp::MIN.checked_sub(milli), None);
        assert_eq!(at(5).checked_add(Duration::MAX), None);
        assert_eq!(at(5).checked_sub(Duration::MAX), None);
        assert_eq!(at(5).checked_add(Duration::from_millis(u64::MAX)), None);
        assert_eq!(Timestamp::MAX.checked_add(Duration::ZERO), Some(Timestamp::MAX));
    }

    #[test]
    fn a_fraction_of_a_millisecond_never_makes_an_instant_later() {
        assert_eq!(at(10).checked_add(Duration::from_micros(1_999)), Some(at(11)));
        assert_eq!(at(10).checked_sub(Duration::from_micros(1_001)), Some(at(8)));
        let parsed = Timestamp::parse_rfc3339("1970-01-01T00:00:00.0019999Z").unwrap();
        assert_eq!(parsed, at(1));
    }

    #[test]
    fn milliseconds_are_written_only_when_there_are_some() {
        let start = Timestamp::parse_rfc3339("2026-01-01T01:30:00+01:30").unwrap();
        assert_eq!(start.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(at(7).to_string(), "1970-01-01T00:00:00.007Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn between_date_and_time_stands_a_t_or_one_space() {
        let noon = Timestamp::parse_rfc3339("2026-12-24T12:00:00Z");
        for text in ["2026-12-24t12:00:00z", "2026-12-24 12:00:00Z", "2026-12-24T13:30:00+01:30"] {
            assert_eq!(Timestamp::parse_rfc3339(text), noon, "{text}");
        }
        for separator in ["X", "_", "-", ":", ".", "\t", "\n", "\u{a0}", "  ", "T ", ""] {
            let text = format!("2026-12-24{separator}12:00:00Z");
            assert!(Timestamp::parse_rfc3339(&text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_rfc_3339_time_is_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-1-1T00:00:00Z",
            "+2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+0100",
            "2026-01-01T00:00:00+01",
            "2026-01-01T00:00:00Z ",
            " 2026-01-01T00:00:00Z",
            "now",
            "0",
        ] {
            assert!(
                matches!(Timestamp::parse_rfc3339(text), Err(TimestampError::Malformed { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn serde_uses_milliseconds_and_checks_the_range() {
        assert_eq!(serde_json::to_string(&at(1_500)).unwrap(), "1500");
        assert_eq!(serde_json::from_str::<Timestamp>("1500").unwrap(), at(1_500));
        for text in ["-1", "253402300800000", "9223372036854775808", "1.5", "\"1500\""] {
            assert!(serde_json::from_str::<Timestamp>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_milliseconds_are_those_of_the_span_if_there_are_so_few(
            seconds in prop_oneof![
                any::<u64>(),
                0..10_000_u64,
                MOST_SECONDS - 2..MOST_SECONDS + 3,
                i64::MAX as u64 - 2..i64::MAX as u64 + 3,
            ],
            nanos in prop_oneof![Just(0), 0..1_000_000_000_u32, 806_000_000..809_000_000_u32],
        ) {
            let span = Duration::new(seconds, nanos);
            prop_assert_eq!(whole_millis(span), i64::try_from(span.as_millis()).ok());
        }

        #[test]
        fn text_reads_back_as_the_same_instant(millis in 0..=Timestamp::MAX.unix_millis()) {
            let instant = at(millis);
            prop_assert_eq!(Timestamp::parse_rfc3339(&instant.to_string()), Ok(instant));
        }

        #[test]
        fn adding_what_has_passed_since_gives_the_later_instant(
            a in 0..=Timestamp::MAX.unix_millis(),
            b in 0..=Timestamp::MAX.unix_millis(),
        ) {
            let (early, late) = (at(a.min(b)), at(a.max(b)));
            prop_assert_eq!(early.checked_add(late.since(early)), Some(late));
            prop_assert_eq!(late.checked_sub(late.since(early)), Some(early));
        }
    }
}
