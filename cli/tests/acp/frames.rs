//! What is no message, or none that may come now.

use serde_json::json;

use crate::CODING;
use crate::played::Played;
use crate::world::gated::{denials, outcomes};

#[test]
fn an_editors_malformed_messages_are_refused_and_the_session_goes_on() {
    let mut played = Played::prompted(CODING, &[]);
    for (line, code) in [
        ("{", -32700),
        ("[]", -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"session/list","method":"session/new"}"#, -32700),
        (r#"{"jsonrpc":"1.0","id":1,"method":"session/list"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"session/prompt","params":{}}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"session/list","params":{"a":1,"a":2}}"#, -32600),
    ] {
        played.editor.send(line);
        assert_eq!(played.editor.message()["error"]["code"], code, "{line}");
    }
    // Answers to what no one asked go nowhere, the gate's own ids included.
    for id in ["nothing", "hallpass-1"] {
        played.editor.send(json!({ "jsonrpc": "2.0", "id": id, "result": {} }).to_string());
    }
    let read = json!({ "sessionId": "s", "path": "/src/a" });
    played.permitted("fs/read_text_file", read, json!({ "content": "" }));
    played.end_turn("s");
    assert_eq!(denials(&played.end().assert_nothing_stands()).len(), 6);
}

#[test]
fn ids_are_used_once_at_a_time_and_the_gates_own_not_at_all() {
    let mut played = Played::prompted(CODING, &[]);
    let read = || json!({ "sessionId": "s", "path": "/src/a" });
    played.agent.request(1, "fs/read_text_file", read());
    let asked = played.editor.message();
    for id in [json!(1), json!(1.0), json!("hallpass-1"), json!("hallpass-x")] {
        played.agent.request(id.clone(), "fs/read_text_file", read());
        assert_eq!(played.agent.message()["error"]["code"], -32600, "{id}");
    }
    played.editor.answer(&asked, json!({ "content": "" }));
    assert_eq!(played.agent.message()["id"], 1);
    played.editor.answer(&asked, json!({ "content": "again" }));
    played.end_turn("s");
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["ok"]);
}

#[test]
fn what_an_agent_prints_is_shown_and_does_no_harm() {
    let mut played = Played::prompted(CODING, &[]);
    played.agent.say("starting up\u{1b}[2J\n\n");
    played.end_turn("s");
    let left = played.end();
    assert_eq!(left.errors, "hallpass: not a message: `starting up\\u{1b}[2J`\n");
    left.assert_nothing_stands();
}
