//! Whole covers: a call inside one and outside of several others.
//!
//! A call is cut along its facts: each argument that some condition names, one argument that none
//! names, and the parts of the resource. On each of these the cells say which covers are still met; a
//! search over the facts looks for a choice after which only the cover asked about is left.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::capability::Capability;
use super::super::constraint::Constraint;
#[cfg(any(test, fuzzing))]
use super::super::cover::Condition;
use super::super::cover::{Cover, Openness, ResourceOpenness};
use super::super::evaluate::{Facts, Stance};
use super::super::fact::Fact;
use super::super::truth::Truth;
use super::cells::{MAX_TESTS, Sampler, Test};
#[cfg(any(test, fuzzing))]
use super::condition_may_overlap;
use super::object::UNNAMED;
use super::{Algebra, Difference, SAMPLES};
use crate::meter::{Meter, Work};
use crate::value::{Object, Value};

/// How many covers are searched together, one bit each. More are left out of the search, which then
/// may find only calls that one of those covers, and says that it can't tell.
const MOST_COVERS: usize = 64;

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
        .take(MOST_COVERS)
        .copied()
        .collect();
    meter.at_most_half(|| {
        let mut search = Search { own, others: &usable, meter, complete: true };
        let found = [false, true].into_iter().find_map(|resource| search.run(resource));
        match found {
            Some(witness) if usable.len() == others.len() => {
                match witness.is_shown(own, others, meter) && !meter.is_spent() {
                    true => Difference::Witness(witness),
                    false => Difference::Undecided,
                }
            }
            None if search.complete && !meter.is_spent() => Difference::Empty,
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

struct Search<'a> {
    own: Cover<'a>,
    others: &'a [Cover<'a>],
    meter: &'a Meter,
    /// Whether no call was missed.
    complete: bool,
}

/// One way a part of the call can be: which covers are still met, and how it is.
struct Choice {
    met: u64,
    value: Option<Value>,
}

/// A part of the call with its choices.
struct Part {
    fact: Fact,
    choices: Vec<Choice>,
}

impl<'a> Search<'a> {
    fn run(&mut self, resource: bool) -> Option<CallWitness> {
        if !fits(self.own.openness, resource) {
            return None;
        }
        let start = self.met(|cover| fits(cover.openness, resource));
        let mut parts = Vec::new();
        for fact in self.facts(resource) {
            parts.push(self.part(fact, resource));
            if self.meter.is_spent() {
                self.complete = false;
                return None;
            }
        }
        parts.push(self.unnamed());
        // Those that rule out most come first; a part without a choice ends the search at once.
        parts.sort_by_key(|part| part.choices.len());
        let mut seen = HashSet::new();
        let mut path = Vec::new();
        if !self.choose(&parts, start, &mut seen, &mut path) {
            return None;
        }
        let mut witness =
            CallWitness { args: Object::new(), resource: resource.then(BTreeMap::new) };
        for (part, at) in parts.iter().zip(path) {
            if let Some(Choice { value: Some(value), .. }) = part.choices.get(at) {
                witness.put(&part.fact, value.clone());
            }
        }
        Some(witness)
    }

    fn met(&self, is_met: impl Fn(&Cover<'a>) -> bool) -> u64 {
        let bits = self.others.iter().enumerate().filter(|(_, cover)| is_met(cover));
        bits.fold(0, |met, (bit, _)| met | 1 << bit)
    }

    /// Whether choices for the parts leave none of the others met; `path` says which.
    fn choose(
        &mut self,
        parts: &[Part],
        met: u64,
        seen: &mut HashSet<(usize, u64)>,
        path: &mut Vec<usize>,
    ) -> bool {
        let Some((part, rest)) = parts.split_first() else { return met == 0 };
        if !seen.insert((parts.len(), met)) {
            return false;
        }
        if !self.meter.charge(8 + 4 * part.choices.len(), Work::Containing) {
            self.complete = false;
            return false;
        }
        for (at, choice) in part.choices.iter().enumerate() {
            path.push(at);
            if self.choose(rest, met & choice.met, seen, path) {
                return true;
            }
            path.pop();
        }
        false
    }

    fn facts(&self, resource: bool) -> Vec<Fact> {
        let conditions = self.others.iter().chain([&self.own]).flat_map(|cover| cover.conditions);
        let mut facts: BTreeSet<Fact> =
            conditions.map(|c| &c.fact).filter(|f| f.is_of_the_call()).cloned().collect();
        if resource {
            facts.extend([Fact::ResourceType, Fact::ResourceId]);
        }
        facts.into_iter().collect()
    }

    fn part(&mut self, fact: Fact, resource: bool) -> Part {
        let all = self.others.iter().chain([&self.own]);
        let conditions: usize = all.map(|cover| cover.conditions.len()).sum();
        if !self.meter.charge(4 + conditions, Work::Containing) {
            self.complete = false;
            return Part { fact, choices: Vec::new() };
        }
        let of_resource = !matches!(fact, Fact::Arg(_));
        let mut tests = vec![Test::There];
        let own: Vec<&Constraint> = on(self.own, &fact).collect();
        // A comparison is not known here: taking all that it may cover is safe to search.
        let wide = |c| if Constraint::compares(c) { Test::may_cover(c) } else { Test::cover(c) };
        let own_bits = bits(&mut tests, own.iter().copied().map(wide));
        let other_bits: Vec<u64> = self
            .others
            .iter()
            .map(|other| {
                bits(&mut tests, {
                    on(*other, &fact).filter(|c| !own.contains(c)).map(Test::cover)
                })
            })
            .collect();
        // Asked as well, so that no cell of texts is shown by a value that no resource has.
        let text = [Value::from("x")];
        if matches!(fact, Fact::ResourceType | Fact::ResourceId) {
            tests.push(Test::Kind(&text));
        }
        if tests.len() > MAX_TESTS {
            self.complete = false;
            return Part { fact, choices: Vec::new() };
        }
        let cells = Sampler::new(&tests, fact.absence(), SAMPLES, None).run(true, self.meter);
        self.complete &= cells.complete;
        let mut choices = Vec::new();
        for (passed, value) in cells.found {
            let there = value.is_some();
            let possible = match &fact {
                _ if of_resource && !resource => !there,
                Fact::ResourceType | Fact::ResourceId => matches!(value, Some(Value::Text(_))),
                _ => true,
            };
            let within = passed & own_bits == own_bits && (!there || allows(self.own, &fact));
            if possible && within {
                let met = other_bits.iter().zip(self.others).enumerate().fold(
                    0,
                    |met, (bit, (bits, other))| {
                        let is_met = passed & bits == *bits && (!there || allows(*other, &fact));
                        if is_met { met | 1 << bit } else { met }
                    },
                );
                choices.push(Choice { met, value });
            }
        }
        Part { fact, choices: fewest_met(choices) }
    }

    /// An argument that no condition names.
    fn unnamed(&self) -> Part {
        let mut name = UNNAMED.to_owned();
        while self.facts(false).contains(&Fact::arg(&name)) {
            name.push('_');
        }
        let mut choices = vec![Choice { met: u64::MAX, value: None }];
        if self.own.openness.other_args {
            let met = self.met(|cover| cover.openness.other_args);
            choices.push(Choice { met, value: Some(Value::from("x")) });
        }
        Part { fact: Fact::arg(&name), choices: fewest_met(choices) }
    }
}

impl CallWitness {
    /// Where an argument and something inside it were chosen apart, the first stays: the check of the
    /// witness then tells.
    fn put(&mut self, fact: &Fact, value: Value) {
        match (fact, &mut self.resource) {
            (Fact::Arg(path), _) => put_at(&mut self.args, path, value),
            (fact, Some(resource)) => {
                resource.insert(fact.clone(), value);
            }
            (_, None) => {}
        }
    }
}

fn put_at(object: &mut Object, path: &[Box<str>], value: Value) {
    match path {
        [] => {}
        [name] => {
            let _ = object.insert(name.to_string(), value);
        }
        [name, rest @ ..] => {
            let _ = object.insert(name.to_string(), Object::new());
            if let Some(Value::Object(inner)) = object.get_mut(name) {
                put_at(inner, rest, value);
            }
        }
    }
}

fn on<'a>(cover: Cover<'a>, fact: &Fact) -> impl Iterator<Item = &'a Constraint> {
    cover.conditions.iter().filter(move |c| c.fact == *fact).map(|c| &c.constraint)
}

