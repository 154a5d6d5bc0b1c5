//! Frames that are not messages, from either side.

use serde_json::{Value, json};

use crate::READING;
use crate::world::gated::{Gated, denials, outcomes};

#[test]
fn what_is_no_message_is_refused_and_recorded_and_the_session_goes_on() {
    let mut gated = Gated::begun(READING, &[], json!({}));
    let call = r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"fs.erase"}}"#;
    let lines: Vec<Vec<u8>> = vec![
        b"no json".to_vec(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}".to_vec(),
        format!("[{call}]").into_bytes(),
        call.replace("2.0", "1.0").into_bytes(),
        call.replace("\"id\":9", "\"id\":9,\"method\":\"ping\"").into_bytes(),
        // One line to a gate, three to a server for which a carriage return ends a line.
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"_meta\":{{\"a\":\r{call}\r}}}}}}").into_bytes(),
        call.replace("9", "null").into_bytes(),
    ];
    for line in &lines {
        gated.send(line);
        let answer = gated.message();
        let code = answer["error"]["code"].as_i64().unwrap();
        assert!(matches!(code, -32700 | -32600), "{answer}");
    }
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let left = gated.end();
    assert!(!left.told.contains("fs.erase"), "{}", left.told);
    let denied = denials(&left.assert_nothing_stands());
    assert_eq!(denied.len(), lines.len(), "{denied:?}");
}

#[test]
fn a_message_that_is_too_long_is_thrown_away() {
    let mut gated = Gated::begun(READING, &[], json!({}));
    let long = vec![b'x'; 65 << 20];
    gated.send(&long);
    drop(long);
    assert_eq!(gated.message()["error"]["code"], -32600);
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    assert_eq!(gated.end().code, Some(0));
}

#[test]
fn what_a_server_prints_and_is_no_message_is_left_out() {
    let script = json!({ "start": ["Starting up…", "", "  "] });
    let mut gated = Gated::begun(READING, &[], script);
    assert_eq!(gated.ask("ping", json!({})), json!({}));
    let left = gated.end();
    assert!(
        left.code == Some(0) && left.errors.contains("not a message: `Starting up…`"),
        "{}",
        left.errors
    );
}

#[test]
fn a_server_whose_answers_can_not_be_read_is_ended_and_every_call_answered() {
    for wrong in [
        r#"{"jsonrpc":"2.0","id":$ID,"result":{},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":$ID,"result":{}"#,
        r#"[{"jsonrpc":"2.0","id":$ID,"result":{}}]"#,
        r#"{"jsonrpc":"2.0","id":$ID}"#,
        "!bytes 7b 22 ff 22 7d 0a",
    ] {
        let mut gated = Gated::begun(READING, &[], json!({ "tools/call fs.note": [wrong] }));
        gated.request(1, "tools/call", json!({ "name": "fs.note" }));
        let answer = gated.message();
        assert!(answer["error"]["message"].as_str().unwrap().contains("not a message"), "{answer}");
        let left = gated.ended();
        assert_eq!(left.code, Some(2), "{wrong}");
        assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
    }
}

#[test]
fn an_answer_that_no_one_asked_for_is_not_handed_on() {
    let script = json!({
        "ping": [
            r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":$ID,"result":{"first":true}}"#,
            r#"{"jsonrpc":"2.0","id":$ID,"result":{"first":false}}"#,
        ],
    });
    let mut gated = Gated::begun(READING, &[], script);
    assert_eq!(gated.ask("ping", json!({})), json!({ "first": true }));
    let left = gated.end();
    assert_eq!(left.output, [Value::Null; 0]);
}

#[test]
fn a_last_line_without_its_end_is_no_message() {
    let mut gated = Gated::begun(READING, &[], json!({}));
    gated.send_part(
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fs.note"}}"#,
    );
    let left = gated.end();
    assert_eq!(left.calls(), [Value::Null; 0]);
    left.assert_nothing_stands();
}
