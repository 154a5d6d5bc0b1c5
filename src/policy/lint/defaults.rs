//! Arguments that every call of a tool has, since a default stands for them, and permits that let none be there.

use super::probe::holds_of;
use super::warning::{Findings, WarningCode};
use crate::meter::Meter;
use crate::policy::Catalogue;
use crate::policy::effect::Effect;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Fact, Stance, Truth};
use crate::visible::Shown;

/// How many tools are looked at for one rule, so that lint stays near linear.
const MOST_TOOLS: usize = 256;

/// The tools of which an argument is never absent.
pub(super) struct Defaults<'c> {
    catalogue: &'c Catalogue,
    tools: Vec<&'c str>,
}

impl<'c> Defaults<'c> {
    pub(super) fn of(catalogue: &'c Catalogue) -> Self {
        let has_one = |name: &&str| {
            catalogue.get(name).is_some_and(|listed| listed.typed.defaults().next().is_some())
        };
        let mut tools: Vec<&str> = catalogue.names().filter(has_one).collect();
        tools.sort_unstable();
        Defaults { catalogue, tools }
    }

    /// Warns of a permit of a tool whose calls each have an argument that it neither names nor lets be there. One of a named
    /// tool, or of several that have the same default, lets that be there unsaid.
    pub(super) fn look_at(&self, rule: &Rule, findings: &mut Findings<'_>) {
        if rule.effect != Effect::Permit || rule.openness.other_args {
            return;
        }
        let missed = |tool: &&str| {
            let listed = self.catalogue.get(tool).filter(|_| self.may_speak_of(rule, tool))?;
            let mut defaults = listed.typed.defaults();
            let (name, _) = defaults.find(|(name, _)| !rule.cover().names_argument(name))?;
            Some(((*tool).to_owned(), name.to_owned()))
        };
        let named;
        let tools: &[&str] = match &rule.tools {
            Tools::Named(names) => {
                named = names.iter().map(|name| &**name).collect::<Vec<_>>();
                &named
            }
            _ => &self.tools,
        };
        let Some((tool, name)) = tools.iter().take(MOST_TOOLS).find_map(missed) else { return };
        let message = format!(
            "it covers no call of {tool}, each of which has {name}, as a default where it is left out: name the argument, say \
             `other_args = \"any\"`, or write a permit of that tool alone, which lets its defaults be there",
            tool = Shown(&tool),
            name = Shown(&name),
        );
        findings.add(WarningCode::DefaultUnnamed, "what.args", message);
    }

    /// Whether the rule is of this tool, as far as its name and its labels tell.
    fn may_speak_of(&self, rule: &Rule, tool: &str) -> bool {
        let labels = self.catalogue.labels_of(tool);
        let of_labels = |own: &&crate::scope::Condition| own.fact == Fact::Labels;
        let holds = |own: &crate::scope::Condition| {
            holds_of(&own.constraint, &Fact::Labels, labels, Stance::Cover) != Truth::False
        };
        rule.tool_named(tool, Stance::Cover, &Meter::of_question(0)) == Truth::True
            && rule.conditions.iter().filter(of_labels).all(holds)
    }
}
