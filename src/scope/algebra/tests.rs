mod brute_force;

use proptest::prelude::*;

use super::super::fuzzing::READ;
use super::super::model;
use super::super::*;
use super::*;
use crate::clock::Timestamp;
use crate::meter::Meter;
use crate::scope::any;
use crate::value::{Number, Object};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
}

#[test]
fn what_texts_are_read_as_is_compared_exactly() {
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    let (start, end) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
    let january = || all_of([after(start), before(end)]);
    let office = |until: &str| weekly(&["mon", "tue"], "09:00", until, "+01:00");
    for (a, b) in [
        (january(), after(start)),
        (january(), not(before(start))),
        (any_of([before(start), after(end)]), not(january())),
        (cidr(["10.0.0.0/9", "10.128.0.0/9"]), cidr(["10.0.0.0/8"])),
        (cidr(["10.0.0.0/8"]), cidr(["10.0.0.0/9", "10.128.0.0/9"])),
        (cidr(["::/0"]), not(cidr(["0.0.0.0/0"]))),
        (cidr(["0.0.0.0/0"]), not(cidr(["::/0"]))),
        (office("12:00"), any_of([office("10:00"), office("17:00")])),
        (
            weekly(&["mon"], "01:00", "02:00", "+01:00"),
            weekly(&["mon"], "00:00", "01:00", "+00:00"),
        ),
        (json(all_of([min(1), max(3)])), json(min(0))),
        (json(fields([("a", eq(1))])), json(fields([("a", one_of([1, 2]))]).other_fields())),
        (under("/a/b"), under("/a")),
        (all_of([under("/a"), len(..=40)]), any_of([eq("/a"), glob("/a/**")])),
        (under("/a"), not(contains(".."))),
        (all_of([under("."), len(1)]), not(under("a/b"))),
    ] {
        let sound = a != under("/a") || b != not(contains(".."));
        assert_eq!(within(a.clone(), b.clone()), sound, "{a} within {b}");
        assert_ne!(a.difference(&b, &Meter::ample()), Difference::Undecided, "{a} within {b}");
    }
    for (a, b) in [
        (under("/a"), under("/ab")),
        (under("/a"), under("/a/b")),
        (cidr(["10.0.0.0/8"]), cidr(["10.0.0.0/9", "10.128.0.0/10"])),
        (january(), before(start)),
        (office("12:00"), office("11:59")),
        (json(min(1)), json(above(1))),
        (json(super::super::any()), json(present())),
    ] {
        let Difference::Witness(witness) = a.difference(&b, &Meter::ample()) else {
            panic!("{a} {b}")
        };
        assert!(a.matches(&witness) && !b.matches(&witness));
    }
    for (a, b) in [
        (under("/data"), under("/etc")),
        (under("/a"), under("/ab")),
        (cidr(["10.0.0.0/8"]), cidr(["11.0.0.0/8", "::/0"])),
        (before(start), after(start)),
        (office("12:00"), weekly(&["mon"], "12:00", "13:00", "+01:00")),
        (json(max(1)), json(above(1))),
    ] {
        assert!(!a.overlaps(&b, &Meter::ample()) && !b.overlaps(&a, &Meter::ample()), "{a} {b}");
        assert!(
            !a.may_overlap(&b, &Meter::ample()) && !b.may_overlap(&a, &Meter::ample()),
            "{a} {b}"
        );
        assert!(a.overlaps(&a, &Meter::ample()));
    }
}

fn within(a: Constraint, b: Constraint) -> bool {
    a.check().unwrap();
    b.check().unwrap();
    a.is_within(&b, &Meter::ample())
}

