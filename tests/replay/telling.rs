//! What is told in addition to the answers: mismatches, the summary, explanations, the bar.

use std::fs;

use crate::driver::{CALL, HEADER, OPEN, POLICY, REQUEST, folder, replay, run};

#[test]
fn an_answer_other_than_expected_is_reported_with_its_line_and_the_code_is_1() {
    let told = replay(
        "mismatch",
        &[
            r#"{"op":"open","task":"t","who":"agent-7","purpose":"sums","expect":{"decision":"deny"}}"#,
            REQUEST,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":10},"expect":{"decision":"permit","outcome":"ok","line":4}}"#,
            r#"{"op":"standing","expect":{"tasks":[],"grants":["g"]}}"#,
            CALL,
        ],
    );
    assert_eq!(told.code, 1);
    assert_eq!(told.answers.lines().count(), 6, "the lines after it are answered");
    for message in [
        "trace.jsonl:2: expected `decision` to be `\"deny\"`, the answer is `\"permit\"`\n",
        "trace.jsonl:4: expected `decision` to be `\"permit\"`, the answer is `\"deny\"`\n",
        "trace.jsonl:4: expected `outcome` to be `\"ok\"`, the answer has none\n",
        "    out_of_scope (out_of_scope): the grant: `args.a` is another value",
        "trace.jsonl:5: expected `tasks` to be `[]`, the answer is `[\"t\"]`\n",
        "6 lines, 0 expectations met, 3 not\n",
    ] {
        assert!(told.remarks.contains(message), "{message}: {}", told.remarks);
    }
    assert!(!told.remarks.contains("`grants`") && !told.remarks.contains("`line`"));
}

#[test]
fn the_summary_counts_by_reason_and_by_rule() {
    let told = replay(
        "summary",
        &[
            OPEN,
            REQUEST,
            CALL,
            r#"{"op":"call","grant":"g","tool":"add","args":{"a":10}}"#,
            r#"{"op":"authorize","grant":"g","as":"p","tool":"add","args":{"a":1}}"#,
            r#"{"op":"check","grant":"g","tool":"add","args":{"a":1}}"#,
            r#"{"op":"run","permit":"p"}"#,
            CALL,
        ],
    );
    let (_, summary) = told.remarks.split_once("trace.jsonl: ").unwrap();
    assert_eq!(
        summary,
        "9 lines, 0 expectations met, 0 not
tasks: 1, 1 opened, 0 denied
requests: 1, 1 granted, 0 denied
calls: 4, 2 permitted, 2 denied
         1 out_of_scope
         1 uses_spent
starts: 1, 1 started, 0 denied
rules that fired: 1
         4 agents-add
rules that never fired: 4
           agents-delegate-adding
           mail
           mail-that-was-read
           notes-of-a-team
"
    );
}

#[test]
fn a_note_is_echoed_and_blank_lines_have_no_answer() {
    let told = replay("notes", &["", "  \r", "{\"op\":\"standing\",\"note\":\"a\\nb\"}\r", ""]);
    assert_eq!(told.code, 0, "{}", told.remarks);
    assert_eq!(told.answers.lines().count(), 2);
    assert_eq!(told.text(4, "note"), "a\nb");
}

