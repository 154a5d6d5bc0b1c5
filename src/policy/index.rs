//! The index: which rules a question can concern at all.
//!
//! A rule that demands equality (`table = "orders"`, `groups = { has_any = ["g7"] }`) can only apply
//! where that value is found. Each rule is filed under the one such demand it shares with the fewest
//! others, so a decision looks at the few rules filed under the question's own values instead of at
//! all. What is left out is provably without effect: false, for every rule left out.

use std::collections::{HashMap, HashSet};

use super::kinds::Kinds;
use super::rule::{Effect, Rule, Tools};
use crate::meter::{Meter, Work};
use crate::scope::{Absence, Constraint, Fact, Node, Set};
use crate::spread::SpreadMap;
use crate::value::Value;

/// The rules by tool, and those that name no tool.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_tool: SpreadMap<Box<str>, Filed>,
    any_tool: Option<Filed>,
}

/// The rules that may speak of one tool: those that name it, and those that name none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidates<'p>([Option<&'p Filed>; 2]);

/// Permits and guards (forbid and ask), each filed by its own demands.
#[derive(Debug, Default)]
pub(crate) struct Filed {
    permits: File,
    guards: File,
}

/// Which half of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Permits,
    Guards,
}

/// What the question has at a fact by which rules are filed.
pub(crate) enum Probe<'q> {
    /// This value.
    Value(&'q Value),
    /// One of these values, not known which.
    OneOf(&'q Set),
    /// Nothing.
    Missing(Absence),
    /// Not known yet: any rule filed under the fact may concern it.
    Open,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut by_tool: HashMap<Box<str>, [Vec<u32>; 2]> = HashMap::new();
        let mut any_tool: [Vec<u32>; 2] = Default::default();
        for (at, rule) in (0u32..).zip(rules) {
            let half = usize::from(rule.effect != Effect::Permit);
            let file = |halves: &mut [Vec<u32>; 2]| {
                if let Some(half) = halves.get_mut(half) {
                    half.push(at);
                }
            };
            match &rule.tools {
                Tools::Named(names) => {
                    for name in names {
                        file(by_tool.entry(name.clone()).or_default());
                    }
                }
                Tools::Unsaid | Tools::Any | Tools::Like(_) => file(&mut any_tool),
            }
        }
        let filed = |[permits, guards]: [Vec<u32>; 2]| Filed {
            permits: File::new(permits, rules),
            guards: File::new(guards, rules),
        };
        Index {
            by_tool: by_tool.into_iter().map(|(name, halves)| (name, filed(halves))).collect(),
            any_tool: any_tool.iter().any(|half| !half.is_empty()).then(|| filed(any_tool)),
        }
    }

    /// The rules that may speak of `tool`.
    #[inline]
    pub(crate) fn of(&self, tool: &str) -> Candidates<'_> {
        Candidates([self.by_tool.get(tool), self.any_tool.as_ref()])
    }

    /// Every rule of `side` that names `tool`, then those that name none.
    pub(crate) fn all(&self, side: Side, tool: &str) -> impl Iterator<Item = u32> {
        [self.by_tool.get(tool), self.any_tool.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(move |filed| filed.side(side).all.iter().copied())
    }
}

impl Candidates<'_> {
    /// Visits every rule of `side` that may apply to a question; now and then one twice.
    #[inline]
    pub(crate) fn visit<'q>(
        self,
        side: Side,
        probe: impl Fn(&Fact) -> Probe<'q>,
        meter: &Meter,
        mut visit: impl FnMut(u32),
    ) {
        // What is spent denies, whatever else would be found.
        let mut visit = |at| {
            if !meter.is_spent() {
                visit(at);
            }
        };
        for filed in self.0.into_iter().flatten() {
            filed.side(side).visit(side, &probe, meter, &mut visit);
        }
    }
}

impl Filed {
    #[inline]
    fn side(&self, side: Side) -> &File {
        match side {
            Side::Permits => &self.permits,
            Side::Guards => &self.guards,
        }
    }
}

/// Rules of one tool and side.
#[derive(Debug, Default)]
struct File {
    drawers: Box<[Drawer]>,
    /// Rules without a demand to file them by.
    rest: Box<[u32]>,
    all: Box<[u32]>,
}

