//! What both sides are told of each other.

use serde_json::{Value, json};

use crate::CODING;
use crate::played::Played;

#[test]
fn the_version_and_what_each_side_can_do_are_those_that_the_gate_knows() {
    let mut played = Played::new(CODING, &[]);
    let can =
        json!({ "fs": { "readTextFile": true }, "terminal": true, "nes": {}, "_meta": { "x": 1 } });
    let params =
        json!({ "protocolVersion": 7, "clientCapabilities": can, "clientInfo": { "name": "e" } });
    played.editor.request(1, "initialize", params);
    let asked = played.agent.message();
    let can = json!({ "fs": { "readTextFile": true }, "terminal": true, "_meta": { "x": 1 } });
    let expected =
        json!({ "protocolVersion": 1, "clientCapabilities": can, "clientInfo": { "name": "e" } });
    assert_eq!(asked["params"], expected);
    let agent = json!({ "loadSession": true, "providers": {}, "auth": {} });
    played.agent.answer(
        &asked,
        json!({ "protocolVersion": 1, "agentCapabilities": agent, "authMethods": [] }),
    );
    let expected = json!({ "protocolVersion": 1, "agentCapabilities": { "loadSession": true, "auth": {} }, "authMethods": [] });
    assert_eq!(played.editor.message()["result"], expected);
    // The editor's other requests go on as they are.
    let new = json!({ "cwd": "/src", "mcpServers": [] });
    played.editor.request(2, "session/new", new.clone());
    let asked = played.agent.message();
    assert_eq!((&asked["method"], &asked["params"]), (&json!("session/new"), &new));
    played.agent.answer(&asked, json!({ "sessionId": "s" }));
    assert_eq!(played.editor.message()["result"], json!({ "sessionId": "s" }));
    assert_eq!(played.end().code, Some(0));
}

#[test]
fn an_agent_of_another_version_is_not_gone_on_with() {
    for version in [json!(2), json!("1"), json!(null)] {
        let mut played = Played::new(CODING, &[]);
        played.editor.request(1, "initialize", json!({ "protocolVersion": 1 }));
        let asked = played.agent.message();
        assert_eq!(asked["params"], json!({ "protocolVersion": 1, "clientCapabilities": {} }));
        played.agent.answer(&asked, json!({ "protocolVersion": version }));
        assert_eq!(played.editor.message()["error"]["code"], -32603, "{version}");
        assert_eq!(played.editor.ended().code, Some(2));
    }
}

#[test]
fn a_session_begins_with_one_handshake() {
    let mut played = Played::new(CODING, &[]);
    let error = |played: &mut Played, method: &str| -> Value {
        played.editor.request("e", method, json!({ "sessionId": "s", "protocolVersion": 1 }));
        played.editor.message()["error"]["code"].clone()
    };
    for method in ["session/new", "session/prompt", "session/close", "authenticate"] {
        assert_eq!(error(&mut played, method), -32600, "{method}");
    }
    let read = json!({ "sessionId": "s", "path": "/src/a" });
    assert_eq!(played.refused("fs/read_text_file", read)["code"], -32010);
    played.editor.request(1, "initialize", json!({ "protocolVersion": 1 }));
    let asked = played.agent.message();
    assert_eq!(error(&mut played, "initialize"), -32600);
    // One that failed may be tried again.
    let refused = json!({ "code": -32603, "message": "no" });
    played.agent.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "error": refused }));
    assert_eq!(played.editor.message()["id"], 1);
    played.editor.request(2, "initialize", json!({ "protocolVersion": 1 }));
    let asked = played.agent.message();
    played.agent.answer(&asked, json!({ "protocolVersion": 1 }));
    assert_eq!(played.editor.message()["result"]["protocolVersion"], 1);
    assert_eq!(error(&mut played, "initialize"), -32600);
    assert_eq!(played.end().code, Some(0));
}
