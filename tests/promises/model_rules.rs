//! What rules and scopes say to a question: one rule after the other.

use std::collections::BTreeMap;

use hallpass::policy::{Effect, Moment};

use crate::model::{FALSE, Question, Setting, Side, TRUE, Truth3, condition, of_tool, truth};
use crate::universe::*;

/// What the rules say to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Permit(Vec<String>),
    Ask(Vec<String>),
    Forbid(Vec<String>),
    NoPermit,
}

pub(crate) fn decide(policy: &PolicySaid, question: &Question<'_>) -> Says {
    let applying = |effect| -> Vec<String> {
        let mut ids: Vec<String> = policy
            .rules
            .iter()
            .filter(|rule| rule.effect == effect && applies(rule, question))
            .map(|rule| rule.id.clone())
            .collect();
        ids.sort();
        ids
    };
    let [permits, asks, forbids] =
        [applying(Effect::Permit), applying(Effect::Ask), applying(Effect::Forbid)];
    if !forbids.is_empty() {
        Says::Forbid(forbids)
    } else if permits.is_empty() {
        Says::NoPermit
    } else if !asks.is_empty() {
        Says::Ask(asks)
    } else {
        Says::Permit(permits)
    }
}

/// Whether a call is one of those that an exception leaves out: what can't be told is for a permit, and not for the
/// others.
fn excepted(rule: &RuleSaid, exception: &[(F, C)], question: &Question<'_>) -> bool {
    let permit = rule.effect == Effect::Permit;
    let side = if permit { Side::Refuses } else { Side::Gives };
    let told = by_fact(exception).iter().map(|(fact, c)| condition(fact, c, side, question)).min();
    let told = told.expect("an exception says something");
    if permit { told != FALSE } else { told == TRUE }
}

pub(crate) fn looks_at_the_call(exception: &[(F, C)]) -> bool {
    exception.iter().any(|(fact, _)| is_of_the_call(fact))
}

pub(crate) fn applies(rule: &RuleSaid, question: &Question<'_>) -> bool {
    speaks(rule, &question.setting) && on_setting(rule, question) && on_call(rule, question)
}

pub(crate) fn speaks(rule: &RuleSaid, setting: &Setting<'_>) -> bool {
    let in_any_case = setting.moment == Moment::BreakGlass && rule.effect == Effect::Forbid;
    (rule.moments.contains(&setting.moment) || in_any_case)
        && (rule.form.is_none() || setting.form.is_none() || rule.form == setting.form)
        && rule.from.is_none_or(|from| from * 1000 <= setting.now)
        && rule.until.is_none_or(|until| setting.now < until * 1000)
}

/// What is said of one fact more than once is one conjunction.
fn by_fact(conditions: &[(F, C)]) -> Vec<(F, C)> {
    let mut all: BTreeMap<&F, Vec<C>> = BTreeMap::new();
    for (fact, c) in conditions {
        all.entry(fact).or_default().push(c.clone());
    }
    all.into_iter().map(|(fact, parts)| (fact.clone(), C::All(parts))).collect()
}

pub(crate) fn is_of_the_call(fact: &F) -> bool {
    matches!(fact, F::Arg(_) | F::ResourceType | F::ResourceId | F::ResourceAttr(_))
}

/// Tool, who, why, when and labels; `on_call` alone asks the rest.
pub(crate) fn on_setting(rule: &RuleSaid, question: &Question<'_>) -> bool {
    let tool = question.call.tool.as_str();
    let side = side_of(rule);
    let by_tool = match &rule.tools {
        ToolsSaid::Unsaid | ToolsSaid::Any => TRUE,
        ToolsSaid::Named(names) => truth(names.iter().any(|name| name == tool)),
        ToolsSaid::Like(c) => of_tool(tool, c, side, question),
    };
    let rest = by_fact(&rule.conditions)
        .iter()
        .filter(|(fact, _)| !is_of_the_call(fact))
        .map(|(fact, c)| condition(fact, c, side, question))
        .min()
        .unwrap_or(TRUE);
    let mut exceptions = rule.unless.iter().filter(|own| !looks_at_the_call(own));
    enough(rule, by_tool.min(rest)) && !exceptions.any(|own| excepted(rule, own, question))
}

