//! Rules against the types of arguments: a rule that names a value no call can have is a mistake.

use std::collections::BTreeMap;

use super::catalogue::Tool;
use super::effect::Effect;
use super::error::{PolicyError, place_of};
use super::rule::{Rule, Tools};
use crate::approval::pin::Part;
use crate::document::did_you_mean;
use crate::meter::Meter;
use crate::scope::{Condition, Fact, Facts, Stance, eq};
use crate::spelling::{ArgType, TypedArgs};
use crate::value::Value;
use crate::visible::Shown;

/// How many names a message lists at most.
const MOST_LISTED: usize = 24;

/// The tools of the catalogue that have typed arguments.
pub(super) struct TypedTools<'t> {
    /// In the order of their names, so that a policy is refused with one message.
    typed: BTreeMap<&'t str, TypedArgs>,
    all: &'t [Tool],
}

impl<'t> TypedTools<'t> {
    pub(super) fn of(tools: &'t [Tool]) -> Self {
        let typed = tools.iter().filter(|tool| !tool.args.is_empty());
        let typed = typed.map(|tool| (&*tool.name, TypedArgs::of(&tool.args))).collect();
        TypedTools { typed, all: tools }
    }

    /// Whether a rule names, of a typed argument, only values that some call can have.
    pub(super) fn check_rule(&self, rule: &Rule) -> Result<(), PolicyError> {
        if self.typed.is_empty() {
            return Ok(());
        }
        self.check_names(rule)?;
        match &rule.tools {
            Tools::Named(names) => names
                .iter()
                .filter_map(|name| self.typed.get_key_value(&**name))
                .try_for_each(|(tool, typed)| check_typed(rule, tool, typed)),
            Tools::Unsaid | Tools::Any | Tools::Like(_) => self
                .typed
                .iter()
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
                let listed = names.iter().map(|name| self.typed.get_key_value(&**name));
                match listed.collect::<Option<Vec<_>>>() {
                    Some(all) => all.into_iter().map(|(tool, typed)| (*tool, typed)).collect(),
                    // Of a tool that lists nothing, any argument may be.
                    None => return Ok(()),
                }
            }
            // Those of the catalogue, which are all that a call can have. One that lists nothing may be among these, of
            // which any argument may be: then nothing is wrong.
            Tools::Unsaid | Tools::Any | Tools::Like(_) => {
                let Some(spoken_of) = self.spoken_of(rule) else { return Ok(()) };
                spoken_of
            }
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
            let mut known: Vec<&str> = known.collect();
            known.sort_unstable();
            known.dedup();
            let guess = did_you_mean(name, known.iter().copied());
            let listed = || format!("expected one of `{}`", known.join("`, `"));
            let is_few = (1..=MOST_LISTED).contains(&known.len());
            let guess = guess.or_else(|| is_few.then(listed));
            let guess = guess.map_or(String::new(), |guess| format!(": {guess}"));
            let shown: Vec<_> = tools.iter().take(4).map(|(tool, _)| format!("`{tool}`")).collect();
            let more = tools.len().saturating_sub(shown.len());
            let more = if more > 0 { format!(" or {more} more") } else { String::new() };
            format!("{}{more} has no argument {}{guess}", shown.join(" or "), Shown(name))
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
        let mut tools = names.iter().map(|name| self.typed.get(&**name));
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

    /// The tools of the catalogue that a rule speaks of without naming them, by what is said of their labels, too; `None`
    /// where one of them lists no arguments, or it is none.
    fn spoken_of(&self, rule: &Rule) -> Option<Vec<(&str, &TypedArgs)>> {
        let mut found = Vec::new();
        for tool in self.all {
            let meter = Meter::of_question(0);
            let has_labels =
                rule.conditions.iter().filter(|own| own.fact == Fact::Labels).all(|own| {
                    let labels = tool.labels.iter().map(|label| Value::from(&**label)).collect();
                    let facts = OfTool(Value::List(labels));
                    own.holds(Stance::Guard, &facts, &meter).may_hold()
                });
            if has_labels && rule.tool_named(&tool.name, Stance::Guard, &meter).may_hold() {
                let (name, typed) = self.typed.get_key_value(&*tool.name)?;
                found.push((*name, typed));
            }
        }
        (!found.is_empty()).then_some(found)
    }
}

/// A tool's labels, and nothing else of a question.
struct OfTool(Value);

impl<'q> Facts<'q> for &'q OfTool {
    fn fact(self, fact: &Fact) -> Option<&'q Value> {
        (*fact == Fact::Labels).then_some(&self.0)
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
    for budget in &rule.limits.budgets {
        let Fact::Arg(path) = &budget.argument else { continue };
        let own = path.split_first().and_then(|(name, inner)| Some((typed.get(name)?.of, inner)));
        if let Some((of, inner)) = own
            && !may_be_a_number(of, !inner.is_empty())
        {
            let problem = format!(
                "a budget is spent by a number, and `{tool}` takes `{}` as a `{}`",
                budget.argument,
                of.as_str()
            );
            return Err(PolicyError::of_rule(&rule.id, "grant.budget", problem));
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

/// Whether an argument of this type, or what lies inside of it, may be a number.
fn may_be_a_number(of: ArgType, inside: bool) -> bool {
    match of {
        ArgType::Number | ArgType::Integer => !inside,
        ArgType::Object => inside,
        _ => false,
    }
}

/// The type of argument that has this part.
fn part_of(part: Part) -> ArgType {
    if part.is_of_urls() { ArgType::Url } else { ArgType::Path }
}
