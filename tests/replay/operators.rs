//! What operators do: revoke, halt and resume, preview and reload, sweep and look.

use std::fs;

use crate::driver::{CALL, OPEN, POLICY, REQUEST, as_expected, folder, replay_in, run};

#[test]
fn a_reload_is_read_beside_the_trace_and_decides_from_then_on() {
    let folder = folder("reload");
    fs::create_dir(folder.join("next")).unwrap();
    fs::write(folder.join("next/empty.toml"), "version = 1\n").unwrap();
    fs::write(folder.join("back.toml"), POLICY).unwrap();
    fs::write(folder.join("empty.json"), r#"{"version":1}"#).unwrap();
    let told = replay_in(
        &folder,
        &[
            OPEN,
            REQUEST,
            r#"{"op":"reload","policy":"back.toml","expect":{"epoch":1,"drifted":[]}}"#,
            r#"{"op":"reload","policy":"next/empty.toml","expect":{"epoch":2,"drifted":[{"grant":"g","reason":"not_covered","rules":[]}]}}"#,
            // Today's policy would not give it, so it has ended, whatever is loaded later.
            r#"{"op":"standing","expect":{"tasks":["t"],"grants":[]}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"code":"invalid_token","reason":"drifted"}}"#,
            r#"{"op":"reload","policy":"empty.json","expect":{"epoch":2}}"#,
            r#"{"op":"reload","policy":"back.toml","expect":{"epoch":3}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"drifted"}}"#,
            r#"{"op":"request","task":"t","as":"h","scope":[{"tool":"add","args":{"a":1}}],"expect":{"decision":"permit"}}"#,
            r#"{"op":"call","grant":"h","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
        ],
    );
    assert_eq!(told.code, 0, "{}", told.remarks);
}

#[test]
fn a_permit_of_the_policy_before_starts_nothing_though_its_grant_lives() {
    let folder = folder("reload-permit");
    fs::write(
        folder.join("more.toml"),
        format!("{POLICY}\nvalid = {{ until = 2030-01-01T00:00:00Z }}"),
    )
    .unwrap();
    let told = replay_in(
        &folder,
        &[
            OPEN,
            REQUEST,
            r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1}}"#,
            r#"{"op":"reload","policy":"more.toml","expect":{"epoch":2,"drifted":[]}}"#,
            r#"{"op":"run","permit":"p","expect":{"code":"unavailable","reason":"policy_changed"}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
        ],
    );
    assert_eq!(told.code, 0, "{}", told.remarks);
}

