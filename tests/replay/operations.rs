//! Each operation, and what is answered.

use crate::driver::{CALL, OPEN, REQUEST, as_expected, replay};

#[test]
fn a_call_runs_to_each_of_its_outcomes() {
    let told = as_expected(
        "outcomes",
        &[
            CALL,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":2},"outcome":"error","expect":{"outcome":"error"}}"#,
        ],
    );
    assert_eq!(
        told.answers.lines().nth(3).unwrap(),
        r#"{"line":4,"op":"call","decision":"permit","rules":["agents-add"],"outcome":"ok"}"#
    );
    as_expected(
        "panic",
        &[
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"outcome":"panic","expect":{"decision":"permit","outcome":"interrupted"}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
        ],
    );
}

#[test]
fn a_check_permits_nothing_and_spends_nothing() {
    let check = r#"{"op":"check","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit","rules":["agents-add"]}}"#;
    as_expected(
        "check",
        &[
            check,
            check,
            check,
            CALL,
            check,
            CALL,
            r#"{"op":"check","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"deny","reason":"uses_spent"}}"#,
        ],
    );
}

#[test]
fn what_a_line_notes_bounds_the_calls_after_it() {
    let delete = |id: &str, expect: &str| {
        format!(
            r#"{{"op":"call","grant":"m-grant","tool":"mail.delete","args":{{"id":"{id}"}},"expect":{expect}}}"#
        )
    };
    let denied = r#"{"decision":"deny","reason":"no_permit"}"#;
    let permitted = r#"{"decision":"permit"}"#;
    let lines = [
        r#"{"op":"open","task":"m","who":"agent-7","purpose":"tidy-up"}"#.to_owned(),
        r#"{"op":"request","task":"m","as":"m-grant","scope":[{"tool":"mail.read","args":"any"},{"tool":"mail.delete","args":{"id":"any"}}]}"#.to_owned(),
        delete("m-1", denied),
        r#"{"op":"call","grant":"m-grant","tool":"mail.read","notes":{"mail.read#id":["m-1","m-2"]},"expect":{"outcome":"ok","noted":true}}"#.to_owned(),
        delete("m-1", permitted),
        delete("m-3", denied),
        r#"{"op":"authorize","grant":"m-grant","as":"p","tool":"mail.read"}"#.to_owned(),
        r#"{"op":"run","permit":"p"}"#.to_owned(),
        r#"{"op":"notes","permit":"p","notes":{"mail.read#id":"m-3"},"expect":{"noted":true}}"#.to_owned(),
        r#"{"op":"notes","permit":"p","notes":{"mail.send#id":"m-4"},"expect":{"noted":false}}"#.to_owned(),
        r#"{"op":"finish","permit":"p"}"#.to_owned(),
        delete("m-3", permitted),
        delete("m-4", denied),
        r#"{"op":"call","grant":"m-grant","tool":"mail.read","outcome":"panic","notes":{"mail.read#id":"m-5"},"expect":{"outcome":"interrupted","noted":true}}"#.to_owned(),
        delete("m-5", permitted),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = as_expected("notes", &lines);
    assert!(told.remarks.is_empty() || !told.remarks.contains("expected"), "{}", told.remarks);
    let early = replay(
        "notes-early",
        &[
            OPEN,
            REQUEST,
            r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1}}"#,
            r#"{"op":"notes","permit":"p","notes":{"add#id":"x"}}"#,
        ],
    );
    assert!(
        early.remarks.contains("permit `p` is not running yet and can't be noted of"),
        "{}",
        early.remarks
    );
    let without = replay("notes-without", &[r#"{"op":"notes","permit":"p"}"#]);
    assert!(
        without.remarks.contains("`notes` has no `notes`, expected an object of lists"),
        "{}",
        without.remarks
    );
}

#[test]
fn a_permit_is_run_and_finished_in_lines_of_their_own() {
    as_expected(
        "one-by-one",
        &[
            r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1},"expect":{"decision":"permit","permit":"p","rules":["agents-add"]}}"#,
            r#"{"op":"run","permit":"p","expect":{"decision":"permit","permit":"p"}}"#,
            r#"{"op":"finish","permit":"p","outcome":"error","expect":{"outcome":"error"}}"#,
            r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
            r#"{"op":"run","permit":"p"}"#,
            r#"{"op":"finish","permit":"p","outcome":"panic","expect":{"outcome":"interrupted"}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"uses_spent"}}"#,
        ],
    );
}

