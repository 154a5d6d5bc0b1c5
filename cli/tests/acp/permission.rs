//! What an agent says that it is about to do, and whether it is told yes.

use serde_json::{Value, json};

use crate::CODING;
use crate::played::Played;
use crate::world::gated::{denials, of_kind, outcomes};

const KINDS: [&str; 4] = ["allow_always", "allow_once", "reject_always", "reject_once"];

fn asks(kind: Value, options: &[&str]) -> Value {
    let options: Vec<Value> = options
        .iter()
        .map(|own| json!({ "optionId": format!("its-{own}"), "name": own, "kind": own }))
        .collect();
    let call = json!({ "toolCallId": "c", "kind": kind, "title": "Read a file", "rawInput": { "path": "/src/a" },
        "locations": [{ "path": "/src/a", "line": 1 }], "content": [] });
    json!({ "sessionId": "s", "toolCall": call, "options": options })
}

impl Played {
    fn told(&mut self, params: Value) -> Value {
        self.agent.request("r", "session/request_permission", params);
        let answer = self.agent.message();
        assert_eq!(answer["id"], "r", "{answer}");
        answer["result"]["outcome"].clone()
    }
}

fn selected(option: &str) -> Value {
    json!({ "outcome": "selected", "optionId": format!("its-{option}") })
}

#[test]
fn an_agents_story_is_answered_from_the_policy_for_this_once() {
    let mut played = Played::prompted(CODING, &[]);
    for (kind, options, expected) in [
        (json!("read"), &KINDS[..], "allow_once"),
        (json!("execute"), &KINDS, "reject_once"),
        (Value::Null, &KINDS, "reject_once"),
        // What would be allowed for always is not asked about again.
        (json!("read"), &["allow_always", "reject_once"], "reject_once"),
        (json!("execute"), &["allow_once", "reject_always"], "reject_always"),
    ] {
        assert_eq!(
            played.told(asks(kind.clone(), options)),
            selected(expected),
            "{kind} {options:?}"
        );
    }
    assert!(played.end_turn("s").is_empty(), "the editor's user is asked nothing");
    let records = played.end().assert_nothing_stands();
    assert_eq!(outcomes(&records), ["ok"]);
    assert_eq!(denials(&records).len(), 4);
}

#[test]
fn it_binds_nothing() {
    let mut played = Played::prompted(CODING, &[]);
    let params = asks(json!("edit"), &KINDS);
    assert_eq!(played.told(params), selected("allow_once"));
    let write = json!({ "sessionId": "s", "path": "/src/a", "content": "x" });
    assert_eq!(played.refused("fs/write_text_file", write)["code"], -32010);
    played.end_turn("s");
    played.end().assert_nothing_stands();
}

#[test]
fn what_can_not_even_be_rejected_is_an_error() {
    let mut played = Played::prompted(CODING, &[]);
    let mut twice = asks(json!("read"), &KINDS);
    twice["options"][0] = json!({ "optionId": 7, "kind": "allow_once" });
    for params in [
        asks(json!("execute"), &["allow_once"]),
        asks(json!(["read"]), &KINDS),
        json!({ "sessionId": "s", "options": [] }),
        json!({ "sessionId": "s", "toolCall": { "kind": "read" } }),
        twice,
    ] {
        let error = played.refused("session/request_permission", params.clone());
        assert_eq!(error["code"], -32010, "{params}");
    }
    played.end_turn("s");
    let records = played.end().assert_nothing_stands();
    assert!(of_kind(&records, "permitted").is_empty());
}
