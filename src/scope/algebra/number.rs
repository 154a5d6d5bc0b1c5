//! Numbers: cut at every bound and every number named, with one number from each piece.

use super::super::constraint::Node;
use super::super::value_type::ValueType;
use super::cells::Sampler;
use crate::meter::{Meter, Work};
use crate::value::{Number, Value};

/// Of finding a number between two others.
const STEPS_TO_DIVIDE: usize = 100;

/// The digits a number has at most, and the places behind its point.
const PLACES: u32 = 38;
const LIMIT: i128 = 10_i128.pow(PLACES);

/// Exact: between two bounds all numbers get the same answers, and where a piece has no number of at
/// most 38 digits there is none to be asked about.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) {
    let mut cuts = Vec::new();
    let mut integers = false;
    for test in sampler.tests {
        test.leaves(&mut |leaf, _| match &leaf.0 {
            Node::Range(own) => {
                let range = own.range();
                cuts.extend(range.lower.iter().chain(&range.upper).map(|bound| bound.number));
            }
            Node::Type(ValueType::Integer) => integers = true,
            _ => {}
        });
        test.values(&mut |value| cuts.extend(value.as_number()));
    }
    cuts.sort();
    cuts.dedup();
    for cut in &cuts {
        sampler.offer(Some(Value::Number(*cut)), meter);
    }
    let ends = || std::iter::once(None);
    let lower = ends().chain(cuts.iter().copied().map(Some));
    let upper = cuts.iter().copied().map(Some).chain(ends());
    for (low, high) in lower.zip(upper) {
        if sampler.done() {
            return;
        }
        if !meter.charge(STEPS_TO_DIVIDE * (1 + 3 * usize::from(integers)), Work::Containing) {
            return sampler.give_up();
        }
        // An integer, if there is one.
        let one = between(low, high);
        let other = if integers { fraction_between(low, high) } else { None };
        for number in one.into_iter().chain(other) {
            sampler.offer(Some(Value::Number(number)), meter);
        }
    }
}

/// The number with the fewest places behind the point strictly between two others.
pub(super) fn between(low: Option<Number>, high: Option<Number>) -> Option<Number> {
    (0..=PLACES).find_map(|places| {
        let digits = match (low, high) {
            (Some(low), _) => floor_at(low, places)?.max(-LIMIT).checked_add(1)?,
            (None, Some(high)) => {
                // The largest below `high`.
                let floor = floor_at(high, places)?.min(LIMIT);
                let exact = number(floor, places) == Some(high);
                if exact { floor - 1 } else { floor.min(LIMIT - 1) }
            }
            (None, None) => 0,
        };
        let found = number(digits, places)?;
        let above = low.is_none_or(|low| low < found);
        let below = high.is_none_or(|high| found < high);
        (above && below).then_some(found)
    })
}

/// A number with a fraction strictly between two others. Such numbers lie the denser the nearer they are
/// to zero: so there is one at zero or at the end that is next to it, if there is one at all.
fn fraction_between(low: Option<Number>, high: Option<Number>) -> Option<Number> {
    let whole_above = |low: Number| number(floor_at(low, 0)?.checked_add(1)?, 0);
    let whole_below = |high: Number| {
        let floor = floor_at(high, 0)?;
        if number(floor, 0) == Some(high) {
            number(floor.checked_sub(1)?, 0)
        } else {
            number(floor, 0)
        }
    };
    let behind_low = || low.and_then(|own| between(Some(own), least(high, whole_above(own))));
    let before_high = || high.and_then(|own| between(most(low, whole_below(own)), Some(own)));
    let around_zero = [number(5, 1), number(-5, 1)].into_iter().flatten();
    let all = around_zero.chain(behind_low()).chain(before_high());
    let is_between = |own: &Number| {
        !own.is_integer() && low.is_none_or(|low| low < *own) && high.is_none_or(|high| *own < high)
    };
    // Next to an end that is near zero, too: `0` and `0.5`.
    let near = || between(most(low, number(0, 0)), least(high, number(1, 0)));
    let near_below = || between(most(low, number(-1, 0)), least(high, number(0, 0)));
    all.chain(near()).chain(near_below()).find(is_between)
}

