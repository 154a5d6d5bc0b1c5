//! The index: which rules a question can concern at all.
//!
//! A rule that demands something of the question (`table = "orders"`, `path = { under = "/data" }`,
//! `amount = { max = 500 }`) can only apply where that is met. Each rule is filed under the one of its demands
//! that it shares with the fewest others, so a decision looks at the few rules that its own values lead to
//! instead of at all. What is left out is provably without effect: not true, for a permit left out, and false
//! for a forbid or an ask. Where that can't be told, it is visited.

mod census;
mod demand;
mod draft;
mod drawer;
mod file;
mod heads;
mod intervals;
mod keys;
mod nested;
mod posted;

use std::collections::HashMap;

use super::effect::Effect;
use super::rule::{Rule, Tools};
use crate::meter::Meter;
use crate::scope::{Absence, Fact, Set};
use crate::spread::SpreadMap;
use crate::value::{Object, Value};
use file::File;

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

/// A question, as the index looks at it.
pub(crate) trait Asked<'q>: Copy {
    /// What it has at a fact by which rules are filed.
    fn probe(self, fact: &Fact) -> Probe<'q>;

    /// What it has by name.
    fn names(self, space: Space) -> Names<'q>;
}

/// What a question has at a fact.
pub(crate) enum Probe<'q> {
    /// This value.
    Value(&'q Value),
    /// The value that is this text.
    Text(&'q str),
    /// One of these values, not known which.
    OneOf(&'q Set),
    /// Nothing.
    Missing(Absence),
    /// Not known yet: any rule filed under the fact may concern it.
    Open,
}

/// Facts that are called by names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Args,
    Context,
    WhoAttrs,
    ResourceAttrs,
}

/// Which names of a space a question has.
pub(crate) enum Names<'q> {
    /// Those of this object.
    These(&'q Object),
    /// Not known yet.
    Any,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut by_tool: HashMap<&str, [Vec<u32>; 2]> = HashMap::new();
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
                    for name in &**names {
                        file(by_tool.entry(name).or_default());
                    }
                }
                Tools::Unsaid | Tools::Any | Tools::Like(_) => file(&mut any_tool),
            }
        }
        let filed = |[permits, guards]: [Vec<u32>; 2]| Filed {
            permits: File::new(permits, Side::Permits, rules),
            guards: File::new(guards, Side::Guards, rules),
        };
        Index {
            by_tool: by_tool
                .into_iter()
                .map(|(name, halves)| (name.into(), filed(halves)))
                .collect(),
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
        asked: impl Asked<'q>,
        meter: &Meter,
        mut visit: impl FnMut(u32),
    ) {
        // What is spent denies, whatever else would be found.
        let mut visit = |at| {
            if !meter.is_spent() {
                visit(at);
            }
        };
        let Candidates([of_tool, of_any]) = self;
        if let Some(filed) = of_tool {
            filed.side(side).visit(side, asked, meter, &mut visit);
        }
        if let Some(filed) = of_any {
            filed.side(side).visit(side, asked, meter, &mut visit);
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
