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
//! | `prefix`, `suffix`, `contains`, `glob`, `regex`, `len`, `under` | `cidr`, `json` and times next to patterns on the same text |
//! | `cidr`, `json`, `after` and `before`, `weekly` | `weekly` next to `after` or `before`, and in a `zone` next to that of another place |
//! | `url` next to finite sets | `url` next to anything else: what its parts show is found before |
//! | `fields`, `each`, `some`, `count`, `subset_of`, `has_any`, `has_all` | lists and objects compared whole by `eq` next to those |
//! | finite sets of lists next to `items` | `items` next to anything else: what its places show is found before |
//! | all of these under `all`, `any`, `not`, in either stance | whatever takes more than half of a question's steps |

mod call;
mod cells;
mod domain;
mod elements;
mod likely;
mod list;
mod long;
mod machine;
mod number;
mod object;
mod product;
mod read;
mod search;
mod text;

use super::constraint::{Constraint, Node};
use super::cover::Cover;
use super::evaluate::Stance;
use super::fact::{Absence, Fact};
use super::inside::Inside;
use super::kind::{Set, Sort};
use super::truth::Truth;
use crate::meter::{Meter, Work};
use crate::value::Value;
#[cfg(any(test, fuzzing))]
pub(super) use call::CallWitness;
pub(crate) use call::cover_difference;
use cells::{Lists, Sample, Sampler, Test};
pub(crate) use domain::{Domain, texts};
use elements::lists_needed;
pub(crate) use object::put_argument;
pub(crate) use search::{Found, MOST_REGIONS, Region, Search};

/// Every kind of value, from cheap to dear.
const SAMPLES: &[Sample] =
    &[likely::sample, number::sample, text::sample, object::sample, list::sample];

/// What is in one set and not in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference<W> {
    /// Nothing.
    Empty,
    /// This, among others.
    Witness(W),
    /// It can't be told, or takes too many steps.
    Undecided,
}

/// The four questions. A witness of a constraint is a value, or `None` for one that is not there.
pub(crate) trait Algebra {
    type Witness;

    /// Whether `witness` is in the set.
    #[cfg(any(test, fuzzing))]
    fn matches(&self, witness: &Self::Witness) -> bool;

    /// Whether everything in this set is in the other; `false` where it can't be shown.
    fn contained_in(&self, other: &Self, meter: &Meter) -> bool {
        matches!(self.difference(other, meter), Difference::Empty)
    }

    /// Whether something in this set may be in the other; `true` where it can't be excluded.
    #[cfg(any(test, fuzzing))]
    fn overlaps(&self, other: &Self, meter: &Meter) -> bool;

    /// Something in this set and not in the other.
    fn difference(&self, other: &Self, meter: &Meter) -> Difference<Self::Witness>;
}

/// An argument's constraint, as a permit or a capability asks it.
impl Algebra for Constraint {
    type Witness = Option<Value>;

    #[cfg(any(test, fuzzing))]
    fn matches(&self, witness: &Option<Value>) -> bool {
        Test::cover(self).passes(witness.as_ref(), Absence::Argument, &Meter::ample())
    }

    #[cfg(any(test, fuzzing))]
    fn overlaps(&self, other: &Constraint, meter: &Meter) -> bool {
        all_and(&[self], other, Stance::Cover, Absence::Argument, meter)
    }

    fn difference(&self, other: &Constraint, meter: &Meter) -> Difference<Option<Value>> {
        all_but(&[self], other, Absence::Argument, meter)
    }
}

#[cfg(any(test, fuzzing))]
impl Constraint {
    /// Whether a value of which `self` is true may be one on which a guard that says `other` acts.
    ///
    /// `true` also where it can't be excluded.
    pub(crate) fn may_overlap(&self, other: &Constraint, meter: &Meter) -> bool {
        all_and(&[self], other, Stance::Guard, Absence::Argument, meter)
    }
}

/// A value of which all of `within` are true, and `outside` is not.
pub(super) fn all_but(
    within: &[&Constraint],
    outside: &Constraint,
    absence: Absence,
    meter: &Meter,
) -> Difference<Option<Value>> {
    // With its facts known, a comparison may be true of more or of less, and take lists in another way.
    if within.iter().any(|c| c.compares()) || outside.compares() {
        return Difference::Undecided;
    }
    let mut tests: Vec<Test<'_>> = within.iter().map(|c| Test::cover(c)).collect();
    tests.push(Test::cover(outside));
    let all = (1_u64 << within.len().min(63)) - 1;
    let lists = lists_needed(within, [outside], 1, meter);
    find(&tests, (absence, lists), &|passed| passed == all, meter)
}

