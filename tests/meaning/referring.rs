//! Another part of the question in the place of a value: `{ ref = … }` and `{ join = [ … ] }`.

use hallpass::prelude::*;
use serde_json::{Value, json};

use crate::situation::{Situation, forbids, permits};

const TYPED: &str =
    "[[tool]]\nname = \"fs.read\"\nargs = { path = \"path\" }\n[[tool]]\nname = \"t\"\n";

fn permit(what: &str) -> String {
    format!("[[rule]]\nid = \"own\"\neffect = \"permit\"\nwhat = {what}\n")
}

/// Of an agent with these attributes.
fn of(policy: &str, attrs: &[(&'static str, Value)]) -> Situation {
    let agent = Assertion::agent("ana").group("r1-readers").group("staff");
    let agent = attrs.iter().fold(agent, |agent, (name, value)| {
        agent.attr(*name, hallpass::value::Value::try_from(value).unwrap())
    });
    Situation::of(policy, agent)
}

fn read(path: &str) -> Value {
    json!([{ "tool": "fs.read", "args": { "path": path } }])
}

#[test]
fn an_own_limit_is_the_one_that_is_attested() {
    let own = permit(
        "{ tool = \"approve\", args = { sum = { above = 0, max = { ref = \"who.attrs.limit\" } } } }",
    );
    let asked = |sum: Value| json!([{ "tool": "approve", "args": { "sum": sum } }]);
    let ana = of(&own, &[("limit", json!(250.5))]);
    assert!(ana.granted(&asked(json!({ "above": 0, "max": 250.5 }))));
    assert!(ana.granted(&asked(json!(17))));
    assert!(!ana.granted(&asked(json!(250.6))));
    assert!(!ana.granted(&asked(json!({ "max": 100 }))), "open below");
    // Not said, or not a number, is not a limit that anything lies under.
    for attrs in [vec![], vec![("limit", json!("250"))], vec![("limit", json!([250]))]] {
        assert!(!of(&own, &attrs).granted(&asked(json!(1))), "{attrs:?}");
    }
}

/// attacks 2, 3
#[test]
fn an_own_folder_is_below_one_segment_and_never_another_ones() {
    let joined = permit(
        "{ tool = \"fs.read\", args = { path = { under = { join = [\"/home\", { ref = \"who.attrs.user\" }] } } } }",
    );
    let policy = format!("{TYPED}{joined}");
    let ana = of(&policy, &[("user", json!("ana"))]);
    assert!(ana.granted(&read("/home/ana/x")));
    assert!(ana.granted(
        &json!([{ "tool": "fs.read", "args": { "path": { "under": "/home/ana/mail" } } }])
    ));
    for path in ["/home/anabel/x", "/home/ben/x", "/home", "/etc/passwd"] {
        assert!(!ana.granted(&read(path)), "{path}");
    }
    for user in ["", ".", "..", "ana/..", "ana/../ben", "a/b", "/", "%2e%2e", "a\\b", "~\u{0}"] {
        let other = of(&policy, &[("user", json!(user))]);
        for path in ["/home/ana/x", "/home/ben/x", "/home/x", "/home/a/b", "/x"] {
            assert!(!other.granted(&read(path)), "{user:?} {path}");
        }
    }
    assert!(!of(&policy, &[("user", json!(["ana"]))]).granted(&read("/home/ana/x")));
    assert!(!of(&policy, &[]).granted(&read("/home/ana/x")));

    let whole = permit(
        "{ tool = \"fs.read\", args = { path = { under = { ref = \"who.attrs.home\" } } } }",
    );
    let ana = of(&format!("{TYPED}{whole}"), &[("home", json!("/srv/./ana/"))]);
    assert!(ana.granted(&read("/srv/ana/x")), "brought to the one spelling");
    assert!(!ana.granted(&read("/srv/ben/x")));
    let odd = of(&format!("{TYPED}{whole}"), &[("home", json!("/srv/../etc"))]);
    assert!(!odd.granted(&read("/etc/passwd")) && !odd.granted(&read("/srv/x")));
}

#[test]
fn who_may_act_is_named_by_the_resource_where_the_scope_pins_it() {
    let readers = "[[rule]]\nid = \"own\"\neffect = \"permit\"\nwho = { groups = { has_any = { ref = \"resource.attrs.readers\" } } }\n\
                   what = { tool = \"pull\", resource = { type = \"repo\", id = \"any\" } }\n";
    let ana = of(readers, &[]);
    let asked = |readers: Value| json!([{ "tool": "pull", "resource": { "type": "repo", "id": "r", "attrs": { "readers": readers } } }]);
    let call = |readers: Value| json!({ "tool": "pull", "resource": { "type": "repo", "id": "r", "attrs": { "readers": readers } } });
    let pinned = json!({ "eq": ["r1-readers", "r2-readers"] });
    let grant = ana.request(&asked(pinned)).unwrap();
    assert_eq!(ana.call(&grant, &call(json!(["r1-readers", "r2-readers"]))), Ok(()));
    assert!(!ana.granted(&asked(json!({ "eq": ["r2-readers"] }))));
    assert!(!ana.granted(&asked(json!("any"))), "of a list that may be any");

    let open = permits("\"any\"").replace(
        "tool = \"any\", args = \"any\"",
        "tool = \"any\", args = \"any\", resource = \"any\"",
    ) + readers;
    let ana = of(&open.replace("id = \"call\"", "id = \"other\""), &[]);
    let grant =
        ana.request(&json!([{ "tool": "pull", "args": "any", "resource": "any" }])).unwrap();
    for (readers, permitted) in [
        (json!(["x", "staff"]), true),
        (json!(["x"]), false),
        (json!([]), false),
        (json!("staff"), false),
        (json!([["staff"]]), false),
        (json!(null), false),
    ] {
        assert_eq!(ana.call(&grant, &call(readers.clone())).is_ok(), permitted, "{readers}");
    }
}

/// Doubt denies: what can't be compared with is not a bound of a permit, and no hole in a forbid.
#[test]
fn what_a_reference_does_not_lead_to_denies_on_either_side() {
    for kind in [
        "{ max = { ref = \"when.w\" } }",
        "{ not = { max = { ref = \"when.w\" } } }",
        "{ one_of = { ref = \"when.w\" } }",
        "{ not = { one_of = { ref = \"when.w\" } } }",
        "{ prefix = { ref = \"when.w\" } }",
        "{ not = { has_any = { ref = \"when.w\" } } }",
        "{ any = [{ under = { ref = \"when.w\" } }, { suffix = { ref = \"when.w\" } }] }",
    ] {
        let values = [json!(1), json!("a"), json!("/a"), json!(["a"]), json!([]), json!(true)];
        let permitted = of(&permits(kind), &[]).passes(&values);
        assert_eq!(permitted, [false; 6], "{kind}");
        let passed = of(&forbids(kind), &[]).passes(&values);
        // Of the empty list a guard finds no element that may be so.
        let empty = !kind.contains("has_any");
        assert_eq!(passed, [false, false, false, false, empty, false], "{kind}");
    }
}

#[test]
fn words_that_the_host_vouches_for_bound_what_a_call_may_name() {
    let policy = permit("{ tool = \"t\", args = { x = { one_of = { ref = \"when.words\" } } } }");
    let ana = of(&policy, &[]);
    let words = |words: &[&str]| {
        Context::new().with("words", words.iter().map(|own| (*own).to_owned()).collect::<Vec<_>>())
    };
    let asked = json!([{ "tool": "t", "args": { "x": { "one_of": ["CH93", "CH94"] } } }]);
    assert!(!ana.granted(&asked), "nothing is vouched for");
    let open = permits("{ one_of = { ref = \"when.words\" } }");
    let ana = of(&open, &[]);
    let grant = ana.request(&json!([{ "tool": "t", "args": "any" }])).unwrap();
    let call = |x: Value| json!({ "tool": "t", "args": { "x": x } });
    for (stated, x, permitted) in [
        (words(&["CH93", "pay"]), json!("CH93"), true),
        (words(&["CH93", "pay"]), json!(["CH93", "pay"]), true),
        (words(&["CH93", "pay"]), json!("XX66"), false),
        (words(&["CH93", "pay"]), json!(["CH93", "XX66"]), false),
        (words(&[]), json!("CH93"), false),
        (Context::new(), json!("CH93"), false),
        (Context::new().with("words", "CH93"), json!("CH93"), false),
    ] {
        let answer = ana.call_with(&grant, &call(x.clone()), &stated);
        assert_eq!(answer.is_ok(), permitted, "{x} {stated:?}");
    }
    // A long list of either is searched, not gone through for each.
    let many: Vec<String> = (0..1000).map(|n| format!("w{n}")).collect();
    let stated = Context::new().with("words", many.clone());
    assert_eq!(ana.call_with(&grant, &call(json!(many)), &stated), Ok(()));
    let more: Vec<&str> = many.iter().map(String::as_str).chain(["x"]).collect();
    assert!(ana.call_with(&grant, &call(json!(more)), &stated).is_err());
}

/// An agent compares arguments with each other; nothing else is its to compare with.
#[test]
fn a_scope_bounds_one_argument_by_another() {
    let ana = of(&permit("{ tool = \"t\", args = \"any\" }"), &[]);
    let bounded = json!([{ "tool": "t", "args": { "least": "any", "sum": { "min": { "ref": "args.least" } } } }]);
    let grant = ana.request(&bounded).unwrap();
    let call = |args: Value| json!({ "tool": "t", "args": args });
    assert_eq!(ana.call(&grant, &call(json!({ "least": 2, "sum": 2 }))), Ok(()));
    for args in [
        json!({ "least": 3, "sum": 2 }),
        json!({ "least": "2", "sum": 2 }),
        json!({ "least": null, "sum": 2 }),
        json!({ "least": [2], "sum": 2 }),
    ] {
        assert_eq!(ana.call(&grant, &call(args.clone())), Err(Reason::OutOfScope), "{args}");
    }
    let error =
        Scope::from_json(r#"[{"tool":"t","args":{"sum":{"max":{"ref":"who.attrs.limit"}}}}]"#);
    let told = "`t`: `args.sum`: a scope compares with `args.NAME` alone, and this is `who.attrs.limit`: name the value instead";
    assert_eq!(error.unwrap_err().to_string(), told);
}

/// What the rule says and the scope says alike needs no value to be known.
#[test]
fn the_same_reference_in_a_rule_and_in_a_scope_is_covered() {
    let rule = "{ tool = \"t\", args = { from = \"any\", to = { prefix = { join = [\"/a\", { ref = \"args.from\" }, \"/\"] } } } }";
    let ana = of(&permit(rule), &[]);
    let same = json!([{ "tool": "t", "args": {
        "from": "any", "to": { "prefix": { "join": ["/a", { "ref": "args.from" }, "/"] } }
    } }]);
    assert!(ana.granted(&same));
    assert!(!ana.granted(
        &json!([{ "tool": "t", "args": { "from": "any", "to": { "prefix": "/a/x/" } } }])
    ));
    // Pinned, it is the text that it comes to.
    assert!(
        ana.granted(
            &json!([{ "tool": "t", "args": { "from": "x", "to": { "prefix": "/a/x/" } } }])
        )
    );
    assert!(
        !ana.granted(&json!([{ "tool": "t", "args": { "from": "x", "to": { "prefix": "/a/" } } }]))
    );
    assert!(
        !ana.granted(
            &json!([{ "tool": "t", "args": { "from": "..", "to": { "prefix": "/a/" } } }])
        )
    );
}

#[test]
fn a_time_is_compared_with_one_that_is_attested() {
    let rule = "[[rule]]\nid = \"own\"\neffect = \"permit\"\nwhat = { tool = \"t\" }\nwhen.now = { before = { ref = \"who.attrs.contract_end\" } }\n";
    for (end, granted) in [
        (json!("2026-11-28T09:00:01Z"), true),
        (json!("2026-11-28T09:00:00Z"), false),
        (json!("28.11.2026"), false),
        (json!(1), false),
    ] {
        let ana = of(rule, &[("contract_end", end.clone())]);
        assert_eq!(ana.granted(&json!([{ "tool": "t" }])), granted, "{end}");
    }
}

/// A host is named in the policy; a link that is stated with the question is taken as a whole, and is a URL as any other.
#[cfg(feature = "url")]
#[test]
fn a_link_that_is_stated_with_the_question_is_taken_and_no_other_of_its_host() {
    let own = "{ url = { host = \"any\" }, one_of = { ref = \"when.links\" } }";
    let rule = permit(&format!("{{ tool = \"web.get\", args = {{ link = {own} }} }}"));
    let typed = "[[tool]]\nname = \"web.get\"\nargs = { link = \"url\" }\n";
    let policy = Policy::from_toml(&format!("version = 1\n{typed}{rule}")).unwrap();
    let broker = Broker::new(policy.clone()).unwrap();
    let agent = broker.assert_identity("ana").unwrap();
    let now = hallpass::clock::Timestamp::from_unix_millis(0).unwrap();
    let permits = |link: &str, links: Option<Vec<&str>>| {
        let call = Call::new("web.get", json!({ "link": link })).unwrap();
        let context = links.into_iter().fold(Context::new(), |own, links| {
            let links = links.into_iter().map(hallpass::value::Value::from).collect();
            own.with("links", hallpass::value::Value::List(links))
        });
        policy.decide(&agent, &Purpose::new("p"), &call, &context, now).unwrap().is_permit()
    };
    let stated = || Some(vec!["https://a.test/x", "https://127.0.0.1/"]);
    assert!(permits("https://a.test/x", stated()));
    assert!(permits("HTTPS://A.test:443/x", stated()), "in its one spelling");
    for other in
        ["https://a.test/y", "https://a.test/x/y", "https://b.test/x", "https://127.0.0.1/"]
    {
        assert!(!permits(other, stated()), "{other}");
    }
    for links in [None, Some(Vec::new())] {
        assert!(!permits("https://a.test/x", links));
    }
}

/// Every text begins with nothing, and every list has all of none: what is compared with nothing is not known.
#[test]
fn what_is_compared_with_nothing_or_with_a_list_of_lists_is_not_permitted_and_is_refused() {
    let now = hallpass::clock::Timestamp::from_unix_millis(0).unwrap();
    for (kind, stated, given) in [
        ("prefix", json!(""), json!("a")),
        ("suffix", json!(""), json!("a")),
        ("contains", json!(""), json!("a")),
        ("has_all", json!([]), json!(["a"])),
        ("has_all", json!([]), json!([])),
        ("subset_of", json!([]), json!([])),
        ("one_of", json!([["a"]]), json!("a")),
        ("one_of", json!([["a"]]), json!(["a"])),
        ("one_of", json!([["a"], "b"]), json!("b")),
    ] {
        let own = format!("{{ {kind} = {{ ref = \"when.own\" }} }}");
        let permit = permit(&format!("{{ tool = \"t\", args = {{ a = {own} }} }}"));
        let open = "[[rule]]\nid = \"open\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = \"any\" }\n";
        let forbid = |own: &str| {
            let what = format!("{{ tool = \"t\", args = {{ a = {own} }} }}");
            format!("{open}[[rule]]\nid = \"f\"\neffect = \"forbid\"\nwhat = {what}\n")
        };
        let not = format!("{{ not = {own} }}");
        for rules in [permit, forbid(&own), forbid(&not)] {
            let policy = Policy::from_toml(&format!("version = 1\n{rules}")).unwrap();
            let broker = Broker::new(policy.clone()).unwrap();
            let agent = broker.assert_identity("ana").unwrap();
            let call = Call::new("t", json!({ "a": given })).unwrap();
            let stated = hallpass::value::Value::try_from(&stated).unwrap();
            let context = Context::new().with("own", stated);
            let told = policy.decide(&agent, &Purpose::new("p"), &call, &context, now).unwrap();
            assert!(!told.is_permit(), "{given} under {rules}");
        }
    }
}
