//! What the kinds of constraints hold: sets, bounds, counts, fields.

use std::cmp::Ordering;

use super::constraint_error::ConstraintError;
use super::truth::Truth;
use crate::value::{Number, Value};
use crate::word;

/// Finitely many values, at least one, sorted and each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Set {
    values: Box<[Value]>,
    /// The size of the largest of them: no comparison looks at more.
    longest: usize,
}

/// How many values are compared one by one: policies name a few values, or a few thousand.
const FEW: usize = 8;

impl Set {
    /// A set; `None` if there is no value in it.
    pub(crate) fn new(mut values: Vec<Value>) -> Option<Self> {
        values.sort();
        values.dedup();
        let longest = values.iter().map(Value::size).max()?;
        Some(Set { values: values.into_boxed_slice(), longest })
    }

    pub(crate) fn one(value: Value) -> Self {
        Set { longest: value.size(), values: Box::new([value]) }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The size of the largest value.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.values.iter()
    }

    pub(crate) fn as_slice(&self) -> &[Value] {
        &self.values
    }

    #[inline]
    pub(crate) fn contains(&self, value: &Value) -> bool {
        match (&*self.values, value) {
            // Asked for most: `eq` of a text.
            ([Value::Text(own)], Value::Text(text)) => word::is_same(own, text),
            _ => self.position(value).is_some(),
        }
    }

    /// Where `value` stands.
    pub(super) fn position(&self, value: &Value) -> Option<usize> {
        if self.values.len() <= FEW {
            return self.values.iter().position(|own| own == value);
        }
        self.values.binary_search(value).ok()
    }

    /// Whether its values are compared one by one.
    pub(super) fn is_few(&self) -> bool {
        self.values.len() <= FEW
    }

    /// Whether it has `value`; unknown if it has none of that kind. It is looked for from `near` on, which then
    /// is where it stands or would stand: of a list that is sorted, as groups are, each is found at the one before.
    pub(super) fn tell_near(&self, value: &Value, near: &mut usize) -> Truth {
        let found = self.search_near(value, *near);
        let (Ok(at) | Err(at)) = found;
        *near = at;
        match found {
            Ok(_) => Truth::True,
            Err(at) if self.has_kind_at(value, at) => Truth::False,
            Err(_) => Truth::Unknown,
        }
    }

    /// Where `value` stands, or else where it would.
    fn search_near(&self, value: &Value, near: usize) -> Result<usize, usize> {
        let order = |at: usize| self.values.get(at).map(|own| own.cmp(value));
        let (low, high) = match order(near) {
            Some(Ordering::Equal) => return Ok(near),
            Some(Ordering::Greater) | None => (0, near),
            Some(Ordering::Less) => {
                let (mut low, mut step) = (near + 1, 1);
                loop {
                    match order(near + step) {
                        Some(Ordering::Equal) => return Ok(near + step),
                        Some(Ordering::Greater) => break (low, near + step),
                        None => break (low, self.values.len()),
                        Some(Ordering::Less) => (low, step) = (near + step + 1, 2 * step),
                    }
                }
            }
        };
        let between = self.values.get(low..high).unwrap_or_default();
        between.binary_search(value).map(|at| low + at).map_err(|at| low + at)
    }

    /// What finding a value takes, of the steps of a [`Meter`](crate::meter::Meter).
    #[inline]
    pub(super) fn steps_to_find(&self, value: &Value) -> usize {
        let many = self.values.len();
        let comparisons = if many <= FEW { 1 + many / 4 } else { steps_to_search(many) };
        comparisons * steps_to_compare(value, self.longest)
    }

    /// Whether some value of the set is of the same kind as `value`: if none is, the answer about
    /// `value` is unknown instead of false.
    pub(crate) fn has_kind_of(&self, value: &Value) -> bool {
        let kind = std::mem::discriminant(value);
        let is_of_kind = |own: &Value| std::mem::discriminant(own) == kind;
        if self.values.len() <= FEW {
            return self.values.iter().any(is_of_kind);
        }
        self.has_kind_at(value, self.values.partition_point(|own| own < value))
    }

    /// As [`has_kind_of`](Self::has_kind_of), of a value that would stand at this place. Values of one kind stand
    /// together: there, or just before.
    fn has_kind_at(&self, value: &Value, at: usize) -> bool {
        let kind = std::mem::discriminant(value);
        let near = [at.checked_sub(1), Some(at)].into_iter().flatten();
        near.filter_map(|at| self.values.get(at)).any(|own| std::mem::discriminant(own) == kind)
    }

    pub(crate) fn sort(&self, word: &'static str) -> Result<Sort, ConstraintError> {
        let lists = self.values.iter().filter(|value| matches!(value, Value::List(_))).count();
        match lists {
            0 => Ok(Sort::Element(word)),
            all if all == self.values.len() => Ok(Sort::List(word)),
            _ => Err(ConstraintError::MixedSorts { list: word, element: word }),
        }
    }
}

/// Of finding one of `n` sorted values.
pub(super) fn steps_to_search(many: usize) -> usize {
    many.checked_ilog2().unwrap_or(0) as usize + 1
}

/// Of comparing `value` with another of at most `longest` bytes.
pub(super) fn steps_to_compare(value: &Value, longest: usize) -> usize {
    let bytes = match value {
        Value::Text(text) => text.len().min(longest),
        Value::List(_) | Value::Object(_) => longest,
        _ => 0,
    };
    1 + bytes / 32
}

