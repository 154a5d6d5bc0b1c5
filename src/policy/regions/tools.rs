//! The tools that policies speak of, and which rules each has of them.

use std::collections::{BTreeSet, HashMap};

use crate::policy::compiled::Compiled;
use crate::policy::rule::{Rule, Tools};

/// The rules of a policy by the tool that they name.
#[derive(Debug)]
pub(crate) struct RulesByTool<'p> {
    named: HashMap<&'p str, Vec<&'p Rule>>,
    /// Those that name none: asked of each tool.
    others: Vec<&'p Rule>,
}

impl<'p> RulesByTool<'p> {
    pub(crate) fn of(policy: &'p Compiled) -> Self {
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
    pub(crate) fn of_tool(&self, tool: Option<&str>) -> impl Iterator<Item = &'p Rule> {
        let named = tool.and_then(|tool| self.named.get(tool));
        named.into_iter().flatten().chain(&self.others).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'p str> {
        self.named.keys().copied()
    }
}

/// Every tool that one of the policies names, sorted.
pub(crate) fn named_tools<'p>(
    policies: &[&'p Compiled],
    rules: &[RulesByTool<'p>],
) -> BTreeSet<&'p str> {
    let listed = policies.iter().flat_map(|policy| policy.catalogue.names());
    listed.chain(rules.iter().flat_map(RulesByTool::names)).collect()
}
