//! Conditions about which a scope leaves only a few ways to be: they are asked as of a call, instead of being compared with
//! the scope.
//!
//! What compares with another part of the call, or looks into a list, the comparison of scopes can't always tell, and then
//! denies. Of a scope that says the call exactly there is nothing to search for: rules say the same of it as of the call.

use super::wanted::Wanted;
use crate::meter::Work;
use crate::scope::{Condition, Fact, Facts, Node, Readings, Stance, Truth};
use crate::value::Value;

/// How many parts of the call a condition may look at.
const MOST_PARTS: usize = 4;

/// How many ways to be are asked one by one.
const MOST_WAYS: usize = 16;

/// What a condition comes to in all ways that the scope leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// Whether it has its effect in each of them: it is true or, of what guards, may be.
    pub(super) always: bool,
    /// Whether it has it in one.
    pub(super) sometimes: bool,
}

/// A whole argument, or a part of the resource, and the values that the scope leaves it: none where it is never there.
#[derive(Clone, Copy)]
struct Part<'c, 'q> {
    fact: &'c Fact,
    values: &'q [Value],
}

/// The parts of the call that one condition looks at.
type Parts<'c, 'q> = [Option<Part<'c, 'q>>; MOST_PARTS];

/// The call in one of the ways, as far as the condition looks at it.
#[derive(Clone, Copy)]
struct Way<'w, 'c, 'q> {
    wanted: &'w Wanted<'q>,
    parts: &'w Parts<'c, 'q>,
    number: usize,
}

impl<'q> Facts<'q> for Way<'_, '_, 'q> {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        if !fact.is_of_the_call() {
            return self.wanted.fact(fact);
        }
        let mut number = self.number;
        for part in self.parts.iter().flatten() {
            let many = part.values.len().max(1);
            if is_of_one_part(part.fact, fact) {
                let whole = part.values.get(number % many)?;
                return match fact {
                    Fact::Arg(path) => path
                        .iter()
                        .skip(1)
                        .try_fold(whole, |value, name| value.as_object()?.get(name)),
                    _ => Some(whole),
                };
            }
            number /= many;
        }
        None
    }

    fn readings(self) -> Option<&'q Readings<'q>> {
        self.wanted.readings()
    }
}

impl<'q> Wanted<'q> {
    /// What a condition comes to in all ways that the scope leaves the parts of the call that it looks at. `None` where
    /// it leaves more than a few, or something hangs on what is left to the calls.
    pub(super) fn settle(&self, condition: &Condition, stance: Stance) -> Option<Settled> {
        let mut parts: Parts<'_, 'q> = [None; MOST_PARTS];
        let mut ways = 1_usize;
        let mut is_open = self.leaves_a_part(condition);
        let mut look_at =
            |fact| is_open = is_open || self.add_part(fact, &mut parts, &mut ways).is_none();
        look_at(&condition.fact);
        condition.constraint.for_each_fact(&mut look_at);
        if is_open || parts.first().is_none_or(Option::is_none) {
            return None;
        }
        let mut settled = Settled { always: true, sometimes: false };
        for number in 0..ways {
            let way = Way { wanted: self, parts: &parts, number };
            let truth = condition.holds(stance, way, self.meter());
            let acts = match stance {
                Stance::Cover => truth == Truth::True,
                Stance::Guard => truth.may_hold(),
            };
            settled.always &= acts;
            settled.sometimes |= acts;
        }
        Some(settled)
    }

    /// Adds the part of the call that `fact` lies in; `None` where it is open, or there are too many.
    fn add_part<'c>(
        &self,
        fact: &'c Fact,
        parts: &mut Parts<'c, 'q>,
        ways: &mut usize,
    ) -> Option<()> {
        if !fact.is_of_the_call()
            || parts.iter().flatten().any(|own| is_of_one_part(own.fact, fact))
        {
            return Some(());
        }
        let values = self.values_left(fact)?;
        let place = parts.iter_mut().find(|place| place.is_none())?;
        *ways = ways.checked_mul(values.len().max(1)).filter(|ways| *ways <= MOST_WAYS)?;
        *place = Some(Part { fact, values });
        Some(())
    }

    /// The values that the scope leaves the part of the call that `fact` lies in: none where it is never there, and
    /// `None` where there are others, as lists of one of them are.
    fn values_left(&self, fact: &Fact) -> Option<&'q [Value]> {
        let conditions = &self.capability.conditions;
        if !self.meter().charge(1 + conditions.len() / 2, Work::Containing) {
            return None;
        }
        if fact.is_of_the_resource() && self.is_of_no_resource() {
            return Some(&[]);
        }
        let is_whole = |own: &Fact| own.as_argument().is_some() || own.is_of_the_resource();
        let own =
            conditions.iter().find(|own| is_whole(&own.fact) && is_of_one_part(&own.fact, fact));
        let Some(Condition { constraint, .. }) = own else {
            let is_argument = matches!(fact, Fact::Arg(_));
            return (is_argument && !self.capability.openness.other_args).then_some(&[]);
        };
        let values = constraint.finite()?.as_slice();
        let has_lists = match (fact, values.first()?) {
            // Each is one text.
            (Fact::ResourceType | Fact::ResourceId, _) => false,
            // Of whole lists there are no others.
            (_, Value::List(_)) => false,
            _ => {
                matches!(constraint.0, Node::Is(_))
                    || values.len() > MOST_WAYS
                    || constraint.admits_a_list_of(values, self.meter())
            }
        };
        (!has_lists).then_some(values)
    }
}

/// Whether both lie in one argument, or are one part of the resource.
fn is_of_one_part(one: &Fact, other: &Fact) -> bool {
    match (one, other) {
        (Fact::Arg(one), Fact::Arg(other)) => one.first() == other.first(),
        _ => one == other,
    }
}
