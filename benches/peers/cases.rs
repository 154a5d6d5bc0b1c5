//! The cases of each workload: asserted for a contender, then timed.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode};

use crate::workload::{OUTSIDE, QUERY, Query, Rules, table, tool};

/// W1. `check` takes the text of a credential and a call. The contender itself asserts that an expired credential and
/// a stranger are denied, and that `forged` fails by its signature.
pub(crate) fn credential(
    c: &mut Criterion,
    name: &str,
    text: &str,
    forged: &str,
    check: impl Fn(&str, &Query<'_>) -> bool,
) {
    assert!(check(text, &QUERY), "{name}");
    for (case, query) in &OUTSIDE {
        assert!(!check(text, query), "{name}: {case}");
    }
    assert!(!check(forged, &QUERY), "{name}: deny-sig");
    println!("W1/{name}/wire: {} bytes", text.len());
    let traversal = Query { path: "/data/reports/../../etc/passwd", ..QUERY };
    println!("W1/{name}/traversal: permitted = {}", check(text, &traversal));
    let deny_arg = OUTSIDE[0].1;
    for (case, text, query) in
        [("allow", text, QUERY), ("deny-arg", text, deny_arg), ("deny-sig", forged, QUERY)]
    {
        c.bench_function(&format!("W1/{name}/{case}"), |b| {
            b.iter(|| check(black_box(text), black_box(&query)));
        });
    }
}

/// W2: the same check on a credential narrowed `hops` times.
pub(crate) fn narrowed(
    c: &mut Criterion,
    name: &str,
    hops: i64,
    text: &str,
    forged: &str,
    check: impl Fn(&str, &Query<'_>) -> bool,
) {
    let denied = Query { limit: 950, ..QUERY };
    assert!(check(text, &QUERY), "{name}, {hops} hops");
    assert!(!check(text, &denied), "{name}, {hops} hops");
    assert!(!check(text, &Query { table: "customers", ..QUERY }), "{name}, {hops} hops");
    for (case, query) in &OUTSIDE {
        assert!(!check(text, query), "{name}, {hops} hops: {case}");
    }
    assert!(!check(forged, &QUERY), "{name}, {hops} hops: deny-sig");
    println!("W2/{name}/{hops}/wire: {} bytes", text.len());
    for (case, query) in [("allow", QUERY), ("deny", denied)] {
        c.bench_function(&format!("W2/{name}/{hops}/{case}"), |b| {
            b.iter(|| check(black_box(text), black_box(&query)));
        });
    }
}

/// What hop `i` leaves of the limit, and of the tables.
pub(crate) fn hop(i: i64) -> (i64, &'static [&'static str]) {
    (1000 - 100 * i, if i == 0 { &["orders", "customers"] } else { &["orders"] })
}

/// A question of W3, as values of the host.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) agent: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) table: &'a str,
    pub(crate) env: &'a str,
    pub(crate) risk: i64,
}

/// W3. What `decide` needs of a request that the engine consumes is built inside.
pub(crate) fn decision(
    c: &mut Criterion,
    name: &str,
    size: usize,
    mut decide: impl FnMut(&Request<'_>) -> bool,
) {
    let m = Rules::of(size).middle();
    let (agent, tool, table, other) = (format!("agent-{m}"), tool(m), table(m), tool(m + 1));
    let allow = Request { agent: &agent, tool: &tool, table: &table, env: "prod", risk: 20 };
    let deny = Request { env: "dev", ..allow };
    let first = Request { agent: "agent-0", tool: "tool0", table: "tab0", ..allow };
    let cases = [
        ("allow", allow, true),
        ("deny", deny, false),
        ("risk", Request { risk: 60, ..allow }, false),
        ("forbid0-low", first, true),
        ("forbid0-hit", Request { risk: 45, ..first }, false),
        ("table", Request { table: "tabx", ..allow }, false),
        ("tool", Request { tool: &other, ..allow }, false),
        ("group", Request { agent: "agent-x", ..allow }, false),
    ];
    for (case, request, expected) in cases {
        assert_eq!(decide(&request), expected, "{name}, {size} rules: {case}");
    }
    // What is linear in rules takes milliseconds: fewer samples of it.
    let mut group = c.benchmark_group(format!("W3/{name}/{size}"));
    if size >= 1000 {
        group.sample_size(20).sampling_mode(SamplingMode::Flat);
        group.measurement_time(Duration::from_millis(600));
    }
    for (case, request) in [("allow", allow), ("deny", deny)] {
        group.bench_function(case, |b| b.iter(|| decide(black_box(&request))));
    }
}

/// The text with the character at `at` changed to another of base64.
pub(crate) fn changed(text: &str, at: usize) -> String {
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}
