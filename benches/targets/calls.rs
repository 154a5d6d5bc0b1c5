//! Tokens and decisions: W1, W2, W3, halts on others; opening a task and asking for its grant.

use std::hint::black_box;
use std::time::Duration;

use hallpass::clock::{Clock, SystemClock};
use hallpass::policy::Decision;
use hallpass::prelude::*;
use hallpass::scope::{any, max, one_of};
use hallpass::{BrokerBuilder, Halt};

use crate::Table;
use crate::measure::{leaving, whole};
use crate::workload::hand::Hand;
use crate::workload::{
    OUTSIDE, QUERY, Query, Rules, context, member, query_scope, table as table_of, table_call,
    tool as tool_of,
};

pub(crate) fn rows(table: &Table) {
    credential(table);
    narrowed(table);
    decision(table);
    opening(table);
    halted(table);
}

fn one_rule() -> BrokerBuilder {
    let rule = Rule::permit("all").tool("db.query").any_args();
    let policy = Policy::builder().rule(rule).build().unwrap();
    let builder = Broker::builder(policy).issuer("zsp-bench").audience("tool-gateway");
    builder.default_ttl(Duration::from_secs(300))
}

/// A gate under one rule that permits all, and a grant of the scope of W1.
struct Held {
    broker: Broker,
    gate: Gate,
    agent: Identity,
    grant: Grant,
    _task: Task,
}

impl Held {
    fn new() -> Self {
        let broker = one_rule().build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let task = broker.open_named("task-42", &agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(query_scope(), &Context::new()).unwrap();
        Held { gate: broker.gate(), broker, agent, grant, _task: task }
    }

    fn check(&self, token: &Token, query: &Query<'_>) -> bool {
        let call = black_box(query).call();
        self.gate.check(black_box(token), &self.agent, &call, &Context::new()).is_ok()
    }
}

fn credential(table: &Table) {
    let held = Held::new();
    let hand = Hand::new();
    let now = (SystemClock::new().read().unwrap().wall.unix_millis() / 1000) as u64;
    let by_hand = hand.mint(now, now + 3600);
    let check = |query: &Query<'_>| hand.check(black_box(&by_hand), "agent-7", black_box(query));
    assert!(held.check(held.grant.token(), &QUERY) && check(&QUERY).is_some());
    for (case, query) in &OUTSIDE {
        assert!(!held.check(held.grant.token(), query) && check(query).is_none(), "{case}");
    }
    let rounds = table.effort().in_turn([
        &mut whole(|| held.check(held.grant.token(), &QUERY)),
        &mut whole(|| check(&QUERY)),
    ]);
    table.row("W1 allow, call built inside, ÷ hand-ring-bin", rounds.ratio(0, 1), 1.35, "×");
    table.aside("W1 allow, call built inside", rounds.fastest(0), "ns");
    table.aside("hand-ring-bin", rounds.fastest(1), "ns");
}

fn narrowed(table: &Table) {
    let held = Held::new();
    let hop = |i: i64| {
        let tables: &[&str] = if i == 1 { &["orders"] } else { &["orders", "customers"] };
        Scope::tool("db.query")
            .arg("table", one_of(tables.iter().copied()))
            .arg("limit", max(1000 - 100 * i))
            .arg("path", any())
    };
    let token = Token::from_text(held.grant.token().expose().to_owned());
    let token = (1..=8).fold(token, |token, i| token.attenuate(&hop(i), None).unwrap());
    let denied = Query { limit: 950, ..QUERY };
    assert!(held.check(&token, &QUERY) && !held.check(&token, &denied));
    let rounds = table.effort().in_turn([
        &mut whole(|| held.check(&token, &QUERY)),
        &mut whole(|| held.check(&token, &denied)),
    ]);
    table.row("W2 deny, eight hops, ÷ allow", rounds.ratio(1, 0), 1.0, "×");
    table.aside("W2 allow, eight hops", rounds.fastest(0), "ns");
}

fn decision(table: &Table) {
    for size in [10, 10_000] {
        let rules = Rules::of(size);
        let policy = rules.policy();
        let broker = Broker::new(policy.clone()).unwrap();
        let why = Purpose::new("reporting");
        let now = SystemClock::new().read().unwrap().wall;
        let m = rules.middle();
        let (agent, tool, row) = (member(&broker, m), tool_of(m), table_of(m));
        let decide = |env| {
            let call = table_call(black_box(&tool), black_box(&row));
            let context = context(black_box(env), black_box(20));
            let decision = policy.decide(&agent, &why, &call, &context, now);
            decision.as_ref().is_ok_and(Decision::is_permit)
        };
        assert!(decide("prod") && !decide("dev"));
        let rounds = table.effort().in_turn([&mut whole(|| decide("prod"))]);
        let name = format!("W3 with {size} rules, call and context built inside");
        table.row(&name, rounds.fastest(0), 220.0, "ns");
    }
}

/// The scope is built inside, and the task ends outside.
fn opening(table: &Table) {
    let held = Held::new();
    let context = Context::new();
    let mut open = leaving(|| {
        let task = held.broker.open(&held.agent, Purpose::new("reporting")).unwrap();
        let grant = task.request(query_scope(), &context).unwrap();
        (task, grant)
    });
    let rounds = table.effort().in_turn([&mut open]);
    table.row("open and request", rounds.fastest(0) / 1000.0, 4.0, "µs");
}

fn halted(table: &Table) {
    let (free, halted) = (Held::new(), Held::new());
    let control = halted.broker.control();
    for n in 0..table.size(100_000, 1000) {
        control.halt(Halt::identity(&format!("other-{n}")).unwrap());
    }
    let check = |held: &Held| held.check(held.grant.token(), &QUERY);
    assert!(check(&free) && check(&halted));
    let rounds =
        table.effort().in_turn([&mut whole(|| check(&halted)), &mut whole(|| check(&free))]);
    table.row("a check with 100,000 halts on others, ÷ with none", rounds.ratio(0, 1), 1.05, "×");
}
