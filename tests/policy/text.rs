//! Policies as text: what loads, and what is refused where and why.

use hallpass::policy::{MAX_POLICY_TEXT, Policy};
use proptest::prelude::*;

/// The policy that the design shows.
const SHOWN: &str = r#"
version = 1

[[tool]]
name   = "mail.send"
labels = ["egress"]

[[tool]]
name   = "db.query"

[[tool]]
name   = "data.export"

[[rule]]
id     = "analysts-read-orders"
effect = "permit"
who    = { id = { glob = "spiffe://acme.test/agent/analyst/*" }, groups = { has_any = ["analytics"] } }
what   = { tool = "db.query", args = { table = { one_of = ["orders", "customers"] }, limit = { max = 1000 } } }
why    = { purpose = { one_of = ["reporting", "incident"] }, ticket = { present = true } }
when   = { env = "prod", risk = { below = 50 } }
grant  = { ttl = "5m", max_life = "30m", uses = 20, rate = "10/1m", budget = { "args.limit" = 10000 }, depth = 1 }

[[rule]]
id     = "exports"
effect = "permit"
what   = { tool = "data.export", args = "any" }
grant  = { ttl = "2m", uses = 1 }

[[rule]]
id       = "export-needs-a-human"
effect   = "ask"
what     = { tool = "data.export" }
approval = { review = [{ groups = { has_any = ["data-owners"] }, count = 1 }], per = "call", expires = "15m" }

[[rule]]
id     = "no-egress-once-tainted"
effect = "forbid"
what   = { labels = { has_any = ["egress"] } }
when   = { seen = { has_all = ["untrusted-input", "private-data"] } }
"#;

#[test]
fn the_policy_that_the_design_shows_loads() {
    let policy = Policy::from_toml(SHOWN).unwrap();
    let ids: Vec<_> = policy.rules().map(|rule| rule.id().to_owned()).collect();
    let expected =
        ["analysts-read-orders", "export-needs-a-human", "exports", "no-egress-once-tainted"];
    assert_eq!(ids, expected);
}

/// What is refused, by kind of text, with the message: from `data/refused_policies.txt`.
fn refused() -> Vec<(&'static str, String, &'static str)> {
    let cases = include_str!("refused_policies.txt").split("\n>>> ").skip(1);
    cases
        .map(|case| {
            let (kind, rest) = case.split_once('\n').unwrap();
            let (text, message) = rest.split_once("<<< ").unwrap();
            let text = text.strip_suffix('\n').unwrap_or(text);
            let rule = "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n";
            let text = match kind {
                "permit" => format!("{rule}{text}"),
                "argument" => format!("{rule}what = {{ tool = \"t\", args.a = {text} }}"),
                _ => text.to_owned(),
            };
            (kind, text, message.trim_end())
        })
        .collect()
}

