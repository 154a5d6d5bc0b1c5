//! SPIFFE ids as go-spiffe, rust-spiffe and the standard judge them.

use std::path::PathBuf;

use hallpass::identity::SpiffeId;
use serde_json::Value;

/// Where this crate judges otherwise on purpose: input, what the others say, why.
const DELIBERATE: [(&str, bool, &str); 3] = [
    (
        "SpIfFe://Example.Org/path",
        true,
        "rust-spiffe folds case; go-spiffe refuses it; two spellings must never be two principals",
    ),
    (
        "spiffe://trustdomain./path",
        true,
        "to a resolver a trailing dot makes no other name, so it would be a second spelling",
    ),
    ("trustdomain", true, "a trust domain alone is no id, and nothing here takes one"),
];

fn corpus() -> Option<Value> {
    let Some(folder) = std::env::var_os("HALLPASS_CORPORA") else {
        println!("skipped: HALLPASS_CORPORA is not set");
        return None;
    };
    let file = PathBuf::from(folder).join("spiffe/spiffe_ids.json");
    let text = std::fs::read_to_string(&file).expect("the corpus is readable");
    Some(serde_json::from_str(&text).expect("the corpus is JSON"))
}

fn cases<'c>(corpus: &'c Value, part: &str) -> &'c [Value] {
    let cases = corpus[part].as_array().expect("a list of cases");
    assert!(!cases.is_empty(), "{part} has cases");
    cases
}

fn disagreements(judged: impl Iterator<Item = (String, bool)>) -> Vec<(String, bool)> {
    judged.filter(|(id, valid)| SpiffeId::parse(id).is_ok() != *valid).collect()
}

fn valid(case: &Value) -> bool {
    case["valid"].as_bool().expect("a verdict")
}

#[test]
fn ids_and_trust_domains_are_judged_as_elsewhere_but_for_the_listed_differences() {
    let Some(corpus) = corpus() else { return };
    let judged = ["ids", "trust_domains"].into_iter().flat_map(|part| cases(&corpus, part));
    let mut found = disagreements(
        judged.map(|case| (case["input"].as_str().expect("an input").to_owned(), valid(case))),
    );
    found.sort();
    found.dedup();
    let mut expected: Vec<_> =
        DELIBERATE.iter().map(|(id, valid, _)| ((*id).to_owned(), *valid)).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn path_segments_are_judged_as_elsewhere() {
    let Some(corpus) = corpus() else { return };
    let judged = cases(&corpus, "path_segments").iter().map(|case| {
        let segments = case["segments"].as_array().expect("segments");
        let path: String =
            segments.iter().map(|s| format!("/{}", s.as_str().expect("text"))).collect();
        (format!("spiffe://trustdomain{path}"), valid(case))
    });
    assert_eq!(disagreements(judged), []);
}
