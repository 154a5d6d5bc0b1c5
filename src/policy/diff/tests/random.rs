//! Random policies over a small universe, of which every question is asked.

use proptest::prelude::*;

use super::*;
use crate::policy::regions::model::{any_policy, questions};

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
    fn is_what_asking_every_question_finds(old in any_policy(false), new in any_policy(false)) {
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
    fn a_policy_never_differs_from_itself(policy in any_policy(false)) {
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
        let pair = (any_policy(false), any_policy(false)).new_tree(&mut runner).unwrap();
        let (old, new) = pair.current();
        let diff = old.diff(&new);
        let of = |side: &Differences| usize::from(side.undecided().len() > 0);
        undecided += of(diff.wider()) + of(diff.narrower());
    }
    assert!(undecided <= 8, "{undecided} of 400");
}
