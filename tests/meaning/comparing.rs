//! `same_as`, of what is not filled in.

use serde_json::{Value, json};

use crate::situation::Situation;

const NOTHING: [&str; 4] = ["null", "\"\"", "[]", "{}"];

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What a call with these two arguments comes to, if a rule compares the first with the second.
fn compared(effect: &str, constraint: &str, args: &Value) -> bool {
    let policy = match effect {
        "permit" => format!(
            "[[rule]]\nid = \"p\"\neffect = \"permit\"\non = [\"call\"]\n\
             what = {{ tool = \"t\", args = {{ a = {constraint} }}, other_args = \"any\" }}\n\
             [[rule]]\nid = \"ask\"\neffect = \"permit\"\non = [\"request\"]\n\
             what = {{ tool = \"t\", args = \"any\" }}\n"
        ),
        _ => format!(
            "[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = {{ tool = \"t\", args = \"any\" }}\n\
             [[rule]]\nid = \"f\"\neffect = \"forbid\"\non = [\"call\"]\n\
             what = {{ tool = \"t\", args = {{ a = {constraint} }} }}\n"
        ),
    };
    let situation = Situation::new(&policy);
    let grant = situation.request(&json!([{ "tool": "t", "args": "any" }])).unwrap();
    situation.call(&grant, &json!({ "tool": "t", "args": args })).is_ok()
}

/// attack 40: two things that are both not filled in are not the same, and not different either
#[test]
fn nothing_is_the_same_as_nothing() {
    let same = r#"{ same_as = "args.b" }"#;
    let other = r#"{ not = { same_as = "args.b" } }"#;
    let mut asked = vec![json!({}), json!({ "a": "x" }), json!({ "b": "x" })];
    for nothing in NOTHING.map(value) {
        asked.push(json!({ "a": nothing, "b": nothing }));
        asked.push(json!({ "a": nothing, "b": "x" }));
        asked.push(json!({ "a": "x", "b": nothing }));
        asked.push(json!({ "a": ["x", nothing], "b": nothing }));
    }
    for args in &asked {
        for constraint in [same, other] {
            assert!(!compared("permit", constraint, args), "{constraint} permits {args}");
            assert!(!compared("forbid", constraint, args), "{constraint} lets {args} pass");
        }
    }
    for (args, is_same) in [
        (json!({ "a": "x", "b": "x" }), true),
        (json!({ "a": 0, "b": 0 }), true),
        (json!({ "a": false, "b": false }), true),
        (json!({ "a": ["x"], "b": ["x"] }), true),
        (json!({ "a": { "p": "" }, "b": { "p": "" } }), true),
        (json!({ "a": "x", "b": "y" }), false),
        (json!({ "a": 0, "b": 1 }), false),
    ] {
        assert_eq!(compared("permit", same, &args), is_same, "{args}");
        assert_eq!(compared("permit", other, &args), !is_same, "{args}");
        assert_eq!(compared("forbid", same, &args), !is_same, "{args}");
        assert_eq!(compared("forbid", other, &args), is_same, "{args}");
    }
}

/// What is compared with who asks: an attribute that is stated and empty is none.
#[test]
fn an_attribute_that_is_stated_and_empty_is_the_same_as_no_argument() {
    use hallpass::prelude::Assertion;
    let policy = "[[rule]]\nid = \"p\"\neffect = \"permit\"\n\
        what = { tool = \"t\", args = { team = { same_as = \"who.attrs.team\" } } }\n";
    let scope = |own: &str| json!([{ "tool": "t", "args": { "team": { "eq": own } } }]);
    let empty = Situation::of(policy, Assertion::agent("ana").attr("team", ""));
    assert!(!empty.granted(&scope("")) && !empty.granted(&scope("red")));
    let red = Situation::new(policy);
    assert!(red.granted(&scope("red")) && !red.granted(&scope("")));
    let not = "[[rule]]\nid = \"p\"\neffect = \"permit\"\n\
        what = { tool = \"t\", args = { team = { not = { same_as = \"who.attrs.team\" } } } }\n";
    let red = Situation::new(not);
    assert!(red.granted(&scope("blue")) && !red.granted(&scope("red")) && !red.granted(&scope("")));
}
