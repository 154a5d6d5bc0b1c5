//! What questions take to find rules and to ask them, to the step.

use super::counted;
use super::prices::assert_prices;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::policy::{ApprovalTerms, Per};
use crate::prelude::*;
use crate::scope::{
    Constraint, after, all_of, before, cidr, contains, eq, glob, max, min, prefix, regex, suffix,
    under,
};

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

/// What a call, a request for it and one that is trimmed take under these rules and a permit of everything.
fn of_question((rules, args, scope): (String, &str, &str)) -> [u64; 3] {
    let text = format!(
        "version = 1\n[order]\nlevel = [\"a\", \"b\", \"c\"]\n[[rule]]\nid = \"all\"\neffect = \"permit\"\n\
         what = {{ tool = \"t\", args = \"any\" }}\n{rules}"
    );
    let broker = Broker::new(Policy::from_toml(&text).unwrap()).unwrap();
    let agent = broker.assert_identity(Assertion::agent("a").attr("team", "b")).unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let (gate, context) = (broker.gate(), Context::new().with("env", "dev"));
    let call = Call::from_json("t", args).unwrap();
    let called = task
        .request(Scope::tool("t").any_args(), &context)
        .map(|grant| counted(|| gate.check(grant.token(), &agent, &call, &context).is_ok()).0.0);
    let scope = Scope::from_json(&format!("[{{\"tool\":\"t\",\"args\":{scope}}}]")).unwrap();
    let (asked, trimmed) = (scope.clone(), scope);
    [
        called.unwrap_or_default(),
        counted(|| task.request(asked, &context).is_ok()).0.0,
        counted(|| task.request_trimmed(trimmed, &context).is_ok()).0.0,
    ]
}

/// Forty forbids that differ by a number.
fn forbids(constraint: impl Fn(usize) -> String) -> String {
    (0..40)
        .map(|n| {
            forbid(n, &format!("what = {{ tool = \"t\", args = {{ x = {} }} }}", constraint(n)))
        })
        .collect()
}

fn forbid(n: usize, says: &str) -> String {
    format!("[[rule]]\nid = \"f{n}\"\neffect = \"forbid\"\n{says}\n")
}

