//! `type`: what kind of value, a list among them.

use serde_json::{Value, json};

use crate::situation::{Situation, forbids, permits};

/// One of each type, and what is near to it.
fn values() -> Vec<Value> {
    vec![
        json!("a"),
        json!(""),
        json!(1),
        json!(1.5),
        json!(true),
        json!(["a"]),
        json!([]),
        json!({ "a": 1 }),
        json!({}),
        json!(null),
    ]
}

/// Of a value that is there, a type is always known: a permit and a forbid say the opposite of each other.
#[test]
fn each_value_is_of_its_type() {
    for (word, is) in [
        ("text", [true, true, false, false, false, false, false, false, false, false]),
        ("number", [false, false, true, true, false, false, false, false, false, false]),
        ("integer", [false, false, true, false, false, false, false, false, false, false]),
        ("bool", [false, false, false, false, true, false, false, false, false, false]),
        ("list", [false, false, false, false, false, true, true, false, false, false]),
        ("object", [false, false, false, false, false, false, false, true, true, false]),
        ("null", [false, false, false, false, false, false, false, false, false, true]),
    ] {
        let plain = format!("{{ type = \"{word}\" }}");
        let not = format!("{{ not = {plain} }}");
        let opposite = is.map(|own| !own);
        assert_eq!(Situation::new(&permits(&plain)).passes(&values()), is, "{plain}");
        assert_eq!(Situation::new(&permits(&not)).passes(&values()), opposite, "{not}");
        assert_eq!(Situation::new(&forbids(&plain)).passes(&values()), opposite, "{plain}");
        assert_eq!(Situation::new(&forbids(&not)).passes(&values()), is, "{not}");
    }
}

/// Next to kinds that are asked of each element, too, it looks at the list itself.
#[test]
fn a_list_can_be_excluded_and_asked_for() {
    let asked = [
        json!("a"),
        json!("b"),
        json!(["a"]),
        json!(["a", "b"]),
        json!([]),
        json!([["a"]]),
        json!(1),
    ];
    for (x, permitted, let_pass) in [
        (
            r#"{ prefix = "a", type = "text" }"#,
            [true, false, false, false, false, false, false],
            [false, true, true, true, true, true, true],
        ),
        (
            r#"{ prefix = "a", type = "list" }"#,
            [false, false, true, false, false, true, false],
            [true, true, false, false, true, false, true],
        ),
        (
            r#"{ prefix = "a", not = { type = "list" } }"#,
            [true, false, false, false, false, false, false],
            [false, true, true, true, true, true, false],
        ),
        (
            r#"{ type = "list", each = { type = "text" } }"#,
            [false, false, true, true, false, false, false],
            [true, true, false, false, true, true, true],
        ),
        (
            r#"{ any = [{ type = "list" }, { eq = "b" }] }"#,
            [false, true, true, true, false, true, false],
            [true, false, false, false, true, false, false],
        ),
    ] {
        assert_eq!(Situation::new(&permits(x)).passes(&asked), permitted, "{x} permits");
        assert_eq!(Situation::new(&forbids(x)).passes(&asked), let_pass, "{x} lets pass");
    }
}

#[test]
fn what_is_asked_for_lies_within_a_type_or_does_not() {
    let policy = |x: &str| {
        format!(
            "[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = {{ tool = \"t\", args = {{ x = {x} }} }}\n"
        )
    };
    let text = r#"{ type = "text", prefix = "a" }"#;
    let number = r#"{ type = "number" }"#;
    let integer = r#"{ type = "integer", min = 0 }"#;
    let optional = r#"{ any = [{ not = { type = "null" } }, { present = false }] }"#;
    for (x, asked, granted) in [
        (text, json!({ "eq": "ab", "type": "text" }), true),
        (text, json!("ab"), false),
        (text, json!({ "type": "text", "glob": "a*" }), true),
        (text, json!({ "glob": "a*" }), false),
        (text, json!({ "glob": "a*", "not": { "type": "list" } }), true),
        (text, json!({ "eq": ["ab"] }), false),
        (number, json!({ "type": "integer" }), true),
        (number, json!({ "type": "number", "max": 3 }), true),
        (number, json!({ "max": 3 }), false),
        (integer, json!({ "type": "integer", "min": 1, "max": 3 }), true),
        (integer, json!({ "type": "number", "min": 1, "max": 3 }), false),
        (integer, json!({ "type": "number", "one_of": [1, 2.0] }), true),
        (integer, json!({ "type": "number", "one_of": [1, 2.5] }), false),
        (r#"{ type = "list" }"#, json!({ "count": 2 }), true),
        (r#"{ type = "list" }"#, json!({ "each": "any" }), true),
        (
            r#"{ type = "object" }"#,
            json!({ "fields": { "a": "any" }, "not": { "type": "list" } }),
            true,
        ),
        (optional, json!("any"), true),
        (optional, json!({ "present": false }), true),
        ("\"any\"", json!({ "type": "list" }), true),
        (r#"{ present = true }"#, json!({ "type": "bool" }), true),
        (r#"{ present = true }"#, json!({ "type": "text" }), false),
    ] {
        let scope = json!([{ "tool": "t", "args": { "x": asked } }]);
        assert_eq!(Situation::new(&policy(x)).granted(&scope), granted, "{asked} within {x}");
    }
}

/// A type that there is not is refused with those that there are.
#[test]
fn an_unknown_type_does_not_load() {
    for (word, told) in [
        ("string", "the word here is `text`"),
        ("boolean", "the word here is `bool`"),
        ("array", "the word here is `list`"),
        ("int", "`integer`"),
        ("", "expected one of `text`, `number`, `integer`, `bool`, `list`, `object`, `null`"),
    ] {
        let policy = format!("version = 1\n{}", permits(&format!("{{ type = \"{word}\" }}")));
        let error = hallpass::policy::Policy::from_toml(&policy).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
