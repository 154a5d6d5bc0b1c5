//! The nearest yes to a request, asked of a broker.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Compared, Comparison, PURPOSE, Universe, agreed, must};
use crate::broker::Broker;
use crate::clock::ManualClock;
use crate::context::Context;
use crate::denial::Code;
use crate::identity::Assertion;
use crate::policy::regions::model::{any_policy, any_policy_or_defaults};
use crate::policy::{Policy, Remedy};
use crate::purpose::Purpose;
use crate::scope::{Constraint, Scope, any as anything, eq, max, min, one_of};
use crate::value::Value;

/// What is asked for, of the tool that most rules speak of.
fn scopes() -> impl Strategy<Value = Scope> {
    let wide = prop_oneof![
        3 => (0..3_i64).prop_map(eq),
        1 => Just(one_of([0, 2])),
        1 => (0..3_i64).prop_map(|most| min(0).and(max(most))),
        1 => Just(anything()),
    ];
    let arg = proptest::option::weighted(0.8, wide);
    (select(vec!["t", "u"]), arg, any::<bool>()).prop_map(|(tool, arg, open)| {
        let named = |own: Constraint| Scope::tool(tool).arg("a", own);
        let scope = arg.map_or_else(|| Scope::tool(tool), named);
        if open { scope.arg("b", eq(7)) } else { scope }
    })
}

/// What a broker says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Yes,
    AskedFor,
    No,
}

fn given(broker: &Broker, groups: &Value, context: &Context, scope: &Scope) -> Given {
    let Value::List(groups) = groups else { panic!("groups are a list") };
    let who = Assertion::agent("a").groups(groups.iter().filter_map(Value::as_text));
    let who = broker.assert_identity(who).unwrap();
    let task = broker.open(&who, Purpose::new(PURPOSE)).unwrap();
    match task.request(scope.clone(), context) {
        Ok(_) => Given::Yes,
        Err(denial) if denial.code() == Code::ApprovalRequired => Given::AskedFor,
        Err(_) => Given::No,
    }
}

/// Each remedy is given, or asked about as it says, when it is requested as it says, and asks for no more; where nothing is
/// told, it is given as it is. Where another group or context alone would do, and nothing as small was found, it is missed.
fn compare(policy: &Policy, universe: &Universe, scope: &Scope, at: usize) -> Comparison {
    let Universe { questions, why, now, .. } = universe;
    let (who, _, context) = &questions[at % questions.len()];
    let broker = Broker::builder(policy.clone()).clock(ManualClock::new(*now)).build().unwrap();
    let own = given(&broker, who.groups_value(), context, scope);
    let found = policy.nearest_grant(who, why, scope, context, *now).unwrap();
    let told = || format!("{scope:?} {who:?} {:?} {context:?}: {found:?}", who.groups_value());
    let Some(found) = found.get(&0) else {
        must(own == Given::Yes, || format!("{own:?}: {}", told()))?;
        return Ok(Compared { shown: 1, ..Compared::default() });
    };
    must(own != Given::Yes, told)?;
    for remedy in found {
        let (groups, context, scope) = changed(who.groups_value(), context, scope, remedy);
        let came = given(&broker, &groups, &context, &scope);
        let expected = if remedy.approvals().len() == 0 { Given::Yes } else { Given::AskedFor };
        must(came == expected, || format!("{remedy} is {came:?}: {}", told()))?;
    }
    let smallest = found.first().map(|own| own.changes().len() + own.approvals().len());
    let mut near = false;
    for (other, _, its) in questions.iter().step_by(8) {
        let one = usize::from(!other.groups().eq(who.groups())) + usize::from(its != context);
        near |= one == 1 && given(&broker, other.groups_value(), its, scope) == Given::Yes;
    }
    let missed = usize::from(near && own == Given::No && smallest.is_none_or(|own| own > 1));
    Ok(Compared { witnesses: found.len(), missed, ..Compared::default() })
}

fn changed(
    groups: &Value,
    context: &Context,
    scope: &Scope,
    remedy: &Remedy,
) -> (Value, Context, Scope) {
    let (mut groups, mut context, mut scope) = (groups.clone(), context.clone(), scope.clone());
    for (part, was, is) in remedy.changes() {
        assert_ne!(was, is, "{remedy}");
        match (part, is) {
            ("who.groups", is) => groups = is.cloned().unwrap_or(Value::List(Vec::new())),
            ("when.w", Some(is)) => context = Context::new().with("w", is.clone()),
            ("when.w", None) => context = Context::new(),
            ("scope", Some(is)) => {
                scope = Scope::from_value(&Value::List(vec![is.clone()])).unwrap();
            }
            _ => panic!("{remedy}"),
        }
    }
    (groups, context, scope)
}

proptest! {
    #[test]
    fn is_given_by_a_broker_that_is_asked_for_it(
        own in any_policy_or_defaults(false), scope in scopes(), at in 0..1_000_000_usize,
    ) {
        agreed(compare(&own, &Universe::new(), &scope, at))?;
    }
}

#[test]
fn little_that_is_nearer_is_missed() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let universe = Universe::new();
    let mut compared = Compared::default();
    for at in 0..100 {
        let (own, scope) = (any_policy(false), scopes()).new_tree(&mut runner).unwrap().current();
        compared += compare(&own, &universe, &scope, at * 37).unwrap();
    }
    assert!(compared.witnesses >= 12 && compared.missed <= 4, "{compared:?}");
}
