//! `same_as`, of lists and of what is absent.

use super::*;

proptest! {
    /// But for what is not filled in, of which nothing is known.
    #[test]
    fn same_as_means_eq_of_what_it_compares_with(
        constraint in model::constraints(),
        facts in model::facts(),
        guard in proptest::bool::ANY,
    ) {
        let Some(other) = facts.other.as_ref().filter(|other| !model::is_empty(other)) else {
            return Ok(());
        };
        let is_there = facts.value.as_ref().is_some_and(|value| {
            let text = value.to_json();
            !["null", "\"\"", "[]", "{}"].iter().any(|nothing| text.contains(nothing))
        });
        // A field that is left out is nothing, too.
        prop_assume!(is_there && !constraint.to_string().contains("fields"));
        let stance = if guard { Stance::Guard } else { Stance::Cover };
        let spelled = constraint.replace_comparisons(Place::default(), &|leaf, _| match leaf {
            Node::Compared(own) => own.spelled_out(|_| Some(other), &Meter::ample()),
            _ => Some(eq(other.clone())),
        });
        let fact = Fact::arg("x");
        prop_assert_eq!(
            constraint.holds(&fact, stance, &facts, &Meter::ample()),
            spelled.holds(&fact, stance, &facts, &Meter::ample()),
            "{} of {:?}", constraint, facts
        );
    }
}

/// attack 15: what is compared with one value is compared element by element, as `eq` is; what is
/// compared with a list, as a whole.
#[test]
fn same_as_asks_of_a_list_what_eq_asks() {
    let holds = |constraint: &Constraint, stance, value: &str, other: &str| {
        let facts = Small { value: Some(json(value)), other: Some(json(other)) };
        constraint.holds(&Fact::arg("x"), stance, &facts, &Meter::ample())
    };
    let same = same_as("args.other");
    let begins = all_of([same.clone(), prefix("a")]);
    let either = any_of([same.clone(), prefix("a")]);
    for (constraint, value, other, covers, guards) in [
        (&same, r#"["a","a"]"#, r#""a""#, True, True),
        (&same, r#"["a","b"]"#, r#""a""#, False, True),
        (&same, r#"["a",1]"#, r#""a""#, Unknown, True),
        (&same, r#"["b"]"#, r#""a""#, False, False),
        (&same, "[]", r#""a""#, Unknown, Unknown),
        (&not(same.clone()), "[]", r#""a""#, Unknown, Unknown),
        (&same, r#"["a",""]"#, r#""a""#, Unknown, True),
        (&same, r#"["a","b"]"#, r#"["a","b"]"#, True, True),
        (&same, r#"["b","a"]"#, r#"["a","b"]"#, False, False),
        (&same, r#""a""#, r#"["a"]"#, Unknown, Unknown),
        (&not(same.clone()), r#"["b","c"]"#, r#""a""#, True, True),
        (&not(same.clone()), r#"["a","c"]"#, r#""a""#, False, True),
        (&begins, r#"["a"]"#, r#""a""#, True, True),
        // A list is not text: asked as a whole, what it begins with is not known.
        (&begins, r#"["a"]"#, r#"["a"]"#, Unknown, Unknown),
        (&either, r#"["ab"]"#, r#"["a"]"#, Unknown, Unknown),
        (&either, r#"["ab"]"#, r#""a""#, True, True),
    ] {
        assert_eq!(
            holds(constraint, Stance::Cover, value, other),
            covers,
            "{constraint} of {value}"
        );
        assert_eq!(
            holds(constraint, Stance::Guard, value, other),
            guards,
            "{constraint} of {value}"
        );
    }
}

/// attack 40: compared with what is not there, even a list without elements leaves it open.
#[test]
fn same_as_what_is_absent_is_unknown_of_every_list() {
    for value in ["[]", r#"["a"]"#, r#"[["a"]]"#] {
        for constraint in [same_as("args.other"), not(same_as("args.other"))] {
            assert_eq!(covers(&constraint, value), Unknown, "{constraint} of {value}");
            assert_eq!(guards(&constraint, value), Unknown, "{constraint} of {value}");
        }
    }
}

/// What is read of a part to compare with is paid for before, and of longer ones more.
#[test]
fn what_is_compared_with_is_known_only_where_it_can_be_paid_for() {
    let folder = format!("/{}", "a".repeat(399));
    for (constraint, other, steps) in [
        (reference("args.other").as_under(), &*folder, 101),
        (reference("args.other").as_after(), "2026-01-01T00:00:00Z", 18),
        (reference("args.other").as_before(), "2026-01-01T00:00:00.123456789Z", 19),
    ] {
        let Node::Compared(own) = &constraint.0 else { panic!("{constraint}") };
        let other = Value::from(other);
        let is_known = |steps| own.known(|_| Some(&other), &Meter::of(steps)).is_some();
        assert!(is_known(steps), "{constraint}");
        assert!(!is_known(steps - 1), "{constraint}");
    }
}

/// A text in a text is looked for at every place, and its beginning and its end at one.
#[test]
fn a_text_that_contains_or_lies_under_another_costs_more_than_one_that_begins_with_it() {
    let of = |constraint: Constraint, length: usize| {
        let value = format!("/{}", "a".repeat(length - 1));
        let facts = Small { value: Some(Value::from(value)), other: Some(Value::from("/b")) };
        let meter = Meter::ample();
        let told = constraint.holds(&Fact::arg("x"), Stance::Cover, &facts, &meter);
        assert_eq!(told, False, "{constraint}");
        meter.taken()
    };
    let other = || reference("args.other");
    for (constraint, each) in [
        (other().as_contains(), 4),
        (other().as_under(), 4),
        (other().as_prefix(), 32),
        (other().as_suffix(), 32),
    ] {
        let more = of(constraint.clone(), 8000) - of(constraint.clone(), 1600);
        assert_eq!(more, 6400 / each, "{constraint}");
        // And it is told what holds of a text that has it.
        let has = Small { value: Some(Value::from("/b")), other: Some(Value::from("/b")) };
        let told = constraint.holds(&Fact::arg("x"), Stance::Cover, &has, &Meter::ample());
        assert_eq!(told, True, "{constraint}");
        let spent = constraint.holds(&Fact::arg("x"), Stance::Cover, &has, &Meter::of(0));
        assert_eq!(spent, Unknown, "{constraint}");
    }
}
