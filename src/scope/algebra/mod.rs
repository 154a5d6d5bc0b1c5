//! The four questions asked of constraints: does it match; is it contained in another; do they
//! overlap; show a value in one and not in the other.
//!
//! All four stand on evaluation itself. A search lists *cells*: one value for every combination of
//! answers that a handful of tests can give together ([`cells`]). Numbers are cut at their bounds,
//! texts by running all patterns side by side as automata, lists and objects are put together from the
//! cells of their elements and fields. Each value found is asked of the very code that decides calls,
//! so a witness is one by construction; what is left to prove is that no combination was missed.
//!
//! | exact | conservative: contained "no", overlaps "yes", difference "undecided" |
//! |---|---|
//! | finite sets, bounds, `present`, `any` | `same_as` of what is not known |
//! | `prefix`, `suffix`, `contains`, `glob`, `regex`, `len` | `cidr`, times, `under` and `json` (compared with their own kind only) |
//! | `fields`, `each`, `some`, `count`, `subset_of`, `has_any`, `has_all` | lists and objects compared whole by `eq` beside those |
//! | all of these under `all`, `any`, `not`, in either stance | whatever goes over the budget |

mod call;
mod cells;
mod list;
mod number;
mod object;
mod text;

use super::constraint::Constraint;
use super::evaluate::Stance;
use super::fact::Absence;
use crate::value::Value;
pub(crate) use call::{CallWitness, cover_difference};
use cells::{Budget, Sampler, Test};

/// What is in one set and not in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference<W> {
    /// Nothing.
    Empty,
    /// This, among others.
    Witness(W),
    /// It can't be told, or not within the budget.
    Undecided,
}

/// The four questions. A witness of a constraint is a value, or `None` for one that is not there.
pub(crate) trait Algebra {
    type Witness;

    /// Whether `witness` is in the set.
    fn matches(&self, witness: &Self::Witness) -> bool;

    /// Whether everything in this set is in the other; `false` where it can't be shown.
    fn contained_in(&self, other: &Self) -> bool {
        matches!(self.difference(other), Difference::Empty)
    }

    /// Whether something in this set may be in the other; `true` where it can't be excluded.
    fn overlaps(&self, other: &Self) -> bool;

    /// Something in this set and not in the other.
    fn difference(&self, other: &Self) -> Difference<Self::Witness>;
}

/// An argument's constraint, as a permit or a capability asks it.
impl Algebra for Constraint {
    type Witness = Option<Value>;

    fn matches(&self, witness: &Option<Value>) -> bool {
        Test::cover(self).passes(witness.as_ref(), Absence::Argument)
    }

    fn overlaps(&self, other: &Constraint) -> bool {
        all_and(&[self], other, Stance::Cover, Absence::Argument)
    }

    fn difference(&self, other: &Constraint) -> Difference<Option<Value>> {
        all_but(&[self], other, Absence::Argument)
    }
}

/// A value of which all of `within` are true, and `outside` is not.
pub(super) fn all_but(
    within: &[&Constraint],
    outside: &Constraint,
    absence: Absence,
) -> Difference<Option<Value>> {
    let mut tests: Vec<Test<'_>> = within.iter().map(|c| Test::cover(c)).collect();
    tests.push(Test::cover(outside));
    let all = (1_u64 << within.len().min(63)) - 1;
    let answer = find(&tests, absence, &|passed| passed == all);
    match answer {
        // With its facts known, a comparison in `outside` may turn out true of the witness.
        Difference::Witness(_) if outside.compares() => Difference::Undecided,
        // With its facts known, a comparison in `within` may be true of more.
        Difference::Empty if within.iter().any(|c| c.compares()) => Difference::Undecided,
        answer => answer,
    }
}

/// Whether there may be a value of which all of `within` are true and of which `other`, in its
/// stance, is true or, if it guards, may be.
pub(super) fn all_and(
    within: &[&Constraint],
    other: &Constraint,
    stance: Stance,
    absence: Absence,
) -> bool {
    if within.iter().any(|c| c.compares()) || (stance == Stance::Cover && other.compares()) {
        return true;
    }
    let mut tests: Vec<Test<'_>> = within.iter().map(|c| Test::cover(c)).collect();
    tests.push(Test::Ask { constraint: other, negated: false, stance });
    let all = (1_u64 << tests.len().min(63)) - 1;
    find(&tests, absence, &|passed| passed == all) != Difference::Empty
}

