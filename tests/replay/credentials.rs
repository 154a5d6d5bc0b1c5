//! Credentials in a trace: what its providers mint, fail to, and owe; and crashes.

use std::ffi::OsString;
use std::fs;

use hallpass::audit::{Event, FileLog, How};
use hallpass::key::{LogKeys, SecretKey};

use crate::driver::{HEADER, OPEN, POLICY, REQUEST, Told, folder, replay_files, run};
use crate::logged::{KEY, ORIGIN};
use crate::stories::data;

const MINTED: &str = r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z","minted":["db"]}"#;
const CALL: &str = r#"{"op":"call","grant":"g","tool":"add","args":{"a":1}"#;

/// Replays these lines under a policy whose tools run with these credentials.
fn replay(test: &str, tools: &str, lines: &[&str]) -> Told {
    let folder = folder(test);
    let policy = POLICY.replace("version = 1\n", &format!("version = 1\n{tools}\n"));
    fs::write(folder.join("policy.toml"), policy).unwrap();
    fs::write(folder.join("trace.jsonl"), lines.join("\n")).unwrap();
    replay_files(&folder.join("policy.toml"), &folder.join("trace.jsonl"))
}

fn as_expected(test: &str, lines: &[String]) {
    let head = [MINTED, OPEN, REQUEST];
    let lines: Vec<&str> = head.into_iter().chain(lines.iter().map(String::as_str)).collect();
    let told = replay(test, r#"tool = [{ name = "add", credential = "db" }]"#, &lines);
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
    assert!(told.remarks.contains(" 0 not\n"), "{}", told.remarks);
}

fn called(expect: &str) -> String {
    format!(r#"{CALL},"expect":{{{expect}}}}}"#)
}

fn owed(outside: usize, owed: usize) -> String {
    let owed = if owed == 0 { r#""obligations":[],"# } else { "" };
    format!(r#"{{"op":"obligations","expect":{{{owed}"outside":{{"db":{outside}}}}}}}"#)
}

#[test]
fn a_tool_with_a_credential_that_is_not_minted_runs_with_one_that_is_sealed() {
    let permitted = called(r#""decision":"permit","outcome":"ok""#);
    let tools = r#"tool = [{ name = "add", credential = ["db", "mail"] }]"#;
    let told = replay("sealed", tools, &[HEADER, OPEN, REQUEST, &permitted]);
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
    assert!(!told.answers.contains("a secret of a trace"));
    // One of both, too.
    let told =
        replay("sealed-and-minted", tools, &[MINTED, OPEN, REQUEST, &permitted, &owed(1, 0)]);
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
}

/// attacks 98, 178: what a mint can do wrong is denied, and leaves nothing
#[test]
fn a_provider_that_fails_denies_the_call_and_what_it_made_is_withdrawn() {
    for (cue, outside) in [
        (r#""mint":"fails""#, 0),
        (r#""mint":"loses""#, 1),
        (r#""mint":"lands_late""#, 0),
        (r#""mint":"shows""#, 1),
        (r#""mint":"outlives","by":"1m""#, 1),
        (r#""mint":"takes","by":"11s""#, 1),
    ] {
        let denied = called(r#""decision":"deny","reason":"credential_unavailable""#);
        let cue = format!(r#"{{"op":"credential","credential":"db",{cue},"times":1}}"#);
        let lines = [
            cue,
            denied,
            owed(outside, 1),
            called(r#""decision":"permit""#),
            r#"{"op":"clock","advance":"10s"}"#.to_owned(),
            r#"{"op":"tend","expect":{"owed":0}}"#.to_owned(),
            owed(1, 0),
            r#"{"op":"end","task":"t"}"#.to_owned(),
            r#"{"op":"tend","expect":{"withdrawn":1,"gone":1,"owed":0}}"#.to_owned(),
            owed(0, 0),
        ];
        as_expected("cues", &lines);
    }
}

#[test]
fn a_secret_that_was_given_before_is_refused_and_a_cue_is_taken_back() {
    let cue = |what: &str| format!(r#"{{"op":"credential","credential":"db",{what}}}"#);
    let lines = [
        called(r#""decision":"permit""#),
        r#"{"op":"renew","grant":"g"}"#.to_owned(),
        cue(r#""mint":"repeats","times":2"#),
        called(r#""reason":"credential_unavailable""#),
        cue(r#""recover":true"#),
        called(r#""decision":"permit""#),
        r#"{"op":"end","task":"t"}"#.to_owned(),
        cue(r#""withdraw":"refuses""#),
        cue(r#""verify":"unknown""#),
        r#"{"op":"tend","expect":{"owed":2}}"#.to_owned(),
        r#"{"op":"clock","advance":"1h"}"#.to_owned(),
        r#"{"op":"tend"}"#.to_owned(),
        r#"{"op":"clock","advance":"1h"}"#.to_owned(),
        r#"{"op":"tend","expect":{"owed":0}}"#.to_owned(),
        owed(0, 0),
    ];
    as_expected("repeats", &lines);
}

#[test]
fn what_can_not_be_withdrawn_in_time_is_refused_unless_its_tail_is_accepted() {
    let minted = r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z","minted":[{"credential":"db","withdrawal":"never","shortest_life":"15m"}]}"#;
    let refused =
        REQUEST.replace("}]}", r#"}],"expect":{"decision":"deny","reason":"tail_too_long"}}"#);
    let tools = r#"tool = [{ name = "add", credential = "db" }]"#;
    let told = replay("tail", tools, &[minted, OPEN, &refused]);
    assert_eq!(told.code, 0, "{}{}", told.answers, told.remarks);
}

#[test]
fn what_can_not_be_meant_of_a_credential_is_an_error() {
    let cue = |what: &str| format!(r#"{{"op":"credential",{what}}}"#);
    for (line, problem) in [
        (cue(r#""credential":"db""#), "exactly one of `mint`, `withdraw` or `verify`"),
        (cue(r#""credential":"db","mint":"fails","withdraw":"fails""#), "exactly one of"),
        (cue(r#""credential":"db","recover":true,"mint":"fails""#), "`recover` stands alone"),
        (cue(r#""credential":"db","recover":true,"times":2"#), "`times` says nothing"),
        (cue(r#""credential":"db","mint":"explodes""#), "`mint` is `explodes`, expected `fails`"),
        (cue(r#""credential":"db","mint":"takes""#), "no `by`"),
        (cue(r#""credential":"db","mint":"fails","by":"1m""#), "`by` belongs to"),
        (cue(r#""credential":"db","mint":"fails","times":0"#), "`times`"),
        (cue(r#""credential":"db","mint":"fails","times":1000001"#), "`times` is more than"),
        (cue(r#""credential":"mail","mint":"fails""#), "`mail` is not minted"),
        (cue(r#""mint":"fails""#), "has no `credential`"),
        (r#"{"op":"tend","most":1}"#.to_owned(), "unknown field `most`"),
        (r#"{"op":"crash"}"#.to_owned(), "`crash` needs a log on file"),
    ] {
        let tools = r#"tool = [{ name = "add", credential = "db" }]"#;
        let told = replay("misread", tools, &[MINTED, &line]);
        assert_eq!(told.code, 2, "{line}");
        assert!(told.remarks.contains(problem), "{line}: {}", told.remarks);
    }
    for (minted, problem) in [
        (r#"["db","db"]"#, "names `db` twice"),
        (r#"[7]"#, "expected text"),
        (r#"["db",{"credential":"x","withdrawal":"soon"}]"#, "`withdrawal`"),
        (r#"[{"withdrawal":"never"}]"#, "has no `credential`"),
        (r#"{"db":1}"#, "expected a list"),
    ] {
        let header = MINTED.replace(r#"["db"]"#, minted);
        let told = replay("misread", "", &[&header]);
        assert_eq!(told.code, 2, "{minted}");
        assert!(told.remarks.contains(problem), "{minted}: {}", told.remarks);
    }
}

/// attack 177
#[test]
fn a_crash_between_plan_and_mint_leaves_what_the_next_start_withdraws() {
    let folder = folder("crash");
    fs::write(folder.join("key"), KEY).unwrap();
    let told = [(); 2].map(|()| {
        let _ = fs::remove_dir_all(folder.join("log"));
        let arguments: [OsString; 7] = [
            "--log".into(),
            folder.join("log").into(),
            "--key-file".into(),
            folder.join("key").into(),
            "--policy".into(),
            data("credentials.toml").into(),
            data("crash.jsonl").into(),
        ];
        run(&arguments, false)
    });
    let [first, second] = told;
    assert_eq!(first.code, 0, "{}{}", first.answers, first.remarks);
    assert!(first.remarks.contains(" 0 not\n"), "{}", first.remarks);
    assert_eq!(first.answers, second.answers);
    // What was killed has ended nothing: the next start did.
    let keys = LogKeys::from_secret(SecretKey::from_base64url(KEY).unwrap());
    let mut ended = Vec::new();
    let read = FileLog::read_each(folder.join("log"), &keys, &ORIGIN, None, |record, _| {
        if let Event::Ended { how, .. } = &record.event {
            ended.push(*how);
        }
    });
    assert!(read.is_ok());
    assert_eq!(ended, [How::Interrupted, How::Interrupted]);
    // Without a log there is nothing to start from.
    let told = replay_files(&data("credentials.toml"), &data("crash.jsonl"));
    assert_eq!(told.code, 2);
}
