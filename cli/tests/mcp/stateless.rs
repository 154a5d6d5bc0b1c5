//! Revision `2026-07-28`: requests that state their revision themselves, and servers that ask within results.

use serde_json::{Value, json};

use crate::READING;
use crate::world::gated::{Gated, denials, of_kind, outcomes};

const POLICY: &str = r#"
    version = 1
    rule = [
        { id = "note", effect = "permit", what = { tool = "fs.note", args = "any" } },
        { id = "elicit", effect = "permit", what = { tool = "mcp:elicitation", args = { message = { prefix = "Which" }, requestedSchema = "any" } } },
    ]
"#;

fn stated(mut params: Value, revision: &str) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": revision,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

fn ask(gated: &mut Gated, method: &str, params: Value) -> Value {
    gated.ask(method, stated(params, "2026-07-28"))
}

fn result(text: &str) -> Value {
    json!([format!(r#"{{"jsonrpc":"2.0","id":$ID,"result":{text}}}"#)])
}

#[test]
fn requests_need_no_handshake_and_results_say_of_what_kind_they_are() {
    let tools = r#"{"resultType":"complete","tools":[{"name":"fs.note"},{"name":"fs.erase"}],"ttlMs":60000,"cacheScope":"public"}"#;
    let discovered = r#"{"resultType":"complete","supportedVersions":["2026-07-28","2031-01-01"],"capabilities":{"tools":{},"extensions":{"x":{}}},"ttlMs":1,"cacheScope":"public"}"#;
    let script = json!({ "tools/list": result(tools), "server/discover": result(discovered) });
    let mut gated = Gated::new(READING, &[], script);
    let found = ask(&mut gated, "server/discover", json!({}));
    assert_eq!(
        (&found["capabilities"], &found["supportedVersions"]),
        (&json!({ "tools": {} }), &json!(["2026-07-28"]))
    );
    let listed = ask(&mut gated, "tools/list", json!({}));
    let expected = json!({ "resultType": "complete", "tools": [{ "name": "fs.note" }], "ttlMs": 0, "cacheScope": "private" });
    assert_eq!(listed, expected);
    let denied = ask(&mut gated, "tools/call", json!({ "name": "fs.erase" }));
    assert_eq!((&denied["resultType"], &denied["isError"]), (&json!("complete"), &json!(true)));
    let nothing = ask(&mut gated, "prompts/list", json!({}));
    assert_eq!(
        nothing,
        json!({ "prompts": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private" })
    );
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "tasks/get"] {
        assert_eq!(ask(&mut gated, method, json!({}))["code"], -32601, "{method}");
    }
    gated.end().assert_nothing_stands();
}

#[test]
fn a_revision_that_is_not_known_is_answered_with_those_that_are() {
    let mut gated = Gated::new(READING, &[], json!({}));
    for revision in ["2031-01-01", "2025-11-25", ""] {
        let error = gated.ask("tools/call", stated(json!({ "name": "fs.note" }), revision));
        assert_eq!(
            (&error["code"], &error["data"]["supported"]),
            (&json!(-32022), &json!(["2026-07-28"]))
        );
    }
    assert_eq!(gated.end().calls(), [Value::Null; 0]);
}

#[test]
fn what_a_server_asks_for_within_a_result_is_gated() {
    let asking = |message: &str| {
        let params = json!({ "message": message, "requestedSchema": { "type": "object" }, "_meta": { "a": 1 } });
        let requests =
            json!({ "q": { "method": "elicitation/create", "params": params, "Method": "x" } });
        result(&json!({ "resultType": "input_required", "inputRequests": requests, "requestState": "s" }).to_string())
    };
    let mut gated = Gated::new(POLICY, &[], json!({ "tools/call fs.note": asking("Which file?") }));
    let told = ask(&mut gated, "tools/call", json!({ "name": "fs.note" }));
    assert_eq!(
        (&told["resultType"], &told["requestState"]),
        (&json!("input_required"), &json!("s"))
    );
    assert_eq!(told["inputRequests"]["q"]["params"]["message"], "Which file?");
    assert_eq!(told["inputRequests"]["q"].get("Method"), None);
    let again = json!({ "name": "fs.note", "inputResponses": { "q": { "action": "accept" } }, "requestState": "s" });
    let _ = ask(&mut gated, "tools/call", again);
    let left = gated.end();
    assert_eq!(left.calls()[1]["inputResponses"]["q"]["action"], "accept");
    let records = left.assert_nothing_stands();
    assert_eq!(outcomes(&records), ["ok"; 4]);

    let mut gated =
        Gated::new(POLICY, &[], json!({ "tools/call fs.note": asking("Approve the payment?") }));
    let told = ask(&mut gated, "tools/call", json!({ "name": "fs.note" }));
    assert_eq!((&told["isError"], told.get("inputRequests")), (&json!(true), None));
    let records = gated.end().assert_nothing_stands();
    assert_eq!(denials(&records), [("mcp:elicitation".to_owned(), "not_covered".to_owned())]);
}

#[test]
fn results_of_kinds_that_are_not_known_are_not_handed_on() {
    let requests = r#"{"q":{"method":"elicitation/create","params":{"message":"Which?"}}}"#;
    for text in [
        r#"{"resultType":"task","taskId":"t"}"#.to_owned(),
        r#"{"resultType":1}"#.to_owned(),
        format!(r#"{{"resultType":"complete","ResultType":"input_required","InputRequests":{requests}}}"#),
        format!(r#"{{"inputRequests":{requests}}}"#),
        format!(r#"{{"resultType":"complete","inputRequests":{requests}}}"#),
        r#"{"resultType":"input_required","inputRequests":{"q":{"method":"tools/call","params":{}}}}"#.to_owned(),
        r#"{"resultType":"input_required","inputRequests":{"q":{"method":"elicitation/create","method":"ping"}}}"#.to_owned(),
        r#"{"resultType":"input_required","inputRequests":[1]}"#.to_owned(),
        "[]".to_owned(),
    ] {
        let mut gated = Gated::new(POLICY, &[], json!({ "tools/call fs.note": result(&text) }));
        let told = ask(&mut gated, "tools/call", json!({ "name": "fs.note" }));
        assert_eq!(told["isError"], true, "{text}: {told}");
        let records = gated.end().assert_nothing_stands();
        assert_eq!(of_kind(&records, "denied").len(), 1, "{text}");
    }
}

#[test]
fn a_server_does_not_ask_by_itself_any_more() {
    let asks = r#"{"jsonrpc":"2.0","id":"s1","method":"elicitation/create","params":{"message":"Which?"}}"#;
    let done = r#"{"jsonrpc":"2.0","id":$ID,"result":{"resultType":"complete","content":[]}}"#;
    let mut gated = Gated::new(POLICY, &[], json!({ "tools/call fs.note": [asks, done] }));
    let told = ask(&mut gated, "tools/call", json!({ "name": "fs.note" }));
    assert_eq!(told["resultType"], "complete");
    let left = gated.end();
    assert!(left.output.is_empty() && left.told.contains("method not found"), "{}", left.told);
}
