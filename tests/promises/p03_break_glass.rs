//! P3 and P5, where the glass is broken: what it gives are calls that a permit for emergencies permits, that no
//! forbid acts on, whatever it says of when it speaks, and that no ask for emergencies withholds.

use hallpass::clock::ManualClock;
use hallpass::identity::Kind;
use hallpass::policy::{Effect, Moment};
use hallpass::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Question, Setting};
use crate::model_rules::{Says, decide};
use crate::probe::{inside, pinned};
use crate::universe::*;

/// A rule that speaks in emergencies, alone or among others, more often than not.
fn rules_of_emergencies() -> BoxedStrategy<RuleSaid> {
    use Moment::{BreakGlass, Call, Delegate, Request};
    let moments = proptest::sample::select(vec![
        vec![BreakGlass],
        vec![BreakGlass],
        vec![Request, Call, BreakGlass],
        vec![Request, Call],
        vec![Delegate],
    ]);
    (rules(2), moments)
        .prop_map(|(mut rule, moments)| {
            rule.moments = moments;
            rule.conditions.retain(|(fact, _)| *fact != F::WhoKind);
            // What limits leave is not what is compared here.
            rule.limits = LimitsSaid::default();
            rule
        })
        .prop_filter("can be meant", |rule| rule.is_sound() && !rule.looks_at_labels())
        .boxed()
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn what_breaking_the_glass_gives_is_what_rules_for_it_give(
        said in vec(rules_of_emergencies(), 1..5),
        who in whos(),
        calls in vec(calls(), 1..6),
        narrow in any::<bool>(),
    ) {
        let mut policy = PolicySaid { catalogue: None, rules: said };
        for (at, rule) in policy.rules.iter_mut().enumerate() {
            rule.id = format!("r{at}");
        }
        let (who, why) = (WhoSaid { kind: Kind::Human, acts_for: None, ..who }, WhySaid {
            name: "incident".into(),
            ticket: None,
        });
        let broker =
            Broker::builder(policy.policy()).clock(ManualClock::new(at(0))).build().unwrap();
        let person = broker.assert_identity(who.assertion()).unwrap();
        let now = hallpass::Context::new();
        for call in &calls {
            let task = broker.open(&person, why.purpose()).unwrap();
            let exactly = pinned(call);
            let mut wanted = exactly.clone();
            wanted.other_args |= !narrow;
            let scope = scope_of(std::slice::from_ref(&wanted));
            let Ok(grant) = task.break_glass(scope, "orders are down", &now) else { continue };
            for call in inside(&exactly, &calls).iter().chain(&calls) {
                let setting = Setting {
                    moment: Moment::BreakGlass,
                    form: None,
                    who: &who,
                    why: &why,
                    context: &ContextSaid::new(),
                    history: &[],
                    notes: &NO_NOTES,
                    now: 0,
                };
                let question = Question { setting, call, labels: &[] };
                let says = decide(&policy, &question);
                let answer = broker.gate().check(grant.token(), &person, &call.call(), &now);
                match answer {
                    Ok(dry) => prop_assert_eq!(
                        Says::Permit(dry.rules().map(str::to_owned).collect()), says, "{:?}", call
                    ),
                    Err(denial) => {
                        let permitted = matches!(says, Says::Permit(_));
                        let outside = denial.reason() == Reason::OutOfScope;
                        prop_assert!(!permitted || outside, "{:?}: {}", call, denial.explain());
                    }
                }
            }
            // What the glass is broken for is not what is asked for otherwise.
            let alone = |rule: &RuleSaid| rule.moments == [Moment::BreakGlass];
            let permits = policy.rules.iter().filter(|rule| rule.effect == Effect::Permit);
            if permits.clone().all(alone) {
                let scope = scope_of(std::slice::from_ref(&wanted));
                prop_assert!(task.request(scope, &now).is_err());
            }
        }
    }
}
