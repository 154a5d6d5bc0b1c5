//! TOML, JSON and Rust make the same policy: equal digests for equal content, and only then.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::policy::{ApprovalTerms, Moment, Per, Policy, Reviewers, Rule, Tool};
use hallpass::scope::{Scope, all_of, below, count, eq, has_all, has_any, max, min, present};
use proptest::prelude::{any as arbitrary, *};
use serde_json::Value;

use crate::written::{constraint, document, rules, toml_of};

proptest! {
    #[test]
    fn a_policy_built_in_rust_is_the_one_loaded_from_text(rules in rules()) {
        let (own, written): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        let built = Policy::builder()
            .tool(Tool::new("db.query").label("private"))
            .rules(own)
            .build();
        let loaded = Policy::from_json(&document(&written).to_string());
        match (built, loaded) {
            (Ok(built), Ok(loaded)) => prop_assert_eq!(built.digest(), loaded.digest()),
            (Err(_), Err(_)) => {}
            (built, loaded) => prop_assert!(false, "{:?}\n{:?}", built, loaded),
        }
    }

    #[test]
    fn the_same_policy_in_toml_and_json_has_one_digest(rules in rules()) {
        let written: Vec<_> = rules.into_iter().map(|(_, written)| written).collect();
        let document = document(&written);
        let json = Policy::from_json(&document.to_string());
        let toml = Policy::from_toml(&toml_of(&document));
        match (json, toml) {
            (Ok(json), Ok(toml)) => prop_assert_eq!(json.digest(), toml.digest()),
            (Err(json), Err(toml)) => prop_assert_eq!(json.problem(), toml.problem()),
            (json, toml) => prop_assert!(false, "{:?}\n{:?}", json, toml),
        }
    }

    #[test]
    fn the_order_of_rules_is_no_part_of_a_policy(rules in rules()) {
        let mut written: Vec<_> = rules.into_iter().map(|(_, written)| written).collect();
        if let Ok(policy) = Policy::from_json(&document(&written).to_string()) {
            written.reverse();
            let reversed = Policy::from_json(&document(&written).to_string()).unwrap();
            prop_assert_eq!(policy.digest(), reversed.digest());
        }
    }

    #[test]
    fn a_scope_is_read_back_as_it_was_written(
        args in prop::collection::btree_map("[a-z.]{1,4}", constraint(), 0..4),
        resource in prop::option::of((constraint(), constraint())),
        twice in prop::option::of(constraint()),
        open in arbitrary::<bool>(),
    ) {
        let mut scope = args.into_iter().fold(Scope::tool("t"), |scope, (name, (own, _))| scope.arg(&name, own));
        if let Some((own, _)) = twice {
            scope = scope.arg("a", own.clone()).arg("a", own).arg("a", present());
        }
        if open {
            scope = scope.other_args();
        }
        if let Some(((kind, _), (id, _))) = resource {
            scope = scope.resource(kind, id).resource_attr("owner", present());
        }
        let scope = scope.and_tool("other").any_resource();
        prop_assume!(scope.check().is_ok());
        let value = scope.to_value();
        let read = Scope::from_json(&value.to_json()).unwrap();
        prop_assert_eq!(&read.to_value(), &value);
        let data: Value = serde_json::from_str(&value.to_json()).unwrap();
        prop_assert_eq!(Scope::try_from(&data).unwrap().to_value(), value.clone());
        prop_assert_eq!(serde_json::from_value::<Scope>(data).unwrap().to_value(), value);
    }
}

const FULL: &str = r#"
version = 1
[[tool]]
name = "t"
labels = ["x", "y"]
[[tool]]
name = "u"
[[rule]]
id = "p"
effect = "permit"
on = ["call"]
who = { id = "a", kind = "agent", groups = { has_any = ["g"] }, acts_for = { count = 1 }, attrs = { team = "b" } }
what = { tool = "t", args = { n = { min = 1, below = 9 } }, resource = { type = "c", id = "d", attrs = { e = 5 } } }
why = { purpose = "f", ticket = { present = true } }
when = { env = "h", seen = { has_all = ["x"] } }
grant = { ttl = "5m", max_life = "31m", idle = "2m", uses = 20, rate = "10/3m", budget = { "args.n" = 50 }, depth = 4, per = "identity" }
owner = "i"
valid = { from = 2026-01-01T00:00:00Z, until = 2027-01-01T00:00:00Z }
review_by = 2026-07-01T00:00:00Z
[[rule]]
id = "q"
effect = "ask"
what = { tool = "u" }
approval = { review = [{ groups = { has_any = ["j"] }, count = 6 }], confirm = true, per = "call", expires = "7m" }
"#;

