//! Ends of every kind: nothing hangs, every permit has its outcome, and nothing stands afterwards.

use serde_json::json;

use crate::READING;
use crate::world::gated::{Gated, of_kind, outcomes, with_handshake};

fn noting(gated: &mut Gated, id: i32) {
    gated.request(id, "tools/call", json!({ "name": "fs.note", "arguments": {} }));
}

#[test]
fn a_cancelled_call_is_interrupted_and_its_late_answer_goes_nowhere() {
    let late = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[],"late":true}}"#;
    let script = json!({
        "tools/call fs.note": [],
        "notifications/cancelled": [late],
        "ping": [r#"{"jsonrpc":"2.0","id":$ID,"result":{}}"#],
    });
    let mut gated = Gated::begun(READING, &[], script);
    noting(&mut gated, 7);
    gated.tell("notifications/cancelled", json!({ "requestId": 7, "reason": "enough" }));
    assert_eq!(gated.ask("ping", json!({})), json!({}), "the late answer is not handed on");
    let left = gated.end();
    assert!(left.told.contains("notifications/cancelled"));
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn what_was_never_asked_is_not_cancelled() {
    let mut gated = Gated::begun(READING, &[], json!({}));
    gated.tell("notifications/cancelled", json!({ "requestId": "no one" }));
    gated.tell("notifications/cancelled", json!({}));
    let left = gated.end();
    assert!(!left.told.contains("cancelled"));
}

#[test]
fn a_client_that_is_gone_ends_the_session_and_what_was_running() {
    let mut gated = Gated::begun(READING, &[], json!({ "tools/call fs.note": [] }));
    noting(&mut gated, 1);
    let left = gated.end();
    assert_eq!(left.code, Some(0));
    assert!(left.told.ends_with("end of input\n"), "the server was asked to end: {}", left.told);
    let records = left.assert_nothing_stands();
    assert_eq!(outcomes(&records), ["interrupted"]);
    assert_eq!(of_kind(&records, "ended")[0]["how"], "closed");
}

#[test]
fn what_a_server_still_answers_after_its_input_has_ended_reaches_the_client() {
    let script = json!({ "tools/call fs.note": ["!big 3000000"] });
    let mut gated = Gated::begun(READING, &[], script);
    noting(&mut gated, 1);
    let left = gated.end();
    assert_eq!(left.output.len(), 1);
    assert_eq!(outcomes(&left.assert_nothing_stands()), ["ok"]);
}

#[test]
fn a_server_that_does_not_end_is_killed() {
    for script in [json!({ "stays": true }), json!({ "tools/call fs.note": ["!hang"] })] {
        let mut gated = Gated::begun(READING, &[], script);
        noting(&mut gated, 1);
        let left = gated.end();
        assert_eq!(left.code, Some(0), "{}", left.errors);
        left.assert_nothing_stands();
    }
}

#[test]
fn a_server_that_crashes_leaves_no_call_without_an_answer_or_an_outcome() {
    for (ends, told) in [("!crash", "signal"), ("!exit", "exit status: 0")] {
        let script = json!({ "tools/call fs.note": [], "ping": [ends] });
        let mut gated = Gated::begun(READING, &[], script);
        noting(&mut gated, 1);
        noting(&mut gated, 2);
        gated.request(3, "ping", json!({}));
        let mut answered: Vec<u64> = (0..3)
            .map(|_| {
                let answer = gated.message();
                assert_eq!(answer["error"]["message"], "the server has ended", "{answer}");
                answer["id"].as_u64().unwrap()
            })
            .collect();
        answered.sort_unstable();
        assert_eq!(answered, [1, 2, 3]);
        let left = gated.ended();
        assert_eq!(left.code, Some(2));
        assert!(
            left.errors.contains("the server has ended") && left.errors.contains(told),
            "{}",
            left.errors
        );
        assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted", "interrupted"]);
    }
}

#[test]
fn a_server_that_was_never_there_is_told() {
    let gated = Gated::before(crate::world::Folder::new(), READING, &[], &["/no/such/server"]);
    let left = gated.ended();
    assert_eq!(left.code, Some(2));
    assert!(left.errors.contains("can't start `/no/such/server`"), "{}", left.errors);
    left.assert_nothing_stands();
}

#[cfg(unix)]
#[test]
fn a_process_that_is_told_to_end_ends_on_record() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut gated = Gated::begun(READING, &[], json!({ "tools/call fs.note": [] }));
        noting(&mut gated, 1);
        assert_eq!(gated.ask("ping", json!({})), json!({}), "the call has come that far");
        let id = gated.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        let left = gated.ended();
        assert_eq!(left.code, Some(0), "{}", left.errors);
        assert_eq!(outcomes(&left.assert_nothing_stands()), ["interrupted"]);
    }
}

#[test]
fn a_client_that_does_not_read_holds_up_the_server_and_fills_no_memory() {
    let script = with_handshake(json!({ "tools/call fs.note": ["!big 4000000"] }), "2025-11-25");
    let mut gated = Gated::new(READING, &[], script);
    gated.shake_hands("2025-11-25");
    for id in 0..20 {
        noting(&mut gated, id);
    }
    for _ in 0..20 {
        assert!(gated.line().len() > 4_000_000);
    }
    assert_eq!(outcomes(&gated.end().assert_nothing_stands()), ["ok"; 20]);
}
