//! A policy ready to decide.

use super::catalogue::{Catalogue, Tool};
use super::describe::policy_value;
use super::index::Index;
use super::rule::Rule;
use crate::clock::Timestamp;
use crate::scope::Fact;
use crate::value::{Digest, Value};

/// Checked rules in the order of their ids, and the index over them.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) rules: Vec<Rule>,
    pub(crate) catalogue: Catalogue,
    pub(crate) index: Index,
    pub(crate) digest: Digest,
    /// Whether any rule looks at the task's history: if none does, no history has to be kept ready.
    pub(crate) looks_at_history: bool,
    /// Whether any rule reads the time.
    looks_at_time: bool,
}

impl Compiled {
    pub(crate) fn new(rules: Vec<Rule>, tools: &[Tool]) -> Self {
        let index = Index::new(&rules);
        let digest = policy_value(&rules, tools).digest();
        let mut conditions = rules.iter().flat_map(|rule| &rule.conditions);
        // `same_as` has no word for the history.
        let looks_at_history = conditions.clone().any(|own| own.fact == Fact::Seen);
        let is_now = |fact: &Fact| *fact == Fact::Now;
        let looks_at_time =
            conditions.any(|own| is_now(&own.fact) || own.constraint.compares_with(&is_now));
        Compiled {
            rules,
            catalogue: Catalogue::of(tools),
            index,
            digest,
            looks_at_history,
            looks_at_time,
        }
    }

    /// The time as rules read it, if any does.
    pub(crate) fn time(&self, now: Timestamp) -> Option<Value> {
        self.looks_at_time.then(|| Value::from(now.to_string()))
    }

    pub(crate) fn rule(&self, at: u32) -> Option<&Rule> {
        self.rules.get(at as usize)
    }
}
