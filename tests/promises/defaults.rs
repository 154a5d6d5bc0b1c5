//! A catalogue that states defaults, and what they change of calls and rules, by the book.

use std::collections::BTreeMap;

use hallpass::policy::{ArgType, Effect, Policy, PolicyBuilder, Tool};
use proptest::prelude::*;
use proptest::sample::select;

use crate::spelling_constraints::builder;
use crate::universe::*;

/// The defaults of a tool: both have the same of `y`.
pub(crate) fn defaults(tool: &str) -> BTreeMap<String, V> {
    let x = if tool == TOOLS[0] { "a" } else { "b" };
    BTreeMap::from([("x".to_owned(), V::Text(x.into())), ("y".to_owned(), V::Halves(2))])
}

pub(crate) fn catalogue() -> impl Iterator<Item = Tool> {
    let typed = TOOLS[..2].iter().map(|name| {
        let own = defaults(name);
        let tool = Tool::new(name).default_arg("x", ArgType::Text, own["x"].value());
        tool.default_arg("y", ArgType::Number, own["y"].value())
    });
    typed.chain([Tool::new(TOOLS[2])])
}

pub(crate) fn load(rules: &[RuleSaid]) -> Option<Policy> {
    let builder = catalogue().fold(builder(), PolicyBuilder::tool);
    builder.rules(rules.iter().map(RuleSaid::rule)).build().ok()
}

/// The call as rules and tool have it.
pub(crate) fn completed(call: &CallSaid) -> CallSaid {
    let mut args = defaults(&call.tool);
    let given = call.args.iter().filter(|(_, own)| **own != V::Null);
    args.extend(given.map(|(name, own)| (name.clone(), own.clone())));
    CallSaid { args, ..call.clone() }
}

/// What a permit does not name it lets be the default, where all of its tools have the same.
pub(crate) fn with_defaults(rule: &RuleSaid) -> RuleSaid {
    let mut rule = rule.clone();
    let ToolsSaid::Named(names) = &rule.tools else { return rule };
    if rule.effect != Effect::Permit || rule.other_args || rule.any_args {
        return rule;
    }
    for (name, own) in defaults(&names[0]) {
        let is_of_all = names.iter().all(|tool| defaults(tool)[&name] == own);
        let is_named = rule.conditions.iter().any(|(fact, _)| *fact == F::Arg(name.clone()));
        if is_of_all && !is_named {
            rule.conditions.push((F::Arg(name), C::Eq(own)));
        }
    }
    rule
}

/// Calls of the tools that have defaults.
pub(crate) fn calls_with_defaults() -> BoxedStrategy<CallSaid> {
    let x = prop_oneof![
        3 => select(vec!["a", "b", "ab"]).prop_map(|own| V::Text(own.into())),
        1 => Just(V::Null),
    ];
    let y = prop_oneof![3 => (0..5i64).prop_map(V::Halves), 1 => Just(V::Null)];
    let args = (proptest::option::of(x), proptest::option::of(y));
    (select(TOOLS[..2].to_vec()), args)
        .prop_map(|(tool, (x, y))| {
            let named = [("x", x), ("y", y)].into_iter();
            let args = named.filter_map(|(name, own)| Some((name.to_owned(), own?))).collect();
            CallSaid { tool: tool.into(), args, resource: None }
        })
        .boxed()
}
