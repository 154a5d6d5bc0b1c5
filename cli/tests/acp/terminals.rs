//! Commands that an agent has the editor run.

use serde_json::{Value, json};

use crate::CODING;
use crate::played::{Played, ended_terminals};
use crate::world::gated::{denials, outcomes};

fn about(terminal: &str) -> Value {
    json!({ "sessionId": "s", "terminalId": terminal })
}

#[test]
fn a_command_runs_from_its_permit_to_its_exit() {
    let mut played = Played::prompted(CODING, &[]);
    let params = json!({ "sessionId": "s", "command": "cargo", "args": ["test"], "env": [], "cwd": "/src",
        "outputByteLimit": null, "_meta": { "cwd": "/" } });
    let got = played.permitted("terminal/create", params, json!({ "terminalId": "t1" }));
    assert_eq!(
        got,
        json!({ "sessionId": "s", "command": "cargo", "args": ["test"], "cwd": "/src" })
    );
    let running = json!({ "output": "", "truncated": false, "exitStatus": null });
    let mut output = about("t1");
    output["_meta"] = json!({ "terminalId": "t2" });
    assert_eq!(played.permitted("terminal/output", output, running), about("t1"));
    played.permitted("terminal/wait_for_exit", about("t1"), json!({ "exitCode": 0 }));
    // An exit counts once.
    let ended = json!({ "output": "", "truncated": false, "exitStatus": { "exitCode": 1 } });
    played.permitted("terminal/output", about("t1"), ended.clone());
    played.permitted("terminal/release", about("t1"), json!({}));
    for (terminal, how, result, after) in [
        ("t2", "terminal/wait_for_exit", json!({ "exitCode": 1 }), "terminal/release"),
        ("t3", "terminal/output", ended, "terminal/release"),
        ("t4", "terminal/wait_for_exit", json!({ "signal": "SIGSEGV" }), "terminal/release"),
        ("t5", "terminal/kill", json!({}), "terminal/release"),
        ("t6", "terminal/release", Value::Null, ""),
    ] {
        played.run("s", terminal);
        played.permitted(how, about(terminal), result);
        if !after.is_empty() {
            played.permitted(after, about(terminal), json!({}));
        }
    }
    assert!(played.end_turn("s").is_empty(), "nothing is left to be killed");
    let records = played.end().assert_nothing_stands();
    assert_eq!(outcomes(&records), ["ok", "error", "error", "error", "interrupted", "interrupted"]);
}

#[test]
fn other_commands_do_not_run() {
    let mut played = Played::prompted(CODING, &[]);
    for params in [
        json!({ "sessionId": "s", "command": "rm", "args": ["-rf", "/"] }),
        json!({ "sessionId": "s", "command": "cargo" }),
        json!({ "sessionId": "s", "command": "cargo test" }),
        json!({ "sessionId": "s", "command": "cargo", "args": [] }),
        json!({ "sessionId": "s", "command": "cargo", "args": ["test", "--", ";", "rm"] }),
        json!({ "sessionId": "s", "command": "cargo", "args": "test" }),
        json!({ "sessionId": "s", "command": "cargo", "args": ["test"], "cwd": "/" }),
        json!({ "sessionId": "s", "command": "cargo", "args": ["test"], "env": [{ "name": "LD_PRELOAD", "value": "/x" }] }),
        json!({ "sessionId": "s", "command": "cargo", "args": ["test"], "shell": true }),
    ] {
        assert_eq!(played.refused("terminal/create", params.clone())["code"], -32010, "{params}");
    }
    assert!(played.end_turn("s").is_empty());
    assert_eq!(denials(&played.end().assert_nothing_stands()).len(), 9);
}

/// What an agent may do with a terminal follows from its own command's permit.
#[test]
fn a_terminal_of_another_is_out_of_reach() {
    let mut played = Played::begun(CODING, &[]);
    played.prompt("s");
    played.prompt("other");
    played.run("other", "theirs");
    for method in ["terminal/output", "terminal/wait_for_exit", "terminal/kill", "terminal/release"]
    {
        for terminal in ["theirs", "", "the-users-own"] {
            let error = played.refused(method, about(terminal));
            assert_eq!(error["data"]["code"], "out_of_scope", "{method} {terminal}");
        }
    }
    assert!(played.end_turn("s").is_empty());
    assert_eq!(ended_terminals(&played.end_turn("other")), ["theirs"]);
    let records = played.end().assert_nothing_stands();
    assert_eq!(denials(&records).len(), 12);
}

#[test]
fn the_end_of_a_turn_kills_what_runs() {
    let mut played = Played::prompted(CODING, &[]);
    played.run("s", "t1");
    played.run("s", "t2");
    played.permitted("terminal/wait_for_exit", about("t2"), json!({ "exitCode": 0 }));
    let before = played.end_turn("s");
    assert_eq!(ended_terminals(&before), ["t1", "t2"], "before the editor hears that it is over");
    for own in &before {
        played.editor.answer(own, json!({}));
    }
    // What the editor answers to that is no answer of the agent's.
    played.prompt("s");
    let error = played.refused("terminal/output", about("t1"));
    assert_eq!(error["code"], -32010, "{error}");
    played.end_turn("s");
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["ok", "interrupted"]);
}

#[test]
fn a_command_that_the_editor_starts_too_late_is_killed() {
    let mut played = Played::prompted(CODING, &[]);
    let params = json!({ "sessionId": "s", "command": "cargo", "args": ["test"] });
    played.agent.request("late", "terminal/create", params);
    let asked = played.editor.message();
    assert!(played.end_turn("s").is_empty());
    assert_eq!(played.agent.message()["error"]["message"], "the turn is over");
    played.editor.answer(&asked, json!({ "terminalId": "t9" }));
    let ended = [played.editor.message(), played.editor.message()];
    assert_eq!(ended_terminals(&ended), ["t9"]);
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["interrupted"]);
}

#[test]
fn an_editor_that_names_no_terminal_or_one_twice_has_started_none() {
    let mut played = Played::prompted(CODING, &[]);
    played.run("s", "t1");
    for result in
        [json!({}), json!({ "terminalId": 7 }), json!({ "terminalId": "t1" }), Value::Null]
    {
        let params = json!({ "sessionId": "s", "command": "cargo", "args": ["test"] });
        played.agent.request(1, "terminal/create", params);
        let asked = played.editor.message();
        played.editor.answer(&asked, result.clone());
        assert_eq!(played.agent.message()["error"]["code"], -32603, "{result}");
    }
    assert_eq!(ended_terminals(&played.end_turn("s")), ["t1"]);
    assert_eq!(outcomes(&played.end().assert_nothing_stands()), ["interrupted"; 5]);
}

#[test]
fn a_turn_has_so_many_terminals_and_no_more() {
    let mut played = Played::prompted(CODING, &[]);
    for n in 0..255 {
        played.run("s", &format!("t{n}"));
    }
    let params = json!({ "sessionId": "s", "command": "cargo", "args": ["test"] });
    // One that has no terminal yet counts, too, until it fails.
    played.agent.request("last", "terminal/create", params.clone());
    let asked = played.editor.message();
    let error = played.refused("terminal/create", params.clone());
    assert_eq!(error["data"]["code"], "limit_reached", "{error}");
    played.editor.fail(&asked);
    assert_eq!(played.agent.message()["id"], "last");
    played.run("s", "t255");
    played.permitted("terminal/release", about("t255"), json!({}));
    played.run("s", "t256");
    assert_eq!(ended_terminals(&played.end_turn("s")).len(), 256);
    played.end().assert_nothing_stands();
}
