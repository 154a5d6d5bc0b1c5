use std::sync::Arc;

use proptest::prelude::*;

use super::super::algebra::{Algebra, Difference};
use super::super::constraint_error::ConstraintError;
use super::super::evaluate::Stance;
use super::super::fact::Absence;
use super::super::order::Order;
use super::super::truth::Truth;
use super::super::words::{all_of, each, eq, min, one_of, prefix};
use super::*;
use crate::meter::Meter;
use crate::value::Value;

const LEVELS: [&str; 4] = ["public", "internal", "secret", "top"];

fn orders() -> Orders {
    let mut orders = Orders::default();
    orders.add("level", Order::new(LEVELS).unwrap());
    orders
}

fn known(mut constraint: Constraint) -> Constraint {
    constraint.resolve_orders(&orders()).unwrap();
    constraint
}

fn truth(constraint: &Constraint, value: &Value) -> Truth {
    constraint.holds_of(Some(value), Absence::Argument, Stance::Cover, false, &Meter::ample())
}

#[test]
fn a_bound_holds_of_levels_on_its_side_and_is_unknown_of_what_is_no_level() {
    for (bound, levels) in [
        (min_in("level", "internal"), &["internal", "secret", "top"][..]),
        (max_in("level", "internal"), &["public", "internal"]),
        (above_in("level", "internal"), &["secret", "top"]),
        (below_in("level", "internal"), &["public"]),
        (min_in("level", "secret").and(max_in("level", "secret")), &["secret"]),
        (all_of([above_in("level", "public"), below_in("level", "top")]), &["internal", "secret"]),
    ] {
        let own = known(bound);
        assert_eq!(own.check(), Ok(()));
        for level in LEVELS {
            let expected = Truth::of(levels.contains(&level));
            assert_eq!(truth(&own, &Value::from(level)), expected, "{own} of {level}");
            assert_eq!(
                truth(&not(own.clone()), &Value::from(level)),
                !expected,
                "not {own} of {level}"
            );
        }
        for odd in [Value::from("Public"), "".into(), "internal ".into(), 1.into(), Value::Null] {
            assert_eq!(truth(&own, &odd), Truth::Unknown, "{own} of {odd}");
            assert_eq!(truth(&not(own.clone()), &odd), Truth::Unknown, "not {own} of {odd}");
        }
        let list = |own: &[&str]| Value::List(own.iter().map(|own| Value::from(*own)).collect());
        assert_eq!(truth(&own, &list(levels)), Truth::True);
        assert_ne!(truth(&own, &list(&[levels[0], "other"])), Truth::True);
    }
}

/// attack 43
#[test]
fn an_order_that_cannot_be_meant_is_refused() {
    let long = "x".repeat(129);
    let many: Vec<String> = (0..129).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(|own| &**own).collect();
    for levels in [
        &[][..],
        &["public"],
        &["public", ""],
        &["public", "internal", "public"],
        &["public", "se\u{200b}cret"],
        &["public", &long],
        &many,
    ] {
        assert!(Order::new(levels.iter().copied()).is_err(), "{levels:?}");
    }
    assert!(Order::new(many.iter().copied().take(128)).is_ok());
    let none = min_in("level", "top").and(below_in("level", "internal"));
    assert!(matches!(known(none).check(), Err(ConstraintError::Impossible(_))));
    for bound in [above_in("level", "top"), below_in("level", "public")] {
        assert!(matches!(known(bound).check(), Err(ConstraintError::Impossible(_))));
    }
    let fault = |mut bound: Constraint| bound.resolve_orders(&orders()).unwrap_err();
    assert!(fault(max_in("level", "secrt")).ends_with("did you mean `secret`?"));
    assert!(fault(max_in("levle", "secret")).ends_with("did you mean `level`?"));
    assert!(fault(not(each(max_in("x", "secret")))).contains("add `[order]`"));
}

/// Until its policy is built, a bound by a name says nothing, for `not` too.
#[test]
fn without_its_order_a_bound_is_unknown() {
    let own = max_in("level", "top");
    assert_eq!(truth(&own, &Value::from("public")), Truth::Unknown);
    assert_eq!(truth(&not(own), &Value::from("public")), Truth::Unknown);
}