/// Rules filed under the values of one fact.
#[derive(Debug)]
struct Drawer {
    fact: Fact,
    of: Of,
    by_value: SpreadMap<Value, Vec<u32>>,
    all: Vec<u32>,
    /// Kinds of value that every rule here compares with: of a value of another kind, some rule's
    /// answer is unknown rather than false.
    kinds: Kinds,
}

/// What is compared with the demanded values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Of {
    /// The fact itself (`eq`, `one_of`); of a list, its elements.
    Itself,
    /// The members of the list that the fact is (`has_any`, `has_all`).
    Members,
}

impl File {
    fn new(own: Vec<u32>, rules: &[Rule]) -> Self {
        let demands = |at: &u32| {
            rules.get(*at as usize).into_iter().flat_map(|rule| &rule.conditions).filter_map(
                |condition| {
                    demand(&condition.constraint).map(|(of, set)| (&condition.fact, of, set))
                },
            )
        };
        let mut crowd: HashMap<(&Fact, Of, &Value), usize> = HashMap::new();
        let mut fame: HashMap<(&Fact, Of), usize> = HashMap::new();
        for at in &own {
            for (fact, of, set) in demands(at) {
                *fame.entry((fact, of)).or_default() += 1;
                for value in set {
                    *crowd.entry((fact, of, value)).or_default() += 1;
                }
            }
        }
        let mut drawers: Vec<Drawer> = Vec::new();
        let mut rest = Vec::new();
        for at in &own {
            let best = demands(at).min_by_key(|(fact, of, set)| {
                let crowded =
                    set.iter().filter_map(|v| crowd.get(&(*fact, *of, *v))).max().copied();
                let famous = fame.get(&(*fact, *of)).copied().unwrap_or(0);
                // The fewest companions; then the fact most rules are filed by, so that there are few
                // drawers to look into; then any fixed order.
                (crowded.unwrap_or(0), std::cmp::Reverse(famous), *fact, *of)
            });
            match best {
                Some((fact, of, set)) => drawer(&mut drawers, fact, of).file(*at, &set),
                None => rest.push(*at),
            }
        }
        File { drawers: drawers.into(), rest: rest.into(), all: own.into() }
    }

    #[inline]
    fn visit<'q>(
        &self,
        side: Side,
        probe: &impl Fn(&Fact) -> Probe<'q>,
        meter: &Meter,
        visit: &mut impl FnMut(u32),
    ) {
        self.rest.iter().copied().for_each(&mut *visit);
        for drawer in &self.drawers {
            drawer.visit(side, probe(&drawer.fact), meter, visit);
        }
    }
}

fn drawer<'d>(drawers: &'d mut Vec<Drawer>, fact: &Fact, of: Of) -> &'d mut Drawer {
    let at = drawers.iter().position(|d| d.fact == *fact && d.of == of);
    let at = at.unwrap_or_else(|| {
        drawers.push(Drawer {
            fact: fact.clone(),
            of,
            by_value: SpreadMap::default(),
            all: Vec::new(),
            kinds: Kinds::EVERY,
        });
        drawers.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "`at` was found or pushed just above")]
    &mut drawers[at]
}

/// How many elements are looked up without noting which rules were found.
const FEW: usize = 8;

impl Drawer {
    fn file(&mut self, at: u32, values: &[&Value]) {
        let mut kinds = Kinds::NONE;
        for value in values {
            self.by_value.entry((*value).clone()).or_default().push(at);
            kinds = kinds.and_one(value);
        }
        self.kinds = self.kinds.common(kinds);
        self.all.push(at);
    }

    fn visit(&self, side: Side, probe: Probe<'_>, meter: &Meter, visit: &mut impl FnMut(u32)) {
        match probe {
            Probe::Value(value) => self.visit_value(side, value, meter, visit),
            // Not the first alone, for a permit that covers them all: of a set that something else
            // narrows, the first may be none of them.
            Probe::OneOf(set) => match set.as_slice() {
                [only] => self.visit_value(side, only, meter, visit),
                values => {
                    let mut found = Vec::new();
                    for value in values {
                        self.visit_value(side, value, meter, &mut |at| found.push(at));
                        // A rule may be filed under each of them.
                        if found.len() > 2 * self.all.len() {
                            found.sort_unstable();
                            found.dedup();
                            if found.len() == self.all.len() {
                                break;
                            }
                        }
                    }
                    found.sort_unstable();
                    found.dedup();
                    found.into_iter().for_each(visit);
                }
            },
            Probe::Missing(Absence::Argument) => {}
            // A permit needs true; unknown is enough for a guard.
            Probe::Missing(Absence::Attribute) if side == Side::Permits => {}
            Probe::Missing(Absence::Attribute) | Probe::Open => {
                self.all.iter().copied().for_each(visit);
            }
        }
    }

