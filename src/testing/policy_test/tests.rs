use super::*;

const RULES: &str = r#"
version = 1

[[tool]]
name = "web.get"
labels = ["untrusted"]

[[tool]]
name = "mail.send"

[[rule]]
id     = "mail"
effect = "permit"
who    = { groups = { has_any = ["staff"] } }
what   = { tool = "mail.send", args = { to = { suffix = "@acme.test" }, size = { above = 0, max = 10 } } }
unless = { when = { frozen = true } }

[[rule]]
id     = "get"
effect = "permit"
what   = { tool = "web.get", args = "any" }

[[rule]]
id     = "tainted"
effect = "forbid"
what   = { tool = "mail.send" }
when   = { seen = { has_any = ["untrusted"] } }
"#;

fn tests(text: &str) -> PolicyTests {
    PolicyTests::from_toml(&format!("{RULES}{text}")).unwrap()
}

fn test(more: &str) -> String {
    let usual = r#"who = { id = "ana", groups = ["staff"] }
tool = "mail.send""#;
    format!("[[test]]\n{usual}\n{more}\n")
}

fn mail(size: &str, expect: &str) -> String {
    let args = format!(r#"args = {{ to = "a@acme.test", size = {size} }}"#);
    test(&format!("context = {{ frozen = false }}\n{args}\nexpect = \"{expect}\""))
}

fn all() -> String {
    let others = [
        mail("10", "permit"),
        mail("11", "deny"),
        mail("0", "deny"),
        mail("0.5", "permit"),
        mail("5", "deny").replace("frozen = false", "frozen = true"),
        mail("5", "deny").replace("a@acme.test", "a@else.test"),
        mail("5", "deny").replace("[\"staff\"]", "[\"guests\"]"),
        mail("5", "deny") + "seen = [\"untrusted\"]\nrules = [\"tainted\"]\n",
        "[[test]]\nwho = \"bot\"\ntool = \"web.get\"\nexpect = \"permit\"\nrules = [\"get\"]\n"
            .to_owned(),
    ];
    others.concat()
}

fn unnoticed(report: &PolicyTestReport) -> Vec<String> {
    report.unnoticed().map(ToString::to_string).collect()
}

#[test]
fn a_policy_whose_tests_look_at_all_of_it_is_complete() {
    let report = tests(&all()).run();
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.conditions_that_never_decide().count(), 0);
    assert!(
        report
            .to_string()
            .starts_with("tests: 9 pass, 0 fail\nrules that decide in a test: 3 of 3\n")
    );
}

/// Each test left out leaves something that nothing notices.
#[test]
fn what_no_test_looks_at_is_named() {
    let nothing = tests("").run();
    assert!(nothing.passes() && !nothing.is_complete());
    assert!(nothing.rules_that_never_decide().eq(["get", "mail", "tainted"]));
    for (left_out, told) in [
        (
            mail("11", "deny"),
            r#"`mail`: `args.size` {"above":0,"max":11} in the place of {"above":0,"max":10}"#,
        ),
        (
            mail("0", "deny"),
            r#"`mail`: `args.size` {"max":10,"min":0} in the place of {"above":0,"max":10}"#,
        ),
        (
            mail("5", "deny").replace("frozen = false", "frozen = true"),
            "`mail`: without exception 1",
        ),
        (mail("5", "deny").replace("a@acme.test", "a@else.test"), "`mail`: without `args.to`"),
        (mail("5", "deny").replace("[\"staff\"]", "[\"guests\"]"), "`mail`: without `who.groups`"),
        (
            mail("5", "deny") + "seen = [\"untrusted\"]\nrules = [\"tainted\"]\n",
            "`tainted`: without the rule",
        ),
    ] {
        let text = all();
        assert!(text.contains(&left_out), "{left_out}");
        let report = tests(&text.replace(&left_out, "")).run();
        assert!(report.passes() && !report.is_complete());
        assert!(unnoticed(&report).iter().any(|own| own == told), "{told}\n{report}");
    }
    // The condition on what was seen decides in a test, and nothing fails without it: all that is permitted would be.
    let few = tests(&mail("5", "permit")).run();
    let idle: Vec<_> = few.conditions_that_never_decide().collect();
    assert!(
        idle.contains(&("mail", "args.to")) && !idle.contains(&("tainted", "when.seen")),
        "{few}"
    );
}

