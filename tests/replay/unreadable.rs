//! Input that can't be read: exit code 2, with file, line and what was expected.

use std::fs;

use crate::driver::{
    CALL, HEADER, OPEN, POLICY, REQUEST, folder, replay, replay_files, replay_in, run,
};

/// After a task with the grant `g`, so in line 4, and what is said about it.
const CASES: &[(&str, &str)] = &[
    (r#"{"op":"call""#, "column 13: expected `,` or `}`"),
    (r#"{"op":"clock","advance":"5m","advance":"5m"}"#, "key `advance` is given twice"),
    (r#"{"op":"clock","advance":"5m","adv\u0061nce":"5m"}"#, "key `advance` is given twice"),
    ("[]", "expected an object with `op`"),
    ("{}", "`line` has no `op`, expected text"),
    (r#"{"op":7}"#, "`op` is a number, expected text"),
    (r#"{"op":"cal"}"#, "unknown op `cal`, expected `clock`, `open`, `request`, `trim`"),
    (r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}"#, "`trace` is the first line's"),
    (
        r#"{"op":"standing","task":"t"}"#,
        "unknown field `task` in `standing`, expected `op`, `note` or `expect`",
    ),
    (r#"{"op":"standing","note":5}"#, "`note` is a number, expected text"),
    (r#"{"op":"standing","expect":[]}"#, "`expect` is a list, expected an object"),
    (r#"{"op":"standing","expect":{}}"#, "`expect` is empty"),
    (r#"{"op":"clock"}"#, "`clock` needs exactly one of `advance` and `set`"),
    (r#"{"op":"clock","advance":"5m","set":"2026-01-01T00:00:00Z"}"#, "exactly one"),
    (r#"{"op":"clock","advance":"0s"}"#, "`advance`: `0s` is zero"),
    (r#"{"op":"clock","set":"noon"}"#, "`set`: `noon` is not an RFC 3339 time"),
    (r#"{"op":"open","task":"u","purpose":"p"}"#, "`open` has no `who`"),
    (r#"{"op":"open","task":"u","who":"a"}"#, "`open` has no `purpose`"),
    (r#"{"op":"open","task":"u","who":{"kind":"agent"},"purpose":"p"}"#, "`who` has no `id`"),
    (
        r#"{"op":"open","task":"u","who":{"id":"a","kind":"robot"},"purpose":"p"}"#,
        "`kind` is `robot`, expected `agent`, `workload` or `human`",
    ),
    (
        r#"{"op":"open","task":"u","who":{"id":"a","team":"x"},"purpose":"p"}"#,
        "unknown field `team` in `who`",
    ),
    (
        r#"{"op":"open","task":"u","who":{"id":"a","groups":"x"},"purpose":"p"}"#,
        "`groups` is text, expected a list",
    ),
    (
        r#"{"op":"open","task":"u","who":{"id":"a","acts_for":[7]},"purpose":"p"}"#,
        "`acts_for` is a number, expected an object",
    ),
    (
        r#"{"op":"open","task":"u","who":"a","purpose":{"name":"p","why":"x"}}"#,
        "unknown field `why` in `purpose`",
    ),
    (
        r#"{"op":"request","task":"u","as":"h","scope":[]}"#,
        "undefined alias `u`, expected a task that a line before named",
    ),
    (r#"{"op":"request","task":"t","scope":[]}"#, "`request` has no `as`, expected text"),
    (
        r#"{"op":"request","task":"t","as":"h"}"#,
        "`request` has no `scope`, expected a list of capabilities",
    ),
    (
        r#"{"op":"request","task":"t","as":"g","scope":[]}"#,
        "`g` is a grant since line 3, expected another alias",
    ),
    (r#"{"op":"request","task":"t","as":"","scope":[]}"#, "an alias of a grant is empty"),
    (
        r#"{"op":"request","task":"t","as":"h","scope":[],"context":[]}"#,
        "`context` is a list, expected an object",
    ),
    (r#"{"op":"call","grant":"h","tool":"add"}"#, "undefined alias `h`, expected a grant"),
    (r#"{"op":"call","grant":"g"}"#, "`call` has no `tool`"),
    (r#"{"op":"call","tool":"add"}"#, "expected exactly one of `grant` and `token`"),
    (
        r#"{"op":"call","grant":"g","token":"x","tool":"add"}"#,
        "expected exactly one of `grant` and `token`",
    ),
    (r#"{"op":"call","token":"x","tool":"add"}"#, "`token` needs `who`"),
    (
        r#"{"op":"call","token":"x","who":"a","tool":"add","tamper":{"cut":1}}"#,
        "`tamper` needs a `grant`",
    ),
    (
        r#"{"op":"call","grant":"g","tool":"add","args":{},"args_text":"{}"}"#,
        "at most one of `args` and `args_text`",
    ),
    (
        r#"{"op":"call","grant":"g","tool":"add","outcome":"fine"}"#,
        "`outcome` is `fine`, expected `ok`, `error` or `panic`",
    ),
    (r#"{"op":"call","grant":"g","tool":"add","resource":{"type":"x"}}"#, "`resource` has no `id`"),
    (r#"{"op":"call","grant":"g","tool":"add","tamper":{}}"#, "exactly one of `flip`"),
    (
        r#"{"op":"call","grant":"g","tool":"add","tamper":{"cut":0}}"#,
        "`cut` is `0`, expected a whole number of at least 1",
    ),
    (
        r#"{"op":"call","grant":"g","tool":"add","tamper":{"flip":-1}}"#,
        "`flip` is `-1`, expected a whole number of at least 0",
    ),
    (r#"{"op":"call","grant":"g","tool":"add","tamper":{"append":""}}"#, "exactly one of `flip`"),
    (
        r#"{"op":"call","grant":"g","tool":"add","tamper":{"cut":1,"flip":1}}"#,
        "exactly one of `flip`",
    ),
    (
        r#"{"op":"call","grant":"g","tool":"add","bound":1}"#,
        "`bound` is a number, expected `true` or `false`",
    ),
    (r#"{"op":"call","token":"x","who":"a","tool":"add","bound":true}"#, "`bound` needs a `grant`"),
    (r#"{"op":"authorize","grant":"g","tool":"add"}"#, "`authorize` has no `as`"),
    (r#"{"op":"trim","task":"t","as":"g","scope":[]}"#, "`g` is a grant since line 3"),
    (r#"{"op":"trim","task":"u","as":"h","scope":[]}"#, "undefined alias `u`"),
    (
        r#"{"op":"delegate","task":"t","from":"g","as":"h","scope":[]}"#,
        "`delegate` has no `holder`, expected an object with `id`",
    ),
    (
        r#"{"op":"delegate","task":"t","as":"h","holder":"a","scope":[]}"#,
        "`delegate` has no `from`",
    ),
    (
        r#"{"op":"delegate","task":"t","from":"h","as":"i","holder":"a","scope":[]}"#,
        "undefined alias `h`, expected a grant",
    ),
    (
        r#"{"op":"delegate","task":"u","from":"g","as":"i","holder":"a","scope":[{"tool":"add"}]}"#,
        "undefined alias `u`, expected a task",
    ),
    (
        r#"{"op":"delegate","task":"t","from":"g","as":"g","holder":"a","scope":[]}"#,
        "`g` is a grant since line 3",
    ),
    (r#"{"op":"renew","task":"t"}"#, "unknown field `task` in `renew`"),
    (r#"{"op":"renew"}"#, "`renew` has no `grant`"),
    (r#"{"op":"checkpoint","grant":"h"}"#, "undefined alias `h`, expected a grant"),
    (r#"{"op":"attenuate","grant":"g","as":"n"}"#, "`attenuate` has no `scope`"),
    (r#"{"op":"attenuate","grant":"h","as":"n","scope":[]}"#, "undefined alias `h`"),
    (r#"{"op":"attenuate","grant":"g","as":"g","scope":[]}"#, "`g` is a grant since line 3"),
    (
        r#"{"op":"attenuate","grant":"g","as":"n","scope":[],"in":"1m","expires":"2026-01-01T00:00:01Z"}"#,
        "expected at most one of `expires` and `in`",
    ),
    (r#"{"op":"attenuate","grant":"g","as":"n","scope":[],"in":"soon"}"#, "`in`: `soon`"),
    (
        r#"{"op":"attenuate","grant":"g","as":"n","scope":[],"expires":"5m"}"#,
        "`expires`: `5m` is not an RFC 3339 time",
    ),
    (r#"{"op":"present","grant":"g","as":"x"}"#, "`present` has no `tool`"),
    (r#"{"op":"present","token":"y","as":"x","tool":"add"}"#, "unknown field `token` in `present`"),
    (r#"{"op":"tools"}"#, "expected exactly one of `grant` and `token`"),
    (r#"{"op":"tools","grant":"g","tool":"add"}"#, "unknown field `tool` in `tools`"),
    (r#"{"op":"revoke"}"#, "`revoke` needs exactly one of `grant`, `identity` or `tool`"),
    (r#"{"op":"revoke","grant":"g","tool":"add"}"#, "`revoke` needs exactly one of"),
    (r#"{"op":"halt"}"#, "`halt` needs exactly one of `what`, `identity`, `task` or `tool`"),
    (r#"{"op":"halt","what":"all"}"#, "`what` is `all`, expected `everything`"),
    (r#"{"op":"halt","task":"u"}"#, "undefined alias `u`, expected a task"),
    (r#"{"op":"resume","task":"t","tool":"add"}"#, "`resume` needs exactly one of"),
    (r#"{"op":"resume","tool":5}"#, "`tool` is a number, expected text"),
    (r#"{"op":"preview"}"#, "`preview` has no `policy`"),
    (r#"{"op":"preview","policy":"none.toml"}"#, "policy `none.toml`: can't be read"),
    (r#"{"op":"sweep","tasks":1}"#, "unknown field `tasks` in `sweep`"),
    (r#"{"op":"stats","task":"t"}"#, "unknown field `task` in `stats`"),
    (r#"{"op":"allow","request":"r"}"#, "unknown op `allow`"),
    (r#"{"op":"approve","request":"r"}"#, "unknown field `request`"),
    (r#"{"op":"open_door","task":"t"}"#, "unknown op `open_door`"),
    (r#"{"op":"run","permit":"p"}"#, "undefined alias `p`, expected a permit"),
    (r#"{"op":"end","task":"u"}"#, "undefined alias `u`, expected a task"),
    (
        r#"{"op":"end","task":"t","how":"done"}"#,
        "`how` is `done`, expected `completed`, `failed`, `dropped` or `revoked`",
    ),
    (r#"{"op":"end","task":"t","reason":"x"}"#, "`reason` belongs to `\"how\":\"failed\"`"),
    (r#"{"op":"revoke","grant":"h"}"#, "undefined alias `h`, expected a grant"),
    (r#"{"op":"reload","policy":"none.toml"}"#, "policy `none.toml`: can't be read"),
];

#[test]
fn a_line_that_cannot_be_meant_stops_the_replay_and_is_named() {
    let folder = folder("cases");
    for (line, message) in CASES {
        let told = replay_in(&folder, &[OPEN, REQUEST, line, CALL]);
        assert_eq!(told.code, 2, "{line}: {}", told.answers);
        assert!(told.remarks.contains("trace.jsonl:4: "), "{line}: {}", told.remarks);
        assert!(told.remarks.contains(message), "{line}: {}", told.remarks);
        assert_eq!(told.answers.lines().count(), 3, "the lines before are answered");
    }
}

#[test]
fn what_was_made_of_a_token_is_no_grant() {
    let made = [
        r#"{"op":"attenuate","grant":"g","as":"n","scope":[{"tool":"add"}]}"#,
        r#"{"op":"present","grant":"g","as":"n","tool":"add"}"#,
    ];
    let uses = [
        r#"{"op":"renew","grant":"n"}"#,
        r#"{"op":"checkpoint","grant":"n"}"#,
        r#"{"op":"revoke","grant":"n"}"#,
        r#"{"op":"delegate","task":"t","from":"n","as":"d","holder":"a","scope":[]}"#,
    ];
    for made in made {
        for used in uses {
            let told = replay("made", &[OPEN, REQUEST, made, used]);
            assert_eq!(told.code, 2, "{used}: {}", told.answers);
            let message = "5: `n` is a token made of a grant, expected the grant itself";
            assert!(told.remarks.contains(message), "{used}: {}", told.remarks);
        }
        let told = replay("made-twice", &[OPEN, REQUEST, made, made]);
        assert!(told.remarks.contains("5: `n` is a grant since line 4"), "{}", told.remarks);
    }
}

#[test]
fn a_permit_is_used_once_and_in_order() {
    let authorize = r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1}}"#;
    let (run, finish) = (r#"{"op":"run","permit":"p"}"#, r#"{"op":"finish","permit":"p"}"#);
    let dropped = r#"{"op":"drop","permit":"p"}"#;
    let cases: [(&[&str], &str); 5] = [
        (&[authorize, finish], "5: permit `p` is not running yet and can't be finished"),
        (&[authorize, run, run], "6: permit `p` is running already and can't be run"),
        (&[authorize, run, finish, run], "7: permit `p` is used up since line 6 and can't be run"),
        (
            &[authorize, dropped, dropped],
            "6: permit `p` is used up since line 5 and can't be dropped",
        ),
        (&[authorize, authorize], "5: `p` is a permit since line 4, expected another alias"),
    ];
    for (lines, message) in cases {
        let lines: Vec<&str> = [OPEN, REQUEST].iter().chain(lines).copied().collect();
        let told = replay("permits", &lines);
        assert_eq!(told.code, 2);
        assert!(told.remarks.contains(message), "{}", told.remarks);
    }
}

#[test]
fn a_trace_starts_with_its_header() {
    let folder = folder("header");
    let (policy, trace) = (folder.join("policy.toml"), folder.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    for (text, message) in [
        ("", ":1: expected the first line to be `{\"op\":\"trace\""),
        ("\n\n", ":1: expected the first line"),
        (OPEN, ":1: expected the first line"),
        (
            r#"{"op":"trace","version":2,"start":"2026-01-01T00:00:00Z"}"#,
            ":1: `version` is `2`, expected `1`",
        ),
        (r#"{"op":"trace","start":"2026-01-01T00:00:00Z"}"#, ":1: `trace` has no `version`"),
        (r#"{"op":"trace","version":1}"#, ":1: `trace` has no `start`"),
        (
            r#"{"op":"trace","version":1,"start":"today"}"#,
            ":1: `start`: `today` is not an RFC 3339 time",
        ),
        (
            r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z","policy":"p"}"#,
            ":1: unknown field `policy`",
        ),
    ] {
        fs::write(&trace, text).unwrap();
        let told = replay_files(&policy, &trace);
        assert_eq!(told.code, 2, "{text}");
        assert!(told.remarks.contains(message), "{text}: {}", told.remarks);
    }
}

#[test]
fn a_policy_that_does_not_load_is_named_with_its_line() {
    let folder = folder("policy");
    fs::write(folder.join("bad.toml"), "version = 1\n\n[[rule]]\nid = \"r\"\neffect = \"allow\"\n")
        .unwrap();
    fs::write(folder.join("trace.jsonl"), HEADER).unwrap();
    let told = replay_files(&folder.join("bad.toml"), &folder.join("trace.jsonl"));
    assert_eq!(told.code, 2);
    assert!(told.remarks.contains("bad.toml: line 5, column "), "{}", told.remarks);
    assert!(told.remarks.contains("`allow` is not an effect"), "{}", told.remarks);

    let told = replay_in(&folder, &[r#"{"op":"reload","policy":"bad.toml"}"#]);
    assert_eq!(told.code, 2);
    let place = "trace.jsonl:2: policy `bad.toml`: line 5, column ";
    assert!(told.remarks.contains(place), "{}", told.remarks);
}

#[test]
fn files_that_are_not_there_are_named() {
    let folder = folder("missing");
    fs::write(folder.join("policy.toml"), POLICY).unwrap();
    let none = folder.join("none");
    for (policy, trace) in [(&folder.join("policy.toml"), &none), (&none, &none)] {
        let told = replay_files(policy, trace);
        assert_eq!(told.code, 2);
        assert!(told.remarks.contains("none: can't be read"), "{}", told.remarks);
    }
}

#[test]
fn bytes_that_are_not_utf8_and_endless_lines_are_refused() {
    let folder = folder("bytes");
    let (policy, trace) = (folder.join("policy.toml"), folder.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    fs::write(&trace, [HEADER.as_bytes(), b"\n{\"op\":\"st\xff\"}"].concat()).unwrap();
    let told = replay_files(&policy, &trace);
    assert_eq!(
        (told.code, told.remarks.contains(":2: column 10: expected UTF-8")),
        (2, true),
        "{}",
        told.remarks
    );

    let endless =
        format!("{HEADER}\n{{\"op\":\"standing\",\"note\":\"{}\"}}\n", "x".repeat(1 << 20));
    fs::write(&trace, endless).unwrap();
    let told = replay_files(&policy, &trace);
    assert!(
        told.remarks.contains(":2: column 1: expected at most 1048576 bytes"),
        "{}",
        told.remarks
    );
}

#[test]
fn arguments_that_cannot_be_meant_get_the_usage() {
    for arguments in [
        &["trace.jsonl"] as &[&str],
        &["--policy"],
        &["--policy", "p.toml"],
        &["--policy", "p.toml", "t.jsonl", "u.jsonl"],
        &["--polcy", "p.toml", "t.jsonl"],
    ] {
        let arguments: Vec<_> = arguments.iter().map(Into::into).collect();
        let told = run(&arguments, false);
        assert_eq!(told.code, 2);
        assert!(told.remarks.contains("usage: replay"), "{}", told.remarks);
        assert!(told.answers.is_empty());
    }
    let told = run(&["--help".into()], false);
    assert_eq!((told.code, told.answers.starts_with("usage: replay")), (0, true));
}
