//! Calls of tools: what reaches the server, what the model sees, and what the log keeps.

use serde_json::{Value, json};

use crate::READING;
use crate::world::gated::{Gated, denials, of_kind, outcomes};

fn answering() -> Value {
    let result = r#"{"content":[{"type":"text","text":"read"}],"other":{"kept":1.50}}"#;
    json!({ "tools/call fs.read": [format!(r#"{{"jsonrpc":"2.0","id":$ID,"result":{result}}}"#)] })
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn what_is_permitted_reaches_the_server_and_its_answer_comes_back_as_it_was_written() {
    let mut gated = Gated::begun(READING, &[], answering());
    gated.request(
        "a",
        "tools/call",
        json!({ "name": "fs.read", "arguments": { "path": "/data/x" } }),
    );
    let expected = r#"{"jsonrpc":"2.0","id":"a","result":{"content":[{"type":"text","text":"read"}],"other":{"kept":1.50}}}"#;
    assert_eq!(gated.line(), expected);
    let left = gated.end();
    assert_eq!((left.code, left.errors.as_str()), (Some(0), ""));
    assert_eq!(left.calls(), [json!({ "name": "fs.read", "arguments": { "path": "/data/x" } })]);
    let records = left.assert_nothing_stands();
    assert_eq!(outcomes(&records), ["ok"]);
    assert_eq!(of_kind(&records, "permitted")[0]["rules"], json!(["read"]));
}

/// attack 23
#[test]
fn what_is_denied_never_reaches_the_server_and_the_model_is_told_a_code() {
    let mut gated = Gated::begun(READING, &[], answering());
    for (tool, args) in [
        ("fs.read", json!({ "path": "/etc/passwd" })),
        ("fs.read", json!({ "path": "/data/private/key" })),
        ("fs.read", json!({ "path": "/data/../etc/passwd" })),
        ("fs.read", json!({ "path": "/data/x", "PATH": "/etc/passwd" })),
        ("fs.read", json!({})),
        ("fs.erase", json!({})),
        ("fs.unheard", json!({})),
        ("", json!({})),
        ("mcp:sampling", json!({})),
    ] {
        let result = gated.call(tool, args.clone());
        assert_eq!(result["isError"], true, "{tool} {args}: {result}");
        assert!(text(&result).starts_with("denied: "), "{result}");
        assert!(!result.to_string().contains("private"), "nothing of the rules is told: {result}");
    }
    let left = gated.end();
    assert_eq!(left.calls(), [Value::Null; 0]);
    let records = left.assert_nothing_stands();
    assert_eq!(denials(&records).len(), 9, "each is on record: {records:#?}");
}

/// The tool gets what was decided about, in the spelling in which it was decided.
#[test]
fn the_server_gets_the_arguments_of_the_permit() {
    let mut gated = Gated::begun(READING, &[], answering());
    let line = r#"{"jsonrpc":"2.0","id":1,"METHOD":"tools/list","method":"tools/call","params":{"name":"fs.read","_meta":{"progressToken":7},"arguments":{"path":"/data//a/./b"}},"extra":1}"#;
    gated.send(line);
    assert_eq!(gated.message()["id"], 1);
    let left = gated.end();
    let told: Vec<&str> = left.told.lines().filter(|line| line.contains("tools/call")).collect();
    let expected = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fs.read","arguments":{"path":"/data/a/b"},"_meta":{"progressToken":7}}}"#;
    assert_eq!(told, [expected]);
}

/// attacks 28 and 29
#[test]
fn arguments_that_are_read_in_two_ways_are_denied() {
    let mut gated = Gated::begun(READING, &[], answering());
    for params in [
        r#"{"name":"fs.read","arguments":{"path":"/data/x","path":"/etc/passwd"}}"#,
        r#"{"name":"fs.read","arguments":{"path":"/data/x","p\u0061th":"/etc/passwd"}}"#,
        r#"{"name":"fs.read","arguments":["/data/x"]}"#,
        r#"{"name":"fs.read","arguments":{"path":"/data/x"},"task":{"ttl":60000}}"#,
        r#"{"name":"fs.read","arguments":{"path":"/data/x"},"Arguments":{"path":"/etc/passwd"}}"#,
    ] {
        gated
            .send(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#));
        let answer = gated.message();
        assert_eq!(text(&answer["result"]), "denied: bad_request", "{params}: {answer}");
    }
    for params in [
        r#"{"name":"fs.read","name":"fs.erase","arguments":{"path":"/data/x"}}"#,
        r#"{"name":"fs.read","arguments":{"path":"/data/x"},"arguments":{"path":"/etc/passwd"}}"#,
    ] {
        gated
            .send(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#));
        assert_eq!(gated.message()["error"]["code"], -32600, "{params}");
    }
    let left = gated.end();
    assert_eq!(left.calls(), [Value::Null; 0]);
    let reasons = denials(&left.assert_nothing_stands());
    assert!(
        reasons.len() == 7 && reasons.iter().all(|(_, reason)| reason == "malformed_call"),
        "{reasons:?}"
    );
}

#[test]
fn nothing_stands_between_calls_and_no_argument_is_in_the_log() {
    let mut gated = Gated::begun(READING, &[], json!({}));
    for _ in 0..3 {
        gated.call("fs.note", json!({ "text": "between-us" }));
    }
    gated.call("fs.erase", json!({ "text": "between-us" }));
    let left = gated.end();
    let records = left.assert_nothing_stands();
    assert!(!format!("{records:?}").contains("between-us"));
    let kinds: Vec<&str> = records.iter().map(|own| own["kind"].as_str().unwrap()).collect();
    let call = ["granted", "permitted", "outcome", "grant_ended"];
    let calls = [&call[..], &call, &call, &["denied"]].concat();
    let at = kinds.iter().position(|kind| *kind == "granted").unwrap();
    assert_eq!(kinds[at..at + calls.len()], calls);
}

#[test]
fn a_tool_that_fails_has_failed_on_record() {
    let script = json!({
        "tools/call fs.read": [r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[],"isError":true}}"#],
        "tools/call fs.note": [r#"{"jsonrpc":"2.0","id":$ID,"error":{"code":-1,"message":"no"}}"#],
    });
    let mut gated = Gated::begun(READING, &[], script);
    assert_eq!(gated.call("fs.read", json!({ "path": "/data/x" }))["isError"], true);
    assert_eq!(gated.call("fs.note", json!({}))["message"], "no");
    let records = gated.end().assert_nothing_stands();
    assert_eq!(outcomes(&records), ["error", "error"]);
}

#[test]
fn a_hundred_calls_at_once_are_answered_each_by_its_own() {
    let script = json!({
        "tools/call fs.note": [r#"{"jsonrpc":"2.0","id":$ID,"result":{"content":[],"args":$ARGS}}"#],
    });
    let mut gated = Gated::begun(READING, &[], script);
    for n in 0..100 {
        gated.request(n, "tools/call", json!({ "name": "fs.note", "arguments": { "n": n } }));
    }
    let mut answers: Vec<(u64, u64)> = Vec::new();
    for _ in 0..100 {
        let answer = gated.message();
        answers.push((
            answer["id"].as_u64().unwrap(),
            answer["result"]["args"]["n"].as_u64().unwrap(),
        ));
    }
    answers.sort_unstable();
    assert_eq!(answers, (0..100).map(|n| (n, n)).collect::<Vec<_>>());
    let records = gated.end().assert_nothing_stands();
    assert_eq!(outcomes(&records), ["ok"; 100]);
}

#[test]
fn an_id_that_is_open_is_not_used_again() {
    let script = json!({ "tools/call fs.note": [] });
    let mut gated = Gated::begun(READING, &[], script);
    for _ in 0..2 {
        gated.request(7, "tools/call", json!({ "name": "fs.note" }));
    }
    let answer = gated.message();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32600)));
    let left = gated.end();
    assert_eq!(left.calls().len(), 1);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn large_arguments_and_results_of_ten_megabytes_pass() {
    let script = json!({ "tools/call fs.note": ["!big 10485760"] });
    let mut gated = Gated::begun(READING, &[], script);
    let long = "y".repeat(900_000);
    let result = gated.call("fs.note", json!({ "text": long }));
    assert_eq!(text(&result).len(), 10 << 20);
    let refused = gated.call("fs.note", json!({ "text": "y".repeat(2 << 20) }));
    assert_eq!(text(&refused), "denied: bad_request");
    let left = gated.end();
    assert_eq!(left.calls()[0]["arguments"]["text"].as_str().unwrap().len(), 900_000);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
}

#[test]
fn a_limit_is_told_with_when_it_is_free_again() {
    let policy = r#"
        version = 1
        rule = [
            { id = "note", effect = "permit", what = { tool = "fs.note", args = "any" }, grant = { rate = "1/1h" } },
        ]
    "#;
    let mut gated = Gated::begun(policy, &[], json!({}));
    assert_eq!(gated.call("fs.note", json!({})), json!({}));
    let result = gated.call("fs.note", json!({}));
    assert!(text(&result).starts_with("denied: limit_reached: free again in "), "{result}");
    assert_eq!(result["_meta"]["hallpass/code"], "limit_reached");
    let records = gated.end().assert_nothing_stands();
    assert_eq!(denials(&records), [("fs.note".to_owned(), "rate_exceeded".to_owned())]);
}

#[test]
fn what_people_have_to_agree_to_is_told_with_its_question() {
    let policy = r#"
        version = 1
        [[rule]]
        id = "note"
        effect = "permit"
        what = { tool = "fs.note", args = "any" }
        [[rule]]
        id = "ask"
        effect = "ask"
        what = { tool = "fs.note" }
        approval = { review = [{ groups = { has_any = ["ops"] } }] }
    "#;
    let mut gated = Gated::begun(policy, &[], json!({}));
    let result = gated.call("fs.note", json!({}));
    let again = gated.call("fs.note", json!({}));
    assert!(text(&result).starts_with("denied: approval_required: question "), "{result}");
    assert_eq!(result, again, "the same call finds its own question");
    let left = gated.end();
    assert_eq!(left.calls(), [Value::Null; 0]);
    let records = left.assert_nothing_stands();
    assert_eq!(of_kind(&records, "asked").len(), 1);
}

#[test]
fn why_is_told_to_those_who_asked_for_it_and_not_to_the_agent() {
    let mut gated = Gated::begun(READING, &["--explain"], json!({}));
    let result = gated.call("fs.read", json!({ "path": "/data/private/key" }));
    assert_eq!(text(&result), "denied: not_permitted");
    let left = gated.end();
    assert!(left.errors.contains("hallpass: `fs.read`: forbidden"), "{}", left.errors);
    assert!(left.errors.contains("decided by `private`"), "{}", left.errors);
}
