//! `hallpass policy` and `hallpass completions`, run as people run them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use std::path::Path;

use world::{Folder, Ran, hallpass};

const GOOD: &str = r#"version = 1
[[rule]]
id     = "pay"
effect = "permit"
what   = { tool = "bank.pay", args = { to = "any", amount = { above = 0, max = 100 } } }
"#;
const MISSPELT: &str = "version = 1\n[[rule]]\nid = \"a\"\nefect = \"permit\"\n";

fn policy(args: &[&str], folder: &Folder) -> Ran {
    hallpass(&[&["policy"], args].concat(), folder.path())
}

#[test]
fn a_policy_that_loads_is_told_with_its_rules_and_its_digest() {
    let folder = Folder::new();
    folder.write("p.toml", GOOD);
    let ran = policy(&["check", "p.toml"], &folder);
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    let digest = hallpass::Policy::from_toml(GOOD).unwrap().digest();
    assert_eq!(ran.output, format!("p.toml: ok: 1 rule, digest {digest}\n"));
}

#[test]
fn a_policy_that_does_not_load_is_told_with_line_column_and_remedy() {
    let folder = Folder::new();
    folder.write("p.toml", MISSPELT);
    let ran = policy(&["check", "p.toml"], &folder);
    let expected =
        "p.toml: line 4, column 1: rule `a`: `efect` is not a key here: did you mean `effect`?\n";
    assert_eq!((ran.code, ran.output.as_str()), (1, expected));
    let ran = policy(&["check", "--json", "p.toml"], &folder);
    let error = r#"{"column":1,"line":4,"problem":"`efect` is not a key here: did you mean `effect`?","rule":"a"}"#;
    assert_eq!((ran.code, ran.output), (1, format!("{{\"error\":{error},\"file\":\"p.toml\"}}\n")));
}

