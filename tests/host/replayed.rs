//! Traces in a host's own test suite.

use std::panic::catch_unwind;

use hallpass::Policy;
use hallpass::testing::replay;

const POLICY: &str = r#"
    version = 1
    [[rule]]
    id     = "adders"
    effect = "permit"
    what   = { tool = "add", args = { a = { max = 9 } } }
"#;

/// What a replay of these lines after the header says where it fails.
fn failure(lines: &str) -> String {
    let policy = Policy::from_toml(POLICY).unwrap();
    let header = r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}"#;
    let trace = format!("{header}\n{lines}");
    let failed = catch_unwind(|| replay(&policy, &trace)).unwrap_err();
    failed.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_trace_of_the_examples_is_answered_as_it_expects() {
    let policy = Policy::from_toml(include_str!("../../examples/data/banking.toml")).unwrap();
    let answers = replay(&policy, include_str!("../../examples/data/banking.jsonl"));
    assert_eq!(answers, include_str!("../../examples/data/banking.answers.jsonl"));
}

#[test]
fn what_is_answered_otherwise_than_expected_fails_and_is_explained() {
    let told = failure(
        r#"
        {"op":"open","task":"t","who":"a","purpose":"sums"}
        {"op":"request","task":"t","as":"g","scope":[{"tool":"add","args":{"a":{"max":10}}}],
         "expect":{"decision":"permit"}}"#
            .replace("\n         ", "")
            .as_str(),
    );
    assert!(told.contains("trace:4: expected `decision` to be"), "{told}");
    assert!(told.contains("nearest permit `adders`"), "{told}");
}

#[test]
fn what_cannot_be_read_fails_with_its_line() {
    assert!(failure(r#"{"op":"cal"}"#).contains("trace:2: unknown op `cal`"));
    assert!(
        failure(r#"{"op":"reload","policy":"none.toml"}"#).contains("policy `none.toml`: can't")
    );
}
