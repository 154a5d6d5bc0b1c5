//! Windows of time that come back each week.

use std::fmt;
use std::time::Duration;

use super::constraint_error::ConstraintError;
use super::truth::Truth;
use super::zone::Zone;
use crate::clock::Timestamp;

const MINUTES_PER_DAY: i64 = 24 * 60;
const SECONDS_PER_MINUTE: i64 = 60;
const WEEK: i64 = 7 * MINUTES_PER_DAY * SECONDS_PER_MINUTE;

/// The furthest any place's clock is from UTC, in minutes.
const MAX_OFFSET: i16 = 14 * 60;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Hours of some days of the week, by the clocks of one place.
///
/// An instant lies in the window if the place's clocks show a time in it. So where clocks are put forward, what they
/// leave out is in no window, and where they are put back, what they show twice is in it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Weekly {
    /// One bit a day, Monday lowest.
    days: u8,
    /// Minutes since local midnight: from the first, up to and without the second.
    from: u16,
    until: u16,
    place: Place,
}

/// By which clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// Minutes ahead of UTC.
    Offset(i16),
    Zone(Zone),
}

impl Place {
    /// # Errors
    /// An offset not between `-14:00` and `+14:00`.
    pub(crate) fn at_offset(offset: &str) -> Result<Self, ConstraintError> {
        read_offset(offset).map(Place::Offset)
    }

    /// # Errors
    /// A name that the database of time zones does not have.
    pub(crate) fn in_zone(name: &str) -> Result<Self, ConstraintError> {
        Zone::named(name).map(Place::Zone)
    }

    /// How many seconds its clocks are ahead of UTC; `None` where that is not known.
    fn ahead(self, instant: Timestamp) -> Option<i64> {
        match self {
            Place::Offset(minutes) => Some(i64::from(minutes) * SECONDS_PER_MINUTE),
            Place::Zone(zone) => zone.ahead(instant),
        }
    }
}

impl Weekly {
    /// # Errors
    /// What can't be meant: no day or an unknown one, hours not from `00:00` to `24:00` in order.
    pub(crate) fn new(
        days: &[&str],
        from: &str,
        until: &str,
        place: Place,
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
        Ok(Weekly { days: bits, from, until, place })
    }

    /// Days, from, until, offset, as they are held; `None` for clocks of a zone, which tokens have no number for.
    pub(super) fn to_bytes(self) -> Option<[u8; 7]> {
        let offset = match self.place {
            Place::Offset(offset) => offset,
            Place::Zone(_) => return None,
        };
        let [from_high, from_low] = self.from.to_be_bytes();
        let [until_high, until_low] = self.until.to_be_bytes();
        let [offset_high, offset_low] = offset.to_be_bytes();
        Some([self.days, from_high, from_low, until_high, until_low, offset_high, offset_low])
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
        meant.then_some(Weekly { days, from, until, place: Place::Offset(offset) })
    }

    /// Whether the place's clocks show a time of the window; unknown where it is not known what they show.
    pub(crate) fn contains(&self, instant: Timestamp) -> Truth {
        let Some(ahead) = self.place.ahead(instant) else { return Truth::Unknown };
        let second = instant.unix_millis().div_euclid(1000) + ahead;
        let minute = second.div_euclid(SECONDS_PER_MINUTE);
        // 1970 began on a Thursday.
        let day = (minute.div_euclid(MINUTES_PER_DAY) + 3).rem_euclid(7);
        let minute = minute.rem_euclid(MINUTES_PER_DAY);
        let open = self.days & (1 << day) != 0
            && (i64::from(self.from)..i64::from(self.until)).contains(&minute);
        Truth::of(open)
    }

    /// Windows of one place; others are not compared.
    pub(crate) fn is_within(&self, wider: &Weekly) -> bool {
        self.place == wider.place
            && self.days & !wider.days == 0
            && self.from >= wider.from
            && self.until <= wider.until
    }

