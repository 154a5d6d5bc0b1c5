//! P3: what is asked for exactly is given as its call would be: rules say the same of both.

use hallpass::Broker;
use hallpass::clock::ManualClock;
use hallpass::policy::{Effect, Moment};
use hallpass::prelude::*;
use hallpass::scope::ValueType;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::door::door;
use crate::model::{Question, Setting};
use crate::model_rules::{Says, applies, decide};
use crate::probe::{inside, of_permit, pinned};
use crate::universe::*;

/// Whether the scope of a call says all that a rule asks of it.
fn says_all(call: &CallSaid, rule: &RuleSaid) -> bool {
    let is_filled_in = |value: &V| ![V::Null, V::Text(String::new())].contains(value);
    let owner = call.resource.iter().flat_map(|own| own.attrs.values());
    let filled_in = call.args.values().chain(owner).all(is_filled_in);
    // A scope that says nothing of an attribute is of resources that have it, too.
    let mut facts = Vec::new();
    for (fact, constraint) in rule.conditions.iter().chain(rule.unless.iter().flatten()) {
        facts.push(format!("{fact:?}{constraint:?}"));
    }
    let owned = call.resource.as_ref().is_none_or(|own| own.attrs.contains_key("owner"));
    filled_in && (owned || !facts.iter().any(|fact| fact.contains("owner")))
}

proptest! {
    #![proptest_config(config(400))]

    /// P3: anyone who asks for exactly a call that would be permitted is given it.
    #[test]
    fn exactly_the_call_that_would_be_permitted_can_be_asked_for(
        permit in rules_of(Effect::Permit, 1),
        (who, why, context) in (whos(), whys(), contexts()),
        others in vec(calls(), 2..6),
    ) {
        let mut permit = permit;
        permit.moments = vec![Moment::Request, Moment::Call];
        permit.limits = LimitsSaid::default();
        (permit.from, permit.until) = (None, None);
        prop_assume!(!permit.looks_at_labels());
        let tool = match &permit.tools {
            ToolsSaid::Named(names) => names[0].clone(),
            _ => TOOLS[0].to_owned(),
        };
        let likely = of_permit(&permit).map(|own| inside(&own, &others)).unwrap_or_default();
        let policy = PolicySaid { catalogue: None, rules: vec![permit.clone()] };
        let broker =
            Broker::builder(policy.policy()).clock(ManualClock::new(at(0))).build().unwrap();
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let here = crate::spelling::context(&context);
        for call in others.into_iter().chain(likely) {
            let call = CallSaid { tool: tool.clone(), ..call };
            let setting = Setting {
                moment: Moment::Call,
                form: None,
                who: &who,
                why: &why,
                context: &context,
                history: &[],
                notes: &NO_NOTES,
                now: 0,
            };
            let question = Question { setting, call: &call, labels: &[] };
            if !says_all(&call, &permit) || !applies(&permit, &question) {
                continue;
            }
            let wanted = scope_of(std::slice::from_ref(&alone(&call)));
            let grant = task.request(wanted, &here);
            let denied = grant.as_ref().err().map(|denial| denial.explain().to_string());
            prop_assert_eq!(denied, None, "{:?} of {:?}", call, permit);
            let checked = broker.gate().check(grant.unwrap().token(), &caller, &call.call(), &here);
            prop_assert!(checked.is_ok(), "{:?}", call);
        }
    }
}

proptest! {
    #![proptest_config(config(400))]

    /// P3, P10: a guard refuses exactly the requests of exactly the calls that it would refuse.
    #[test]
    fn a_guard_says_of_exactly_a_call_what_it_says_of_the_call(
        guard in rules_of(Effect::Forbid, 1),
        (who, why, context) in (whos(), whys(), contexts()),
        others in vec(calls(), 2..6),
    ) {
        let mut guard = guard;
        guard.moments = vec![Moment::Request, Moment::Call];
        guard.form = None;
        (guard.from, guard.until) = (None, None);
        prop_assume!(!guard.looks_at_labels());
        let tool = match &guard.tools {
            ToolsSaid::Named(names) => names[0].clone(),
            _ => TOOLS[0].to_owned(),
        };
        let mut permit = door("all");
        permit.moments = vec![Moment::Request, Moment::Call];
        let policy = PolicySaid { catalogue: None, rules: vec![permit, guard.clone()] };
        let broker =
            Broker::builder(policy.policy()).clock(ManualClock::new(at(0))).build().unwrap();
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let here = crate::spelling::context(&context);
        for call in others {
            let call = CallSaid { tool: tool.clone(), ..call };
            if !says_all(&call, &guard) {
                continue;
            }
            let setting = Setting {
                moment: Moment::Call,
                form: None,
                who: &who,
                why: &why,
                context: &context,
                history: &[],
                notes: &NO_NOTES,
                now: 0,
            };
            let question = Question { setting, call: &call, labels: &[] };
            let grant = task.request(scope_of(std::slice::from_ref(&alone(&call))), &here);
            let told = grant.as_ref().err().map(Denial::reason);
            let expected = match decide(&policy, &question) {
                Says::Forbid(_) => Some(Reason::Forbidden),
                _ => None,
            };
            prop_assert_eq!(told, expected, "{:?} of {:?}", call, guard);
        }
    }
}

/// The capability of this call and of no list of what it has: a list of a value is asked for with the value.
fn alone(call: &CallSaid) -> CapabilitySaid {
    let mut own = pinned(call);
    let args = own.args.iter_mut().map(|(_, constraint)| constraint);
    let owner = own.resource.iter_mut().filter_map(|(_, _, owner)| owner.as_mut());
    for constraint in args.chain(owner) {
        let C::Eq(value) = constraint else { continue };
        let of = match value {
            V::Text(_) => ValueType::Text,
            V::Bool(_) => ValueType::Bool,
            V::Halves(_) => ValueType::Number,
            V::Null => ValueType::Null,
            V::Object(_) => ValueType::Object,
            V::List(_) => continue,
        };
        *constraint = C::All(vec![constraint.clone(), C::Type(of)]);
    }
    own
}
