//! What the algebra says, next to asking every value of a small universe.

use super::*;

fn truth(constraint: &Constraint, stance: Stance, value: Option<&Value>) -> Truth {
    constraint.holds_of(value, Absence::Argument, stance, false, &Meter::ample())
}

/// Every value of the small universe, and every argument that is not there.
fn universe() -> Vec<Option<Value>> {
    let mut texts = vec![String::new()];
    for length in 0..4 {
        for start in texts.iter().filter(|t| t.len() == length).cloned().collect::<Vec<_>>() {
            texts.extend(["a", "b", "/", "c"].map(|c| format!("{start}{c}")));
        }
    }
    let mut scalars: Vec<Value> = vec![Value::Null, true.into(), false.into()];
    scalars.extend(
        (-4..=10)
            .map(|n| Value::Number(Number::parse(&format!("{}", f64::from(n) / 2.0)).unwrap())),
    );
    scalars.extend(texts.into_iter().map(Value::from));
    scalars.extend(model::ODD.map(Value::from));
    scalars.extend(model::long_texts().map(Value::from));
    scalars.extend(READ.map(Value::from));
    let read = [
        "::a00:1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001::f5ff:fffe",
        "::2",
        "[1,9]",
        "1970-01-02T00:00:02Z",
        "1970-01-05T13:00:00Z",
    ];
    scalars.extend(read.map(Value::from));
    let few: Vec<Value> = [
        "null", "true", "false", "0", "1", "2", "9", "\"\"", "\"a\"", "\"ab\"", "\"c\"", "[]",
        "{}", "[1]",
    ]
    .map(|text| Value::from_json(text).unwrap())
    .into();
    let mut all = scalars;
    all.push(Value::List(vec![]));
    all.push(Value::Object(Object::new()));
    for a in &few {
        all.push(Value::List(vec![a.clone()]));
        for name in ["p", "z"] {
            all.push(Value::Object(Object::from_pairs([(name, a.clone())]).unwrap()));
        }
        for b in &few {
            all.push(Value::List(vec![a.clone(), b.clone()]));
            all.push(Value::Object(
                Object::from_pairs([("p", a.clone()), ("q", b.clone())]).unwrap(),
            ));
        }
    }
    all.into_iter().map(Some).chain([None]).collect()
}

proptest! {
    /// attacks 50, 60: whatever is said of two constraints agrees with asking every value of a
    /// small universe, and every witness is in one and not in the other.
    #[test]
    fn agrees_with_brute_force(a in model::mixed_constraints(), b in model::mixed_constraints()) {
        let universe = universe();
        let inside = |c: &Constraint, v: &Option<Value>| truth(c, Stance::Cover, v.as_ref()) == Truth::True;
        let shown = universe.iter().find(|v| inside(&a, v) && !inside(&b, v));
        match a.difference(&b, &Meter::ample()) {
            Difference::Empty => prop_assert_eq!(shown, None, "{} within {}", a, b),
            Difference::Witness(w) => prop_assert!(inside(&a, &w) && !inside(&b, &w), "{:?} in {} not in {}", w, a, b),
            Difference::Undecided => {}
        }
        if a.is_within(&b, &Meter::ample()) {
            prop_assert_eq!(shown, None, "{} is within {}", a, b);
        }
        let both = universe.iter().find(|v| inside(&a, v) && inside(&b, v));
        if !a.overlaps(&b, &Meter::ample()) {
            prop_assert_eq!(both, None, "{} and {}", a, b);
        }
        let acts = universe.iter()
            .find(|v| inside(&a, v) && truth(&b, Stance::Guard, v.as_ref()).may_hold());
        if !a.may_overlap(&b, &Meter::ample()) {
            prop_assert_eq!(acts, None, "{} and guard {}", a, b);
        }
    }

    /// What is said of constraints that compare holds whatever they turn out to compare with.
    #[test]
    fn what_is_within_stays_within_once_its_facts_are_known(
        a in model::constraints(),
        b in model::constraints(),
        more in prop::sample::select(vec![any(), present(), not(present())]),
        facts in prop::collection::vec(model::facts(), 32),
    ) {
        let same = same_as("args.other");
        let pairs = [
            (a.clone(), b.clone()),
            (all_of([a.clone(), more.clone()]), a.clone()),
            (all_of([a.clone(), b.clone()]), b.clone()),
            (a.clone(), any_of([a.clone(), b.clone()])),
            (all_of([same.clone(), more]), same.clone()),
            (same.clone(), any_of([same, b])),
        ];
        for (narrow, wide) in pairs {
            if narrow.check().is_err() || wide.check().is_err() || !narrow.is_within(&wide, &Meter::ample()) {
                continue;
            }
            for facts in &facts {
                let holds = |c: &Constraint| c.holds(&Fact::arg("x"), Stance::Cover, facts, &Meter::ample());
                let inside = holds(&narrow) != Truth::True || holds(&wide) == Truth::True;
                prop_assert!(inside, "{} within {}: {:?}", narrow, wide, facts);
            }
        }
    }

    /// Only lists compared whole, and `has_all` of many values, are left undecided.
    #[test]
    fn is_decided_for_nearly_everything(
        a in model::sound_constraints(),
        b in model::sound_constraints(),
    ) {
        let both = format!("{a}{b}");
        let hard = ["\"has_all\":", "\"eq\":[", "\"items\":"].iter().any(|kind| both.contains(kind));
        prop_assert!(hard || a.difference(&b, &Meter::ample()) != Difference::Undecided, "{} and {}", a, b);
    }
}

