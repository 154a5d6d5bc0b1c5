//! Rules of which the algebra shows that they do nothing, or nothing that another does not do.
//!
//! Each rule is looked at with a question that it speaks of: what would take all of it away, or would do the same, has to
//! act on that question, too, and the index finds what does. So few rules are compared with each other, however many
//! there are.

mod alike;

use std::collections::BTreeSet;

use super::warning::{Findings, WarningCode};
use crate::form::Form;
use crate::meter::Meter;
use crate::policy::compiled::Compiled;
use crate::policy::decide::Verdict;
use crate::policy::deciders::Deciders;
use crate::policy::effect::Effect;
use crate::policy::index::Side;
use crate::policy::moment::Moment;
use crate::policy::regions::{
    Fixed, FoundQuestion, Outcome, Prepared, RulesByTool, ToolSearch, named_tools,
};
use crate::policy::rule::{Rule, Tools};
use crate::value::Value;

/// The steps that one search may take.
const STEPS: u64 = 200_000;

/// How many searches are made in all, for each rule: past them, nothing is shown any more. A rule takes two or three, and
/// one that names no tool some of each.
const SEARCHES_PER_RULE: usize = 20;

/// How many there are of few rules.
const LEAST_SEARCHES: usize = 200_000;

/// Of how many tools a rule that names none is looked at, before it is taken to do something.
const MOST_TOOLS: usize = 64;

/// With how many permits, and how many forbids, of a tool a rule is compared, before it is taken to do something.
const MOST_RULES: usize = 64;

/// What is shown of rules.
pub(super) struct Proofs<'p> {
    pub(super) policy: &'p Compiled,
    rules: [RulesByTool<'p>; 1],
    /// Every tool that the policy names.
    named: Value,
    forms: &'static [Form],
    searches: usize,
    /// Rules that others were shown to make up for: they are not what makes up for others.
    spared: BTreeSet<&'p str>,
}

/// What is shown of one rule, at all tools that it speaks of.
struct Claims<'p> {
    /// Whether no question is as it says.
    is_dead: bool,
    /// The forbids that take all of it, if they do.
    forbids: Option<BTreeSet<&'p str>>,
    /// Whether no permit gives anything that it speaks of, and no forbid leaves it.
    is_idle: bool,
    /// Rules each of which acts wherever it does.
    alike: Option<BTreeSet<&'p str>>,
}

impl Claims<'_> {
    fn is_none_left(&self) -> bool {
        !self.is_dead && self.forbids.is_none() && !self.is_idle && self.alike.is_none()
    }
}

impl<'p> Proofs<'p> {
    pub(super) fn of(policy: &'p Compiled) -> Self {
        let rules = [RulesByTool::of(policy)];
        let named = named_tools(&[policy], &rules).into_iter().map(Value::from).collect();
        let forms = match policy.rules.iter().any(|own| own.presentation.is_some()) {
            true => &[Form::Bearer, Form::CallBound][..],
            false => &[Form::Bearer],
        };
        let searches = LEAST_SEARCHES.max(SEARCHES_PER_RULE * policy.rules.len());
        let named = Value::List(named);
        Proofs { policy, rules, named, forms, searches, spared: BTreeSet::new() }
    }

    /// Warns of a rule of which it is shown that it does nothing, or nothing of its own.
    pub(super) fn look_at(&mut self, rule: &'p Rule, findings: &mut Findings<'_>) {
        let Some(tools) = self.tools_of(rule) else { return };
        let mut claims = Claims {
            is_dead: true,
            forbids: (rule.effect != Effect::Forbid).then(BTreeSet::new),
            is_idle: rule.effect != Effect::Permit,
            alike: Some(BTreeSet::new()),
        };
        let (mut speaks, mut first) = (false, true);
        for tool in tools {
            for form in self.forms {
                let fixed = Fixed { tool, form: *form };
                let meter = Meter::of(STEPS);
                let Some(own) = self.prepared(rule, fixed, &meter) else { continue };
                speaks = true;
                self.narrow(&own, fixed, first, &mut claims);
                first = false;
                if claims.is_none_left() {
                    return;
                }
            }
        }
        // One that does not speak at calls does something where no call is looked at.
        if !speaks {
            return;
        }
        self.tell(rule, &claims, findings);
    }