fn find(
    tests: &[Test<'_>],
    absence: Absence,
    goal: &dyn Fn(u64) -> bool,
) -> Difference<Option<Value>> {
    let mut budget = Budget::default();
    let cells = Sampler::new(tests, absence, Some(goal)).run(true, 0, &mut budget);
    match cells.found.into_iter().find(|(passed, _)| goal(*passed)) {
        Some((_, witness)) => Difference::Witness(witness),
        None if cells.complete => Difference::Empty,
        None => Difference::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model;
    use super::super::*;
    use super::*;
    use crate::value::{Number, Object};

    fn truth(constraint: &Constraint, stance: Stance, value: Option<&Value>) -> Truth {
        constraint.holds_of(value, Absence::Argument, stance, false)
    }

    /// Every value of the small universe, and every argument that is not there.
    fn universe() -> Vec<Option<Value>> {
        let mut texts = vec![String::new()];
        for length in 0..4 {
            for start in texts.iter().filter(|t| t.len() == length).cloned().collect::<Vec<_>>() {
                texts.extend(["a", "b", "/", "c"].map(|c| format!("{start}{c}")));
            }
        }
        let mut scalars: Vec<Value> = vec![Value::Null, true.into(), false.into()];
        scalars
            .extend((-4..=10).map(|n| {
                Value::Number(Number::parse(&format!("{}", f64::from(n) / 2.0)).unwrap())
            }));
        scalars.extend(texts.into_iter().map(Value::from));
        let few: Vec<Value> = [
            "null", "true", "false", "0", "1", "2", "9", "\"\"", "\"a\"", "\"ab\"", "\"c\"", "[]",
            "{}", "[1]",
        ]
        .map(|text| Value::from_json(text).unwrap())
        .into();
        let mut all = scalars;
        all.push(Value::List(vec![]));
        all.push(Value::Object(Object::new()));
        for a in &few {
            all.push(Value::List(vec![a.clone()]));
            for name in ["p", "z"] {
                all.push(Value::Object(Object::from_pairs([(name, a.clone())]).unwrap()));
            }
            for b in &few {
                all.push(Value::List(vec![a.clone(), b.clone()]));
                all.push(Value::Object(
                    Object::from_pairs([("p", a.clone()), ("q", b.clone())]).unwrap(),
                ));
            }
        }
        all.into_iter().map(Some).chain([None]).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// attacks 50, 60: whatever is said of two constraints agrees with asking every value of a
        /// small universe, and every witness is in one and not in the other.
        #[test]
        fn agrees_with_brute_force(a in model::sound_constraints(), b in model::sound_constraints()) {
            let universe = universe();
            let inside = |c: &Constraint, v: &Option<Value>| truth(c, Stance::Cover, v.as_ref()) == Truth::True;
            let shown = universe.iter().find(|v| inside(&a, v) && !inside(&b, v));
            match a.difference(&b) {
                Difference::Empty => prop_assert_eq!(shown, None, "{} within {}", a, b),
                Difference::Witness(w) => prop_assert!(inside(&a, &w) && !inside(&b, &w), "{:?} in {} not in {}", w, a, b),
                Difference::Undecided => {}
            }
            if a.is_within(&b) {
                prop_assert_eq!(shown, None, "{} is within {}", a, b);
            }
            let both = universe.iter().find(|v| inside(&a, v) && inside(&b, v));
            if !a.overlaps(&b) {
                prop_assert_eq!(both, None, "{} and {}", a, b);
            }
            let acts = universe.iter()
                .find(|v| inside(&a, v) && truth(&b, Stance::Guard, v.as_ref()).may_hold());
            if !a.may_overlap(&b) {
                prop_assert_eq!(acts, None, "{} and guard {}", a, b);
            }
        }

        /// Only `eq` on whole lists and objects is left undecided.
        #[test]
        fn is_decided_for_everything_but_whole_lists(a in model::sound_constraints(), b in model::sound_constraints()) {
            let whole = format!("{a}{b}").contains(":[]") || format!("{a}{b}").contains("\"eq\":[");
            if a.difference(&b) == Difference::Undecided {
                prop_assert!(whole, "{} and {}", a, b);
            }
        }
    }
}
