mod compared;

use proptest::prelude::*;

use super::super::model::{self, Small};
use super::super::*;
use super::*;
use crate::meter::Meter;
use crate::scope::{any, json as json_of};
use crate::value::Number;
use Truth::{False, True, Unknown};

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

/// Asked of an argument; `-` stands for one that is not there.
fn ask(constraint: &Constraint, stance: Stance, value: &str) -> Truth {
    let value = (value != "-").then(|| json(value));
    constraint.holds(&Fact::arg("x"), stance, &Small { value, ..Small::default() }, &Meter::ample())
}

fn covers(constraint: &Constraint, value: &str) -> Truth {
    ask(constraint, Stance::Cover, value)
}

fn guards(constraint: &Constraint, value: &str) -> Truth {
    ask(constraint, Stance::Guard, value)
}

proptest! {
    #[test]
    fn agrees_with_the_model(
        constraint in model::constraints(),
        facts in model::facts(),
        guard in proptest::bool::ANY,
        attribute in proptest::bool::ANY,
    ) {
        let stance = if guard { Stance::Guard } else { Stance::Cover };
        let fact = if attribute { Fact::Context("x".into()) } else { Fact::arg("x") };
        prop_assert_eq!(
            constraint.holds(&fact, stance, &facts, &Meter::ample()),
            model::holds(&constraint, &fact, stance, &facts),
            "{} of {:?}", constraint, facts
        );
    }

    /// attack 147: `not` of all that may hold must never make a guard stand down where the
    /// plain condition is unknown.
    #[test]
    fn unknown_stays_unknown_under_not(
        constraint in model::constraints(),
        facts in model::facts(),
    ) {
        let fact = Fact::Context("x".into());
        let plain = constraint.holds(&fact, Stance::Guard, &facts, &Meter::ample());
        let negated = not(constraint).holds(&fact, Stance::Guard, &facts, &Meter::ample());
        let list = matches!(facts.value, Some(Value::List(_)));
        prop_assert!(list || facts.nested() || (plain == Unknown) == (negated == Unknown));
    }
}

#[test]
fn three_values_combine_as_kleene_says() {
    for (a, b, and, or) in [
        (True, True, True, True),
        (True, Unknown, Unknown, True),
        (True, False, False, True),
        (Unknown, Unknown, Unknown, Unknown),
        (Unknown, False, False, Unknown),
        (False, False, False, False),
    ] {
        assert_eq!((a & b, b & a, a | b, b | a), (and, and, or, or));
        assert_eq!(!(a & b), !a | !b);
    }
}

/// attacks 25, 44
#[test]
fn what_is_absent_is_false_for_an_argument_and_unknown_for_an_attribute() {
    let attribute = |c: &Constraint| {
        c.holds(&Fact::Context("x".into()), Stance::Cover, &Small::default(), &Meter::ample())
    };
    for plain in
        [eq(1), one_of([1, 2]), any(), min(1), prefix("a"), glob("*"), len(1..), each(any())]
    {
        assert_eq!(covers(&plain, "-"), False, "{plain}");
        assert_eq!(attribute(&plain), Unknown, "{plain}");
        let negated = not(plain);
        assert_eq!(covers(&negated, "-"), Unknown, "{negated}");
        assert_eq!(attribute(&negated), Unknown, "{negated}");
    }
    for (constraint, truth) in
        [(present(), False), (absent(), True), (not(present()), True), (not(absent()), False)]
    {
        assert_eq!(covers(&constraint, "-"), truth);
        assert_eq!(attribute(&constraint), truth);
    }
}