#[test]
fn what_a_bound_says_is_told_with_its_order() {
    let list = r#"["public","internal","secret","top"]"#;
    for (bound, told) in [
        (above_in("level", "public"), format!(r#"{{"min":"internal","order":{list}}}"#)),
        (below_in("level", "top"), format!(r#"{{"max":"secret","order":{list}}}"#)),
        (min_in("level", "public"), format!(r#"{{"min":"public","order":{list}}}"#)),
        (max_in("level", "top"), format!(r#"{{"min":"public","order":{list}}}"#)),
        (
            min_in("level", "internal").and(max_in("level", "secret")),
            format!(r#"{{"max":"secret","min":"internal","order":{list}}}"#),
        ),
    ] {
        assert_eq!(known(bound).to_string(), told);
    }
    // Next to a bound of numbers they are two constraints, not one table.
    let both = known(max_in("level", "secret").and(min(3)));
    assert!(both.to_string().starts_with(r#"{"all":["#), "{both}");
}

fn bounds() -> impl Strategy<Value = Constraint> {
    let relation = proptest::sample::select(vec![
        Relation::Min,
        Relation::Max,
        Relation::Above,
        Relation::Below,
    ]);
    let other = Order::new(["top", "secret"]).unwrap();
    let leaf = prop_oneof![
        4 => (relation, proptest::sample::select(LEVELS.to_vec()))
            .prop_map(|(relation, level)| known(written(relation, "level", level))),
        1 => Just(known(bounded(Relation::Max, OrderRef::Known(Arc::new(other)), "top"))),
        1 => proptest::sample::select(vec!["public", "secret", "x"]).prop_map(eq),
        1 => Just(one_of(["internal", "x"])),
        1 => Just(prefix("s")),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(any_of),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(all_of),
            inner.clone().prop_map(not),
            inner.prop_map(each),
        ]
    })
}

fn universe() -> Vec<Value> {
    let texts: Vec<Value> =
        LEVELS.into_iter().chain(["x", "", "s", "secrets"]).map(Value::from).collect();
    let lists = texts.iter().flat_map(|a| texts.iter().map(|b| vec![a.clone(), b.clone()]));
    let lists: Vec<Value> = lists.map(Value::List).collect();
    let more = [Value::Null, 1.into(), Value::List(vec![]), Value::List(vec!["top".into()])];
    texts.iter().cloned().chain(lists).chain(more).collect()
}

proptest! {
    /// Bounds by orders are compared exactly, next to patterns and other orders, too.
    #[test]
    fn bounds_by_orders_are_compared_as_asking_every_value_says(a in bounds(), b in bounds()) {
        prop_assume!(a.check().is_ok() && b.check().is_ok());
        let inside = |c: &Constraint, v: &Value| c.matches(&Some(v.clone()));
        let shown = universe().into_iter().find(|v| inside(&a, v) && !inside(&b, v));
        match a.difference(&b, &Meter::ample()) {
            Difference::Empty => prop_assert_eq!(shown, None, "{} within {}", a, b),
            Difference::Witness(own) => prop_assert!(a.matches(&own) && !b.matches(&own)),
            Difference::Undecided => prop_assert!(false, "{} and {}", a, b),
        }
        prop_assert!(!a.is_within(&b, &Meter::ample()) || shown_none(&a, &b));
        let acts = universe().into_iter().find(|v| {
            let of = b.holds_of(Some(v), Absence::Argument, Stance::Guard, false, &Meter::ample());
            inside(&a, v) && of.may_hold()
        });
        prop_assert!(a.may_overlap(&b, &Meter::ample()) || acts.is_none(), "{} and guard {}", a, b);
    }
}

proptest! {
    /// What is told of a bound as names is what it is true of, or false where it is excluded.
    #[test]
    fn levels_that_are_named_are_those_that_were_meant(a in bounds()) {
        let mut named = a.clone();
        named.name_levels(false);
        for value in universe() {
            let [of, said] = [&a, &named].map(|own| truth(own, &value) == Truth::True);
            prop_assert_eq!(of, said, "{} as {} of {}", a, named, value);
        }
    }
}

fn shown_none(a: &Constraint, b: &Constraint) -> bool {
    let inside = |c: &Constraint, v: &Value| c.matches(&Some(v.clone()));
    !universe().iter().any(|v| inside(a, v) && !inside(b, v))
}
