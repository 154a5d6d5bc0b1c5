//! When to come back: of limits that free by themselves.

use hallpass::prelude::*;
use hallpass::scope::any;
use serde_json::json;

use crate::world::{World, here, ping, ping_with, pings, seconds, to_ping};

#[test]
fn a_rate_says_when_it_frees_and_spent_uses_say_nothing() {
    let search = Rule::permit("search").tool("web.search").any_args().rate(1, seconds(60));
    let export = Rule::permit("export").tool("data.export").any_args().uses(1);
    let world = World::rules([search, export]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = |tool: &str| task.request(Scope::tool(tool).any_args(), &here()).unwrap();
    let call = |tool: &str| Call::new(tool, json!({})).unwrap();
    let (rated, used) = (grant("web.search"), grant("data.export"));
    world.call(&rated, &call("web.search")).unwrap();
    world.call(&used, &call("data.export")).unwrap();

    let denial = world.authorize(&rated, &call("web.search")).unwrap_err();
    assert_eq!((denial.code(), denial.reason()), (Code::LimitReached, Reason::RateExceeded));
    assert_eq!(denial.retry_after(), Some(seconds(60)));
    assert!(denial.explain().to_string().ends_with("; free again in 1m"), "{}", denial.explain());
    let never = world.authorize(&used, &call("data.export")).unwrap_err();
    assert_eq!((never.code(), never.reason()), (Code::LimitReached, Reason::UsesSpent));
    assert_eq!(never.retry_after(), None);

    // What is said is what comes: a millisecond before, still not.
    world.pass(seconds(59));
    world.pass(std::time::Duration::from_millis(999));
    let denial = world.authorize(&rated, &call("web.search")).unwrap_err();
    assert_eq!(denial.retry_after(), Some(std::time::Duration::from_millis(1)));
    world.pass(denial.retry_after().unwrap());
    world.call(&rated, &call("web.search")).unwrap();
}

/// Of several limits the one that frees last counts, and one that never does is told alone.
#[test]
fn nobody_is_told_to_come_back_too_early_or_for_nothing() {
    let fast = pings("fast").rate(1, seconds(1));
    let slow = pings("slow").rate(2, seconds(60));
    let few = Rule::permit("few").tool("pong").any_args().uses(1).rate(1, seconds(60));
    let sum = Rule::permit("sum").tool("pay").arg("n", any()).budget("args.n", 5);
    let sum = sum.rate(1, seconds(60));
    let world = World::rules([fast, slow, few, sum]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.authorize(&grant, &ping()).unwrap_err().retry_after(), Some(seconds(1)));
    world.pass(seconds(10));
    world.call(&grant, &ping()).unwrap();
    let denial = world.authorize(&grant, &ping()).unwrap_err();
    assert_eq!(denial.retry_after(), Some(seconds(50)), "of both rates, the one that frees last");
    assert_eq!(denial.rules().collect::<Vec<_>>(), ["slow"]);
    let dry = world.gate.check(grant.token(), &agent, &ping(), &here()).unwrap_err();
    assert_eq!(dry.retry_after(), denial.retry_after(), "a dry run says the same");

    let pong = Call::new("pong", json!({})).unwrap();
    let few = task.request(Scope::tool("pong").any_args(), &here()).unwrap();
    world.call(&few, &pong).unwrap();
    let denial = world.authorize(&few, &pong).unwrap_err();
    assert_eq!((denial.reason(), denial.retry_after()), (Reason::UsesSpent, None));
    let pay = Call::new("pay", json!({ "n": 5 })).unwrap();
    let sum = task.request(Scope::tool("pay").arg("n", any()), &here()).unwrap();
    world.call(&sum, &pay).unwrap();
    let denial = world.authorize(&sum, &pay).unwrap_err();
    assert_eq!((denial.reason(), denial.retry_after()), (Reason::BudgetSpent, None));
}

/// A counter that spans tasks says the same in each of them; and what denies for another reason says nothing.
#[test]
fn a_rate_of_an_identity_frees_in_all_its_tasks_at_once() {
    let world = World::rules([pings("p").rate(1, seconds(60)).per_identity()]);
    let agent = world.agent("agent-1");
    let (one, other) = (world.open(&agent), world.open(&agent));
    let grants = [&one, &other].map(|task| task.request(to_ping(), &here()).unwrap());
    world.call(&grants[0], &ping()).unwrap();
    world.pass(seconds(20));
    for grant in &grants {
        let denial = world.authorize(grant, &ping()).unwrap_err();
        assert_eq!(denial.retry_after(), Some(seconds(40)));
    }
    let outside = world.authorize(&grants[0], &Call::new("pong", json!({})).unwrap()).unwrap_err();
    assert_eq!(outside.retry_after(), None);
    one.complete();
    let over = world.authorize(&grants[0], &ping_with(json!({}))).unwrap_err();
    assert_eq!((over.reason(), over.retry_after()), (Reason::TaskOver, None));
}
