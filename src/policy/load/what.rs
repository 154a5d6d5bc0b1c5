//! A rule's `what` table: tool, arguments, resource.

use crate::document::{Misfit, Table, Written, any_word};
use crate::policy::effect::Effect;
use crate::policy::rule::{Rule, Tools};
use crate::scope::{Node as Kind, named_constraints, read_constraint};
use crate::value::{SpannedNode, Value};
use crate::visible::Shown;

use super::who::{attributes, set};

pub(super) const KEYS: &[&str] = &["tool", "labels", "args", "other_args", "resource"];

/// The keys of a resource.
pub(super) const RESOURCE: &[&str] = &["type", "id", "attrs"];

/// Words of other systems for what is called here, and keys of the rule that stand too far in.
const FOREIGN: &[(&[&str], &str)] = &[
    (
        &["action", "actions", "function", "name", "method", "operation", "tool_name", "command"],
        "`tool`",
    ),
    (&["arguments", "params", "parameters", "input"], "`args = { NAME = … }`"),
    (
        &["credential", "credentials", "secret", "secrets"],
        "nothing of that: which credential a tool runs with is said once, by `credential` of its `[[tool]]`",
    ),
    (
        &["who", "why", "when", "unless", "grant", "approval", "on", "effect", "presentation"],
        "it next to `what`, in the rule itself",
    ),
];

pub(super) fn what(rule: Rule, written: &Written) -> Result<Rule, Misfit> {
    let of_argument = |name: &str| {
        Some(format!("an argument is said in `args = {{ {} = … }}`", name.escape_debug()))
    };
    let example =
        "a table such as `{ tool = \"…\" }`, or of several tools `{ tool = { one_of = [ … ] } }`";
    let table = Table::read_explained(written, KEYS, FOREIGN, &of_argument, example)?.said()?;
    let mut rule = rule;
    if let Some(tools) = table.read_at("tool", tools)? {
        rule.tools = tools;
    }
    if let Some(labels) = table.read_at("labels", set)? {
        rule = rule.labels(labels);
    }
    if let Some(args) = table.get("args") {
        rule = arguments(rule, args).map_err(|error| error.inside("args"))?;
    }
    let others = table.read_at("other_args", |own| {
        any_word(own).map_err(|error| {
            let problem =
                "left out, no others may be there; one with a constraint is named in `args`";
            Misfit::new(error.at, format!("{}: {problem}", error.problem))
        })
    });
    if others?.is_some() {
        rule = rule.other_args();
    }
    match table.get("resource") {
        Some(written) => resource(rule, written).map_err(|error| error.inside("resource")),
        None => Ok(rule),
    }
}

/// A name, `any`, or a constraint on the name. A finite set of names is the names themselves.
fn tools(written: &Written) -> Result<Tools, Misfit> {
    if let SpannedNode::List(_) = &written.node {
        let problem = "expected one name: for one of several tools write `{ one_of = [ … ] }`";
        return Err(Misfit::new(written.span.start, problem));
    }
    let constraint = read_constraint(written)?;
    let not_text = || {
        let problem = "a tool's name is text: expected `\"…\"`, `\"any\"` or a constraint on text";
        Misfit::new(written.span.start, problem)
    };
    match &constraint.0 {
        Kind::Any => Ok(Tools::Any),
        Kind::Is(names) => names
            .iter()
            .map(|name| match name {
                // No tool has a name with one, so more was meant than a name.
                Value::Text(name) if name.contains('*') => {
                    let problem = format!(
                        "{} is not a tool's name: a pattern is `{{ glob = \"…\" }}`, and every tool `\"any\"`",
                        Shown(name)
                    );
                    Err(Misfit::new(written.span.start, problem))
                }
                Value::Text(name) => Ok(name.clone()),
                _ => Err(not_text()),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|names| Tools::Named(names.into())),
        _ => Ok(Tools::Like(Box::new(constraint))),
    }
}

fn arguments(rule: Rule, written: &Written) -> Result<Rule, Misfit> {
    if matches!(written.node, SpannedNode::Text(_) | SpannedNode::Bool(_)) {
        any_word(written).map_err(|error| {
            let problem =
                "left out, no argument may be there; some are named as in `{ to = \"any\" }`";
            Misfit::new(error.at, format!("{}: {problem}", error.problem))
        })?;
        return Ok(rule.any_args());
    }
    let named = named_constraints(written)?;
    if named.is_empty() && rule.effect != Effect::Permit {
        let problem = "an empty table says nothing in a forbid or an ask: leave it out";
        return Err(Misfit::new(written.span.start, problem));
    }
    Ok(named.into_iter().fold(rule, |rule, (name, own)| rule.arg(&name, own)))
}

fn resource(rule: Rule, written: &Written) -> Result<Rule, Misfit> {
    if let SpannedNode::Text(_) = &written.node {
        any_word(written).map_err(|error| {
            let problem = "one of a type is `{ type = \"…\", id = \"any\" }`";
            Misfit::new(error.at, format!("{}: {problem}", error.problem))
        })?;
        return Ok(rule.any_resource());
    }
    let example = "\"any\" or a table such as `{ type = \"…\", id = \"…\" }`";
    let of_attribute = |name: &str| {
        Some(format!("an attribute is said in `attrs = {{ {} = … }}`", name.escape_debug()))
    };
    let table = Table::read_explained(written, RESOURCE, &[], &of_attribute, example)?.said()?;
    let mut rule = rule;
    if let Some(constraint) = table.read_at("type", read_constraint)? {
        rule = rule.resource_type(constraint);
    }
    if let Some(constraint) = table.read_at("id", read_constraint)? {
        rule = rule.resource_id(constraint);
    }
    for (name, constraint) in table.read_at("attrs", attributes)?.unwrap_or_default() {
        rule = rule.resource_attr(&name, constraint);
    }
    Ok(rule)
}
