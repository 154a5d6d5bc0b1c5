//! What a call costs in instructions: the paths that `.ci/counts` runs under callgrind.
//!
//! Each path is made ready, run a few times for what is only ever done once, and then run [`TIMES`] times in
//! [`counted`], by whose name the counting starts and stops. The order of the paths is that of the table.
#![allow(clippy::print_stdout, reason = "a program")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

#[path = "../workload/mod.rs"]
mod workload;

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use hallpass::BrokerBuilder;
use hallpass::clock::{Clock, SystemClock};
use hallpass::identity::Identity;
use hallpass::key::{KeyRing, SecretKey};
use hallpass::policy::{ApprovalTerms, Decision, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{any, eq, has_any, max, one_of};
use hallpass::token::Verifier;
use hallpass::value::{Object, Value};
use hallpass::vault::{Secret, Secrets, Vault};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use workload::{
    OUTSIDE, QUERY, Query, Rules, context, member, query_scope, table, table_call, tool,
};

#[global_allocator]
static ALLOCATIONS: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How often each path is counted.
const TIMES: usize = 200;

fn main() {
    // Told first, to divide by.
    println!("times\t{TIMES}");
    token();
    for size in [10, 10_000] {
        decision(size);
    }
    gate();
    sealed();
    asking();
    granting();
    verifier();
}

/// Counts one path, after it has been run for what is done the first time alone.
fn path(name: &str, mut work: impl FnMut()) {
    (0..TIMES).for_each(|_| work());
    let region = Region::new(ALLOCATIONS);
    counted(&mut work);
    let taken = region.change();
    println!("{name}\t{}", (taken.allocations + taken.reallocations) / TIMES);
}

/// Where callgrind counts.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    for _ in 0..TIMES {
        work();
    }
}

fn one_rule() -> BrokerBuilder {
    let rule = Rule::permit("all").tool("db.query").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    Broker::builder(policy)
        .issuer("zsp-bench")
        .audience("tool-gateway")
        .default_ttl(Duration::from_secs(300))
}

/// W1 and W2: a token, as granted and narrowed eight times, and a call that its scope is asked about.
fn token() {
    let broker = one_rule().build().unwrap();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(query_scope(), &Context::new()).unwrap();
    let context = Context::new();
    let check = |token: &Token, query: &Query<'_>| {
        gate.check(black_box(token), &agent, &black_box(query).call(), &context).is_ok()
    };
    path("W1/allow", || assert!(check(grant.token(), &QUERY)));
    path("W1/deny-arg", || assert!(!check(grant.token(), &OUTSIDE[0].1)));
    let hop = |i: i64| {
        let tables: &[&str] = if i == 1 { &["orders"] } else { &["orders", "customers"] };
        Scope::tool("db.query")
            .arg("table", one_of(tables.iter().copied()))
            .arg("limit", max(1000 - 100 * i))
            .arg("path", any())
    };
    let narrowed = (1..=8).fold(Token::from_text(grant.token().expose().to_owned()), |token, i| {
        token.attenuate(&hop(i), None).unwrap()
    });
    path("W2/8/allow", || assert!(check(&narrowed, &QUERY)));
    let denied = Query { limit: 950, ..QUERY };
    path("W2/8/deny", || assert!(!check(&narrowed, &denied)));
}

/// W3: the rules alone.
fn decision(size: usize) {
    let rules = Rules::of(size);
    let policy = rules.policy();
    let broker = Broker::new(policy.clone()).unwrap();
    let why = Purpose::new("reporting");
    let now = SystemClock::new().read().unwrap().wall;
    let m = rules.middle();
    let agent = member(&broker, m);
    let call = table_call(&tool(m), &table(m));
    let decide = |context: &Context| {
        policy
            .decide(black_box(&agent), &why, black_box(&call), black_box(context), now)
            .as_ref()
            .is_ok_and(Decision::is_permit)
    };
    let (prod, dev) = (context("prod", 20), context("dev", 20));
    path(&format!("W3/{size}/allow"), || assert!(decide(&prod)));
    path(&format!("W3/{size}/deny"), || assert!(!decide(&dev)));
}

/// W4: the whole gate under the rules of W3, with the log in memory.
fn gate() {
    let rules = Rules::of(100);
    let broker = Broker::new(rules.policy()).unwrap();
    let m = rules.middle();
    let (tool, table) = (tool(m), table(m));
    let agent = member(&broker, m);
    let (prod, dev) = (context("prod", 20), context("dev", 20));
    let gate = broker.gate();
    let new = || {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(Scope::tool(&tool).arg("table", eq(&*table)), &prod).unwrap();
        (task, grant)
    };
    let authorize = |(_, grant): &(Task, Grant), context: &Context| {
        let call = table_call(black_box(&tool), black_box(&table));
        gate.authorize(black_box(grant.token()), &agent, call, context)
    };
    let task = new();
    path("W4/permit+run+outcome", || {
        authorize(&task, &prod).unwrap().run(|_| Ok::<_, ()>(())).unwrap();
    });
    // Ten equal denials stand in full in the log, and those after them are counted.
    let tasks: Vec<_> = (0..2 * TIMES / 10).map(|_| new()).collect();
    let mut of = tasks.iter().flat_map(|own| [own; 10]);
    path("W4/denied", || assert!(authorize(of.next().unwrap(), &dev).is_err()));
    path("W4/denied-again", || assert!(authorize(&task, &dev).is_err()));
}