/// attack 189: finding rules is paid for as asking them is.
#[test]
fn finding_and_asking_rules_takes_the_same_steps_each_time() {
    let list: Vec<String> = (100..140).map(|n| n.to_string()).collect();
    let list = format!("{{\"x\":[{}]}}", list.join(","));
    let day = "{\"x\":\"2026-01-01T00:00:00Z\"}";
    let alone =
        |says: &str| forbid(0, &format!("what = {{ tool = \"t\", args = {{ x = {says} }} }}"));
    let compared = "what = { tool = \"t\", args = { x = { same_as = \"args.z\" }, y = { not = { same_as = \"args.x\" } } } }";
    let excepted = "what = { tool = \"t\" }\nunless = { what = { args = { x = { max = 9 } } } }";
    let by_name = |n| {
        forbid(
            n,
            &format!("what = {{ tool = \"t\" }}\nwhen = {{ k{n} = {{ eq = 1 }}, env = \"prod\" }}"),
        )
    };
    let by_argument =
        |n| forbid(n, &format!("what = {{ tool = \"t\", args = {{ a{n} = {{ eq = 1 }} }} }}"));
    let at_requests = "on = [\"request\"]\nwhat = { tool = \"t\", args = { x = { same_as = \"who.attrs.team\" } } }";
    let rows = vec![
        ("values", (forbids(|n| n.to_string()), "{\"x\":99}", "{\"x\":99}"), [1, 3, 6]),
        (
            "a list of one",
            (forbids(|n| n.to_string()), "{\"x\":[99]}", "{\"x\":{\"eq\":[99]}}"),
            [2, 4, 8],
        ),
        (
            "a list",
            (forbids(|n| n.to_string()), &list, "{\"x\":{\"one_of\":[97,98,99]}}"),
            [46, 5, 10],
        ),
        (
            "texts",
            (
                forbids(|n| format!("\"v{n}\"")),
                "{\"x\":\"a text that is none of them\"}",
                "{\"x\":\"w\"}",
            ),
            [1, 3, 6],
        ),
        (
            "bounds",
            (
                forbids(|n| format!("{{ min = {n}, max = {n} }}")),
                "{\"x\":99}",
                "{\"x\":{\"min\":50,\"max\":60}}",
            ),
            [1, 522, 1044],
        ),
        (
            "beginnings",
            (
                forbids(|n| format!("{{ prefix = \"/v{n}/\" }}")),
                "{\"x\":\"/w/a/b\"}",
                "{\"x\":{\"prefix\":\"/w/\"}}",
            ),
            [8, 642, 1284],
        ),
        (
            "folders",
            (
                forbids(|n| format!("{{ under = \"/v{n}\" }}")),
                "{\"x\":\"/w/a/b\"}",
                "{\"x\":{\"under\":\"/w\"}}",
            ),
            [9, 642, 1284],
        ),
        (
            "globs",
            (
                forbids(|n| format!("{{ glob = \"/v{n}/*\" }}")),
                "{\"x\":\"/w/a\"}",
                "{\"x\":{\"glob\":\"/w/*\"}}",
            ),
            [8, 762, 1524],
        ),
        (
            "addresses",
            (
                forbids(|n| format!("{{ cidr = \"10.{n}.0.0/16\" }}")),
                "{\"x\":\"192.0.2.1\"}",
                "{\"x\":\"192.0.2.1\"}",
            ),
            [15, 17, 34],
        ),
        (
            "instants",
            (forbids(|n| format!("{{ after = \"20{}-01-01T00:00:00Z\" }}", n + 40)), day, day),
            [24, 26, 52],
        ),
        (
            "levels",
            (alone("{ min = \"c\", order = \"level\" }"), "{\"x\":\"a\"}", "{\"x\":\"a\"}"),
            [2, 13, 26],
        ),
        (
            "levels of another part",
            (
                alone("{ above = { ref = \"who.attrs.team\" }, order = \"level\" }"),
                "{\"x\":\"a\"}",
                "{\"x\":\"a\"}",
            ),
            [3, 50, 100],
        ),
        (
            "comparisons",
            (
                forbid(0, compared),
                "{\"x\":\"b\",\"y\":\"b\",\"z\":\"c\"}",
                "{\"x\":\"b\",\"y\":\"b\",\"z\":\"c\"}",
            ),
            [2, 27, 54],
        ),
        (
            "exceptions",
            (forbid(0, excepted), "{\"x\":5}", "{\"x\":{\"min\":0,\"max\":5}}"),
            [1, 162, 324],
        ),
        (
            "attributes by name",
            ((0..40).map(by_name).collect(), "{\"x\":5}", "{\"x\":5}"),
            [120, 122, 244],
        ),
        (
            "arguments by name",
            ((0..40).map(by_argument).collect(), "{\"a1\":5,\"x\":5}", "{\"a1\":5,\"x\":5}"),
            [3, 4, 8],
        ),
        ("what may be a list", (forbid(0, at_requests), "{}", "{\"x\":\"c\"}"), [0, 29, 58]),
    ];
    assert_prices(rows, of_question);
}

/// What trimming a request takes under these permits, and explaining why it is not granted as it stands.
fn of_trimming((permits, args): (&[&str], &str)) -> [u64; 2] {
    let rules = permits.iter().enumerate().map(|(n, args)| {
        format!(
            "[[rule]]\nid = \"p{n}\"\neffect = \"permit\"\nwhat = {{ tool = \"t\", args = {args} }}\n"
        )
    });
    let text = format!("version = 1\n{}", rules.collect::<String>());
    let broker = Broker::new(Policy::from_toml(&text).unwrap()).unwrap();
    let agent = broker.assert_identity("a").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let (context, scope) = (Context::new(), format!("[{{\"tool\":\"t\",\"args\":{args}}}]"));
    let scope = Scope::from_json(&scope).unwrap();
    let denial = task.request(scope.clone(), &context).unwrap_err();
    [
        counted(|| task.request_trimmed(scope, &context).is_ok()).0.0,
        counted(|| denial.explain().to_string()).0.0,
    ]
}

/// attack 189: what is cut off a request is looked for with the same steps, and so is a call that shows why.
#[test]
fn trimming_takes_the_same_steps_each_time() {
    let rows = vec![
        ("one permit", (&["{ x = { max = 9 } }"][..], "{\"x\":{\"max\":20}}"), [593, 241]),
        (
            "two permits",
            (
                &["{ x = { max = 9 }, y = \"a\" }", "{ x = { min = 5 } }"][..],
                "{\"x\":{\"max\":20}}",
            ),
            [1176, 678],
        ),
        ("nothing of it", (&["{ x = { max = 9 } }"][..], "{\"x\":{\"min\":20}}"), [26, 241]),
    ];
    assert_prices(rows, of_trimming);
}

