//! Exact numbers against a naive model: schoolbook arithmetic on digits.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use hallpass::value::{Number, NumberError};
use proptest::prelude::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// A decimal as digits from 10^99 down to 10^-100, and a sign.
#[derive(Clone, Debug, PartialEq)]
struct Schoolbook {
    negative: bool,
    digits: Vec<u8>,
}

const WIDTH: usize = 200;
const UNITS_AT: i64 = 99;

impl Schoolbook {
    fn read(text: &str) -> Schoolbook {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i64>().unwrap()),
            None => (text, 0),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let mut digits = vec![0; WIDTH];
        let first = UNITS_AT - (whole.len() as i64 - 1) - exponent;
        for (at, digit) in whole.chars().chain(fraction.chars()).enumerate() {
            let digit = digit.to_digit(10).unwrap() as u8;
            if digit != 0 {
                digits[usize::try_from(first + at as i64).unwrap()] = digit;
            }
        }
        Schoolbook { negative: negative && digits.iter().any(|digit| *digit != 0), digits }
    }

    fn fits(&self) -> bool {
        let Some(first) = self.digits.iter().position(|digit| *digit != 0) else { return true };
        let last = self.digits.iter().rposition(|digit| *digit != 0).unwrap();
        let end = last.max(UNITS_AT as usize);
        end - first < 38 && end <= UNITS_AT as usize + 38
    }

    fn cmp(&self, other: &Schoolbook) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.digits.cmp(&other.digits),
            (true, true) => other.digits.cmp(&self.digits),
        }
    }

    fn add(&self, other: &Schoolbook) -> Schoolbook {
        if self.negative == other.negative {
            let digits = columns(&self.digits, &other.digits, |a, b| a + b);
            return Schoolbook { negative: self.negative, digits };
        }
        let (large, small) =
            if self.digits >= other.digits { (self, other) } else { (other, self) };
        let digits = columns(&large.digits, &small.digits, |a, b| a - b);
        Schoolbook { negative: large.negative && digits.iter().any(|d| *d != 0), digits }
    }

    fn negated(&self) -> Schoolbook {
        let zero = self.digits.iter().all(|digit| *digit == 0);
        Schoolbook { negative: !self.negative && !zero, digits: self.digits.clone() }
    }
}

fn columns(left: &[u8], right: &[u8], op: impl Fn(i8, i8) -> i8) -> Vec<u8> {
    let mut carry = 0;
    let mut digits: Vec<u8> = left
        .iter()
        .zip(right)
        .rev()
        .map(|(a, b)| {
            let column = op(*a as i8, *b as i8) + carry;
            carry = column.div_euclid(10);
            column.rem_euclid(10) as u8
        })
        .collect();
    digits.reverse();
    digits
}

/// Spellings that often lie near the edges: many nines and zeros, up to 45 digits, any point.
fn spellings() -> impl Strategy<Value = String> {
    let digits = prop_oneof!["[0-9]{1,4}", "[0-9]{1,42}", "(9|0){30,40}", "[0-9]{37,39}"];
    (any::<bool>(), digits, any::<prop::sample::Index>(), prop::option::of(-45_i64..45)).prop_map(
        |(negative, digits, point, exponent)| {
            let (whole, fraction) = digits.split_at(point.index(digits.len()));
            let whole = match whole.trim_start_matches('0') {
                "" => "0",
                whole => whole,
            };
            let mut text = if negative { "-".to_owned() } else { String::new() };
            text.push_str(whole);
            if !fraction.is_empty() {
                text.push('.');
                text.push_str(fraction);
            }
            if let Some(exponent) = exponent {
                text.push_str(&format!("e{exponent}"));
            }
            text
        },
    )
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        spellings().prop_filter_map("fits", |text| Number::parse(&text).ok()),
        (-1000_i32..1000, 0_u8..4)
            .prop_map(|(digits, scale)| number(&format!("{digits}e-{scale}"))),
        any::<i64>().prop_map(Number::from),
    ]
}