#[test]
fn a_name_that_ends_in_json_is_read_as_json() {
    let folder = Folder::new();
    let rule = r#"{"id":"pay","effect":"permit","what":{"tool":"bank.pay","args":"any"}}"#;
    let text = format!(r#"{{"version":1,"rule":[{rule}]}}"#);
    folder.write("p.json", &text);
    folder.write("p.toml", &text);
    let ran = policy(&["check", "p.json"], &folder);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(policy(&["check", "p.toml"], &folder).code, 1);
}

#[test]
fn each_file_is_told_and_the_worst_is_the_exit_code() {
    let folder = Folder::new();
    folder.write("good.toml", GOOD);
    folder.write("bad.toml", MISSPELT);
    let ran = policy(&["check", "good.toml", "bad.toml", "good.toml"], &folder);
    let starts: Vec<_> = ran.output.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!((ran.code, &starts[..]), (1, &["good.toml", "bad.toml", "good.toml"][..]));
    let ran = policy(&["check", "absent.toml", "bad.toml", "good.toml"], &folder);
    assert_eq!((ran.code, ran.output.lines().count()), (2, 2), "{ran:?}");
    assert!(ran.errors.starts_with("error: absent.toml: can't be read: "), "{ran:?}");
}

#[test]
fn what_is_not_text_is_unreadable_and_no_policy() {
    let folder = Folder::new();
    folder.write("p.toml", b"version = 1 # \xff\n");
    let ran = policy(&["check", "p.toml"], &folder);
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
    assert_eq!(policy(&["check", "."], &folder).code, 2);
}

/// The policy of `GOOD`, up to more.
fn wider() -> String {
    GOOD.replace("max = 100", "max = 500")
}

#[test]
fn diff_shows_a_call_that_one_policy_permits_and_the_other_does_not() {
    let folder = Folder::new();
    folder.write("old.toml", GOOD);
    folder.write("new.toml", wider());
    let ran = policy(&["diff", "old.toml", "new.toml"], &folder);
    let expected = "rules: 1 differs\n  \
        ~ `pay`: `args.amount` {\"above\":0,\"max\":100} -> {\"above\":0,\"max\":500}\n\
        permitted now and not before: \n  \
        `pay`: {\"id\":\"anyone\",\"kind\":\"agent\"} calls `bank.pay` with {\"amount\":500,\"to\":\"x\"} \
        for `any-purpose`: denied before, permitted now\n\
        permitted before and not now: nothing\n";
    assert_eq!((ran.code, ran.output.as_str()), (1, expected));
    let ran = policy(&["diff", "--json", "new.toml", "old.toml"], &folder);
    let diff = hallpass::value::Value::from_json(ran.output.trim()).unwrap();
    let side = |name| diff.as_object().unwrap().get(name).unwrap().as_object().unwrap();
    let is_shown_empty = |name| side(name).get("shown_empty").unwrap().to_json() == "true";
    assert!(ran.code == 1 && is_shown_empty("wider") && !is_shown_empty("narrower"), "{ran:?}");
}

#[test]
fn diff_is_fine_where_the_same_is_permitted() {
    let folder = Folder::new();
    folder.write("old.toml", GOOD);
    folder.write("new.toml", GOOD.replace("\"pay\"", "\"pays\""));
    let ran = policy(&["diff", "old.toml", "new.toml"], &folder);
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{ran:?}");
    assert!(ran.output.contains("permitted now and not before: nothing"), "{ran:?}");
    assert_eq!(policy(&["diff", "old.toml", "absent.toml"], &folder).code, 2);
}

#[test]
fn diff_writes_markdown_in_which_a_name_can_be_anything() {
    let folder = Folder::new();
    folder.write("old.toml", GOOD.replace("\"any\"", "'``<b>'"));
    folder.write("new.toml", "version = 1\n");
    let ran = policy(&["diff", "--markdown", "old.toml", "new.toml"], &folder);
    assert!(
        ran.output.contains("#### Permitted now and not before\n\nNothing: that is shown.\n"),
        "{ran:?}"
    );
    assert!(ran.output.contains("- ``` `pay`: "), "{ran:?}");
}

#[test]
fn lint_tells_what_was_probably_not_meant() {
    let folder = Folder::new();
    folder.write("good.toml", GOOD);
    folder.write("wide.toml", "version = 1\nrule = [{ id = \"all\", effect = \"permit\", what = { tool = \"any\", args = \"any\" } }]\n");
    assert_eq!(policy(&["lint", "good.toml"], &folder), Ran { code: 0, ..Ran::default() });
    let ran = policy(&["lint", "wide.toml"], &folder);
    let expected =
        "wide.toml: rule `all`: it permits every tool with any arguments (permits_everything)\n";
    assert_eq!((ran.code, ran.output.as_str()), (1, expected));
    let ran = policy(&["lint", "--json", "good.toml", "wide.toml"], &folder);
    let found = r#"[{"at":"what","code":"permits_everything","message":"it permits every tool with any arguments","rule":"all"}]"#;
    let expected = format!(
        "{{\"file\":\"good.toml\",\"warnings\":[]}}\n{{\"file\":\"wide.toml\",\"warnings\":{found}}}\n"
    );
    assert_eq!((ran.code, ran.output), (1, expected));
}

#[test]
fn lint_knows_how_long_tasks_live() {
    let folder = Folder::new();
    folder.write("p.toml", "version = 1\nrule = [{ id = \"p\", effect = \"permit\", what = { tool = \"t\" }, grant = { ttl = \"2h\" } }]\n");
    let ran = policy(&["lint", "p.toml"], &folder);
    assert!(ran.code == 1 && ran.output.contains("past_ceiling"), "{ran:?}");
    assert_eq!(policy(&["lint", "--ceiling", "3h", "p.toml"], &folder).code, 0);
    assert_eq!(policy(&["lint", "--ceiling", "long", "p.toml"], &folder).code, 2);
}

#[test]
fn what_is_asked_for_wrongly_is_two_and_help_is_fine() {
    for wrong in
        [&["policy", "chek", "p.toml"][..], &["policy", "check"], &[], &["policy"], &["polcy"]]
    {
        let ran = hallpass(wrong, Path::new("."));
        assert_eq!((ran.code, ran.output.as_str()), (2, ""), "{wrong:?}");
        assert!(ran.errors.contains("Usage: hallpass"), "{ran:?}");
    }
    for help in
        [&["--help"][..], &["policy", "lint", "--help"], &["--version"], &["policy", "check", "-h"]]
    {
        let ran = hallpass(help, Path::new("."));
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{help:?}");
    }
    assert!(hallpass(&["--help"], Path::new(".")).output.contains("Exit codes: 0"));
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = hallpass(&["completions", shell], Path::new("."));
        assert!(ran.code == 0 && ran.output.contains("lint"), "{shell}: {ran:?}");
    }
    assert_eq!(hallpass(&["completions", "tcsh"], Path::new(".")).code, 2);
}

