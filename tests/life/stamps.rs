//! Which permits' limits are charged: those stamped on a grant, and those that decide without a stamp.

use hallpass::prelude::*;
use hallpass::scope::{any, eq, max, min, same_as};
use serde_json::json;

use crate::world::{World, here, ping, ping_with, pings, policy, to_ping};

fn in_env(env: &str) -> Context {
    Context::new().with("env", env)
}

/// What permits pings in production, and what permits them elsewhere.
fn by_env(elsewhere: Rule) -> World {
    let there = pings("there").when("env", eq("prod")).uses(20);
    World::rules([there, elsewhere.when("env", eq("dev"))])
}

#[test]
fn a_permit_that_decides_in_another_context_than_the_requests_holds_to_its_own_limits() {
    let world = by_env(pings("elsewhere").uses(1));
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &in_env("prod")).unwrap();
    let ask = |env| world.gate.authorize(grant.token(), &agent, ping(), &in_env(env));
    let why = |denial: Denial| (denial.reason(), denial.rules().map(String::from).collect());
    let spent = (Reason::UsesSpent, vec![String::from("elsewhere")]);

    // Given back like any other.
    drop(ask("dev").unwrap());
    ask("dev").unwrap().start().unwrap().succeed();
    assert_eq!(why(ask("dev").unwrap_err()), spent);
    let dry = world.gate.check(grant.token(), &agent, &ping(), &in_env("dev"));
    assert_eq!(why(dry.unwrap_err()), spent);
    // Each limits what it permits. Stamps are charged wherever the capability is used.
    for _ in 0..19 {
        ask("prod").unwrap().start().unwrap().succeed();
    }
    assert_eq!(ask("prod").unwrap_err().reason(), Reason::UsesSpent);

    // The counter is the task's, not the grant's.
    let other = task.request(to_ping(), &in_env("dev")).unwrap();
    let denial = world.gate.authorize(other.token(), &agent, ping(), &in_env("dev"));
    assert_eq!(why(denial.unwrap_err()), spent);
}

#[test]
fn a_permit_that_decides_unstamped_is_not_charged_beside_one_that_is_stamped() {
    let everywhere = pings("everywhere").uses(5);
    let world = World::rules([everywhere, pings("dev").when("env", eq("dev")).uses(1)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &in_env("prod")).unwrap();
    for _ in 0..5 {
        let permit = world.gate.authorize(grant.token(), &agent, ping(), &in_env("dev"));
        permit.unwrap().start().unwrap().succeed();
    }
}

#[test]
fn a_stamp_stands_for_its_rule_after_a_reload() {
    let low = || Rule::permit("low").tool("ping").arg("n", max(5)).uses(1);
    let rules = || [pings("everywhere").uses(5), low()];
    let world = World::rules(rules());
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let other = Rule::permit("other").tool("pong").any_args();
    world.broker.reload(&policy(rules().into_iter().chain([other]))).unwrap().finish();
    for _ in 0..5 {
        world.call(&grant, &ping_with(json!({ "n": 4 }))).unwrap();
    }
}

#[test]
fn a_stamp_on_another_capability_of_the_grant_does_not_stand_for_one_on_what_covers_the_call() {
    let low = Rule::permit("low").tool("ping").arg("n", max(5)).uses(1);
    let there = Rule::permit("there").tool("ping").arg("n", any()).when("env", eq("prod"));
    let world = World::rules([low, there]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let ping_where = |n| Scope::tool("ping").arg("n", n);
    let wanted = ping_where(max(3)).and(ping_where(min(4)));
    let grant = task.request(wanted, &in_env("prod")).unwrap();
    let ask = |n| {
        let call = ping_with(json!({ "n": n }));
        world.gate.authorize(grant.token(), &agent, call, &in_env("dev"))
    };
    // Covered by what only `there` gave, and decided by `low` alone.
    ask(4).unwrap().start().unwrap().succeed();
    for n in [3, 4] {
        assert_eq!(ask(n).unwrap_err().reason(), Reason::UsesSpent);
    }
}

#[test]
fn a_permit_that_decides_unstamped_and_counts_per_identity_counts_over_all_tasks() {
    let world = by_env(pings("elsewhere").uses(1).per_identity());
    let (agent, other) = (world.agent("a"), world.agent("b"));
    let call = |who: &Identity| {
        let task = world.open(who);
        let grant = task.request(to_ping(), &in_env("prod")).unwrap();
        let permit = world.gate.authorize(grant.token(), who, ping(), &in_env("dev"))?;
        permit.start().map(hallpass::Running::succeed)
    };
    call(&agent).unwrap();
    assert_eq!(call(&agent).unwrap_err().reason(), Reason::UsesSpent);
    call(&other).unwrap();
}

#[test]
fn a_stamp_that_counts_another_identity_does_not_stand_for_the_callers() {
    let lead = pings("lead").when("lead", same_as("who.id")).uses(1).per_identity();
    let world = World::rules([pings("there").who_id(eq("worker")).when("env", eq("prod")), lead]);
    let worker = world.agent("worker");
    // At the request it permits the planner, at the call the worker.
    let call = |planner: &str| {
        let task = world.open(&world.agent(planner));
        let asked_in = in_env("prod").with("lead", planner);
        let grant = task.request_for(&worker, to_ping(), &asked_in).unwrap();
        let now = Context::new().with("lead", "worker");
        let permit = world.gate.authorize(grant.token(), &worker, ping(), &now)?;
        permit.start().map(hallpass::Running::succeed)
    };
    call("first").unwrap();
    assert_eq!(call("second").unwrap_err().reason(), Reason::UsesSpent);
}
