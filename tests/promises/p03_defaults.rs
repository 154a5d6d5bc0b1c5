//! P3: an argument that a call leaves out is decided as the default that the catalogue states for it, and the tool gets
//! that. Rules of tools with defaults, put to a gate and to rules taken one by one, of the call as it is with them.

use std::collections::BTreeMap;

use hallpass::clock::ManualClock;
use hallpass::policy::{ArgType, Effect, Moment, Policy, Tool};
use hallpass::prelude::*;
use hallpass::{Broker, Reason};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::door::{at_calls, by_the_book, door};
use crate::model_rules::Says;
use crate::universe::*;

/// The defaults of a tool: both have the same of `y`.
fn defaults(tool: &str) -> BTreeMap<String, V> {
    let x = if tool == TOOLS[0] { "a" } else { "b" };
    BTreeMap::from([("x".to_owned(), V::Text(x.into())), ("y".to_owned(), V::Halves(2))])
}

fn catalogue() -> impl Iterator<Item = Tool> {
    TOOLS[..2].iter().map(|name| {
        let own = defaults(name);
        let tool = Tool::new(name).default_arg("x", ArgType::Text, own["x"].value());
        tool.default_arg("y", ArgType::Number, own["y"].value())
    })
}

fn load(rules: &[RuleSaid]) -> Option<Policy> {
    let builder = catalogue().fold(Policy::builder(), hallpass::policy::PolicyBuilder::tool);
    builder.rules(rules.iter().map(RuleSaid::rule)).build().ok()
}

fn conditions() -> BoxedStrategy<(F, C)> {
    let text = || select(vec!["a", "b", "ab"]).prop_map(|own| V::Text(own.into()));
    let of_x = prop_oneof![
        3 => text().prop_map(C::Eq),
        2 => vec(text(), 1..3).prop_map(C::OneOf),
        1 => Just(C::Prefix("a".into())),
        1 => any::<bool>().prop_map(C::Present),
        1 => Just(C::Any),
        1 => text().prop_map(|own| C::Not(C::Eq(own).into())),
        1 => text().prop_map(|own| C::AnyOf(vec![C::Present(false), C::Eq(own)])),
    ]
    .prop_map(|c| (F::Arg("x".into()), c));
    let of_y = prop_oneof![
        (0..5i64).prop_map(C::Max),
        (0..5i64).prop_map(C::Above),
        (0..5i64).prop_map(|own| C::Eq(V::Halves(own))),
        Just(C::Present(false)),
    ]
    .prop_map(|c| (F::Arg("y".into()), c));
    prop_oneof![of_x, of_y].boxed()
}

fn rules() -> BoxedStrategy<RuleSaid> {
    let tools = prop_oneof![
        3 => Just(ToolsSaid::Named(vec![TOOLS[0].into()])),
        1 => Just(ToolsSaid::Named(vec![TOOLS[1].into()])),
        2 => Just(ToolsSaid::Named(vec![TOOLS[0].into(), TOOLS[1].into()])),
        1 => Just(ToolsSaid::Any),
    ];
    let effect = select(vec![Effect::Permit, Effect::Permit, Effect::Forbid, Effect::Ask]);
    let unless = prop_oneof![3 => Just(None), 1 => conditions().prop_map(Some)];
    (effect, tools, vec(conditions(), 0..3), unless, any::<bool>())
        .prop_map(|(effect, tools, mut conditions, unless, open)| {
            conditions.sort_by(|a, b| a.0.cmp(&b.0));
            conditions.dedup_by(|a, b| a.0 == b.0);
            let permit = effect == Effect::Permit;
            RuleSaid {
                effect,
                moments: vec![Moment::Call],
                tools,
                other_args: permit && !conditions.is_empty() && open,
                any_args: permit && conditions.is_empty() && open,
                any_resource: false,
                conditions,
                unless: unless.into_iter().map(|own| vec![own]).collect(),
                ..door("rule")
            }
        })
        .prop_filter("can be meant", |own| load(std::slice::from_ref(own)).is_some())
        .boxed()
}

fn calls() -> BoxedStrategy<CallSaid> {
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

/// The call as rules and tool have it.
fn completed(call: &CallSaid) -> CallSaid {
    let mut args = defaults(&call.tool);
    let given = call.args.iter().filter(|(_, own)| **own != V::Null);
    args.extend(given.map(|(name, own)| (name.clone(), own.clone())));
    CallSaid { args, ..call.clone() }
}

/// What a permit does not name it lets be the default, where all of its tools have the same.
fn with_defaults(rule: &RuleSaid) -> RuleSaid {
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

proptest! {
    #![proptest_config(config(256))]

    /// P3, P5
    #[test]
    fn what_is_left_out_is_decided_as_its_default_as_the_rules_say_one_by_one(
        rules in vec(rules(), 1..6),
        calls in vec(calls(), 1..10),
    ) {
        let rules: Vec<RuleSaid> =
            (0..).zip(rules).map(|(n, own)| RuleSaid { id: format!("r{n}"), ..own }).collect();
        let said = at_calls(PolicySaid { catalogue: None, rules });
        let loaded = load(&said.rules).unwrap();
        let book = said.rules.iter().map(with_defaults).collect();
        let book = PolicySaid { catalogue: None, rules: book };
        let broker = Broker::builder(loaded).clock(ManualClock::new(at(0))).build().unwrap();
        let who = crate::spelling::robot();
        let why = WhySaid { name: "errand".into(), ticket: None };
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let scope = Scope::tool(TOOLS[0]).any_args().and_tool(TOOLS[1]).any_args();
        let grant = task.request(scope, &Context::new()).unwrap();
        for call in &calls {
            let whole = completed(call);
            let says = by_the_book(&book, &who, &why, &whole, &ContextSaid::new());
            let answer = broker.gate().authorize(&grant, &caller, call.call(), &Context::new());
            let told = match &answer {
                Ok(permit) => Says::Permit(permit.rules().map(str::to_owned).collect()),
                Err(denial) => {
                    let rules = denial.rules().map(str::to_owned).collect();
                    match denial.reason() {
                        Reason::Forbidden => Says::Forbid(rules),
                        Reason::ApprovalRequired => Says::Ask(rules),
                        Reason::NoPermit => Says::NoPermit,
                        _ => panic!("{}", denial.explain()),
                    }
                }
            };
            prop_assert_eq!(told, says, "{:?}", call);
            if let Ok(permit) = answer {
                let running = permit.start().unwrap();
                prop_assert_eq!(running.call(), &whole.call(), "the tool gets it");
                running.succeed();
            }
        }
    }
}
