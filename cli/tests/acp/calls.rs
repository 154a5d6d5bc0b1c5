//! What an agent asks for: files, and words of the user.

use serde_json::{Value, json};

use crate::CODING;
use crate::played::Played;
use crate::world::gated::{denials, outcomes};

fn read(path: &str) -> Value {
    json!({ "sessionId": "s", "path": path })
}

#[test]
fn what_is_permitted_is_asked_of_the_editor_as_it_was_decided_and_nothing_else_is() {
    let mut played = Played::prompted(CODING, &[]);
    let (method, text) = ("fs/read_text_file", json!({ "content": "x" }));
    let params = json!({
        "_meta": { "n": 1 }, "path": "/src//a/./b.rs", "sessionId": "s", "line": 3, "limit": null,
    });
    let got = played.permitted(method, params, text.clone());
    // `null` is what the protocol takes for left out.
    // What no rule has seen, as `_meta`, does not go on.
    let expected = json!({ "path": "/src/a/b.rs", "line": 3, "sessionId": "s" });
    assert_eq!(got, expected);
    let write = json!({ "sessionId": "s", "path": "/src/drafts/a", "content": "new" });
    assert_eq!(played.permitted("fs/write_text_file", write.clone(), Value::Null), write);

    for (method, params) in [
        (method, read("/etc/passwd")),
        (method, read("/src/keys/id")),
        (method, read("/src/../etc/passwd")),
        (method, read("/src/%2e%2e/etc/passwd")),
        (method, read("src/a")),
        ("fs/write_text_file", json!({ "sessionId": "s", "path": "/src/a", "content": "x" })),
        ("fs/write_text_file", json!({ "sessionId": "s", "path": "/src/drafts/a" })),
        (
            "elicitation/create",
            json!({ "sessionId": "s", "mode": "form", "message": "Your password?" }),
        ),
    ] {
        let error = played.refused(method, params.clone());
        assert_eq!(error["code"], -32010, "{params} {error}");
        let code = error["data"]["code"].as_str().unwrap();
        assert!(matches!(code, "not_permitted" | "bad_request"), "{params} {error}");
        assert_eq!(error["message"], format!("denied: {code}"), "an agent learns the code alone");
    }
    assert!(played.end_turn("s").is_empty(), "the editor heard of none of these");
    let left = played.end();
    assert_eq!((left.code, &*left.errors), (Some(0), ""));
    let records = left.assert_nothing_stands();
    assert_eq!(outcomes(&records), ["ok", "ok"]);
    assert_eq!(denials(&records).len(), 8);
    assert!(!format!("{records:?}").contains("/src"), "no argument is in the log");
}

#[test]
fn an_editor_that_fails_is_told_and_recorded() {
    let mut played = Played::prompted(CODING, &[]);
    played.agent.request(1, "fs/read_text_file", read("/src/a"));
    let asked = played.editor.message();
    played.editor.fail(&asked);
    assert_eq!(played.agent.message()["error"]["message"], "no");
    played.end_turn("s");
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["error"]);
}

#[test]
fn methods_that_the_protocol_has_not_are_refused_and_recorded() {
    let mut played = Played::prompted(CODING, &[]);
    for method in
        ["fs/delete_file", "_ext/run", "mcp/connect", "session/prompt", "fs/Read_text_file"]
    {
        assert_eq!(played.refused(method, json!({ "sessionId": "s" }))["code"], -32601, "{method}");
    }
    played.agent.tell("_ext/told", json!({}));
    played.agent.tell("session/update", json!({ "sessionId": "s", "update": {} }));
    let before = played.end_turn("s");
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!(before[0]["method"], "session/update");
    // And of the editor's side.
    played.editor.request("x", "session/fork", json!({ "sessionId": "s" }));
    assert_eq!(played.editor.message()["error"]["code"], -32601);
    played.editor.tell("document/didOpen", json!({}));
    let records = played.end().assert_nothing_stands();
    let denied = denials(&records);
    assert_eq!(denied.len(), 8, "{denied:?}");
    assert!(denied.iter().all(|(tool, why)| tool.starts_with("acp:") && why == "unknown_tool"));
}

#[test]
fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let mut played = Played::prompted(CODING, &[]);
    for params in [
        r#"{"sessionId":"s","path":"/src/a","path":"/etc/passwd"}"#,
        r#"{"sessionId":"s","path":"/src/a","p\u0061th":"/etc/passwd"}"#,
        r#"{"sessionId":"s","sessionId":"t","path":"/src/a"}"#,
        r#"{"sessionId":["s"],"path":"/src/a"}"#,
        r#"{"path":"/src/a"}"#,
        r#"{"sessionId":"s","path":["/src/a",{"a":1,"a":2}]}"#,
    ] {
        let line = r#"{"jsonrpc":"2.0","id":1,"method":"fs/read_text_file","params":PARAMS}"#;
        played.agent.say(&format!("{}\n", line.replace("PARAMS", params)));
        let answer = played.agent.message();
        assert_eq!(answer["error"]["data"]["code"], "bad_request", "{params} {answer}");
    }
    // What an editor could take for the path that was decided about.
    let params =
        json!({ "sessionId": "s", "path": "/src/drafts/a", "content": "", "Path": "/etc/passwd" });
    assert_eq!(played.refused("fs/write_text_file", params)["code"], -32010);
    assert!(played.end_turn("s").is_empty());
    assert_eq!(denials(&played.end().assert_nothing_stands()).len(), 7);
}

#[test]
fn sixty_four_at_once_are_answered_each_with_its_own() {
    let mut played = Played::prompted(CODING, &[]);
    for n in 0..64 {
        played.agent.request(n, "fs/read_text_file", read(&format!("/src/{n}")));
    }
    let mut asked: Vec<Value> = (0..64).map(|_| played.editor.message()).collect();
    asked.reverse();
    for own in &asked {
        let content = own["params"]["path"].as_str().unwrap().to_owned();
        played.editor.answer(own, json!({ "content": content }));
    }
    for _ in 0..64 {
        let answer = played.agent.message();
        assert_eq!(answer["result"]["content"], format!("/src/{}", answer["id"]));
    }
    played.end_turn("s");
    assert_eq!(outcomes(&played.end().assert_nothing_stands()).len(), 64);
}

#[test]
fn a_file_of_ten_megabytes_passes() {
    let mut played = Played::prompted(CODING, &[]);
    let content = "x".repeat(10 << 20);
    let params = json!({ "sessionId": "s", "path": "/src/a" });
    played.agent.request("p", "fs/read_text_file", params);
    let asked = played.editor.message();
    played.editor.answer(&asked, json!({ "content": content }));
    assert_eq!(played.agent.message()["result"]["content"].as_str().unwrap().len(), 10 << 20);
    played.end_turn("s");
    played.end().assert_nothing_stands();
}
