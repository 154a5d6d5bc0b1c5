//! The terms of an approval: which load, which are refused and where, and that text and Rust say the same.

use std::time::Duration;

use hallpass::policy::{ApprovalTerms, Part, Per, Policy, PolicyError, Reviewers, Rule, Width};
use hallpass::scope::{eq, has_any, one_of, same_as};

fn loaded(approval: &str) -> Result<Policy, PolicyError> {
    Policy::from_toml(&format!(
        r#"
version = 1
[[tool]]
name = "t"
args = {{ path = "path" }}
[[rule]]
id = "r"
effect = "ask"
what = {{ tool = "t" }}
[rule.approval]
{approval}
"#
    ))
}

const LINE: &str = r#"review = [{ groups = { has_any = ["g"] } }]"#;

/// attack 111: no one, zero, more than are pinned, no end, and what could never be met
#[test]
fn terms_that_can_not_be_meant_are_refused_where_they_stand() {
    let with_line = |more: &str| format!("{LINE}\n{more}");
    let deep = format!("review = {}{{ id = \"a\" }}{}", "{ all = [".repeat(9), "] }".repeat(9));
    let deepest = format!("approval.review[0]{}", ".all[0]".repeat(8));
    let mut wrong = Vec::new();
    for (approval, at, part) in [
        ("per = \"call\"", "approval", "no one is asked"),
        (
            r#"review = [{ groups = { has_any = ["g"] }, count = 0 }]"#,
            "approval.review[0].count",
            "ask no one",
        ),
        (r#"review = { any = [] }"#, "approval.review.any", "never means all"),
        (
            r#"review = { any = [{ id = "a" }, { all = [] }] }"#,
            "approval.review.any[1].all",
            "never means all",
        ),
        (
            r#"review = [{ all = [{ id = "a", count = 0 }] }]"#,
            "approval.review[0].all[0].count",
            "ask no one",
        ),
        (
            "review = [{ id = \"a\" }]\nper = \"task\"\nmaterial = [\"script\"]",
            "approval.material",
            "per = \"call\"",
        ),
        (r#"review = [{ count = 2 }]"#, "approval.review[0]", "who may review"),
        (
            r#"review = [{ id = { one_of = ["a", "b"] }, count = 3 }]"#,
            "approval.review[0].count",
            "never agree",
        ),
        (r#"review = [{ id = "a" }, { id = "a" }]"#, "approval.review", "never agree"),
        (r#"review = [{ id = "a@x" }, { id = "A+1@x" }]"#, "approval.review", "never agree"),
        (
            r#"review = [{ groups = { has_any = ["g"] }, count = 65 }]"#,
            "approval.review",
            "64 people",
        ),
        (&deep, &deepest, "more than 8 deep"),
        (r#"review = [{ id = { same_as = "args.to" } }]"#, "approval.review[0].id", "asker.id"),
        (
            r#"review = [{ id = { same_as = "asker.team" } }]"#,
            "approval.review[0].id.same_as",
            "`asker.team` names no part",
        ),
        (&with_line("offer = []"), "approval.offer", "empty list"),
        (&with_line(r#"offer = ["always"]"#), "approval.offer[0]", "no end"),
        (&with_line(r#"offer = ["call", "calls"]"#), "approval.offer[1]", "no end"),
        (&with_line(r#"offer = ["calls:0"]"#), "approval.offer[0]", "never means unlimited"),
        (&with_line(r#"offer = ["0m"]"#), "approval.offer[0]", "zero"),
        (&with_line(r#"offer = ["5 minutes"]"#), "approval.offer[0]", "`5 minutes`"),
        (&with_line(r#"offer = ["call", "call"]"#), "approval.offer", "twice"),
        (
            &with_line(r#"offer = ["1m","2m","3m","4m","5m","6m","7m","8m","9m"]"#),
            "approval.offer",
            "more than 8",
        ),
        (&with_line(r#"vary = ["path"]"#), "approval.vary", "more than one call"),
        (
            &with_line("offer = [\"calls:5\"]\nvary = [\"path\", \"path\"]"),
            "approval.vary",
            "twice",
        ),
        (
            &with_line("offer = [\"calls:5\"]\nsame = [{ arg = \"path\", part = \"folder\" }]"),
            "approval.same",
            "name it in `vary`",
        ),
        (
            &with_line(
                "offer = [\"calls:5\"]\nvary = [\"path\"]\nsame = [{ arg = \"path\", part = \"file\" }]",
            ),
            "approval.same[0].part",
            "\"folder\"",
        ),
        (
            &with_line("offer = [\"calls:5\"]\nvary = [\"path\"]\nsame = [{ arg = \"path\" }]"),
            "approval.same[0]",
            "`part` is missing",
        ),
        ("confirm = true\noffer = [\"calls:5\"]", "approval.offer", "a reviewer chooses"),
        (&with_line("per = \"task\"\noffer = [\"calls:5\"]"), "approval.offer", "per = \"call\""),
        (&with_line("per = \"task\"\ncut = \"refuse\""), "approval.cut", "per = \"call\""),
        (&with_line("cut = \"show\""), "approval.cut", "refuse"),
        (&with_line("good_for = \"0s\""), "approval.good_for", "zero"),
        (&with_line("cool_down = 5"), "approval.cool_down", "unit"),
        (&with_line("material = []"), "approval.material", "empty list"),
        (&with_line("material = [\"\"]"), "approval.material", "empty"),
        (&with_line("timeout = \"5m\""), "approval", "`expires`"),
        (&with_line("approvers = 2"), "approval", "`review = "),
    ] {
        let Err(error) = loaded(approval) else {
            wrong.push(format!("loaded: {approval}"));
            continue;
        };
        if error.at() != at || !error.to_string().contains(part) || error.position().is_none() {
            wrong.push(format!("{approval}: {error} ({part})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Not even where Rust says it.
#[test]
fn a_length_of_time_that_no_text_could_state_is_refused() {
    let sets = [ApprovalTerms::expires, ApprovalTerms::good_for, ApprovalTerms::cool_down];
    for length in [Duration::from_nanos(1), Duration::from_hours(24 * 367), Duration::ZERO] {
        for set in sets {
            let line = Reviewers::in_groups(has_any(["g"]));
            let terms = set(ApprovalTerms::per(Per::Call).review(line), length);
            let rule = Rule::ask("r").tool("t").approval(terms);
            assert!(Policy::builder().rule(rule).build().is_err(), "{length:?}");
        }
    }
}

/// Of an argument whose type has no such part; an argument without a type is asked as it is spelled.
#[test]
fn a_part_that_the_argument_does_not_have_is_refused() {
    let pin = |part: &str| {
        format!(
            "{LINE}\noffer = [\"calls:5\"]\nvary = [\"path\"]\nsame = [{{ arg = \"path\", part = \"{part}\" }}]"
        )
    };
    assert!(loaded(&pin("folder")).is_ok());
    let error = loaded(&pin("origin")).unwrap_err();
    assert_eq!(error.at(), "approval.same");
    let expected =
        if cfg!(feature = "url") { "which has no origin" } else { "takes the feature `url`" };
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn text_and_rust_say_the_same() {
    let text = r#"
review    = { any = [{ id = "cfo" }, { all = [{ groups = { has_any = ["g"] }, count = 2 }, { attrs = { level = 3 }, id = { same_as = "asker.attrs.manager" } }] }] }
expires   = "10m"
good_for  = "30m"
cool_down = "1h"
material  = ["script", "schema"]
offer     = ["call", "calls:5", "task", "10m:3"]
vary      = ["path", "note"]
same      = [{ arg = "path", part = "folder" }]
cut       = "refuse"
"#;
    let inner = Reviewers::all([
        Reviewers::in_groups(has_any(["g"])).count(2),
        Reviewers::with_id(same_as("asker.attrs.manager")).attr("level", eq(3)),
    ]);
    let terms = ApprovalTerms::per(Per::Call)
        .review(Reviewers::any([inner, Reviewers::with_id(eq("cfo"))]))
        .expires(Duration::from_secs(600))
        .good_for(Duration::from_secs(1_800))
        .cool_down(Duration::from_secs(3_600))
        .material("schema")
        .material("script")
        .offer([Width::lasting(Duration::from_secs(600)).with_uses(3), Width::task()])
        .offer([Width::CALL, Width::calls(5)])
        .vary(["note", "path"])
        .same("path", Part::Folder)
        .refuse_cut();
    let tool = hallpass::policy::Tool::new("t").arg("path", hallpass::policy::ArgType::Path);
    let rule = Rule::ask("r").tool("t").approval(terms);
    let built = Policy::builder().tool(tool).rule(rule).build().unwrap();
    assert_eq!(loaded(text).unwrap().digest(), built.digest());
    // One line alone stands for a list of one.
    let alone = loaded(r#"review = { groups = { has_any = ["g"] } }"#).unwrap();
    assert_eq!(alone.digest(), loaded(LINE).unwrap().digest());
}

/// attack 110: whatever the terms say, a rule that says otherwise is another
#[test]
fn each_change_of_the_terms_makes_another_policy() {
    let pinned = "offer = [\"call\", \"calls:5\"]\nvary = [\"path\"]\nsame = [{ arg = \"path\", part = \"folder\" }]";
    let mut digests = Vec::new();
    for approval in [
        LINE.to_owned(),
        format!("{LINE}\ngood_for = \"1m\""),
        format!("{LINE}\ncool_down = \"1m\""),
        format!("{LINE}\nmaterial = [\"a\"]"),
        format!("{LINE}\ncut = \"refuse\""),
        format!("{LINE}\noffer = [\"call\"]"),
        format!("{LINE}\noffer = [\"call\", \"calls:5\"]"),
        format!("{LINE}\noffer = [\"call\", \"calls:5\"]\nvary = [\"path\"]"),
        format!("{LINE}\n{pinned}"),
        r#"review = { any = [{ groups = { has_any = ["g"] } }, { id = "a" }] }"#.to_owned(),
        r#"review = { all = [{ groups = { has_any = ["g"] } }, { id = "a" }] }"#.to_owned(),
        r#"review = [{ id = { same_as = "asker.attrs.lead" } }]"#.to_owned(),
        r#"review = [{ id = { same_as = "asker.attrs.manager" } }]"#.to_owned(),
    ] {
        digests
            .push(loaded(&approval).unwrap_or_else(|error| panic!("{approval}: {error}")).digest());
    }
    let count = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn who_asked_is_compared_with_reviewers_alone() {
    let rule = Rule::permit("p").tool("t").who_attr("team", same_as("asker.attrs.team"));
    let error = Policy::builder().rule(rule).build().unwrap_err();
    assert!(error.to_string().contains("`asker` is who asked"), "{error}");
    let deep = (0..9).fold(Reviewers::with_id(eq("a")), |inner, _| Reviewers::all([inner]));
    for (line, part) in [(Reviewers::any([]), "asks no one"), (deep, "more than 8 deep")] {
        let rule = Rule::ask("q").tool("t").approval(ApprovalTerms::per(Per::Call).review(line));
        let error = Policy::builder().rule(rule).build().unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let many = Reviewers::with_id(one_of(["a", "b"])).count(2);
    let rule = Rule::ask("q").tool("t").approval(ApprovalTerms::per(Per::Task).review(many));
    assert!(Policy::builder().rule(rule).build().is_ok());
    for width in [Width::calls(0), Width::calls(1_001), Width::lasting(Duration::ZERO)] {
        let line = Reviewers::in_groups(has_any(["g"]));
        let terms = ApprovalTerms::per(Per::Call).review(line).offer([width]);
        let error = Policy::builder().rule(Rule::ask("q").tool("t").approval(terms)).build();
        assert_eq!(error.unwrap_err().at(), "approval.offer", "{width}");
    }
}

/// All of no lines have agreed before anyone is asked.
#[test]
fn a_choice_of_no_lines_asks_no_one_and_does_not_load() {
    let none = || std::iter::empty::<Reviewers>();
    let finance = || Reviewers::in_groups(has_any(["finance"]));
    let built = |line: Reviewers| {
        let terms = ApprovalTerms::per(Per::Call).review(line);
        Policy::builder().rule(Rule::ask("q").tool("t").approval(terms)).build()
    };
    for (word, line) in [("all", Reviewers::all(none())), ("any", Reviewers::any(none()))] {
        let inside = Reviewers::any([line.clone(), finance()]);
        for line in [line, inside] {
            let error = built(line).unwrap_err().to_string();
            assert!(error.contains(&format!("`{word}` has no line, and asks no one")), "{error}");
        }
    }
    assert!(built(Reviewers::any([finance()])).is_ok());
}
