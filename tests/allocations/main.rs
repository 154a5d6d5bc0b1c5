//! What one permitting `authorize` allocates, counted: the same with ten rules and ten thousand,
//! with one task and a thousand, with one grant and a thousand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![allow(unsafe_code, reason = "an allocator that counts has to be one")]

mod bytes;
mod parked;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hallpass::clock::Timestamp;
use hallpass::identity::Identity;
use hallpass::prelude::*;
use hallpass::scope::{
    after, all_of, any_of, below, cidr, eq, has_any, max, min, not, one_of, prefix, under, weekly,
};
use serde_json::json;

/// Counts the allocations, growths included, of the thread that asks, and the bytes that it holds.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static MOST_HELD: Cell<i64> = const { Cell::new(0) };
}

/// What one thread takes and another gives back is counted for neither.
fn hold(bytes: i64) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = MOST_HELD.try_with(|most| most.set(most.get().max(held.get())));
    });
}

thread_local!(static COUNT: Cell<u64> = const { Cell::new(0) });

// SAFETY: everything is handed on to `System` as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        hold(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        hold(size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = COUNT.get();
    let done = work();
    (done, COUNT.get() - before)
}

/// The rules of workload W3: permits for one group and table each, and a forbid for every hundred.
fn policy(rules: usize) -> Policy {
    let permits = (0..rules).map(|i| {
        Rule::permit(format!("p{i}"))
            .who_groups(has_any([format!("g{i}")]))
            .tool(&format!("tool{}", i % 64))
            .arg("table", eq(format!("tab{i}")))
            .when("env", eq("prod"))
            .when("risk", below(50))
    });
    let forbids = (0..rules.div_ceil(100)).map(|j| {
        Rule::forbid(format!("f{j}"))
            .tool(&format!("tool{}", j % 64))
            .arg("table", eq(format!("tab{j}")))
            .when("risk", min(40))
    });
    Policy::builder().rules(permits).rules(forbids).build().unwrap()
}

fn agent(broker: &Broker) -> Identity {
    broker.assert_identity(Assertion::agent("agent-5").group("g5")).unwrap()
}

fn context() -> Context {
    Context::new().with("env", "prod").with("risk", 20)
}

fn call() -> Call {
    Call::new("tool5", json!({ "table": "tab5" })).unwrap()
}

fn scope() -> Scope {
    Scope::tool("tool5").arg("table", eq("tab5"))
}

/// The fewest allocations of a permitting `authorize`: the log in memory and other stores now and
/// then grow, which is not part of the call's own cost.
fn of_one_permit(rules: usize, tasks: usize, grants: usize) -> u64 {
    let broker = Broker::new(policy(rules)).unwrap();
    let (gate, agent, context) = (broker.gate(), agent(&broker), context());
    let others: Vec<Task> =
        (1..tasks).map(|_| broker.open(&agent, Purpose::new("other")).unwrap()).collect();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let held: Vec<Grant> = (0..grants).map(|_| task.request(scope(), &context).unwrap()).collect();
    let token = held.last().unwrap().token();
    let fewest = (0..20)
        .map(|_| {
            let call = call();
            let (permit, count) = counted(|| gate.authorize(token, &agent, call, &context));
            permit.unwrap().run(|_| Ok::<_, ()>(())).unwrap();
            count
        })
        .min();
    drop(others);
    fewest.unwrap()
}

/// The bytes of the arguments for their digest, the list of rules in the record, the record's text.
const ONE_PERMIT: u64 = 3;

/// attack 144
#[test]
fn a_permitted_call_allocates_as_often_with_ten_rules_as_with_ten_thousand() {
    assert_eq!(of_one_permit(10, 1, 1), ONE_PERMIT);
    assert_eq!(of_one_permit(10_000, 1, 1), ONE_PERMIT);
}

/// A block that is plain is asked where it lies, and as many as fit in a token as one.
#[test]
fn plain_attenuations_are_asked_without_allocating() {
    let broker = Broker::new(policy(10)).unwrap();
    let (gate, agent, context, call) = (broker.gate(), agent(&broker), context(), call());
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let grant = task.request(scope(), &context).unwrap();
    let check = |token: &Token| {
        // A thread keeps a token that it sees for the first time.
        assert!(gate.check(token, &agent, &call, &context).is_ok());
        let (permitted, count) = counted(|| gate.check(token, &agent, &call, &context));
        permitted.unwrap();
        count
    };
    let once = grant.token().attenuate(&scope(), None).unwrap();
    let thrice = (0..2).fold(once, |token, _| token.attenuate(&scope(), None).unwrap());
    assert_eq!(check(&thrice), check(grant.token()));
}

/// attack 144
#[test]
fn a_permitted_call_allocates_as_often_with_a_thousand_tasks_and_grants_as_with_one() {
    assert_eq!(of_one_permit(10, 1_000, 1), ONE_PERMIT);
    assert_eq!(of_one_permit(10, 1, 1_000), ONE_PERMIT);
}

#[test]
fn asking_the_rules_alone_allocates_nothing() {
    let policy = policy(1_000);
    let broker = Broker::new(policy.clone()).unwrap();
    let (agent, call, why) = (agent(&broker), call(), Purpose::new("reporting"));
    let now = hallpass::clock::Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let dev = Context::new().with("env", "dev").with("risk", 20);
    for (context, permitted) in [(context(), true), (dev, false)] {
        let (decision, count) =
            counted(|| policy.decide(&agent, &why, &call, &context, now).map(|d| d.is_permit()));
        assert_eq!(decision.unwrap(), permitted);
        assert_eq!(count, 0);
    }
}

#[test]
fn matching_a_scope_allocates_nothing_for_kinds_that_need_no_parsing() {
    let rule = Rule::permit("all").tool("db.query").any_args();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let (gate, agent) = (broker.gate(), agent(&broker));
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    let scope = Scope::tool("db.query")
        .arg("table", one_of(["orders", "customers"]))
        .arg("limit", min(0).and(max(1000)))
        .arg("path", any_of([eq("/data/reports"), prefix("/data/reports/")]));
    let scope = scope
        .arg("folder", under("/data").and(not(under("/data/secret"))))
        .arg("from", cidr(["10.0.0.0/8", "2001:db8::/32"]))
        .arg("at", all_of([after(Timestamp::MIN), weekly(&["thu"], "00:00", "24:00", "+00:00")]));
    let grant = task.request(scope, &Context::new()).unwrap();
    let args = json!({
        "table": "orders", "limit": 100, "path": "/data/reports/q3.csv", "folder": "/data/a b",
        "from": "::ffff:10.0.0.1", "at": "2026-01-01T10:00:00.5+00:30",
    });
    let call = Call::new("db.query", args).unwrap();
    let context = Context::new();
    // A thread keeps a token that it sees for the first time.
    assert!(gate.check(grant.token(), &agent, &call, &context).is_ok());
    let (dry, count) = counted(|| gate.check(grant.token(), &agent, &call, &context));
    assert_eq!(dry.unwrap().rules().len(), 1);
    assert_eq!(count, 0);
}
