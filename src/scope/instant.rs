//! Moments: ranges of instants, and windows that come back each week.

use std::fmt;
use std::time::Duration;

use super::constraint_error::ConstraintError;
use crate::clock::Timestamp;

/// The instants from `after` on, up to and without `before`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Instants {
    pub(crate) after: Option<Timestamp>,
    pub(crate) before: Option<Timestamp>,
}

impl Instants {
    pub(crate) fn contains(&self, instant: Timestamp) -> bool {
        self.after.is_none_or(|after| after <= instant)
            && self.before.is_none_or(|before| instant < before)
    }

    /// The instants in both.
    pub(crate) fn intersect(self, other: Instants) -> Instants {
        // Nothing is less than something, and for the end it is to be more.
        let before = match (self.before, other.before) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (one, None) | (None, one) => one,
        };
        Instants { after: self.after.max(other.after), before }
    }

    pub(crate) fn is_within(&self, wider: &Instants) -> bool {
        let after = match (self.after, wider.after) {
            (_, None) => true,
            (Some(own), Some(wide)) => own >= wide,
            (None, Some(_)) => false,
        };
        let before = match (self.before, wider.before) {
            (_, None) => true,
            (Some(own), Some(wide)) => own <= wide,
            (None, Some(_)) => false,
        };
        after && before
    }

    pub(crate) fn check(&self) -> Result<(), ConstraintError> {
        match (self.after, self.before) {
            (Some(after), Some(before)) if after >= before => Err(ConstraintError::Impossible(
                format!("`after = {after}` and `before = {before}`"),
            )),
            _ => Ok(()),
        }
    }
}

const MINUTES_PER_DAY: i64 = 24 * 60;
const MILLIS_PER_MINUTE: i64 = 60_000;

/// The furthest any place's clock is from UTC, in minutes.
const MAX_OFFSET: i16 = 14 * 60;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Hours of some days of the week, at a fixed offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Weekly {
    /// One bit a day, Monday lowest.
    days: u8,
    /// Minutes since local midnight: from the first, up to and without the second.
    from: u16,
    until: u16,
    /// Minutes ahead of UTC.
    offset: i16,
}

impl Weekly {
    /// # Errors
    /// What can't be meant: no day or an unknown one, hours not from `00:00` to `24:00` in order,
    /// an offset not between `-14:00` and `+14:00`.
    pub(crate) fn new(
        days: &[&str],
        from: &str,
        until: &str,
        offset: &str,
    ) -> Result<Self, ConstraintError> {
        let mut bits = 0;
        for day in days {
            let at = DAYS.iter().position(|own| own == day).ok_or_else(|| {
                // `Monday`, or `MON`.
                let lower = day.to_ascii_lowercase();
                let meant = DAYS.iter().find(|own| lower.starts_with(**own));
                fault(format!(
                    "`{}` is not a day, expected one of `{}`{}",
                    shown(day),
                    DAYS.join("`, `"),
                    meant.map_or(String::new(), |own| format!(": did you mean `{own}`?"))
                ))
            })?;
            bits |= 1 << at;
        }
        if bits == 0 {
            return Err(ConstraintError::Empty("days"));
        }
        let (from, until) = (clock(from)?, clock(until)?);
        if from >= until {
            return Err(ConstraintError::Impossible(format!(
                "a window from {} until {}: one that spans midnight is written as two",
                TimeOfDay(from),
                TimeOfDay(until)
            )));
        }
        Ok(Weekly { days: bits, from, until, offset: read_offset(offset)? })
    }

    /// Days, from, until, offset, as they are held.
    pub(super) fn to_bytes(self) -> [u8; 7] {
        let [from_high, from_low] = self.from.to_be_bytes();
        let [until_high, until_low] = self.until.to_be_bytes();
        let [offset_high, offset_low] = self.offset.to_be_bytes();
        [self.days, from_high, from_low, until_high, until_low, offset_high, offset_low]
    }