/// A call that is run: of a tool without a credential where there is a vault, and of one that runs with a sealed secret.
fn sealed() {
    let policy = r#"version = 1
        tool = [{ name = "echo" }, { name = "keyed", credential = "key" }]
        rule = [{ id = "p", effect = "permit", what = { tool = "any", args = "any" } }]"#;
    let vault = Vault::new().unwrap();
    vault.seal("key", Secret::new("postgres://orders:fD3kW9sLq2@db/orders").unwrap()).unwrap();
    let broker = Broker::builder(Policy::from_toml(policy).unwrap()).vault(&vault).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let (gate, context) = (broker.gate(), Context::new());
    for (name, tool) in [("W4/unsealed-none", "echo"), ("W4/unsealed", "keyed")] {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(Scope::tool(tool).any_args(), &context).unwrap();
        path(name, || {
            let call = Call::new(black_box(tool), Object::new()).unwrap();
            let permit = gate.authorize(black_box(grant.token()), &agent, call, &context).unwrap();
            let length = |secrets: &Secrets| secrets.get("key").map_or(0, |own| own.expose().len());
            permit.run_with(|_, secrets| Ok::<_, ()>(black_box(length(secrets)))).unwrap();
        });
    }
}

/// A call of W4 that an ask withholds: until its question is parked, one in sixteen of a task.
fn asking() {
    let rules = Rules::of(100);
    let m = rules.middle();
    let (tool, table) = (tool(m), table(m));
    let terms = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["owners"])));
    let rules = [
        Rule::permit("all").tool(&tool).arg("table", eq(&*table)).arg("limit", any()),
        Rule::ask("four-eyes").tool(&tool).approval(terms),
    ];
    let policy = Policy::builder().rules(rules).build().unwrap();
    let broker = Broker::builder(policy).max_questions(16, 4 * TIMES).build().unwrap();
    let (agent, gate, prod) = (member(&broker, m), broker.gate(), context("prod", 20));
    let new = || {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let scope = Scope::tool(&tool).arg("table", eq(&*table)).arg("limit", any());
        let grant = task.request(scope, &prod).unwrap();
        (task, grant)
    };
    let tasks: Vec<_> = (0..2 * TIMES / 16 + 1).map(|_| new()).collect();
    let mut of = tasks.iter().flat_map(|own| [own; 16]).zip(0_i64..);
    path("W4/asked", || {
        let ((_, grant), limit) = of.next().unwrap();
        let args = [("limit", Value::from(limit)), ("table", Value::from(&*table))];
        let call = Call::new(black_box(&tool), Object::from_pairs(args).unwrap()).unwrap();
        let denial = gate.authorize(black_box(grant.token()), &agent, call, &prod).unwrap_err();
        assert!(denial.pending().is_some());
    });
}

/// Opening a task and asking for its grant; delegating a part of one.
fn granting() {
    let broker = one_rule().build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let context = Context::new();
    path("open+request", || {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        drop(black_box(task.request(query_scope(), &context).unwrap()));
    });
    let rule = Rule::permit("all")
        .tool("db.query")
        .any_args()
        .on([Moment::Request, Moment::Call, Moment::Delegate])
        .depth(1);
    let policy = Policy::builder().rule(rule).build().unwrap();
    let broker = Broker::builder(policy).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let helper = broker.assert_identity("agent-8").unwrap();
    path("open+request+delegate", || {
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(query_scope(), &context).unwrap();
        delegated(&task, &grant, &helper, &context);
    });
}

fn delegated(task: &Task, grant: &Grant, helper: &Identity, context: &Context) {
    drop(black_box(task.delegate(grant, helper, query_scope(), context).unwrap()));
}

/// A verifier, and the scope in the token.
fn verifier() {
    let ring =
        || KeyRing::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap());
    let verifier = Verifier::new(ring().audience_secret("search").unwrap(), "zsp-bench");
    let broker = one_rule().keys(ring()).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(query_scope().embedded_for("search"), &Context::new()).unwrap();
    let wire = grant.token_for("search").unwrap();
    let clock = SystemClock::new();
    let verify = |query: &Query<'_>| {
        let now = clock.read().unwrap().wall;
        verifier.verify(black_box(wire), Some("agent-7"), &query.call(), now).is_ok()
    };
    path("verify/allow", || assert!(verify(&QUERY)));
    path("verify/deny-arg", || assert!(!verify(&OUTSIDE[0].1)));
}