    /// Where the window begins and ends in a week that shows all weeks of its place: the first of 1970, or one in
    /// which the zone's clocks are not moved.
    pub(crate) fn edges(&self) -> Vec<Timestamp> {
        let start = match self.place {
            Place::Offset(_) => {
                Timestamp::MIN.checked_add(Duration::from_secs(WEEK.unsigned_abs()))
            }
            Place::Zone(zone) => zone.quiet_week(),
        };
        let Some((start, ahead)) = start.and_then(|start| Some((start, self.place.ahead(start)?)))
        else {
            return Vec::new();
        };
        let Weekly { days, from, until, .. } = *self;
        let days = (0..7_i64).filter(|day| days & (1 << day) != 0);
        let edges = days.flat_map(|day| [from, until].map(|minute| (day, i64::from(minute))));
        edges
            .filter_map(|(day, minute)| {
                // 1970 began on a Thursday, three days into its week.
                let minute = (day - 3) * MINUTES_PER_DAY + minute;
                let second = minute * SECONDS_PER_MINUTE - ahead - start.unix_millis() / 1000;
                start.checked_add(Duration::from_secs(second.rem_euclid(WEEK).unsigned_abs()))
            })
            .collect()
    }

    /// The zone by whose clocks it is, if they are those of one.
    pub(crate) fn zone(&self) -> Option<Zone> {
        match self.place {
            Place::Offset(_) => None,
            Place::Zone(zone) => Some(zone),
        }
    }

    /// Whether every instant lies in it.
    pub(crate) fn is_always(&self) -> bool {
        matches!(self.place, Place::Offset(_))
            && self.days.count_ones() == 7
            && self.from == 0
            && i64::from(self.until) == MINUTES_PER_DAY
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

    /// The key by which policies say whose clocks count, and what stands there.
    pub(crate) fn clocks(&self) -> (&'static str, String) {
        match self.place {
            Place::Zone(zone) => ("zone", zone.name().to_owned()),
            Place::Offset(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                ("offset", format!("{sign}{}", TimeOfDay(offset.unsigned_abs())))
            }
        }
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
        let place = if text.contains(|c: char| c.is_ascii_alphabetic()) {
            ": a place that moves its clocks is said by `zone`"
        } else {
            ""
        };
        fault(format!(
            "`{}` is not an offset from UTC, expected one like `+01:00`{place}",
            shown(text)
        ))
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

    fn window(
        days: &[&str],
        from: &str,
        until: &str,
        offset: &str,
    ) -> Result<Weekly, ConstraintError> {
        Weekly::new(days, from, until, Place::at_offset(offset)?)
    }

    #[test]
    fn a_window_begins_and_ends_at_its_minutes_in_its_own_offset() {
        let office = window(&["mon", "fri"], "09:00", "17:00", "+02:00").unwrap();
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
            assert_eq!(office.contains(at(instant)), Truth::of(open), "{instant}");
        }
        // Monday has begun there while it is Sunday in UTC.
        let early = window(&["mon"], "00:00", "01:00", "+14:00").unwrap();
        assert_eq!(early.contains(at("2026-01-04T10:30:00Z")), Truth::True);
        let thursday = window(&["thu"], "00:00", "24:00", "+00:00").unwrap();
        assert_eq!(thursday.contains(Timestamp::MIN), Truth::True);
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
            assert!(window(days, from, until, offset).is_err(), "{days:?} {from} {until} {offset}");
        }
    }

    proptest! {
        #[test]
        fn a_week_later_a_window_is_what_it_was(
            days in 1..128_u8, from in 0..1440_u16, length in 1..1440_u16, offset in -840..=840_i16,
            now in 0..10_000_000_000_i64,
        ) {
            let weekly = Weekly { days, from, until: (from + length).min(1440), place: Place::Offset(offset) };
            let week = WEEK * 1000;
            let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
            prop_assert_eq!(weekly.contains(at(now)), weekly.contains(at(now + week)));
        }
    }
}
