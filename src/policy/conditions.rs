//! The conditions of a rule, of which those that many rules end in are kept once.

use std::collections::HashSet;
use std::iter::Chain;
use std::slice::Iter;
use std::sync::Arc;

use super::rule::{Rule, Tools};
use crate::scope::{Condition, Constraint, Fact};
use crate::spread::SpreadMap;

/// Everything that a rule asks of the question, in the order in which it was written.
///
/// Rules mostly end in conditions that others end in, too (`env = "prod"`, one purpose): once a policy is built, those
/// are one allocation for all of these rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    /// INVARIANT: every condition on the call is one of these.
    own: Box<[Condition]>,
    /// Behind its own; none of them on the call.
    shared: Option<Arc<[Condition]>>,
}

/// The most conditions at the end of a rule that are looked for at the end of others.
const MOST_SHARED: usize = 8;

/// How many rules have to end in the same conditions. A pair of them would save no more than it takes to share them.
const FEWEST: u32 = 4;

impl Conditions {
    pub(crate) fn add(&mut self, fact: Fact, constraint: Constraint) {
        self.change(|own| Condition::add(own, fact, constraint));
    }

    /// Changes each of them.
    pub(super) fn try_for_each_mut<E>(
        &mut self,
        mut change: impl FnMut(&mut Condition) -> Result<(), E>,
    ) -> Result<(), E> {
        self.change(|own| own.iter_mut().try_for_each(&mut change))
    }

    /// A rule of a policy that was built may be changed and built again.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Vec<Condition>) -> T) -> T {
        let mut own = std::mem::take(&mut self.own).into_vec();
        own.extend(self.shared.take().iter().flat_map(|shared| shared.iter().cloned()));
        let changed = change(&mut own);
        self.own = own.into();
        changed
    }

    pub(crate) fn iter(&self) -> Chain<Iter<'_, Condition>, Iter<'_, Condition>> {
        self.own.iter().chain(self.shared())
    }

    pub(crate) fn len(&self) -> usize {
        self.own.len() + self.shared().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those among which all conditions on the call are.
    pub(crate) fn own(&self) -> &[Condition] {
        &self.own
    }

    /// The others, which are behind these.
    pub(crate) fn shared(&self) -> &[Condition] {
        self.shared.as_deref().unwrap_or_default()
    }

    /// What it ends in and could share, the longest first: conditions that are not on the call.
    fn ends(&self) -> impl Iterator<Item = &[Condition]> {
        let on_the_call = self.own.iter().rposition(|own| own.fact.is_of_the_call());
        let first = on_the_call.map_or(0, |at| at + 1);
        let first = first.max(self.own.len().saturating_sub(MOST_SHARED));
        (first..self.own.len()).filter_map(|at| self.own.get(at..))
    }
}

impl<'c> IntoIterator for &'c Conditions {
    type Item = &'c Condition;
    type IntoIter = Chain<Iter<'c, Condition>, Iter<'c, Condition>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Has rules share what they have in common: the conditions in which several end, and the lists of tools that they name.
pub(super) fn share(rules: &mut [Rule]) {
    share_conditions(rules);
    let mut named: HashSet<Arc<[Box<str>]>> = HashSet::new();
    for rule in rules {
        if let Tools::Named(names) = &mut rule.tools {
            match named.get(names) {
                Some(same) => *names = same.clone(),
                None => drop(named.insert(names.clone())),
            }
        }
    }
}

fn share_conditions(rules: &mut [Rule]) {
    let mut ends: SpreadMap<&[Condition], End> = SpreadMap::default();
    for rule in rules.iter() {
        for end in rule.conditions.ends() {
            ends.entry(end).or_default().rules += 1;
        }
    }
    ends.retain(|_, end| end.rules >= FEWEST);
    let longest = rules.iter().map(|rule| {
        let conditions = rule.conditions.ends().find(|own| ends.contains_key(own))?;
        let end = ends.get_mut(conditions)?;
        Some(end.shared.get_or_insert_with(|| conditions.into()).clone())
    });
    let longest: Vec<Option<Arc<[Condition]>>> = longest.collect();
    drop(ends);
    for (rule, shared) in rules.iter_mut().zip(longest) {
        let Some(shared) = shared else { continue };
        let mut own = std::mem::take(&mut rule.conditions.own).into_vec();
        own.truncate(own.len() - shared.len());
        rule.conditions = Conditions { own: own.into(), shared: Some(shared) };
    }
}

/// Conditions in which rules end.
#[derive(Default)]
struct End {
    /// How many do.
    rules: u32,
    shared: Option<Arc<[Condition]>>,
}

#[cfg(test)]
mod tests;
