//! Guards of which no permit leaves anything to act on.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::guess::Guesses;
use super::warning::{Findings, WarningCode};
use crate::meter::Meter;
use crate::policy::effect::Effect;
use crate::policy::error::place_of;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Cover, Stance, condition_may_overlap};

/// How many tools are compared in all with guards that do not name theirs.
const MOST_COMPARED: usize = 100_000;

/// How many permits a guard is compared with condition by condition. Of a tool with more permits, one
/// is taken to leave something.
const MOST_PERMITS: usize = 16;

/// The steps that comparing a guard with one permit may take.
const STEPS: u64 = 10_000;

/// What the permits of a policy give, by tool.
pub(super) struct Reach<'p> {
    by_tool: HashMap<&'p str, Given<'p>>,
    /// What permits give whose tools are not named.
    of_others: Given<'p>,
    /// What permits give of any tool.
    of_all: Given<'p>,
    left: Cell<usize>,
    guesses: &'p Guesses,
}

#[derive(Default)]
struct Given<'p> {
    permits: Vec<&'p Rule>,
    /// Whether some permit lets unnamed arguments be there.
    open: bool,
    arguments: HashSet<&'p str>,
}

impl<'p> Given<'p> {
    fn add(&mut self, rule: &'p Rule) {
        self.permits.push(rule);
        self.open |= rule.openness.other_args;
        self.arguments.extend(rule.conditions.iter().filter_map(|own| own.fact.as_argument()));
    }
}

impl<'p> Reach<'p> {
    pub(super) fn of(rules: &'p [Rule], guesses: &'p Guesses) -> Self {
        let (mut of_others, mut of_all) = (Given::default(), Given::default());
        let mut by_tool: HashMap<&str, Given<'_>> = HashMap::new();
        for rule in rules.iter().filter(|rule| rule.effect == Effect::Permit) {
            of_all.add(rule);
            match &rule.tools {
                Tools::Named(names) => {
                    names.iter().for_each(|name| by_tool.entry(name).or_default().add(rule))
                }
                _ => of_others.add(rule),
            }
        }
        Reach { by_tool, of_others, of_all, left: Cell::new(MOST_COMPARED), guesses }
    }

    /// Warns of a guard of tools that no permit gives, on arguments that no permit lets be there, or on
    /// calls that none covers.
    pub(super) fn look_at(&self, guard: &Rule, findings: &mut Findings<'_>) {
        if guard.effect == Effect::Permit {
            return;
        }
        let Some(given) = self.of_tools(guard) else { return };
        if given.iter().all(|given| given.permits.is_empty()) {
            let message = "no permit gives what it speaks of, and so it withholds nothing: see that \
                           both name the same tool";
            findings.add(WarningCode::NothingWithheld, "what", message);
            return;
        }
        let mut is_named = true;
        for condition in &guard.conditions {
            let Some(name) = condition.fact.as_argument() else { continue };
            if given.iter().any(|given| given.open || given.arguments.contains(name)) {
                continue;
            }
            is_named = false;
            let known = given.iter().flat_map(|given| given.arguments.iter().copied());
            let guess = self.guesses.of_some(name, known);
            let fact = &condition.fact;
            let message = format!("no permit of its tools lets `{fact}` be there{guess}");
            findings.add(WarningCode::UnnamedArgument, &place_of(fact), message);
        }
        let permits: Vec<&Rule> =
            given.iter().flat_map(|given| &given.permits).copied().take(MOST_PERMITS + 1).collect();
        if is_named
            && permits.len() <= MOST_PERMITS
            && permits.iter().all(|permit| !may_meet(permit, guard))
        {
            let message = "no call that a permit gives is as it says, and so it withholds nothing";
            findings.add(WarningCode::NothingWithheld, "", message);
        }
    }

    /// What is given of the tools that a guard speaks of; `None` where to tell takes too long.
    fn of_tools(&self, guard: &Rule) -> Option<Vec<&Given<'p>>> {
        let mut given = vec![&self.of_others];
        match &guard.tools {
            Tools::Named(names) => {
                given.extend(names.iter().filter_map(|name| self.by_tool.get(&**name)));
            }
            Tools::Unsaid | Tools::Any => given = vec![&self.of_all],
            Tools::Like(_) => {
                self.left.set(self.left.get().checked_sub(self.by_tool.len())?);
                let meter = Meter::of(STEPS);
                let named = self
                    .by_tool
                    .iter()
                    .filter(|(tool, _)| guard.tool_named(tool, Stance::Guard, &meter).may_hold());
                given.extend(named.map(|(_, given)| given));
            }
        }
        Some(given)
    }
}

/// Whether a guard may act on a call that a permit gives.
fn may_meet(permit: &Rule, guard: &Rule) -> bool {
    let meter = Meter::of(STEPS);
    let (own, shared) = (permit.conditions.own(), permit.conditions.shared());
    guard.conditions.iter().all(|its| {
        // What is said of one fact is one condition.
        let is_shared = shared.iter().any(|own| own.fact == its.fact);
        let conditions = if is_shared { shared } else { own };
        let cover = Cover { conditions, openness: &permit.openness };
        condition_may_overlap(cover, (&its.fact, &its.constraint), &meter)
    })
}
