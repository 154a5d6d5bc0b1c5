//! A policy as data, in one canonical form: what its digest is made of.

use super::approval::{ApprovalTerms, Line, Per, Reviewers};
use super::break_glass::BreakGlassTerms;
use super::catalogue::Tool;
use super::limits::Limits;
use super::offer::WidthOffer;
use super::rule::{Rule, Tools};
use crate::approval::pin::Pin;
use crate::approval::width::Variation;
use crate::clock::format_duration;
use crate::identity::Fold;
use crate::scope::{Condition, Fact, ResourceOpenness};
use crate::value::{Digest, DigestOfParts, Object, Value, object_of};

/// The digest of the canonical form of a policy whose rules stand in the order of their ids: of an object of
/// `rule`, `tool` and `version`, and of `identity` and `log` where they say something. Of many rules, one at a time is in memory.
pub(super) fn policy_digest(rules: &[Rule], tools: &[Tool], fold: Fold, plain: &[Fact]) -> Digest {
    let mut tools: Vec<Value> = tools.iter().map(tool_value).collect();
    tools.sort();
    // Unsaid as it always was, so that policies without keep their digest.
    let count = 3 + usize::from(fold == Fold::Ascii) + usize::from(!plain.is_empty());
    let parts = DigestOfParts::object(count);
    let parts = match fold {
        Fold::None => parts,
        Fold::Ascii => parts.key("identity").value(&Value::from("ascii")),
    };
    let parts = match plain.is_empty() {
        true => parts,
        false => {
            let names = plain.iter().map(|fact| Value::from(fact.to_string()));
            parts.key("log").value(&Value::List(names.collect()))
        }
    };
    let parts = parts.key("rule").list(rules.len(), rules.iter().map(rule_value));
    let parts = parts.key("tool").list(tools.len(), tools.into_iter());
    parts.key("version").value(&Value::from(1)).finish()
}

/// The canonical form of one tool of the catalogue.
pub(super) fn tool_value(tool: &Tool) -> Value {
    let mut labels: Vec<Value> = tool.labels.iter().cloned().map(Value::Text).collect();
    labels.sort();
    labels.dedup();
    let mut out = Object::new();
    let mut args: Vec<Value> = Vec::with_capacity(tool.args.len());
    for own in &tool.args {
        let said = [Value::Text(own.name.clone()), Value::from(own.word())];
        args.push(Value::List(said.into_iter().chain(own.default.clone()).collect()));
    }
    args.sort();
    let credentials: Vec<Value> = tool.credentials.iter().cloned().map(Value::Text).collect();
    // The keys are written once each.
    let _ = out.insert("name", Value::Text(tool.name.clone()));
    let _ = out.insert("labels", Value::List(labels));
    let _ = out.insert("args", Value::List(args));
    // Unsaid as it always was, so that policies without keep their digest.
    if !credentials.is_empty() {
        let _ = out.insert("credential", Value::List(credentials));
    }
    if !tool.origins.is_empty() {
        let of = |(credential, origin): &(Box<str>, Box<str>)| {
            Value::List(vec![Value::Text(credential.clone()), Value::Text(origin.clone())])
        };
        let mut origins: Vec<Value> = tool.origins.iter().map(of).collect();
        origins.sort();
        let _ = out.insert("origins", Value::List(origins));
    }
    if !tool.plain.is_empty() {
        let mut plain: Vec<Value> = tool.plain.iter().cloned().map(Value::Text).collect();
        plain.sort();
        let _ = out.insert("log", Value::List(plain));
    }
    if tool.leak_halts {
        let _ = out.insert("leak", Value::from("halt"));
    }
    if let Some(text) = &tool.texts.tool {
        let _ = out.insert("description", Value::Text(text.clone()));
    }
    if !tool.texts.args.is_empty() {
        let said = tool.texts.args.iter().map(|(k, v)| (k.to_string(), Value::Text(v.clone())));
        let said = Object::from_pairs(said).unwrap_or_default();
        let _ = out.insert("descriptions", Value::Object(said));
    }
    if let Some(pin) = tool.pin {
        let _ = out.insert("digest", Value::from(pin.to_string()));
    }
    Value::Object(out)
}

/// The canonical form of one rule.
pub(crate) fn rule_value(rule: &Rule) -> Value {
    object_of([("id", Value::from(&*rule.id)), ("says", rule_content(rule))])
}

/// What a rule says, whatever it is called: equal for rules that differ only in their id.
pub(crate) fn rule_content(rule: &Rule) -> Value {
    let tools = match &rule.tools {
        Tools::Unsaid => Value::Null,
        Tools::Any => Value::from("any"),
        Tools::Named(names) => {
            let mut names: Vec<Value> = names.iter().cloned().map(Value::Text).collect();
            names.sort();
            names.dedup();
            Value::List(names)
        }
        Tools::Like(constraint) => constraint.to_value(),
    };
    let resource = match rule.openness.resource {
        ResourceOpenness::None => "none",
        ResourceOpenness::Named => "named",
        ResourceOpenness::Any => "any",
    };
    let mut content = object_of([
        ("effect", Value::from(rule.effect.as_str())),
        ("on", Value::List(rule.moments.iter().map(|m| Value::from(m.as_str())).collect())),
        ("tool", tools),
        ("conditions", conditions_value(&rule.conditions)),
        ("other_args", Value::Bool(rule.openness.other_args)),
        ("resource", Value::from(resource)),
        ("grant", limits_value(&rule.limits)),
        ("approval", rule.approval.as_deref().map_or(Value::Null, approval_value)),
        ("owner", rule.owned_by().map_or(Value::Null, Value::from)),
        ("valid_from", instant(rule.validity().from)),
        ("valid_until", instant(rule.validity().until)),
        ("review_by", instant(rule.review_date())),
        ("presentation", rule.presentation.map_or(Value::Null, |form| Value::from(form.as_str()))),
    ]);
    // Unsaid as it always was, so that policies without keep their digest.
    if let (false, Value::Object(content)) = (rule.exceptions.is_empty(), &mut content) {
        let mut all: Vec<Value> =
            rule.exceptions.iter().map(|own| conditions_value(&own.conditions)).collect();
        all.sort();
        all.dedup();
        let _ = content.insert("unless", Value::List(all));
    }
    if let (Some(terms), Value::Object(content)) = (&rule.break_glass, &mut content) {
        let _ = content.insert("break_glass", break_glass_value(terms));
    }
    content
}

