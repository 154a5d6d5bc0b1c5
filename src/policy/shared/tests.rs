use super::*;
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::identity::{Assertion, Attestor};
use crate::policy::decision::RulesQuestion;
use crate::policy::{Effect, Policy};
use crate::purpose::Purpose;
use crate::scope::{eq, has_any, max};

/// Rules that end alike, each with a group and an argument of its own.
fn rules(count: u32) -> Vec<Rule> {
    let rule = |n: u32| {
        let own = Rule::permit(format!("r{n:03}")).tool("t").who_groups(has_any([format!("g{n}")]));
        own.arg("x", eq(n)).when("env", eq("prod")).when("risk", max(50))
    };
    (0..count).map(rule).collect()
}

fn built(rules: Vec<Rule>) -> Policy {
    Policy::builder().rules(rules).build().unwrap()
}

fn shared(policy: &Policy) -> Vec<&[Condition]> {
    policy.0.rules.iter().map(|rule| rule.conditions.shared()).collect()
}

#[test]
fn what_rules_end_in_is_kept_once_and_what_they_say_stays() {
    let policy = built(rules(FEWEST));
    let all = shared(&policy);
    assert!(all.iter().all(|own| own.len() == 2 && std::ptr::eq(*own, all[0])));
    for (own, built) in rules(FEWEST).iter().zip(&policy.0.rules) {
        assert!(own.conditions.iter().eq(built.conditions.iter()), "{own:?}");
        assert_eq!(own.conditions.len(), built.conditions.len());
    }
    // Too few to be worth it.
    assert!(shared(&built(rules(FEWEST - 1))).iter().all(|own| own.is_empty()));
}

#[test]
fn the_longest_end_that_enough_rules_have_is_shared() {
    let mut all = rules(FEWEST);
    all.extend((0..FEWEST).map(|n| Rule::forbid(format!("s{n}")).when("risk", max(50))));
    let policy = built(all);
    let lengths: Vec<usize> = shared(&policy).iter().map(|own| own.len()).collect();
    assert_eq!(lengths, [2, 2, 2, 2, 1, 1, 1, 1]);
}

/// The closed world is asked of a rule's own conditions.
#[test]
fn conditions_on_the_call_are_never_shared() {
    let rule =
        |n: u32| Rule::permit(format!("r{n}")).tool("t").when("env", eq("prod")).arg("x", eq(1));
    let policy = built((0..2 * FEWEST).map(rule).collect());
    assert!(shared(&policy).iter().all(|own| own.is_empty()));
    assert!(policy.0.rules.iter().all(|rule| rule.cover().names_argument("x")));
}

#[test]
fn a_rule_of_a_policy_can_be_said_more_of_and_built_again() {
    let policy = built(rules(FEWEST));
    let again: Vec<Rule> = policy.rules().cloned().map(|rule| rule.when("risk", max(9))).collect();
    let again = built(again);
    assert!(again.0.rules.iter().all(|rule| rule.conditions.len() == 4));
    assert_ne!(again.digest(), policy.digest());
    assert_eq!(built(policy.rules().cloned().collect()).digest(), policy.digest());
}

#[test]
fn rules_that_name_the_same_tools_keep_them_once() {
    let policy = built(rules(2));
    let named: Vec<&Arc<[Box<str>]>> = policy
        .0
        .rules
        .iter()
        .filter_map(|rule| if let Tools::Named(names) = &rule.tools { Some(names) } else { None })
        .collect();
    assert!(Arc::ptr_eq(named[0], named[1]));
}

/// What is kept once is asked of every rule, and told where it fails.
#[test]
fn a_condition_that_rules_share_is_asked_and_explained() {
    let who = Assertion::agent("a").group("g0");
    let (who, why) = (Attestor::of(0).attest(who).unwrap(), Purpose::new("p"));
    let call = Call::from_json("t", "{\"x\":0}").unwrap();
    let now = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap();
    let of = |env: Option<&str>, policy: &Policy| {
        let context = Context::new().with("risk", 10);
        let context = env.into_iter().fold(context, |all, env| all.with("env", env));
        let asked = RulesQuestion::first_call(&who, &why, &call, &context, now);
        let obstacles =
            asked.ask(&policy.0, |question| policy.0.rules[0].all_obstacles(question).len());
        let decision = policy.decide(&who, &why, &call, &context, now).unwrap();
        (decision.effect(), obstacles.unwrap())
    };
    let policy = built(rules(FEWEST));
    assert_eq!(shared(&policy)[0].len(), 2);
    assert_eq!(of(Some("prod"), &policy), (Some(Effect::Permit), 0));
    assert_eq!(of(Some("test"), &policy), (None, 1));
    assert_eq!(of(None, &policy), (None, 1));
    // A guard acts where it can't tell.
    let guards =
        (0..FEWEST).map(|n| Rule::forbid(format!("s{n}")).tool("t").when("env", eq("test")));
    let guarded = built(rules(FEWEST).into_iter().chain(guards).collect());
    assert_eq!(of(Some("prod"), &guarded), (Some(Effect::Permit), 0));
    assert_eq!(of(Some("test"), &guarded), (Some(Effect::Forbid), 1));
    assert_eq!(of(None, &guarded), (Some(Effect::Forbid), 1));
}
