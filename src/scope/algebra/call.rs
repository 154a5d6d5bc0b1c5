//! Whole covers: a call inside one and outside of several others.

use std::collections::BTreeMap;

use super::super::capability::Capability;
#[cfg(any(test, fuzzing))]
use super::super::cover::Condition;
use super::super::cover::Cover;
#[cfg(any(test, fuzzing))]
use super::super::cover::ResourceOpenness;
use super::super::evaluate::{Facts, Stance};
use super::super::fact::Fact;
use super::super::truth::Truth;
#[cfg(any(test, fuzzing))]
use super::condition_may_overlap;
use super::domain::Domain;
use super::object::put_argument;
use super::search::{Found, MOST_REGIONS, Region, Search};
use super::{Algebra, Difference};
use crate::meter::Meter;
use crate::value::{Object, Value};

/// A call's arguments and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CallWitness {
    pub(crate) args: Object,
    /// Type, id and attributes, by fact; `None` without a resource.
    pub(crate) resource: Option<BTreeMap<Fact, Value>>,
}

/// A call that `own` covers and none of `others` does, all being of one tool.
///
/// Conditions on anything but the call are fixed before this is asked: those of `own` count as met, and
/// one of `others` that still has some counts as covering nothing.
pub(crate) fn cover_difference(
    own: Cover<'_>,
    others: &[Cover<'_>],
    meter: &Meter,
) -> Difference<CallWitness> {
    let usable: Vec<Cover<'_>> = others
        .iter()
        .filter(|other| other.conditions.iter().all(|c| c.fact.is_of_the_call()))
        // More are left out of the search, which then may find only calls that one of those covers, and says
        // that it can't tell.
        .take(MOST_REGIONS)
        .copied()
        .collect();
    meter.at_most_half(|| {
        let within = [Region::covered(own)];
        let outside: Vec<Region<'_>> = usable.iter().copied().map(Region::covered).collect();
        let mut search =
            Search::new(&within, &outside, Fact::is_of_the_call, &Domain::in_call, meter);
        let found = [false, true].into_iter().find_map(|resource| search.run(resource));
        let found = found.map(CallWitness::of);
        match found {
            Some(witness) if usable.len() == others.len() => {
                match witness.is_shown(own, others, meter) && !meter.is_spent() {
                    true => Difference::Witness(witness),
                    false => Difference::Undecided,
                }
            }
            None if search.is_complete() => Difference::Empty,
            _ => Difference::Undecided,
        }
    })
}

impl Algebra for Capability {
    type Witness = CallWitness;

    #[cfg(any(test, fuzzing))]
    fn matches(&self, witness: &CallWitness) -> bool {
        witness.covered_by(self.cover(), &Meter::ample()) == Truth::True
    }

    #[cfg(any(test, fuzzing))]
    fn overlaps(&self, other: &Capability, meter: &Meter) -> bool {
        if self.tool != other.tool {
            return false;
        }
        let shared = |condition: &Condition| {
            let of = |capability: &Capability| {
                condition_may_overlap(
                    capability.cover(),
                    (&condition.fact, &condition.constraint),
                    meter,
                )
            };
            of(self) && of(other)
        };
        let resource = match (self.openness.resource, other.openness.resource) {
            (ResourceOpenness::Any, _) | (_, ResourceOpenness::Any) => true,
            (one, two) => one == two,
        };
        resource && self.conditions.iter().chain(&other.conditions).all(shared)
    }

    fn difference(&self, other: &Capability, meter: &Meter) -> Difference<CallWitness> {
        let same = [other.cover()];
        cover_difference(self.cover(), if self.tool == other.tool { &same } else { &[] }, meter)
    }
}

impl CallWitness {
    /// Asked of evaluation itself: in `own`, and in none of `others`.
    fn is_shown(&self, own: Cover<'_>, others: &[Cover<'_>], meter: &Meter) -> bool {
        self.covered_by(own, meter) == Truth::True
            && others.iter().all(|other| self.covered_by(*other, meter) == Truth::False)
    }

    /// Unknown where that hangs on a comparison with something that is not of the call.
    fn covered_by(&self, cover: Cover<'_>, meter: &Meter) -> Truth {
        if cover.uncovered(&self.args, self.resource.is_some()).is_some() {
            return Truth::False;
        }
        let of_call = cover.conditions.iter().filter(|c| c.fact.is_of_the_call());
        of_call.fold(Truth::True, |all, condition| {
            all & match condition.holds(Stance::Cover, self, meter) {
                _ if condition.constraint.compares_with(&|fact| !fact.is_of_the_call()) => {
                    Truth::Unknown
                }
                Truth::True => Truth::True,
                Truth::Unknown if condition.constraint.compares() => Truth::Unknown,
                _ => Truth::False,
            }
        })
    }
}

impl<'q> Facts<'q> for &'q CallWitness {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        match fact {
            Fact::Arg(path) => {
                let (first, rest) = path.split_first()?;
                rest.iter()
                    .try_fold(self.args.get(first)?, |value, name| value.as_object()?.get(name))
            }
            fact => self.resource.as_ref()?.get(fact),
        }
    }
}

impl CallWitness {
    fn of(found: Found) -> Self {
        let resource = found.resource.then(BTreeMap::new);
        let mut witness = CallWitness { args: Object::new(), resource };
        for (fact, value) in found.facts {
            witness.put(&fact, value);
        }
        witness
    }

    /// Where an argument and something inside it were chosen apart, the first stays: the check of the
    /// witness then tells.
    fn put(&mut self, fact: &Fact, value: Value) {
        match (fact, &mut self.resource) {
            (Fact::Arg(path), _) => put_argument(&mut self.args, path, value),
            (fact, Some(resource)) => {
                resource.insert(fact.clone(), value);
            }
            (_, None) => {}
        }
    }
}

#[cfg(test)]
mod tests;