#[test]
fn patterns_of_different_kinds_are_compared_exactly() {
    for (a, b) in [
        (glob("/data/*.csv"), prefix("/data/")),
        (glob("/data/*.csv"), suffix(".csv")),
        (glob("/data/*"), glob("/data/**")),
        (glob("spiffe://acme.test/agent/analyst/*"), glob("spiffe://acme.test/**")),
        (all_of([prefix("/data/"), not(contains("/"))]), eq("impossible")),
        (all_of([prefix("/data/"), len(..=6)]), eq("/data/")),
        (all_of([prefix("ab"), suffix("bc"), len(3)]), eq("abc")),
        (prefix("invoices/2026"), contains("voice")),
        (one_of(["a/b", "a/c"]), glob("a/?")),
        (any_of([prefix("a"), prefix("b")]), not(prefix("c"))),
        (all_of([min(1), below(2)]), any_of([eq(1), above(1)])),
        (all_of([min(1), max(10)]), not(above(10))),
        (glob("**"), any_of([glob("*"), contains("/")])),
        (each(one_of([1, 2])), each(max(2))),
        (not(eq("a")), any()),
        (all_of([each(eq(1)), not(some(each(any())))]), each(one_of([1, 2]))),
        (all_of([subset_of(["a", "b"]), count(1..)]), has_any(["a", "b"])),
    ] {
        assert!(within(a.clone(), b.clone()), "{a} within {b}");
    }
    for (a, b) in [
        (glob("/data/*"), glob("/data/*.csv")),
        (prefix("/data"), prefix("/data/")),
        (glob("**/a"), glob("*/a")),
        (len(..=1000), len(..=999)),
        (max(10), any_of([below(10), above(10)])),
        (subset_of(["a"]), has_any(["a"])),
        // A list of lists is asked down to what is in them.
        (each(eq(1)), subset_of([1, 2])),
        (one_of([1, 2]), eq(1)),
    ] {
        assert!(!within(a.clone(), b.clone()), "{a} within {b}");
        assert!(
            matches!(a.difference(&b, &Meter::ample()), Difference::Witness(_)),
            "{a} within {b}"
        );
    }
}