/// Arguments and resource, the closed world included, and exceptions that look at them.
pub(crate) fn on_call(rule: &RuleSaid, question: &Question<'_>) -> bool {
    let said = by_fact(&rule.conditions)
        .iter()
        .filter(|(fact, _)| is_of_the_call(fact))
        .map(|(fact, c)| condition(fact, c, side_of(rule), question))
        .min()
        .unwrap_or(TRUE);
    let mut exceptions = rule.unless.iter().filter(|own| looks_at_the_call(own));
    if exceptions.any(|own| excepted(rule, own, question)) {
        return false;
    }
    if rule.effect != Effect::Permit {
        return enough(rule, said);
    }
    let names_resource = rule
        .conditions
        .iter()
        .any(|(fact, _)| matches!(fact, F::ResourceType | F::ResourceId | F::ResourceAttr(_)));
    let there = question.call.resource.is_some();
    let resource = rule.any_resource || names_resource == there;
    let named = |name: &String| rule.conditions.iter().any(|(f, _)| *f == F::Arg(name.clone()));
    let args = rule.any_args || rule.other_args || question.call.args.keys().all(named);
    said == TRUE && resource && args
}

fn side_of(rule: &RuleSaid) -> Side {
    if rule.effect == Effect::Permit { Side::Gives } else { Side::Refuses }
}

/// A permit needs true; forbid and ask act on unknown, too.
fn enough(rule: &RuleSaid, answer: Truth3) -> bool {
    match rule.effect {
        Effect::Permit => answer == TRUE,
        Effect::Ask | Effect::Forbid => answer != FALSE,
    }
}

/// Whether a capability covers a call.
pub(crate) fn covers(capability: &CapabilitySaid, question: &Question<'_>) -> bool {
    let call = question.call;
    if capability.tool != call.tool {
        return false;
    }
    let holds = |fact: F, c: &C| condition(&fact, c, Side::Gives, question) == TRUE;
    let named = |name: &String| capability.args.iter().any(|(own, _)| own == name);
    let on_args: Vec<(F, C)> =
        capability.args.iter().map(|(name, c)| (F::Arg(name.clone()), c.clone())).collect();
    let args = by_fact(&on_args).iter().all(|(fact, c)| holds(fact.clone(), c))
        && (capability.other_args || call.args.keys().all(named));
    let resource = match (&capability.resource, &call.resource) {
        _ if capability.any_resource => true,
        (None, None) => true,
        (Some((kind, id, owner)), Some(_)) => {
            holds(F::ResourceType, kind)
                && holds(F::ResourceId, id)
                && owner.as_ref().is_none_or(|c| holds(F::ResourceAttr("owner".into()), c))
        }
        _ => false,
    };
    args && resource
}

/// A task calls: the labels that the tools which it called have by now stay with it, whatever they are called later.
pub(crate) fn keep_labels(called: &mut [(String, Vec<String>)], policy: &PolicySaid) {
    for (tool, had) in called {
        had.extend(labels_of(policy, tool).unwrap_or_default().iter().cloned());
    }
}

/// What a task has seen: the labels that the tools it called had at this or a later call, and those that they have now.
pub(crate) fn seen_by(called: &[(String, Vec<String>)], policy: &PolicySaid) -> Vec<String> {
    let now = |tool: &str| labels_of(policy, tool).unwrap_or_default().to_vec();
    called.iter().flat_map(|(tool, then)| [then.clone(), now(tool)].concat()).collect()
}

pub(crate) fn labels_of<'p>(policy: &'p PolicySaid, tool: &str) -> Option<&'p [String]> {
    static NONE: Vec<String> = Vec::new();
    match &policy.catalogue {
        None => Some(&NONE),
        Some(labels) => labels.get(tool).map(Vec::as_slice),
    }
}

/// Arguments by name, for tests that write a call by hand.
pub(crate) fn args<const N: usize>(pairs: [(&str, V); N]) -> BTreeMap<String, V> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
