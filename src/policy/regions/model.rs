//! Random policies over a universe so small that every question of it can be asked.

use proptest::prelude::*;

use crate::call::Call;
use crate::context::Context;
use crate::identity::{Assertion, Attestor, Identity};
use crate::policy::{ApprovalTerms, Effect, Per, Policy, Reviewers, Rule, Tool};
use crate::scope::{Constraint, any, eq, has_any, max, not, one_of, present, reference, same_as};
use crate::spelling::ArgType;
use crate::value::Value;

pub(crate) fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

pub(crate) fn terms() -> ApprovalTerms {
    ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["finance"])))
}

/// What may have been noted of the tool that most rules speak of.
pub(crate) const NOTE: &str = "notes.t#id";

/// The tools, where there is a catalogue: of the one that most rules speak of, what is left out is stated.
fn catalogue() -> [Tool; 3] {
    let typed = Tool::new("t").default_arg("a", ArgType::Number, 1_u64);
    [typed.default_arg("b", ArgType::Integer, 7_u64), Tool::new("u"), Tool::new("v")]
}

/// Whether a policy has that catalogue.
pub(crate) fn has_catalogue(policy: &Policy) -> bool {
    policy.0.catalogue.is_there()
}

/// These rules, under a catalogue where `like` has one.
pub(crate) fn policy_like(like: &Policy, rules: impl IntoIterator<Item = Rule>) -> Option<Policy> {
    let builder = Policy::builder().rules(rules);
    let builder = if has_catalogue(like) { builder.tools(catalogue()) } else { builder };
    builder.build().ok()
}

/// Rules over a universe of a few values of each fact.
pub(crate) fn any_rule(at: usize, compares: bool) -> impl Strategy<Value = Rule> {
    let plain = || {
        prop_oneof![
            3 => (0..3).prop_map(eq),
            2 => (0..3).prop_map(max),
            1 => Just(one_of([0, 2])),
            1 => Just(present()),
            1 => (0..3).prop_map(|n| not(eq(n))),
            1 => Just(any()),
        ]
    };
    // What is compared with on an argument: the context, another argument, and what was noted.
    let compared = || {
        let of = prop_oneof![2 => Just("when.w"), 1 => Just("args.b")];
        (of, 0..7_u8).prop_map(|(of, kind)| match kind {
            0 => same_as(of),
            1 => not(same_as(of)),
            2 => reference(of).as_max(),
            3 => not(reference(of).as_min()),
            4 => reference(NOTE).as_one_of(),
            5 => not(reference(NOTE).as_one_of()),
            _ => reference(of).as_one_of(),
        })
    };
    let value = move || match compares {
        true => prop_oneof![3 => plain(), 2 => compared()].boxed(),
        false => plain().boxed(),
    };
    let tool = prop_oneof![
        3 => Just("t"), 1 => Just("u"), 1 => Just("*"),
    ];
    let when = proptest::option::of(plain());
    let group = proptest::option::of(prop_oneof![
        Just(has_any(["g"])),
        Just(not(has_any(["g"]))),
        Just(has_any(["g", "h"])),
    ]);
    let arg = proptest::option::weighted(0.7, value());
    let exception = prop_oneof![
        2 => plain().prop_map(|own| vec![("when.w", own)]),
        1 => Just(vec![("who.groups", has_any(["h"]))]),
        2 => value().prop_map(|own| vec![("args.a", own)]),
        1 => (value(), plain()).prop_map(|(a, w)| vec![("args.a", a), ("when.w", w)]),
        1 => plain().prop_map(|own| vec![("what.tool", eq("t")), ("when.w", own)]),
    ];
    let exceptions = proptest::collection::vec(exception, 0..2);
    let exceptions = proptest::option::weighted(0.3, exceptions);
    (0..5_u8, tool, arg, when, group, (proptest::bool::ANY, exceptions)).prop_map(
        move |(effect, tool, arg, when, group, (open, exceptions))| {
            let id = format!("r{at}");
            let mut rule = match effect {
                0 => Rule::forbid(id),
                1 => Rule::ask(id).approval(terms()),
                _ => Rule::permit(id),
            };
            let is_permit = rule.effect() == Effect::Permit;
            rule = if tool == "*" { rule.any_tool() } else { rule.tool(tool) };
            match arg {
                Some(arg) => {
                    rule = rule.arg("a", arg);
                    if open && is_permit {
                        rule = rule.other_args();
                    }
                }
                None if open && is_permit => rule = rule.any_args(),
                None => {}
            }
            if let Some(when) = when {
                rule = rule.when("w", when);
            }
            if let Some(group) = group {
                rule = rule.who_groups(group);
            }
            let lets = !is_permit || rule.openness.other_args || rule.cover().names_argument("a");
            let is_said = |said: &Vec<(&str, Constraint)>| {
                said.iter().all(|(name, _)| match *name {
                    "args.a" => lets,
                    "what.tool" => tool != "u",
                    _ => true,
                })
            };
            let exceptions = exceptions.into_iter().flatten().filter(is_said);
            exceptions.fold(rule, Rule::unless)
        },
    )
}

pub(crate) fn any_policy(compares: bool) -> impl Strategy<Value = Policy> {
    (0..5_usize).prop_flat_map(move |many| {
        let rules: Vec<_> = (0..many).map(|at| any_rule(at, compares)).collect();
        rules.prop_map(policy)
    })
}

/// The same, and in one of three with a catalogue that states defaults.
pub(crate) fn any_policy_or_defaults(compares: bool) -> impl Strategy<Value = Policy> {
    let plain = any_policy(compares);
    (plain, proptest::bool::weighted(0.33)).prop_map(|(plain, has_defaults)| {
        if !has_defaults {
            return plain;
        }
        let listed = Policy::builder().tools(catalogue()).build().unwrap();
        // What compares with a list, where there is a number, does not load.
        let loads = |rule: &Rule| policy_like(&listed, [rule.clone()]).is_some();
        let rules: Vec<Rule> = plain.rules().filter(|rule| loads(rule)).cloned().collect();
        policy_like(&listed, rules).unwrap()
    })
}

/// Every question of the universe that the rules above tell apart, more or less.
pub(crate) fn questions() -> Vec<(Identity, Call, Context)> {
    let mut all = Vec::new();
    let values = [
        None,
        Some("0"),
        Some("1"),
        Some("2"),
        Some("9"),
        Some("\"x\""),
        Some("[0,2]"),
        Some("[]"),
    ];
    for groups in [&[][..], &["g"], &["h"], &["g", "h"], &["z"]] {
        let who = Assertion::agent("a").groups(groups.iter().copied());
        let who = Attestor::of(0).attest(who).unwrap();
        for tool in ["t", "u", "v"] {
            for (a, b) in values.iter().flat_map(|a| [None, Some("7")].map(|b| (a, b))) {
                let named = a.iter().map(|a| format!("\"a\":{a}"));
                let args: Vec<String> = named.chain(b.map(|b| format!("\"b\":{b}"))).collect();
                let call = Call::from_json(tool, &format!("{{{}}}", args.join(","))).unwrap();
                for w in values {
                    let context = Context::new();
                    let context = match w.map(|w| Value::from_json(w).unwrap()) {
                        Some(w) => context.with("w", w),
                        None => context,
                    };
                    all.push((who.clone(), call.clone(), context));
                }
            }
        }
    }
    all
}
