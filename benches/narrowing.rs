//! W2: the check of W1 on a token narrowed one, three and eight times by its holders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::hint::black_box;
use std::time::Duration;

use hallpass::clock::{Clock, SystemClock};
use hallpass::prelude::*;
use hallpass::scope::{any, max, one_of};
use workload::{OUTSIDE, QUERY, Query, floor, forged, query_scope};

fn main() {
    let mut c = workload::criterion();
    floor(&mut c);
    let rule = Rule::permit("all").tool("db.query").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let builder = Broker::builder(policy).issuer("zsp-bench").audience("tool-gateway");
    let broker = builder.default_ttl(Duration::from_secs(300)).build().unwrap();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(query_scope(), &Context::new()).unwrap();
    let context = Context::new();
    let check = |token: &Token, query: &Query<'_>| {
        gate.check(token, &agent, &query.call(), &context).is_ok()
    };
    c.bench_function("W2/hallpass/0/allow", |b| b.iter(|| check(black_box(grant.token()), &QUERY)));
    for hops in [1, 3, 8] {
        let token = narrowed(grant.token(), hops);
        assert!(check(&token, &QUERY));
        let denied = Query { limit: 950, ..QUERY };
        let customers = Query { table: "customers", ..QUERY };
        assert!(!check(&token, &denied) && !check(&token, &customers), "{hops} hops");
        for (case, query) in &OUTSIDE {
            assert!(!check(&token, query), "{case} after {hops} hops");
        }
        assert!(!check(&forged(token.expose()), &QUERY));
        c.bench_function(&format!("W2/hallpass/{hops}/allow"), |b| {
            b.iter(|| check(black_box(&token), black_box(&QUERY)));
        });
        c.bench_function(&format!("W2/hallpass/{hops}/deny"), |b| {
            b.iter(|| check(black_box(&token), black_box(&denied)));
        });
    }
    let scope = hop(1);
    c.bench_function("W2/hallpass/narrow-1", |b| {
        b.iter(|| black_box(grant.token()).attenuate(black_box(&scope), None).unwrap());
    });
    let call = QUERY.call();
    let clock = SystemClock::new();
    c.bench_function("W1/hallpass-call-bound/present", |b| {
        b.iter(|| grant.token().present(black_box(&call), clock.read().unwrap().wall).unwrap());
    });
    let presentation = grant.token().present(&call, clock.read().unwrap().wall).unwrap();
    c.bench_function("W1/hallpass-call-bound/allow", |b| {
        b.iter(|| gate.check(black_box(&presentation), &agent, &QUERY.call(), &context).is_ok());
    });
    c.final_summary();
}

/// Hop `i` lowers the limit; the first also drops `customers`.
fn hop(i: i64) -> Scope {
    let tables: &[&str] = if i == 1 { &["orders"] } else { &["orders", "customers"] };
    Scope::tool("db.query")
        .arg("table", one_of(tables.iter().copied()))
        .arg("limit", max(1000 - 100 * i))
        .arg("path", any())
}

fn narrowed(token: &Token, hops: i64) -> Token {
    (1..=hops).fold(Token::from_text(token.expose().to_owned()), |token, i| {
        token.attenuate(&hop(i), None).unwrap()
    })
}