/// attack 44
#[test]
fn null_and_empty_text_are_not_present() {
    for (value, truth) in [
        ("null", False),
        (r#""""#, False),
        (r#"" ""#, True),
        ("0", True),
        ("false", True),
        ("[]", True),
        ("{}", True),
        (r#"[""]"#, True),
    ] {
        assert_eq!(covers(&present(), value), truth, "{value}");
        assert_eq!(covers(&absent(), value), !truth, "{value}");
    }
}

/// attacks 25, 26, 40
#[test]
fn a_value_of_the_wrong_kind_is_unknown_under_not_too() {
    for (constraint, value) in [
        (eq(100), r#""100""#),
        (eq(1), "true"),
        (eq(true), "1"),
        (eq("a"), "null"),
        (one_of(["a", "b"]), "1"),
        (max(100), r#""1""#),
        (max(1), "null"),
        (max(1), "true"),
        (prefix("a"), "1"),
        (suffix("a"), "{}"),
        (contains("a"), "true"),
        (glob("*"), "null"),
        (len(1..), "12"),
        (each(any()), "{}"),
        (some(any()), r#""a""#),
        (count(1..), "{}"),
        (has_any(["a"]), r#""a""#),
        (has_all(["a"]), r#""a""#),
        (subset_of(["a"]), r#""a""#),
        (fields([("a", any())]), r#""a""#),
        (same_as("args.other"), "1"),
    ] {
        for stance in [Stance::Cover, Stance::Guard] {
            assert_eq!(ask(&constraint, stance, value), Unknown, "{constraint} of {value}");
            let negated = not(constraint.clone());
            assert_eq!(ask(&negated, stance, value), Unknown, "{negated} of {value}");
        }
    }
}

/// attack 27
#[test]
fn numbers_are_compared_exactly() {
    let limit = max(Number::parse("9007199254740992").unwrap());
    assert_eq!(covers(&limit, "9007199254740993"), False);
    assert_eq!(covers(&limit, "9007199254740992.0"), True);
    assert_eq!(covers(&max(u64::MAX), "18446744073709551616"), False);
    assert_eq!(covers(&min(i64::MIN), "-9223372036854775808"), True);
    assert_eq!(covers(&eq(0), "-0.0"), True);
}

/// attacks 15, 16
#[test]
fn a_list_is_asked_element_by_element() {
    let data = prefix("/data/");
    for (value, cover, guard) in [
        (r#"["/data/a","/etc/passwd"]"#, False, True),
        (r#"["/data/a","/data/b"]"#, True, True),
        (r#"["/etc/a","/etc/b"]"#, False, False),
        (r#"["/data/a",1]"#, Unknown, True),
        (r#"["/etc/a",1]"#, False, Unknown),
        ("[]", False, False),
        (r#"[["/data/a"],"/data/b"]"#, True, True),
        (r#"[[],"/data/b"]"#, False, True),
    ] {
        assert_eq!(covers(&data, value), cover, "{value}");
        assert_eq!(guards(&data, value), guard, "{value}");
    }
    // `not` is asked of each element as well: a permit needs all of them not to be so.
    assert_eq!(covers(&not(data.clone()), r#"["/etc/a","/data/b"]"#), False);
    assert_eq!(guards(&not(data), r#"["/etc/a","/data/b"]"#), True);
    assert_eq!(covers(&fields([("a", eq(1))]), r#"[{"a":1},{"a":2}]"#), False);
    assert_eq!(guards(&fields([("a", eq(1))]), r#"[{"a":1},{"a":2}]"#), True);
}

/// attacks 16, 22
#[test]
fn list_kinds_see_the_list_itself() {
    for (constraint, value, truth) in [
        (each(eq(1)), "[1,1]", True),
        (each(eq(1)), "[1,2]", False),
        (each(eq(1)), "[]", False),
        (some(eq(1)), "[1,2]", True),
        (some(eq(1)), "[2]", False),
        (some(eq(1)), "[]", False),
        (some(eq(1)), r#"["a"]"#, Unknown),
        (not(each(eq(1))), "[]", True),
        (not(each(eq(1))), "[1,2]", True),
        (not(some(eq(1))), "[1,2]", False),
        (count(2), "[1,2]", True),
        (count(2), "[]", False),
        (count(0), "[]", True),
        (subset_of([1, 2]), "[1]", True),
        (subset_of([1, 2]), "[]", True),
        (subset_of([1, 2]), "[1,3]", False),
        (subset_of([1, 2]), r#"[1,"a"]"#, Unknown),
        (has_any([1, 2]), "[2,3]", True),
        (has_any([1, 2]), "[3]", False),
        (has_any([1, 2]), "[]", False),
        (has_any(["a"]), r#"[["a"]]"#, Unknown),
        (has_all([1, 2]), "[2,1,3]", True),
        (has_all([1, 2]), "[1]", False),
        (has_all(["a"]), r#"[["a"]]"#, Unknown),
        (not(has_any(["a"])), r#"[["a"]]"#, Unknown),
        (eq(vec![1, 2]), "[1,2]", True),
        (eq(vec![1, 2]), "[2,1]", False),
    ] {
        assert_eq!(covers(&constraint, value), truth, "{constraint} of {value}");
    }
}

/// attacks 22, 23
#[test]
fn fields_are_closed_for_a_cover_and_guards_look_only_at_what_they_name() {
    let closed = fields([("query", eq("select"))]);
    for (value, cover, guard) in [
        (r#"{"query":"select"}"#, True, True),
        (r#"{"query":"select","x":1}"#, False, True),
        (r#"{"query":"drop","note":"select"}"#, False, False),
        (r#"{"note":"select"}"#, False, False),
        (r#"{"query":1}"#, Unknown, Unknown),
        ("{}", False, False),
    ] {
        assert_eq!(covers(&closed, value), cover, "{value}");
        assert_eq!(guards(&closed, value), guard, "{value}");
        let open = closed.clone().other_fields();
        assert_eq!(covers(&open, value), guard, "{value}");
    }
    assert_eq!(covers(&fields([("a", optional(eq(1)))]), "{}"), True);
}

/// attacks 9, 10, 13
#[test]
fn text_is_compared_byte_for_byte() {
    assert_eq!(covers(&eq("shell"), r#""Shell""#), False);
    assert_eq!(covers(&prefix("/data"), r#""/DATA/x""#), False);
    assert_eq!(covers(&eq("caf\u{e9}"), "\"cafe\u{301}\""), False);
    assert_eq!(covers(&len(4), "\"caf\u{e9}\""), True);
    assert_eq!(covers(&len(5), "\"cafe\u{301}\""), True);
}
/// attack 146: what a text carries is pinned by `json`, and what does not parse is not judged.
#[test]
fn json_inside_text_is_read_strictly() {
    let inner = json_of(fields([("tool", eq("read")), ("n", optional(max(3)))]));
    for (text, cover, guard) in [
        (r#"{"tool":"read"}"#, True, True),
        (r#"{"tool":"read","n":3}"#, True, True),
        (r#"{"tool":"read","n":4}"#, False, False),
        (r#"{"tool":"delete"}"#, False, False),
        (r#"{"tool":"read","more":1}"#, False, True),
        (r#"{"tool":"read","tool":"delete"}"#, Unknown, Unknown),
        (r#"{"tool":"read","to\u006fl":"delete"}"#, Unknown, Unknown),
        ("read", Unknown, Unknown),
        ("", Unknown, Unknown),
        (r#"{"tool":"read"} "x""#, Unknown, Unknown),
        (r#"[{"tool":"read"},{"tool":"delete"}]"#, False, True),
    ] {
        let value = Value::from(text).to_json();
        assert_eq!(covers(&inner, &value), cover, "{text}");
        assert_eq!(guards(&inner, &value), guard, "{text}");
        if !text.starts_with('[') {
            assert_eq!(covers(&not(inner.clone()), &value), !cover, "{text}");
        }
    }
    // A call given as an object is not a text, and pinning the outside says nothing of it.
    assert_eq!(covers(&inner, r#"{"tool":"read"}"#), Unknown);
    assert_eq!(covers(&inner, "-"), False);
}

#[test]
fn what_cannot_be_read_is_unknown_under_not_too() {
    let noon = crate::clock::Timestamp::parse_rfc3339("2026-01-05T12:00:00Z").unwrap();
    for (constraint, yes, no, unknown) in [
        (regex("a+"), "aa", "b", None),
        (under("/data"), "/data/a", "/etc", Some("/data/../etc")),
        (under("/data"), "/data", "/data-x", Some("/data/")),
        (cidr(["10.0.0.0/8"]), "::ffff:10.0.0.1", "11.0.0.1", Some("10.1")),
        (after(noon), "2026-01-05T13:00:00+01:00", "2026-01-05T11:59:59Z", Some("noon")),
        (before(noon), "2026-01-05T11:59:59Z", "2026-01-05T12:00:00Z", Some("2026-01-05")),
        (
            weekly(&["mon"], "09:00", "17:00", "+00:00"),
            "2026-01-05T09:00:00Z",
            "2026-01-06T09:00:00Z",
            Some(""),
        ),
    ] {
        constraint.check().unwrap();
        let text = |text: &str| Value::from(text).to_json();
        let negated = not(constraint.clone());
        assert_eq!((covers(&constraint, &text(yes)), covers(&negated, &text(yes))), (True, False));
        assert_eq!((covers(&constraint, &text(no)), covers(&negated, &text(no))), (False, True));
        for wrong in unknown.map(text).iter().map(String::as_str).chain(["1", "null"]) {
            assert_eq!((covers(&constraint, wrong), covers(&negated, wrong)), (Unknown, Unknown));
            assert_eq!((guards(&constraint, wrong), guards(&negated, wrong)), (Unknown, Unknown));
        }
    }
}

#[test]
fn a_list_that_is_no_set_of_single_values_is_none_to_be_one_of() {
    let own = reference("args.other").as_one_of();
    for (other, value, truth) in [
        (r#"["b","a"]"#, r#""a""#, True),
        (r#"["b","c"]"#, r#""a""#, False),
        (r#"["b",["a"]]"#, r#""a""#, Unknown),
        (r#"["b",["a"]]"#, r#""b""#, Unknown),
        (r#"[["a"]]"#, r#"["a"]"#, Unknown),
        ("[1]", r#""a""#, Unknown),
        ("[]", r#""a""#, Unknown),
        (r#""a""#, r#""a""#, Unknown),
    ] {
        let facts = Small { value: Some(json(value)), other: Some(json(other)) };
        let told = own.holds(&Fact::arg("x"), Stance::Cover, &facts, &Meter::ample());
        assert_eq!(told, truth, "{value} of {other}");
    }
}

/// P10: a copy is paid for before it is made, and none is made where the type says enough.
#[test]
fn a_list_of_a_value_is_looked_at_for_steps() {
    let large = Value::from("x".repeat(1 << 20).as_str());
    let is_large = || eq(large.clone());
    let admits = |own: Constraint, steps| {
        let meter = Meter::of(steps);
        (own.admits_a_list_of([&large], &meter), meter.is_spent())
    };
    // The type says that there is none, in few steps.
    for own in [of_type(ValueType::Text).and(is_large()), is_large().and(of_type(ValueType::Text))]
    {
        assert_eq!(admits(own, 64), (false, false));
    }
    // It would soon be found that it is no other value, but for the copy.
    let other = || all_of([eq("y"), is_large()]);
    assert_eq!(admits(other(), 1 << 20), (false, false));
    assert_eq!(admits(other(), 64), (true, true));
    for own in [is_large(), of_type(ValueType::List).and(is_large())] {
        assert_eq!(admits(own.clone(), 64), (true, true), "{own}");
    }
    assert_eq!(admits(is_large(), 1 << 20), (true, false));
}