#[test]
fn denials_are_explained_only_where_that_is_asked_for() {
    let folder = folder("explain");
    let (policy, trace) = (folder.join("policy.toml"), folder.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    let denied = r#"{"op":"call","grant":"g","tool":"add","args":{"a":10}}"#;
    fs::write(&trace, [HEADER, OPEN, REQUEST, denied].join("\n")).unwrap();
    let arguments = |explain: bool| {
        let explain = explain.then(|| "--explain".into());
        let all = [
            explain,
            Some("--policy".into()),
            Some(policy.clone().into()),
            Some(trace.clone().into()),
        ];
        all.into_iter().flatten().collect::<Vec<_>>()
    };
    assert!(!run(&arguments(false), false).answers.contains(r#""why""#));
    assert!(run(&arguments(true), false).text(4, "why").contains("`args.a` is another value: 10"));
}

#[test]
fn a_long_trace_shows_how_far_it_is_and_only_on_a_terminal() {
    let folder = folder("bar");
    let (policy, trace) = (folder.join("policy.toml"), folder.join("trace.jsonl"));
    fs::write(&policy, POLICY).unwrap();
    let long = format!(r#"{{"op":"standing","note":"{}"}}"#, "x".repeat(1 << 16));
    let lines: Vec<&str> = [HEADER].into_iter().chain(std::iter::repeat_n(&*long, 17)).collect();
    fs::write(&trace, lines.join("\n")).unwrap();
    let arguments = ["--policy".into(), policy.clone().into(), trace.clone().into()];
    let told = run(&arguments, true);
    assert!(told.remarks.contains(&format!("\r[{}] 100%", "#".repeat(40))), "{}", told.remarks);
    assert!(told.remarks.contains("%\r    "), "it is taken away at the end");
    assert!(!run(&arguments, false).remarks.contains('%'));

    fs::write(&trace, HEADER).unwrap();
    assert!(!run(&arguments, true).remarks.contains('%'), "a short one shows none");
}

/// Lint, with the ceiling of the host that is replayed (case of a `ttl` that it cuts in silence).
#[test]
fn what_lint_warns_of_is_told_and_where_that_is_asked_for_stops_the_replay() {
    let folder = folder("lint");
    let (policy, trace) = (folder.join("policy.toml"), folder.join("trace.jsonl"));
    let rule = |grant: &str| {
        format!(
            "version = 1\n[[rule]]\nid = \"migrate\"\neffect = \"permit\"\nwhat = {{ tool = \"db.migrate\", args = \"any\" }}\n{grant}"
        )
    };
    let cut = rule("grant = { ttl = \"12h\", max_life = \"24h\" }");
    fs::write(&policy, &cut).unwrap();
    fs::write(folder.join("plain.toml"), rule("")).unwrap();
    let reload = r#"{"op":"reload","policy":"policy.toml"}"#;
    fs::write(&trace, [HEADER, OPEN].join("\n")).unwrap();
    let arguments = |policy: &str, strict: bool| {
        let strict = strict.then(|| "--strict".into());
        let rest = ["--policy".into(), folder.join(policy).into(), trace.clone().into()];
        strict.into_iter().chain(rest).collect::<Vec<_>>()
    };
    let told = run(&arguments("policy.toml", false), false);
    assert_eq!(told.code, 0, "{}", told.remarks);
    for said in [
        "warning: rule `migrate`: `ttl` looks as far as `12h`, and a task ends at its ceiling of `1h`: no grant lives so long (past_ceiling)\n",
        "warning: rule `migrate`: `max_life` looks as far as `1d`",
    ] {
        assert!(told.remarks.contains(said), "{}", told.remarks);
    }
    assert!(!told.answers.contains("warning"), "answers are for programs");

    let told = run(&arguments("policy.toml", true), false);
    assert_eq!((told.code, told.answers.as_str()), (2, ""), "{}", told.remarks);
    assert!(told.remarks.ends_with("the policy has 2 warnings, and that is an error here\n"));

    fs::write(folder.join("one.toml"), rule("grant = { ttl = \"12h\" }")).unwrap();
    let told = run(&arguments("one.toml", true), false);
    assert_eq!(told.code, 2);
    assert!(told.remarks.ends_with("the policy has a warning, and that is an error here\n"));

    let told = run(&arguments("plain.toml", true), false);
    assert_eq!(told.code, 0, "{}", told.remarks);
    fs::write(&trace, [HEADER, OPEN, reload].join("\n")).unwrap();
    assert_eq!(run(&arguments("plain.toml", false), false).code, 0);
    let told = run(&arguments("plain.toml", true), false);
    assert_eq!((told.code, told.answers.lines().count()), (2, 2), "{}", told.remarks);
}

/// What comes back says when, for agents that wait; what does not says nothing.
#[test]
fn a_denial_says_in_what_time_a_limit_frees_and_nothing_where_it_never_does() {
    let policy = hallpass::policy::Policy::from_toml(
        r#"
version = 1

[[rule]]
id     = "search"
effect = "permit"
what   = { tool = "web.search", args = "any" }
grant  = { rate = "1/1m" }

[[rule]]
id     = "export"
effect = "permit"
what   = { tool = "data.export", args = "any" }
grant  = { uses = 1 }

[[rule]]
id     = "pay"
effect = "permit"
what   = { tool = "bank.pay", args = { amount = { above = 0, max = 9 } } }
grant  = { budget = { "args.amount" = "10/30m" } }
"#,
    )
    .unwrap();
    let answers = hallpass::testing::replay(
        &policy,
        r#"
{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"t","who":"agent-7","purpose":"sums"}
{"op":"request","task":"t","as":"s","scope":[{"tool":"web.search","args":"any"}]}
{"op":"request","task":"t","as":"e","scope":[{"tool":"data.export","args":"any"}]}
{"op":"request","task":"t","as":"p","scope":[{"tool":"bank.pay","args":{"amount":{"above":0,"max":9}}}]}
{"op":"call","grant":"s","tool":"web.search","expect":{"decision":"permit"}}
{"op":"call","grant":"e","tool":"data.export","expect":{"decision":"permit"}}
{"op":"call","grant":"p","tool":"bank.pay","args":{"amount":8},"expect":{"decision":"permit"}}
{"op":"clock","advance":"20s"}
{"op":"call","grant":"s","tool":"web.search","expect":{"reason":"rate_exceeded","retry_after":"40s"}}
{"op":"call","grant":"e","tool":"data.export","expect":{"reason":"uses_spent"}}
{"op":"check","grant":"p","tool":"bank.pay","args":{"amount":3},"expect":{"reason":"budget_spent","retry_after":"1780s"}}
{"op":"call","grant":"p","tool":"bank.pay","args":{"amount":2},"expect":{"decision":"permit"}}
"#,
    );
    let of_export = answers.lines().find(|line| line.contains("uses_spent")).unwrap();
    assert!(!of_export.contains("retry_after"), "{of_export}");
}
