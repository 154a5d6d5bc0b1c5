//! Building a policy: every rule is checked before any is used.

use std::collections::HashSet;
use std::sync::Arc;

use super::catalogue::Tool;
use super::compiled::Compiled;
use super::effect::Effect;
use super::emergencies::break_glass_fault;
use super::error::{PolicyError, place_of};
use super::exception_faults::check_exceptions;
use super::fold::fold_rule;
use super::logged::plain_facts;
use super::moment::Moment;
use super::orders::put_orders;
use super::price::check_price;
use super::rule::{Rule, Tools};
use super::shared::share;
use super::tool_faults::check_tools;
use super::typed_tools::TypedTools;
use super::values::{self, condition_fault};
use super::{MAX_RULES, Policy, sets};
use crate::identity::Fold;
use crate::scope::{Condition, Fact, Order, Orders, ResourceOpenness};
use crate::tool::ToolName;

/// Collects tools and rules, and makes a [`Policy`] of them if all can be meant.
#[derive(Clone, Debug, Default)]
pub struct PolicyBuilder {
    tools: Vec<Tool>,
    pub(crate) rules: Vec<Rule>,
    fold: Fold,
    orders: Orders,
    faulty_order: Option<PolicyError>,
    plain: Vec<Box<str>>,
}

impl PolicyBuilder {
    /// Adds a tool to the catalogue.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds tools to the catalogue.
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Adds a rule. Their order means nothing.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds rules.
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// Names an order of texts, from the lowest to the highest, by which rules compare levels: see
    /// [`max_in`](crate::scope::max_in).
    pub fn order<'l>(mut self, name: &str, levels: impl IntoIterator<Item = &'l str>) -> Self {
        match Order::new(levels) {
            Ok(order) if !self.orders.has(name) => self.orders.add(name, order),
            Ok(_) => {
                let problem = "two orders have this name: give one of them another".to_owned();
                self.faulty_order
                    .get_or_insert(PolicyError::new(&format!("order.{name}"), problem));
            }
            Err(problem) => {
                self.faulty_order
                    .get_or_insert(PolicyError::new(&format!("order.{name}"), problem));
            }
        }
        self
    }

    /// Has ids, groups, aliases and those acted for be known whatever the case of their letters from `A` to `Z`: they
    /// are folded when they are attested, and what rules say of them with them. Not of SPIFFE ids, in which case counts,
    /// nor of attributes and arguments.
    ///
    /// ```
    /// use hallpass::prelude::*;
    /// use hallpass::scope::eq;
    ///
    /// let rule = Rule::permit("ana-signs").who_id(eq("Ana.Silva@acme.test")).tool("doc.sign").any_args();
    /// let broker = Broker::new(Policy::builder().fold_names().rule(rule).build()?)?;
    /// let ana = broker.assert_identity(Assertion::human("ANA.SILVA@acme.test"))?;
    /// assert_eq!(ana.subject().as_str(), "ana.silva@acme.test");
    /// let task = broker.open(&ana, Purpose::new("errand"))?;
    /// assert!(task.request(Scope::tool("doc.sign").any_args(), &Context::new()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fold_names(mut self) -> Self {
        self.fold = Fold::Ascii;
        self
    }

    /// Has the log keep these parts of a question in plain, next to the record of each call that is permitted, or refused by
    /// rules: `who.kind`, `who.groups`, `who.acts_for`, `who.attrs.NAME`, `when.NAME`, `when.seen`, `resource.attrs.NAME`.
    /// Of arguments the catalogue says it: [`Tool::log_plain`]. What is not listed is kept as a digest at most. With all
    /// that rules look at, a decision can be [decided again](crate::audit::replay).
    pub fn log_plain<'n>(mut self, parts: impl IntoIterator<Item = &'n str>) -> Self {
        self.plain.extend(parts.into_iter().map(Box::from));
        self
    }

    /// Checks everything and makes the policy. Without rules it is one that denies everything.
    ///
    /// # Errors
    /// The first [`PolicyError`]: which rule, where in it, what was expected.
    pub fn build(self) -> Result<Policy, PolicyError> {
        if self.rules.len() > MAX_RULES {
            return Err(PolicyError::new("rule", format!("more than {MAX_RULES} rules")));
        }
        if let Some(error) = self.faulty_order {
            return Err(error);
        }
        check_tools(&self.tools)?;
        let plain = plain_facts(&self.plain)?;
        let catalogue = !self.tools.is_empty();
        let typed = TypedTools::of(&self.tools);
        let mut rules = self.rules;
        for (item, rule) in rules.iter_mut().enumerate() {
            put_orders(rule, &self.orders).map_err(|error| error.of_item(item))?;
        }
        let mut ids = HashSet::with_capacity(rules.len());
        for (item, rule) in rules.iter().enumerate() {
            check_rule(rule, catalogue)
                .and_then(|()| typed.check_rule(rule))
                .map_err(|error| error.of_item(item))?;
            if !ids.insert(&*rule.id) {
                let twice = &rule.id;
                let problem =
                    format!("two rules are called `{twice}`: give one of them another id");
                return Err(PolicyError::of_rule(twice, "id", problem).of_item(item));
            }
        }
        for (item, rule) in rules.iter_mut().enumerate() {
            fold_rule(rule, self.fold).map_err(|error| error.of_item(item))?;
            typed.put_defaults(rule);
            rule.conditions.change(|own| own.iter_mut().for_each(sets::as_set));
            rule.exceptions.iter_mut().flat_map(|own| &mut own.conditions).for_each(sets::as_set);
            if let Some(terms) = &mut rule.approval {
                terms.for_each_condition(&mut sets::as_set);
            }
            if let Some(terms) = &mut rule.break_glass {
                terms.review.for_each_condition(&mut sets::as_set);
            }
        }
        share(&mut rules);
        rules.shrink_to_fit();
        check_price(&rules)?;
        // Order means nothing: rules stand by id, so that equal policies are equal.
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Policy(Arc::new(Compiled::new(rules, &self.tools, self.fold, plain))))
    }
}