fn hash(number: Number) -> u64 {
    let mut hasher = DefaultHasher::new();
    number.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_spelling_is_read_exactly_or_refused_as_too_wide(text in spellings()) {
        let model = Schoolbook::read(&text);
        match Number::parse(&text) {
            Ok(number) => {
                prop_assert!(model.fits());
                prop_assert_eq!(Schoolbook::read(&number.to_string()), model);
            }
            Err(error) => {
                prop_assert_eq!(error, NumberError::TooManyDigits);
                prop_assert!(!model.fits());
            }
        }
    }

    #[test]
    fn a_number_written_reads_back_as_the_same(number in numbers()) {
        prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
    }

    #[test]
    fn the_order_is_that_of_the_decimals(left in numbers(), right in numbers()) {
        let models = (Schoolbook::read(&left.to_string()), Schoolbook::read(&right.to_string()));
        prop_assert_eq!(left.cmp(&right), models.0.cmp(&models.1));
        prop_assert_eq!(left == right, models.0 == models.1);
        prop_assert!(left != right || hash(left) == hash(right));
    }

    #[test]
    fn the_order_of_floats_is_kept(left in -1e15..1e15_f64, right in -1e15..1e15_f64, near in any::<bool>()) {
        let right = if near { left.next_up() } else { right };
        let numbers = (Number::try_from(left)?, Number::try_from(right)?);
        prop_assert_eq!(numbers.0.partial_cmp(&numbers.1), left.partial_cmp(&right));
    }

    #[test]
    fn sums_and_differences_are_exact_or_refused(left in numbers(), right in numbers()) {
        let models = (Schoolbook::read(&left.to_string()), Schoolbook::read(&right.to_string()));
        for (result, model) in [
            (left.checked_add(right), models.0.add(&models.1)),
            (left.checked_sub(right), models.0.add(&models.1.negated())),
        ] {
            match result {
                Some(result) => prop_assert_eq!(Schoolbook::read(&result.to_string()), model),
                None => prop_assert!(!model.fits()),
            }
        }
    }

    #[test]
    fn a_result_of_arithmetic_equals_the_same_number_read(left in numbers(), right in numbers()) {
        if let Some(sum) = left.checked_add(right) {
            prop_assert_eq!(Number::parse(&sum.to_string()), Ok(sum), "canonical form");
            prop_assert_eq!(sum.checked_sub(right), Some(left));
        }
    }

    #[test]
    fn integers_of_every_width_come_and_go(signed in any::<i64>(), unsigned in any::<u64>(), wide in any::<i128>()) {
        prop_assert_eq!(Number::from(signed).to_i64(), Some(signed));
        prop_assert_eq!(Number::from(unsigned).to_u64(), Some(unsigned));
        prop_assert_eq!(Number::from(signed).to_string(), signed.to_string());
        prop_assert_eq!(Number::from(unsigned).to_string(), unsigned.to_string());
        prop_assert_eq!(Number::try_from(wide).is_ok(), wide.unsigned_abs() < 10_u128.pow(38));
        let tenth = wide / 10;
        prop_assert_eq!(Number::try_from(tenth).unwrap().to_string(), tenth.to_string());
    }

    #[test]
    fn a_float_is_its_shortest_spelling(float in any::<f64>()) {
        let spelt = format!("{float:?}");
        prop_assert_eq!(Number::try_from(float), Number::parse(&spelt));
        if let Ok(number) = Number::try_from(float) {
            prop_assert_eq!(number.to_string().parse::<f64>().unwrap(), float);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-+0-9.eE]{0,60}") {
        let _ = Number::parse(&text);
    }
}

#[test]
fn equal_values_are_equal_whatever_their_spelling() {
    for spelling in
        ["1", "1.0", "10e-1", "0.1e1", "1.000000000000000000000000000000000000000000000"]
    {
        assert_eq!(number(spelling), Number::from(1), "{spelling}");
    }
}