#[test]
fn every_single_change_makes_another_policy() {
    let policy = Policy::from_toml(FULL).unwrap();
    let mut seen = std::collections::HashMap::from([(policy.digest(), String::new())]);
    for (old, new) in [
        ("[\"x\", \"y\"]", "[\"x\"]"),
        ("name = \"u\"", "name = \"u\"\nlabels = [\"z\"]"),
        ("id = \"p\"", "id = \"r\""),
        ("effect = \"permit\"\non = [\"call\"]", "effect = \"permit\""),
        ("id = \"a\"", "id = \"b\""),
        ("kind = \"agent\"", "kind = \"human\""),
        ("has_any = [\"g\"]", "has_all = [\"g\"]"),
        ("count = 1 }", "count = 2 }"),
        ("team = \"b\"", "tea = \"b\""),
        ("tool = \"t\"", "tool = \"u\""),
        ("min = 1", "above = 1"),
        ("below = 9", "below = 8"),
        ("type = \"c\"", "type = \"any\""),
        ("id = \"d\"", "id = { prefix = \"d\" }"),
        ("e = 5", "e = 6"),
        ("purpose = \"f\"", "purpose = \"g\""),
        ("present = true", "present = false"),
        ("env = \"h\"", "env = \"i\""),
        ("seen = { has_all", "seen = { has_any"),
        ("ttl = \"5m\"", "ttl = \"6m\""),
        ("max_life = \"31m\"", "max_life = \"32m\""),
        ("idle = \"2m\"", "idle = \"3m\""),
        ("uses = 20", "uses = 21"),
        ("\"10/3m\"", "\"11/3m\""),
        ("\"10/3m\"", "\"10/4m\""),
        ("\"args.n\" = 50", "\"args.n\" = 51"),
        ("\"args.n\" = 50", "\"args.m\" = 50"),
        ("depth = 4", "depth = 5"),
        ("per = \"identity\"", "per = \"task\""),
        ("owner = \"i\"", "owner = \"j\""),
        ("from = 2026-01-01T00:00:00Z", "from = 2026-01-01T00:00:01Z"),
        (", until = 2027-01-01T00:00:00Z", ""),
        ("2026-07-01", "2026-07-02"),
        ("has_any = [\"j\"]", "has_any = [\"k\"]"),
        ("count = 6", "count = 7"),
        (", confirm = true", ""),
        ("per = \"call\"", "per = \"task\""),
        ("expires = \"7m\"", "expires = \"8m\""),
        ("effect = \"ask\"", "effect = \"ask\"\non = [\"call\"]"),
    ] {
        assert_eq!(FULL.matches(old).count(), 1, "{old}");
        let changed = Policy::from_toml(&FULL.replace(old, new)).unwrap();
        let change = format!("{old} to {new}");
        if let Some(same) = seen.insert(changed.digest(), change.clone()) {
            panic!("no other digest: {change}, {same}");
        }
    }
}

#[test]
fn spelling_is_no_part_of_a_policy() {
    let policy = Policy::from_toml(FULL).unwrap();
    for (old, new) in [
        ("[\"x\", \"y\"]", "[\"y\", \"x\", \"y\"]"),
        ("ttl = \"5m\"", "ttl = \"300s\""),
        ("below = 9", "below = 9.0"),
        ("min = 1, below = 9", "all = [{ below = 9 }, { min = 1 }]"),
        ("tool = \"t\"", "tool = { one_of = [\"t\"] }"),
        ("team = \"b\"", "team = { eq = \"b\" }"),
        ("2026-07-01T00:00:00Z", "\"2026-07-01T02:00:00+02:00\""),
    ] {
        assert_eq!(FULL.matches(old).count(), 1, "{old}");
        let changed = Policy::from_toml(&FULL.replace(old, new)).unwrap();
        assert_eq!(changed.digest(), policy.digest(), "{old} to {new}");
    }
}

/// Bounds inside each other count together, however they are nested.
#[test]
fn bounds_that_leave_nothing_are_refused_in_rust_as_in_text() {
    let nested = all_of([min(0).and(max(1)), min(2).and(max(3))]);
    assert!(Policy::builder().rule(Rule::permit("r").tool("t").arg("a", nested)).build().is_err());
    let text = "[{ min = 0, max = 1 }, { min = 2, max = 3 }]";
    let what = format!("what = {{ tool = \"t\", args.a.all = {text} }}");
    let text = format!("version = 1\n[[rule]]\nid = \"r\"\neffect = \"permit\"\n{what}");
    assert!(Policy::from_toml(&text).is_err());
}