/// An attribute that is not told and one that is left out of the rule are two things, and so are a part of the resource
/// that may be anything and one of which nothing is said; what may be anything already is not left out again.
#[test]
fn what_a_permit_names_may_be_anything_where_it_is_left_out_and_what_it_asks_of_who_is_not_asked() {
    let rules = r#"
version = 1
[[rule]]
id     = "docs"
effect = "permit"
who    = { attrs = { team = "docs" } }
what   = { tool = "doc.edit", args = { text = "any", note = { any = [{ present = false }, "any"] }, n = { max = 9 } }, resource = { type = "doc", id = { prefix = "a" } } }
unless = [{ when = { frozen = true } }, { when = { away = true } }]

[[test]]
who      = { id = "ana", attrs = { team = "docs" } }
tool     = "doc.edit"
args     = { text = "x", n = 9 }
resource = { type = "doc", id = "a1" }
context  = { frozen = false, away = false }
expect   = "permit"
"#;
    let (_, test) = rules.split_once("[[test]]").unwrap();
    let denied = |from: &str, to: &str| {
        assert!(test.contains(from), "{from}");
        format!("[[test]]{}", test.replace(from, to).replace("permit", "deny"))
    };
    let others = [
        denied(", attrs = { team = \"docs\" }", ""),
        denied("n = 9", "n = 10"),
        denied("type = \"doc\"", "type = \"page\""),
        denied("a1", "b1"),
        denied("frozen = false", "frozen = true"),
        denied("away = false", "away = true"),
    ];
    let run = |text: &str| PolicyTests::from_toml(text).unwrap().run();
    let all = run(&format!("{rules}{}", others.concat()));
    assert!(all.is_complete(), "{all}");
    for (at, told) in [
        "`docs`: without `who.attrs.team`",
        "`docs`: `args.n` {\"max\":10} in the place of {\"max\":9}",
        "`docs`: without `resource.type`",
        "`docs`: without `resource.id`",
        "`docs`: without exception 1",
        "`docs`: without exception 2",
    ]
    .into_iter()
    .enumerate()
    {
        let left: Vec<&str> =
            (0..others.len()).filter(|own| *own != at).map(|own| &*others[own]).collect();
        let report = run(&format!("{rules}{}", left.concat()));
        assert!(unnoticed(&report).contains(&told.to_owned()), "{told}\n{report}");
    }
}

#[test]
fn a_test_that_fails_says_what_was_expected_and_what_was_found() {
    let odd = mail("5", "deny") + &mail("5", "permit") + "rules = [\"get\"]\n";
    let odd = odd.replacen("[[test]]", "[[test]]\nname = \"no mail\"", 1);
    let report = tests(&odd).run();
    assert!(!report.passes());
    let told: Vec<_> = report.failures().map(|own| (own.name(), own.problem())).collect();
    assert_eq!(
        told,
        [
            ("no mail", "expected deny, found permit by mail"),
            ("test 2", "expected permit by get, found permit by mail"),
        ]
    );
}

#[test]
fn a_test_that_cannot_be_meant_is_refused_where_it_stands() {
    for (text, told) in [
        ("[[test]]\nwho = \"a\"\ntool = \"web.get\"\n", "`expect` is missing"),
        ("[[test]]\ntool = \"web.get\"\nexpect = \"deny\"\n", "`who` is missing"),
        ("[[test]]\nwho = \"a\"\nexpect = \"deny\"\n", "`tool` is missing"),
        (
            "[[test]]\nwho = \"a\"\ntool = \"t\"\nexpects = \"deny\"\n",
            "`expects` is not a key here: write `expect`",
        ),
        (
            "[[test]]\nwho = \"a\"\ntool = \"t\"\nexpect = \"allow\"\n",
            "the word here is \"permit\"",
        ),
        ("test = 1\n", "expected a list of tables"),
        ("test = [1]\n", "expected a list of tables"),
    ] {
        let text = if text.starts_with("test") {
            format!("{text}{RULES}")
        } else {
            format!("{RULES}{text}")
        };
        let error = PolicyTests::from_toml(&text).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.position().is_some(), "{error}");
    }
}

