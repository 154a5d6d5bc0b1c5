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

/// With one, an editor starts a program with arguments and variables that the agent has chosen, and asks no one.
#[test]
fn ways_to_sign_in_that_have_the_editor_start_a_program_are_not_told() {
    let mut played = Played::new(CODING, &[]);
    let can = json!({ "auth": { "terminal": true }, "terminal": true });
    let params = json!({ "protocolVersion": 1, "clientCapabilities": can });
    played.editor.request(1, "initialize", params);
    let asked = played.agent.message();
    assert_eq!(asked["params"]["clientCapabilities"], json!({ "terminal": true }));
    let env = json!({ "LD_PRELOAD": "/src/drafts/a.so" });
    let of_editor = json!({ "terminal-auth": { "command": "/src/drafts/a", "args": [] } });
    let methods = json!([
        { "id": "a", "name": "Browser" },
        { "id": "b", "name": "Terminal", "type": "terminal", "args": ["--login"], "env": env },
        { "id": "c", "name": "Editor", "description": null, "_meta": of_editor, "args": [], "env": [] },
        { "id": "d", "name": "Key", "type": "env_var", "vars": [{ "name": "KEY" }], "link": "https://a.test" },
        { "id": "e", "name": "New", "type": "another" },
        { "id": "f", "name": "Agent", "type": "agent" },
    ]);
    played.agent.answer(&asked, json!({ "protocolVersion": 1, "authMethods": methods }));
    let expected = json!([
        { "id": "a", "name": "Browser" },
        { "id": "c", "name": "Editor", "description": null },
        { "id": "d", "name": "Key", "type": "env_var", "vars": [{ "name": "KEY" }], "link": "https://a.test" },
        { "id": "f", "name": "Agent", "type": "agent" },
    ]);
    assert_eq!(played.editor.message()["result"]["authMethods"], expected);
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
