//! What is kept in memory, and what is taken meanwhile: of each rule of a policy, and of each grant.

use std::fmt::Write;

use hallpass::audit::{Entry, Kept, Sink, SinkError, Tail};
use hallpass::prelude::*;
use hallpass::scope::{eq, max, min, one_of, under};

use crate::{HELD, MOST_HELD, agent, context};

const RULES: usize = 2000;
const GRANTS: usize = 1000;

/// What work leaves behind, and the most that it holds on its way, in bytes.
pub(crate) fn held<T>(work: impl FnOnce() -> T) -> (T, i64, i64) {
    let before = HELD.get();
    MOST_HELD.set(before);
    let done = work();
    (done, HELD.get() - before, MOST_HELD.get() - before)
}

/// The permits of workload W3, as text.
fn text() -> String {
    let mut text = "version = 1\n".to_owned();
    for i in 0..RULES {
        let tool = i % 64;
        let _ = write!(
            text,
            r#"
[[rule]]
id     = "p{i}"
effect = "permit"
who    = {{ groups = {{ has_any = ["g{i}"] }} }}
what   = {{ tool = "tool{tool}", args = {{ table = "tab{i}" }} }}
when   = {{ env = "prod", risk = {{ below = 50 }} }}
"#
        );
    }
    text
}

#[test]
fn a_policy_of_many_rules_keeps_little_of_each_and_takes_little_more_to_be_read() {
    let text = text();
    let (policy, kept, most) = held(|| Policy::from_toml(&text).unwrap());
    let of_each = |bytes: i64| bytes / RULES as i64;
    assert_eq!(policy.len(), RULES);
    assert!(
        of_each(kept) <= 420 && of_each(most) <= 700,
        "{} kept, {} at most",
        of_each(kept),
        of_each(most)
    );
}

/// Keeps nothing of the log.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        Ok(None)
    }

    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::now(batch.len()))
    }
}

/// What a grant keeps that shares its scope with no other.
fn kept_by_a_grant(scope: impl Fn(usize) -> Scope) -> i64 {
    let policy = Policy::builder().rule(Rule::permit("p").any_tool().any_args().any_resource());
    let broker = Broker::builder(policy.build().unwrap()).log(Nowhere).build().unwrap();
    let (agent, context) = (agent(&broker), context());
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let ask = |n: usize| drop(task.request(scope(n), &context).unwrap());
    (0..100).for_each(ask);
    let (_, kept, _) = held(|| (100..100 + GRANTS).for_each(ask));
    kept / GRANTS as i64
}

#[test]
fn a_grant_keeps_little_of_a_scope_of_its_own() {
    let one = kept_by_a_grant(|n| Scope::tool(&format!("t{n}")));
    let w1 = kept_by_a_grant(|n| {
        Scope::tool("db.query")
            .arg("table", one_of(["orders", "customers"]))
            .arg("limit", min(0).and(max(n as u64)))
            .arg("path", under("/data/reports"))
    });
    let three = kept_by_a_grant(|n| {
        let x = || eq(n as u64);
        Scope::tool("a").arg("x", x()).and_tool("b").arg("x", x()).and_tool("c")
    });
    assert!(one <= 600 && w1 <= 800 && three <= 1000, "{one}, {w1}, {three}");
}

/// What is given by many permits names each of them, and is found in time that grows with their number.
#[test]
fn a_request_covered_by_many_permits_is_given() {
    let rules = (0..5000).map(|n| Rule::permit(format!("p{n}")).tool("t"));
    let broker = Broker::new(Policy::builder().rules(rules).build().unwrap()).unwrap();
    let (agent, context) = (agent(&broker), context());
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    assert!(task.request(Scope::tool("t"), &context).is_ok());
}
