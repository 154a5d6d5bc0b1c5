//! Rules of which an unconditional forbid leaves nothing.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::policy::effect::Effect;
use crate::policy::rule::{Rule, Tools};

/// Forbids that speak at every moment, are in force and have no condition but the tool.
pub(super) struct Shadows<'r> {
    of_all: Option<&'r Rule>,
    by_tool: HashMap<&'r str, &'r Rule>,
}

impl<'r> Shadows<'r> {
    pub(super) fn of(rules: &'r [Rule], now: Timestamp) -> Self {
        let mut shadows = Shadows { of_all: None, by_tool: HashMap::new() };
        let unconditional = rules.iter().filter(|rule| {
            rule.effect == Effect::Forbid
                && rule.conditions.is_empty()
                && rule.exceptions.is_empty()
                && rule.is_valid_at(now)
                && rule.validity().until.is_none()
        });
        for rule in unconditional {
            match &rule.tools {
                Tools::Unsaid | Tools::Any => shadows.of_all = shadows.of_all.or(Some(rule)),
                Tools::Named(names) => {
                    for name in &**names {
                        shadows.by_tool.entry(name).or_insert(rule);
                    }
                }
                Tools::Like(_) => {}
            }
        }
        shadows
    }

    /// A forbid that leaves nothing of the rule.
    pub(super) fn over(&self, rule: &Rule) -> Option<&'r Rule> {
        let speaks_wherever = |by: &&Rule| rule.moments.iter().all(|moment| by.speaks_at(moment));
        if rule.effect == Effect::Forbid {
            return None;
        }
        let named = match &rule.tools {
            // Every one of the tools is forbidden; the first of those rules stands for them.
            Tools::Named(names) => {
                let by = names.iter().map(|name| self.by_tool.get(&**name).copied());
                let by: Option<Vec<&Rule>> = by.collect();
                by.filter(|all| all.iter().all(speaks_wherever))
                    .and_then(|all| all.first().copied())
            }
            _ => None,
        };
        self.of_all.filter(speaks_wherever).or(named)
    }
}