    fn tell(&mut self, rule: &'p Rule, claims: &Claims<'p>, findings: &mut Findings<'_>) {
        let ids = |ids: &BTreeSet<&str>| {
            ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
        };
        let (code, message) = if claims.is_dead {
            let message = "no question can be all that it says, and so it never applies".to_owned();
            (WarningCode::Dead, message)
        } else if let Some(forbids) = &claims.forbids {
            (WarningCode::Shadowed, format!("nothing is left of it by {}", ids(forbids)))
        } else if claims.is_idle {
            match rule.effect {
                Effect::Ask => {
                    let message =
                        "no call that a permit gives is as it says: people are never asked";
                    (WarningCode::Unreached, message.to_owned())
                }
                _ => {
                    let message =
                        "no call that a permit gives is as it says, and so it withholds nothing";
                    (WarningCode::NothingWithheld, message.to_owned())
                }
            }
        } else if let Some(alike) = &claims.alike {
            (WarningCode::Covered, format!("all that it does is done by {}", ids(alike)))
        } else {
            return;
        };
        self.spared.insert(&rule.id);
        findings.add_unless_found(code, "", message);
    }

    /// The tools at which a rule has to be looked at; `None` if these are too many.
    fn tools_of(&self, rule: &'p Rule) -> Option<Vec<Option<&'p str>>> {
        match &rule.tools {
            Tools::Named(names) => Some(names.iter().map(|name| Some(&**name)).collect()),
            Tools::Unsaid | Tools::Any | Tools::Like(_) => {
                let [rules] = &self.rules;
                let listed = self.policy.catalogue.names();
                let names: BTreeSet<&'p str> = listed.chain(rules.names()).collect();
                // Of those that no rule names first: there few rules speak.
                (names.len() <= MOST_TOOLS || !self.policy.catalogue.is_there())
                    .then(|| [None].into_iter().chain(names.into_iter().map(Some)).collect())
            }
        }
    }

    pub(super) fn prepared(
        &self,
        rule: &'p Rule,
        fixed: Fixed<'_>,
        meter: &Meter,
    ) -> Option<Prepared<'p>> {
        let none = Value::List(Vec::new());
        let labels = match fixed.tool {
            Some(tool) => self.policy.catalogue.labels_of(tool)?,
            None if self.policy.catalogue.is_there() => return None,
            None => &none,
        };
        Prepared::of(rule, labels, fixed, meter)
    }

    /// Takes back what is not so at this tool.
    fn narrow(
        &mut self,
        own: &Prepared<'p>,
        fixed: Fixed<'_>,
        is_first: bool,
        claims: &mut Claims<'p>,
    ) {
        let found = match self.find(&[own], &[], fixed) {
            Outcome::Found(found) => found,
            Outcome::Nothing => return,
            Outcome::Undecided => {
                *claims = Claims { is_dead: false, forbids: None, is_idle: false, alike: None };
                return;
            }
        };
        claims.is_dead = false;
        let verdict = found.verdict(self.policy);
        // Where it is left alone, a permit is asked again outside of the forbids.
        let mut left = Some(found);
        let forbids = match &verdict {
            Some(Verdict::Forbid(rules)) => self.prepared_all(rules, own.rule, fixed),
            _ => Vec::new(),
        };
        if own.rule.effect != Effect::Forbid && !forbids.is_empty() {
            let forbids = self.forbids_around(own, forbids, fixed);
            match self.find(&[own], &forbids, fixed) {
                Outcome::Found(found) => {
                    claims.forbids = None;
                    left = Some(found);
                }
                Outcome::Nothing => {
                    let forbids = self.enough_of(own, forbids, fixed);
                    if let Some(all) = &mut claims.forbids {
                        all.extend(forbids.iter().map(|own| &*own.rule.id));
                    }
                    claims.is_idle = false;
                    claims.alike = None;
                    return;
                }
                Outcome::Undecided => {
                    claims.forbids = None;
                    left = None;
                }
            }
        } else {
            claims.forbids = None;
        }
        if claims.is_idle {
            claims.is_idle = self.is_idle(own, fixed);
        }
        if let Some(alike) = &mut claims.alike {
            let its = left.and_then(|found| found.verdict(self.policy));
            let its = self.alike(own, its, fixed);
            if is_first {
                *alike = its;
            } else {
                alike.retain(|id| its.contains(id));
            }
            if alike.is_empty() {
                claims.alike = None;
            }
        }
    }

