//! What a server asks of the client: a server can imitate a prompt for approval.

use serde_json::{Value, json};

use crate::READING;
use crate::world::gated::{Gated, denials, of_kind, outcomes};

const ASKABLE: &str = r#"
    version = 1
    rule = [
        { id = "note", effect = "permit", what = { tool = "fs.note", args = "any" } },
        { id = "sample", effect = "permit", what = { tool = "mcp:sampling", args = { maxTokens = { max = 100 }, messages = "any" } } },
        { id = "elicit", effect = "permit", what = { tool = "mcp:elicitation", args = "any" } },
        { id = "roots", effect = "permit", what = { tool = "mcp:roots", args = "any" } },
    ]
"#;

/// A server that asks when its tool is called, and gives what it was answered.
fn asking(method: &str, params: Value) -> Value {
    let asked = json!({ "jsonrpc": "2.0", "id": "s1", "method": method, "params": params });
    json!({
        "tools/call fs.note": [asked.to_string()],
        "answer": [r#"{"jsonrpc":"2.0","id":"call","result":{"content":[]}}"#],
    })
}

fn calling(gated: &mut Gated) {
    gated.request("call", "tools/call", json!({ "name": "fs.note" }));
}

#[test]
fn what_no_rule_permits_a_server_does_not_ask() {
    for (method, expected) in [
        ("sampling/createMessage", json!({ "code": -1, "message": "denied: not_permitted" })),
        ("roots/list", json!({ "code": -1, "message": "denied: not_permitted" })),
        ("elicitation/create", json!({ "action": "decline" })),
        ("tools/call", json!({ "code": -32601, "message": "method not found" })),
    ] {
        let mut gated = Gated::begun(READING, &[], asking(method, json!({ "maxTokens": 5 })));
        calling(&mut gated);
        assert_eq!(gated.message()["id"], "call", "{method}: nothing else reaches the client");
        let left = gated.end();
        let answer: Value = serde_json::from_str(left.told.lines().rev().nth(1).unwrap()).unwrap();
        let told = answer.get("result").unwrap_or(&answer["error"]);
        assert_eq!((&answer["id"], told), (&json!("s1"), &expected), "{method}");
        let records = left.assert_nothing_stands();
        assert_eq!((denials(&records).len(), outcomes(&records)), (1, vec!["ok"]));
    }
}

#[test]
fn what_a_rule_permits_a_server_asks_and_its_outcome_is_on_record() {
    let messages = json!([{ "role": "user", "content": { "type": "text", "text": "hi" } }]);
    let params = json!({ "maxTokens": 50, "messages": messages, "_meta": { "progressToken": 1 } });
    let mut gated = Gated::begun(ASKABLE, &[], asking("sampling/createMessage", params.clone()));
    calling(&mut gated);
    let asked = gated.message();
    assert_eq!((&asked["method"], &asked["params"]), (&json!("sampling/createMessage"), &params));
    gated.send(r#"{"jsonrpc":"2.0","id":"s1","result":{"role":"assistant","model":"m"}}"#);
    // A second answer to the same is none.
    gated.send(r#"{"jsonrpc":"2.0","id":"s1","result":{"role":"assistant","model":"n"}}"#);
    assert_eq!(gated.message()["id"], "call");
    let left = gated.end();
    assert!(left.told.contains(r#""model":"m""#) && !left.told.contains(r#""model":"n""#));
    let records = left.assert_nothing_stands();
    let tools: Vec<&Value> =
        of_kind(&records, "permitted").iter().map(|own| &own["tool"]).collect();
    assert_eq!(
        (tools, outcomes(&records)),
        (vec![&json!("fs.note"), &json!("mcp:sampling")], vec!["ok", "ok"])
    );
}

#[test]
fn a_request_of_a_server_is_held_to_its_arguments() {
    let params = json!({ "maxTokens": 5000, "messages": [] });
    let mut gated = Gated::begun(ASKABLE, &[], asking("sampling/createMessage", params));
    calling(&mut gated);
    assert_eq!(gated.message()["id"], "call");
    let records = gated.end().assert_nothing_stands();
    assert_eq!(denials(&records), [("mcp:sampling".to_owned(), "not_covered".to_owned())]);
}

#[test]
fn a_refusal_of_the_client_and_a_server_that_takes_its_request_back_are_outcomes_too() {
    let mut gated =
        Gated::begun(ASKABLE, &[], asking("elicitation/create", json!({ "message": "ok?" })));
    calling(&mut gated);
    assert_eq!(gated.message()["method"], "elicitation/create");
    gated.send(r#"{"jsonrpc":"2.0","id":"s1","error":{"code":-1,"message":"no"}}"#);
    assert_eq!(gated.message()["id"], "call");
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["error", "ok"]);

    let cancels =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s1"}}"#;
    let mut script = asking("roots/list", json!({}));
    script["tools/call fs.note"].as_array_mut().unwrap().push(json!(cancels));
    let mut gated = Gated::begun(ASKABLE, &[], script);
    calling(&mut gated);
    assert_eq!(gated.message()["method"], "roots/list");
    assert_eq!(gated.message()["method"], "notifications/cancelled");
    gated.send(r#"{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}"#);
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let left = gated.end();
    assert!(!left.told.contains(r#""roots":[]"#), "{}", left.told);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted", "interrupted"]);
}

#[test]
fn notifications_that_are_known_pass_and_others_are_recorded() {
    let told = |method: &str| {
        json!({ "jsonrpc": "2.0", "method": method, "params": { "a": 1 } }).to_string()
    };
    let known =
        ["notifications/progress", "notifications/message", "notifications/tools/list_changed"];
    let script = json!({
        "ping": known.iter().chain(&["notifications/tasks/status", "sampling/createMessage"]).map(|own| told(own))
            .chain([r#"{"jsonrpc":"2.0","id":$ID,"result":{}}"#.to_owned()]).collect::<Vec<_>>(),
    });
    let mut gated = Gated::begun(ASKABLE, &[], script);
    gated.request(1, "ping", json!({}));
    for method in known {
        assert_eq!(gated.message()["method"], method);
    }
    assert_eq!(gated.message()["id"], 1);
    assert_eq!(denials(&gated.end().assert_nothing_stands()).len(), 2);
}

/// An error can have the client's user open an address, too.
#[test]
fn what_a_server_asks_for_within_an_error_is_gated() {
    let failing = |error: &str| {
        let line = format!(r#"{{"jsonrpc":"2.0","id":$ID,"error":{error}}}"#);
        json!({ "tools/call fs.note": [line] })
    };
    let asked =
        r#"{"mode":"url","elicitationId":"e","url":"https://acme.test","message":"Sign in"}"#;
    let url = |code: &str| {
        failing(&format!(
            r#"{{"code":{code},"message":"m","data":{{"elicitations":[{asked}]}},"Data":1}}"#
        ))
    };
    let mut gated = Gated::begun(ASKABLE, &[], url("-32042"));
    let error = gated.call("fs.note", json!({}));
    let expected: Value = serde_json::from_str(asked).unwrap();
    assert_eq!(
        error,
        json!({ "code": -32042, "message": "m", "data": { "elicitations": [expected] } })
    );
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["error", "ok"]);

    for script in [
        url("-32042"),
        url("-32042.0"),
        url("-3.2042e4"),
        failing(r#"{"code":-32042,"data":{"elicitations":1}}"#),
        failing(r#"{"code":-32042,"data":[]}"#),
        failing(r#"{"Code":-32042}"#),
        failing(r#"{"code":1,"code":2}"#),
    ] {
        let mut gated = Gated::begun(READING, &[], script.clone());
        let error = gated.call("fs.note", json!({}));
        assert_eq!(
            (&error["code"], error["data"].get("elicitations")),
            (&json!(-32010), None),
            "{script}"
        );
        assert_eq!(denials(&gated.end().assert_nothing_stands()).len(), 1, "{script}");
    }
    let mut gated =
        Gated::begun(READING, &[], failing(r#"{"code":-5,"message":"m","data":[1.50]}"#));
    assert_eq!(
        gated.call("fs.note", json!({})),
        json!({ "code": -5, "message": "m", "data": [1.5] })
    );
}

/// What a rule permits a server to ask is not a tool, whatever a client or a server calls it.
#[test]
fn a_reserved_name_is_never_that_of_a_tool() {
    let tools = r#"{"tools":[{"name":"mcp:sampling"},{"name":"mcp:roots"},{"name":"fs.note"}]}"#;
    let listed = format!(r#"{{"jsonrpc":"2.0","id":$ID,"result":{tools}}}"#);
    let mut gated = Gated::begun(ASKABLE, &[], json!({ "tools/list": [listed] }));
    let shown = gated.ask("tools/list", json!({}));
    assert_eq!(shown["tools"], json!([{ "name": "fs.note" }]));
    let result = gated.call("mcp:sampling", json!({ "maxTokens": 5, "messages": [] }));
    assert_eq!(result["content"][0]["text"], "denied: not_permitted");
    let left = gated.end();
    assert_eq!(left.calls(), [Value::Null; 0]);
    assert_eq!(denials(&left.assert_nothing_stands()).len(), 3);
}
