//! Values and lists against sets, without asking each value of each.

use super::constraint::{Constraint, Node};
use super::kind::{Set, steps_to_compare, steps_to_search};
use super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::Value;

/// How many values there are before they are sorted to be found.
const FEW: usize = 8;

/// Whether the set has `value`; unknown if it has none of that kind. The steps in addition to those of
/// finding it are taken with them.
#[inline]
pub(super) fn is_one_of(set: &Set, value: &Value, more_steps: usize, meter: &Meter) -> Truth {
    if !meter.charge(more_steps + set.steps_to_find(value), Work::Comparing) {
        return Truth::Unknown;
    }
    if set.contains(value) {
        Truth::True
    } else if set.has_kind_of(value) {
        Truth::False
    } else {
        Truth::Unknown
    }
}

/// Whether any element is of the set. No more are asked for once one is, or nothing more can be paid for.
#[inline]
pub(super) fn has_any(set: &Set, elements: &[Value], meter: &Meter) -> Truth {
    let mut any = Truth::False;
    let mut near = 0;
    for element in elements {
        let is_of_set = match set.is_few() {
            true => is_one_of(set, element, 0, meter),
            false if !meter.charge(set.steps_to_find(element), Work::Comparing) => Truth::Unknown,
            false => set.tell_near(element, &mut near),
        };
        match is_of_set {
            Truth::True => return Truth::True,
            Truth::False => {}
            Truth::Unknown if meter.is_spent() => return Truth::Unknown,
            Truth::Unknown => any = Truth::Unknown,
        }
    }
    any
}

/// Whether each value of the set is among the elements. One that is not is known to be missing only
/// where all elements are of its kind.
pub(super) fn contains_all(set: &Set, elements: &[Value], meter: &Meter) -> Truth {
    let mut kinds = 0;
    let mut missing = vec![true; set.len()];
    let mut left = set.len();
    for element in elements {
        if !meter.charge(set.steps_to_find(element), Work::Comparing) {
            return Truth::Unknown;
        }
        kinds |= kind_bit(element);
        if let Some(missing) = set.position(element).and_then(|at| missing.get_mut(at)) {
            left -= usize::from(std::mem::take(missing));
            if left == 0 {
                return Truth::True;
            }
        }
    }
    if !meter.charge(set.len(), Work::Comparing) {
        return Truth::Unknown;
    }
    let known = |wanted: &Value| kinds & !kind_bit(wanted) == 0;
    let mut missing = set.iter().zip(missing).filter(|(_, missing)| *missing);
    if missing.any(|(wanted, _)| known(wanted)) { Truth::False } else { Truth::Unknown }
}

/// Whether two values are equal; unknown if they are of different kinds.
pub(super) fn is_same(value: &Value, wanted: &Value, meter: &Meter) -> Truth {
    if value.kind_name() != wanted.kind_name() {
        return Truth::Unknown;
    }
    let affordable = match (value, wanted) {
        // Of different lengths they are not compared.
        (Value::Text(one), Value::Text(other)) if one.len() != other.len() => true,
        // What is compared of the two is in both.
        _ => pays_for(value, meter),
    };
    if affordable { Truth::of(value == wanted) } else { Truth::Unknown }
}

/// Takes the steps of looking at all of a value.
fn pays_for(value: &Value, meter: &Meter) -> bool {
    match value {
        Value::Text(text) => meter.charge_bytes(text.len(), Work::Comparing),
        Value::List(list) => {
            meter.charge(1, Work::Comparing) && list.iter().all(|own| pays_for(own, meter))
        }
        Value::Object(object) => {
            meter.charge(1, Work::Comparing)
                && object.iter().all(|(key, own)| {
                    meter.charge_bytes(key.len(), Work::Comparing) && pays_for(own, meter)
                })
        }
        _ => meter.charge(1, Work::Comparing),
    }
}

fn kind_bit(value: &Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 4,
        Value::Text(_) => 8,
        Value::List(_) => 16,
        Value::Object(_) => 32,
    }
}

/// Many `eq` and `one_of` of an `any`, or as many of them under `not` in an `all`, as one set: for asking
/// it of a long list.
pub(super) struct Union<'c> {
    /// Every value that one of them names, sorted.
    named: Vec<&'c Value>,
    longest: usize,
    /// Kinds of which each of them has a value: of these it is known what is not named.
    kinds: u8,
    /// What else stands in the `any` or `all`.
    rest: Vec<&'c Constraint>,
    /// Whether they are `not`s in an `all`.
    excluded: bool,
}

