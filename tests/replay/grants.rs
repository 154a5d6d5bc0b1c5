//! Grants that are trimmed, delegated, decided again and narrowed, and tokens bound to one call.

use crate::driver::{OPEN, REQUEST, as_expected, replay};

/// A call of `add` with this grant and argument, and what is expected of it.
fn add(grant: &str, a: i64, more: &str, expect: &str) -> String {
    format!(
        r#"{{"op":"call","grant":"{grant}","tool":"add","args":{{"a":{a}}}{more},"expect":{{{expect}}}}}"#
    )
}

#[test]
fn a_trimmed_request_gives_what_is_covered_and_says_what_was_cut() {
    let told = as_expected(
        "trim",
        &[
            r#"{"op":"trim","task":"t","as":"h","scope":[{"tool":"add","args":{"a":{"min":5,"max":20}}}],"expect":{"decision":"permit","grant":"h","rules":["agents-add"],"expires":"2026-01-01T00:05:00Z"}}"#,
            &add("h", 9, "", r#""decision":"permit""#),
            &add("h", 10, "", r#""reason":"out_of_scope""#),
            &add("h", 4, "", r#""reason":"out_of_scope""#),
            r#"{"op":"trim","task":"t","as":"whole","scope":[{"tool":"add","args":{"a":{"max":3}}}],"expect":{"decision":"permit","cut":[]}}"#,
            r#"{"op":"trim","task":"t","as":"none","scope":[{"tool":"add","args":{"a":{"min":10}}}],"expect":{"decision":"deny","reason":"not_covered"}}"#,
            r#"{"op":"trim","task":"t","as":"other","scope":[{"tool":"add","args":{"a":1}}],"holder":{"id":"w","kind":"workload"},"expect":{"reason":"not_covered"}}"#,
        ],
    );
    let cut = told.answer(4).to_json();
    assert!(
        cut.contains(
            r#""cut":[{"asked":{"args":{"a":{"max":20,"min":5}},"tool":"add"},"example":{"a":"#
        ),
        "{cut}"
    );
}

#[test]
fn a_delegate_gets_part_of_a_grant_and_loses_it_with_the_grant() {
    let delegate = |more: &str, expect: &str| {
        format!(
            r#"{{"op":"delegate","task":"t","from":"g","holder":"worker",{more},"expect":{{{expect}}}}}"#
        )
    };
    as_expected(
        "delegate",
        &[
            &delegate(
                r#""as":"d","scope":[{"tool":"add","args":{"a":{"max":3}}}]"#,
                r#""decision":"permit","grant":"d","rules":["agents-add","agents-delegate-adding"]"#,
            ),
            &add("d", 3, "", r#""decision":"permit""#),
            &add("d", 4, "", r#""reason":"out_of_scope""#),
            &add("d", 3, r#","who":"agent-7""#, r#""reason":"not_the_holder""#),
            &delegate(
                r#""as":"e","scope":[{"tool":"add","args":{"a":{"max":99}}}]"#,
                r#""decision":"deny","reason":"not_covered""#,
            ),
            // One hop is all that a policy which says nothing of depth allows.
            r#"{"op":"delegate","task":"t","from":"d","as":"f","holder":"other","scope":[{"tool":"add","args":{"a":1}}],"expect":{"reason":"not_covered"}}"#,
            r#"{"op":"open","task":"u","who":"agent-7","purpose":"sums"}"#,
            r#"{"op":"delegate","task":"u","from":"g","as":"x","holder":"other","scope":[{"tool":"add","args":{"a":1}}],"expect":{"reason":"unknown_grant"}}"#,
            r#"{"op":"delegate","task":"t","from":"e","as":"y","holder":"other","scope":[{"tool":"add"}],"expect":{"reason":"not_covered"}}"#,
            r#"{"op":"delegate","task":"t","from":"g","as":"z","holder":"","scope":[{"tool":"add"}],"expect":{"reason":"malformed_identity"}}"#,
            r#"{"op":"delegate","task":"t","from":"g","as":"w","holder":"other","scope":[],"expect":{"reason":"malformed_scope"}}"#,
            r#"{"op":"revoke","grant":"g","expect":{"revoked":true}}"#,
            &add("d", 3, "", r#""code":"invalid_token","reason":"revoked""#),
            r#"{"op":"standing","expect":{"tasks":["t","u"],"grants":[]}}"#,
        ],
    );
}

#[test]
fn a_renewal_moves_the_expiry_and_a_checkpoint_does_not() {
    as_expected(
        "renew",
        &[
            r#"{"op":"attenuate","grant":"g","as":"old","scope":[{"tool":"add","args":"any"}]}"#,
            &add("g", 1, "", r#""decision":"permit""#),
            r#"{"op":"clock","advance":"4m"}"#,
            r#"{"op":"checkpoint","grant":"g","expect":{"decision":"permit","grant":"g","rules":["agents-add"],"expires":"2026-01-01T00:05:00Z"}}"#,
            r#"{"op":"renew","grant":"g","context":{"env":"prod"},"expect":{"decision":"permit","grant":"g","rules":["agents-add"],"expires":"2026-01-01T00:09:00Z"}}"#,
            // What was made of an older token is superseded, and counters go on.
            &add("old", 1, "", r#""code":"invalid_token","reason":"superseded""#),
            &add("g", 1, "", r#""decision":"permit""#),
            &add("g", 1, "", r#""reason":"uses_spent""#),
        ],
    );
    let over = [
        // Only the holder renews, and who tries loses the grant.
        (r#""who":"agent-8""#, "not_the_holder", "revoked"),
        (r#""who":{"id":"agent-7","kind":"human"}"#, "not_covered", "revoked"),
        (r#""context":{"now":1}"#, "malformed_context", "revoked"),
    ];
    for (at, (more, reason, then)) in over.into_iter().enumerate() {
        for op in ["renew", "checkpoint"] {
            as_expected(
                &format!("{op}-over-{at}"),
                &[
                    &format!(
                        r#"{{"op":"{op}","grant":"g",{more},"expect":{{"decision":"deny","reason":"{reason}"}}}}"#
                    ),
                    &add("g", 1, "", &format!(r#""reason":"{then}""#)),
                ],
            );
        }
    }
}

#[test]
fn what_cannot_be_renewed_is_denied_for_the_reason_it_is_over() {
    let renew = |alias: &str, reason: &str| {
        format!(
            r#"{{"op":"renew","grant":"{alias}","expect":{{"decision":"deny","reason":"{reason}"}}}}"#
        )
    };
    as_expected(
        "renew-late",
        &[
            r#"{"op":"request","task":"t","as":"no","scope":[{"tool":"add"}]}"#,
            &renew("no", "not_covered"),
            r#"{"op":"renew","grant":"g","who":"","expect":{"reason":"malformed_identity"}}"#,
            // A host that can attest no one has asked for nothing, and so lost nothing.
            &add("g", 1, "", r#""decision":"permit""#),
            r#"{"op":"revoke","grant":"g"}"#,
            &renew("g", "revoked"),
            r#"{"op":"end","task":"t"}"#,
            &renew("g", "task_over"),
            OPEN,
            &renew("g", "task_over"),
        ],
    );
}

#[test]
fn an_attenuated_token_is_used_like_a_grant_and_covers_less() {
    as_expected(
        "attenuate",
        &[
            r#"{"op":"attenuate","grant":"g","as":"n","scope":[{"tool":"add","args":{"a":{"max":3}}}],"in":"1m","expect":{"decision":"permit","grant":"n","expires":"2026-01-01T00:01:00Z"}}"#,
            r#"{"op":"attenuate","grant":"n","as":"m","scope":[{"tool":"add","args":{"a":{"min":2,"max":99}}}],"expires":"2026-01-01T00:00:30Z","expect":{"decision":"permit"}}"#,
            r#"{"op":"check","grant":"n","tool":"add","args":{"a":4},"expect":{"code":"out_of_scope"}}"#,
            r#"{"op":"check","grant":"m","tool":"add","args":{"a":4},"expect":{"code":"out_of_scope"}}"#,
            r#"{"op":"check","grant":"m","tool":"add","args":{"a":1},"expect":{"code":"out_of_scope"}}"#,
            &add("m", 3, "", r#""decision":"permit""#),
            r#"{"op":"check","grant":"n","tool":"add","args":{"a":1},"who":"agent-8","expect":{"reason":"not_the_holder"}}"#,
            r#"{"op":"check","grant":"n","tool":"add","args":{"a":1},"tamper":{"flip":70},"expect":{"reason":"bad_signature"}}"#,
            r#"{"op":"clock","advance":"30s"}"#,
            &add("m", 3, "", r#""reason":"expired""#),
            &add("n", 3, "", r#""decision":"permit""#),
            r#"{"op":"attenuate","grant":"g","as":"bad","scope":[{"tool":"add","args":{"a":{"lte":1}}}],"expect":{"decision":"deny","reason":"malformed_scope"}}"#,
            r#"{"op":"call","grant":"bad","tool":"add","expect":{"reason":"malformed_scope"}}"#,
            r#"{"op":"attenuate","grant":"bad","as":"worse","scope":[{"tool":"add"}],"expect":{"reason":"malformed_scope"}}"#,
            r#"{"op":"standing","expect":{"grants":["g"]}}"#,
        ],
    );
}

#[test]
fn a_token_is_narrowed_so_often_and_no_more() {
    let narrow = |from: &str, to: usize, expect: &str| {
        format!(
            r#"{{"op":"attenuate","grant":"{from}","as":"n{to}","scope":[{{"tool":"add","args":"any"}}],"expect":{{{expect}}}}}"#
        )
    };
    let mut lines = vec![OPEN.to_owned(), REQUEST.to_owned()];
    lines.push(narrow("g", 1, r#""decision":"permit""#));
    lines.extend((2..=16).map(|at| narrow(&format!("n{}", at - 1), at, r#""decision":"permit""#)));
    lines.push(narrow("n16", 17, r#""code":"limit_reached","reason":"too_many""#));
    lines.push(add("n16", 1, "", r#""decision":"permit""#));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = replay("narrow", &lines);
    assert_eq!(told.code, 0, "{}", told.remarks);
}

/// attack 75
#[test]
fn what_is_bound_to_a_call_is_worth_that_call_once_and_for_seconds() {
    let present = |alias: &str, expect: &str| {
        format!(
            r#"{{"op":"present","grant":"g","as":"{alias}","tool":"add","args":{{"a":1}},"expect":{{{expect}}}}}"#
        )
    };
    as_expected(
        "present",
        &[
            &present("x", r#""decision":"permit","grant":"x""#),
            // Captured: for other arguments, in other hands, altered.
            &add("x", 2, "", r#""code":"invalid_token","reason":"bad_signature""#),
            &add("x", 1, r#","who":"agent-8""#, r#""reason":"not_the_holder""#),
            &add("x", 1, r#","tamper":{"cut":1}"#, r#""reason":"malformed_token""#),
            &add("x", 1, "", r#""decision":"permit","outcome":"ok""#),
            &add("x", 1, "", r#""code":"invalid_token","reason":"replayed""#),
            &present("late", r#""decision":"permit""#),
            r#"{"op":"clock","advance":"30s"}"#,
            &add("late", 1, "", r#""code":"expired","reason":"stale_presentation""#),
            &add("g", 1, r#","bound":true"#, r#""decision":"permit""#),
            &add(
                "g",
                1,
                r#","bound":true,"tamper":{"append":"A"}"#,
                r#""reason":"malformed_token""#,
            ),
            // It can be neither narrowed nor bound again, and it lists nothing.
            r#"{"op":"attenuate","grant":"late","as":"n","scope":[{"tool":"add"}],"expect":{"reason":"unsupported_token"}}"#,
            &add("late", 1, r#","bound":true"#, r#""reason":"unsupported_token""#),
            r#"{"op":"present","grant":"g","as":"bad","tool":"add","args":7,"expect":{"code":"bad_request","reason":"malformed_call"}}"#,
            r#"{"op":"call","grant":"bad","tool":"add","expect":{"reason":"malformed_call"}}"#,
        ],
    );
    as_expected(
        "bound",
        &[
            r#"{"op":"authorize","grant":"g","as":"p","bound":true,"tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
            r#"{"op":"run","permit":"p","expect":{"decision":"permit"}}"#,
            r#"{"op":"check","grant":"g","bound":true,"tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
            r#"{"op":"check","grant":"g","bound":false,"tool":"add","args":{"a":1},"expect":{"decision":"permit"}}"#,
        ],
    );
}

#[test]
fn the_tools_that_are_listed_are_those_a_call_could_use() {
    as_expected(
        "tools",
        &[
            r#"{"op":"tools","grant":"g","expect":{"decision":"permit","tools":["add"]}}"#,
            r#"{"op":"tools","grant":"g","who":"agent-8","expect":{"decision":"deny","reason":"not_the_holder"}}"#,
            r#"{"op":"tools","grant":"g","tamper":{"cut":1},"expect":{"reason":"malformed_token"}}"#,
            r#"{"op":"tools","token":"hp1.x.y","who":"agent-8","expect":{"reason":"malformed_token"}}"#,
            r#"{"op":"tools","grant":"g","context":{"now":1},"expect":{"reason":"malformed_context"}}"#,
            r#"{"op":"attenuate","grant":"g","as":"n","scope":[{"tool":"other"}]}"#,
            r#"{"op":"tools","grant":"n","expect":{"decision":"permit","tools":[]}}"#,
            &add("g", 1, "", r#""decision":"permit""#),
            &add("g", 1, "", r#""decision":"permit""#),
            r#"{"op":"tools","grant":"g","expect":{"decision":"permit","tools":[]}}"#,
            r#"{"op":"end","task":"t"}"#,
            r#"{"op":"tools","grant":"g","expect":{"decision":"deny","reason":"task_over"}}"#,
        ],
    );
}
