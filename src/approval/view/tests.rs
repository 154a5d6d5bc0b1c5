use std::time::Duration;

use proptest::collection::btree_map;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::identity::{Assertion, Kind};
use crate::purpose::Purpose;
use crate::scope::{eq, max, prefix};
use crate::visible::is_hidden;

fn attested(assertion: Assertion) -> Identity {
    assertion.attest(1).unwrap()
}

fn call(args: serde_json::Value) -> Call {
    Call::new("bank.pay", args).unwrap()
}

/// What a view is made of, where a test says nothing else.
struct Usual {
    holder: Identity,
    purpose: CheckedPurpose,
}

impl Usual {
    fn new(purpose: Purpose) -> Usual {
        let holder =
            Assertion::agent("spiffe://acme.test/payer").acts_for("alice@acme.test", Kind::Human);
        Usual { holder: attested(holder), purpose: purpose.check().unwrap() }
    }

    fn source<'a>(&'a self, asked: Asked<'a>) -> Source<'a> {
        Source {
            asked,
            holder: &self.holder,
            parties: &[],
            amended_by: &[],
            task: ("bills", 7),
            purpose: &self.purpose,
            rules: &[],
            material: &[],
            before: None,
        }
    }
}

fn view_of(asked: Asked<'_>) -> View {
    View::of(&Usual::new(Purpose::new("pay-bill")).source(asked))
}

fn view(call: &Call) -> View {
    view_of(Asked::Call(call))
}

fn capabilities(scope: &Scope) -> Vec<Capability> {
    scope.capabilities().unwrap()
}

#[test]
fn a_view_has_one_line_a_fact_in_a_fixed_order() {
    let call = call(json!({ "to": "CH93 0076", "amount": 98 }))
        .on(Resource::new("account", "main").attr("owner", "acme"));
    let digest = Digest::of(b"script");
    let purpose = Purpose::new("pay-bill").ticket("INV-1203");
    let usual = Usual::new(purpose.intent("it's urgent\ntool: \"fs.read\""));
    let rules = [RuleShown {
        effect: "ask",
        id: "four-eyes",
        owner: Some("finance@acme.test"),
        limits: vec![("needs", "2 of finance".to_owned())],
    }];
    let view = View::of(&Source {
        parties: &[attested(Assertion::workload("planner"))],
        amended_by: &["bob@acme.test"],
        rules: &rules,
        material: &[("script", &digest)],
        ..usual.source(Asked::Call(&call))
    });
    let expected = format!(
        r#"tool: "bank.pay"
argument amount: 98
argument to: "CH93 0076"
resource: {{"attributes":{{"owner":"acme"}},"id":"main","type":"account"}}
who: "spiffe://acme.test/payer" [agent]
who, acting for: "alice@acme.test" [human]
asked for by: "planner" [workload]
amended by: "bob@acme.test"
task: "bills" [opening 7]
purpose: "pay-bill"
ticket: "INV-1203"
ask: "four-eyes" [owner "finance@acme.test"]
ask needs: 2 of finance
material script: sha-256 {digest} [uninspectable]
reason of the agent: "it's urgent\ntool: \"fs.read\"" [untrusted]
"#
    );
    assert_eq!(view.to_string(), expected);
    assert!(view.lines().last().unwrap().is_untrusted());
    assert_eq!(view.lines().filter(|line| line.is_untrusted()).count(), 1);
}

#[test]
fn the_digest_covers_exactly_what_is_written_and_nothing_else_has_it() {
    let view = view(&call(json!({ "to": "CH93" })));
    let written = view.to_string();
    let by_hand = [b"hallpass/v1/view\0", written.as_bytes()].concat();
    assert_eq!(view.digest(), Digest::of(&by_hand));
    assert_ne!(view.digest(), Digest::of(written.as_bytes()));
}

