use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::*;
use crate::broker::Broker;
use crate::policy::{ApprovalTerms, Effect, Per, Reviewers, Rule, Tool};
use crate::scope::{above, any as anything, eq, has_any, max, min, one_of, under};
use crate::spelling::ArgType;
use crate::testing::replay;
use crate::value::{Number, Object, Value};

fn sample() -> Policy {
    let leads = Reviewers::in_groups(has_any(["leads"]));
    let pay = Rule::permit("pay").who_groups(has_any(["payers"])).tool("bank.pay");
    Policy::builder()
        .tools([Tool::new("bank.pay"), Tool::new("file.read").arg("path", ArgType::Path)])
        .rules([
            pay.arg("amount", min(0).and(max(500))).arg("to", anything()).uses(3),
            Rule::ask("large")
                .tool("bank.pay")
                .arg("amount", above(400))
                .approval(ApprovalTerms::per(Per::Call).review(leads)),
            Rule::permit("read")
                .tool("file.read")
                .arg("path", under("/data"))
                .when("env", eq("prod")),
            Rule::forbid("secret").tool("file.read").arg("path", under("/data/secret")),
        ])
        .build()
        .unwrap()
}

fn drawn<S: Strategy>(strategy: &S, many: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..many).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn effect(policy: &Policy, own: &PolicyQuestion) -> Option<Effect> {
    let (who, call, at) = (own.who().unwrap(), own.call().unwrap(), own.at().unwrap());
    policy.decide(who, own.purpose(), call, own.context(), at).ok()?.effect()
}

#[test]
fn questions_are_permitted_asked_about_and_denied_each_in_many_ways() {
    let policy = sample();
    let all = drawn(&questions(&policy), 600);
    let mut effects: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for own in &all {
        *effects.entry(effect(&policy, own).map(Effect::as_str)).or_default() += 1;
    }
    let of = |effect: Option<&str>| effects.get(&effect).copied().unwrap_or_default();
    assert!(of(Some("permit")) >= 100 && of(None) >= 100, "{effects:?}");
    assert!(of(Some("ask")) >= 5 && of(Some("forbid")) >= 10, "{effects:?}");
    let calls: BTreeSet<String> =
        all.iter().map(|own| own.call().unwrap().args().to_json()).collect();
    assert!(calls.len() >= 60, "{}", calls.len());
}

#[test]
fn what_is_drawn_of_a_policy_can_be_attested_and_be_meant() {
    let policy = sample();
    let broker = Broker::new(policy.clone()).unwrap();
    for who in drawn(&identities(&policy), 100) {
        assert!(broker.assert_identity(who).is_ok());
    }
    let scopes = drawn(&scopes(&policy), 200);
    assert!(scopes.iter().all(|own| own.check().is_ok()));
    assert!(scopes.iter().any(|own| own.len() == 3));
    let calls = drawn(&calls(&policy), 100);
    assert!(calls.iter().any(|own| own.tool() == "file.read"));
    assert!(calls.iter().any(|own| own.tool() == "bank.pay"));
}

/// Some are given, some are not.
#[test]
fn scopes_are_near_to_what_is_given() {
    let policy = sample();
    let broker = Broker::new(policy.clone()).unwrap();
    let who = Assertion::agent("a").group("payers");
    let who = broker.assert_identity(who).unwrap();
    let mut given = 0;
    for scope in drawn(&scopes(&policy), 200) {
        let task = broker.open(&who, crate::Purpose::new("errand")).unwrap();
        let context = crate::Context::new().with("env", "prod");
        given += usize::from(task.request(scope, &context).is_ok());
    }
    assert!((20..=180).contains(&given), "{given} of 200");
}

#[test]
fn lives_are_answered_as_they_expect_and_calls_in_them_are_permitted_and_denied() {
    let policy = sample();
    let mut answers = String::new();
    for life in drawn(&lives(&policy), 100) {
        answers += &replay(&policy, life.trace());
    }
    let many = |text: &str| answers.matches(text).count();
    assert!(many(r#""op":"call","decision":"permit""#) >= 20, "{answers}");
    assert!(many(r#""op":"finish""#) >= 5 && many(r#""op":"drop""#) >= 5);
    let (over, halted) = (many("task_over"), many(r#""reason":"halted""#));
    assert!(over >= 40 && halted >= 1, "{over} {halted}");
    assert!(many(r#""op":"request","decision":"deny""#) >= 20);
}

#[test]
fn a_life_that_expects_too_much_is_told() {
    let policy = sample();
    let life = drawn(&lives(&policy), 1).remove(0);
    assert_eq!(life.to_string(), life.trace());
    let wrong = life.trace().replace(r#""grants":[]"#, r#""grants":["g"]"#);
    let replayed = std::panic::catch_unwind(|| replay(&policy, &wrong));
    assert!(replayed.is_err());
}

#[test]
fn a_failure_shrinks_to_a_question_without_what_has_nothing_to_do_with_it() {
    let policy = sample();
    let config = Config { cases: 1_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let most = Value::Number(Number::from(500_u64));
    let failed = runner.run(&questions(&policy), |own| {
        let amount = own.call().unwrap().args().object().get("amount");
        prop_assert!(amount.is_none_or(|own| *own <= most || own.as_number().is_none()));
        Ok(())
    });
    let Err(TestError::Fail(_, question)) = failed else { panic!("more is drawn, too") };
    let who = question.who().unwrap();
    assert!(who.in_group("payers") && who.groups().len() == 1, "{question:?}");
}

#[test]
fn what_is_left_out_of_what_is_not_there_makes_nothing() {
    let place = ["who", "attrs", "risk"];
    let mut object = Object::new();
    edit::put(&mut object, &place, None);
    assert_eq!(object.to_json(), "{}");
    edit::put(&mut object, &place, Some(Value::from(1)));
    assert_eq!(object.to_json(), r#"{"who":{"attrs":{"risk":1}}}"#);
    edit::put(&mut object, &place, None);
    assert_eq!(object.to_json(), r#"{"who":{"attrs":{}}}"#);
}

#[test]
fn policies_load_and_are_of_many_kinds() {
    let all = drawn(&policies(), 200);
    let digests: BTreeSet<String> = all.iter().map(|own| own.digest().to_string()).collect();
    assert!(digests.len() >= 150, "{}", digests.len());
    let rules: Vec<&Rule> = all.iter().flat_map(Policy::rules).collect();
    for effect in [Effect::Permit, Effect::Ask, Effect::Forbid] {
        assert!(rules.iter().filter(|own| own.effect() == effect).count() >= 40);
    }
    let excepted = rules.iter().filter(|own| !own.exceptions.is_empty()).count();
    let windowed = rules.iter().filter(|own| own.limits.uses_within.is_some()).count();
    assert!(excepted >= 40 && windowed >= 20, "{excepted} {windowed}");
    let given = all.iter().map(|own| Policy::builder().build().unwrap().diff(own));
    assert!(given.filter(|own| own.wider().witnesses().len() > 0).count() >= 100);
}

#[test]
fn of_a_policy_that_permits_nothing_questions_are_drawn_too() {
    let policy = Policy::builder().rule(Rule::forbid("f").tool("t").arg("a", one_of([1, 2])));
    let policy = policy.build().unwrap();
    let all = drawn(&questions(&policy), 50);
    assert!(all.iter().any(|own| effect(&policy, own) == Some(Effect::Forbid)));
    let life = drawn(&lives(&Policy::builder().build().unwrap()), 1).remove(0);
    replay(&policy, life.trace());
}
