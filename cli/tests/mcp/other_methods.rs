//! Methods that are not tools: known ones are asked for under a reserved name, unknown ones are refused.

use serde_json::{Value, json};

use crate::READING;
use crate::world::gated::{Gated, denials, of_kind};

const RESOURCES: &str = r#"
    version = 1
    [[rule]]
    id = "docs"
    effect = "permit"
    what = { tool = "mcp:resources/read", args = { uri = { prefix = "doc://public/" } } }
    [[rule]]
    id = "greeting"
    effect = "permit"
    what = { tool = "mcp:prompts/get", args = { name = "greeting", arguments = "any" } }
"#;

#[test]
fn resources_and_prompts_are_asked_for_under_reserved_names() {
    let mut gated = Gated::begun(RESOURCES, &[], json!({}));
    assert_eq!(gated.ask("resources/read", json!({ "uri": "doc://public/a" })), json!({}));
    for params in [
        json!({ "uri": "doc://private/a" }),
        json!({ "uri": "doc://public/a", "URI": "doc://private/a" }),
        json!({}),
    ] {
        let error = gated.ask("resources/read", params);
        assert_eq!(
            (&error["code"], &error["data"]["code"]),
            (&json!(-32010), &json!("not_permitted"))
        );
    }
    let prompt = json!({ "name": "greeting", "arguments": { "to": "ada" } });
    assert_eq!(gated.ask("prompts/get", prompt), json!({}));
    assert_eq!(gated.ask("prompts/get", json!({ "name": "other" }))["code"], -32010);
    let left = gated.end();
    assert!(!left.told.contains("private") && !left.told.contains("other"), "{}", left.told);
    let records = left.assert_nothing_stands();
    let tools: Vec<&Value> =
        of_kind(&records, "permitted").iter().map(|own| &own["tool"]).collect();
    assert_eq!(tools, ["mcp:resources/read", "mcp:prompts/get"]);
}

#[test]
fn what_could_never_be_had_is_not_listed() {
    let resources =
        r#"{"jsonrpc":"2.0","id":$ID,"result":{"resources":[{"uri":"doc://public/a"}]}}"#;
    let script = || json!({ "resources/list": [resources] });
    let mut gated = Gated::begun(READING, &[], script());
    for (method, list) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        assert_eq!(gated.ask(method, json!({})), json!({ list: [] }));
    }
    let left = gated.end();
    assert!(!left.told.contains("/list"), "{}", left.told);
    let mut gated = Gated::begun(RESOURCES, &[], script());
    assert_eq!(gated.ask("resources/list", json!({}))["resources"][0]["uri"], "doc://public/a");
    gated.end().assert_nothing_stands();
}

/// A policy that permits everything does not know what a method of tomorrow does.
#[test]
fn a_method_that_the_revision_does_not_know_is_refused_and_recorded_whatever_the_policy() {
    let policy = "version = 1\nrule = [{ id = \"all\", effect = \"permit\", what = { tool = \"any\", args = \"any\" } }]";
    let mut gated = Gated::begun(policy, &[], json!({}));
    let unknown =
        ["tasks/get", "tasks/result", "server/discover", "subscriptions/listen", "tools/Call", "x"];
    for method in unknown {
        assert_eq!(gated.ask(method, json!({ "name": "fs.note" }))["code"], -32601, "{method}");
        gated.tell(method, json!({}));
        gated.tell(&format!("notifications/{method}"), json!({}));
    }
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let left = gated.end();
    assert_eq!(
        left.told.lines().filter(|line| line.contains("jsonrpc")).count(),
        3,
        "{}",
        left.told
    );
    let denied = denials(&left.assert_nothing_stands());
    assert_eq!(denied.len(), 3 * unknown.len());
    assert_eq!(denied[0], ("mcp:tasks/get".to_owned(), "unknown_tool".to_owned()));
}

#[test]
fn a_session_begins_with_a_handshake_once() {
    let mut gated =
        Gated::new(READING, &[], crate::world::gated::with_handshake(json!({}), "2025-06-18"));
    assert_eq!(gated.ask("tools/list", json!({}))["code"], -32600);
    assert_eq!(gated.ask("tools/call", json!({ "name": "fs.note" }))["code"], -32600);
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let result = gated.shake_hands("2025-06-18");
    assert_eq!(result["capabilities"], json!({ "tools": {} }), "what is not gated is not offered");
    assert_eq!(gated.ask("initialize", json!({}))["code"], -32600);
    assert_eq!(gated.call("fs.note", json!({})), json!({}));
    let left = gated.end();
    let first: Value = serde_json::from_str(left.told.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        first["params"]["capabilities"],
        json!({}),
        "nothing that is never permitted is offered"
    );
}

#[test]
fn a_revision_that_is_not_known_begins_no_session() {
    let script = crate::world::gated::with_handshake(json!({}), "2031-01-01");
    let mut gated = Gated::new(READING, &[], script);
    let error =
        gated.ask("initialize", json!({ "protocolVersion": "2031-01-01", "capabilities": {} }));
    assert!(error["message"].as_str().unwrap().contains("does not know"), "{error}");
    assert_eq!(gated.ended().code, Some(2));
}
