//! The tools that two policies speak of, and which rules each has of them.

use std::collections::{BTreeSet, HashMap};

use super::super::compiled::Compiled;
use super::super::rule::{Rule, Tools};

/// The rules of a policy by the tool that they name.
pub(super) struct RulesByTool<'p> {
    named: HashMap<&'p str, Vec<&'p Rule>>,
    /// Those that name none: asked of each tool.
    others: Vec<&'p Rule>,
}

impl<'p> RulesByTool<'p> {
    pub(super) fn of(policy: &'p Compiled) -> Self {
        let (mut named, mut others) = (HashMap::<&str, Vec<&Rule>>::new(), Vec::new());
        for rule in &policy.rules {
            match &rule.tools {
                Tools::Named(names) => {
                    let mut names: Vec<&str> = names.iter().map(|name| &**name).collect();
                    names.sort_unstable();
                    names.dedup();
                    names.into_iter().for_each(|name| named.entry(name).or_default().push(rule));
                }
                Tools::Unsaid | Tools::Any | Tools::Like(_) => others.push(rule),
            }
        }
        RulesByTool { named, others }
    }

    /// The rules that may speak of this tool; of `None`, those of tools that no rule names.
    pub(super) fn of_tool(&self, tool: Option<&str>) -> impl Iterator<Item = &'p Rule> {
        let named = tool.and_then(|tool| self.named.get(tool));
        named.into_iter().flatten().chain(&self.others).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'p str> {
        self.named.keys().copied()
    }
}

/// Every tool that one of the policies names, sorted.
pub(super) fn named_tools<'p>(
    policies: [&'p Compiled; 2],
    rules: [&RulesByTool<'p>; 2],
) -> BTreeSet<&'p str> {
    let listed = policies.into_iter().flat_map(|policy| policy.catalogue.names());
    listed.chain(rules.into_iter().flat_map(RulesByTool::names)).collect()
}
