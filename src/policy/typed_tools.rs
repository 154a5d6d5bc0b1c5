//! Rules against the types of arguments: a rule that names a value no call can have is a mistake.

use std::collections::HashMap;

use super::catalogue::Tool;
use super::effect::Effect;
use super::error::{PolicyError, place_of};
use super::rule::{Rule, Tools};
use crate::approval::pin::Part;
use crate::document::did_you_mean;
use crate::meter::Meter;
use crate::scope::{Condition, Fact, Stance, eq};
use crate::spelling::{ArgType, TypedArgs};
use crate::value::Value;
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
        self.check_names(rule)?;
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

    /// Whether each argument that a rule names is one that some tool it speaks of may have.
    fn check_names(&self, rule: &Rule) -> Result<(), PolicyError> {
        let mut tools: Vec<(&str, &TypedArgs)> = match &rule.tools {
            Tools::Named(names) => {
                let listed = names.iter().map(|name| self.0.get_key_value(&**name));
                match listed.collect::<Option<Vec<_>>>() {
                    Some(all) => all.into_iter().map(|(tool, typed)| (*tool, typed)).collect(),
                    // Of a tool that lists nothing, any argument may be.
                    None => return Ok(()),
                }
            }
            // Tools that list nothing are among these.
            Tools::Unsaid | Tools::Any | Tools::Like(_) => return Ok(()),
        };
        tools.sort_by_key(|(tool, _)| *tool);
        if tools.iter().any(|(_, typed)| !typed.are_all()) {
            return Ok(());
        }
        let unknown = |fact: &Fact| {
            let Fact::Arg(path) = fact else { return None };
            let name = path.first()?;
            let listed = |(_, typed): &(&str, &TypedArgs)| typed.get(name).is_some();
            (!tools.iter().any(listed)).then(|| name.to_string())
        };
        let problem = |name: &str| {
            let known = tools.iter().flat_map(|(_, typed)| typed.iter().map(|(name, _)| name));
            let guess =
                did_you_mean(name, known).map_or(String::new(), |guess| format!(": {guess}"));
            let tools: Vec<_> = tools.iter().map(|(tool, _)| format!("`{tool}`")).collect();
            format!("{} has no argument {}{guess}", tools.join(" or "), Shown(name))
        };
        for condition in rule.all_conditions() {
            let mut name = unknown(&condition.fact);
            condition.constraint.for_each_fact(&mut |fact| {
                if name.is_none() {
                    name = unknown(fact);
                }
            });
            if let Some(name) = name {
                let at = place_of(&condition.fact);
                return Err(PolicyError::of_rule(&rule.id, &at, problem(&name)));
            }
        }
        for budget in &rule.limits.budgets {
            if let Some(name) = unknown(&budget.argument) {
                return Err(PolicyError::of_rule(&rule.id, "grant.budget", problem(&name)));
            }
        }
        Ok(())
    }

    /// Lets a permit's calls have the defaults of arguments that it does not name: of all its tools, where these are the same.
    pub(super) fn put_defaults(&self, rule: &mut Rule) {
        let Tools::Named(names) = &rule.tools else { return };
        if rule.effect != Effect::Permit || rule.openness.other_args {
            return;
        }
        let mut tools = names.iter().map(|name| self.0.get(&**name));
        let Some(first) = tools.next().flatten() else { return };
        let Some(others) = tools.collect::<Option<Vec<_>>>() else { return };
        let is_of_all = |name: &str, default: &Value| {
            others
                .iter()
                .all(|own| own.get(name).is_some_and(|of| of.default.as_ref() == Some(default)))
        };
        let is_named =
            |name: &str| rule.conditions.iter().any(|own| own.fact.as_argument() == Some(name));
        let defaults =
            first.defaults().filter(|(name, own)| !is_named(name) && is_of_all(name, own));
        let defaults: Vec<Condition> =
            defaults.map(|(name, own)| Condition::new(Fact::arg(name), eq(own.clone()))).collect();
        rule.conditions.change(|own| own.extend(defaults));
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
    match rule.all_conditions().find_map(fault) {
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
