//! Lists by their places: `items` and `rest`.

use hallpass::scope::Scope;
use serde_json::{Value, json};

use crate::situation::{Situation, forbids, permits};

fn argv(words: &[&str]) -> Value {
    json!(words)
}

const LOGS: &str = "{ items = [\"git\", { one_of = [\"log\", \"status\"] }], rest = { one_of = [\"--stat\", \"-n1\"] } }";

#[test]
fn a_command_is_permitted_word_by_word_in_order() {
    let values = [
        argv(&["git", "log"]),
        argv(&["git", "status", "--stat", "-n1"]),
        argv(&["log", "git"]),
        argv(&["git"]),
        argv(&[]),
        argv(&["git", "push"]),
        argv(&["git", "log", "--output=/x"]),
        json!("git log"),
        json!([["git"], "log"]),
        json!(["git", ["log", "push"]]),
        json!([null, "log"]),
    ];
    let passes = [true, true, false, false, false, false, false, false, true, false, false];
    assert_eq!(Situation::new(&permits(LOGS)).passes(&values), passes);
    // Doubt acts: a text that is not a list, and an element that is not a text.
    let refused = Situation::new(&forbids(LOGS)).passes(&values);
    assert_eq!(refused, [false, false, true, true, true, true, true, false, false, false, false]);
}

#[test]
fn without_rest_nothing_may_follow_and_whatever_follows_is_excluded() {
    let push = "{ items = [\"git\", \"push\"] }";
    let values = [
        argv(&["git", "push"]),
        argv(&["git", "push", "--force"]),
        argv(&["git", "pull"]),
        argv(&["git"]),
    ];
    assert_eq!(Situation::new(&permits(push)).passes(&values), [true, false, false, false]);
    assert_eq!(Situation::new(&forbids(push)).passes(&values), [false, false, true, true]);
    let but = format!("{{ all = [{{ items = [\"git\"], rest = \"any\" }}, {{ not = {push} }}] }}");
    assert_eq!(Situation::new(&permits(&but)).passes(&values), [false, false, true, true]);
    let open = "{ items = [\"git\", \"push\"], rest = \"any\" }";
    assert_eq!(Situation::new(&permits(open)).passes(&values), [true, true, false, false]);
}

#[test]
fn a_scope_of_words_lies_within_a_rule_of_words() {
    let rule = format!(
        "[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = {{ tool = \"t\", args = {{ x = {LOGS} }} }}\n"
    );
    let ana = Situation::new(&rule);
    let asked = |x: Value| ana.granted(&json!([{ "tool": "t", "args": { "x": x } }]));
    assert!(asked(json!({ "eq": ["git", "log", "--stat"] })));
    assert!(asked(json!({ "items": ["git", "log"] })));
    assert!(asked(json!({ "items": ["git", "log", "-n1"], "rest": { "eq": "--stat" } })));
    assert!(!asked(json!({ "items": ["git", "log"], "rest": "any" })));
    assert!(!asked(json!({ "items": ["git", "any"] })));
    assert!(!asked(json!({ "items": ["git"], "rest": { "one_of": ["log", "--stat"] } })));
    assert!(!asked(json!({ "eq": ["git", "push"] })));
    assert!(!asked(json!({ "each": { "one_of": ["git", "log"] } })));
    // And within what is asked of every element, or of how many there are.
    for (wide, within) in [
        ("{ each = { one_of = [\"git\", \"log\"] } }", true),
        ("{ count = 2 }", true),
        ("{ count = { min = 3 } }", false),
        ("{ items = [\"any\"], rest = { prefix = \"l\" } }", true),
        ("{ items = [\"git\"] }", false),
    ] {
        let rule = rule.replace(LOGS, wide);
        let granted = Situation::new(&rule)
            .granted(&json!([{ "tool": "t", "args": { "x": { "items": ["git", "log"] } } }]));
        assert_eq!(granted, within, "{wide}");
    }
}

#[test]
fn words_are_told_as_they_are_written() {
    let text = r#"[{"args":{"a":{"items":["any",{"prefix":"a"}],"rest":"any"}},"tool":"t"}]"#;
    assert_eq!(Scope::from_json(text).unwrap().to_string(), text);
    let many: Vec<&str> = vec!["x"; 65];
    let many = json!([{ "tool": "t", "args": { "a": { "items": many } } }]).to_string();
    assert!(Scope::from_json(&many).unwrap_err().to_string().contains("at most 64"));
}
