//! Rules that do nothing, or nothing of their own.

use proptest::prelude::*;

use super::{Answered, Compared, Comparison, Level, Universe, agreed, must};
use crate::policy::regions::model::{any_policy, any_policy_or_defaults, policy_like};
use crate::policy::seen::Seen;
use crate::policy::{Effect, LintOptions, Rule, Warning, WarningCode};

const PROVED: [WarningCode; 4] = [
    WarningCode::Dead,
    WarningCode::Shadowed,
    WarningCode::Unreached,
    WarningCode::NothingWithheld,
];

/// What is said of a rule is so of every question of the universe; and without the rules that others are said to make up
/// for, each question has the same answer.
pub(super) fn compare(own: &Answered<'_>) -> Comparison {
    let Universe { questions, now, .. } = own.universe;
    let report = own.policy.lint_with(LintOptions::at(*now));
    let mut compared = Compared::default();
    let proved: Vec<&Warning> =
        report.warnings().filter(|warning| PROVED.contains(&warning.code())).collect();
    if !proved.is_empty() {
        let effects: Vec<Effect> = own.policy.rules().map(Rule::effect).collect();
        let any = |applies: &[bool], wanted: Effect| {
            applies.iter().zip(&effects).any(|(applies, own)| *applies && *own == wanted)
        };
        let at = |warning: &Warning| {
            own.policy.rules().position(|rule| rule.id() == warning.rule()).unwrap()
        };
        let proved: Vec<(usize, &Warning)> =
            proved.into_iter().map(|warning| (at(warning), warning)).collect();
        let noted = questions.iter().zip(&own.noted).map(|asked| (asked, &own.universe.noted));
        let plain = questions.iter().zip(&own.levels).map(|asked| (asked, Seen::nothing()));
        for ((question, level), seen) in plain.chain(noted) {
            let applies = own.applying_after(question, seen);
            for (at, warning) in &proved {
                let is_so = !applies[*at]
                    || match warning.code() {
                        WarningCode::Dead => false,
                        WarningCode::Shadowed => any(&applies, Effect::Forbid),
                        WarningCode::Unreached => !matches!(level, Level::Asked(_)),
                        _ => !any(&applies, Effect::Permit),
                    };
                must(is_so, || format!("{warning}: {question:?}\n{}", own.told()))?;
            }
        }
        compared.shown += proved.len();
    }
    let spared: Vec<&str> =
        report.warnings().filter(|own| is_spared(own)).map(Warning::rule).collect();
    if !spared.is_empty() {
        let left = own.policy.rules().filter(|rule| !spared.contains(&rule.id()));
        let left = policy_like(&own.policy, left.cloned()).unwrap();
        let left = Answered::of(left, own.universe);
        let plain = left.levels.iter().zip(&own.levels).enumerate();
        for (at, (is, was)) in plain.chain(left.noted.iter().zip(&own.noted).enumerate()) {
            // How many ask may be others: each of them is asked for by what is left.
            must(is.rank() == was.rank(), || {
                format!("without {spared:?}: {:?}\n{}", questions[at], own.told())
            })?;
        }
        compared.shown += spared.len();
    }
    Ok(compared)
}

fn is_spared(warning: &Warning) -> bool {
    use WarningCode::{Covered, Dead, Duplicate};
    matches!(warning.code(), Covered | Dead | Duplicate)
}

proptest! {
    #[test]
    fn is_what_asking_every_question_finds(own in any_policy_or_defaults(true)) {
        let universe = Universe::new();
        agreed(compare(&Answered::of(own, &universe)))?;
    }
}

/// What is so of every question of the universe is nearly always found.
#[test]
fn little_that_does_nothing_is_overlooked() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let universe = Universe::new();
    let (mut found, mut overlooked) = (0, 0);
    for _ in 0..200 {
        let own = any_policy(false).new_tree(&mut runner).unwrap().current();
        let report = own.lint_with(LintOptions::at(universe.now));
        let own = Answered::of(own, &universe);
        let facts: Vec<Vec<bool>> =
            universe.questions.iter().map(|question| own.applying(question)).collect();
        let effects: Vec<Effect> = own.policy.rules().map(Rule::effect).collect();
        let permits =
            own.policy.rules().enumerate().filter(|(_, rule)| rule.effect() == Effect::Permit);
        for (at, rule) in permits {
            let is_shadowed = facts.iter().filter(|applies| applies[at]).all(|applies| {
                applies
                    .iter()
                    .zip(&effects)
                    .any(|(applies, own)| *applies && *own == Effect::Forbid)
            });
            let is_told = report.warnings().any(|own| {
                own.rule() == rule.id()
                    && matches!(own.code(), WarningCode::Dead | WarningCode::Shadowed)
            });
            found += usize::from(is_shadowed && is_told);
            overlooked += usize::from(is_shadowed && !is_told);
        }
    }
    assert!(found >= 10 && overlooked <= found / 10, "{found} found, {overlooked} overlooked");
}
