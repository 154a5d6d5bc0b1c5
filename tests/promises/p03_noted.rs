//! P3: what the host noted in a task bounds its calls, as of each call. Rules that compare with notes, put to a gate and to
//! rules taken one by one; what was not noted is unknown to both.

use hallpass::policy::{Effect, Moment};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use crate::door::{OpenDoor, at_calls, by_the_book_after, door};
use crate::model_rules::Says;
use crate::random_constraints::{notes, of_notes, scalars};
use crate::universe::*;

fn compares() -> BoxedStrategy<C> {
    let other = || scalars().prop_map(C::Eq);
    prop_oneof![
        4 => of_notes(),
        3 => of_notes().prop_map(|own| C::Not(own.into())),
        1 => (of_notes(), of_notes()).prop_map(|(a, b)| C::AnyOf(vec![a, b])),
        1 => (of_notes(), other()).prop_map(|(a, b)| C::AnyOf(vec![a, b])),
        1 => (of_notes(), other()).prop_map(|(a, b)| C::All(vec![a, C::Not(b.into())])),
        1 => of_notes().prop_map(|own| C::Each(own.into())),
        1 => of_notes().prop_map(|own| C::Some(own.into())),
    ]
    .prop_filter("goes together", C::is_sound)
    .boxed()
}

fn rules() -> BoxedStrategy<RuleSaid> {
    let effect = select(vec![Effect::Permit, Effect::Permit, Effect::Forbid, Effect::Ask]);
    let fact = prop_oneof![
        4 => Just(F::Arg("x".into())),
        1 => Just(F::Arg("y".into())),
        1 => Just(F::WhoGroups),
        1 => Just(F::When("env".into())),
    ];
    let unless = prop_oneof![
        4 => Just(Vec::new()).boxed(),
        1 => compares().prop_map(|c| vec![vec![(F::Arg("x".into()), c)]]).boxed(),
    ];
    (effect, btree_map(fact, compares(), 1..3), unless, any::<bool>())
        .prop_map(|(effect, conditions, unless, open)| {
            let conditions: Vec<(F, C)> = conditions.into_iter().collect();
            let names_args = conditions.iter().any(|(fact, _)| matches!(fact, F::Arg(_)));
            let permit = effect == Effect::Permit;
            let moments = vec![Moment::Call];
            let any_args = permit && !names_args;
            let other_args = permit && names_args && open;
            let tools = ToolsSaid::Named(vec![TOOLS[1].into()]);
            let own = door("rule");
            RuleSaid { effect, moments, tools, conditions, unless, any_args, other_args, ..own }
                .sound_exceptions()
        })
        .prop_map(|own| RuleSaid { any_resource: own.effect == Effect::Permit, ..own })
        .prop_filter("can be meant", RuleSaid::is_sound)
        .boxed()
}

fn calls() -> BoxedStrategy<CallSaid> {
    let one = || {
        prop_oneof![
            4 => select(vec!["a", "b", "ab", "a/b", "é"]).prop_map(|own| V::Text(own.into())),
            1 => scalars(),
        ]
    };
    let value = prop_oneof![3 => one().boxed(), 1 => vec(one(), 0..3).prop_map(V::List).boxed()];
    btree_map(select(vec!["x", "y"]).prop_map(str::to_owned), value, 0..3)
        .prop_map(|args| CallSaid { tool: TOOLS[1].into(), args, resource: None })
        .boxed()
}

fn who() -> WhoSaid {
    let groups = vec!["a".into(), "b".into()];
    WhoSaid { groups, ..crate::spelling::robot() }
}

fn policy(rules: Vec<RuleSaid>) -> PolicySaid {
    let rules = (0..).zip(rules).map(|(n, own)| RuleSaid { id: format!("r{n}"), ..own });
    at_calls(PolicySaid { catalogue: None, rules: rules.collect() })
}

proptest! {
    #![proptest_config(config(256))]

    /// P3, P10
    #[test]
    fn calls_are_decided_by_what_is_noted_as_the_rules_say_one_by_one(
        rules in vec(rules(), 1..6),
        noted in notes(),
        env in prop_oneof![Just(None), scalars().prop_map(Some)],
        calls in vec(calls(), 1..12),
    ) {
        let (who, why) = (who(), WhySaid { name: "errand".into(), ticket: None });
        let context: ContextSaid = env.into_iter().map(|own| ("env".to_owned(), own)).collect();
        let policy = policy(rules);
        let gate = OpenDoor::after(&noted, &policy, &who, &why).unwrap();
        for call in &calls {
            let says = by_the_book_after(&noted, (&policy, &who, &why), call, &context);
            prop_assert_eq!(gate.asks(call, &context), says, "{:?} after {:?}", call, noted);
        }
    }
}

/// A comparison of which each answer is the same would agree with anything.
#[test]
fn notes_turn_answers_into_each_of_the_others() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let why = WhySaid { name: "errand".into(), ticket: None };
    let mut turned = std::collections::BTreeSet::new();
    for _ in 0..2_000 {
        let drawn = (vec(rules(), 1..3), notes(), calls()).new_tree(&mut runner).unwrap();
        let (rules, noted, call) = drawn.current();
        let (policy, who) = (policy(rules), who());
        let [before, after] = [&NO_NOTES, &noted].map(|noted| {
            match by_the_book_after(noted, (&policy, &who, &why), &call, &ContextSaid::new()) {
                Says::Permit(_) => "permit",
                Says::Ask(_) => "ask",
                Says::Forbid(_) => "forbid",
                Says::NoPermit => "no permit",
            }
        });
        turned.insert((before, after));
    }
    for ways in [
        ("no permit", "permit"),
        ("forbid", "permit"),
        ("no permit", "ask"),
        ("forbid", "no permit"),
    ] {
        assert!(turned.contains(&ways), "{ways:?} of {turned:?}");
    }
}