/// attacks 31, 39, 42, 43, 111
#[test]
fn a_policy_that_cannot_be_meant_is_refused_where_it_is_wrong_with_the_fix() {
    let cases = refused();
    assert!(cases.len() > 100, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (kind, text, message) in cases {
        let policy =
            if kind == "json" { Policy::from_json(&text) } else { Policy::from_toml(&text) };
        let said = policy.map_or_else(|error| error.to_string(), |_| "it loads".to_owned());
        if said != message {
            wrong.push(format!("{text}\nsays:     {said}\nexpected: {message}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with one part of a URL is shown at the part.
#[cfg(feature = "url")]
#[test]
fn a_part_of_a_url_that_cannot_be_meant_is_refused_where_it_stands() {
    let rule = |url: &str| {
        format!(
            "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\nwhat.tool = \"t\"\nwhat.args.a.url = {url}"
        )
    };
    for (url, column, at) in [
        ("{ host = \"a b\" }", 28, "url.host"),
        ("{ host = [\"a.test\", \"a/b\"] }", 39, "url.host[1]"),
        ("{ host = [\"a.test\", { subdomain_of = \"10.0.0.1\" }] }", 39, "url.host[1]"),
        ("{ host = \"a.test\", scheme = [\"https\", \"gopher\"] }", 57, "url.scheme[1]"),
        ("{ host = \"a.test\", port = [443, 0] }", 51, "url.port[1]"),
        ("{ host = \"a.test\", path = \"v1\" }", 45, "url.path"),
        ("{ host = \"a.test\", path = [\"/a\", { glob = \"b/*\" }] }", 61, "url.path[1].glob"),
    ] {
        let error = Policy::from_toml(&rule(url)).unwrap_err();
        assert_eq!(error.at(), format!("what.args.a.{at}"), "{error}");
        assert_eq!(error.position(), Some((6, column)), "{error}");
    }
}

#[test]
fn places_are_counted_in_characters_and_lines_end_as_they_may() {
    let error = Policy::from_toml("version = 1\r\n\r\n\"é\" = 2").unwrap_err();
    assert_eq!(error.position(), Some((3, 1)));
    let error = Policy::from_toml("version = 1\nrule = [{ \"é\" = 1 }]").unwrap_err();
    assert_eq!(error.position(), Some((2, 11)));
    let error = Policy::from_json("{\"version\": 1, \"rule\": [{\"owner\": \"é\", \"x\": 1}]}");
    assert_eq!(error.unwrap_err().position(), Some((1, 40)));
}

#[test]
fn an_error_names_its_rule_its_tool_and_its_keys() {
    let rule = "version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\ngrant.ttl = \"5x\"";
    let error = Policy::from_toml(rule).unwrap_err();
    assert_eq!((error.rule(), error.tool(), error.at()), (Some("r"), None, "grant.ttl"));
    let tool = "version = 1\n[[tool]]\nname = \"t\"\nlabel = \"x\"";
    let error = Policy::from_toml(tool).unwrap_err();
    assert_eq!((error.rule(), error.tool(), error.at()), (None, Some("t"), ""));
}

/// attack 37
#[test]
fn a_policy_without_rules_loads_and_has_none() {
    for policy in [
        Policy::from_toml("version = 1"),
        Policy::from_json(r#"{"version": 1}"#),
        Policy::from_json(r#"{"version": 1, "rule": []}"#),
    ] {
        assert!(policy.unwrap().is_empty());
    }
}

/// attack 19
#[test]
fn text_over_the_limit_is_refused_unread() {
    let text = " ".repeat(MAX_POLICY_TEXT) + "version = 1";
    for error in [Policy::from_toml(&text).unwrap_err(), Policy::from_json(&text).unwrap_err()] {
        assert_eq!(error.problem(), "expected at most 67108864 bytes of text");
        assert_eq!(error.position(), Some((1, 1)));
    }
}

#[test]
fn nesting_is_followed_for_32_levels_and_no_further() {
    // The policy itself is the first level.
    for (levels, refused) in [(31, false), (32, true), (79, true), (5000, true)] {
        let deep = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let tables = format!("version = 1\n{}x = 1", "x.".repeat(levels));
        for error in [
            Policy::from_toml(&format!("version = {deep}")),
            Policy::from_json(&format!("{{\"version\": {deep}}}")),
            Policy::from_toml(&tables),
        ] {
            let error = error.unwrap_err();
            let of_nesting = error.problem() == "expected at most 32 levels of nesting";
            assert_eq!(of_nesting, refused, "{levels}: {error}");
        }
    }
}

#[test]
fn numbers_of_a_policy_are_exact_in_every_spelling() {
    let digest = |bound: &str| {
        let what = format!("what = {{ tool = \"t\", args = {{ a = {{ max = {bound} }} }} }}");
        let text = format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n{what}");
        Policy::from_toml(&text).unwrap().digest()
    };
    for same in ["1_000", "+1000", "1000.0", "1e3", "+1.0E+3", "0x3e8", "0b1111101000", "0o1750"] {
        assert_eq!(digest(same), digest("1000"), "{same}");
    }
    assert_ne!(digest("9007199254740993"), digest("9007199254740992"));
    assert_ne!(digest("0.1"), digest("0.10000000000000000001"));
    assert_ne!(digest("18446744073709551616"), digest("18446744073709551615"));
}

proptest! {
    /// A policy that somebody cut, doubled or mistyped never panics, and what is wrong with it lies
    /// within the text.
    #[test]
    fn damaged_text_loads_or_is_refused_at_a_place_within_it(
        from in 0..SHOWN.len(), to in 0..SHOWN.len(), with in "[ -~\\n\"{}\\[\\]é]{0,4}",
    ) {
        let (from, to) = (from.min(to), from.max(to));
        let text = format!("{}{with}{}", &SHOWN[..from], &SHOWN[to..]);
        if let Err(error) = Policy::from_toml(&text) {
            let (line, column) = error.position().unwrap();
            // A file that ends in a newline ends on an empty line, which `lines` leaves out.
            let own = text.split('\n').nth(line - 1).unwrap();
            prop_assert!(column >= 1 && column <= own.chars().count() + 1, "{error}");
        }
    }
}

#[test]
fn a_rule_that_compares_with_the_time_knows_it_without_another_that_reads_it() {
    let at = |condition: &str| {
        format!(
            "version = 1\n[[rule]]\nid = \"p\"\neffect = \"permit\"\n[rule.what]\ntool = \"t\"\nargs = {{ at = {condition} }}\n"
        )
    };
    let now = hallpass::clock::Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let later = now.checked_add(std::time::Duration::from_secs(1)).unwrap();
    for condition in [
        r#"{ same_as = "when.now" }"#,
        r#"{ each = { same_as = "when.now" } }"#,
        r#"{ not = { all = [{ not = { same_as = "when.now" } }, "any"] } }"#,
        r#"{ any = [{ fields = { at = { same_as = "when.now" } } }, { same_as = "when.now" }] }"#,
    ] {
        let policy = Policy::from_toml(&at(condition)).unwrap();
        let broker = hallpass::Broker::new(policy.clone()).unwrap();
        let agent = broker.assert_identity("a").unwrap();
        let stamp = "2026-01-01T00:00:00Z";
        let said = if condition.contains("each") {
            format!("[\"{stamp}\"]")
        } else {
            format!("\"{stamp}\"")
        };
        let call = hallpass::Call::from_json("t", &format!("{{\"at\":{said}}}")).unwrap();
        let decide = |now| {
            let (why, here) = (hallpass::Purpose::new("p"), hallpass::Context::new());
            policy.decide(&agent, &why, &call, &here, now).unwrap().is_permit()
        };
        assert!(decide(now), "{condition}");
        assert!(!decide(later), "{condition}");
    }
}

#[test]
fn a_length_of_time_that_no_text_can_state_is_refused_of_a_builder_too() {
    use hallpass::clock::MAX_DURATION;
    use hallpass::policy::{ApprovalTerms, Per, Reviewers, Rule};
    use hallpass::scope::has_any;
    use std::time::Duration;

    type With = fn(Duration) -> Rule;
    let places: [(&str, With); 5] = [
        ("grant.ttl", |length| Rule::permit("p").tool("t").any_args().ttl(length)),
        ("grant.max_life", |length| Rule::permit("p").tool("t").any_args().max_life(length)),
        ("grant.idle", |length| Rule::permit("p").tool("t").any_args().idle(length)),
        ("grant.rate", |length| Rule::permit("p").tool("t").any_args().rate(1, length)),
        ("approval.expires", |length| {
            let people = Reviewers::in_groups(has_any(["owners"]));
            let terms = ApprovalTerms::per(Per::Call).review(people).expires(length);
            Rule::ask("p").tool("t").approval(terms)
        }),
    ];
    let second = Duration::from_secs(1);
    for (place, rule) in places {
        let built = |length| Policy::builder().rule(rule(length)).build();
        assert!(built(MAX_DURATION).is_ok() && built(second).is_ok(), "{place}");
        for length in [Duration::MAX, MAX_DURATION + second, Duration::from_micros(1500)] {
            let error = built(length).unwrap_err().to_string();
            assert!(error.contains(&format!("`{place}`")), "{error}");
            assert!(error.contains(&format!("`{length:?}`")), "{error}");
        }
    }
}

#[test]
fn an_exception_that_cannot_be_meant_is_refused_of_a_builder_too() {
    use hallpass::policy::Rule;
    use hallpass::scope::{Constraint, any_of, eq};

    let permit = || Rule::permit("p").tool("t").any_args();
    let with = |parts: Vec<(&'static str, Constraint)>| permit().unless(parts);
    let many =
        |count: i64| (0..count).fold(permit(), |rule, at| rule.unless([("when.env", eq(at))]));
    for (rule, told) in [
        (with(vec![("whom.id", eq("a"))]), "`whom.id` names no part of the question"),
        (with(vec![("env", eq("a"))]), "`env` names no part of the question"),
        (with(Vec::new()), "an exception that says nothing would be everything"),
        (with(vec![("what.tool", any_of([eq("t"), eq(5)]))]), "`unless.what.tool`"),
        (with(vec![("what.tool", eq("u"))]), "the rule names no such tool"),
        (many(65), "expected at most 64 exceptions of one rule"),
    ] {
        let error = Policy::builder().rule(rule).build().unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
    for rule in [many(64), with(vec![("what.tool", eq("t")), ("who.id", eq("a"))])] {
        assert!(Policy::builder().rule(rule).build().is_ok());
    }
}

/// A tool outside of the catalogue is refused whatever the rules say, and so it is never said that it may be called.
#[test]
fn a_tool_that_rules_name_and_the_catalogue_does_not_have_may_not_be_called() {
    let rule = |id: &str, tool: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\neffect = \"permit\"\nwhat = {{ tool = \"{tool}\", args = \"any\" }}\n"
        )
    };
    let rules = rule("known", "t") + &rule("unknown", "u") + &rule("all", "any");
    let text = format!("version = 1\n[[tool]]\nname = \"t\"\n{rules}");
    let policy = Policy::from_toml(&text).unwrap();
    let broker = hallpass::Broker::new(policy.clone()).unwrap();
    let agent = broker.assert_identity("a").unwrap();
    let (why, here) = (hallpass::Purpose::new("p"), hallpass::Context::new());
    let now = hallpass::clock::Timestamp::from_unix_millis(0).unwrap();
    let search = policy.search(&why, &here, now);
    let found = search.what_can(&agent).unwrap();
    assert!(found.is_all() && found.iter().all(|own| own.tool() == Some("t")), "{found}");
    assert!(search.what_can_with("u", &agent).is_err());
    // Nor is it a difference what it is permitted.
    let less = Policy::from_toml(&text.replace(&rule("unknown", "u"), "")).unwrap();
    assert!(less.diff(&policy).permits_the_same());
}
