//! A file: rules of one tool and side, each in the drawer where it stands with the fewest others.

use super::census::Census;
use super::drawer::Drawer;
use super::{Asked, Names, Side, Space};
use crate::meter::{Meter, Work};
use crate::policy::rule::Rule;
use crate::scope::Fact;
use crate::spread::SpreadMap;

/// Rules of one tool and side.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Looked into at every question.
    drawers: Box<[Drawer]>,
    /// Looked into where the question has something of the name.
    named: Box<[Named]>,
    /// Rules without a demand to file them by.
    rest: Box<[u32]>,
    pub(super) all: Box<[u32]>,
}

/// Drawers by the names of facts. Rules in those of a name that the question does not have are without
/// effect.
#[derive(Debug)]
struct Named {
    space: Space,
    drawers: SpreadMap<Box<str>, Vec<Drawer>>,
}

/// This many drawers are each looked into in less time than it takes to look for names.
const FEW: usize = 8;

impl File {
    pub(super) fn new(own: Vec<u32>, side: Side, rules: &[Rule]) -> Self {
        let census = Census::of(&own, side, rules);
        let rest = census.rest(&own);
        let mut drawers = census.drawers();
        let spaces = match side {
            Side::Permits => Space::ALL.as_slice(),
            // Of what is not there a guard knows only if it is an argument: it has no effect then.
            Side::Guards => &[Space::Args],
        };
        let named = spaces.iter().filter_map(|space| Named::of(*space, &mut drawers)).collect();
        File { drawers: drawers.into(), named, rest, all: own.into() }
    }

    #[inline]
    pub(super) fn visit<'q>(
        &self,
        side: Side,
        asked: impl Asked<'q>,
        meter: &Meter,
        visit: &mut impl FnMut(u32),
    ) {
        self.rest.iter().copied().for_each(&mut *visit);
        for drawer in &self.drawers {
            drawer.visit(side, asked.probe(&drawer.fact), meter, visit);
        }
        for named in &self.named {
            named.visit(side, asked, meter, visit);
        }
    }
}

impl Named {
    /// Takes the drawers of a space, if they are many.
    fn of(space: Space, all: &mut Vec<Drawer>) -> Option<Self> {
        let is_of_space =
            |drawer: &Drawer| matches!(Space::of(&drawer.fact), Some((own, _)) if own == space);
        if all.iter().filter(|drawer| is_of_space(drawer)).count() <= FEW {
            return None;
        }
        let mut drawers: SpreadMap<Box<str>, Vec<Drawer>> = SpreadMap::default();
        for drawer in std::mem::take(all) {
            match Space::of(&drawer.fact) {
                Some((own, name)) if own == space => {
                    drawers.entry(name.into()).or_default().push(drawer);
                }
                _ => all.push(drawer),
            }
        }
        Some(Named { space, drawers })
    }

    /// Apart, so that the way of few names stays small.
    #[inline(never)]
    fn visit<'q>(
        &self,
        side: Side,
        asked: impl Asked<'q>,
        meter: &Meter,
        visit: &mut impl FnMut(u32),
    ) {
        let mut look_into = |drawers: &[Drawer]| {
            for drawer in drawers {
                drawer.visit(side, asked.probe(&drawer.fact), meter, visit);
            }
        };
        match asked.names(self.space) {
            Names::These(object) => {
                for name in object.keys() {
                    if !meter.charge_bytes(name.len(), Work::Visiting) {
                        return;
                    }
                    self.drawers.get(name).into_iter().for_each(|drawers| look_into(drawers));
                }
            }
            Names::Any => self.drawers.values().for_each(|drawers| look_into(drawers)),
        }
    }
}

impl Space {
    const ALL: [Space; 4] = [Space::Args, Space::Context, Space::WhoAttrs, Space::ResourceAttrs];

    /// Where a fact is one of several by name.
    fn of(fact: &Fact) -> Option<(Space, &str)> {
        match fact {
            Fact::Arg(path) => Some((Space::Args, path.first()?)),
            Fact::Context(name) => Some((Space::Context, name)),
            Fact::WhoAttr(name) => Some((Space::WhoAttrs, name)),
            Fact::ResourceAttr(name) => Some((Space::ResourceAttrs, name)),
            _ => None,
        }
    }
}
