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
        let looks_at =
            |fact: Fact| rules.iter().any(|rule| rule.conditions.iter().any(|c| c.fact == fact));
        let (looks_at_history, looks_at_time) = (looks_at(Fact::Seen), looks_at(Fact::Now));
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