fn check_rule(rule: &Rule, catalogue: bool) -> Result<(), PolicyError> {
    let wrong = |at: &str, problem: String| Err(PolicyError::of_rule(&rule.id, at, problem));
    if ToolName::new(&rule.id).is_err() {
        return wrong(
            "id",
            format!(
                "`{}` is not an id: expected 1 to 128 of `A-Z a-z 0-9 _ . : / -`",
                rule.id.escape_default()
            ),
        );
    }
    if rule.moments.iter().next().is_none() {
        return wrong(
            "on",
            "an empty list never speaks: name `request`, `call`, `delegate` or `break_glass`"
                .into(),
        );
    }
    let at_calls = [Moment::Call, Moment::BreakGlass].iter().any(|own| rule.speaks_at(*own));
    if rule.presentation.is_some() && !at_calls {
        return wrong(
            "presentation",
            "tokens are presented at calls, and the rule does not speak at them".into(),
        );
    }
    check_what(rule)?;
    for condition in &rule.conditions {
        check_condition(rule, &place_of(&condition.fact), condition, catalogue)?;
    }
    check_exceptions(rule, |at, condition| check_condition(rule, at, condition, catalogue))?;
    if let (Some(from), Some(until)) = (rule.validity().from, rule.validity().until)
        && from >= until
    {
        return wrong("valid", format!("it ends (`{until}`) before it begins (`{from}`)"));
    }
    check_terms(rule)?;
    match break_glass_fault(rule) {
        Some((at, problem)) => wrong(&at, problem),
        None => Ok(()),
    }
}

/// Whether what is said of one part of the question can be meant.
fn check_condition(
    rule: &Rule,
    at: &str,
    condition: &Condition,
    catalogue: bool,
) -> Result<(), PolicyError> {
    let wrong = |problem: String| Err(PolicyError::of_rule(&rule.id, at, problem));
    if let Err(error) = condition.constraint.check() {
        return wrong(error.to_string());
    }
    if matches!(&condition.fact, Fact::Context(name) if matches!(&**name, "seen" | "now")) {
        // In text these are the history and the time: an attribute so called would look the same.
        let problem = "`seen` and `now` are the broker's own, no attributes of the context";
        return wrong(problem.into());
    }
    if let Some(name @ ("*" | "**")) = condition.fact.as_argument() {
        // No tool has one, so that a forbid of it would act on no call.
        return wrong(format!(
            "`{name}` is not the name of an argument: each is named, and the others are let be by `other_args = \"any\"`"
        ));
    }
    if let Some(problem) = condition_fault(condition) {
        return wrong(problem);
    }
    if condition.constraint.compares_with(&|fact| matches!(fact, Fact::Asker(_))) {
        let problem = "`asker` is who asked, as reviewers are compared with it: here it is `who`";
        return wrong(problem.into());
    }
    let asked_early = [Moment::Request, Moment::Delegate].iter().any(|own| rule.speaks_at(*own));
    if asked_early && !rule.speaks_at(Moment::Call) && compares_with_notes(condition) {
        // At a request it is open what calls will note, so that the rule would never speak.
        let problem =
            "notes are known at calls, and the rule does not speak at them: add `call` to `on`";
        return wrong(problem.into());
    }
    if matches!(condition.fact, Fact::Seen | Fact::Labels) && !catalogue {
        return wrong(
            "labels come from the catalogue, and there is none: add `[[tool]]` entries".into(),
        );
    }
    Ok(())
}

