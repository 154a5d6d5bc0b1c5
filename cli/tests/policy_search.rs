//! `hallpass policy what-can` and `who-can`, run as people run them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use world::{Folder, Ran, hallpass};

const POLICY: &str = r#"version = 1

[[rule]]
id     = "payers"
effect = "permit"
who    = { groups = { has_any = ["payers"] } }
what   = { tool = "bank.pay", args = { to = "any", amount = { above = 0, max = 500 } } }

[[rule]]
id     = "large"
effect = "forbid"
what   = { tool = "bank.pay", args = { amount = { above = 400 } } }
"#;
const PAYER: &str = r#"{"who": {"id": "agent-7", "groups": ["payers"]}}"#;
const PEOPLE: &str = "{\"id\":\"ana\",\"kind\":\"human\",\"groups\":[\"payers\"]}\n\n\"agent-7\"\n";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("p.toml", POLICY);
    folder.write("people.jsonl", PEOPLE);
    folder
}

fn policy(args: &[&str], folder: &Folder) -> Ran {
    hallpass(&[&["policy"], args].concat(), folder.path())
}

#[test]
fn what_somebody_may_call_is_told_with_what_is_left_over() {
    let folder = folder();
    let ran = policy(&["what-can", "p.toml", PAYER], &folder);
    let expected = "`bank.pay` by `payers`, where {\"args\":{\"amount\":{\"above\":0,\"max\":500},\"to\":\"any\"}}; \
        `large` forbids where `args.amount` {\"above\":400}; \
        permitted: {\"amount\":400,\"to\":\"x\"}\n";
    assert_eq!((ran.code, ran.output.as_str()), (0, expected), "{ran:?}");
    let ran = policy(&["what-can", "p.toml", r#"{"who": "agent-7", "tool": "bank.pay"}"#], &folder);
    assert_eq!((ran.code, ran.output.as_str()), (0, "nothing\n"));
    let ran = policy(&["what-can", "--json", "p.toml", PAYER], &folder);
    assert!(ran.output.contains(r#""is_all":true"#), "{ran:?}");
}

#[test]
fn who_of_a_list_may_make_a_call_or_use_a_tool_is_told() {
    let folder = folder();
    let call = |amount: u32| {
        format!(r#"{{"tool": "bank.pay", "args": {{"to": "x", "amount": {amount}}}}}"#)
    };
    let ran = policy(&["who-can", "p.toml", &call(5), "--among", "people.jsonl"], &folder);
    assert_eq!((ran.code, ran.output.as_str()), (0, "ana: permit by payers\n1 of 2\n"), "{ran:?}");
    let ran = policy(&["who-can", "p.toml", &call(450), "--among", "people.jsonl"], &folder);
    assert_eq!((ran.code, ran.output.as_str()), (0, "0 of 2\n"));
    let tool = r#"{"tool": "bank.pay"}"#;
    let ran = policy(&["who-can", "--json", "p.toml", tool, "--among", "people.jsonl"], &folder);
    assert!(ran.output.starts_with(r#"{"among":2,"found":[{"can":{"access":[{"#), "{ran:?}");
}

#[test]
fn why_a_call_is_denied_is_told_with_what_would_be_permitted() {
    let folder = folder();
    let of = |amount: u32| {
        let call = format!(r#""tool": "bank.pay", "args": {{"to": "x", "amount": {amount}}}"#);
        format!(r#"{{"who": {{"id": "a", "groups": ["payers"]}}, {call}}}"#)
    };
    let ran = policy(&["why", "p.toml", &of(450)], &folder);
    let expected =
        "deny by large\n`payers` permits it with `args.amount` 400 in the place of 450\n";
    assert_eq!((ran.code, ran.output.as_str()), (1, expected), "{ran:?}");
    let ran = policy(&["why", "p.toml", &of(5)], &folder);
    assert_eq!((ran.code, ran.output.as_str()), (0, "permit by payers\n"));
    let ran = policy(&["why", "--json", "p.toml", &of(450)], &folder);
    let nearest = r#""nearest":[{"approvals":[],"changes":[{"is":400,"part":"args.amount","was":450}],"rule":"payers"}]"#;
    assert!(ran.output.contains(nearest), "{ran:?}");
    let ran = policy(&["why", "p.toml", r#"{"who": "a", "tool": "t"}"#], &folder);
    assert!(ran.code == 2 && ran.errors.contains("the question has no call"), "{ran:?}");
}

#[test]
fn lint_shows_what_does_nothing_and_tells_overlaps_and_people_where_it_is_asked() {
    let folder = folder();
    let lint = |args: &[&str]| policy(&[&["lint"], args].concat(), &folder);
    assert_eq!(lint(&["p.toml"]).code, 0);
    let ran = lint(&["--overlaps", "p.toml"]);
    assert!(
        ran.code == 1 && ran.output.contains("rule `payers`: `large` forbids where {"),
        "{ran:?}"
    );
    folder.write("others.jsonl", "\"agent-7\"\n");
    let ran = lint(&["--people", "others.jsonl", "p.toml"]);
    assert!(
        ran.code == 1 && ran.output.contains("`payers`: it matches none of the identities"),
        "{ran:?}"
    );
    folder.write("odd.jsonl", "7\n");
    assert_eq!(lint(&["--people", "odd.jsonl", "p.toml"]).code, 2);
    folder.write("dead.toml", POLICY.replace("above = 400", "above = -1"));
    let ran = lint(&["dead.toml"]);
    assert!(
        ran.output.contains("rule `payers`: nothing is left of it by `large` (shadowed)"),
        "{ran:?}"
    );
}

#[test]
fn a_question_that_can_not_be_asked_is_two_and_says_what_is_missing() {
    let folder = folder();
    folder.write("odd.jsonl", "\"a\"\n7\n");
    for (args, expected) in [
        (vec!["what-can", "p.toml", "{}"], "the question has no `who`"),
        (vec!["what-can", "p.toml", r#"{"who": "a", "tool": "t", "args": {}}"#], "leave `args`"),
        (vec!["what-can", "p.toml", "{"], "the question: "),
        (vec!["what-can", "absent.toml", "{}"], "absent.toml: can't be read"),
        (vec!["who-can", "p.toml", "{}", "--among", "people.jsonl"], "the question has no `tool`"),
        (
            vec!["who-can", "p.toml", r#"{"tool": "t", "who": "a"}"#, "--among", "people.jsonl"],
            "leave `who`",
        ),
        (
            vec!["who-can", "p.toml", r#"{"tool": "t"}"#, "--among", "odd.jsonl"],
            "odd.jsonl: line 2: ",
        ),
        (
            vec!["who-can", "p.toml", r#"{"tool": "t"}"#, "--among", "absent"],
            "absent: can't be read",
        ),
    ] {
        let ran = policy(&args, &folder);
        assert_eq!((ran.code, ran.output.as_str()), (2, ""), "{args:?} {ran:?}");
        assert!(ran.errors.contains(expected), "{args:?} {ran:?}");
    }
}

#[test]
fn fmt_lays_out_in_place_and_changes_nothing_that_is_said() {
    let folder = folder();
    let odd = "version=1\n[[rule]]\nid='a' # the only one\neffect=\"permit\"\nwhat={tool=\"t\"}\n";
    folder.write("odd.toml", odd);
    let ran = policy(&["fmt", "--check", "odd.toml", "p.toml"], &folder);
    assert_eq!((ran.code, ran.output.as_str()), (1, "odd.toml: not laid out\n"), "{ran:?}");
    assert_eq!(folder.read("odd.toml"), odd);
    assert_eq!(policy(&["fmt", "odd.toml", "p.toml"], &folder), Ran::default());
    let expected = "version = 1\n\n[[rule]]\nid     = 'a' # the only one\neffect = \"permit\"\nwhat   = { tool = \"t\" }\n";
    assert_eq!(folder.read("odd.toml"), expected);
    assert_eq!(policy(&["fmt", "--check", "odd.toml"], &folder), Ran::default());
    let entries: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|own| own.unwrap().file_name()).collect();
    assert_eq!(entries.len(), 3, "{entries:?}");
    // What does not load is not touched.
    folder.write("bad.toml", "version=2\n");
    let ran = policy(&["fmt", "bad.toml"], &folder);
    assert!(ran.code == 2 && ran.errors.contains("bad.toml: line 1, column 9"), "{ran:?}");
    assert_eq!(folder.read("bad.toml"), "version=2\n");
    folder.write("p.json", "{\"version\":1}");
    let ran = policy(&["fmt", "p.json"], &folder);
    assert!(ran.code == 2 && ran.errors.contains("expected TOML: JSON has no comments"), "{ran:?}");
}

/// What models read of a tool is no part of what rules say, and stays as it was written, spaces and lines included.
#[test]
fn fmt_keeps_what_tools_are_described_as() {
    let folder = Folder::new();
    let odd = "version=1\n[[tool]]\nname='fs.read' # of disks\ndescription=\"Reads  a # file.\"\nargs={path={type=\"path\",description=\"Which,  where\"},lines={type=\"integer\",default=10,description='How = many'}}\n[[tool]]\nname=\"b\"\ndescription=\"\"\"\nOne.\n  name=\"no\"\n[[tool]]\n\"\"\"\n";
    folder.write("d.toml", odd);
    assert_eq!(policy(&["fmt", "d.toml"], &folder), Ran::default());
    let after = folder.read("d.toml");
    assert_ne!(after, odd);
    let said = |text: &str| -> Vec<(String, Vec<String>)> {
        let policy = hallpass::Policy::from_toml(text).unwrap();
        let of = |name: &str| {
            let tool = policy.described(name).unwrap();
            let args =
                tool.arguments().map(|own| format!("{:?} {:?}", own.name(), own.description()));
            (format!("{:?}", tool.description()), args.collect())
        };
        ["fs.read", "b"].map(of).into()
    };
    assert_eq!(said(&after), said(odd));
    assert!(after.contains("\"Reads  a # file.\"") && after.contains("# of disks"), "{after}");
    assert!(after.contains("\nOne.\n  name=\"no\"\n[[tool]]\n\"\"\""), "{after}");
    assert_eq!(policy(&["fmt", "--check", "d.toml"], &folder), Ran::default());
}

/// Of many guards together it can't be told what they leave: that is a finding, and never an empty answer.
#[test]
fn what_can_not_be_told_is_no_success() {
    let folder = Folder::new();
    let mut text = "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = { a = \"any\" } }\n".to_owned();
    for at in 0..70 {
        let what =
            format!("{{ tool = \"t\", args = {{ a = {{ not = {{ prefix = \"{at:05}\" }} }} }} }}");
        text += &format!("[[rule]]\nid = \"f{at}\"\neffect = \"forbid\"\nwhat = {what}\n");
    }
    folder.write("many.toml", &text);
    let ran = policy(&["what-can", "many.toml", r#"{"who": "a"}"#], &folder);
    assert!(ran.code == 1 && ran.output.contains("`p`"), "{ran:?}");
}

/// A policy may be a stranger's, and is looked at in a terminal.
#[test]
fn nothing_in_a_policy_or_in_its_name_is_hidden_or_turns_what_is_told() {
    let folder = Folder::new();
    let hidden = "\\u009b2J\\u202e\\u200b\\U000E0041";
    let rule = format!(
        "version = 1\nrule = [{{ id = \"r\", effect = \"permit\", what = {{ tool = \"t\", args = {{ a = {{ prefix = \"x{hidden}\" }} }} }},
           unless = {{ what = {{ tool = \"t\", args = {{ a = \"y{hidden}\" }} }} }} }},
           {{ id = \"f\", effect = \"forbid\", what = {{ tool = \"t\", args = {{ a = {{ suffix = \"z{hidden}\" }} }} }} }}]\n"
    );
    folder.write("none.toml", "version = 1\n");
    folder.write("p.toml", &rule);
    folder.write("other.toml", rule.replace("x\\u", "xx\\u"));
    folder.write("people.jsonl", PEOPLE);
    for args in [
        &["diff", "none.toml", "p.toml"][..],
        &["diff", "other.toml", "p.toml"],
        &["what-can", "p.toml", PAYER],
        &["who-can", "p.toml", r#"{"tool": "t"}"#, "--among", "people.jsonl"],
        &["why", "p.toml", r#"{"who": "a", "tool": "t", "args": {"a": ["\u009b\u202e"]}}"#],
    ] {
        let ran = policy(args, &folder);
        let told = ran.output + &ran.errors;
        assert!(told.contains("202e"), "{args:?} {told}");
        let hidden =
            |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{e0041}".contains(c);
        assert!(!told.contains(hidden), "{args:?} {told:?}");
    }
    let name = "a\u{1b}[2J\n::error::\u{202e}.toml";
    folder.write(name, "version = 2\n");
    for args in [
        &["check", name][..],
        &["lint", name],
        &["test", name],
        &["fmt", name],
        &["diff", name, name],
        &["why", name, "{}"],
    ] {
        let ran = policy(args, &folder);
        let told = ran.output + &ran.errors;
        assert!(told.lines().all(|line| line.contains("\\u{a}::error::")), "{args:?} {told}");
        assert!(
            !told.contains(['\u{1b}', '\u{202e}']) && told.contains("\\u{1b}[2J\\u{a}::"),
            "{args:?} {told:?}"
        );
    }
}