#[test]
fn a_test_says_what_was_noted_in_its_task() {
    const NOTED: &str = r#"
        version = 1
        [[rule]]
        id     = "delete-what-was-read"
        effect = "permit"
        what   = { tool = "mail.delete", args = { id = { one_of = { ref = "notes.mail.read#id" } } } }
    "#;
    let test = |id: &str, notes: &str, expect: &str| {
        let notes = if notes.is_empty() { String::new() } else { format!("notes = {notes}\n") };
        format!(
            "[[test]]\nwho = \"ana\"\ntool = \"mail.delete\"\nargs = {{ id = \"{id}\" }}\n{notes}expect = \"{expect}\"\n"
        )
    };
    let noted = r#"{ "mail.read#id" = ["m-1", "m-2"] }"#;
    let all = [test("m-1", noted, "permit"), test("m-3", noted, "deny"), test("m-1", "", "deny")];
    let tests = PolicyTests::from_toml(&format!("{NOTED}{}", all.concat())).unwrap();
    assert!(tests.run().is_complete(), "{}", tests.run());
    for (notes, told) in [
        (r#"{ "mail.read" = ["m-1"] }"#, "`notes`: `mail.read` is not the name of a note"),
        (r#"{ "mail.read#id" = [true] }"#, "`notes`: a note is text or a number"),
        ("[1]", "`notes` is a list"),
    ] {
        let text = format!("{NOTED}{}", test("m-1", notes, "deny"));
        let error = PolicyTests::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn tests_are_not_a_part_of_what_a_policy_says() {
    let (with, without) = (format!("{RULES}{}", all()), RULES);
    let digest = |text: &str| Policy::from_toml(text).unwrap().digest();
    assert_eq!(digest(&with), digest(without));
    let json = r#"{"version": 1, "rule": [{"id": "r", "effect": "permit", "what": {"tool": "t"}}],
        "test": [{"who": "a", "tool": "t", "expect": "permit"}]}"#;
    assert!(PolicyTests::from_json(json).unwrap().run().passes());
}

#[test]
fn a_trace_is_a_test_that_sees_limits() {
    let rules = "version = 1\n[[rule]]\nid = \"once\"\neffect = \"permit\"\nwhat = { tool = \"add\", args = \"any\" }\ngrant.uses = 1\n";
    let trace = r#"
        {"op":"trace","version":1,"start":"2026-01-01T00:00:00Z"}
        {"op":"open","task":"t","who":"agent-7","purpose":"sums"}
        {"op":"request","task":"t","as":"g","scope":[{"tool":"add","args":"any"}]}
        {"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"decision":"permit"}}
        {"op":"call","grant":"g","tool":"add","args":{"a":1},"expect":{"reason":"uses_spent"}}
    "#;
    let tests = PolicyTests::from_toml(rules).unwrap();
    assert!(tests.is_empty());
    let met = tests.clone().trace("once.jsonl", trace).run();
    assert!(met.is_complete(), "{met}");
    let unmet = tests.trace("once.jsonl", &trace.replace("uses_spent", "budget_spent")).run();
    assert_eq!(unmet.failures().next().map(PolicyTestFailure::name), Some("once.jsonl"));
}

/// Without what says nothing, a rule says the same.
#[test]
fn an_argument_that_may_be_anything_is_no_condition() {
    let unnoticed = |memo: &str| {
        let text = format!(
            "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat = {{ tool = \"t\", args = {{ memo = {memo} }} }}\n"
        );
        let report = PolicyTests::from_toml(&text).unwrap().run();
        report.unnoticed().map(|own| own.to_string()).collect::<Vec<_>>()
    };
    for open in [
        "\"any\"",
        "{ any = [{ present = false }, \"any\"] }",
        "{ any = [\"any\", { present = false }] }",
    ] {
        assert_eq!(unnoticed(open).len(), 1, "{open}");
    }
    assert_eq!(unnoticed("{ any = [{ present = false }, \"x\"] }").len(), 2);
    assert_eq!(unnoticed("{ present = false }").len(), 2);
}

/// A rule has a few changes, and a policy many rules: no more than a thousand are tried, and the rest is told.
#[test]
fn what_is_not_tried_is_told() {
    let rule = |n: usize| {
        format!(
            "[[rule]]\nid = \"r{n}\"\neffect = \"permit\"\nwhat.tool = \"t{n}\"\nwhen.env = \"e\"\n"
        )
    };
    let rules: String = (0..510).map(rule).collect();
    let report = PolicyTests::from_toml(&format!("version = 1\n{rules}")).unwrap().run();
    assert!(report.to_string().ends_with("and 20 that were not tried\n"), "{report}");
    assert!(!report.is_complete());
}