proptest! {
    /// What is known is put in its place at a request, and may then be a list next to kinds that are asked
    /// of elements, which no policy may write: what is said of that holds of every value, too.
    #[test]
    fn what_is_known_is_compared_as_it_is_evaluated(
        a in model::constraints(),
        b in model::constraints(),
        other in model::values(),
    ) {
        let known = |c: Constraint| {
            let known = |leaf: &Node, _| match leaf {
                Node::Compared(own) => own.spelled_out(|_| Some(&other), &Meter::ample()),
                _ => Some(eq(other.clone())),
            };
            c.replace_comparisons(Place::default(), &known).into_owned()
        };
        let (a, b) = (known(a), known(b));
        let either = any_of([eq(other.clone()), a.clone()]);
        let pairs = [
            (a.clone(), b.clone()),
            (a.clone(), all_of([a.clone(), b.clone()])),
            (a.clone(), all_of([any_of([eq(other.clone()), any()]), a.clone()])),
            (a.clone(), either.clone()),
            (either.clone(), a.clone()),
            (all_of([a.clone(), b.clone()]), a.clone()),
            (all_of([either, b.clone()]), b.clone()),
        ];
        let universe = universe();
        let holds = |c: &Constraint, stance, v: &Option<Value>| truth(c, stance, v.as_ref());
        for (narrow, wide) in pairs {
            let inside =
                |c: &Constraint, v: &Option<Value>| holds(c, Stance::Cover, v) == Truth::True;
            if narrow.is_within(&wide, &Meter::ample()) {
                let shown = universe.iter().find(|v| inside(&narrow, v) && !inside(&wide, v));
                prop_assert_eq!(shown, None, "{} is within {}", narrow, wide);
            } else if let Difference::Witness(w) = narrow.difference(&wide, &Meter::ample()) {
                prop_assert!(
                    inside(&narrow, &w) && !inside(&wide, &w),
                    "{:?} in {} not in {}", w, narrow, wide
                );
            }
            if !narrow.may_overlap(&wide, &Meter::ample()) {
                let acts = |v: &&Option<Value>| {
                    inside(&narrow, v) && holds(&wide, Stance::Guard, v).may_hold()
                };
                let shown = universe.iter().find(acts);
                prop_assert_eq!(shown, None, "{} and guard {}", narrow, wide);
            }
        }
    }
}
