//! What the rules of a policy have in common is kept once.

use std::collections::HashSet;
use std::sync::Arc;

use super::rule::{Rule, Tools};
use crate::scope::Condition;
use crate::spread::SpreadMap;

/// How many rules have to end in the same conditions. A pair of them would save no more than it takes to share them.
const FEWEST: u32 = 4;

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
        if let Some(shared) = shared {
            rule.conditions.share_end(shared);
        }
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