    /// The forbids that may take some of a rule: those that take one question of it, and others that the index finds
    /// there.
    fn forbids_around(
        &self,
        own: &Prepared<'p>,
        mut found: Vec<Prepared<'p>>,
        fixed: Fixed<'_>,
    ) -> Vec<Prepared<'p>> {
        let meter = Meter::of(STEPS);
        let others = self.of_tool(Side::Guards, fixed);
        let others = others.filter(|rule| rule.effect == Effect::Forbid);
        for rule in others.take(MOST_RULES) {
            if found.iter().any(|own| own.rule.id == rule.id) || rule.id == own.rule.id {
                continue;
            }
            if let Some(its) = self.prepared(rule, fixed, &meter)
                && own.may_meet(&its, &meter)
                && found.len() < MOST_RULES
            {
                found.push(its);
            }
        }
        found
    }

    /// Those of the forbids that are needed to take all of a rule.
    fn enough_of(
        &mut self,
        own: &Prepared<'p>,
        mut forbids: Vec<Prepared<'p>>,
        fixed: Fixed<'_>,
    ) -> Vec<Prepared<'p>> {
        let mut at = 0;
        while forbids.len() > 1 && at < forbids.len() {
            let left_out = forbids.remove(at);
            if !matches!(self.find(&[own], &forbids, fixed), Outcome::Nothing) {
                forbids.insert(at, left_out);
                at += 1;
            }
        }
        forbids
    }

    /// Whether no permit gives anything that a guard speaks of, and, of an ask, no forbid leaves it.
    fn is_idle(&mut self, own: &Prepared<'p>, fixed: Fixed<'_>) -> bool {
        let meter = Meter::of(STEPS);
        let permits: Vec<&'p Rule> =
            self.of_tool(Side::Permits, fixed).take(MOST_RULES + 1).collect();
        if permits.len() > MOST_RULES {
            return false;
        }
        let mut forbids = Vec::new();
        if own.rule.effect == Effect::Ask {
            let others = self.of_tool(Side::Guards, fixed);
            let others = others.filter(|rule| rule.effect == Effect::Forbid).take(MOST_RULES);
            forbids.extend(others.filter_map(|rule| self.prepared(rule, fixed, &meter)));
        }
        for permit in permits {
            // At requests, a guard acts on what this gives, too.
            if !permit.moments.include(Moment::Call) {
                return false;
            }
            let Some(permit) = self.prepared(permit, fixed, &meter) else { continue };
            if !permit.may_meet(own, &meter) {
                continue;
            }
            if !matches!(self.find(&[&permit, own], &forbids, fixed), Outcome::Nothing) {
                return false;
            }
        }
        // A permit of which it could not be told whether it speaks of the tool was passed by.
        !meter.is_spent()
    }

    /// The rules of one side that may speak of a tool; of `None`, those that name none.
    fn of_tool(&self, side: Side, fixed: Fixed<'_>) -> impl Iterator<Item = &'p Rule> {
        let policy = self.policy;
        let all = policy.index.all(side, fixed.tool.unwrap_or_default());
        all.filter_map(move |at| policy.rule(at))
    }

    fn prepared_all(&self, rules: &Deciders, but: &Rule, fixed: Fixed<'_>) -> Vec<Prepared<'p>> {
        let meter = Meter::of(STEPS);
        let all = rules.as_slice().iter().filter_map(|at| self.policy.rule(*at));
        let others = all.filter(|rule| rule.id != but.id);
        others.filter_map(|rule| self.prepared(rule, fixed, &meter)).collect()
    }

    pub(super) fn find(
        &mut self,
        within: &[&Prepared<'p>],
        outside: &[Prepared<'p>],
        fixed: Fixed<'_>,
    ) -> Outcome<Box<FoundQuestion>> {
        let listed = fixed.tool.and_then(|tool| self.policy.catalogue.get(tool));
        let search = match listed {
            Some(listed) => {
                let Value::List(labels) = &listed.labels else { return Outcome::Undecided };
                ToolSearch::of_tool(&listed.typed, labels.clone())
            }
            None => ToolSearch::elsewhere(&self.named),
        };
        let policy = self.policy;
        search.find(within, outside.iter(), (&mut self.searches, STEPS), &mut |found| {
            let question = FoundQuestion::of(found, fixed)?;
            let speak = within.iter().all(|own| question.is_spoken_of(own.rule, policy));
            let silent = !outside.iter().any(|own| question.is_spoken_of(own.rule, policy));
            (speak && silent).then(|| Box::new(question))
        })
    }
}

#[cfg(test)]
mod tests;
