//! When a turn begins and ends, and whose task it is.

use serde_json::{Value, json};

use crate::CODING;
use crate::played::{Played, ended_terminals};
use crate::world::gated::{denials, of_kind, outcomes};

fn read(session: &str) -> Value {
    json!({ "sessionId": session, "path": "/src/a" })
}

#[test]
fn nothing_is_permitted_but_while_a_prompt_is_answered() {
    let mut played = Played::begun(CODING, &[]);
    let method = "fs/read_text_file";
    assert_eq!(played.refused(method, read("s"))["code"], -32010);
    played.prompt("s");
    assert_eq!(played.refused(method, read("another"))["code"], -32010);
    played.permitted(method, read("s"), json!({ "content": "" }));
    played.end_turn("s");
    for (method, params) in [
        (method, read("s")),
        ("terminal/create", json!({ "sessionId": "s", "command": "cargo", "args": ["test"] })),
        ("terminal/output", json!({ "sessionId": "s", "terminalId": "t" })),
    ] {
        assert_eq!(played.refused(method, params)["code"], -32010, "{method}");
    }
    let stories = json!({ "sessionId": "s", "toolCall": { "kind": "read" },
        "options": [{ "optionId": "y", "kind": "allow_once" }, { "optionId": "n", "kind": "reject_once" }] });
    played.agent.request(1, "session/request_permission", stories);
    assert_eq!(played.agent.message()["result"]["outcome"]["optionId"], "n");
    let records = played.end().assert_nothing_stands();
    assert!(denials(&records).iter().all(|(_, why)| why == "task_over"));
    assert_eq!((denials(&records).len(), outcomes(&records)), (6, vec!["ok"]));
}

#[test]
fn each_turn_is_a_task_and_each_session_has_one_turn() {
    let mut played = Played::begun(CODING, &[]);
    for _ in 0..2 {
        played.prompt("s");
        played.prompt("t");
        let params = json!({ "sessionId": "s", "prompt": [] });
        played.editor.request("again", "session/prompt", params);
        assert_eq!(
            played.editor.message()["error"]["code"],
            -32600,
            "its prompt has no answer yet"
        );
        played.end_turn("s");
        played.permitted("fs/read_text_file", read("t"), json!({ "content": "" }));
        played.end_turn("t");
    }
    let records = played.end().assert_nothing_stands();
    // One shows at the start that there can be some.
    assert_eq!(of_kind(&records, "opened").len(), 5);
}

#[test]
fn a_cancelled_turn_ends_at_once() {
    for cancel in ["session/cancel", "$/cancel_request"] {
        let mut played = Played::prompted(CODING, &[]);
        played.run("s", "t1");
        played.agent.request("open", "fs/read_text_file", read("s"));
        let open = played.editor.message();
        played.agent.request(
            "wait",
            "terminal/wait_for_exit",
            json!({ "sessionId": "s", "terminalId": "t1" }),
        );
        let wait = played.editor.message();
        let params = json!({ "sessionId": "s", "requestId": "s" });
        played.editor.tell(cancel, params);
        assert_eq!(ended_terminals(&[played.editor.message(), played.editor.message()]), ["t1"]);
        let mut answered: Vec<Value> = (0..3).map(|_| played.agent.message()).collect();
        assert_eq!(answered.pop().unwrap()["method"], cancel, "and the agent hears of it");
        let ids: Vec<&Value> = answered.iter().map(|own| &own["id"]).collect();
        assert_eq!(ids, ["open", "wait"], "what it had asked for is answered first");
        // The answers that come late go nowhere.
        played.editor.answer(&open, json!({ "content": "late" }));
        played.editor.answer(&wait, json!({ "exitCode": 0 }));
        assert_eq!(played.refused("fs/read_text_file", read("s"))["code"], -32010);
        played.agent.answer(&json!({ "id": "s" }), json!({ "stopReason": "cancelled" }));
        assert_eq!(played.editor.message()["result"]["stopReason"], "cancelled");
        played.prompt("s");
        played.permitted("fs/read_text_file", read("s"), json!({ "content": "" }));
        played.end_turn("s");
        let records = played.end().assert_nothing_stands();
        assert_eq!(outcomes(&records), ["interrupted", "interrupted", "ok"], "{cancel}");
    }
}

#[test]
fn a_session_that_is_closed_ends_its_turn() {
    for method in ["session/close", "session/delete"] {
        let mut played = Played::prompted(CODING, &[]);
        played.run("s", "t1");
        played.editor.request("close", method, json!({ "sessionId": "s" }));
        assert_eq!(ended_terminals(&[played.editor.message(), played.editor.message()]), ["t1"]);
        let asked = played.agent.message();
        assert_eq!(asked["method"], method);
        played.agent.answer(&asked, json!({}));
        assert_eq!(played.editor.message()["id"], "close");
        assert_eq!(played.refused("fs/read_text_file", read("s"))["code"], -32010);
        assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["interrupted"]);
    }
}

#[test]
fn a_prompt_that_fails_ends_its_turn() {
    let mut played = Played::prompted(CODING, &[]);
    played.run("s", "t1");
    let error = json!({ "code": -32603, "message": "out of tokens" });
    played.agent.send(&json!({ "jsonrpc": "2.0", "id": "s", "error": error }));
    assert_eq!(ended_terminals(&played.until_answered("s")), ["t1"]);
    assert_eq!(played.refused("fs/read_text_file", read("s"))["code"], -32010);
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn a_call_that_the_agent_cancels_is_answered_by_the_editor() {
    let mut played = Played::prompted(CODING, &[]);
    played.agent.tell("$/cancel_request", json!({ "requestId": "none" }));
    played.agent.request("c", "fs/read_text_file", read("s"));
    let asked = played.editor.message();
    played.agent.tell("$/cancel_request", json!({ "requestId": "c" }));
    assert_eq!(played.editor.message()["method"], "$/cancel_request");
    played.editor.fail(&asked);
    assert_eq!(played.agent.message()["id"], "c");
    played.end_turn("s");
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["error"]);
}

/// What an agent has read it still knows at the next prompt, so that what counts on that goes on.
#[test]
fn a_limit_and_what_was_seen_last_over_turns() {
    let policy = format!(
        "{CODING}
        [[rule]]
        id = \"tainted\"
        effect = \"forbid\"
        what = {{ tool = \"acp:fs/write_text_file\" }}
        when = {{ seen = {{ has_any = [\"secret\"] }} }}
        "
    )
    .replace(
        "{ name = \"acp:fs/read_text_file\",",
        "{ name = \"acp:fs/read_text_file\", labels = [\"secret\"],",
    );
    let mut played = Played::begun(&policy, &[]);
    let write = json!({ "sessionId": "s", "path": "/src/drafts/a", "content": "x" });
    played.prompt("s");
    played.permitted("fs/write_text_file", write.clone(), Value::Null);
    played.permitted("fs/read_text_file", read("s"), json!({ "content": "" }));
    assert_eq!(played.refused("fs/write_text_file", write.clone())["code"], -32010);
    played.end_turn("s");
    played.prompt("s");
    assert_eq!(played.refused("fs/write_text_file", write.clone())["code"], -32010);
    played.end_turn("s");
    let mut other = write;
    other["sessionId"] = json!("t");
    played.prompt("t");
    assert_eq!(played.refused("fs/write_text_file", other)["code"], -32010);
    played.end_turn("t");
    let records = played.end().assert_nothing_stands();
    assert_eq!(of_kind(&records, "opened").len(), 1);
}
