//! Random policies over a small universe, of which every question is asked.

use proptest::prelude::*;

use super::*;
use crate::scope::any;

/// Rules over a universe of a few values of each fact.
fn any_rule(at: usize) -> impl Strategy<Value = Rule> {
    let value = || {
        prop_oneof![
            3 => (0..3).prop_map(eq),
            2 => (0..3).prop_map(max),
            1 => Just(one_of([0, 2])),
            1 => Just(present()),
            1 => (0..3).prop_map(|n| not(eq(n))),
            1 => Just(any()),
        ]
    };
    let tool = prop_oneof![
        3 => Just("t"), 1 => Just("u"), 1 => Just("*"),
    ];
    let when = proptest::option::of(value());
    let group = proptest::option::of(prop_oneof![
        Just(has_any(["g"])),
        Just(not(has_any(["g"]))),
        Just(has_any(["g", "h"])),
    ]);
    let arg = proptest::option::weighted(0.7, value());
    let exception = prop_oneof![
        2 => value().prop_map(|own| vec![("when.w", own)]),
        1 => Just(vec![("who.groups", has_any(["h"]))]),
        2 => value().prop_map(|own| vec![("args.a", own)]),
        1 => (value(), value()).prop_map(|(a, w)| vec![("args.a", a), ("when.w", w)]),
        1 => value().prop_map(|own| vec![("what.tool", eq("t")), ("when.w", own)]),
    ];
    let exceptions = proptest::collection::vec(exception, 0..2);
    let exceptions = proptest::option::weighted(0.3, exceptions);
    (0..5_u8, tool, arg, when, group, (proptest::bool::ANY, exceptions)).prop_map(
        move |(effect, tool, arg, when, group, (open, exceptions))| {
            let id = format!("r{at}");
            let mut rule = match effect {
                0 => Rule::forbid(id),
                1 => Rule::ask(id).approval(terms()),
                _ => Rule::permit(id),
            };
            let is_permit = rule.effect() == Effect::Permit;
            rule = if tool == "*" { rule.any_tool() } else { rule.tool(tool) };
            match arg {
                Some(arg) => {
                    rule = rule.arg("a", arg);
                    if open && is_permit {
                        rule = rule.other_args();
                    }
                }
                None if open && is_permit => rule = rule.any_args(),
                None => {}
            }
            if let Some(when) = when {
                rule = rule.when("w", when);
            }
            if let Some(group) = group {
                rule = rule.who_groups(group);
            }
            let lets = !is_permit || rule.openness.other_args || rule.cover().names_argument("a");
            let is_said = |said: &Vec<(&str, Constraint)>| {
                said.iter().all(|(name, _)| match *name {
                    "args.a" => lets,
                    "what.tool" => tool != "u",
                    _ => true,
                })
            };
            let exceptions = exceptions.into_iter().flatten().filter(is_said);
            exceptions.fold(rule, Rule::unless)
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (0..5_usize).prop_flat_map(|many| {
        let rules: Vec<_> = (0..many).map(any_rule).collect();
        rules.prop_map(policy)
    })
}

/// Every question of the universe that the rules above tell apart, more or less.
fn questions() -> Vec<(Identity, Call, Context)> {
    let mut all = Vec::new();
    let values = [
        None,
        Some("0"),
        Some("1"),
        Some("2"),
        Some("9"),
        Some("\"x\""),
        Some("[0,2]"),
        Some("[]"),
    ];
    for groups in [&[][..], &["g"], &["h"], &["g", "h"], &["z"]] {
        let who = Assertion::agent("a").groups(groups.iter().copied());
        let who = Attestor::of(0).attest(who).unwrap();
        for tool in ["t", "u", "v"] {
            for (a, b) in values.iter().flat_map(|a| [None, Some("7")].map(|b| (a, b))) {
                let named = a.iter().map(|a| format!("\"a\":{a}"));
                let args: Vec<String> = named.chain(b.map(|b| format!("\"b\":{b}"))).collect();
                let call = Call::from_json(tool, &format!("{{{}}}", args.join(","))).unwrap();
                for w in values {
                    let context = Context::new();
                    let context = match w.map(|w| Value::from_json(w).unwrap()) {
                        Some(w) => context.with("w", w),
                        None => context,
                    };
                    all.push((who.clone(), call.clone(), context));
                }
            }
        }
    }
    all
}

fn level(policy: &Policy, (who, call, context): &(Identity, Call, Context)) -> u8 {
    let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap();
    let decision = policy.decide(who, &Purpose::new("any-purpose"), call, context, now).unwrap();
    match decision.effect() {
        Some(Effect::Permit) => 2,
        Some(Effect::Ask) => 1,
        _ => 0,
    }
}

proptest! {
    /// Where nothing is shown to differ, no question of the universe does; where one does, it is found or not
    /// claimed away; and what is shown is so.
    #[test]
    fn is_what_asking_every_question_finds(old in any_policy(), new in any_policy()) {
        let diff = old.diff(&new);
        let (mut wider, mut narrower) = (None, None);
        for question in questions() {
            let (was, is) = (level(&old, &question), level(&new, &question));
            if is > was { wider.get_or_insert_with(|| question.clone()); }
            if is < was { narrower.get_or_insert(question); }
        }
        if diff.wider().is_shown_empty() { prop_assert!(wider.is_none(), "{:?}\n{}", wider, diff); }
        if diff.narrower().is_shown_empty() { prop_assert!(narrower.is_none(), "{:?}\n{}", narrower, diff); }
        for (witness, is_wider) in diff.wider().witnesses().map(|w| (w, true))
            .chain(diff.narrower().witnesses().map(|w| (w, false)))
        {
            let told = witness.to_string();
            let order = |text: &str| ["denied", "asked about", "permitted"].iter().position(|w| *w == text);
            let (_, tail) = told.rsplit_once(": ").unwrap();
            let (was, is) = tail.split_once(" before, ").unwrap();
            let is = is.strip_suffix(" now").unwrap();
            prop_assert_eq!(order(was) < order(is), is_wider, "{}", told);
        }
    }

    #[test]
    fn a_policy_never_differs_from_itself(policy in any_policy()) {
        prop_assert!(policy.diff(&policy.clone()).permits_the_same());
    }
}

/// Without comparisons and nested values, it is told of nearly all.
#[test]
fn little_is_left_undecided() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut undecided = 0;
    for _ in 0..200 {
        let pair = (any_policy(), any_policy()).new_tree(&mut runner).unwrap();
        let (old, new) = pair.current();
        let diff = old.diff(&new);
        let of = |side: &Differences| usize::from(side.undecided().len() > 0);
        undecided += of(diff.wider()) + of(diff.narrower());
    }
    assert!(undecided <= 8, "{undecided} of 400");
}