#[test]
fn a_dropped_permit_gives_its_use_back_and_a_dropped_run_does_not() {
    let authorize = r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#;
    let abandoned = r#"{"op":"drop","permit":"p","expect":{"outcome":"abandoned"}}"#;
    let run = r#"{"op":"run","permit":"p","expect":{"decision":"permit"}}"#;
    let interrupted = r#"{"op":"drop","permit":"p","expect":{"outcome":"interrupted"}}"#;
    let spent = r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"code":"limit_reached"}}"#;
    as_expected(
        "drop",
        &[
            authorize,
            abandoned,
            authorize,
            abandoned,
            authorize,
            run,
            interrupted,
            authorize,
            run,
            interrupted,
            spent,
        ],
    );
}

/// attack 96
#[test]
fn an_end_names_what_was_running_and_is_final_for_permits_and_tokens() {
    as_expected(
        "end",
        &[
            r#"{"op":"authorize","grant":"g","as":"z","tool":"add","args":{"a":1}}"#,
            r#"{"op":"authorize","grant":"g","as":"kept","tool":"add","args":{"a":1}}"#,
            r#"{"op":"run","permit":"z"}"#,
            r#"{"op":"end","task":"t","how":"failed","reason":"no more","expect":{"ended":true,"how":"failed","running":["z"]}}"#,
            r#"{"op":"run","permit":"kept","expect":{"decision":"deny","code":"invalid_token","reason":"task_over"}}"#,
            r#"{"op":"finish","permit":"kept","expect":{"reason":"task_over"}}"#,
            r#"{"op":"finish","permit":"z","expect":{"outcome":"ok"}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"task_over"}}"#,
            r#"{"op":"end","task":"t","expect":{"ended":false,"how":"completed"}}"#,
            r#"{"op":"standing","expect":{"tasks":[],"grants":[]}}"#,
        ],
    );
    for how in ["completed", "revoked", "dropped"] {
        as_expected(
            &format!("end-{how}"),
            &[
                &format!(
                    r#"{{"op":"end","task":"t","how":"{how}","expect":{{"ended":true,"how":"{how}"}}}}"#
                ),
                r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"task_over"}}"#,
                r#"{"op":"request","task":"t","as":"h","scope":[{"tool":"add"}],"expect":{"decision":"deny","reason":"task_over"}}"#,
            ],
        );
    }
}

/// attack 99
#[test]
fn a_task_name_is_free_again_after_its_end_and_old_tokens_stay_dead() {
    as_expected(
        "again",
        &[
            r#"{"op":"open","task":"t","who":"agent-8","purpose":"sums","expect":{"decision":"deny","code":"bad_request","reason":"task_name_taken"}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
            r#"{"op":"end","task":"t"}"#,
            OPEN,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"task_over"}}"#,
            // The alias, too: what it stood for has ended.
            REQUEST,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
        ],
    );
}

#[test]
fn a_revoked_grant_is_over_and_its_task_is_not() {
    as_expected(
        "revoke",
        &[
            r#"{"op":"revoke","grant":"g","expect":{"revoked":true}}"#,
            r#"{"op":"revoke","grant":"g","expect":{"revoked":false}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"code":"invalid_token","reason":"revoked"}}"#,
            r#"{"op":"standing","expect":{"tasks":["t"],"grants":[]}}"#,
        ],
    );
}