impl<'c> Union<'c> {
    /// `None` where there is nothing to gain, or it can't be paid for.
    pub(super) fn of(constraint: &'c Constraint, meter: &Meter) -> Option<Self> {
        let (parts, excluded) = match &constraint.0 {
            Node::AnyOf(parts) => (parts, false),
            Node::All(parts) => (parts, true),
            _ => return None,
        };
        if parts.len() <= FEW || !meter.charge(parts.len(), Work::Comparing) {
            return None;
        }
        let set = |part: &'c Constraint| match (&part.0, excluded) {
            (Node::Is(set), false) => Some(set),
            (Node::Not(inner), true) => match &inner.0 {
                Node::Is(set) => Some(set),
                _ => None,
            },
            _ => None,
        };
        let mut union =
            Union { named: Vec::new(), longest: 0, kinds: u8::MAX, rest: Vec::new(), excluded };
        for part in parts {
            match set(part) {
                Some(set) => {
                    union.named.extend(set.iter());
                    union.longest = union.longest.max(set.longest());
                    union.kinds &= set.iter().fold(0, |kinds, own| kinds | kind_bit(own));
                }
                None => union.rest.push(part),
            }
        }
        let steps = union.named.len() * steps_to_search(union.named.len());
        if union.named.len() <= FEW || !meter.charge(steps, Work::Comparing) {
            return None;
        }
        union.named.sort_unstable();
        Some(union)
    }

    /// What stands next to the set, and how both are put together: by `any`, or else by `all`.
    pub(super) fn rest(&self) -> (&[&'c Constraint], bool) {
        (&self.rest, !self.excluded)
    }

    /// What the set's parts say of `value`.
    pub(super) fn says_of(&self, value: &Value, meter: &Meter) -> Truth {
        let steps = steps_to_search(self.named.len()) * steps_to_compare(value, self.longest);
        if !meter.charge(steps, Work::Comparing) {
            return Truth::Unknown;
        }
        let named = if self.named.binary_search(&value).is_ok() {
            Truth::True
        } else if self.kinds & kind_bit(value) != 0 {
            Truth::False
        } else {
            Truth::Unknown
        };
        if self.excluded { !named } else { named }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::scope::model::values;

    /// By the book: each wanted value against each element.
    fn each_with_each(set: &Set, elements: &[Value]) -> Truth {
        let has = |wanted: &Value| {
            elements.iter().fold(Truth::False, |any, element| {
                any | if element == wanted {
                    Truth::True
                } else if element.kind_name() == wanted.kind_name() {
                    Truth::False
                } else {
                    Truth::Unknown
                }
            })
        };
        set.iter().map(has).fold(Truth::True, |all, one| all & one)
    }

    proptest! {
        /// Sorted or not: groups are, arguments need not be.
        #[test]
        fn a_list_has_any_that_it_has_one_by_one(
            set in vec(prop_oneof![values(), (0..60_i64).prop_map(Value::from)], 1..40),
            elements in vec(prop_oneof![values(), (0..60_i64).prop_map(Value::from)], 0..40),
            sorted in proptest::bool::ANY,
        ) {
            let set = Set::new(set).unwrap();
            let mut elements = elements;
            if sorted {
                elements.sort();
            }
            let meter = Meter::ample();
            let any = elements.iter().fold(Truth::False, |any, own| any | is_one_of(&set, own, 0, &meter));
            prop_assert_eq!(has_any(&set, &elements, &meter), any);
        }

        #[test]
        fn a_list_has_all_that_it_has_one_by_one(
            set in vec(values(), 1..12), elements in vec(values(), 0..12),
        ) {
            let set = Set::new(set).unwrap();
            let meter = Meter::ample();
            prop_assert_eq!(contains_all(&set, &elements, &meter), each_with_each(&set, &elements));
            let all: Vec<Value> = set.iter().chain(&elements).cloned().collect();
            prop_assert_eq!(contains_all(&set, &all, &meter), Truth::True);
        }

        #[test]
        fn values_are_the_same_if_they_are_equal_and_apart_if_they_are_of_one_kind(
            a in values(), b in values(),
        ) {
            let meter = Meter::ample();
            prop_assert_eq!(is_same(&a, &a.clone(), &meter), Truth::True);
            let known = a.kind_name() == b.kind_name();
            let expected = if known { Truth::of(a == b) } else { Truth::Unknown };
            prop_assert_eq!(is_same(&a, &b, &meter), expected);
        }
    }

    /// attack 189
    #[test]
    fn what_is_equal_up_to_its_end_is_paid_for() {
        let long = Value::from("a".repeat(100_000));
        let meter = Meter::of(1000);
        assert_eq!(is_same(&long, &long.clone(), &meter), Truth::Unknown);
        assert!(meter.is_spent());
        let meter = Meter::of(1000);
        assert_eq!(is_same(&long, &Value::from("a"), &meter), Truth::False);
        let nested = Value::List(vec![long.clone(), long]);
        let meter = Meter::of(4000);
        assert_eq!(is_same(&nested, &nested.clone(), &meter), Truth::Unknown);
    }
}
