//! Scopes from text and data: what is read, and what is refused where and why.

use hallpass::policy::{Policy, Rule};
use hallpass::scope::{MAX_SCOPE_TEXT, Scope, ScopeError, any, eq, max, min, present};
use serde_json::json;

fn complaint(json: &str) -> String {
    Scope::from_json(json).expect_err(json).to_string()
}

#[test]
fn a_scope_is_read_with_all_it_can_say() {
    let read = Scope::from_json(
        r#"[
            {"tool": "pay", "args": {"to": "CH93", "amount": {"min": 1, "max": 5}}, "other_args": "any"},
            {"tool": "read", "resource": {"type": "file", "id": "any", "attrs": {"owner": {"present": true}}}},
            {"tool": "list", "args": "any", "resource": "any"},
            {"tool": "now", "args": {}}
        ]"#,
    )
    .unwrap();
    let built = Scope::tool("pay")
        .arg("to", eq("CH93"))
        .arg("amount", min(1))
        .arg("amount", max(5))
        .other_args()
        .and_tool("read")
        .resource(eq("file"), any())
        .resource_attr("owner", present())
        .and_tool("list")
        .any_args()
        .any_resource()
        .and_tool("now");
    assert_eq!(read.to_value(), built.to_value());
}

/// attacks 31, 39
#[test]
fn what_is_no_scope_is_refused_where_it_is_wrong() {
    for (json, message) in [
        ("[]", "the scope is empty: name at least one tool"),
        ("{}", "line 1, column 1: expected a list, found a table: write `[{ … }]`"),
        ("[{}]", "line 1, column 2: `[0]`: `tool` is missing: name one tool"),
        (
            "[\"pay\"]",
            "line 1, column 2: `[0]`: expected a capability, a table with `tool`, found text",
        ),
        (
            "[{\"tool\": \"a b\"}]",
            "tool name `a b` has `\\u{20}` as character 2, expected letters a-z and A-Z, digits and `_.:/-`",
        ),
        ("[{\"tool\": \"any tool\"", "line 1, column 21: expected `,` or `}`"),
        ("[{\"tool\": \"t\", \"tool\": \"u\"}]", "line 1, column 16: key `tool` is given twice"),
        (
            "[{\"tool\": \"t\", \"arg\": {}}]",
            "line 1, column 16: `[0]`: `arg` is not a key here: did you mean `args`?",
        ),
        (
            "[{\"tool\": \"t\"},\n {\"tool\": \"t\", \"args\": {\"a\": {\"in\": []}}}]",
            "line 2, column 31: `[1].args.a`: `in` is not a kind of constraint: the word here is `one_of`",
        ),
        (
            "[{\"tool\": \"t\", \"args\": {\"a\": {\"one_of\": []}}}]",
            "line 1, column 41: `[0].args.a.one_of`: an empty list names nothing, and never means all",
        ),
        (
            "[{\"tool\": \"t\", \"args\": {\"a\": {}}}]",
            "line 1, column 30: `[0].args.a`: an empty constraint says nothing: write `\"any\"` if any value will do",
        ),
        (
            "[{\"tool\": \"t\", \"args\": \"all\"}]",
            "line 1, column 24: `[0].args`: expected \"any\", found `all`",
        ),
        (
            "[{\"tool\": \"t\", \"args\": null}]",
            "line 1, column 24: `[0].args`: expected a table of names and constraints such as `{ to = \"any\", amount = { max = 500 } }`, found null",
        ),
        (
            "[{\"tool\": \"t\", \"resource\": {\"id\": 1}}]",
            "line 1, column 28: `[0].resource`: `type` is missing: name it, or say `\"any\"`",
        ),
        (
            "[{\"tool\": \"t\", \"resource\": {\"type\": 1}}]",
            "line 1, column 28: `[0].resource`: `id` is missing: name it, or say `\"any\"`",
        ),
    ] {
        assert_eq!(complaint(json), message, "{json}");
    }
}