/// Whether a constraint is asked of a list itself or of each of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Says the same of either.
    Neutral,
    /// Asked of one value; of a list, element by element. Named by the word that makes it so.
    Element(&'static str),
    /// Asked of the list itself.
    List(&'static str),
    /// Told by what a `same_as` compares with, which is not known.
    Open,
}

impl Sort {
    pub(crate) fn with(self, other: Sort) -> Result<Sort, ConstraintError> {
        match (self, other) {
            (Sort::Neutral, sort) | (sort, Sort::Neutral) => Ok(sort),
            (Sort::Open, sort) | (sort, Sort::Open) => Ok(sort),
            (Sort::Element(_), Sort::Element(_)) | (Sort::List(_), Sort::List(_)) => Ok(self),
            (Sort::List(list), Sort::Element(element))
            | (Sort::Element(element), Sort::List(list)) => {
                Err(ConstraintError::MixedSorts { list, element })
            }
        }
    }
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bound {
    pub(crate) number: Number,
    pub(crate) inclusive: bool,
}

impl Bound {
    pub(crate) fn at(number: Number) -> Self {
        Bound { number, inclusive: true }
    }

    pub(crate) fn beyond(number: Number) -> Self {
        Bound { number, inclusive: false }
    }
}

/// An interval of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) lower: Option<Bound>,
    pub(crate) upper: Option<Bound>,
}

impl Range {
    #[inline]
    pub(crate) fn contains(&self, number: Number) -> bool {
        let within = |bound: Option<Bound>, outside: Ordering| {
            bound.is_none_or(|bound| match number.cmp(&bound.number) {
                Ordering::Equal => bound.inclusive,
                side => side != outside,
            })
        };
        within(self.lower, Ordering::Less) && within(self.upper, Ordering::Greater)
    }

    /// The numbers in both.
    pub(crate) fn intersect(self, other: Range) -> Range {
        let lower = match (self.lower, other.lower) {
            (Some(a), Some(b)) if a.number == b.number => {
                Some(Bound { number: a.number, inclusive: a.inclusive && b.inclusive })
            }
            (Some(a), Some(b)) => Some(if a.number > b.number { a } else { b }),
            (bound, None) | (None, bound) => bound,
        };
        let upper = match (self.upper, other.upper) {
            (Some(a), Some(b)) if a.number == b.number => {
                Some(Bound { number: a.number, inclusive: a.inclusive && b.inclusive })
            }
            (Some(a), Some(b)) => Some(if a.number < b.number { a } else { b }),
            (bound, None) | (None, bound) => bound,
        };
        Range { lower, upper }
    }

    /// Whether no number lies within. Numbers are dense for this purpose: `above = 1, below = 2` is
    /// not empty.
    pub(crate) fn is_empty(&self) -> bool {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) => {
                lower.number > upper.number
                    || (lower.number == upper.number && !(lower.inclusive && upper.inclusive))
            }
            _ => false,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConstraintError> {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) if self.is_empty() => {
                let low = if lower.inclusive { "min" } else { "above" };
                let high = if upper.inclusive { "max" } else { "below" };
                Err(ConstraintError::Impossible(format!(
                    "`{low} = {}` and `{high} = {}`",
                    lower.number, upper.number
                )))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        match (self.lower, self.upper) {
            (Some(Bound { inclusive: true, .. }), _) => "min",
            (Some(Bound { inclusive: false, .. }), _) => "above",
            (None, Some(Bound { inclusive: false, .. })) => "below",
            (None, _) => "max",
        }
    }
}

/// How many: at least `min`, at most `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Count {
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
}

impl Count {
    pub(crate) fn contains(&self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    pub(crate) fn check(&self, word: &'static str) -> Result<(), ConstraintError> {
        match self.max {
            Some(max) if max < self.min => Err(ConstraintError::Impossible(format!(
                "`{word} = {{ min = {}, max = {max} }}`",
                self.min
            ))),
            _ => Ok(()),
        }
    }
}

impl From<u64> for Count {
    fn from(exactly: u64) -> Self {
        Count { min: exactly, max: Some(exactly) }
    }
}

impl From<std::ops::RangeInclusive<u64>> for Count {
    fn from(range: std::ops::RangeInclusive<u64>) -> Self {
        Count { min: *range.start(), max: Some(*range.end()) }
    }
}

impl From<std::ops::RangeFrom<u64>> for Count {
    fn from(range: std::ops::RangeFrom<u64>) -> Self {
        Count { min: range.start, max: None }
    }
}

impl From<std::ops::RangeToInclusive<u64>> for Count {
    fn from(range: std::ops::RangeToInclusive<u64>) -> Self {
        Count { min: 0, max: Some(range.end) }
    }
}

/// The fields of an object, by name in UTF-8 order, and what each must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fields<C> {
    named: Box<[(Box<str>, C)]>,
    /// Whether fields that are not named may be there.
    pub(crate) open: bool,
}

impl<C> Fields<C> {
    pub(crate) fn closed(mut named: Vec<(Box<str>, C)>) -> Result<Self, ConstraintError> {
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        let twice = named.windows(2).find_map(|pair| match pair {
            [(a, _), (b, _)] if a == b => Some(a.clone()),
            _ => None,
        });
        match twice {
            Some(name) => Err(ConstraintError::DuplicateField(name)),
            None => Ok(Fields { named: named.into_boxed_slice(), open: false }),
        }
    }

    pub(crate) fn open(self) -> Self {
        Fields { open: true, ..self }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &C)> {
        self.named.iter().map(|(name, constraint)| (&**name, constraint))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut C> {
        self.named.iter_mut().map(|(_, constraint)| constraint)
    }

    pub(crate) fn map(&self, change: impl Fn(&C) -> C) -> Fields<C> {
        let named = self.named.iter().map(|(name, field)| (name.clone(), change(field))).collect();
        Fields { named, open: self.open }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&C> {
        let at = self.named.binary_search_by(|(own, _)| (**own).cmp(name)).ok()?;
        self.named.get(at).map(|(_, constraint)| constraint)
    }
}
