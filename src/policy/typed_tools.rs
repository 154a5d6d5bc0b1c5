//! Rules against the types of arguments: a rule that names a value no call can have is a mistake.

use std::collections::HashMap;

use super::catalogue::Tool;
use super::error::{PolicyError, place_of};
use super::rule::{Rule, Tools};
use crate::approval::pin::Part;
use crate::meter::Meter;
use crate::scope::Stance;
use crate::spelling::{ArgType, TypedArgs};
use crate::visible::Shown;

/// The tools of the catalogue that have typed arguments.
pub(super) struct TypedTools<'t>(HashMap<&'t str, TypedArgs>);

impl<'t> TypedTools<'t> {
    pub(super) fn of(tools: &'t [Tool]) -> Self {
        let typed = tools.iter().filter(|tool| !tool.args.is_empty());
        TypedTools(typed.map(|tool| (&*tool.name, TypedArgs::of(&tool.args))).collect())
    }

    /// Whether a rule names, of a typed argument, only values that some call can have.
    pub(super) fn check_rule(&self, rule: &Rule) -> Result<(), PolicyError> {
        if self.0.is_empty() {
            return Ok(());
        }
        match &rule.tools {
            Tools::Named(names) => names
                .iter()
                .filter_map(|name| self.0.get_key_value(&**name))
                .try_for_each(|(tool, typed)| check_typed(rule, tool, typed)),
            Tools::Unsaid | Tools::Any | Tools::Like(_) => self
                .in_order()
                .filter(|(tool, _)| {
                    let meter = Meter::of_question(0);
                    rule.tool_named(tool, Stance::Guard, &meter).may_hold()
                })
                .try_for_each(|(tool, typed)| check_typed(rule, tool, typed)),
        }
    }

    /// In the order of their names, so that a policy is refused with one message.
    fn in_order(&self) -> impl Iterator<Item = (&'t str, &TypedArgs)> {
        let mut tools: Vec<_> = self.0.iter().map(|(tool, typed)| (*tool, typed)).collect();
        tools.sort_by_key(|(tool, _)| *tool);
        tools.into_iter()
    }
}

fn check_typed(rule: &Rule, tool: &str, typed: &TypedArgs) -> Result<(), PolicyError> {
    let pins = rule.approval.iter().flat_map(|terms| &terms.offer.variation.same);
    for pin in pins {
        let of = typed.iter().find_map(|(name, of)| (*name == *pin.arg).then_some(of));
        if let Some(of) = of.filter(|of| *of != part_of(pin.part)) {
            let problem = format!(
                "`{tool}` takes {} as a `{}`, which has no {}",
                Shown(&pin.arg),
                of.as_str(),
                pin.part
            );
            return Err(PolicyError::of_rule(&rule.id, "approval.same", problem));
        }
    }
    let fault = |condition| Some((condition, typed.fault(tool, condition)?));
    match rule.conditions.iter().find_map(fault) {
        Some((condition, problem)) => {
            Err(PolicyError::of_rule(&rule.id, &place_of(&condition.fact), problem))
        }
        None => Ok(()),
    }
}

/// The type of argument that has this part.
fn part_of(part: Part) -> ArgType {
    if part.is_of_urls() { ArgType::Url } else { ArgType::Path }
}
