//! What could be asked for, before anything is granted.

use hallpass::Halt;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any, min};
use serde_json::json;

use crate::world::{World, here, seconds};

fn askable(world: &World, task: &Task, context: &Context) -> Vec<String> {
    let known = ["d", "c", "b", "a", "a", "no name"];
    let records = world.log.len();
    let tools = task.askable(known, context).unwrap();
    assert_eq!((world.log.len(), world.broker.standing().grants.len()), (records, 0));
    tools.iter().map(ToString::to_string).collect()
}

#[test]
fn tools_are_askable_that_the_rules_permit_at_request_and_at_call() {
    let world = World::rules([
        Rule::permit("a").tool("a").any_args(),
        Rule::permit("b").tool("b").any_args().on([Moment::Request]),
        Rule::permit("c").tool("c").any_args().on([Moment::Call]),
        Rule::permit("d").tool("d").any_args().when("env", eq("prod")),
    ]);
    let task = world.open(&world.agent("a"));
    assert_eq!(askable(&world, &task, &here()), ["a"]);
    assert_eq!(askable(&world, &task, &Context::new().with("env", "prod")), ["a", "d"]);
}

#[test]
fn what_is_forbidden_whatever_its_arguments_is_not_askable() {
    let world = World::rules([
        Rule::permit("all").tools(["a", "b", "c"]).any_args(),
        Rule::forbid("some").tool("a").arg("n", min(5)),
        Rule::forbid("at-request").tool("b").on([Moment::Request]),
        Rule::forbid("at-call").tool("c").on([Moment::Call]),
    ]);
    let task = world.open(&world.agent("a"));
    assert_eq!(askable(&world, &task, &here()), ["a"]);
}

#[test]
fn only_tools_of_the_catalogue_are_askable_and_history_and_halts_count() {
    let policy = Policy::builder()
        .tool(hallpass::policy::Tool::new("a").label("untrusted"))
        .tool(hallpass::policy::Tool::new("b"))
        .rule(Rule::permit("all").tools(["a", "b", "c"]).any_args())
        .rule(Rule::forbid("tainted").tool("b").seen(has_any(["untrusted"])))
        .build()
        .unwrap();
    let world = World::new(policy);
    let task = world.open(&world.agent("a"));
    assert_eq!(askable(&world, &task, &here()), ["a", "b"]);
    let grant = task.request(Scope::tool("a").any_args(), &here()).unwrap();
    world.call(&grant, &hallpass::testing::call("a", json!({}))).unwrap();
    let _ = task.revoke_grant(&grant);
    assert_eq!(askable(&world, &task, &here()), ["a"]);
    world.control.halt(Halt::tool("a").unwrap());
    assert_eq!(askable(&world, &task, &here()), [""; 0]);
}

#[test]
fn what_can_not_be_asked_at_all_is_denied() {
    let world = World::rules([Rule::permit("a").tool("a").any_args()]);
    let task = world.open(&world.agent("a"));
    let why =
        |context: &Context| task.askable(["a"], context).map(|_| ()).map_err(|own| own.reason());
    assert_eq!(why(&Context::new().with("", 1)), Err(Reason::MalformedContext));
    world.pass(seconds(3601));
    assert_eq!(why(&here()), Err(Reason::Expired));
}