/// attack 26: `-0.0` is nought, NaN and infinities are not numbers.
#[test]
fn nought_has_no_sign_and_what_is_no_number_is_refused() {
    for spelling in ["0", "-0", "-0.0", "0e5", "-0e-5", "0e999999", "0e-999999999999999999999999"] {
        let nought = number(spelling);
        assert_eq!(nought, Number::ZERO, "{spelling}");
        assert_eq!(nought.to_string(), "0");
        assert!(!nought.is_negative());
    }
    assert_eq!(Number::try_from(-0.0), Ok(Number::ZERO));
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Number::try_from(float), Err(NumberError::NotANumber));
    }
    for text in ["NaN", "Infinity", "-inf", "\"1\"", "true"] {
        assert_eq!(Number::parse(text), Err(NumberError::NotANumber), "{text}");
    }
}

/// attack 27: neighbours no float tells apart, the ends of the integers, and numbers past any end.
#[test]
fn wide_numbers_are_exact_or_refused() {
    assert!(number("9007199254740993") > number("9007199254740992"));
    assert!(number("9007199254740992.1") > number("9007199254740992"));
    assert_eq!(number("-9223372036854775808").to_i64(), Some(i64::MIN));
    assert_eq!(number("18446744073709551615").to_u64(), Some(u64::MAX));
    assert_eq!(number("18446744073709551616").to_u64(), None);
    assert_eq!(number("18446744073709551615").to_i64(), None);
    assert_eq!(number("-1").to_u64(), None);

    let nines = "9".repeat(38);
    assert_eq!(number(&nines).to_string(), nines);
    assert_eq!(number(&format!("-0.{nines}")).to_string(), format!("-0.{nines}"));
    let too_wide = [
        "1e38",
        "1e400",
        "-1e400",
        "1e999999999999",
        "1e-39",
        "1e-999999999999999999999999",
        "1e99999999999999999999999999999999999999",
        "1000000000000000000000000000000000000.01",
        "100000000000000000000000000000000000001e1",
    ];
    for text in too_wide {
        assert_eq!(Number::parse(text), Err(NumberError::TooManyDigits), "{text}");
    }
    for edge in [10_i128.pow(38), -(10_i128.pow(38)), i128::MIN, i128::MAX] {
        assert_eq!(Number::try_from(edge), Err(NumberError::TooManyDigits));
    }
    assert_eq!(Number::try_from(10_i128.pow(38) - 1), Ok(number(&nines)));
    assert_eq!(Number::try_from(10_u128.pow(38)), Err(NumberError::TooManyDigits));
    assert_eq!(Number::try_from(u128::MAX), Err(NumberError::TooManyDigits));
    assert_eq!(Number::parse(&format!("{nines}9")), Err(NumberError::TooManyDigits));
    assert_eq!(number(&format!("1{}e-60", "0".repeat(60))), Number::from(1));
    assert_eq!(number(&format!("0.{}1e60", "0".repeat(59))), Number::from(1));
}

#[test]
fn the_grammar_is_that_of_json() {
    for text in [
        "", "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1e-", "0x1",
        "1_0", " 1", "1 ", "1,5", "--1", "1e1.5", "1.2.3", "١", "1e1e1",
    ] {
        assert_eq!(Number::parse(text), Err(NumberError::NotANumber), "`{text}`");
    }
    assert_eq!(number("-12.50E+1"), Number::from(-125));
}

#[test]
fn sums_at_the_edge_fit_if_their_value_does() {
    let half = number("5.0000000000000000000000000000000000005");
    assert_eq!(half.checked_add(half), Some(number("10.000000000000000000000000000000000001")));
    let most = number(&"9".repeat(38));
    assert_eq!(most.checked_add(Number::from(1)), None);
    assert_eq!(most.checked_add(number("0.1")), None);
    assert_eq!(most.checked_sub(most), Some(Number::ZERO));
    assert_eq!(most.checked_add(most), None);
    assert_eq!(number("1e-38").checked_add(number("1e37")), None);
}

#[test]
fn integers_are_told_from_decimals_by_value() {
    assert!(number("1.0").is_integer());
    assert!(!number("1.5").is_integer());
    assert_eq!(number("1.5").to_i64(), None);
    assert!(number("-0.5").is_negative());
}

#[test]
fn a_number_takes_24_bytes() {
    assert_eq!(size_of::<Number>(), 24);
    assert_eq!(align_of::<Number>(), 8);
}
