//! W3: what the rules say to one call, with 10 to 10,000 rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a bench")]

mod workload;

use std::collections::HashMap;
use std::hint::black_box;

use criterion::Criterion;
use hallpass::clock::{Clock, SystemClock};
use hallpass::policy::Decision;
use hallpass::prelude::*;
use workload::{Rules, context, floor, member, table, table_call, tool};

const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

fn main() {
    let mut c = workload::criterion();
    floor(&mut c);
    for size in SIZES {
        hallpass(&mut c, size);
    }
    for size in SIZES {
        hand_indexed(&mut c, size);
    }
    c.final_summary();
}

fn hallpass(c: &mut Criterion, size: usize) {
    let rules = Rules::of(size);
    let policy = rules.policy();
    let broker = Broker::new(policy.clone()).unwrap();
    let why = Purpose::new("reporting");
    let now = SystemClock::new().read().unwrap().wall;
    let decide = |who: &Identity, call: &Call, context: &Context| {
        policy.decide(who, &why, call, context, now).as_ref().is_ok_and(Decision::is_permit)
    };

    let m = rules.middle();
    let (first, agent) = (member(&broker, 0), member(&broker, m));
    let stranger = broker.assert_identity("agent-x").unwrap();
    let call = table_call(&tool(m), &table(m));
    let (prod, dev) = (context("prod", 20), context("dev", 20));

    assert!(decide(&agent, &call, &prod));
    assert!(!decide(&agent, &call, &dev));
    assert!(!decide(&agent, &call, &context("prod", 60)), "risk");
    assert!(decide(&first, &table_call("tool0", "tab0"), &prod), "forbid0-low");
    assert!(!decide(&first, &table_call("tool0", "tab0"), &context("prod", 45)), "forbid0-hit");
    assert!(!decide(&agent, &table_call(&tool(m), "tabx"), &prod), "table");
    assert!(!decide(&agent, &table_call(&tool(m + 1), &table(m)), &prod), "tool");
    assert!(!decide(&stranger, &call, &prod), "group");

    c.bench_function(&format!("W3/hallpass/{size}/allow"), |b| {
        b.iter(|| decide(black_box(&agent), black_box(&call), black_box(&prod)));
    });
    c.bench_function(&format!("W3/hallpass/{size}/deny"), |b| {
        b.iter(|| decide(black_box(&agent), black_box(&call), black_box(&dev)));
    });
}

/// The same rules by hand: nested maps from tool and table to what is left to compare.
struct Indexed {
    by_tool: HashMap<String, HashMap<String, Rest>>,
}

#[derive(Default)]
struct Rest {
    permits: Vec<(String, &'static str, i64)>,
    forbids: Vec<i64>,
}

struct Request<'a> {
    groups: &'a [String],
    tool: &'a str,
    table: &'a str,
    env: &'a str,
    risk: i64,
}

impl Indexed {
    fn new(rules: &Rules) -> Self {
        let mut by_tool: HashMap<String, HashMap<String, Rest>> = HashMap::new();
        let rest =
            |by_tool: &mut HashMap<String, HashMap<String, Rest>>, i, rule: &dyn Fn(&mut Rest)| {
                rule(by_tool.entry(tool(i)).or_default().entry(table(i)).or_default());
            };
        for i in 0..rules.permits {
            rest(&mut by_tool, i, &|rest| rest.permits.push((format!("g{i}"), "prod", 50)));
        }
        for j in 0..rules.forbids {
            rest(&mut by_tool, j, &|rest| rest.forbids.push(40));
        }
        Indexed { by_tool }
    }

    fn allows(&self, request: &Request<'_>) -> bool {
        let rest = self.by_tool.get(request.tool).and_then(|tables| tables.get(request.table));
        rest.is_some_and(|rest| {
            rest.forbids.iter().all(|at| request.risk < *at)
                && rest.permits.iter().any(|(group, env, below)| {
                    request.groups.contains(group) && request.env == *env && request.risk < *below
                })
        })
    }
}

fn hand_indexed(c: &mut Criterion, size: usize) {
    let rules = Rules::of(size);
    let indexed = Indexed::new(&rules);
    let m = rules.middle();
    let (tool, table, groups) = (tool(m), table(m), [format!("g{m}")]);
    let request = Request { groups: &groups, tool: &tool, table: &table, env: "prod", risk: 20 };
    let denied = Request { env: "dev", ..request };
    let first = Request { groups: &["g0".to_owned()], tool: "tool0", table: "tab0", ..request };

    assert!(indexed.allows(&request));
    assert!(!indexed.allows(&denied));
    assert!(!indexed.allows(&Request { risk: 60, ..request }), "risk");
    assert!(indexed.allows(&first), "forbid0-low");
    assert!(!indexed.allows(&Request { risk: 45, ..first }), "forbid0-hit");
    assert!(!indexed.allows(&Request { table: "tabx", ..request }), "table");
    assert!(!indexed.allows(&Request { tool: "toolx", ..request }), "tool");
    assert!(!indexed.allows(&Request { groups: &[], ..request }), "group");

    c.bench_function(&format!("W3/hand-indexed/{size}/allow"), |b| {
        b.iter(|| indexed.allows(black_box(&request)));
    });
    c.bench_function(&format!("W3/hand-indexed/{size}/deny"), |b| {
        b.iter(|| indexed.allows(black_box(&denied)));
    });
}
