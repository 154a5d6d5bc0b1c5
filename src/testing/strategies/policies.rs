//! Policies at random, for what has to hold under any policy.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::policy::{ApprovalTerms, Effect, Per, Policy, Reviewers, Rule};
use crate::scope::{
    Constraint, above, any as anything, eq, has_any, max, min, not, one_of, prefix, present,
    reference, same_as, under,
};

/// The tools, each with its arguments.
const TOOLS: [(&str, [&str; 2]); 3] = [
    ("bank.pay", ["to", "amount"]),
    ("file.read", ["path", "lines"]),
    ("mail.send", ["to", "body"]),
];
const GROUPS: [&str; 3] = ["payers", "leads", "staff"];
const IDS: [&str; 2] = ["agent-7", "agent-8"];

/// Policies of up to six rules over the tools `bank.pay`, `file.read` and `mail.send`, groups and a context: permits with limits and
/// windows, asks and forbids, exceptions, and references to other parts of the question. Each loads.
pub fn policies() -> BoxedStrategy<Policy> {
    vec(rules(), 0..7)
        .prop_filter_map("loads", |rules| {
            let named =
                rules.into_iter().enumerate().map(|(at, rule)| rule.called(&format!("r{at}")));
            Policy::builder().rules(named).build().ok()
        })
        .boxed()
}

/// What is said of one argument.
fn on_texts() -> BoxedStrategy<Constraint> {
    let named = || select(vec!["CH93", "ana@acme.test", "/data/a", "x"]);
    prop_oneof![
        3 => Just(anything()),
        2 => named().prop_map(eq),
        2 => vec(named(), 1..3).prop_map(one_of),
        1 => named().prop_map(prefix),
        1 => named().prop_map(|own| not(eq(own))),
        1 => Just(under("/data")),
        1 => Just(present()),
        1 => Just(same_as("who.attrs.home")),
        1 => Just(reference("when.words").as_one_of()),
    ]
    .boxed()
}

fn on_numbers() -> BoxedStrategy<Constraint> {
    prop_oneof![
        3 => (1..1000_u32).prop_map(|most| min(0).and(max(most))),
        1 => (1..1000_u32).prop_map(above),
        1 => (1..1000_u32).prop_map(|own| not(max(own))),
        1 => Just(min(0).and(reference("who.attrs.limit").as_max())),
        1 => Just(anything()),
    ]
    .boxed()
}

fn on_arguments() -> BoxedStrategy<Constraint> {
    prop_oneof![on_texts(), on_numbers()].boxed()
}

/// What is said of who asks, why and when.
fn on_settings() -> BoxedStrategy<(&'static str, Constraint)> {
    prop_oneof![
        3 => vec(select(GROUPS.to_vec()), 1..3).prop_map(|own| ("who.groups", has_any(own))),
        1 => select(GROUPS.to_vec()).prop_map(|own| ("who.groups", not(has_any([own])))),
        1 => select(IDS.to_vec()).prop_map(|own| ("who.id", eq(own))),
        1 => Just(("who.kind", eq("human"))),
        1 => Just(("why.purpose", eq("pay-bill"))),
        1 => Just(("why.ticket", present())),
        2 => Just(("when.env", eq("prod"))),
        1 => (0..100_u32).prop_map(|own| ("when.risk", max(own))),
    ]
    .boxed()
}

fn rules() -> BoxedStrategy<Rule> {
    let effect = prop_oneof![
        5 => Just(Effect::Permit),
        2 => Just(Effect::Forbid),
        1 => Just(Effect::Ask),
    ];
    let what = (select(TOOLS.to_vec()), option::of(on_arguments()), option::of(on_numbers()));
    let open = proptest::bool::weighted(0.4);
    let unless = option::weighted(0.3, on_settings());
    (effect, what, vec(on_settings(), 0..3), unless, open, limits())
        .prop_map(|(effect, (tool, first, second), settings, unless, open, limits)| {
            let (tool, [first_name, second_name]) = tool;
            let mut rule = match effect {
                Effect::Permit => limits.put(Rule::permit("r")),
                Effect::Forbid => Rule::forbid("r"),
                Effect::Ask => {
                    let leads = Reviewers::in_groups(has_any(["leads"]));
                    Rule::ask("r").approval(ApprovalTerms::per(Per::Call).review(leads))
                }
            };
            rule = rule.tool(tool);
            let names_none = first.is_none() && second.is_none();
            if let Some(own) = first {
                rule = rule.arg(first_name, own);
            }
            if let Some(own) = second {
                rule = rule.arg(second_name, own);
            }
            if effect == Effect::Permit && open {
                rule = if names_none { rule.any_args() } else { rule.other_args() };
            }
            let mut said = Vec::new();
            for (part, own) in settings {
                // A part is looked at once.
                if !said.contains(&part) {
                    said.push(part);
                    rule = on_setting(rule, part, own);
                }
            }
            match unless {
                Some(own) => rule.unless([own]),
                None => rule,
            }
        })
        .boxed()
}

fn on_setting(rule: Rule, part: &str, own: Constraint) -> Rule {
    match part {
        "who.groups" => rule.who_groups(own),
        "who.id" => rule.who_id(own),
        "who.kind" => rule.who_kind(own),
        "why.purpose" => rule.purpose(own),
        "why.ticket" => rule.ticket(own),
        part => rule.when(part.strip_prefix("when.").unwrap_or(part), own),
    }
}

/// What a permit limits.
#[derive(Clone, Copy, Debug)]
struct Limits {
    ttl: Option<u64>,
    uses: Option<u64>,
    within: Option<u64>,
    rate: Option<u64>,
}

fn limits() -> impl Strategy<Value = Limits> {
    let number = |weight, most| option::weighted(weight, 1..most);
    (number(0.5, 3600_u64), number(0.4, 5_u64), number(0.5, 600_u64), number(0.2, 5_u64))
        .prop_map(|(ttl, uses, within, rate)| Limits { ttl, uses, within, rate })
}

impl Limits {
    fn put(self, rule: Rule) -> Rule {
        let seconds = Duration::from_secs;
        let rule = self.ttl.into_iter().fold(rule, |rule, own| rule.ttl(seconds(own)));
        let rule = match (self.uses, self.within) {
            (Some(uses), Some(within)) => rule.uses_within(uses, seconds(within)),
            (Some(uses), None) => rule.uses(uses),
            (None, _) => rule,
        };
        self.rate.into_iter().fold(rule, |rule, own| rule.rate(own, seconds(60)))
    }
}
