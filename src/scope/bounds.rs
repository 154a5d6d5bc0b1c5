//! An interval of numbers in little room: rules by the hundred thousand have one each, mostly of small integers.

use super::kind::{Bound, Range};
use crate::value::Number;

/// A [`Range`], in a third of its room where its bounds are integers of 64 bits. One range has one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bounds {
    Small { lower: i64, upper: i64, ends: Ends },
    Wide(Box<Range>),
}

/// Which of the two bounds there are, and which of them belong to the interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Ends(u8);

const LOWER: u8 = 1;
const LOWER_INCLUSIVE: u8 = 2;
const UPPER: u8 = 4;
const UPPER_INCLUSIVE: u8 = 8;

impl Ends {
    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

impl Bounds {
    pub(crate) fn range(&self) -> Range {
        match self {
            Bounds::Small { lower, upper, ends } => {
                let bound = |bit, number: i64, inclusive| {
                    let number = Number::from(number);
                    ends.has(bit).then_some(Bound { number, inclusive: ends.has(inclusive) })
                };
                Range {
                    lower: bound(LOWER, *lower, LOWER_INCLUSIVE),
                    upper: bound(UPPER, *upper, UPPER_INCLUSIVE),
                }
            }
            Bounds::Wide(range) => **range,
        }
    }

    /// As [`Range::contains`].
    #[inline]
    pub(crate) fn contains(&self, number: Number) -> bool {
        match (self, number.to_i64()) {
            (Bounds::Small { lower, upper, ends }, Some(number)) => {
                let above = number > *lower || (number == *lower && ends.has(LOWER_INCLUSIVE));
                let below = number < *upper || (number == *upper && ends.has(UPPER_INCLUSIVE));
                (above || !ends.has(LOWER)) && (below || !ends.has(UPPER))
            }
            _ => self.range().contains(number),
        }
    }
}

impl From<Range> for Bounds {
    fn from(range: Range) -> Self {
        let mut ends = Ends::default();
        // `None` where a bound has no room here.
        let mut small = |bound: Option<Bound>, bit, inclusive| match bound {
            None => Some(0),
            Some(bound) => {
                ends.0 |= bit | if bound.inclusive { inclusive } else { 0 };
                bound.number.to_i64()
            }
        };
        let lower = small(range.lower, LOWER, LOWER_INCLUSIVE);
        let upper = small(range.upper, UPPER, UPPER_INCLUSIVE);
        match (lower, upper) {
            (Some(lower), Some(upper)) => Bounds::Small { lower, upper, ends },
            _ => Bounds::Wide(Box::new(range)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scope::constraint::Constraint;

    fn numbers() -> impl Strategy<Value = Number> {
        const TEXTS: [&str; 5] =
            ["0.5", "-0.5", "9223372036854775808", "-9223372036854775809", "1e30"];
        prop_oneof![
            (-3..4_i64).prop_map(Number::from),
            prop_oneof![Just(i64::MAX), Just(i64::MIN)].prop_map(Number::from),
            proptest::sample::select(&TEXTS[..]).prop_map(|text| Number::parse(text).unwrap()),
        ]
    }

    fn bounds() -> impl Strategy<Value = Option<Bound>> {
        let bound = (numbers(), any::<bool>());
        proptest::option::of(bound.prop_map(|(number, inclusive)| Bound { number, inclusive }))
    }

    proptest! {
        #[test]
        fn bounds_are_those_of_the_range_and_hold_the_same_numbers(
            lower in bounds(), upper in bounds(), number in numbers(),
        ) {
            let range = Range { lower, upper };
            let own = Bounds::from(range);
            prop_assert_eq!(own.range(), range);
            let ends = [lower, upper].into_iter().flatten().map(|bound| bound.number);
            for number in ends.chain([number]) {
                prop_assert_eq!(own.contains(number), range.contains(number), "{:?}", number);
            }
        }
    }

    #[test]
    fn a_constraint_has_the_room_of_four_words() {
        assert!(size_of::<Constraint>() <= 32);
    }
}