#[test]
fn a_preview_names_what_would_end_and_why_and_ends_nothing() {
    let folder = folder("preview");
    let freeze = "\n[[rule]]\nid = \"freeze\"\neffect = \"forbid\"\nwhat = { tool = \"add\" }\n";
    fs::write(folder.join("freeze.toml"), format!("{POLICY}{freeze}")).unwrap();
    let request = |alias: &str| REQUEST.replace(r#""as":"g""#, &format!(r#""as":"{alias}""#));
    let would = r#"[{"grant":"a","reason":"forbidden","rules":["freeze"]},{"grant":"g","reason":"forbidden","rules":["freeze"]}]"#;
    let preview = format!(
        r#"{{"op":"preview","policy":"freeze.toml","expect":{{"drifted":{would},"running":["p"]}}}}"#
    );
    let reload = format!(
        r#"{{"op":"reload","policy":"freeze.toml","expect":{{"epoch":2,"drifted":{would},"running":["p"]}}}}"#
    );
    let lines = [
        OPEN,
        REQUEST,
        &request("a"),
        r#"{"op":"authorize","grant":"a","as":"p","tool":"add","args":{"a":1},"expect":{"permit":"p"}}"#,
        r#"{"op":"run","permit":"p","expect":{"permit":"p"}}"#,
        &preview,
        CALL,
        r#"{"op":"standing","expect":{"grants":["a","g"]}}"#,
        &reload,
        r#"{"op":"standing","expect":{"grants":[]}}"#,
        r#"{"op":"preview","policy":"freeze.toml","expect":{"drifted":[]}}"#,
    ];
    let told = replay_in(&folder, &lines);
    assert_eq!(told.code, 0, "{}", told.remarks);
    assert!(told.remarks.contains("2 permitted, 0 denied"), "{}", told.remarks);

    let (policy, trace) = (folder.join("policy.toml"), folder.join("trace.jsonl"));
    let told = run(&["--explain".into(), "--policy".into(), policy.into(), trace.into()], false);
    let why = told.text(7, "why");
    let lines: Vec<&str> = why.lines().collect();
    assert!(lines[0].starts_with("a: forbidden (not_permitted)"), "{why}");
    assert!(lines[1].starts_with("g: forbidden (not_permitted)"), "{why}");
}

#[test]
fn a_halt_stops_what_it_names_and_a_resume_lets_it_go_on() {
    for (what, others) in [
        (r#""what":"everything""#, "halted"),
        (r#""identity":"agent-7""#, ""),
        (r#""task":"t""#, ""),
        (r#""tool":"add""#, "halted"),
    ] {
        let check = |grant: &str, reason: &str| {
            let expect = match reason {
                "" => r#""decision":"permit""#.to_owned(),
                reason => format!(r#""code":"halted","reason":"{reason}""#),
            };
            format!(
                r#"{{"op":"check","grant":"{grant}","tool":"add","args":{{"a":1}},"expect":{{{expect}}}}}"#
            )
        };
        as_expected(
            "halt",
            &[
                r#"{"op":"open","task":"u","who":"agent-8","purpose":"sums"}"#,
                &REQUEST.replace(r#""t","as":"g""#, r#""u","as":"h""#),
                r#"{"op":"authorize","grant":"g","as":"z","tool":"add","args":{"a":1}}"#,
                r#"{"op":"authorize","grant":"g","as":"kept","tool":"add","args":{"a":1}}"#,
                r#"{"op":"run","permit":"z"}"#,
                &format!(r#"{{"op":"resume",{what},"expect":{{{what},"resumed":false}}}}"#),
                &format!(r#"{{"op":"halt",{what},"expect":{{{what},"running":["z"]}}}}"#),
                r#"{"op":"run","permit":"kept","expect":{"decision":"deny","reason":"halted"}}"#,
                r#"{"op":"finish","permit":"z","expect":{"outcome":"ok"}}"#,
                &check("g", "halted"),
                &check("h", others),
                // It ends nothing.
                r#"{"op":"standing","expect":{"tasks":["t","u"],"grants":["g","h"]}}"#,
                &format!(r#"{{"op":"resume",{what},"expect":{{"resumed":true}}}}"#),
                &check("h", ""),
                &check("g", ""),
            ],
        );
    }
}

#[test]
fn a_revoked_identity_loses_its_tasks_and_what_it_holds_in_others() {
    as_expected(
        "revoke-identity",
        &[
            r#"{"op":"open","task":"u","who":"agent-8","purpose":"sums"}"#,
            r#"{"op":"request","task":"u","as":"h","scope":[{"tool":"add","args":{"a":1}}],"holder":"agent-7"}"#,
            r#"{"op":"request","task":"u","as":"k","scope":[{"tool":"add","args":{"a":1}}]}"#,
            r#"{"op":"revoke","identity":"agent-9","expect":{"identity":"agent-9","revoked":0}}"#,
            r#"{"op":"revoke","identity":"agent-7","expect":{"identity":"agent-7","revoked":2}}"#,
            r#"{"op":"standing","expect":{"tasks":["u"],"grants":["k"]}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"task_over"}}"#,
            r#"{"op":"call","grant":"h","tool":"add","args":{"a":1},"expect":{"reason":"revoked"}}"#,
            r#"{"op":"end","task":"t","expect":{"ended":false}}"#,
            r#"{"op":"request","task":"t","as":"g","scope":[{"tool":"add"}],"expect":{"reason":"task_over"}}"#,
        ],
    );
}

#[test]
fn a_revoked_tool_takes_every_grant_that_names_it() {
    as_expected(
        "revoke-tool",
        &[
            r#"{"op":"open","task":"u","who":{"id":"b","attrs":{"team":"red"}},"purpose":"notes"}"#,
            r#"{"op":"request","task":"u","as":"n","scope":[{"tool":"note","resource":{"type":"page","id":"1","attrs":{"team":"red"}}}],"expect":{"decision":"permit"}}"#,
            r#"{"op":"revoke","tool":"add","expect":{"tool":"add","revoked":1}}"#,
            r#"{"op":"standing","expect":{"tasks":["t","u"],"grants":["n"]}}"#,
            // A revocation is not a halt: what is asked for anew is decided anew.
            r#"{"op":"request","task":"t","as":"h","scope":[{"tool":"add","args":{"a":1}}],"expect":{"decision":"permit"}}"#,
        ],
    );
}

#[test]
fn stats_count_and_a_sweep_puts_away_what_is_past_its_time() {
    as_expected(
        "stats",
        &[
            r#"{"op":"stats","expect":{"tasks":1,"grants":1,"permits":0,"sweep_debts":0,"record_debts":0,"denials":{}}}"#,
            r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":10}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":11}}"#,
            r#"{"op":"stats","expect":{"permits":1,"denials":{"out_of_scope":2}}}"#,
            r#"{"op":"drop","permit":"p"}"#,
            r#"{"op":"sweep","expect":{"swept":0}}"#,
            r#"{"op":"clock","advance":"5m"}"#,
            r#"{"op":"stats","expect":{"tasks":1,"grants":1,"permits":0,"sweep_debts":1}}"#,
            r#"{"op":"standing","expect":{"tasks":["t"],"grants":[]}}"#,
            r#"{"op":"sweep","expect":{"swept":1}}"#,
            r#"{"op":"stats","expect":{"tasks":1,"grants":0,"sweep_debts":0}}"#,
            r#"{"op":"clock","advance":"1h"}"#,
            r#"{"op":"sweep","expect":{"swept":1}}"#,
            r#"{"op":"stats","expect":{"tasks":0}}"#,
        ],
    );
}