    /// What [`to_bytes`](Self::to_bytes) makes of a window that can be meant; `None` for all else.
    pub(super) fn from_bytes(bytes: [u8; 7]) -> Option<Self> {
        let [days, from_high, from_low, until_high, until_low, offset_high, offset_low] = bytes;
        let from = u16::from_be_bytes([from_high, from_low]);
        let until = u16::from_be_bytes([until_high, until_low]);
        let offset = i16::from_be_bytes([offset_high, offset_low]);
        let meant = (1..1 << DAYS.len()).contains(&days)
            && from < until
            && i64::from(until) <= MINUTES_PER_DAY
            && (-MAX_OFFSET..=MAX_OFFSET).contains(&offset);
        meant.then_some(Weekly { days, from, until, offset })
    }

    pub(crate) fn contains(&self, instant: Timestamp) -> bool {
        let minute = instant.unix_millis().div_euclid(MILLIS_PER_MINUTE) + i64::from(self.offset);
        // 1970 began on a Thursday.
        let day = (minute.div_euclid(MINUTES_PER_DAY) + 3).rem_euclid(7);
        let minute = minute.rem_euclid(MINUTES_PER_DAY);
        self.days & (1 << day) != 0
            && (i64::from(self.from)..i64::from(self.until)).contains(&minute)
    }

    /// Windows of one offset; others are not compared.
    pub(crate) fn is_within(&self, wider: &Weekly) -> bool {
        self.offset == wider.offset
            && self.days & !wider.days == 0
            && self.from >= wider.from
            && self.until <= wider.until
    }

    /// Where the window begins and ends, counted from the start of 1970 and within a week of it.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Duration> {
        let Weekly { days, from, until, offset } = *self;
        (0..7_i64).filter(move |day| days & (1 << day) != 0).flat_map(move |day| {
            [from, until].map(|minute| {
                // 1970 began on a Thursday, three days into its week.
                let minute = (day - 3) * MINUTES_PER_DAY + i64::from(minute) - i64::from(offset);
                let minute = minute.rem_euclid(7 * MINUTES_PER_DAY);
                Duration::from_secs(60 * minute.unsigned_abs())
            })
        })
    }

    pub(crate) fn days(&self) -> impl Iterator<Item = &'static str> {
        let days = self.days;
        DAYS.into_iter().enumerate().filter(move |(at, _)| days & (1 << at) != 0).map(|(_, d)| d)
    }

    pub(crate) fn from(&self) -> String {
        TimeOfDay(self.from).to_string()
    }

    pub(crate) fn until(&self) -> String {
        TimeOfDay(self.until).to_string()
    }

    pub(crate) fn offset(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{}", TimeOfDay(self.offset.unsigned_abs()))
    }
}

/// Minutes as `hh:mm`.
struct TimeOfDay(u16);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

fn clock(text: &str) -> Result<u16, ConstraintError> {
    minutes(text).filter(|minutes| i64::from(*minutes) <= MINUTES_PER_DAY).ok_or_else(|| {
        fault(format!(
            "`{}` is not a time of day, expected one from `00:00` to `24:00`, with two digits each",
            shown(text)
        ))
    })
}

fn read_offset(text: &str) -> Result<i16, ConstraintError> {
    let read = || {
        let (negative, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (false, rest),
            ("-", rest) => (true, rest),
            _ => return None,
        };
        let minutes = i16::try_from(minutes(rest)?).ok()?;
        (minutes <= MAX_OFFSET).then_some(if negative { -minutes } else { minutes })
    };
    read().ok_or_else(|| {
        fault(format!("`{}` is not an offset from UTC, expected one like `+01:00`", shown(text)))
    })
}

/// `hh:mm`, two digits each.
fn minutes(text: &str) -> Option<u16> {
    let [a, b, b':', c, d] = text.as_bytes() else { return None };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let minutes = digit(c)? * 10 + digit(d)?;
    (minutes < 60).then_some((digit(a)? * 10 + digit(b)?) * 60 + minutes)
}

