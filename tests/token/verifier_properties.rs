//! What holds between a verifier, which knows only the token, and the gate that gave it.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::key::{KeyRing, SecretKey};
use hallpass::policy::ArgType;
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, ValueType, after, all_of, any, any_of, before, cidr, contains, each, eq, glob,
    has_any, json, len, max, not, of_type, one_of, optional, prefix, some, subset_of, suffix,
    under, weekly,
};
use hallpass::token::Verifier;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// 2026-01-01, a Thursday.
const START: i64 = 1_767_225_600_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

/// Texts that some kind or type reads: each thing in its one spelling, and in others.
const TEXTS: &[&str] = &[
    "",
    "a",
    "50%",
    "/a",
    "/a/",
    "/./a",
    "//a",
    "/a/b",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "..",
    "./a",
    "~a",
    "/ab",
    "a\\b",
    "/%61",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
    "a/..",
    "a\r",
    "11.0.0.1",
    "010.0.0.1",
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-02T09:00:00Z",
    "2026-01-02",
    "3",
    "3.0",
    "{\"n\":3}",
    "{\"n\":3,\"n\":4}",
    "\"/a\"",
    "https://a.test/",
    "https://a.test",
    "https://A.test/",
    "https://a.test./x",
    "https://a.test/x",
    "https://a.test:443/x",
    "https://a.test/x/../y",
    "https://u@a.test/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "file:///a",
];

fn constraints() -> impl Strategy<Value = Constraint> {
    let text = || select(TEXTS);
    let texts = || prop::collection::vec(select(TEXTS), 1..3);
    let short = || select(vec!["/", "/a", "/a/", "a", "b", "https://a.test", "%", "n"]);
    let leaf = prop_oneof![
        2 => Just(any()),
        4 => text().prop_map(eq),
        3 => texts().prop_map(one_of),
        1 => short().prop_map(prefix),
        1 => short().prop_map(suffix),
        1 => short().prop_map(contains),
        1 => select(vec!["*", "**", "/*", "/a/**", "?"]).prop_map(glob),
        1 => (0..20u64).prop_map(|most| len(..=most)),
        1 => texts().prop_map(subset_of),
        1 => texts().prop_map(has_any),
        4 => select(vec!["/", "/a", "/a/b", ".", "a"]).prop_map(under),
        1 => select(vec!["10.0.0.0/8", "10.0.0.1", "::1"]).prop_map(|own| cidr([own])),
        1 => (0..3i64).prop_map(|days| after(at(days * 86_400))),
        1 => (0..3i64).prop_map(|days| before(at(days * 86_400))),
        1 => select(vec!["thu", "fri"]).prop_map(|day| weekly(&[day], "00:00", "12:00", "+00:00")),
        2 => select(vec![ValueType::Text, ValueType::List, ValueType::Integer]).prop_map(of_type),
        1 => (2..5i64).prop_map(|most| json(max(most))),
        1 => select(vec!["/a", "/a/b"]).prop_map(|folder| json(under(folder))),
    ];
    #[cfg(feature = "url")]
    let leaf = prop_oneof![6 => leaf, 1 => urls()];
    leaf.prop_recursive(2, 6, 2, move |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            3 => inner.clone().prop_map(not),
            2 => inner.clone().prop_map(optional),
            1 => inner.clone().prop_map(some),
            1 => inner.clone().prop_map(each),
            2 => parts().prop_map(any_of),
            2 => parts().prop_map(all_of),
        ]
    })
    .prop_filter("can be meant", |constraint| constraint.check().is_ok())
}

#[cfg(feature = "url")]
fn urls() -> impl Strategy<Value = Constraint> {
    use hallpass::scope::{UrlPattern, url};
    let own = |host: u8| match host {
        0 => UrlPattern::any_host(),
        1 => UrlPattern::host("a.test"),
        2 => UrlPattern::host("127.0.0.1").scheme("http"),
        3 => UrlPattern::subdomain_of("test").path_under("/x"),
        _ => UrlPattern::host("a.test").path_glob("/*").port(443).port(8443),
    };
    (0..5u8).prop_map(move |host| url(own(host)))
}