#[test]
fn standing_lists_aliases_in_order() {
    let more = REQUEST.replace(r#""as":"g""#, r#""as":"a""#);
    as_expected(
        "standing",
        &[
            &more,
            r#"{"op":"open","task":"s","who":"agent-8","purpose":"sums"}"#,
            r#"{"op":"standing","expect":{"tasks":["s","t"],"grants":["a","g"]}}"#,
        ],
    );
}

/// attacks 81, 82
#[test]
fn time_moves_when_it_is_told_to_and_never_back() {
    as_expected(
        "clock",
        &[
            r#"{"op":"clock","advance":"299999ms","expect":{"now":"2026-01-01T00:04:59.999Z"}}"#,
            r#"{"op":"check","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
            r#"{"op":"clock","set":"2026-01-01T00:05:00Z","expect":{"now":"2026-01-01T00:05:00Z"}}"#,
            r#"{"op":"check","grant":"g","tool":"add","args":{"a":1},"expect":{"code":"expired","reason":"expired"}}"#,
            r#"{"op":"clock","set":"2026-01-01T00:00:00Z","expect":{"now":"2026-01-01T00:00:00Z"}}"#,
            r#"{"op":"check","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"expired"}}"#,
        ],
    );
}

#[test]
fn a_grant_may_have_another_holder_who_alone_can_present_it() {
    as_expected(
        "holder",
        &[
            r#"{"op":"request","task":"t","as":"h","scope":[{"tool":"add","args":{"a":1}}],"holder":{"id":"agent-9","kind":"agent"},"expect":{"decision":"permit"}}"#,
            r#"{"op":"call","grant":"h","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
            r#"{"op":"check","grant":"h","who":"agent-7","tool":"add","args":{"a":1},"expect":{"code":"invalid_token","reason":"not_the_holder"}}"#,
            r#"{"op":"request","task":"t","as":"k","scope":[{"tool":"add","args":{"a":1}}],"holder":{"id":"wheel","kind":"workload"},"expect":{"decision":"deny","reason":"not_covered"}}"#,
        ],
    );
}

#[test]
fn rules_see_all_that_is_said_of_who_and_of_the_resource() {
    let who = r#""who":{"id":"ann","kind":"human","groups":["ops"],"attrs":{"team":"red"},"aliases":["a@x"],"acts_for":["bob",{"id":"svc","kind":"workload"}]}"#;
    let note = |team: &str, decision: &str| {
        format!(
            r#"{{"op":"call","grant":"n","tool":"note","resource":{{"type":"page","id":"1","attrs":{{"team":"{team}"}}}},"expect":{{"decision":"{decision}"}}}}"#
        )
    };
    as_expected(
        "who",
        &[
            &format!(
                r#"{{"op":"open","task":"u","purpose":{{"name":"notes","ticket":"T-1","intent":"keep notes"}},{who}}}"#
            ),
            r#"{"op":"request","task":"u","as":"n","scope":[{"tool":"note","resource":{"type":"page","id":"any","attrs":{"team":"red"}}}],"expect":{"decision":"permit"}}"#,
            &note("red", "permit"),
            &note("blue", "deny"),
        ],
    );
}

/// attacks 28, 149
#[test]
fn what_an_agent_gets_wrong_is_denied_and_not_an_error_of_the_trace() {
    let wrong = |rest: &str, reason: &str| {
        format!(
            r#"{{"op":"call","grant":"g",{rest},"expect":{{"code":"bad_request","reason":"{reason}"}}}}"#
        )
    };
    as_expected(
        "wrong",
        &[
            &wrong(r#""tool":"no tool","args":{}"#, "malformed_call"),
            &wrong(r#""tool":"add","args":5"#, "malformed_call"),
            &wrong(r#""tool":"add","args_text":"{\"a\":1,\"a\":2}""#, "malformed_call"),
            &wrong(r#""tool":"add","args_text":"{\"a\":1""#, "malformed_call"),
            &wrong(r#""tool":"add","args":{"a":1},"context":{"now":1}"#, "malformed_context"),
            &wrong(
                r#""tool":"add","args":{"a":1},"resource":{"type":"","id":"x"}"#,
                "malformed_call",
            ),
            &wrong(r#""tool":"add","args":{"a":1},"who":"""#, "malformed_identity"),
            r#"{"op":"request","task":"t","as":"x","scope":[],"expect":{"code":"bad_request","reason":"malformed_scope"}}"#,
            r#"{"op":"request","task":"t","as":"y","scope":[{"tool":"add","args":{"a":{"lte":1}}}],"expect":{"reason":"malformed_scope"}}"#,
            r#"{"op":"open","task":"u","who":"agent-7","purpose":{"name":"two words"},"expect":{"code":"bad_request","reason":"malformed_purpose"}}"#,
            r#"{"op":"open","task":"v","who":"SPIFFE://acme.test/a","purpose":"sums","expect":{"code":"bad_request","reason":"malformed_identity"}}"#,
            r#"{"op":"call","grant":"g","tool":"add","args_text":"{\"a\": 1}","expect":{"decision":"permit"}}"#,
        ],
    );
}

#[test]
fn what_rests_on_something_denied_is_denied_for_the_same_reason() {
    as_expected(
        "rests",
        &[
            r#"{"op":"request","task":"t","as":"x","scope":[{"tool":"add","args":{"a":{"max":10}}}],"expect":{"reason":"not_covered"}}"#,
            r#"{"op":"authorize","grant":"x","as":"p","tool":"add","args":{"a":1},"expect":{"decision":"deny","code":"not_permitted","reason":"not_covered"}}"#,
            r#"{"op":"run","permit":"p","expect":{"reason":"not_covered"}}"#,
            r#"{"op":"finish","permit":"p","expect":{"reason":"not_covered"}}"#,
            r#"{"op":"drop","permit":"p","expect":{"reason":"not_covered"}}"#,
            r#"{"op":"revoke","grant":"x","expect":{"revoked":false}}"#,
            r#"{"op":"open","task":"u","who":"agent-7","purpose":"two words"}"#,
            r#"{"op":"request","task":"u","as":"y","scope":[{"tool":"add"}],"expect":{"reason":"malformed_purpose"}}"#,
            r#"{"op":"end","task":"u","expect":{"ended":false}}"#,
        ],
    );
}

/// attack 66
#[test]
fn a_token_tampered_with_anywhere_is_refused_the_same_way_each_time() {
    let mut lines = vec![OPEN.to_owned(), REQUEST.to_owned()];
    let tampered = |how: String| {
        format!(
            r#"{{"op":"call","grant":"g","tool":"add","args":{{"a":1}},"tamper":{{{how}}},"expect":{{"decision":"deny","code":"invalid_token"}}}}"#
        )
    };
    lines.extend((0..300).map(|at| tampered(format!(r#""flip":{at}"#))));
    lines.extend((1..300).map(|count| tampered(format!(r#""cut":{count}"#))));
    lines.extend(["A", ".", " ", "=", "\\n"].map(|text| tampered(format!(r#""append":"{text}""#))));
    // The token itself is good: what was refused was what had been done to it.
    lines.push(
        r#"{"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#
            .to_owned(),
    );
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (first, second) = (replay("tamper", &lines), replay("tamper-again", &lines));
    assert_eq!(first.code, 0, "{}", first.remarks);
    assert_eq!(first.answers, second.answers);
    for reason in ["bad_signature", "malformed_token", "unknown_key"] {
        assert!(first.answers.contains(reason), "{reason}");
    }
}

#[test]
fn raw_text_is_presented_as_it_is() {
    as_expected(
        "raw",
        &[
            r#"{"op":"call","token":"","who":"agent-7","tool":"add","args":{"a":1},"expect":{"code":"invalid_token","reason":"malformed_token"}}"#,
            r#"{"op":"check","token":"hp1.AAAA.AAAA","who":"agent-7","tool":"add","expect":{"code":"invalid_token"}}"#,
        ],
    );
}
