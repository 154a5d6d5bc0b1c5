//! A policy ready to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::catalogue::{Catalogue, Tool};
use super::describe::{policy_digest, rule_value, tool_value};
use super::effect::Effect;
use super::index::Index;
use super::limits::Limits;
use super::rule::{Rule, Tools};
use crate::clock::Timestamp;
use crate::identity::Fold;
use crate::scope::Fact;
use crate::sync::Mutex;
use crate::value::{Digest, Value};

/// Checked rules in the order of their ids, and the index over them.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) rules: Vec<Rule>,
    pub(crate) catalogue: Catalogue,
    pub(crate) index: Index,
    pub(crate) digest: Digest,
    /// How names are spelled.
    pub(crate) fold: Fold,
    /// Whether any rule looks at the task's history: if none does, no history has to be kept ready.
    pub(crate) looks_at_history: bool,
    /// Whether any rule reads the time.
    looks_at_time: bool,
    /// What the log keeps in plain of each question, beyond arguments.
    pub(crate) plain: Vec<Fact>,
    /// A permit that gives nothing unless somebody is alerted, if there is one.
    pub(crate) alerts: Option<Arc<str>>,
    /// Of each rule that a question was bound to, which few are.
    digests: AssertUnwindSafe<Mutex<BTreeMap<u32, Digest>>>,
}

impl Compiled {
    pub(crate) fn new(rules: Vec<Rule>, tools: &[Tool], fold: Fold, plain: Vec<Fact>) -> Self {
        let index = Index::new(&rules);
        let digest = policy_digest(&rules, tools, fold, &plain);
        let conditions = || rules.iter().flat_map(Rule::all_conditions);
        let is_note = |fact: &Fact| matches!(fact, Fact::Note(_));
        // Nothing is compared with the labels, and nothing but comparing is done with notes.
        let looks_at_history = conditions()
            .any(|own| own.fact == Fact::Seen || own.constraint.compares_with(&is_note));
        let is_now = |fact: &Fact| *fact == Fact::Now;
        let looks_at_time =
            conditions().any(|own| is_now(&own.fact) || own.constraint.compares_with(&is_now));
        let alerts = |rule: &&Rule| rule.break_glass.as_ref().is_some_and(|own| !own.best_effort);
        let alerts = rules.iter().find(alerts).map(|rule| rule.id.clone());
        Compiled {
            alerts,
            digests: AssertUnwindSafe(Mutex::default()),
            rules,
            catalogue: Catalogue::of(tools, |tool| tool_value(tool).digest()),
            index,
            digest,
            plain,
            fold,
            looks_at_history,
            looks_at_time,
        }
    }

    /// The tools that a permit may give, by name, and whether these are all: without a catalogue, a permit of tools that
    /// it does not name gives more.
    pub(crate) fn tools_that_may_be_permitted(&self) -> (BTreeSet<&str>, bool) {
        if self.catalogue.is_there() {
            return (self.catalogue.names().collect(), true);
        }
        let (mut names, mut are_all) = (BTreeSet::new(), true);
        for rule in self.rules.iter().filter(|rule| rule.effect == Effect::Permit) {
            match &rule.tools {
                Tools::Named(own) => names.extend(own.iter().map(|name| &**name)),
                Tools::Unsaid | Tools::Any | Tools::Like(_) => are_all = false,
            }
        }
        (names, are_all)
    }

    /// The time as rules read it, if any does.
    #[inline]
    pub(crate) fn time(&self, now: Timestamp) -> Option<Value> {
        self.looks_at_time.then(|| Value::from(now.to_string()))
    }

    /// The digest of a rule: of all that it says, its approval included.
    pub(crate) fn digest_of(&self, at: u32) -> Option<Digest> {
        let rule = self.rule(at)?;
        let mut digests = self.digests.lock();
        Some(*digests.entry(at).or_insert_with(|| rule_value(rule).digest()))
    }

    /// Where the rule of this id stands.
    pub(crate) fn place_of(&self, id: &str) -> Option<u32> {
        let at = self.rules.binary_search_by(|rule| (*rule.id).cmp(id)).ok()?;
        u32::try_from(at).ok()
    }

    /// Whether the rule of this id may speak of calls of a tool.
    pub(crate) fn may_speak_of(&self, id: &str, tool: &str) -> bool {
        let rule = self.place_of(id).and_then(|at| self.rule(at));
        rule.is_some_and(|rule| match &rule.tools {
            Tools::Named(names) => names.iter().any(|own| **own == *tool),
            Tools::Unsaid | Tools::Any | Tools::Like(_) => true,
        })
    }

    /// What the rule of this id limits.
    pub(crate) fn limits_of(&self, id: &str) -> Option<&Limits> {
        let rule = self.place_of(id).and_then(|at| self.rule(at))?;
        Some(&rule.limits)
    }

    pub(crate) fn rule(&self, at: u32) -> Option<&Rule> {
        self.rules.get(at as usize)
    }
}