    fn visit_value(&self, side: Side, value: &Value, meter: &Meter, visit: &mut impl FnMut(u32)) {
        match (self.of, value, side) {
            (_, Value::List(elements), Side::Guards) => {
                // A member of another kind leaves it open whether the list has the demanded value.
                if !meter.charge(1 + elements.len() / 8, Work::Visiting) {
                } else if elements.iter().all(|element| self.kinds.include(element)) {
                    self.filed_under_any(elements, meter, visit);
                } else {
                    self.all.iter().copied().for_each(visit);
                }
            }
            (Of::Members, Value::List(elements), Side::Permits) => {
                self.filed_under_any(elements, meter, visit);
            }
            // A permit asks the same of every element, so of the first, and if that is a list, of its
            // first.
            (Of::Itself, Value::List(elements), Side::Permits) => {
                if let Some(first) = elements.first() {
                    self.visit_value(side, first, meter, visit);
                }
            }
            (Of::Members, _, Side::Permits) => {}
            (Of::Itself, _, Side::Guards) if self.kinds.include(value) => {
                self.filed_under(value, meter, visit);
            }
            (_, _, Side::Guards) => self.all.iter().copied().for_each(visit),
            (Of::Itself, _, Side::Permits) => self.filed_under(value, meter, visit),
        }
    }

    #[inline]
    fn filed_under(&self, value: &Value, meter: &Meter, visit: &mut impl FnMut(u32)) {
        if let Some(rules) = self.find(value, meter) {
            rules.iter().copied().for_each(visit);
        }
    }

    #[inline]
    fn find(&self, value: &Value, meter: &Meter) -> Option<&Vec<u32>> {
        let bytes = value.as_text().map_or(0, str::len);
        if meter.charge_bytes(bytes, Work::Visiting) { self.by_value.get(value) } else { None }
    }

    /// Rules filed under several values, each once where there are many: a list may have one value
    /// again and again, and a rule stand under many.
    #[inline]
    fn filed_under_any(&self, elements: &[Value], meter: &Meter, visit: &mut impl FnMut(u32)) {
        if elements.len() <= FEW {
            elements.iter().for_each(|element| self.filed_under(element, meter, visit));
        } else {
            self.filed_under_many(elements, meter).into_iter().for_each(visit);
        }
    }

    /// Apart, so that the way of a few values stays small.
    #[inline(never)]
    fn filed_under_many(&self, elements: &[Value], meter: &Meter) -> Vec<u32> {
        let mut seen: HashSet<*const u32> = HashSet::new();
        let mut found = Vec::new();
        for element in elements {
            if let Some(rules) = self.find(element, meter)
                && seen.insert(rules.as_ptr())
                && meter.charge(1 + rules.len() / 8, Work::Visiting)
            {
                found.extend_from_slice(rules);
            }
            if meter.is_spent() {
                return Vec::new();
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The values of which a constraint demands one; without them it is false.
fn demand(constraint: &Constraint) -> Option<(Of, Vec<&Value>)> {
    match &constraint.0 {
        // Values that are lists or objects are compared whole: rare, so left to evaluation.
        Node::Is(set) if set.iter().all(is_plain) => Some((Of::Itself, set.iter().collect())),
        Node::HasAny(set) if set.iter().all(is_plain) => Some((Of::Members, set.iter().collect())),
        Node::HasAll(set) => {
            let first = set.iter().next().filter(|value| is_plain(value))?;
            Some((Of::Members, vec![first]))
        }
        // Next to a comparison with a list, all parts look at the list itself: of that, those that demand
        // an element know nothing.
        Node::All(_) if constraint.takes_lists_as_known() => None,
        Node::All(parts) => parts.iter().find_map(demand),
        _ => None,
    }
}

fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::Text(_))
}
