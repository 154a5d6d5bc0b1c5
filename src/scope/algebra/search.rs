//! A question inside some regions and outside of others.
//!
//! A question is cut along its facts: each that some condition names, one argument that none names, and the
//! parts of the resource. On each of these the cells say which regions are still met; a search over the
//! facts looks for a choice after which only those are left that it has to be in.

use std::collections::{BTreeSet, HashSet};

use super::super::constraint::Constraint;
use super::super::cover::{Condition, Cover, Openness, ResourceOpenness};
use super::super::evaluate::Stance;
use super::super::fact::Fact;
use super::cells::{Lists, MAX_TESTS, Sampler, Test};
use super::domain::Domain;
use super::elements::lists_needed;
use super::object::UNNAMED;
use super::{SAMPLES, all_and};
use crate::meter::{Meter, Work};
use crate::value::Value;

/// How many regions a question can be kept out of, one bit each.
pub(crate) const MOST_REGIONS: usize = 64;

/// What conditions, asked in one stance, say of a question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region<'c> {
    conditions: &'c [Condition],
    openness: &'c Openness,
    stance: Stance,
}

/// A guard is not asked what it leaves open.
static OPEN: Openness = Openness { other_args: true, resource: ResourceOpenness::Any };

impl<'c> Region<'c> {
    /// What a permit or a capability covers.
    pub(crate) fn covered(Cover { conditions, openness }: Cover<'c>) -> Self {
        Region { conditions, openness, stance: Stance::Cover }
    }

    /// Where a guard acts: also where one of its conditions can't be told.
    pub(crate) fn guarded(conditions: &'c [Condition]) -> Self {
        Region { conditions, openness: &OPEN, stance: Stance::Guard }
    }

    /// What conditions cover that close nothing.
    pub(crate) fn covered_openly(conditions: &'c [Condition]) -> Self {
        Region { conditions, openness: &OPEN, stance: Stance::Cover }
    }

    pub(crate) fn conditions(&self) -> &'c [Condition] {
        self.conditions
    }

    /// Whether some question may be in both, as far as one fact alone tells; `true` where it can't be excluded.
    pub(crate) fn may_meet(&self, other: &Region<'_>, meter: &Meter) -> bool {
        if self.stance != Stance::Cover {
            return true;
        }
        self.conditions.iter().all(|own| {
            let absence = own.fact.absence();
            let mut others = other.on(&own.fact).map(|other| &other.constraint);
            others.all(|its| all_and(&[&own.constraint], its, other.stance, absence, meter))
        })
    }

    pub(crate) fn on(self, fact: &Fact) -> impl Iterator<Item = &'c Condition> {
        self.conditions.iter().filter(move |own| own.fact == *fact)
    }

    fn fits(&self, resource: bool) -> bool {
        self.openness.resource.fits(resource)
    }

    /// Whether the fact may be there at all.
    fn allows(self, fact: &Fact) -> bool {
        let named = |name| {
            Cover { conditions: self.conditions, openness: self.openness }.names_argument(name)
        };
        fact.as_argument().is_none_or(|name| self.openness.other_args || named(name))
    }

    /// A test that passes wherever the condition may be met: a comparison is not known here.
    fn widely(self, own: &'c Condition) -> Test<'c> {
        match self.stance {
            Stance::Guard => Test::guard(&own.constraint),
            Stance::Cover if own.constraint.compares() => Test::may_cover(&own.constraint),
            Stance::Cover => Test::cover(&own.constraint),
        }
    }

    /// A test that passes only where the condition is met, whatever a comparison comes to.
    fn narrowly(self, own: &'c Condition) -> Test<'c> {
        match self.stance {
            Stance::Guard if own.constraint.compares() => Test::sure_guard(&own.constraint),
            Stance::Guard => Test::guard(&own.constraint),
            Stance::Cover => Test::cover(&own.constraint),
        }
    }
}

/// What was chosen: the facts that are there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) resource: bool,
    pub(crate) facts: Vec<(Fact, Value)>,
}