/// The lesser of two ends, of which a missing one is not an end.
fn least(one: Option<Number>, other: Option<Number>) -> Option<Number> {
    one.into_iter().chain(other).min()
}

fn most(one: Option<Number>, other: Option<Number>) -> Option<Number> {
    one.into_iter().chain(other).max()
}

/// The number's digits, rounded down to `places` decimal places; beyond the limits where it has too many.
fn floor_at(number: Number, places: u32) -> Option<i128> {
    let (digits, scale) = number.parts();
    let scale = u32::from(scale);
    Some(if places >= scale {
        match 10_i128.checked_pow(places - scale).and_then(|unit| digits.checked_mul(unit)) {
            Some(digits) => digits,
            None if digits < 0 => -LIMIT,
            None => LIMIT,
        }
    } else {
        digits.div_euclid(10_i128.checked_pow(scale - places)?)
    })
}

/// `digits` with the point before the last `places` of them.
fn number(digits: i128, places: u32) -> Option<Number> {
    if digits.abs() >= LIMIT {
        return None;
    }
    Number::parse(&format!("{digits}e-{places}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn n(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn the_simplest_number_between_two_is_found_where_there_is_one() {
        let most = "99999999999999999999999999999999999999";
        for (low, high, found) in [
            ("1", "3", Some("2")),
            ("1", "2", Some("1.1")),
            ("-2", "-1", Some("-1.9")),
            ("0.1", "0.11", Some("0.101")),
            ("-0.5", "0.5", Some("0")),
            ("0", "1e-37", Some("1e-38")),
            ("0", "1e-38", None),
            ("99999999999999999999999999999999999998", most, None),
            (
                "9999999999999999999999999999999999999",
                "10000000000000000000000000000000000000",
                Some("9999999999999999999999999999999999999.1"),
            ),
        ] {
            assert_eq!(between(Some(n(low)), Some(n(high))), found.map(n), "{low} {high}");
        }
        assert_eq!(between(Some(n(most)), None), None);
        assert_eq!(between(None, Some(n(&format!("-{most}")))), None);
        assert_eq!(between(None, Some(n("0.5"))), Some(n("0")));
        assert_eq!(between(None, Some(n("0"))), Some(n("-1")));
    }

    #[test]
    fn a_number_with_a_fraction_is_found_where_there_is_one() {
        let most = "99999999999999999999999999999999999999";
        for (low, high, is_there) in [
            (None, None, true),
            (Some("0"), Some("1"), true),
            (Some("0"), Some("1e-37"), true),
            (Some("0"), Some("1e-38"), false),
            (Some("0.25"), Some("0.5"), true),
            (Some("-3"), Some("-2"), true),
            (Some("-3"), Some("7"), true),
            (Some("1e36"), None, true),
            (Some("1e37"), None, false),
            (None, Some("-1e37"), false),
            (None, Some("-1e36"), true),
            (Some("9999999999999999999999999999999999999"), Some("1e37"), true),
            (Some("99999999999999999999999999999999999997"), Some(most), false),
            (Some("-1e37"), Some("1e37"), true),
            (Some("7"), None, true),
            (None, Some("0"), true),
        ] {
            let found = fraction_between(low.map(n), high.map(n));
            assert_eq!(found.is_some(), is_there, "{low:?} {high:?}: {found:?}");
            assert!(found.is_none_or(|own| !own.is_integer()
                && low.is_none_or(|low| n(low) < own)
                && high.is_none_or(|high| own < n(high))));
        }
    }

    proptest! {
        #[test]
        fn what_is_found_lies_between(
            a in any::<i128>(), b in any::<i128>(), places in 0..39_u32, more in 0..39_u32,
        ) {
            let a = number(a % LIMIT, places).unwrap();
            let b = number(b % LIMIT, more).unwrap();
            let (low, high) = (a.min(b), a.max(b));
            if let Some(found) = between(Some(low), Some(high)) {
                prop_assert!(low < found && found < high);
            }
            let below = between(None, Some(low)).unwrap();
            prop_assert!(below < low);
            prop_assert!(between(Some(high), None).unwrap() > high);
        }
    }
}