const TESTED: &str = r#"
[[test]]
name   = "a bill"
who    = "agent-7"
tool   = "bank.pay"
args   = { to = "CH93", amount = 100 }
expect = "permit"

[[test]]
name   = "too much"
who    = "agent-7"
tool   = "bank.pay"
args   = { to = "CH93", amount = 101 }
expect = "deny"
"#;

#[test]
fn the_tests_of_a_policy_are_run_and_what_they_do_not_look_at_is_told() {
    let folder = Folder::new();
    folder.write("p.toml", format!("{GOOD}{TESTED}"));
    let ran = policy(&["test", "p.toml"], &folder);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = "tests: 2 pass, 0 fail\n\
        rules that decide in a test: 1 of 1\n\
        changes that a test notices: 3 of 4\n  \
        unnoticed: `pay`: `args.amount` {\"max\":100,\"min\":0} in the place of {\"above\":0,\"max\":100}\n";
    assert_eq!(ran.output, expected);
    assert_eq!(policy(&["test", "--complete", "p.toml"], &folder).code, 1);
    let zero = TESTED.replace("101", "0");
    folder.write("all.toml", format!("{GOOD}{TESTED}{zero}"));
    assert_eq!(policy(&["test", "--complete", "all.toml"], &folder).code, 0);
    let wrong = TESTED.replace("101", "99");
    folder.write("wrong.toml", format!("{GOOD}{wrong}"));
    let ran = policy(&["test", "--json", "wrong.toml"], &folder);
    assert_eq!(ran.code, 1);
    assert!(ran.output.contains("expected deny, found permit by pay"), "{ran:?}");
    folder.write("none.toml", GOOD);
    let ran = policy(&["test", "none.toml"], &folder);
    assert_eq!((ran.code, ran.errors.contains("no test")), (2, true), "{ran:?}");
    let trace = r#"{"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
{"op":"open","task":"t","who":"agent-7","purpose":"sums"}
{"op":"request","task":"t","as":"g","scope":[{"tool":"bank.pay","args":{"to":"a","amount":5}}],"expect":{"decision":"permit"}}
"#;
    folder.write("t.jsonl", trace);
    assert_eq!(policy(&["test", "none.toml", "t.jsonl"], &folder).code, 0);
    assert_eq!(policy(&["test", "none.toml", "missing.jsonl"], &folder).code, 2);
}

/// A trace is held in memory, and replayed for each change of the policy.
#[test]
fn a_trace_that_is_too_long_is_not_read() {
    let folder = Folder::new();
    folder.write("p.toml", GOOD);
    folder.write("long.jsonl", "\n".repeat((16 << 20) + 1));
    let ran = policy(&["test", "p.toml", "long.jsonl"], &folder);
    assert!(ran.code == 2 && ran.errors.contains("expected at most 16777216 bytes"), "{ran:?}");
}
