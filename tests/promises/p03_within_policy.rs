//! P3: a grant never exceeds the policy. What a request is given for lies, call by call, within one
//! permit; a call in scope is refused only by what is asked at the call; none outside it is permitted.

use hallpass::clock::ManualClock;
use hallpass::policy::{Effect, Moment};
use hallpass::prelude::*;
use hallpass::scope::{all_of, eq, max, one_of};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Question, Setting};
use crate::model_rules::{Says, covers, decide, on_call};
use crate::probe::{inside, of_permit};
use crate::random_constraints::constraints;
use crate::universe::*;

/// A permit without conditions on who, why or when, and a capability that is near to what it says.
fn near() -> BoxedStrategy<(RuleSaid, CapabilitySaid)> {
    let more = (constraints(), 0..6u8);
    (rules_of(Effect::Permit, 1), capabilities(), vec(more, 3), any::<bool>())
        .prop_map(|(mut permit, other, changes, as_said)| {
            let on_setting = |fact: &F| {
                !matches!(fact, F::Arg(_) | F::ResourceType | F::ResourceId | F::ResourceAttr(_))
            };
            permit.conditions.retain(|(fact, _)| !on_setting(fact));
            permit.unless.retain(|own| !own.iter().any(|(fact, _)| on_setting(fact)));
            permit.moments = vec![Moment::Request, Moment::Call];
            permit.limits = LimitsSaid::default();
            (permit.from, permit.until) = (None, None);
            permit.tools = ToolsSaid::Named(vec![TOOLS[0].into()]);
            let mut capability = of_permit(&permit).unwrap_or(other);
            capability.tool = TOOLS[0].into();
            if !as_said {
                for ((_, c), (change, how)) in capability.args.iter_mut().zip(changes) {
                    *c = match how {
                        0 => C::All(vec![c.clone(), change]),
                        1 => C::AnyOf(vec![c.clone(), change]),
                        2 => change,
                        3 => C::Not(Box::new(C::Not(Box::new(c.clone())))),
                        4 => C::Each(Box::new(c.clone())),
                        _ => c.clone(),
                    };
                    if !c.is_sound() {
                        *c = C::Any;
                    }
                }
            }
            (permit, capability)
        })
        .boxed()
}

fn why() -> WhySaid {
    WhySaid { name: "reporting".into(), ticket: None }
}

fn question<'q>(call: &'q CallSaid, who: &'q WhoSaid, why: &'q WhySaid) -> Question<'q> {
    static NO_CONTEXT: ContextSaid = ContextSaid::new();
    let setting = Setting {
        moment: Moment::Call,
        form: None,
        who,
        why,
        context: &NO_CONTEXT,
        history: &[],
        notes: &NO_NOTES,
        now: 0,
    };
    Question { setting, call, labels: &[] }
}

