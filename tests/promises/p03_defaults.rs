//! P3: an argument that a call leaves out is decided as the default that the catalogue states for it, and the tool gets
//! that. Rules of tools with defaults, put to a gate and to rules taken one by one, of the call as it is with them.

use hallpass::clock::ManualClock;
use hallpass::policy::{Effect, Moment};
use hallpass::prelude::*;
use hallpass::{Broker, Reason};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::defaults::{calls_with_defaults, completed, load, with_defaults};
use crate::door::{at_calls, by_the_book, door};
use crate::model_rules::Says;
use crate::universe::*;

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

proptest! {
    #![proptest_config(config(256))]

    /// P3, P5
    #[test]
    fn what_is_left_out_is_decided_as_its_default_as_the_rules_say_one_by_one(
        rules in vec(rules(), 1..6),
        calls in vec(calls_with_defaults(), 1..10),
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