/// attack 167: an argument that imitates the view's own lines
#[test]
fn no_argument_can_look_like_a_line_or_a_note() {
    for hostile in [
        "x\ntool: \"fs.read\"",
        "x\" [untrusted]\nask: \"none\"",
        "x\u{2028}ask needs: 0",
        "\u{1b}[1A\u{1b}[2Ktool: \"harmless\"",
        "x\u{202e}\" :etah",
    ] {
        let value = view(&call(json!({ "to": hostile })));
        let named = view(&call(json!({ "x: 1] [tool: \"a\"": hostile })));
        for view in [value, named] {
            assert_eq!(view.to_string().lines().count(), view.lines().len(), "{hostile:?}");
            let tools = view.to_string().lines().filter(|line| line.starts_with("tool:")).count();
            assert_eq!(tools, 1, "{hostile:?}");
        }
    }
    let named = view(&call(json!({ "a: 1 [x]": 1 })));
    assert_eq!(named.lines().nth(1).unwrap().to_string(), r#"argument "a: 1 [x]": 1"#);
}

/// attacks 118 and 167: what is left out is said to be, with its length and digest
#[test]
fn what_is_cut_or_can_not_be_read_is_marked_and_found() {
    assert_eq!(view(&call(json!({ "to": "CH93" }))).unshown(), None);
    let long = "a b ".repeat(2_560);
    let cut = view(&call(json!({ "body": long.as_str(), "to": 1 })));
    let line = cut.unshown().unwrap();
    let digest = Value::from(long.as_str()).digest();
    assert!(line.is_cut() && !line.is_uninspectable());
    assert_eq!(line.notes(), format!("[cut; 10240 bytes; sha-256 {digest}]"));
    assert_eq!(whole_argument(&call(json!({ "body": long })), "body").unwrap().len(), 10_242);
    assert_eq!(whole_argument(&call(json!({})), "body"), None);

    let data = "a1B2".repeat(30);
    let unreadable = view(&call(json!({ "data": data.as_str() })));
    let line = unreadable.unshown().unwrap();
    let digest = Value::from(data.as_str()).digest();
    assert_eq!(line.notes(), format!("[whole; 120 bytes; sha-256 {digest}] [uninspectable]"));
    assert_eq!(
        view(&call(json!({ "to": "p\u{430}y" }))).lines().nth(1).unwrap().notes(),
        r"[looks like other letters: \u{430}]"
    );

    // The agent's own words are not a part of what runs.
    let plain = call(json!({}));
    let usual = Usual::new(Purpose::new("p").intent("word ".repeat(800)));
    let talkative = View::of(&usual.source(Asked::Call(&plain)));
    assert!(talkative.lines().any(ViewLine::is_cut));
    assert_eq!(talkative.unshown(), None);
}

#[test]
fn arguments_past_what_people_read_are_one_line_that_is_cut() {
    let args = |count: usize| {
        let pairs = (0..count).map(|at| (format!("a{at:03}"), json!(at)));
        call(serde_json::Value::Object(pairs.collect()))
    };
    assert_eq!(view(&args(MOST_ARGUMENTS)).unshown(), None);
    let many = args(MOST_ARGUMENTS + 3);
    let cut = view(&many);
    let line = cut.unshown().unwrap();
    assert_eq!((line.label(), line.value()), ("arguments", "3 more, of 67"));
    assert!(line.notes().contains(&many.args().digest().to_string()));
}

/// attack 110: whatever of the request is another, what is shown is another
#[test]
fn each_part_of_the_request_changes_the_digest() {
    let plain = call(json!({ "to": "CH93" }));
    let asked = Asked::Call(&plain);
    let (digest, other) = (Digest::of(b"x"), Digest::of(b"y"));
    let rule = RuleShown { effect: "ask", id: "r", owner: None, limits: Vec::new() };
    let owned = RuleShown { owner: Some("me"), ..rule.clone() };
    let limited = RuleShown { limits: vec![("uses", "1".to_owned())], ..rule.clone() };
    let permit = RuleShown { effect: "permit", ..rule.clone() };
    let usual = Usual::new(Purpose::new("pay-bill"));
    let ticketed = Usual::new(Purpose::new("pay-bill").ticket("T1"));
    let talking = Usual::new(Purpose::new("pay-bill").intent("so"));
    let other_purpose = Usual::new(Purpose::new("pay-bills"));
    let source = |usual: &Usual, change: &dyn for<'a> Fn(Source<'a>) -> View| {
        change(usual.source(asked)).digest()
    };
    let mut all = vec![
        view(&plain).digest(),
        view(&call(json!({ "to": "CH94" }))).digest(),
        view(&call(json!({ "to": ["CH93"] }))).digest(),
        view(&call(json!({}))).digest(),
        view(&Call::new("bank.paid", json!({ "to": "CH93" })).unwrap()).digest(),
        view(&call(json!({ "to": "CH93" })).on(Resource::new("account", "main"))).digest(),
        View::of(&ticketed.source(asked)).digest(),
        View::of(&talking.source(asked)).digest(),
        View::of(&other_purpose.source(asked)).digest(),
        source(&usual, &|own| View::of(&Source { task: ("bills", 8), ..own })),
        source(&usual, &|own| View::of(&Source { task: ("bill", 7), ..own })),
        source(&usual, &|own| View::of(&Source { amended_by: &["bob"], ..own })),
    ];
    for rule in [&rule, &owned, &limited, &permit] {
        let rules = [rule.clone()];
        all.push(View::of(&Source { rules: &rules, ..usual.source(asked) }).digest());
    }
    for material in [("script", &digest), ("script", &other), ("schema", &digest)] {
        all.push(View::of(&Source { material: &[material], ..usual.source(asked) }).digest());
    }
    for party in [Assertion::agent("a"), Assertion::human("a"), Assertion::agent("b")] {
        let holder = attested(party);
        all.push(View::of(&Source { holder: &holder, ..usual.source(asked) }).digest());
        let parties = [holder];
        all.push(View::of(&Source { parties: &parties, ..usual.source(asked) }).digest());
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

/// attack 120: what a scope covers is shown, by example too
#[test]
fn a_scope_is_shown_item_by_item_with_calls_inside_and_outside() {
    let scope = Scope::tool("deploy.run")
        .arg("service", eq("web"))
        .arg("build", max(9))
        .and_tool("fs.read")
        .any_args();
    let items = capabilities(&scope);
    let view = view_of(Asked::Scope(&items, &scope));
    let text = view.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(text.starts_with("item 1 tool: \"deploy.run\"\n"), "{text}");
    assert!(lines.contains(&r#"item 1 argument service: {"eq":"web"}"#), "{text}");
    assert!(lines.contains(&r#"item 1 argument build: {"max":9}"#), "{text}");
    let of = |label: &str| -> Vec<&ViewLine> {
        view.lines().filter(|line| line.label() == label).collect()
    };
    let asks = |line: &ViewLine| Value::from_json(line.value()).unwrap();
    let covered = of("item 1 covers");
    assert_eq!(covered.len(), 2, "{text}");
    assert_ne!(covered[0].value(), covered[1].value());
    for line in covered {
        let call = asks(line);
        let args = call.as_object().unwrap().get("args").unwrap().as_object().unwrap();
        assert_eq!(args.get("service"), Some(&Value::from("web")), "{text}");
    }
    let outside = asks(of("item 1 does not cover")[0]);
    let args = outside.as_object().unwrap().get("args").unwrap().as_object().unwrap();
    let inside = args.get("service") == Some(&Value::from("web"))
        && args.len() == 2
        && args.get("build").and_then(Value::as_number).is_some_and(|own| own <= 9.into());
    assert!(!inside, "{text}");
    assert!(lines.contains(&"item 2 other arguments: any"), "{text}");
    assert!(lines.contains(&"item 2 does not cover: every call of the tool is covered"), "{text}");
}

/// A yes reaches no further: what is asked for another time, or for another place, is another question.
#[test]
fn a_scope_says_for_how_long_from_when_and_where_it_is_asked_for() {
    let starts = Timestamp::parse_rfc3339("2026-01-01T12:00:00Z").unwrap();
    let scope = Scope::tool("t").arg("a", eq(1)).ttl(Duration::from_secs(90)).starting(starts);
    let scope = scope.embedded_for("orders").embedded_for("a\nb");
    let lines = "for at most: 90s\nusable from: 2026-01-01T12:00:00Z\n\
                 also taken at: \"a\\nb\"\nalso taken at: \"orders\"\n";
    let text = view_of(Asked::Scope(&capabilities(&scope), &scope)).to_string();
    assert!(text.contains(lines), "{text}");
    let usual = Scope::tool("t").arg("a", eq(1));
    let text = view_of(Asked::Scope(&capabilities(&usual), &usual)).to_string();
    for label in ["for at most", "usable from", "also taken at"] {
        assert!(!text.contains(label), "{text}");
    }
}

#[test]
fn a_scope_of_one_call_or_of_none_says_so() {
    let only = Scope::tool("t").arg("a", eq(true));
    let text = view_of(Asked::Scope(&capabilities(&only), &only)).to_string();
    assert!(text.contains("item 1 covers: {\"args\":{\"a\":true}}\n"), "{text}");
    let none = Scope::tool("t").arg("a", eq(1).and(eq(2)));
    if none.check().is_ok() {
        let text = view_of(Asked::Scope(&capabilities(&none), &none)).to_string();
        assert!(text.contains("item 1 covers: no call\n"), "{text}");
    }
    let resource = Scope::tool("t").resource(eq("file"), prefix("/a")).and_tool("u").any_resource();
    let text = view_of(Asked::Scope(&capabilities(&resource), &resource)).to_string();
    assert!(text.contains("item 1 resource type: {\"eq\":\"file\"}\n"), "{text}");
    assert!(text.contains("item 2 resource: any, or none\n"), "{text}");
    let any_value = Scope::tool("t").arg("x: y", crate::scope::any());
    let text = view_of(Asked::Scope(&capabilities(&any_value), &any_value)).to_string();
    assert!(text.contains("item 1 argument \"x: y\": "), "{text}");
}

/// attack 160: the view of what was amended shows what was changed
#[test]
fn an_amended_call_shows_what_it_was() {
    let before = Call::new("bank.pay", json!({ "to": "CH93", "amount": 98, "note": "x" }))
        .unwrap()
        .on(Resource::new("account", "main"));
    let after =
        Call::new("bank.hold", json!({ "to": "CH93", "amount": 90, "urgent": true })).unwrap();
    let usual = Usual::new(Purpose::new("p"));
    let shown = |before: &Call, after: &Call| {
        let source = usual.source(Asked::Call(after));
        let view = View::of(&Source { before: Some(before), ..source });
        let lines = view.lines().filter(|line| line.label().starts_with("before"));
        lines.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        shown(&before, &after),
        [
            "before: tool: \"bank.pay\"",
            "before: argument amount: 98",
            "before: argument note: \"x\" [removed]",
            "before: argument urgent: not there",
            "before: resource: {\"id\":\"main\",\"type\":\"account\"}",
        ]
    );
    assert_eq!(shown(&after, &before).last().unwrap(), "before: resource: not there");
    assert_eq!(shown(&before, &before), ["before: the same call"]);
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|own| json!(own)),
        any::<i32>().prop_map(|own| json!(own)),
        "[a\"\\\\\n:\u{202e}\u{301}…é ]{0,8}".prop_map(|own| json!(own)),
        "[a-c]{430,460}".prop_map(|own| json!(own)),
        Just(json!(null)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|own| json!(own)),
            btree_map("[ab: ]{1,3}", inner, 0..3).prop_map(|own| json!(own)),
        ]
    })
}

fn calls() -> impl Strategy<Value = Call> {
    btree_map("[a-c\": \u{301}]{1,3}", values(), 0..3).prop_map(|args| call(json!(args)))
}

proptest! {
    /// attacks 110 and 167: of two calls, each is shown in another way, and never one as the other
    #[test]
    fn two_calls_never_have_one_view(one in calls(), two in calls()) {
        prop_assume!(one != two);
        prop_assert_ne!(view(&one).digest(), view(&two).digest());
    }

    #[test]
    fn every_line_is_one_visible_line(call in calls()) {
        let view = view(&call);
        let text = view.to_string();
        prop_assert!(text.ends_with('\n'));
        prop_assert_eq!(text.lines().count(), view.lines().len());
        prop_assert_eq!(text.split('\n').count(), view.lines().len() + 1);
        prop_assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)));
        prop_assert_eq!(super::View::of_lines(view.lines().cloned().collect()).digest(), view.digest());
    }
}
