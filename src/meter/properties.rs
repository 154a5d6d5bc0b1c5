//! What is promised of decisions holds at whatever point their steps are spent.

use proptest::collection::vec;
use proptest::prelude::*;

use super::Meter;
use crate::context::Context;
use crate::form::Form;
use crate::identity::Identity;
use crate::policy::{Answer, Effect, Moment, Question, Setting, Verdict, Wanted, What, When};
use crate::policy::{decide, decide_request};
use crate::prelude::*;
use crate::scope::{
    Constraint, Readings, any_of, contains, eq, glob, has_all, has_any, json, max, not, prefix,
};
use crate::value::{Object, Value};

/// Some are cheap and some are dear; each is true of some values, false and unknown of others.
fn constraints() -> impl Strategy<Value = Constraint> {
    let leaf = prop_oneof![
        (0..4_i64).prop_map(eq),
        (0..4_i64).prop_map(max),
        Just(prefix("a")),
        Just(glob("*a*b*")),
        Just(contains("b")),
        Just(json(eq(1))),
        Just(has_any([1, 2])),
        Just(has_all(["a", "b"])),
        Just(any_of((0..20).map(eq))),
    ];
    prop_oneof![3 => leaf.clone(), 1 => leaf.prop_map(not)]
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (0..4_u8, constraints(), proptest::bool::ANY);
    vec(rule, 1..6).prop_map(|rules| {
        let rule = |(nth, (effect, constraint, other)): (usize, (u8, Constraint, bool))| {
            let id = format!("r{nth}");
            match (effect, other) {
                (0, _) => Rule::forbid(id).tool("t").arg("x", constraint),
                (_, true) => Rule::permit(id).tool("t").any_args(),
                (_, false) => Rule::permit(id).tool("t").arg("x", constraint),
            }
        };
        rules.into_iter().enumerate().map(rule).collect()
    })
}

fn arguments() -> impl Strategy<Value = Value> {
    let text = "[ab]{0,12}".prop_map(Value::from);
    let number = (0..6_i64).prop_map(Value::from);
    let one = prop_oneof![text, number, Just(Value::from("[1,1]"))];
    prop_oneof![one.clone(), vec(one, 0..14).prop_map(Value::List)]
}

fn policy(rules: impl IntoIterator<Item = Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

/// What rules say to one agent for one purpose, in no context.
struct Situation {
    agent: Identity,
    purpose: Purpose,
    context: Context,
    nothing: Value,
}

impl Situation {
    fn new() -> Self {
        let broker = Broker::new(policy([])).unwrap();
        Situation {
            agent: broker.assert_identity("agent").unwrap(),
            purpose: Purpose::new("errand"),
            context: Context::new(),
            nothing: Value::List(Vec::new()),
        }
    }

    fn setting<'s>(
        &'s self,
        moment: Moment,
        meter: &'s Meter,
        readings: &'s Readings<'s>,
    ) -> Setting<'s> {
        Setting {
            moment,
            who: &self.agent,
            purpose: self.purpose.checked().unwrap(),
            context: self.context.checked().unwrap(),
            seen: crate::policy::Seen::nothing(),
            now: crate::clock::Timestamp::MIN,
            now_text: None,
            meter,
            readings,
        }
    }

    /// Whether a call is permitted with this many steps.
    fn permits(&self, policy: &Policy, argument: &Value, steps: u64) -> bool {
        let args = Object::from_pairs([("x", argument.clone())]).unwrap();
        let labels = &self.nothing;
        let what = What { tool: "t", form: Form::Bearer, labels, args: &args, resource: None };
        let (meter, readings) = (Meter::of(steps), Readings::new());
        let setting = self.setting(Moment::Call, &meter, &readings);
        let verdict = decide(&policy.0, &Question { setting, what });
        matches!(meter.settle(Ok(verdict)), Ok(Verdict::Permit(_)))
    }

    /// Whether a scope is given with this many steps.
    fn gives(&self, policy: &Policy, constraint: &Constraint, steps: u64) -> bool {
        let scope = Scope::tool("t").arg("x", constraint.clone());
        let capabilities = scope.capabilities().unwrap();
        let (capability, labels, when) = (&capabilities[0], &self.nothing, When::Asked);
        let (meter, readings) = (Meter::of(steps), Readings::new());
        let setting = self.setting(Moment::Request, &meter, &readings);
        let wanted = Wanted { setting, capability, labels, when, is_first: true };
        let answer = decide_request(&policy.0, &wanted);
        matches!(meter.settle(Ok(answer)), Ok(Answer::Covered(_)))
    }
}

const ENOUGH: u64 = 4_000_000;

proptest! {
    /// P3: what is given with few steps is given with many.
    #[test]
    fn fewer_steps_never_give_more(
        rules in rules(), argument in arguments(), asked in constraints(), steps in 0..400_u64,
    ) {
        let here = Situation::new();
        let permits = rules.iter().filter(|rule| rule.effect() == Effect::Permit).cloned();
        let (permits, all) = (policy(permits), policy(rules.clone()));
        if here.permits(&all, &argument, steps) {
            prop_assert!(here.permits(&all, &argument, ENOUGH));
        }
        // A forbid that is not shown to contain all that is asked for acts at the calls.
        let steps = steps * 50;
        if here.gives(&all, &asked, steps) {
            prop_assert!(here.gives(&permits, &asked, ENOUGH));
        }
    }

    /// P5: wherever the steps are spent, with one more forbid there is no more to get.
    #[test]
    fn a_forbid_more_never_allows_more_whatever_it_takes(
        rules in rules(), forbidden in constraints(), argument in arguments(),
        asked in constraints(), steps in 0..400_u64,
    ) {
        let here = Situation::new();
        let forbid = Rule::forbid("more").tool("t").arg("x", forbidden);
        let before = policy(rules.clone());
        let after = policy(rules.into_iter().chain([forbid]));
        if here.permits(&after, &argument, steps) {
            prop_assert!(here.permits(&before, &argument, steps));
        }
        let steps = steps * 50;
        if here.gives(&after, &asked, steps) {
            prop_assert!(here.gives(&before, &asked, steps));
        }
    }

    /// P5: neither the order of rules nor what they are called decides whether steps last.
    #[test]
    fn in_another_order_rules_take_as_many_steps(
        rules in rules(), argument in arguments(), steps in 0..400_u64,
    ) {
        let here = Situation::new();
        let renamed = rules.iter().enumerate().map(|(nth, rule)| {
            Rule { id: format!("s{}", 9 - nth).into(), ..rule.clone() }
        });
        let (one, other) = (policy(rules.clone()), policy(renamed));
        prop_assert_eq!(
            here.permits(&one, &argument, steps),
            here.permits(&other, &argument, steps)
        );
    }
}
