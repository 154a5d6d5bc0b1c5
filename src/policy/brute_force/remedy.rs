//! The nearest yes.

use proptest::prelude::*;

use super::{Answered, Compared, Comparison, Level, Universe, agreed, must};
use crate::call::Call;
use crate::context::Context;
use crate::identity::{Assertion, Attestor, Identity};
use crate::policy::Remedy;
use crate::policy::regions::model::{any_policy, any_policy_or_defaults};
use crate::value::Value;

/// Each remedy is permitted, or asked about as it says, when the question is asked as it says. Where a question of the
/// universe with few changes is, and none that is no larger was found, it is missed: a search that can't be completed
/// finds nothing.
pub(super) fn compare(own: &Answered<'_>, at: usize) -> Comparison {
    let Universe { questions, why, now, .. } = own.universe;
    let at = at % questions.len();
    let question = &questions[at];
    let (who, call, context) = question;
    let Ok(found) = own.policy.nearest_yes(who, why, call, context, *now) else {
        // No rule makes it a call of the tool.
        must(own.levels[at] == Level::Denied, || format!("{question:?}: {}", own.told()))?;
        return Ok(Compared::default());
    };
    let told = || format!("{question:?}: {found:?}\n{}", own.told());
    match own.levels[at] {
        Level::Denied => {}
        Level::Asked(_) => {
            must(found.len() == 1, told)?;
            return Ok(Compared::default());
        }
        Level::Permitted => {
            must(found.is_empty(), told)?;
            return Ok(Compared::default());
        }
    }
    for remedy in &found {
        let (who, call, context) = changed(question, remedy);
        let expected = match remedy.approvals().len() {
            0 => Level::Permitted,
            many => Level::Asked(many),
        };
        let came = own.universe.level(&own.policy, &who, &call, &context);
        must(came == expected, || format!("{remedy} is {came:?}: {}", told()))?;
    }
    let others = questions.iter().zip(&own.levels);
    let others = others.filter(|(other, _)| other.1.tool() == call.tool());
    let nearest = others.filter_map(|(other, level)| match level {
        Level::Denied => None,
        Level::Asked(many) => Some(distance(question, other) + many),
        Level::Permitted => Some(distance(question, other)),
    });
    let smallest = found.first().map(|own| own.changes().len() + own.approvals().len());
    let nearest = nearest.min().filter(|own| *own <= 2);
    let is_missed =
        nearest.is_some_and(|nearest| smallest.is_none_or(|smallest| smallest > nearest));
    let (undecided, missed) = (usize::from(found.is_empty()), usize::from(is_missed));
    Ok(Compared { witnesses: found.len(), shown: 0, undecided, missed })
}

/// The question as a remedy says it.
fn changed(
    (who, call, context): &(Identity, Call, Context),
    remedy: &Remedy,
) -> (Identity, Call, Context) {
    let (mut args, mut groups) = (call.args().object().clone(), who.groups_value().clone());
    let mut context = context.clone();
    for (part, was, is) in remedy.changes() {
        assert_ne!(was, is, "{remedy}");
        match (part, is) {
            ("who.groups", is) => {
                // In no group is as without any: it would be no change.
                let nothing = Value::List(Vec::new());
                assert_ne!(is.is_none().then_some(&nothing), was, "{remedy}");
                groups = is.cloned().unwrap_or(nothing);
            }
            ("when.w", Some(is)) => context = Context::new().with("w", is.clone()),
            ("when.w", None) => context = Context::new(),
            (arg, is) => {
                let name = arg.strip_prefix("args.").unwrap();
                args.remove(name);
                if let Some(is) = is {
                    args.insert(name.to_owned(), is.clone()).unwrap();
                }
            }
        }
    }
    let Value::List(groups) = groups else { panic!("groups are a list") };
    let who = Assertion::agent("a").groups(groups.iter().filter_map(Value::as_text));
    let who = Attestor::of(0).attest(who).unwrap();
    (who, Call::new(call.tool(), Value::Object(args)).unwrap(), context)
}

/// In how many parts two questions of the universe differ.
fn distance(one: &(Identity, Call, Context), other: &(Identity, Call, Context)) -> usize {
    let part = |name: &str| one.1.args().object().get(name) != other.1.args().object().get(name);
    usize::from(!one.0.groups().eq(other.0.groups()))
        + usize::from(part("a"))
        + usize::from(part("b"))
        + usize::from(one.2 != other.2)
}

proptest! {
    #[test]
    fn is_what_asking_again_finds(own in any_policy_or_defaults(true), at in 0..1_000_000_usize) {
        let universe = Universe::new();
        agreed(compare(&Answered::of(own, &universe), at))?;
    }
}

/// Where nothing is compared with other parts of the question, what is found is nearly always the nearest.
#[test]
fn little_that_is_nearer_is_missed() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let universe = Universe::new();
    let mut compared = Compared::default();
    for at in 0..400 {
        let own = any_policy(false).new_tree(&mut runner).unwrap().current();
        compared += compare(&Answered::of(own, &universe), at * 37).unwrap();
    }
    assert!(compared.witnesses >= 100 && compared.missed <= 2, "{compared:?}");
}
