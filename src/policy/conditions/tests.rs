use super::*;
use crate::policy::Policy;
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