#[test]
fn any_arguments_beside_unnamed_ones_are_still_any_arguments() {
    let read = Scope::from_json(r#"[{"tool": "t", "args": "any", "other_args": "any"}]"#).unwrap();
    assert_eq!(read.to_value(), Scope::tool("t").any_args().to_value());
}

#[test]
fn a_scope_of_any_size_is_refused_early() {
    let long = format!("{}[]", " ".repeat(MAX_SCOPE_TEXT));
    assert_eq!(complaint(&long), "line 1, column 1: expected at most 262144 bytes of text");
    let deep = format!(
        "[{{\"tool\": \"t\", \"args\": {{\"a\": {}1{}}}}}]",
        "[".repeat(40),
        "]".repeat(40)
    );
    assert!(complaint(&deep).contains("at most 32 levels"), "{}", complaint(&deep));
    let many = vec![json!({"tool": "t"}); 129];
    let message = "the scope is too large: at most 128 capabilities of 128 conditions";
    assert_eq!(Scope::try_from(json!(many)).unwrap_err().to_string(), message);
    let named = |count: usize| -> serde_json::Map<_, _> {
        (0..count).map(|n| (n.to_string(), json!(1))).collect()
    };
    let error = Scope::try_from(json!([{"tool": "t", "args": named(129)}])).unwrap_err();
    assert_eq!(error.to_string(), "`[0].args`: expected at most 128 conditions");
    let resource = json!({"type": "file", "id": "any", "attrs": named(128)});
    let error = Scope::try_from(json!([{"tool": "t", "resource": resource}])).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn data_is_read_like_text_and_names_the_keys() {
    let error = Scope::try_from(json!([{"tool": "t", "args": {"a": {"gt": 1}}}])).unwrap_err();
    let message = "`[0].args.a`: `gt` is not a kind of constraint: the word here is `above`";
    assert_eq!(error.to_string(), message);
    let error = serde_json::from_value::<Scope>(json!([{"tool": "t", "args": {"a": {"gt": 1}}}]));
    assert_eq!(error.unwrap_err().to_string(), message);
}

/// Asked apart of a list, two constraints could be met by two different elements.
#[test]
fn two_constraints_on_one_argument_are_one_conjunction() {
    let apart = Scope::tool("t").arg("a", min(1)).arg("a", max(5));
    assert_eq!(apart, Scope::tool("t").arg("a", min(1).and(max(5))));
    assert_eq!(apart.to_value().to_json(), r#"[{"args":{"a":{"max":5,"min":1}},"tool":"t"}]"#);
    let digest = |rule: Rule| Policy::builder().rule(rule).build().unwrap().digest();
    let rule = || Rule::forbid("f").tool("t");
    assert_eq!(
        digest(rule().arg("a", min(1)).arg("a", max(5))),
        digest(rule().arg("a", min(1).and(max(5)))),
    );
}

/// attacks 118, 134
#[test]
fn what_an_agent_writes_cannot_forge_a_message() {
    let forged = "a`: fine\n\u{202e}permitted";
    for scope in [
        json!([{"tool": "t", "args": {forged: {"min": "1"}}}]),
        json!([{"tool": "t", "args": {"a": {forged: 1}}}]),
        json!([{"tool": "t", "args": {"a": {"same_as": forged}}}]),
        json!([{"tool": "t", "args": {"a": {"glob": forged}}}]),
        json!([{"tool": "t", forged: 1}]),
        json!([{"tool": forged}]),
        json!([{"tool": "t", "args": forged}]),
    ] {
        for error in [
            Scope::try_from(&scope).expect_err("read").to_string(),
            Scope::from_json(&scope.to_string()).expect_err("read").to_string(),
        ] {
            assert!(!error.contains(['\n', '\u{202e}']), "{error}");
            assert!(!error.contains("a`: fine"), "{error}");
        }
    }
}

/// attacks 12, 197: what no call can be called, nothing can be granted for.
#[test]
fn a_scope_does_not_name_what_no_call_can_have() {
    use hallpass::scope::{each, fields, json, not, same_as};
    let long = "n".repeat(129);
    for scope in [
        Scope::tool("t").arg("", any()),
        Scope::tool("t").arg("am\u{200b}ount", any()),
        Scope::tool("t").arg(&long, any()),
        Scope::tool("t").arg("a", each(fields([("b\u{202e}", any())]))),
        Scope::tool("t").arg("a", not(same_as("args.b\u{2060}"))),
        Scope::tool("t").arg("a", json(same_as("who.attrs.te\u{ad}am"))),
        Scope::tool("t").resource(any(), any()).resource_attr("own\u{feff}er", any()),
    ] {
        let error = scope.check().unwrap_err();
        assert!(matches!(error, ScopeError::Name { .. }), "{error}");
        assert!(!error.to_string().contains(['\u{200b}', '\u{202e}', '\u{2060}']), "{error}");
    }
    let message =
        Scope::from_json("[{\"tool\":\"t\",\"args\":{\"a\\u200bb\":1}}]").unwrap_err().to_string();
    assert_eq!(
        message,
        "`t`: no call has the argument `a\\u{200b}b`: the name is not plain text: it has control, zero-width or bidirectional characters"
    );
    // The keys of a JSON text are its own.
    assert_eq!(Scope::tool("t").arg("a", json(fields([("b\u{202e}", any())]))).check(), Ok(()));
    assert_eq!(Scope::tool("t").arg(&"n".repeat(128), any()).check(), Ok(()));
}