fn fault(message: String) -> ConstraintError {
    ConstraintError::Pattern(message)
}

fn shown(text: &str) -> String {
    crate::visible::escape_for_people(text, crate::visible::SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_window_begins_and_ends_at_its_minutes_in_its_own_offset() {
        let office = Weekly::new(&["mon", "fri"], "09:00", "17:00", "+02:00").unwrap();
        for (instant, open) in [
            // 2026-01-05 is a Monday.
            ("2026-01-05T06:59:59.999Z", false),
            ("2026-01-05T07:00:00Z", true),
            ("2026-01-05T09:00:00+02:00", true),
            ("2026-01-05T14:59:59.999Z", true),
            ("2026-01-05T15:00:00Z", false),
            ("2026-01-06T10:00:00Z", false),
            ("2026-01-09T10:00:00Z", true),
        ] {
            assert_eq!(office.contains(at(instant)), open, "{instant}");
        }
        // Monday has begun there while it is Sunday in UTC.
        let early = Weekly::new(&["mon"], "00:00", "01:00", "+14:00").unwrap();
        assert!(early.contains(at("2026-01-04T10:30:00Z")));
        assert!(
            Weekly::new(&["thu"], "00:00", "24:00", "+00:00").unwrap().contains(Timestamp::MIN)
        );
    }

    /// attack 43
    #[test]
    fn windows_that_cannot_be_meant_are_refused() {
        for (days, from, until, offset) in [
            (&[][..], "09:00", "17:00", "+00:00"),
            (&["Mon"], "09:00", "17:00", "+00:00"),
            (&["mon"], "9:00", "17:00", "+00:00"),
            (&["mon"], "17:00", "09:00", "+00:00"),
            (&["mon"], "09:00", "09:00", "+00:00"),
            (&["mon"], "09:00", "24:01", "+00:00"),
            (&["mon"], "09:60", "17:00", "+00:00"),
            (&["mon"], "09:00", "17:00", "Z"),
            (&["mon"], "09:00", "17:00", "+15:00"),
            (&["mon"], "-9:00", "17:00", "+00:00"),
            (&["mon"], "09:00", "17:00", "é1:00"),
        ] {
            assert!(
                Weekly::new(days, from, until, offset).is_err(),
                "{days:?} {from} {until} {offset}"
            );
        }
    }

    #[test]
    fn a_range_of_instants_has_its_beginning_and_not_its_end() {
        let range = Instants {
            after: Some(at("2026-01-01T00:00:00Z")),
            before: Some(at("2026-01-02T00:00:00Z")),
        };
        assert!(range.contains(at("2026-01-01T00:00:00Z")));
        assert!(!range.contains(at("2026-01-02T00:00:00Z")));
        assert!(Instants { after: range.before, before: range.after }.check().is_err());
        assert!(Instants { after: range.after, before: range.after }.check().is_err());
    }

    proptest! {
        #[test]
        fn what_is_within_has_no_instant_outside(
            a in 0..100_i64, b in 0..100_i64, c in 0..100_i64, d in 0..100_i64, x in 0..100_i64,
        ) {
            let t = |n| Timestamp::from_unix_millis(n);
            let (narrow, wide) = (Instants { after: t(a), before: t(b) }, Instants { after: t(c), before: t(d) });
            let x = t(x).unwrap();
            if narrow.is_within(&wide) && narrow.contains(x) {
                prop_assert!(wide.contains(x));
            }
        }

        #[test]
        fn a_week_later_a_window_is_what_it_was(
            days in 1..128_u8, from in 0..1440_u16, length in 1..1440_u16, offset in -840..=840_i16,
            now in 0..10_000_000_000_i64,
        ) {
            let weekly = Weekly { days, from, until: (from + length).min(1440), offset };
            let week = 7 * MINUTES_PER_DAY * MILLIS_PER_MINUTE;
            let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
            prop_assert_eq!(weekly.contains(at(now)), weekly.contains(at(now + week)));
        }
    }
}