/// One search.
pub(crate) struct Search<'a> {
    within: &'a [Region<'a>],
    outside: &'a [Region<'a>],
    /// Which facts are cut along: conditions on others count as met.
    is_open: fn(&Fact) -> bool,
    /// What else is known of the values of a fact.
    domain: &'a dyn Fn(&Fact) -> Domain,
    meter: &'a Meter,
    /// Whether no question was missed.
    complete: bool,
}

/// One way a part of the question can be: which regions are still met, and how it is.
struct Choice {
    met: u64,
    value: Option<Value>,
}

/// A part of the question with its choices.
struct Part {
    fact: Fact,
    choices: Vec<Choice>,
}

impl Found {
    pub(crate) fn get(&self, fact: &Fact) -> Option<&Value> {
        self.facts.iter().find_map(|(own, value)| (own == fact).then_some(value))
    }

    /// Puts another value there.
    pub(crate) fn set(&mut self, fact: &Fact, value: Value) {
        match self.facts.iter_mut().find(|(own, _)| own == fact) {
            Some((_, own)) => *own = value,
            None => self.facts.push((fact.clone(), value)),
        }
    }
}

impl<'a> Search<'a> {
    /// Of at most [`MOST_REGIONS`] to be outside of.
    pub(crate) fn new(
        within: &'a [Region<'a>],
        outside: &'a [Region<'a>],
        is_open: fn(&Fact) -> bool,
        domain: &'a dyn Fn(&Fact) -> Domain,
        meter: &'a Meter,
    ) -> Self {
        let complete = outside.len() <= MOST_REGIONS;
        Search { within, outside, is_open, domain, meter, complete }
    }

    /// Whether finding nothing shows that there is nothing: not where the steps are spent, since to choose among the
    /// parts takes some after each of them was looked at.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// A question with a resource, or one without.
    pub(crate) fn run(&mut self, resource: bool) -> Option<Found> {
        if !self.within.iter().all(|own| own.fits(resource)) {
            return None;
        }
        let start = self.met(|region| region.fits(resource));
        let mut parts = Vec::new();
        for fact in self.facts(resource) {
            parts.push(self.part(fact, resource));
        }
        parts.push(self.unnamed());
        // Those that rule out most come first; a part without a choice ends the search at once.
        parts.sort_by_key(|part| part.choices.len());
        let mut seen = HashSet::new();
        let mut path = Vec::new();
        if !self.choose(&parts, start, &mut seen, &mut path) {
            return None;
        }
        let chosen = parts.into_iter().zip(path).filter_map(|(part, at)| {
            let choice = part.choices.into_iter().nth(at)?;
            Some((part.fact, choice.value?))
        });
        Some(Found { resource, facts: chosen.collect() })
    }

    fn met(&self, is_met: impl Fn(&Region<'a>) -> bool) -> u64 {
        let bits = self.outside.iter().take(MOST_REGIONS).enumerate();
        bits.filter(|(_, region)| is_met(region)).fold(0, |met, (bit, _)| met | 1 << bit)
    }

    /// Whether choices for the parts leave none of the regions met that it has to be outside of; `path` says
    /// which.
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
        let conditions =
            self.outside.iter().chain(self.within).flat_map(|region| region.conditions);
        let mut facts: BTreeSet<Fact> =
            conditions.map(|c| &c.fact).filter(|fact| (self.is_open)(fact)).cloned().collect();
        if resource {
            facts.extend([Fact::ResourceType, Fact::ResourceId]);
        }
        facts.into_iter().collect()
    }

    fn part(&mut self, fact: Fact, resource: bool) -> Part {
        let all = self.outside.iter().chain(self.within);
        let conditions: usize = all.map(|region| region.conditions.len()).sum();
        if !self.meter.charge(4 + conditions, Work::Containing) {
            self.complete = false;
            return Part { fact, choices: Vec::new() };
        }
        let domain = (self.domain)(&fact);
        let mut tests = vec![Test::There];
        // Asked as well, so that no cell is shown by a value that the fact never has.
        let possible = bits(&mut tests, domain.test().into_iter());
        let (within, mut own_bits) = (self.within, 0);
        for region in within {
            own_bits |= bits(&mut tests, region.on(&fact).map(|own| region.widely(own)));
        }
        let is_asked = |region: &Region<'_>, own: &Condition| {
            let same = within.iter().filter(|within| within.stance == region.stance);
            same.flat_map(|within| within.on(&fact))
                .any(|within| within.constraint == own.constraint)
        };
        let other_bits: Vec<u64> = self
            .outside
            .iter()
            .map(|region| {
                let others = region.on(&fact).filter(|own| !is_asked(region, own));
                bits(&mut tests, others.map(|own| region.narrowly(own)))
            })
            .collect();
        if tests.len() > MAX_TESTS {
            self.complete = false;
            return Part { fact, choices: Vec::new() };
        }
        let no_resource = fact.is_of_the_resource() && !resource;
        let is_allowed = within.iter().all(|region| region.allows(&fact));
        let outside: Vec<(u64, bool)> = other_bits
            .into_iter()
            .zip(self.outside)
            .map(|(bits, region)| (bits, region.allows(&fact)))
            .take(MOST_REGIONS)
            .collect();
        let met_where = |is_met: &dyn Fn(&(u64, bool)) -> bool| {
            let met = outside.iter().enumerate().filter(|(_, region)| is_met(region));
            met.fold(0, |met, (bit, _)| met | 1 << bit)
        };
        // Which regions are still met; `None` where the fact can't be so.
        let left = |passed: u64, there: bool| {
            let fits = match there {
                true => !no_resource && passed & possible == possible && is_allowed,
                false => no_resource || domain.may_be_absent(),
            };
            (fits && passed & own_bits == own_bits)
                .then(|| met_where(&|(bits, allows)| passed & bits == *bits && (!there || *allows)))
        };
        // Whatever the fact is, these are met. Where no more are, nothing else is needed of it; a list or an object
        // is, where something simpler does the same.
        let always = met_where(&|(bits, allows)| *bits == 0 && *allows);
        let is_best = |passed, value: Option<&Value>| {
            let is_simple = value.is_none_or(|own| own.depth() == 0) || fact.is_a_set();
            is_simple && left(passed, value.is_some()).is_some_and(|met| met & !always == 0)
        };
        let lists = self.lists(&fact, &domain);
        let sampler = Sampler::new(&tests, fact.absence(), SAMPLES, Some(&is_best)).with(lists);
        let cells = sampler.run(true, self.meter);
        self.complete &= cells.complete;
        let choices = cells.found.into_iter().filter_map(|(passed, value)| {
            Some(Choice { met: left(passed, value.is_some())?, value })
        });
        let choices = fewest_met(choices.collect());
        Part { fact, choices }
    }

    /// Whether a list may be what no element of it is: where several guards have to act on it, say, or several covers
    /// not to take it.
    fn lists(&self, fact: &Fact, domain: &Domain) -> Lists {
        let guards = self.within.iter().filter(|own| own.stance == Stance::Guard);
        let acting = guards.map(|own| own.on(fact).count()).sum::<usize>();
        let covers = self.outside.iter().filter(|own| own.stance == Stance::Cover);
        let not_taking = covers.filter(|own| own.on(fact).next().is_some()).count();
        let own = |region: &&Region<'_>| region.stance == Stance::Cover;
        let on = |region: &'a Region<'a>| region.on(fact).map(|own| &own.constraint);
        let taking = self.within.iter().filter(own).flat_map(on).chain(domain.values());
        let taking: Vec<&Constraint> = taking.collect();
        let others = self.within.iter().filter(|own| own.stance == Stance::Guard);
        let others = others.chain(self.outside).flat_map(on);
        lists_needed(&taking, others, acting + not_taking, self.meter)
    }

    /// An argument that no condition names.
    fn unnamed(&self) -> Part {
        let mut name = UNNAMED.to_owned();
        while self.facts(false).contains(&Fact::arg(&name)) {
            name.push('_');
        }
        let mut choices = vec![Choice { met: u64::MAX, value: None }];
        if self.within.iter().all(|region| region.openness.other_args) {
            let met = self.met(|region| region.openness.other_args);
            choices.push(Choice { met, value: Some(Value::from("x")) });
        }
        Part { fact: Fact::arg(&name), choices: fewest_met(choices) }
    }
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

/// The choices of use, simple ones first: where one leaves a part of what another leaves and is not
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
