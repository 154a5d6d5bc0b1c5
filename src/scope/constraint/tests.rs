use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};

use super::super::evaluate::Stance;
use super::super::fact::Absence;
use super::super::model::values;
use super::super::words::*;
use super::*;
use crate::clock::Timestamp;
use crate::meter::Meter;
use crate::scope::{Scope, ScopeError, joined, reference};
use crate::value::Number;

/// attack 19: what an agent asks for compiles nothing, wherever it hides it.
#[test]
fn a_scope_may_not_hold_a_regular_expression() {
    for hidden in [
        regex("a+"),
        not(regex("a+")),
        all_of([any(), regex("a+")]),
        any_of([any(), regex("a+")]),
        each(regex("a+")),
        some(regex("a+")),
        json(regex("a+")),
        fields([("a", regex("a+"))]),
    ] {
        assert_eq!(hidden.check(), Ok(()), "a policy may");
        let error = Scope::tool("t").arg("a", hidden).check().unwrap_err();
        let ScopeError::Constraint { error, .. } = error else { panic!("{error}") };
        assert_eq!(error, ConstraintError::PolicyOnly("regex"));
    }
}

#[test]
fn a_scope_compares_with_arguments_alone() {
    for fact in ["when.now", "who.id", "who.attrs.a", "why.ticket", "when.a", "resource.attrs.a"] {
        let part = || reference(fact);
        let folder = || joined("/home").and_part(fact).as_under();
        for own in [part().as_eq(), part().as_max(), part().as_has_any(), folder()] {
            for hidden in [own.clone(), not(own.clone()), fields([("a", own)])] {
                assert_eq!(hidden.check(), Ok(()), "a policy may");
                let error = Scope::tool("t").arg("a", hidden).check().unwrap_err();
                let ScopeError::Constraint { error, .. } = error else { panic!("{error}") };
                assert_eq!(error, ConstraintError::NotAnArgument(fact.into()));
            }
        }
    }
    for own in [reference("args.b").as_max(), joined("/a").and_part("args.b").as_under()] {
        assert_eq!(Scope::tool("t").arg("a", own).check(), Ok(()));
    }
}

/// attacks 2, 3: a longer value begins, or ends, so, too.
#[test]
fn text_that_is_joined_has_an_end_and_something_to_join() {
    let part = "who.attrs.user";
    let ending = || joined("/home").and_part(part);
    let beginning = || reference(part).and_text("x.pdf");
    for open in [
        ending().as_prefix(),
        ending().as_contains(),
        beginning().as_suffix(),
        beginning().as_contains(),
        joined("/home").and_text("ana").as_under(),
        joined("/home/..").and_part(part).as_under(),
        joined("").and_part(part).as_eq(),
        ending().as_max(),
        ending().as_one_of(),
        ending().as_after(),
        (0..20).fold(ending(), |own, _| own.and_part(part)).as_under(),
        joined("/home").and_part("who.name").as_under(),
    ] {
        assert!(open.check().is_err(), "{open}");
    }
    for closed in [
        ending().and_text("/").as_prefix(),
        joined("/").and_part(part).and_text("x.pdf").as_suffix(),
        ending().as_under(),
        ending().as_eq(),
        beginning().as_eq(),
    ] {
        assert_eq!(closed.check(), Ok(()), "{closed}");
    }
}

/// attacks 31, 43
#[test]
fn what_cannot_be_meant_is_refused() {
    let now = Timestamp::MIN;
    for constraint in [
        one_of::<&str>([]),
        prefix(""),
        suffix(""),
        contains(""),
        glob(""),
        regex(""),
        under(""),
        under("/data/../etc"),
        cidr::<&str>([]),
        cidr(["10.0.0.1/8"]),
        subset_of::<&str>([]),
        has_any::<&str>([]),
        has_all::<&str>([]),
        all_of([]),
        any_of([]),
        min(f64::NAN),
        max(f64::INFINITY),
        min(2).and(max(1)),
        above(1).and(max(1)),
        after(now).and(before(now)),
        weekly(&[], "09:00", "17:00", "+00:00"),
        all_of([prefix("a"), count(1)]),
        json(all_of([prefix("a"), count(1)])),
        same_as("args"),
    ] {
        assert!(constraint.check().is_err(), "{constraint}");
        assert!(not(constraint.clone()).check().is_err(), "{constraint}");
        assert!(fields([("a", constraint.clone())]).check().is_err(), "{constraint}");
    }
}

fn bounds() -> impl Strategy<Value = Constraint> {
    (0..4_usize, -2..3_i64, proptest::bool::ANY).prop_map(|(word, whole, half)| {
        let number = Number::from(whole * 10 + i64::from(half) * 5);
        match word {
            0 => min(number),
            1 => max(number),
            2 => above(number),
            _ => below(number),
        }
    })
}

proptest! {
    /// Of whatever it is asked, on either side and under `not`; so does what the loader is told.
    #[test]
    fn two_bounds_that_are_one_range_say_what_both_say(
        parts in vec(bounds(), 2..4),
        value in option::weighted(0.9, prop_oneof![
            (-6..6_i64).prop_map(|n| Value::from(n * 5)),
            vec((-6..6_i64).prop_map(|n| Value::from(n * 5)), 0..3).prop_map(Value::List),
            values(),
        ]),
    ) {
        let side_by_side = Constraint(Node::All(parts.clone()));
        let one = parts.into_iter().reduce(Constraint::and).unwrap();
        prop_assert_eq!(one.check(), side_by_side.check());
        prop_assert_eq!(one.to_string(), side_by_side.to_string());
        for stance in [Stance::Cover, Stance::Guard] {
            for absence in [Absence::Argument, Absence::Attribute] {
                for negated in [false, true] {
                    prop_assert_eq!(
                        one.holds_of(value.as_ref(), absence, stance, negated, &Meter::ample()),
                        side_by_side.holds_of(value.as_ref(), absence, stance, negated, &Meter::ample())
                    );
                }
            }
        }
    }
}

#[test]
fn constraints_are_written_as_policies_write_them() {
    let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    for (constraint, written) in [
        (regex("a+"), r#"{"regex":"a+"}"#),
        (under("/data/"), r#"{"under":"/data"}"#),
        (cidr(["::1", "10.0.0.0/8"]), r#"{"cidr":["10.0.0.0/8","::1"]}"#),
        (after(start), r#"{"after":"2026-01-01T00:00:00Z"}"#),
        (before(start), r#"{"before":"2026-01-01T00:00:00Z"}"#),
        (
            weekly(&["tue", "mon"], "09:00", "24:00", "-01:30"),
            r#"{"weekly":{"days":["mon","tue"],"from":"09:00","offset":"-01:30","until":"24:00"}}"#,
        ),
        (json(max(1)), r#"{"json":{"max":1}}"#),
        (all_of([max(1), max(1), eq(0)]), r#"{"eq":0,"max":1}"#),
        (all_of([min(1), eq(1), eq(2)]), r#"{"all":[{"eq":1},{"eq":2},{"min":1}]}"#),
    ] {
        assert_eq!(constraint.to_string(), written);
    }
}