/// Adds the tests that are not there yet and says which bits they have.
fn bits<'a>(tests: &mut Vec<Test<'a>>, more: impl Iterator<Item = Test<'a>>) -> u64 {
    more.fold(0, |bits, test| {
        let at = tests.iter().position(|own| *own == test).unwrap_or_else(|| {
            tests.push(test);
            tests.len() - 1
        });
        bits | 1_u64.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or(0)
    })
}

fn fits(openness: &Openness, resource: bool) -> bool {
    match openness.resource {
        ResourceOpenness::None => !resource,
        ResourceOpenness::Named => resource,
        ResourceOpenness::Any => true,
    }
}

/// Whether the fact may be there at all.
fn allows(cover: Cover<'_>, fact: &Fact) -> bool {
    match fact {
        Fact::Arg(path) => match &**path {
            [name] => cover.openness.other_args || cover.names_argument(name),
            _ => true,
        },
        _ => true,
    }
}

/// The choices of use, simple ones first: where one leaves a part of what another leaves and is no
/// less simple, the other is not needed.
fn fewest_met(mut choices: Vec<Choice>) -> Vec<Choice> {
    choices
        .sort_by_key(|choice| (choice.value.as_ref().map(Value::depth), choice.met.count_ones()));
    let mut kept: Vec<Choice> = Vec::new();
    for choice in choices {
        if !kept.iter().any(|better| better.met & !choice.met == 0) {
            kept.push(choice);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