fn instant(at: Option<crate::clock::Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::from(at.unix_millis()))
}

/// Conditions with the fact they look at; their order means nothing.
fn conditions_value<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Value {
    let pair = |c: &Condition| vec![Value::from(c.fact.to_string()), c.constraint.to_value()];
    let mut pairs: Vec<Value> = conditions.into_iter().map(|c| Value::List(pair(c))).collect();
    pairs.sort();
    Value::List(pairs)
}

fn limits_value(limits: &Limits) -> Value {
    let duration =
        |d: Option<std::time::Duration>| d.map_or(Value::Null, |d| Value::from(format_duration(d)));
    let within = |limit: Option<(u64, std::time::Duration)>| {
        limit.map_or(Value::Null, |(calls, window)| {
            Value::List(vec![Value::from(calls), Value::from(format_duration(window))])
        })
    };
    let mut budgets = Object::new();
    for budget in &limits.budgets {
        // Two budgets on one argument are a load error.
        let most = Value::Number(budget.most);
        let most = match budget.within {
            None => most,
            Some(window) => Value::List(vec![most, Value::from(format_duration(window))]),
        };
        let _ = budgets.insert(budget.argument.to_string(), most);
    }
    let tail = limits.tail.map(|tail| ("tail", duration(Some(tail))));
    let said = [
        ("ttl", duration(limits.ttl)),
        ("max_life", duration(limits.max_life)),
        ("idle", duration(limits.idle)),
        ("uses", limits.uses.map_or_else(|| within(limits.uses_within), Value::from)),
        ("rate", within(limits.rate)),
        ("budget", Value::Object(budgets)),
        ("depth", limits.depth.map_or(Value::Null, |depth| Value::from(u64::from(depth)))),
        ("per_identity", Value::Bool(limits.per_identity)),
        ("refund", Value::Bool(!limits.keeps_abandoned)),
    ];
    object_of(said.into_iter().chain(tail))
}

fn break_glass_value(terms: &BreakGlassTerms) -> Value {
    object_of([
        ("review", reviewers_value(&terms.review.review)),
        ("due", Value::from(format_duration(terms.due))),
        ("alert", Value::from(if terms.best_effort { "best_effort" } else { "required" })),
        ("while_open", if terms.refuses_while_open { Value::from("refuse") } else { Value::Null }),
    ])
}

fn approval_value(terms: &ApprovalTerms) -> Value {
    let duration =
        |d: Option<std::time::Duration>| d.map_or(Value::Null, |d| Value::from(format_duration(d)));
    let texts = |texts: &[Box<str>]| {
        let mut texts: Vec<Value> = texts.iter().cloned().map(Value::Text).collect();
        texts.sort();
        texts.dedup();
        Value::List(texts)
    };
    object_of([
        ("review", reviewers_value(&terms.review)),
        ("confirm", Value::Bool(terms.confirm)),
        ("per", Value::from(if terms.per == Per::Call { "call" } else { "task" })),
        ("expires", duration(terms.expires)),
        ("good_for", duration(terms.good_for)),
        ("cool_down", duration(terms.cool_down)),
        ("material", texts(&terms.material)),
        ("offer", offer_value(&terms.offer)),
    ])
}

/// Without an order of widths, names and pins, which means nothing; null where only one call is offered.
fn offer_value(offer: &WidthOffer) -> Value {
    if *offer == WidthOffer::default() {
        return Value::Null;
    }
    let sorted = |mut all: Vec<Value>| {
        all.sort();
        Value::List(all)
    };
    let Variation { vary, same } = &offer.variation;
    let pin = |own: &Pin| {
        object_of([("arg", Value::Text(own.arg.clone())), ("part", Value::from(own.part.as_str()))])
    };
    object_of([
        ("widths", sorted(offer.widths.iter().map(|own| Value::from(own.to_string())).collect())),
        ("vary", sorted(vary.iter().cloned().map(Value::Text).collect())),
        ("same", sorted(same.iter().map(pin).collect())),
        ("cut", if offer.refuses_cut { Value::from("refuse") } else { Value::Null }),
    ])
}

/// Lines in an order of their own: theirs means nothing.
fn reviewers_value(lines: &[Reviewers]) -> Value {
    let one = |line: &Reviewers| match &line.0 {
        Line::People { conditions, count } => object_of([
            ("who", conditions_value(conditions)),
            ("count", Value::from(u64::from(*count))),
        ]),
        Line::All(lines) => object_of([("all", reviewers_value(lines))]),
        Line::Any(lines) => object_of([("any", reviewers_value(lines))]),
    };
    let mut lines: Vec<Value> = lines.iter().map(one).collect();
    lines.sort();
    Value::List(lines)
}