fn compares_with_notes(condition: &Condition) -> bool {
    condition.constraint.compares_with(&|fact| matches!(fact, Fact::Note(_)))
}

/// What goes with which effect.
fn check_terms(rule: &Rule) -> Result<(), PolicyError> {
    let wrong = |at: &str, problem: String| Err(PolicyError::of_rule(&rule.id, at, problem));
    if rule.effect != Effect::Permit && !rule.limits.is_unsaid() {
        return wrong(
            "grant",
            format!("limits belong to permits, and this is effect = \"{}\"", rule.effect),
        );
    }
    if let Some((at, problem)) = rule.limits.fault() {
        return wrong(at, problem);
    }
    let mut budgets = rule.limits.budgets.iter();
    if let Some(problem) = budgets.find_map(|budget| budget.argument.name_fault()) {
        return wrong("grant.budget", problem);
    }
    match (&rule.approval, rule.effect) {
        (Some(terms), Effect::Ask) => match terms.fault() {
            Some((at, problem)) => wrong(&at, problem),
            None => Ok(()),
        },
        (None, Effect::Ask) => wrong(
            "approval",
            "an ask says who must agree: `approval = { review = [{ groups = { has_any = [..] }, count = 1 }] }`".into(),
        ),
        (Some(_), effect) => {
            wrong("approval", format!("an approval belongs to effect = \"ask\", and this is \"{effect}\""))
        }
        (None, _) => Ok(()),
    }
}

/// What a rule says of tool, arguments and resource.
fn check_what(rule: &Rule) -> Result<(), PolicyError> {
    let wrong = |at: &str, problem: &str| Err(PolicyError::of_rule(&rule.id, at, problem.into()));
    match &rule.tools {
        Tools::Unsaid if rule.effect == Effect::Permit => {
            return wrong(
                "what",
                "a permit names its tool: `tool = \"NAME\"`, or `tool = \"any\"` for every tool",
            );
        }
        Tools::Named(names) if names.is_empty() => {
            return wrong("what.tool", "an empty list names no tool");
        }
        Tools::Named(names) => {
            if let Some(error) = names.iter().find_map(|name| ToolName::new(name).err()) {
                return wrong("what.tool", &error.to_string());
            }
        }
        Tools::Like(constraint) => {
            if let Err(error) = constraint.check() {
                return wrong("what.tool", &error.to_string());
            }
            if let Some(problem) = values::tool_fault(constraint) {
                return wrong("what.tool", &problem);
            }
        }
        _ => {}
    }
    let names_args = rule.conditions.iter().any(|c| matches!(c.fact, Fact::Arg(_)));
    if rule.any_args && names_args {
        return wrong(
            "what.args",
            "`any` together with named arguments: say `other_args = \"any\"` if unnamed ones may be there",
        );
    }
    if rule.effect != Effect::Permit {
        return if rule.openness.other_args {
            wrong("what.args", "a forbid or an ask looks only at what it names: leave `any` out")
        } else {
            Ok(())
        };
    }
    let says = |fact: &Fact| rule.conditions.iter().any(|c| c.fact == *fact);
    let attrs = rule.conditions.iter().any(|c| matches!(c.fact, Fact::ResourceAttr(_)));
    match rule.openness.resource {
        ResourceOpenness::Any if attrs || says(&Fact::ResourceType) || says(&Fact::ResourceId) => {
            wrong(
                "what.resource",
                "`any` together with named parts of the resource: leave one of them out",
            )
        }
        ResourceOpenness::Named if !says(&Fact::ResourceType) => {
            wrong("what.resource", "the type is not said: add `type = \"…\"`, or `type = \"any\"`")
        }
        ResourceOpenness::Named if !says(&Fact::ResourceId) => {
            wrong("what.resource", "the id is not said: add `id = \"…\"`, or `id = \"any\"`")
        }
        _ => Ok(()),
    }
}
