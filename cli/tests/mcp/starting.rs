//! How a session begins, and what it does not begin with.

use std::path::Path;

use serde_json::json;

use crate::READING;
use crate::world::gated::{Gated, KEY, of_kind, scripted_server};
use crate::world::{Folder, Ran, hallpass};

const COUNTS: &str = r#"
    version = 1
    rule = [{ id = "note", effect = "permit", what = { tool = "fs.note", args = "any" }, grant = { uses = 2 } }]
"#;

fn mcp(folder: &Folder, policy: &str, options: &[&str]) -> Ran {
    folder.write("p.toml", policy);
    folder.write("script.json", "{}");
    let server = scripted_server();
    let fixed = ["mcp", "--policy", "p.toml", "--as", "agent-7", "--purpose", "errand"];
    let server = ["--", server.to_str().unwrap(), "script.json", "notes"];
    hallpass(&[&fixed, options, &server].concat(), folder.path())
}

#[test]
fn without_a_log_a_session_begins_that_needs_none() {
    let folder = Folder::new();
    let policy = "version = 1\nrule = [{ id = \"note\", effect = \"permit\", what = { tool = \"fs.note\" } }]";
    assert_eq!(mcp(&folder, policy, &[]), Ran::default());
    assert_eq!(folder.read("notes"), "end of input\n");
}

#[test]
fn a_policy_that_looks_back_wants_a_log() {
    let folder = Folder::new();
    let seen = r#"
        version = 1
        tool = [{ name = "t", labels = ["x"] }]
        rule = [{ id = "seen", effect = "forbid", what = { tool = "t" }, when = { seen = { has_any = ["x"] } } }]
    "#;
    for (policy, rule) in [(COUNTS, "note"), (seen, "seen")] {
        let ran = mcp(&folder, policy, &[]);
        assert_eq!(ran.code, 2);
        let expected = format!("error: rule `{rule}` depends on what the task did before");
        assert!(
            ran.errors.starts_with(&expected) && ran.errors.contains("--log FOLDER"),
            "{ran:?}"
        );
    }
    assert!(!Path::new(&folder.path().join("notes")).exists(), "no server was started");
}

#[test]
fn what_is_not_in_order_is_told_before_a_server_is_started() {
    let folder = Folder::new();
    folder.write("key", KEY);
    folder.write("short", "AAEC");
    folder.write("file", "");
    for (options, told) in [
        (&["--kind", "robot"][..], "robot"),
        (&["--context", "env"], "expected `NAME=TEXT` or `NAME:=JSON`"),
        (&["--context", "seen=x"], "`--context`"),
        (&["--for", ""], "acts_for"),
        (&["--approve", "web"], "web"),
        (&["--log", "log"], "--key-file"),
        (&["--log", "log", "--key-file", "absent"], "absent: can't be read"),
        (&["--log", "log", "--key-file", "short"], "short: "),
        (&["--log", "file", "--key-file", "key"], "file: "),
    ] {
        let ran = mcp(&folder, READING, options);
        assert_eq!(ran.code, 2, "{options:?} {ran:?}");
        assert!(ran.errors.contains(told), "{options:?} {ran:?}");
    }
    let ran = mcp(&folder, "version = 2", &[]);
    assert!(ran.code == 2 && ran.errors.starts_with("error: p.toml: line 1"), "{ran:?}");
    assert!(!Path::new(&folder.path().join("notes")).exists(), "no server was started");
}

#[test]
fn the_task_is_who_was_said_for_what_was_said() {
    let options = ["--kind", "workload", "--for", "ada@acme.test", "--ticket", "T-1"];
    let policy = r#"
        version = 1
        [[rule]]
        id = "note"
        effect = "permit"
        who = { kind = "workload", acts_for = { has_any = ["ada@acme.test"] }, groups = { has_any = ["bots"] } }
        what = { tool = "fs.note" }
        why = { purpose = "errand", ticket = "T-1" }
        when = { env = "prod", risk = { max = 3 } }
    "#;
    let options =
        [&options[..], &["--group", "bots", "--context", "env=prod", "--context", "risk:=2"]]
            .concat();
    let mut gated = Gated::begun(policy, &options, json!({}));
    assert_eq!(gated.call("fs.note", json!({})), json!({}));
    let records = gated.end().assert_nothing_stands();
    let opened = of_kind(&records, "opened")[0];
    assert_eq!(
        (&opened["who"], &opened["who_kind"], &opened["ticket"]),
        (&json!("agent-7"), &json!("workload"), &json!("T-1"))
    );
    assert_eq!(opened["acts_for"], json!(["ada@acme.test"]));
}

/// Starting the server again gives back nothing that was spent, and forgets nothing that was seen.
#[test]
fn a_session_that_would_forget_what_an_earlier_one_did_does_not_begin() {
    let mut gated = Gated::begun(COUNTS, &[], json!({}));
    assert_eq!(gated.call("fs.note", json!({})), json!({}));
    let left = gated.end();
    left.assert_nothing_stands();
    let logged = ["--log", "log", "--key-file", "key"];
    let ran = mcp(&left.folder, COUNTS, &logged);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("rule `note` depends on what was done before"), "{ran:?}");
    assert_eq!(
        mcp(&left.folder, READING, &logged).code,
        0,
        "what remembers nothing goes on with the log"
    );
    let left = crate::world::gated::records(&left.folder);
    assert_eq!(of_kind(&left, "opened").len(), 2);
}

#[test]
fn a_log_has_one_writer() {
    let gated = Gated::begun(READING, &[], json!({}));
    let ran = mcp(gated.folder(), READING, &["--log", "log", "--key-file", "key"]);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.starts_with("error: log: "), "{ran:?}");
    gated.end().assert_nothing_stands();
}
