//! Levels compared by an order that the policy names.

use hallpass::args::Args;
use hallpass::prelude::*;
use hallpass::scope::{max_in, min_in, reference};

/// Documents by their level, and who reads up to which.
const POLICY: &str = r#"
version = 1

[order]
level = ["public", "internal", "secret"]

[[rule]]
id     = "up-to-internal"
effect = "permit"
what   = { tool = "doc.list", args = { level = { max = "internal", order = "level" } } }

[[rule]]
id     = "up-to-the-own-clearance"
effect = "permit"
what   = { tool = "doc.read", args = { level = { max = { ref = "who.attrs.clearance" }, order = "level" } } }

[[rule]]
id     = "write-down-needs-nothing-read-above"
effect = "forbid"
what   = { tool = "doc.write", args = { level = { below = { ref = "when.read" }, order = "level" } } }

[[rule]]
id     = "write"
effect = "permit"
what   = { tool = "doc.write", args = "any" }
"#;

/// The error, with its line and without its column.
fn refused(text: &str) -> String {
    let told = Policy::from_toml(text).expect_err(text).to_string();
    let (place, problem) = told.split_once(": ").unwrap();
    let (line, column) = place.split_once(", column ").unwrap();
    assert!(column.parse::<usize>().is_ok_and(|own| own > 1), "{told}");
    format!("{line}: {problem}")
}

fn decided(tool: &str, clearance: Option<&str>, read: Option<&str>, level: &str) -> bool {
    let policy = Policy::from_toml(POLICY).unwrap();
    let broker = Broker::new(policy).unwrap();
    let who = Assertion::agent("agent-7");
    let who = broker.assert_identity(match clearance {
        Some(own) => who.attr("clearance", own),
        None => who,
    });
    let task = broker.open(&who.unwrap(), Purpose::new("errand")).unwrap();
    let context = match read {
        Some(own) => Context::new().with("read", own),
        None => Context::new(),
    };
    let scope = Scope::tool(tool).arg("level", hallpass::scope::eq(level));
    let Ok(grant) = task.request(scope, &context) else { return false };
    let args = Args::from_json(&format!("{{\"level\":\"{level}\"}}")).unwrap();
    broker
        .gate()
        .authorize(&grant, grant.holder(), Call::new(tool, args).unwrap(), &context)
        .is_ok()
}

#[test]
fn a_level_is_permitted_up_to_its_bound_and_what_is_no_level_is_not() {
    for (level, permitted) in
        [("public", true), ("internal", true), ("secret", false), ("Public", false), ("", false)]
    {
        assert_eq!(decided("doc.list", None, None, level), permitted, "{level}");
    }
    for (clearance, level, permitted) in [
        (Some("internal"), "public", true),
        (Some("internal"), "internal", true),
        (Some("internal"), "secret", false),
        (Some("secret"), "secret", true),
        // No level of the order, and none at all.
        (Some("Secret"), "public", false),
        (Some("top"), "public", false),
        (None, "public", false),
        (Some("secret"), "top", false),
    ] {
        assert_eq!(decided("doc.read", clearance, None, level), permitted, "{clearance:?} {level}");
    }
}

/// attack 43
#[test]
fn a_forbid_by_an_order_acts_on_what_is_no_level() {
    for (read, level, permitted) in [
        (Some("internal"), "internal", true),
        (Some("internal"), "secret", true),
        (Some("internal"), "public", false),
        (Some("internal"), "Secret", false),
        (Some("unheard-of"), "secret", false),
        (None, "secret", false),
        (Some("public"), "public", true),
    ] {
        assert_eq!(decided("doc.write", None, read, level), permitted, "{read:?} {level}");
    }
}