proptest! {
    #![proptest_config(config(500))]

    /// P3: "contained" is never said of a capability with a call in it that no one permit permits.
    #[test]
    fn a_capability_is_never_covered_while_a_call_in_it_is_not(
        (permit, capability) in near(),
        other in proptest::option::of(rules_of(Effect::Permit, 1)),
        more in vec(calls(), 4..10),
    ) {
        let mut rules = vec![permit];
        if let Some(mut other) = other.filter(|rule| !rule.looks_at_labels()) {
            other.id = "other".into();
            rules.push(other);
        }
        let policy = PolicySaid { catalogue: None, rules };
        let broker =
            Broker::builder(policy.policy()).clock(ManualClock::new(at(0))).build().unwrap();
        let (who, why) = (robot(), why());
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let wanted = scope_of(std::slice::from_ref(&capability));
        let Ok(grant) = task.request(wanted, &hallpass::Context::new()) else { return Ok(()) };
        let within = inside(&capability, &more);
        let covered: Vec<&CallSaid> =
            within.iter().filter(|call| covers(&capability, &question(call, &who, &why))).collect();
        for id in grant.rules() {
            let rule = policy.rules.iter().find(|rule| rule.id == id).unwrap();
            for call in &covered {
                prop_assert!(
                    on_call(rule, &question(call, &who, &why)),
                    "`{}` is said to cover {:?}, and not {:?}", id, capability, call
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(config(128))]

    /// P3: the grant's scope is exactly what was asked for, whatever today's rules add to that.
    #[test]
    fn in_scope_only_rules_deny_and_outside_of_it_nothing_is_permitted(
        (permit, capability) in near(),
        today in vec(rules(2), 0..5),
        who in whos(),
        more in vec(calls(), 4..10),
    ) {
        let mut policy = PolicySaid { catalogue: None, rules: vec![permit] };
        for (at, mut rule) in today.into_iter().filter(|rule| !rule.looks_at_labels()).enumerate() {
            rule.id = format!("today{at}");
            // Decides at the call alone.
            rule.moments = vec![Moment::Call];
            policy.rules.push(rule);
        }
        let broker =
            Broker::builder(policy.policy()).clock(ManualClock::new(at(0))).build().unwrap();
        let why = why();
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let wanted = scope_of(std::slice::from_ref(&capability));
        let Ok(grant) = task.request(wanted, &hallpass::Context::new()) else { return Ok(()) };
        for call in inside(&capability, &more).iter().chain(&more) {
            let question = question(call, &who, &why);
            let answer =
                broker.gate().check(grant.token(), &caller, &call.call(), &hallpass::Context::new());
            let reason = answer.err().map(|denial| denial.reason());
            let expected = if covers(&capability, &question) {
                match decide(&policy, &question) {
                    Says::Permit(_) => None,
                    Says::Ask(_) => Some(Reason::ApprovalRequired),
                    Says::Forbid(_) => Some(Reason::Forbidden),
                    Says::NoPermit => Some(Reason::NoPermit),
                }
            } else {
                Some(Reason::OutOfScope)
            };
            prop_assert_eq!(reason, expected, "{:?}", call);
        }
    }
}

/// P3: of one subject attested twice, the requester is not left out for having the holder's name.
#[test]
fn a_holder_with_the_requesters_name_does_not_stand_in_for_the_requester() {
    use hallpass::prelude::*;
    use hallpass::scope::has_any;

    let policy = Policy::builder()
        .rule(Rule::permit("all").any_tool().any_args())
        .rule(Rule::forbid("not-the-suspended").who_groups(has_any(["suspended"])))
        .build()
        .unwrap();
    let broker = Broker::new(policy).unwrap();
    let now = broker.assert_identity(Assertion::agent("robot").group("suspended")).unwrap();
    let before = broker.assert_identity("robot").unwrap();
    let task = broker.open(&now, Purpose::new("p")).unwrap();
    let scope = || Scope::tool("t").any_args();
    let denial = task.request_for(&before, scope(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
    let other = broker.open(&before, Purpose::new("p")).unwrap();
    assert!(other.request(scope(), &Context::new()).is_ok());
}

/// A forbid of calls whose resource has an owner is none of calls without a resource.
#[test]
fn a_forbid_that_cannot_act_on_any_call_asked_for_does_not_refuse_the_request() {
    use hallpass::prelude::*;
    use hallpass::scope::{eq, present};

    let policy = |forbidden| {
        Policy::builder()
            .rule(Rule::permit("all").any_tool().any_args())
            .rule(Rule::forbid("owned").resource_attr("owner", forbidden))
            .build()
            .unwrap()
    };
    let request = |policy| {
        let broker = Broker::new(policy).unwrap();
        let caller = broker.assert_identity("robot").unwrap();
        let task = broker.open(&caller, Purpose::new("p")).unwrap();
        task.request(Scope::tool("t").any_args(), &Context::new()).map(drop)
    };
    assert!(request(policy(present())).is_ok());
    // What the owner is can't be told: there is none.
    assert_eq!(request(policy(eq("eve"))).unwrap_err().reason(), Reason::Forbidden);
}

/// P3: a permit of one value is found for a set of values that something else narrows to it.
#[test]
fn what_is_covered_of_a_set_of_values_is_given() {
    let permit = Rule::permit("b").tool("t").arg("x", eq("b"));
    let broker = Broker::new(Policy::builder().rule(permit).build().unwrap()).unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let task = broker.open(&caller, Purpose::new("p")).unwrap();
    let set = || Scope::tool("t").arg("x", one_of(["a", "b"]));
    let (_grant, cuts) = task.request_trimmed(set(), &Context::new()).unwrap();
    assert_eq!(cuts.len(), 1);
    let narrowed = all_of([one_of(["a", "b"]), eq("b")]);
    let grant = task.request(Scope::tool("t").arg("x", narrowed), &Context::new()).unwrap();
    assert!(grant.rules().eq(["b"]));
}

/// P3: where nothing is left of what was asked for, there is no grant, not even one of nothing.
#[test]
fn a_request_of_which_no_call_is_left_is_denied() {
    let closed = Rule::permit("closed").tool("t").arg("y", max(1));
    let other = Rule::permit("other").tool("t").purpose(eq("p")).arg("x", eq("b")).other_args();
    let policy = Policy::builder().rules([closed, other]).build().unwrap();
    let broker = Broker::new(policy).unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let task = broker.open(&caller, Purpose::new("p")).unwrap();
    let trimmed = |scope: Scope| task.request_trimmed(scope, &Context::new());
    // One permit is closed to `x`, which is needed, and the other wants it to be something else.
    let scope = Scope::tool("t").arg("x", eq("a")).arg("y", max(1));
    assert_eq!(trimmed(scope).unwrap_err().reason(), Reason::NotCovered);
    let (_grant, cuts) = trimmed(Scope::tool("t").arg("y", max(5))).unwrap();
    assert_eq!(cuts.len(), 1);
}