/// One of each: a text, a length and a list that only just differ from what is named.
#[test]
fn what_is_named_does_not_stand_for_what_is_not() {
    assert_eq!(
        prefix("a").difference(&eq("a"), &Meter::ample()),
        Difference::Witness(Some(Value::from("aa")))
    );
    assert_ne!(count(1).difference(&eq(vec!["x"]), &Meter::ample()), Difference::Empty);
    let list = |constraint: Constraint| all_of([constraint, count(0..)]);
    assert_ne!(
        list(count(1)).difference(&one_of([vec!["x"], vec!["y"]]), &Meter::ample()),
        Difference::Empty
    );
    assert_ne!(
        fields([("a", any())])
            .difference(&eq(Object::from_pairs([("a", "x")]).unwrap()), &Meter::ample()),
        Difference::Empty
    );
    assert!(!within(count(2..), count(..=6)) && within(count(2..=6), count(..=6)));
    assert!(
        count(5..).overlaps(&each(eq(1)), &Meter::ample())
            && !count(5..).overlaps(&count(..=4), &Meter::ample())
    );
    assert!(!within(json(eq("a")), one_of([r#""a""#])));
}

#[test]
fn spellings_that_were_not_followed_up_are_not_taken_for_none() {
    let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    assert_ne!(after(start).difference(&suffix("Z"), &Meter::ample()), Difference::Empty);
    assert_ne!(json(eq(1)).difference(&prefix("1"), &Meter::ample()), Difference::Empty);
    let letters: Vec<String> = ('a'..='z').map(String::from).collect();
    let other = all_of([present(), not(one_of(letters))]);
    assert_ne!(other.difference(&json(any()), &Meter::ample()), Difference::Empty);
    for family in ["0.0.0.0/0", "::/0"] {
        assert_ne!(
            not(cidr([family])).difference(&eq("x"), &Meter::ample()),
            Difference::Empty,
            "{family}"
        );
    }
    let week = weekly(&["mon"], "00:00", "24:00", "+00:00");
    assert_ne!(
        all_of([week, after(start)]).difference(&before(start), &Meter::ample()),
        Difference::Empty
    );
}

/// A pattern is asked of no text that is too long for it: what others say of those is not within it.
#[test]
fn a_text_that_is_too_long_for_a_pattern_is_compared_as_that() {
    let long = |a: &Constraint, b: &Constraint| match a.difference(b, &Meter::ample()) {
        Difference::Witness(Some(Value::Text(text))) => text.len(),
        other => panic!("{a} {b}: {other:?}"),
    };
    for (a, b) in [
        (
            prefix("/data/"),
            any_of([glob("/data/**"), contains("\r"), suffix("."), contains("/./")]),
        ),
        (all_of([contains("b"), prefix("a"), len(1025..)]), glob("a*")),
        (all_of([under("/a"), len(1026..=1030)]), glob("/a/**")),
        (any(), any_of([glob("**"), not(glob("**")), contains("."), contains("\r")])),
    ] {
        assert!(!within(a.clone(), b.clone()), "{a} within {b}");
    }
    // As long as it may be is not too long.
    for (a, b) in [
        (all_of([contains("b"), len(..=1024), glob("*b*")]), contains("b")),
        (glob("/data/*"), prefix("/data/")),
        (regex("ab*"), prefix("a")),
    ] {
        assert!(within(a.clone(), b.clone()), "{a} within {b}");
    }
    let texts = || all_of([suffix("b"), not(contains("/"))]);
    assert!(long(&texts(), &any_of([regex("(.|\n)*b"), contains("c")])) > 4096);
    // Four bytes each, so that so few letters are too many bytes; and one fewer are not.
    let a_lot = |most: u64| all_of([prefix("a"), len(..=most)]);
    assert_eq!(long(&a_lot(1025), &regex("a(.|\n)*")), 4097);
    assert!(within(a_lot(400), regex("a(.|\n)*")));
    // Of long texts, a guard that can't tell acts; nothing else does.
    assert!(all_of([prefix("a"), len(4097..)]).may_overlap(&glob("b"), &Meter::ample()));
    assert!(!all_of([prefix("a"), len(..=80)]).may_overlap(&glob("b"), &Meter::ample()));
}

/// An element alone is of another type than the list that it lies in.
#[test]
fn a_list_is_of_its_own_type_whatever_lies_in_it() {
    let list = || of_type(ValueType::List);
    for (a, b) in [
        (all_of([prefix("a"), any_of([list(), eq("ab")])]), eq("ab")),
        (all_of([min(1), any_of([list(), max(2)])]), max(9)),
        (eq("ab"), all_of([of_type(ValueType::Text), prefix("a")])),
        (one_of([1, 2]), all_of([not(list()), min(1)])),
        (of_type(ValueType::Number), of_type(ValueType::Integer)),
        (all_of([of_type(ValueType::Number), min(3), below(4)]), of_type(ValueType::Integer)),
    ] {
        let difference = a.difference(&b, &Meter::ample());
        let Difference::Witness(witness) = difference else { panic!("{a} {b}: {difference:?}") };
        assert!(a.matches(&witness), "{a}");
        assert!(!b.matches(&witness) && !within(a.clone(), b.clone()), "{b}");
    }
    for (a, b) in [
        (all_of([prefix("ab"), not(list())]), all_of([of_type(ValueType::Text), prefix("a")])),
        (all_of([max(2), list()]), max(3)),
        (each(any()), list()),
        (all_of([above(3), below(4)]), not(of_type(ValueType::Integer))),
        (of_type(ValueType::Integer), of_type(ValueType::Number)),
        (
            all_of([eq("ab"), of_type(ValueType::Text)]),
            all_of([of_type(ValueType::Text), prefix("a")]),
        ),
    ] {
        assert!(within(a.clone(), b.clone()), "{a} within {b}");
    }
    // The lists of what is named are named with it.
    for b in [any_of([list(), eq(2)]), all_of([not(of_type(ValueType::Bool)), not(eq(false))])] {
        for a in [eq(true), one_of([true, false])] {
            assert!(a.overlaps(&b, &Meter::ample()), "{a} meets {b}");
            assert!(a.may_overlap(&b, &Meter::ample()), "{a} may meet {b}");
        }
    }
    let whole = all_of([list(), count(1)]);
    assert!(
        !eq(Value::from_json("[2]").unwrap())
            .overlaps(&all_of([whole, not(list())]), &Meter::ample())
    );
}

/// attacks 1, 2: what leads elsewhere than it says is in no pattern of paths.
#[test]
fn what_leads_elsewhere_is_compared_as_unknown() {
    for (a, b) in [
        (glob("/data/**"), not(contains("/../"))),
        (prefix("/data/"), not(suffix("/.."))),
        (glob("/data/*"), glob("/data/**")),
        (under("/data"), prefix("/data")),
        (glob("/data/**"), not(contains("\r"))),
    ] {
        assert!(within(a.clone(), b.clone()), "{a} within {b}");
    }
    for (a, b) in [
        (contains("/data/"), prefix("/data/")),
        (prefix("/data/."), prefix("/data/")),
        (glob("/data/../*"), prefix("/data/")),
        (glob("/data/../*"), glob("/data/**")),
        (all_of([prefix("a"), len(..=9)]), glob("a**")),
    ] {
        assert!(!within(a.clone(), b.clone()), "{a} within {b}");
        assert!(
            matches!(a.difference(&b, &Meter::ample()), Difference::Witness(_)),
            "{a} within {b}"
        );
    }
    // A forbid acts where it can't tell.
    assert!(eq("/tmp/../data/key").may_overlap(&prefix("/data/"), &Meter::ample()));
    assert!(eq("/data/key\r").may_overlap(&glob("/data/*"), &Meter::ample()));
    assert!(!eq("/tmp/key\r").may_overlap(&glob("/data/*"), &Meter::ample()));
}

/// What holds of `null` holds of `[null]` only where both sides ask element by element.
#[test]
fn a_value_does_not_stand_for_the_list_of_it() {
    assert!(!within(eq(Value::Null), any_of([absent(), count(5)])));
    assert!(!within(count(1..), any_of([present(), eq(1)])));
    assert!(within(count(1..), present()));
}

/// attack 50: a pattern is compared by what it matches, never by its text.
#[test]
fn a_pattern_within_the_text_of_another_is_not_within_it() {
    assert!(!within(glob("*ab"), glob("*bb")));
    assert_eq!(
        glob("*ab").difference(&glob("*bb"), &Meter::ample()),
        Difference::Witness(Some(Value::from("ab")))
    );
    assert!(!within(eq("*"), eq("a")));
    assert!(!within(glob("*"), eq("*")));
}

#[test]
fn witnesses_are_the_simplest_there_are() {
    for (a, b, shown) in [
        (max(100), max(99), "100"),
        (above(1), min(2), "1.1"),
        (prefix("/data/"), glob("/data/*"), r#""/data//""#),
        (any(), present(), "null"),
        (
            fields([("a", any())]).other_fields(),
            fields([("a", any())]),
            r#"{"a":"x","unnamed":"x"}"#,
        ),
    ] {
        let Difference::Witness(Some(witness)) = a.difference(&b, &Meter::ample()) else {
            panic!("{a} {b}")
        };
        assert_eq!(witness.to_string(), shown, "{a} {b}");
    }
    assert_eq!(optional(eq(1)).difference(&any(), &Meter::ample()), Difference::Witness(None));
}

/// attack 19: patterns whose product is exponential are given up on, and doubt denies.
#[test]
fn over_the_budget_contained_is_no_and_overlaps_is_yes() {
    let far_from_the_end = |c: char| glob(&format!("*{c}{}", "?".repeat(24)));
    let (a, b) = (far_from_the_end('a'), far_from_the_end('b'));
    let both = all_of([a, b]);
    assert_eq!(both.difference(&eq("x"), &Meter::ample()), Difference::Undecided);
    assert!(!both.is_within(&eq("x"), &Meter::ample()));
    assert!(both.may_overlap(&far_from_the_end('d'), &Meter::ample()));
}

#[test]
fn a_comparison_with_what_is_not_known_is_never_taken_for_an_answer() {
    let team = same_as("who.attrs.team");
    assert!(within(team.clone(), team.clone()) && within(team.clone(), any()));
    assert!(within(all_of([team.clone(), present()]), team.clone()));
    assert!(!within(team.clone(), prefix("a")) && !within(prefix("a"), team.clone()));
    assert!(
        team.may_overlap(&prefix("a"), &Meter::ample())
            && prefix("a").may_overlap(&team, &Meter::ample())
    );
    assert_eq!(eq("a").difference(&team, &Meter::ample()), Difference::Undecided);
    assert_eq!(team.difference(&eq("a"), &Meter::ample()), Difference::Undecided);
    assert!(!within(not(team.clone()), eq("impossible")));
    assert!(!within(any_of([team.clone(), absent()]), any()));
    assert!(!within(all_of([any(), present()]), team.clone()));
    // Nothing of a list that is empty, or of other texts, tells what a guard comes to next to a list.
    assert!(
        eq(Value::List(vec![])).may_overlap(&any_of([team.clone(), prefix("a")]), &Meter::ample())
    );
    assert!(eq(vec!["b"]).may_overlap(&all_of([not(team.clone()), prefix("a")]), &Meter::ample()));
    // Should it be a list, what stands next to it looks at lists, too.
    for open in [team.clone(), not(team)] {
        let either = any_of([open, prefix("a")]);
        assert!(!within(prefix("a"), either.clone()) && within(either.clone(), either.clone()));
        let inside = Object::from_pairs([("p", vec!["a"])]).unwrap();
        assert!(!within(eq(inside), fields([("p", either.clone())])));
        assert!(!within(eq(vec![vec!["a"]]), each(either)));
    }
}