#[test]
fn rust_has_a_word_for_everything_that_text_says() {
    let at = |text| Timestamp::parse_rfc3339(text).unwrap();
    let permit = Rule::permit("p")
        .on([Moment::Call])
        .who_id(eq("a"))
        .who_kind(eq("agent"))
        .who_groups(has_any(["g"]))
        .who_acts_for(count(1))
        .who_attr("team", eq("b"))
        .tool("t")
        .arg("n", min(1).and(below(9)))
        .resource_type(eq("c"))
        .resource_id(eq("d"))
        .resource_attr("e", eq(5))
        .purpose(eq("f"))
        .ticket(present())
        .when("env", eq("h"))
        .seen(has_all(["x"]))
        .ttl(Duration::from_secs(5 * 60))
        .max_life(Duration::from_secs(31 * 60))
        .idle(Duration::from_secs(2 * 60))
        .uses(20)
        .rate(10, Duration::from_secs(3 * 60))
        .budget("args.n", 50)
        .depth(4)
        .per_identity()
        .owner("i")
        .valid_from(at("2026-01-01T00:00:00Z"))
        .valid_until(at("2027-01-01T00:00:00Z"))
        .review_by(at("2026-07-01T00:00:00Z"));
    let reviewers = Reviewers::in_groups(has_any(["j"])).count(6);
    let terms = ApprovalTerms::per(Per::Call).review(reviewers).confirm();
    let ask = Rule::ask("q").tool("u").approval(terms.expires(Duration::from_secs(7 * 60)));
    let built = Policy::builder()
        .tool(Tool::new("t").labels(["x", "y"]))
        .tool(Tool::new("u"))
        .rules([ask, permit])
        .build()
        .unwrap();
    assert_eq!(built.digest(), Policy::from_toml(FULL).unwrap().digest());
}

/// In text `when.seen` is the history, so an attribute of that name would have the same digest.
#[test]
fn no_attribute_of_the_context_passes_for_the_history() {
    let rule = Rule::forbid("r").tool("t").when("seen", eq("x"));
    let error = Policy::builder().tool(Tool::new("t")).rule(rule).build().unwrap_err();
    assert_eq!(error.at(), "when.seen");
}

#[test]
fn a_rule_remembers_that_looks_at_history_or_permits_only_so_much() {
    let rule = || Rule::permit("r").tool("t").arg("a", hallpass::scope::any());
    let minute = Duration::from_secs(60);
    let remembering = [
        rule().uses(1),
        rule().rate(1, minute),
        rule().budget("args.a", 5),
        rule().max_life(minute),
        rule().idle(minute),
        rule().seen(has_any(["x"])),
    ];
    for rule in remembering {
        assert!(rule.remembers(), "{rule:?}");
    }
    for rule in [rule(), rule().ttl(minute), rule().when("env", hallpass::scope::eq("prod"))] {
        assert!(!rule.remembers(), "{rule:?}");
    }
}

#[test]
fn a_pinned_definition_is_part_of_a_policy_and_is_written_in_one_way() {
    use hallpass::value::Value;
    let definition = Value::from_json(r#"{"name":"read","description":"reads"}"#).unwrap();
    let digest = Tool::definition_digest(definition.as_object().unwrap());
    let built = |tool| Policy::builder().tool(tool).build().unwrap();
    let pinned = built(Tool::new("read").pinned(digest));
    let text = |own: &str| {
        Policy::from_toml(&format!(
            "version = 1\ntool = [{{ name = \"read\", digest = \"{own}\" }}]"
        ))
    };
    let loaded = text(&format!("hp-tool-1:{digest}")).unwrap();
    assert_eq!(loaded.digest(), pinned.digest());
    assert_eq!(loaded.pins().collect::<Vec<_>>(), [("read", digest)]);
    assert_ne!(pinned.digest(), built(Tool::new("read")).digest());
    assert_eq!(built(Tool::new("read")).pins().count(), 0);
    let own = digest.to_string();
    for other in [
        "",
        "hp-tool-1:",
        &own,
        &format!("hp-tool-2:{own}"),
        &format!("hp-tool-1:{own}A"),
        &format!("hp-tool-1:{own}="),
        &format!("hp-tool-1: {own}"),
    ] {
        let error = text(other).unwrap_err().to_string();
        assert!(error.contains("43 characters of base64url"), "{other}: {error}");
    }
}

/// A definition is the same however it is written, and another in anything else.
#[test]
fn a_definition_is_digested_by_what_it_says() {
    let digest = |text: &str| {
        let definition = hallpass::value::Value::from_json(text).unwrap();
        Tool::definition_digest(definition.as_object().unwrap())
    };
    let own = digest(r#"{"name":"read","n":1.0,"_meta":{"a":1},"x":{"b":[1,2],"_meta":3}}"#);
    assert_eq!(own, digest(r#" {"x":{"_meta":3,"b":[1,2]},"n":1,"n\u0061me":"read"} "#));
    for other in [
        r#"{"name":"read","n":1,"x":{"b":[1,2]}}"#,
        r#"{"name":"read","n":1,"x":{"b":[2,1],"_meta":3}}"#,
        r#"{"name":"read","n":"1","x":{"b":[1,2],"_meta":3}}"#,
        r#"{"name":"read","n":1,"x":{"b":[1,2],"_meta":3},"y":null}"#,
        r#"{"name":"rea","dn":1,"x":{"b":[1,2],"_meta":3}}"#,
        "{}",
    ] {
        assert_ne!(own, digest(other), "{other}");
    }
    // `hp-tool-1`, so that a digest that was pinned is still the same later.
    assert_eq!(
        digest(r#"{"name":"read"}"#).to_string(),
        "uoixrHTY3tGuUJlXson3aKH3CUptiyzO8sY5VykaSOg"
    );
}