/// Whether there may be a value of which all of `within` are true and of which `other`, in its
/// stance, is true or, if it guards, may be.
pub(super) fn all_and(
    within: &[&Constraint],
    other: &Constraint,
    stance: Stance,
    absence: Absence,
    meter: &Meter,
) -> bool {
    if within.iter().any(|c| c.compares()) || other.compares() {
        return true;
    }
    if within.iter().any(|own| own.is_plainly_apart(other, meter)) {
        return false;
    }
    // Finitely many values, and lists of them, of which nothing else is asked than of their elements.
    let set = within.iter().find_map(|own| match &own.0 {
        Node::Is(set) => Some(set),
        _ => None,
    });
    // Of whole lists there are no others.
    let is_of_lists = |set: &Set| matches!(set.sort("eq"), Ok(Sort::List(_)));
    if let Some(set) = set
        && (is_of_lists(set) || within.iter().chain([&other]).all(|own| own.is_by_element()))
    {
        let both = |value: &Value| {
            let is_true = |own: &&Constraint| {
                let truth = own.holds_of(Some(value), absence, Stance::Cover, false, meter);
                truth == Truth::True
            };
            let of_other = || other.holds_of(Some(value), absence, stance, false, meter);
            within.iter().all(is_true)
                && match stance {
                    Stance::Guard => of_other().may_hold(),
                    Stance::Cover => of_other() == Truth::True,
                }
        };
        // The set is also of lists of its values, of which the type is another.
        let has_lists = !is_of_lists(set) && within.iter().chain([&other]).any(|c| c.names_type());
        return set.iter().any(|value| {
            both(value)
                || (has_lists && both(&Value::List(vec![value.clone()])))
                || meter.is_spent()
        });
    }
    let mut tests: Vec<Test<'_>> = within.iter().map(|c| Test::cover(c)).collect();
    tests.push(if stance == Stance::Guard { Test::guard(other) } else { Test::cover(other) });
    let all = (1_u64 << tests.len().min(63)) - 1;
    let lists = lists_needed(within, [other], 1, meter);
    find(&tests, (absence, lists), &|passed| passed == all, meter) != Difference::Empty
}

/// Whether a call of a cover may satisfy `other`, a condition on the call.
pub(crate) fn condition_may_overlap(
    cover: Cover<'_>,
    (fact, other): (&Fact, &Constraint),
    meter: &Meter,
) -> bool {
    let Cover { conditions, .. } = cover;
    if !meter.charge(4 + conditions.len() / 2, Work::Containing) {
        return true;
    }
    let own: Vec<&Constraint> =
        conditions.iter().filter(|own| own.fact == *fact).map(|own| &own.constraint).collect();
    if own.is_empty()
        && let Fact::Arg(path) = fact
    {
        let acts_on = |value| {
            other.holds_of(value, Absence::Argument, Stance::Guard, false, meter).may_hold()
        };
        match cover.inside(path) {
            Inside::Absent => return acts_on(None),
            Inside::Values(values) => return acts_on(None) || values.into_iter().any(acts_on),
            Inside::As(inside) => {
                return acts_on(None)
                    || all_and(&[inside], other, Stance::Guard, Absence::Argument, meter);
            }
            Inside::Open => {}
        }
    }
    all_and(&own, other, Stance::Guard, fact.absence(), meter)
}

fn find(
    tests: &[Test<'_>],
    (absence, lists): (Absence, Lists),
    goal: &dyn Fn(u64) -> bool,
    meter: &Meter,
) -> Difference<Option<Value>> {
    meter.at_most_half(|| {
        let reached = |passed, _: Option<&Value>| goal(passed);
        let sampler = Sampler::new(tests, absence, SAMPLES, Some(&reached)).with(lists);
        let cells = sampler.run(true, meter);
        match cells.found.into_iter().find(|(passed, _)| goal(*passed)) {
            // What could not be asked any more shows nothing.
            _ if meter.is_spent() => Difference::Undecided,
            Some((_, witness)) => Difference::Witness(witness),
            None if cells.complete => Difference::Empty,
            None => Difference::Undecided,
        }
    })
}

#[cfg(test)]
mod tests;
