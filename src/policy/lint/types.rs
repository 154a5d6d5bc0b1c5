//! Which arguments the catalogue gives a type.

use std::collections::HashMap;

use crate::policy::Catalogue;
use crate::policy::rule::{Rule, Tools};
use crate::scope::Fact;
use crate::spelling::ArgType;

/// The types of arguments, by tool and whatever the tool.
pub(super) struct Types<'c> {
    catalogue: &'c Catalogue,
    /// The type that every tool which has an argument of this name in its list gives it.
    by_name: HashMap<&'c str, Option<ArgType>>,
}

impl<'c> Types<'c> {
    pub(super) fn of(catalogue: &'c Catalogue) -> Self {
        let mut by_name = HashMap::new();
        let listed = catalogue.names().filter_map(|name| catalogue.get(name));
        for (name, of) in listed.flat_map(|listed| listed.typed.iter()) {
            let known = by_name.entry(name).or_insert(Some(of));
            if *known != Some(of) {
                *known = None;
            }
        }
        Types { catalogue, by_name }
    }

    /// Whether every tool that a rule names lets a call leave an argument out, and none puts a default in its place.
    pub(super) fn all_let_be_absent(&self, rule: &Rule, fact: &Fact) -> bool {
        let (Some(argument), Tools::Named(tools)) = (fact.as_argument(), &rule.tools) else {
            return false;
        };
        tools.iter().all(|tool| {
            let listed = self.catalogue.get(tool);
            let own = listed.and_then(|listed| listed.typed.get(argument));
            own.is_some_and(|own| own.optional && own.default.is_none())
        })
    }

    /// Whether every tool that a rule speaks of gives an argument this type; of a rule that does not
    /// name its tools, every tool that gives it one.
    pub(super) fn all_give(&self, rule: &Rule, fact: &Fact, wanted: ArgType) -> bool {
        let Some(argument) = fact.as_argument() else { return false };
        match &rule.tools {
            Tools::Named(tools) => tools.iter().all(|tool| {
                let listed = self.catalogue.get(tool);
                listed.is_some_and(|listed| {
                    listed.typed.iter().any(|(name, of)| name == argument && of == wanted)
                })
            }),
            Tools::Unsaid | Tools::Any | Tools::Like(_) => {
                self.by_name.get(argument) == Some(&Some(wanted))
            }
        }
    }
}
