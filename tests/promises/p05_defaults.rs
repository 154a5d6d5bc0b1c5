//! P5: what stands for an argument that a call leaves out is looked up as what is said, with what is noted in the task.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::defaults::{calls_with_defaults, completed, load, with_defaults};
use crate::door::{OpenDoor, by_the_book_after};
use crate::p05_index::{crowded_policies, demands, rules_of};
use crate::random_constraints::{notes, of_notes, values};
use crate::universe::*;

/// Demands of an argument that is a text, of one that is a number, and of what is not typed.
fn typed_rules() -> BoxedStrategy<RuleSaid> {
    let text = |texts: &[&'static str]| select(texts.to_vec()).prop_map(str::to_owned);
    let of_x = prop_oneof![
        4 => text(&["a", "b", "ab"]).prop_map(|own| C::Eq(V::Text(own))),
        2 => sets_of(&["a", "b", "ab"]).prop_map(C::OneOf),
        1 => text(&["a", "b", "ab"]).prop_map(C::Prefix),
        1 => text(&["a*", "b", "?"]).prop_map(C::Glob),
        1 => any::<bool>().prop_map(C::Present),
        1 => of_notes(),
    ];
    let of_y = prop_oneof![
        3 => (0..5i64).prop_map(|own| C::Eq(V::Halves(own))),
        1 => (0..5i64).prop_map(C::Min),
        1 => (0..5i64).prop_map(C::Max),
        1 => any::<bool>().prop_map(C::Present),
        1 => of_notes(),
    ];
    let condition = prop_oneof![
        3 => of_x.prop_map(|c| (F::Arg("x".into()), c)),
        3 => of_y.prop_map(|c| (F::Arg("y".into()), c)),
        1 => (Just(F::When("env".into())), demands()),
    ]
    .prop_flat_map(|(fact, c)| {
        prop_oneof![5 => Just(c.clone()), 1 => Just(C::Not(c.into()))]
            .prop_map(move |c| (fact.clone(), c))
    });
    rules_of(vec(condition, 1..3).boxed())
        .prop_filter("can be meant of what is typed", |own| {
            load(std::slice::from_ref(own)).is_some()
        })
        .boxed()
}

proptest! {
    #![proptest_config(config(64))]

    /// P5: what stands for what is left out is looked up as what is said.
    #[test]
    fn a_default_is_looked_up_as_all_rules_say_of_it(
        policy in crowded_policies(typed_rules()),
        noted in notes(),
        env in proptest::option::of(values()),
        calls in vec(calls_with_defaults(), 1..12),
    ) {
        let (who, why) = (robot(), WhySaid { name: "reporting".into(), ticket: None });
        let context: ContextSaid = env.into_iter().map(|own| ("env".to_owned(), own)).collect();
        let loaded = load(&policy.rules).unwrap();
        let Some(gate) = OpenDoor::under(loaded, None, &noted, (&who, &why)) else {
            return Err(TestCaseError::reject("asking for everything is too costly"));
        };
        let book = PolicySaid { catalogue: None, rules: policy.rules.iter().map(with_defaults).collect() };
        for call in &calls {
            let says = by_the_book_after(&noted, (&book, &who, &why), &completed(call), &context);
            prop_assert_eq!(gate.asks(call, &context), says, "{:?} in {:?}", call, context);
        }
    }
}