/// attack 190: rules that speak of something else of the same kind take next to nothing.
#[test]
fn honest_requests_next_to_forty_other_rules_are_granted() {
    type Other = fn(usize) -> Constraint;
    let day = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    let rows: [(&str, Other, Constraint); 14] = [
        ("folders", |n| under(&format!("/v{n}")), under("/w")),
        ("a folder in them", |n| under(&format!("/v{n}/a")), under("/v1/b")),
        ("relative folders", |n| under(&format!("v{n}")), under("w")),
        ("beginnings", |n| prefix(&format!("v{n}-")), prefix("w-")),
        ("beginnings of paths", |n| prefix(&format!("/v{n}/")), under("/w")),
        ("ends", |n| suffix(&format!(".v{n}")), suffix(".w")),
        ("parts", |n| contains(&format!("v{n}")), prefix("/w/")),
        ("globs", |n| glob(&format!("/v{n}/*.rs")), glob("/w/**")),
        ("patterns", |n| regex(&format!("v{n}-[a-z]+")), prefix("w-")),
        ("values", |n| eq(format!("v{n}")), prefix("w")),
        ("numbers", |n| min(n as i64 + 100), all_of([min(0), max(99)])),
        ("networks", |n| cidr([&*format!("10.{n}.0.0/16")]), cidr(["192.168.0.0/16"])),
        (
            "moments",
            |n| after(Timestamp::MAX.checked_sub(HOUR * n as u32).unwrap()),
            before(day("2026-01-01T00:00:00Z")),
        ),
        (
            "several",
            |n| all_of([prefix(&format!("/v{n}/")), suffix(".rs")]),
            all_of([prefix("/w/"), suffix(".rs")]),
        ),
    ];
    for (name, other, asked) in rows {
        let terms = || ApprovalTerms::per(Per::Task).confirm();
        let rule = |rule: Rule, n| rule.tool("t").arg("x", other(n));
        let forbids = || (0..40).map(|n| rule(Rule::forbid(format!("f{n}")), n));
        // People are asked about none of it where that is plain, too.
        let asks = || (0..40).map(|n| rule(Rule::ask(format!("a{n}")), n).approval(terms()));
        let permits = || (0..40).map(|n| rule(Rule::permit(format!("p{n}")), n));
        let kinds = [("forbids", forbids().collect::<Vec<_>>()), ("permits", permits().collect())];
        let is_plain = !["parts", "patterns", "values", "networks", "several"].contains(&name);
        let asks = is_plain.then(|| ("asks", asks().collect::<Vec<_>>()));
        for (kind, rules) in kinds.into_iter().chain(asks) {
            let all = Rule::permit("all").tool("t").any_args();
            let policy = Policy::builder().rules(rules).rule(all).build().unwrap();
            let broker = Broker::new(policy).unwrap();
            let agent = broker.assert_identity("a").unwrap();
            let task = broker.open(&agent, Purpose::new("errand")).unwrap();
            let scope = Scope::tool("t").arg("x", asked.clone());
            let ((taken, _), answer) = counted(|| task.request(scope, &Context::new()).map(drop));
            assert_eq!(answer.map_err(|denial| denial.reason()), Ok(()), "{name}, {kind}");
            assert!(taken < 8_000, "{name}, {kind}: {taken} steps");
        }
    }
}

/// attack 189: the parts of a URL, too.
#[cfg(feature = "url")]
#[test]
fn reading_urls_takes_the_same_steps_each_time() {
    let rows = vec![
        (
            "hosts",
            (
                forbids(|n| format!("{{ url = {{ host = \"h{n}.test\" }} }}")),
                "{\"x\":\"https://acme.test/\"}",
                "{\"x\":\"https://acme.test/\"}",
            ),
            [80, 3162, 6324],
        ),
        (
            "paths",
            (
                forbids(|n| {
                    format!("{{ url = {{ host = \"any\", path = {{ prefix = \"/v{n}/\" }} }} }}")
                }),
                "{\"x\":\"https://acme.test/w/\"}",
                "{\"x\":\"https://acme.test/w/\"}",
            ),
            [120, 3362, 6724],
        ),
    ];
    assert_prices(rows, of_question);
}
