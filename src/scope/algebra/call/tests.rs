use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::meter::Meter;
use crate::scope::{Constraint, Openness};
use crate::scope::{
    Scope, after, all_of, any, any_of, below, eq, fields, glob, max, min, not, one_of, optional,
    prefix, present, reference, same_as, suffix,
};

fn capability(scope: Scope) -> Capability {
    scope.capabilities().unwrap().remove(0)
}

fn difference(own: Scope, others: Vec<Scope>) -> Difference<CallWitness> {
    let own = capability(own);
    let others: Vec<Capability> = others.into_iter().map(capability).collect();
    let covers: Vec<Cover<'_>> = others.iter().map(Capability::cover).collect();
    cover_difference(own.cover(), &covers, &Meter::ample())
}

fn shown(own: Scope, others: Vec<Scope>) -> String {
    match difference(own, others) {
        Difference::Witness(witness) => witness.args.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn several_covers_together_may_cover_what_none_does_alone() {
    let own = || Scope::tool("t").arg("n", min(0).and(max(10)));
    let low = || Scope::tool("t").arg("n", max(5));
    let high = || Scope::tool("t").arg("n", min(5));
    // Every number is within one of the two, and a list of numbers need not be.
    assert_eq!(shown(own(), vec![low(), high()]), r#"{"n":[0,10]}"#);
    let all = || Scope::tool("t").arg("n", any_of([max(5), min(5)]));
    assert_eq!(difference(own(), vec![low(), all()]), Difference::Empty);
    let one = || Scope::tool("t").arg("n", fields([("v", one_of([1, 2]))]));
    let v = |n: i32| Scope::tool("t").arg("n", fields([("v", eq(n))]));
    assert!(matches!(difference(one(), vec![v(1), v(2)]), Difference::Witness(_)));
    assert_eq!(shown(own(), vec![low()]), r#"{"n":10}"#);
    assert_eq!(shown(own(), vec![low(), Scope::tool("t").arg("n", min(6))]), r#"{"n":5.1}"#);
}

/// Two arguments cut each other: all four corners must be covered.
#[test]
fn a_corner_that_no_cover_reaches_is_found() {
    let rect = |x: Constraint, y: Constraint| Scope::tool("t").arg("x", x).arg("y", y);
    let whole = || rect(one_of([1, 2]), one_of([1, 2]));
    let three = vec![rect(eq(1), eq(1)), rect(eq(1), eq(2)), rect(eq(2), eq(1))];
    assert_eq!(shown(whole(), three.clone()), r#"{"x":2,"y":2}"#);
    let four = three.into_iter().chain([rect(eq(2), eq(2))]).collect();
    // Lists of both values lie in none of the four.
    assert_eq!(shown(whole(), four), r#"{"x":1,"y":[1,2]}"#);
}

/// attacks 23, 24
#[test]
fn what_is_left_open_shows_in_the_witness() {
    let named = || Scope::tool("t").arg("a", any());
    assert_eq!(shown(named().other_args(), vec![named()]), r#"{"a":"x","unnamed":"x"}"#);
    assert_eq!(difference(named(), vec![named().other_args()]), Difference::Empty);
    assert_eq!(difference(named(), vec![Scope::tool("t").any_args()]), Difference::Empty);
    assert_eq!(shown(Scope::tool("t").any_args(), vec![named().other_args()]), "{}");
    assert_eq!(shown(named(), vec![Scope::tool("t")]), r#"{"a":"x"}"#);
    let optional = || Scope::tool("t").arg("a", optional(eq(1)));
    assert_eq!(shown(optional(), vec![Scope::tool("t").arg("a", eq(1))]), "{}");
    assert_eq!(difference(Scope::tool("t"), vec![optional()]), Difference::Empty);
}

/// attack 19: what was given up on is not taken for nothing.
#[test]
fn over_the_budget_nothing_is_claimed() {
    let far = |c: char| glob(&format!("*{c}{}", "?".repeat(24)));
    let own = Scope::tool("t").arg("a", all_of([far('a'), far('b')]));
    let other = Scope::tool("t").arg("a", eq("x"));
    assert_eq!(difference(own, vec![other.clone()]), Difference::Undecided);
    // Not searched to the end for another reason: an instant has more spellings than are tried.
    let own = Scope::tool("t").arg("a", all_of([after(Timestamp::MIN), suffix("+00:00")]));
    assert_eq!(difference(own, vec![other]), Difference::Undecided);
}

#[test]
fn capabilities_of_different_tools_share_no_call() {
    let [one, other] = ["t", "u"].map(|tool| capability(Scope::tool(tool).arg("a", max(3))));
    assert!(one.contained_in(&one, &Meter::ample()) && one.overlaps(&one, &Meter::ample()));
    assert!(!one.contained_in(&other, &Meter::ample()) && !one.overlaps(&other, &Meter::ample()));
    let low = capability(Scope::tool("t").arg("a", below(1)));
    let high = capability(Scope::tool("t").arg("a", min(1)));
    assert!(low.contained_in(&one, &Meter::ample()) && !one.contained_in(&low, &Meter::ample()));
    assert!(!low.overlaps(&high, &Meter::ample()) && high.overlaps(&one, &Meter::ample()));
    assert!(!capability(Scope::tool("t").arg("b", any())).overlaps(&one, &Meter::ample()));
}

#[test]
fn a_resource_is_part_of_the_call() {
    let own = || Scope::tool("t").resource(eq("doc"), prefix("a/"));
    let wider = || Scope::tool("t").resource(any(), prefix("a"));
    assert_eq!(difference(own(), vec![wider()]), Difference::Empty);
    assert_eq!(difference(own(), vec![Scope::tool("t").any_resource()]), Difference::Empty);
    let Difference::Witness(witness) = difference(own(), vec![Scope::tool("t")]) else { panic!() };
    let resource = witness.resource.unwrap();
    assert_eq!(resource.get(&Fact::ResourceId), Some(&Value::from("a/")));
    let Difference::Witness(witness) = difference(Scope::tool("t").any_resource(), vec![wider()])
    else {
        panic!()
    };
    assert_eq!(witness.resource, None);
}

#[test]
fn comparisons_between_parts_of_the_call_need_the_identical_comparison() {
    let own = || Scope::tool("t").arg("a", same_as("args.b")).arg("b", any());
    let plain = || Scope::tool("t").arg("a", any()).arg("b", any());
    assert_eq!(difference(own(), vec![own()]), Difference::Empty);
    assert_eq!(difference(own(), vec![plain()]), Difference::Empty);
    assert_eq!(difference(plain(), vec![own()]), Difference::Undecided);
}

#[test]
fn no_call_is_shown_where_it_hangs_on_what_is_not_of_the_call() {
    // As rules say it, and no scope may.
    let of = |constraint| [Condition::new(Fact::arg("a"), constraint)];
    let either = || any_of([same_as("who.groups"), prefix("p")]);
    let openness = Openness::default();
    let shown = |own: [Condition; 1], other: Vec<[Condition; 1]>| {
        let cover = |conditions| Cover { conditions, openness: &openness };
        let others: Vec<_> = other.iter().map(|other| cover(&other[..])).collect();
        let found = cover_difference(cover(&own[..]), &others, &Meter::ample());
        matches!(found, Difference::Witness(_))
    };
    assert!(!shown(of(eq("x")), vec![of(same_as("who.id"))]));
    assert!(!shown(of(eq("x")), vec![of(reference("who.groups").as_one_of())]));
    assert!(!shown(of(eq("")), vec![of(not(reference("who.id").as_prefix()))]));
    // Should the groups be a list, then of lists each answer is another one.
    assert!(!shown(of(eq(Value::List(vec![]))), vec![of(either())]));
    assert!(!shown(of(either()), vec![of(eq("x"))]));
    assert!(shown(of(eq("x")), vec![of(eq("y"))]));
}

/// Nothing begins the empty text, whatever a part of the question is: `not` of that holds.
#[test]
fn a_relation_under_not_may_hold_of_what_is_not_filled_in() {
    for (relation, empty) in [
        (reference("args.b").as_prefix(), Value::from("")),
        (reference("args.b").as_under(), Value::from("")),
        (reference("args.b").as_has_any(), Value::List(Vec::new())),
    ] {
        let own = Scope::tool("t").arg("a", not(relation.clone())).arg("b", any());
        for wide in [not(eq(empty.clone())), present()] {
            let other = Scope::tool("t").arg("a", wide.clone()).arg("b", any());
            let within = capability(own.clone()).is_within(&capability(other), &Meter::ample());
            // An empty list is there.
            let is_so = wide == present() && empty.as_list().is_some();
            assert!(!within || is_so, "{relation} within {wide}");
        }
    }
    let bounded = Scope::tool("t").arg("a", reference("args.b").as_max()).arg("b", any());
    let all = Scope::tool("t").arg("a", any()).arg("b", any());
    assert!(capability(bounded).is_within(&capability(all), &Meter::ample()));
}

fn argument() -> impl Strategy<Value = Constraint> {
    prop_oneof![
        (0..3).prop_map(eq),
        (0..3).prop_map(min),
        (0..3).prop_map(below),
        (0..3).prop_map(|n| optional(eq(n))),
        Just(any()),
        "[ab]{1,2}".prop_map(|text| prefix(&text)),
    ]
}

fn scopes() -> impl Strategy<Value = Scope> {
    (vec(("[xy]", argument()), 0..3), proptest::bool::ANY)
        .prop_map(|(arguments, open)| {
            let scope = arguments
                .into_iter()
                .fold(Scope::tool("t"), |scope, (name, constraint)| scope.arg(&name, constraint));
            if open { scope.other_args() } else { scope }
        })
        .prop_filter("a scope that can be meant", |scope| scope.check().is_ok())
}

proptest! {
    #[test]
    fn agrees_with_trying_every_call(own in scopes(), others in vec(scopes(), 0..4)) {
        let own = capability(own);
        let others: Vec<Capability> = others.into_iter().map(capability).collect();
        let covers: Vec<Cover<'_>> = others.iter().map(Capability::cover).collect();
        let texts = ["null", "0", "1", "2", "9", "\"a\"", "\"ab\"", "\"c\"", "[0,1]", "[]", "{}"];
        let values: Vec<Option<Value>> = texts
            .iter()
            .map(|text| Some(Value::from_json(text).unwrap()))
            .chain([None])
            .collect();
        let mut outside = None;
        for x in &values {
            for y in &values {
                for z in [None, Some(Value::from("x"))] {
                    let mut call = CallWitness::default();
                    for (name, value) in [("x", x), ("y", y), ("z", &z)] {
                        if let Some(value) = value {
                            call.args.insert(name, value.clone()).unwrap();
                        }
                    }
                    if own.matches(&call) && !others.iter().any(|other| other.matches(&call)) {
                        outside = Some(call);
                    }
                }
            }
        }
        prop_assert!(own.is_plainly_within(&own, &Meter::ample()));
        for other in &others {
            // Without a search, as with one.
            if own.is_plainly_within(other, &Meter::ample()) {
                prop_assert_eq!(own.difference(other, &Meter::ample()), Difference::Empty);
            }
        }
        match cover_difference(own.cover(), &covers, &Meter::ample()) {
            Difference::Empty => prop_assert_eq!(outside, None),
            Difference::Witness(witness) => {
                prop_assert!(own.matches(&witness));
                prop_assert!(!others.iter().any(|other| other.matches(&witness)));
            }
            Difference::Undecided => prop_assert!(false, "nothing here is hard"),
        }
    }
}

/// A resource's id is a text: other values that a set names do not stand for the texts in it.
#[test]
fn a_value_that_no_resource_has_does_not_stand_for_one_that_it_has() {
    let own = |id: Constraint| Scope::tool("t").resource(eq("d"), id);
    for other in [Value::from(5), Value::Null, Value::Bool(true), Value::from("")] {
        let both = one_of([other.clone(), Value::from("a")]);
        let found = difference(own(both), vec![own(eq("b"))]);
        assert!(matches!(found, Difference::Witness(_)), "{other}: {found:?}");
    }
}
