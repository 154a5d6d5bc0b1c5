//! Listing: an agent is shown no more tools than it may use.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{any, eq, max, min};
use serde_json::json;

use crate::world::{World, here, ping, ping_with, pings, policy, seconds, to_ping};

fn listed(world: &World, grant: &Grant, context: &Context) -> Vec<String> {
    let tools = world.gate.tools(grant.token(), grant.holder(), context).unwrap();
    tools.iter().map(ToString::to_string).collect()
}

fn to(tools: &[&str]) -> Scope {
    tools.iter().fold(Scope::default(), |scope, tool| scope.and_tool(tool).any_args())
}

#[test]
fn only_tools_of_the_grant_that_todays_rules_permit_are_listed() {
    let world = World::rules([
        Rule::permit("a").tools(["a", "b", "c"]).any_args(),
        Rule::permit("in-prod").tool("d").any_args().on([Moment::Request]),
        Rule::permit("d-in-prod").tool("d").any_args().when("env", eq("prod")).on([Moment::Call]),
    ]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to(&["d", "b", "a"]), &here()).unwrap();
    assert_eq!(listed(&world, &grant, &here()), ["a", "b"]);
    let prod = Context::new().with("env", "prod");
    assert_eq!(listed(&world, &grant, &prod), ["a", "b", "d"]);
    let records = world.log.len();
    listed(&world, &grant, &here());
    assert_eq!(world.log.len(), records);
}

#[test]
fn a_tool_that_is_forbidden_whatever_its_arguments_is_not_listed() {
    let world = World::rules([
        Rule::permit("all").tools(["a", "b"]).any_args(),
        Rule::forbid("some").tool("a").arg("n", min(5)).on([Moment::Call]),
        Rule::forbid("none").tool("b").on([Moment::Call]),
    ]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to(&["a", "b"]), &here()).unwrap();
    assert_eq!(listed(&world, &grant, &here()), ["a"]);
    let narrow = task.request(Scope::tool("a").arg("n", eq(7)), &here()).unwrap();
    assert_eq!(listed(&world, &narrow, &here()), [""; 0]);
}

#[test]
fn a_tool_whose_calls_are_spent_is_not_listed() {
    let world = World::rules([
        pings("p").uses(1),
        Rule::permit("q").tool("pong").any_args().rate(1, seconds(60)),
    ]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to(&["ping", "pong"]), &here()).unwrap();
    world.call(&grant, &hallpass::testing::call("pong", json!({}))).unwrap();
    assert_eq!(listed(&world, &grant, &here()), ["ping"]);
    let permit = world.authorize(&grant, &ping()).unwrap();
    assert_eq!(listed(&world, &grant, &here()), [""; 0]);
    // What a lapsed permit had reserved is there again.
    world.pass(seconds(30));
    assert_eq!(listed(&world, &grant, &here()), ["ping"]);
    world.gate.check(grant.token(), &agent, &ping(), &here()).unwrap();
    world.pass(seconds(30));
    assert_eq!(listed(&world, &grant, &here()), ["ping", "pong"]);
    drop(permit);
}

#[test]
fn a_child_sees_nothing_that_its_parents_cannot_call() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let parents = Rule::permit("parents").who_id(eq("planner")).tools(["a", "b"]).any_args();
    let childs = Rule::permit("childs").who_id(eq("worker")).tools(["a", "b"]).any_args();
    let world = World::rules([parents.on(everywhere).uses(1), childs]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to(&["a", "b"]), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to(&["a"]), &here()).unwrap();
    assert_eq!(listed(&world, &child, &here()), ["a"]);
    world.call(&parent, &hallpass::testing::call("b", json!({}))).unwrap();
    assert_eq!(listed(&world, &child, &here()), [""; 0]);
}

#[test]
fn what_is_not_listed_would_be_denied_for_any_arguments() {
    let world = World::rules([
        Rule::permit("small").tool("ping").arg("n", max(5)),
        Rule::permit("ask-wide").tool("ping").arg("n", any()).on([Moment::Request]),
    ]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    for (scope, shown) in [(max(9), true), (eq(6), false), (min(6), false), (min(5), true)] {
        let grant = task.request(Scope::tool("ping").arg("n", scope), &here()).unwrap();
        let passes = (0..12).any(|n| {
            let call = ping_with(json!({ "n": n }));
            world.gate.check(grant.token(), &agent, &call, &here()).is_ok()
        });
        assert_eq!((passes, !listed(&world, &grant, &here()).is_empty()), (shown, shown));
    }
}

#[test]
fn a_token_that_is_no_good_lists_nothing() {
    let world = World::rules([pings("p").ttl(seconds(60))]);
    let (agent, other) = (world.agent("a"), world.agent("b"));
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let why = |token: &Token, who| world.gate.tools(token, who, &here()).unwrap_err().reason();
    assert_eq!(why(grant.token(), &other), Reason::NotTheHolder);
    let old = Token::from_text(grant.token().expose().to_owned());
    task.renew(&mut grant, &agent, &here()).unwrap();
    assert_eq!(why(&old, &agent), Reason::Superseded);
    let _scan = world.broker.reload(&policy([pings("p"), Rule::forbid("f").tool("ping")])).unwrap();
    assert_eq!(why(grant.token(), &agent), Reason::Drifted);
    task.complete();
    assert_eq!(why(grant.token(), &agent), Reason::TaskOver);
}