fn capabilities() -> impl Strategy<Value = Scope> {
    let argument = || prop::option::weighted(0.8, constraints());
    (argument(), argument(), 0..4u8).prop_map(|(a, b, open)| {
        let scope = Scope::tool("t");
        if open == 3 {
            return scope.any_args();
        }
        let scope = a.into_iter().fold(scope, |scope, own| scope.arg("a", own));
        let scope = b.into_iter().fold(scope, |scope, own| scope.arg("b", own));
        if open > 0 { scope.other_args() } else { scope }
    })
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop::collection::vec(capabilities(), 1..3)
        .prop_map(|all| all.into_iter().fold(Scope::default(), Scope::and))
}

fn calls() -> impl Strategy<Value = Call> {
    let value = || {
        prop_oneof![
            1 => Just(None),
            8 => select(TEXTS).prop_map(|text| Some(json!(text))),
            2 => prop::collection::vec(select(TEXTS), 0..3).prop_map(|list| Some(json!(list))),
            1 => select(vec![json!(3), Value::Null, json!([["/a"]]), json!({ "n": 3 })]).prop_map(Some),
            // Longer than patterns are asked of.
            1 => select(vec!["a", "/a"]).prop_map(|text| Some(json!(text.repeat(4097)))),
        ]
    };
    (value(), value()).prop_map(|(a, b)| {
        let mut args = serde_json::Map::new();
        args.extend(a.map(|value| ("a".to_owned(), value)));
        args.extend(b.map(|value| ("b".to_owned(), value)));
        Call::new("t", Value::Object(args)).unwrap()
    })
}

fn types() -> impl Strategy<Value = Option<ArgType>> {
    match cfg!(feature = "url") {
        true => select(vec![
            None,
            Some(ArgType::Path),
            Some(ArgType::Url),
            Some(ArgType::Text),
            Some(ArgType::Number),
            Some(ArgType::Texts),
        ]),
        false => select(vec![None, Some(ArgType::Path)]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// P4, attacks 7, 50, 57: whatever a verifier allows, the gate that gave the token allows, whatever its
    /// catalogue says of the arguments; and so does the verifier of every token it was narrowed from.
    #[test]
    fn what_a_verifier_allows_the_gate_allows(
        types in (types(), types()), root in scopes(), blocks in prop::collection::vec(scopes(), 0..3),
        calls in prop::collection::vec(calls(), 24),
    ) {
        let secret = || SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        let verifier = Verifier::new(KeyRing::from_secret(secret()).audience_secret("search").unwrap(), "hallpass");
        let typed = [("a", types.0), ("b", types.1)].into_iter().fold(Tool::new("t"), |tool, (name, of)| {
            of.into_iter().fold(tool, |tool, of| tool.arg(name, of))
        });
        let rule = Rule::permit("all").any_tool().any_args().ttl(Duration::from_secs(100));
        let policy = Policy::builder().tool(typed).rule(rule).build().unwrap();
        let ring = KeyRing::from_secret(secret());
        let broker =
            Broker::builder(policy).keys(ring).clock(ManualClock::new(at(0))).build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        // Some pin a path or a URL to what is none: those are refused, and travel in no token.
        let Ok(grant) = task.request(root.embedded_for("search"), &Context::new()) else { return Ok(()) };
        let same = |token: &Token| Token::from_text(token.expose().to_owned());
        // One for the verifier and one for the gate, narrowed alike.
        let root = [grant.token_for("search").unwrap(), grant.token()].map(same);
        let chain = blocks.iter().fold(vec![root], |mut chain, block| {
            let next = chain.last().unwrap().each_ref().map(|own| own.attenuate(block, None).unwrap());
            chain.push(next);
            chain
        });
        for call in &calls {
            let verified = |token: &Token| verifier.verify(token, Some("agent-7"), call, at(0)).is_ok();
            let gated = |token: &Token| broker.gate().check(token, &agent, call, &Context::new()).is_ok();
            let mut ancestors = true;
            for (hop, [own, gates]) in chain.iter().enumerate() {
                let allowed = verified(own);
                prop_assert!(!allowed || gated(gates), "hop {}: {:?}", hop, call);
                prop_assert!(!allowed || ancestors, "hop {}: {:?}", hop, call);
                ancestors &= allowed;
            }
        }
    }
}
