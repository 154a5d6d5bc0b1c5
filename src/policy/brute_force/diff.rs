//! What one policy permits and another does not.

use proptest::prelude::*;

use super::{Answered, Compared, Comparison, Level, Universe, agreed, level, must};
use crate::policy::Differences;
use crate::policy::regions::model::{any_policy, any_policy_or_defaults};

/// Where nothing is shown to differ, no question of the universe does; where one does, it is found or not claimed away;
/// and what is shown is so.
pub(super) fn compare(old: &Answered<'_>, new: &Answered<'_>) -> Comparison {
    let diff = old.policy.diff(&new.policy);
    let differing = |is_wider: bool| {
        let differs = |(was, is): (&Level, &Level)| match is_wider {
            true => is.rank() > was.rank(),
            false => is.rank() < was.rank(),
        };
        let first = old.levels.iter().zip(&new.levels).position(differs);
        first.or_else(|| old.noted.iter().zip(&new.noted).position(differs))
    };
    let mut compared = Compared::default();
    for (side, is_wider) in [(diff.wider(), true), (diff.narrower(), false)] {
        let told = || format!("{}\n{}\n{diff}", old.told(), new.told());
        if side.is_shown_empty() {
            let wrong = differing(is_wider).map(|at| &old.universe.questions[at]);
            must(wrong.is_none(), || format!("{wrong:?}: {}", told()))?;
            compared.shown += 1;
        }
        for witness in side.witnesses() {
            let question = (witness.who(), witness.purpose(), witness.call(), witness.context());
            let was = level(&old.policy, question, witness.at());
            let is = level(&new.policy, question, witness.at());
            let is_so = if is_wider { is.rank() > was.rank() } else { is.rank() < was.rank() };
            must(is_so, || format!("{was:?} {is:?} {witness}: {}", told()))?;
            compared.witnesses += 1;
        }
        compared.undecided += side.undecided().len();
    }
    Ok(compared)
}

proptest! {
    #[test]
    fn is_what_asking_every_question_finds(
        old in any_policy_or_defaults(false), new in any_policy_or_defaults(false),
    ) {
        let universe = Universe::new();
        agreed(compare(&Answered::of(old, &universe), &Answered::of(new, &universe)))?;
    }

    #[test]
    fn a_policy_never_differs_from_itself(policy in any_policy_or_defaults(false)) {
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
