//! The workloads, said once: W1 (a credential and its scope), W3 (rules by the thousand), and the
//! floor that everything is compared with. `docs/performance.md` describes them.
#![allow(dead_code, reason = "each bench uses its part")]

pub(crate) mod hand;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use hallpass::prelude::*;
use hallpass::scope::{below, eq, has_any, max, min, one_of, under};
use hallpass::value::{Object, Value};
use ring::hmac;

/// Many short samples, so that some fall between whatever else a shared machine does.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(200)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(1200))
        .without_plots()
        .configure_from_args()
}

/// `F/ring-hmac-verify/256B`: what everything else is a multiple of.
pub(crate) fn floor(c: &mut Criterion) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let message = [0x5a; 256];
    let tag = hmac::sign(&key, &message);
    assert!(hmac::verify(&key, &message, tag.as_ref()).is_ok());
    c.bench_function("F/ring-hmac-verify/256B", |b| {
        b.iter(|| hmac::verify(&key, black_box(&message), black_box(tag.as_ref())).is_ok());
    });
}

/// The tool call of W1 as the host's own values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) tool: &'a str,
    pub(crate) table: &'a str,
    pub(crate) limit: i64,
    pub(crate) path: &'a str,
}

pub(crate) const QUERY: Query<'static> =
    Query { tool: "db.query", table: "orders", limit: 100, path: "/data/reports/q3.csv" };

/// Calls that the scope of W1 does not cover.
pub(crate) const OUTSIDE: [(&str, Query<'static>); 6] = [
    ("deny-arg", Query { limit: 5000, ..QUERY }),
    ("tool", Query { tool: "db.drop", ..QUERY }),
    ("table", Query { table: "salaries", ..QUERY }),
    ("limit<0", Query { limit: -1, ..QUERY }),
    ("path", Query { path: "/etc/passwd", ..QUERY }),
    ("path-sibling", Query { path: "/data/reports2/x.csv", ..QUERY }),
];

impl Query<'_> {
    pub(crate) fn call(&self) -> Call {
        let args = [
            ("limit", Value::from(self.limit)),
            ("path", Value::from(self.path)),
            ("table", Value::from(self.table)),
        ];
        Call::new(self.tool, Object::from_pairs(args).unwrap()).unwrap()
    }
}

/// The scope of the credential of W1.
pub(crate) fn query_scope() -> Scope {
    Scope::tool("db.query")
        .arg("table", one_of(["orders", "customers"]))
        .arg("limit", min(0).and(max(1000)))
        .arg("path", under("/data/reports"))
}

/// The text of a token with one character of its body changed, so that its signature is wrong.
pub(crate) fn forged(text: &str) -> Token {
    let dot = text.rfind('.').unwrap();
    let at = dot - 10;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    Token::from_text(format!("{}{other}{}", &text[..at], &text[at + 1..]))
}

/// The rules of W3.
pub(crate) struct Rules {
    pub(crate) permits: usize,
    pub(crate) forbids: usize,
}

impl Rules {
    pub(crate) fn of(count: usize) -> Self {
        let forbids = (count / 100).max(1);
        Rules { permits: count - forbids, forbids }
    }

    /// The permit that the timed request meets.
    pub(crate) fn middle(&self) -> usize {
        self.permits / 2
    }

    pub(crate) fn policy(&self) -> Policy {
        let permits = (0..self.permits).map(|i| {
            Rule::permit(format!("p{i}"))
                .who_groups(has_any([format!("g{i}")]))
                .tool(&tool(i))
                .arg("table", eq(table(i)))
                .when("env", eq("prod"))
                .when("risk", below(50))
        });
        let forbids = (0..self.forbids).map(|j| {
            Rule::forbid(format!("f{j}"))
                .tool(&tool(j))
                .arg("table", eq(table(j)))
                .when("risk", min(40))
        });
        Policy::builder().rules(forbids).rules(permits).build().unwrap()
    }
}

pub(crate) fn tool(i: usize) -> String {
    format!("tool{}", i % 64)
}

pub(crate) fn table(i: usize) -> String {
    format!("tab{i}")
}

pub(crate) fn member(broker: &Broker, i: usize) -> hallpass::identity::Identity {
    broker.assert_identity(Assertion::agent(format!("agent-{i}")).group(format!("g{i}"))).unwrap()
}

pub(crate) fn table_call(tool: &str, table: &str) -> Call {
    Call::new(tool, Object::from_pairs([("table", table)]).unwrap()).unwrap()
}

pub(crate) fn context(env: &str, risk: i64) -> Context {
    Context::new().with("env", env).with("risk", risk)
}
