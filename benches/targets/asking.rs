//! Asking people: what a question takes until it is parked, next to a call that is permitted, and what it keeps.

use std::hint::black_box;
use std::time::Duration;

use hallpass::identity::Identity;
use hallpass::policy::{ApprovalTerms, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{any, below, eq, has_any, min};
use hallpass::value::{Object, Value};

use crate::Table;
use crate::bytes::{Nowhere, held, start_counting};
use crate::measure::timed;
use crate::workload::{Rules, context, table as table_of, tool as tool_of};

/// As many questions as a task may have waiting, and an identity.
const OF_A_TASK: usize = 16;
const TASKS_OF_AN_AGENT: usize = 4;

pub(crate) fn time(table: &Table) {
    let rules = Rules::of(100);
    let [permitting, asking] = [false, true].map(|asks| policy(&rules, asks));
    let rounds = table.effort().in_turn([
        &mut |n| of_each(&permitting, n, |errand, n| drop(errand.authorize(n).unwrap())),
        &mut |n| of_each(&asking, n, |errand, n| drop(errand.authorize(n).unwrap_err())),
    ]);
    let name = "an ask until it is parked ÷ the whole gate, log in memory";
    table.row(name, rounds.ratio(1, 0), 3.0, "×");
    table.aside("an ask until it is parked", rounds.fastest(1), "ns");
}

/// What a parked question keeps beside its arguments.
pub(crate) fn bytes(table: &Table) {
    start_counting();
    let questions = table.size(1_000_000, 1600);
    let policy = policy(&Rules::of(100), true);
    let broker = Broker::builder(policy).log(Nowhere).build().unwrap();
    let errands = errands(&broker, questions / OF_A_TASK);
    let (_kept, arguments, _) = held(|| errands[0].call(0).args().clone());
    let ((), kept, _) = held(|| {
        for n in 0..questions {
            let denial = errands[n / OF_A_TASK].authorize(n as u64).unwrap_err();
            assert!(denial.pending().is_some(), "{}", denial.explain());
        }
        assert_eq!(broker.flush(), 0);
    });
    let of_each = kept as f64 / questions as f64 - arguments as f64;
    table.row("a parked question, beside its arguments", of_each, 600.0, "B");
}

/// Authorizes so many calls, a task for each few of them: opening the tasks, and what is dropped, does not count.
fn of_each(policy: &Policy, n: u64, work: impl Fn(&Errand, u64)) -> Duration {
    let broker = Broker::new(policy.clone()).unwrap();
    let tasks = (n as usize).div_ceil(OF_A_TASK) + 1;
    let errands = errands(&broker, tasks);
    let (first, rest) = errands.split_first().unwrap();
    (0..OF_A_TASK as u64).for_each(|n| work(first, n));
    timed(|| {
        for at in 0..n {
            work(&rest[at as usize / OF_A_TASK], at);
        }
    })
}

/// The rules of W3, of calls that have two arguments more; and an ask of all that they permit.
fn policy(rules: &Rules, asks: bool) -> Policy {
    let permits = (0..rules.permits).map(|i| {
        Rule::permit(format!("p{i}"))
            .who_groups(has_any([format!("g{i}")]))
            .tool(&tool_of(i))
            .arg("table", eq(table_of(i)))
            .arg("limit", any())
            .arg("path", any())
            .when("env", eq("prod"))
            .when("risk", below(50))
    });
    let forbids = (0..rules.forbids).map(|j| {
        Rule::forbid(format!("f{j}"))
            .tool(&tool_of(j))
            .arg("table", eq(table_of(j)))
            .when("risk", min(40))
    });
    let terms = ApprovalTerms::per(Per::Call).review(Reviewers::in_groups(has_any(["owners"])));
    let ask = Rule::ask("four-eyes").tool(&tool_of(rules.middle())).approval(terms);
    let policy = Policy::builder().rules(forbids).rules(permits);
    if asks { policy.rule(ask).build().unwrap() } else { policy.build().unwrap() }
}

struct Errand {
    gate: Gate,
    agent: Identity,
    grant: Grant,
    tool: String,
    table: String,
    _task: Task,
}

fn errands(broker: &Broker, tasks: usize) -> Vec<Errand> {
    let m = Rules::of(100).middle();
    let agents = tasks.div_ceil(TASKS_OF_AN_AGENT);
    let agents: Vec<Identity> = (0..agents)
        .map(|n| {
            let assertion = Assertion::agent(format!("agent-{n}")).group(format!("g{m}"));
            broker.assert_identity(assertion).unwrap()
        })
        .collect();
    let errand = |n: usize| {
        let agent = agents[n / TASKS_OF_AN_AGENT].clone();
        let (tool, table) = (tool_of(m), table_of(m));
        let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
        let scope = Scope::tool(&tool).arg("table", eq(&*table));
        let scope = scope.arg("limit", any()).arg("path", any());
        let grant = task.request(scope, &context("prod", 20)).unwrap();
        Errand { gate: broker.gate(), agent, grant, tool, table, _task: task }
    };
    (0..tasks).map(errand).collect()
}

impl Errand {
    /// The call of W4; its limit makes it another question each time.
    fn call(&self, limit: u64) -> Call {
        let args = [
            ("limit", Value::from(black_box(limit))),
            ("path", Value::from(black_box("/data/reports/q3.csv"))),
            ("table", Value::from(black_box(&*self.table))),
        ];
        Call::new(black_box(&*self.tool), Object::from_pairs(args).unwrap()).unwrap()
    }

    fn authorize(&self, limit: u64) -> Result<Permit, Denial> {
        let context = context(black_box("prod"), black_box(20));
        self.gate.authorize(black_box(self.grant.token()), &self.agent, self.call(limit), &context)
    }
}