#[test]
fn at_a_request_what_is_asked_for_is_compared_level_by_level() {
    let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
    let ana =
        broker.assert_identity(Assertion::agent("ana").attr("clearance", "internal")).unwrap();
    let task = broker.open(&ana, Purpose::new("errand")).unwrap();
    let asked = |tool: &str, level: &str| {
        let scope = format!(r#"[{{"tool": "{tool}", "args": {{"level": {level}}}}}]"#);
        task.request(Scope::from_json(&scope).unwrap(), &Context::new()).is_ok()
    };
    for tool in ["doc.list", "doc.read"] {
        assert!(asked(tool, r#"{"one_of": ["public", "internal"]}"#), "{tool}");
        assert!(asked(tool, r#"{"eq": "internal"}"#), "{tool}");
        assert!(
            asked(tool, r#"{"all": [{"one_of": ["internal", "secret"]}, {"prefix": "i"}]}"#),
            "{tool}"
        );
        assert!(!asked(tool, r#"{"one_of": ["public", "secret"]}"#), "{tool}");
        assert!(!asked(tool, r#"{"one_of": ["public", "other"]}"#), "{tool}");
        assert!(!asked(tool, r#""any""#), "{tool}");
        assert!(!asked(tool, r#"{"prefix": "i"}"#), "{tool}");
    }
    // What it could ask for is told in words that a scope has.
    let could = task.could_request(&Context::new()).unwrap();
    let told: Vec<String> = could.scopes().map(|own| own.to_value().to_json()).collect();
    for tool in ["doc.list", "doc.read"] {
        let scope = format!(
            r#"[{{"args":{{"level":{{"one_of":["internal","public"]}}}},"tool":"{tool}"}}]"#
        );
        assert!(told.contains(&scope), "{told:?}");
    }
    let json = r#"[{"tool": "doc.list", "args": {"level": {"max": "internal", "order": ["public", "internal"]}}}]"#;
    let told = Scope::from_json(json).unwrap_err().to_string();
    assert!(
        told.contains("`order` is for policies only: a scope names the levels, with `one_of`"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_with_an_order_is_said_where_it_stands() {
    let rule = |level: &str| {
        format!(
            "version = 1\norder = {{ level = [\"public\", \"internal\", \"secret\"] }}\n[[rule]]\nid = \"r\"\n\
             effect = \"permit\"\nwhat = {{ tool = \"t\", args = {{ level = {level} }} }}\n"
        )
    };
    for (level, told) in [
        (
            "{ max = \"secrt\", order = \"level\" }",
            "line 6: rule `r`: `what.args.level`: `secrt` is not a level of that order, expected one of \
             `public`, `internal`, `secret`: did you mean `secret`?",
        ),
        (
            "{ max = \"secret\", order = \"levels\" }",
            "line 6: rule `r`: `what.args.level`: the policy has no order `levels`: did you mean `level`?",
        ),
        (
            "{ max = \"secret\" }",
            "line 6: rule `r`: `what.args.level.max`: expected a number, found text: levels are compared by \
             an order, `order = \"NAME\"` next to it",
        ),
        (
            "{ order = \"level\" }",
            "line 6: rule `r`: `what.args.level`: `order` says how `min`, `max`, `above` and `below` compare \
             levels, and there are none",
        ),
        (
            "{ above = \"secret\", order = \"level\" }",
            "line 6: rule `r`: `what.args.level`: no value lies within these bounds of an order from \
             `public` to `secret`",
        ),
        (
            "{ min = \"secret\", max = \"public\", order = \"level\" }",
            "line 6: rule `r`: `what.args.level`: no value lies within these bounds of an order from \
             `public` to `secret`",
        ),
        (
            "{ max = 3, order = \"level\" }",
            "line 6: rule `r`: `what.args.level.max`: expected text, found a number",
        ),
        (
            "{ max = { join = [\"a\", { ref = \"who.id\" }] }, order = \"level\" }",
            "line 6: rule `r`: `what.args.level.max`: `order` goes with a level, and `join` makes a text of \
             several parts",
        ),
        (
            "{ max = \"b\", order = [\"a\"] }",
            "line 6: rule `r`: `what.args.level.order`: expected two levels or more, from the lowest to the \
             highest",
        ),
    ] {
        assert_eq!(refused(&rule(level)), told, "{level}");
    }
    for (order, told) in [
        ("level = [\"a\", \"a\"]", "line 2: `order.level`: the level `a` stands there twice"),
        ("level = [\"a\", 1]", "line 2: `order.level[1]`: expected text, found a number"),
        (
            "level = \"a\"",
            "line 2: `order.level`: expected a list, found text: write `[ … ]`, of one, too",
        ),
        ("", "line 2: `order`: an empty table says nothing: leave it out"),
    ] {
        assert_eq!(refused(&format!("version = 1\norder = {{ {order} }}\n")), told, "{order}");
    }
    // Of texts that are never numbers: there a bound without an order says what to write.
    assert!(
        Policy::from_toml(&rule("{ max = \"secret\", order = [\"public\", \"secret\"] }")).is_ok()
    );
}

/// The order is what a rule says, under whatever name.
#[test]
fn a_policy_is_another_one_with_another_order() {
    let digest = |text: &str| Policy::from_toml(text).unwrap().digest();
    let own = digest(POLICY);
    assert_eq!(
        own,
        digest(
            &POLICY
                .replace("level = [", "clearance = [")
                .replace("order = \"level\"", "order = \"clearance\"")
        )
    );
    assert_ne!(
        own,
        digest(&POLICY.replace("[\"public\", \"internal\"", "[\"internal\", \"public\""))
    );
    assert_ne!(own, digest(&POLICY.replace("\"secret\"]", "\"secret\", \"top\"]")));
    let json = r#"{"version": 1, "order": {"level": ["public", "secret"]}, "rule": [{"id": "r", "effect": "permit",
        "what": {"tool": "t", "args": {"level": {"min": "secret", "order": "level"}}}}]}"#;
    let built = |constraint| {
        let rule = Rule::permit("r").tool("t").arg("level", constraint);
        Policy::builder().order("level", ["public", "secret"]).rule(rule).build().unwrap().digest()
    };
    assert_eq!(Policy::from_json(json).unwrap().digest(), built(min_in("level", "secret")));
    assert_ne!(built(min_in("level", "secret")), built(max_in("level", "secret")));
    let twice = Policy::builder().order("a", ["x", "y"]).order("a", ["y", "x"]).build();
    assert!(twice.unwrap_err().to_string().contains("two orders have this name"));
    let odd = reference("who.attrs.clearance").in_order("level").as_prefix();
    assert!(odd.check().unwrap_err().to_string().starts_with("`order` goes with `min`"));
}

/// Names are folded, and levels are not: one that has capitals would never be a name.
#[test]
fn a_level_with_capitals_is_not_compared_with_names_that_are_folded() {
    let text = "version = 1\nidentity = { fold = \"ascii\" }\norder = { rank = [\"Ana\", \"bea\"] }\n[[rule]]\n\
                id = \"r\"\neffect = \"permit\"\nwho.id = { min = \"bea\", order = \"rank\" }\nwhat.tool = \"t\"\n";
    assert!(refused(text).contains("write `Ana` in lower case"), "{}", refused(text));
    assert!(Policy::from_toml(&text.replace("Ana", "ana")).is_ok());
}

/// A reload with another order holds a grant to it.
#[test]
fn a_grant_is_held_to_the_order_in_force() {
    let broker = Broker::new(Policy::from_toml(POLICY).unwrap()).unwrap();
    let who = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&who, Purpose::new("errand")).unwrap();
    let scope = Scope::tool("doc.list").arg("level", hallpass::scope::eq("internal"));
    let grant = task.request(scope, &Context::new()).unwrap();
    let call = || {
        let args = Args::from_json(r#"{"level": "internal"}"#).unwrap();
        broker.gate().authorize(&grant, &who, Call::new("doc.list", args).unwrap(), &Context::new())
    };
    assert!(call().is_ok());
    let turned = POLICY.replace(
        "[\"public\", \"internal\", \"secret\"]",
        "[\"internal\", \"secret\", \"public\"]",
    );
    broker.reload(&Policy::from_toml(&turned).unwrap()).unwrap();
    assert!(call().is_ok());
    let stricter = POLICY.replace("{ max = \"internal\"", "{ max = \"public\"");
    broker.reload(&Policy::from_toml(&stricter).unwrap()).unwrap();
    assert!(call().is_err());
}
