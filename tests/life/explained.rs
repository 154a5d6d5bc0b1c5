//! What operators read of a denial: which condition, and in which way.

use std::time::Duration;

use hallpass::Resource;
use hallpass::policy::{ApprovalTerms, Moment, Per};
use hallpass::prelude::*;
use hallpass::scope::{
    any, any_of, below, contains, eq, glob, has_any, max, min, not, one_of, prefix, same_as, under,
};
use serde_json::json;

use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

fn told(denial: &Denial) -> String {
    denial.explain().to_string()
}

/// Readers of documents, and what a forbid keeps from them.
fn readers(forbid: Rule) -> World {
    let read = Rule::permit("read").tool("doc.read").any_args().any_resource();
    World::rules([read, forbid])
}

fn document(attrs: serde_json::Value) -> Call {
    let mut resource = Resource::new("doc", "1");
    for (name, value) in attrs.as_object().unwrap() {
        resource = resource.attr(name.clone(), value.clone());
    }
    Call::new("doc.read", json!({})).unwrap().on(resource)
}

/// Why reading is refused.
fn reading(world: &World, call: Call, context: &Context) -> String {
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let scope = Scope::tool("doc.read").any_args().any_resource();
    let grant = task.request(scope, context).unwrap();
    let denial = world.gate.authorize(grant.token(), &agent, call, context).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
    told(&denial)
}

#[test]
fn a_forbid_says_whether_it_holds_or_could_not_be_told_and_of_which_fact() {
    let secret = Rule::forbid("not-secret")
        .tool("doc.read")
        .resource_attr("level", one_of(["secret", "top"]))
        .when("posture", not(eq("managed")));
    let world = readers(secret);
    let (byod, unsaid) = (Context::new().with("posture", "byod"), Context::new());
    let bare = Call::new("doc.read", json!({})).unwrap();
    let five = [
        (document(json!({ "level": "secret" })), &byod),
        (document(json!({})), &byod),
        (bare, &byod),
        (document(json!({ "level": "secret" })), &unsaid),
        (document(json!({ "level": 7 })), &byod),
    ];
    let said = [
        "`not-secret` holds: `resource.attrs.level` is \"secret\", `when.posture` is \"byod\"",
        "`not-secret` could not be told, and so acts: `resource.attrs.level` is absent, where",
        "`resource.attrs.level` is absent, for the call has no resource, where",
        "`not-secret` could not be told, and so acts: `when.posture` is absent, where {\"not\"",
        "`resource.attrs.level` is of another kind: 7, where {\"one_of\":[\"secret\",\"top\"]}",
    ];
    for ((call, context), said) in five.into_iter().zip(said) {
        let found = reading(&world, call, context);
        assert!(found.contains(said), "{found}, expected {said}");
        assert!(found.ends_with("; decided by `not-secret`"), "{found}");
    }
}

/// Siblings of the five: texts that can't be judged, and what is compared with something that is not there.
#[test]
fn a_forbid_says_what_of_a_text_could_not_be_judged() {
    let call = |path: &str| Call::new("doc.read", json!({ "path": path })).unwrap();
    let long = format!("/data/{}", "x".repeat(5_000));
    for (forbid, call, said) in [
        (under("/keys"), call("/data/../keys"), "can't be told: the path has a segment `..`"),
        (under("/keys"), call("/data//keys"), "the path is spelled `/data/keys`"),
        (under("/keys"), call("keys"), "of it and the folder one is absolute, and one is not"),
        (glob("/keys/**"), call(&long), "it has 5006 bytes, and patterns are matched with at most"),
        (glob("/keys/*"), call("/keys/.."), "is \"/keys/..\", of which that can't be told, where"),
        (
            same_as("when.folder"),
            call("/data"),
            "`args.path` is \"/data\", to be compared with another part: `when.folder` is absent",
        ),
    ] {
        let world = readers(Rule::forbid("no").tool("doc.read").arg("path", forbid));
        let found = reading(&world, call, &here());
        assert!(found.contains("`no` could not be told, and so acts: "), "{found}");
        assert!(found.contains(said), "{found}, expected {said}");
    }
}

#[test]
fn a_forbid_without_conditions_says_so_and_of_many_rules_a_few_are_told() {
    let always = |n: usize| Rule::forbid(format!("no-{n}")).tool("doc.read").on([Moment::Call]);
    let read = Rule::permit("read").tool("doc.read").any_args().any_resource();
    let world = World::rules((0..7).map(always).chain([read]));
    let found = reading(&world, document(json!({})), &here());
    assert!(found.contains("`no-0` holds, for it has no condition; `no-1` holds"), "{found}");
    assert!(
        found.contains("; and 3 more; decided by `no-0`") && found.ends_with("`no-6`"),
        "{found}"
    );
}

#[test]
fn an_ask_says_why_people_have_to_agree_at_calls_and_at_requests() {
    let per_call = Rule::ask("big").tool("ping").arg("n", min(100));
    let per_call = per_call.approval(ApprovalTerms::per(Per::Call).confirm());
    let per_task = Rule::ask("all").tool("ping").when("risk", not(below(50)));
    let per_task = per_task.approval(ApprovalTerms::per(Per::Task).confirm());
    let world = World::rules([pings("p"), per_call, per_task]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let calm = Context::new().with("risk", 1);
    let denial = task.request(to_ping(), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    assert!(told(&denial).contains("`all` could not be told, and so acts: `when.risk` is absent"));
    let grant = task.request(to_ping(), &calm).unwrap();
    let call = Call::new("ping", json!({ "n": 100 })).unwrap();
    let denial = world.gate.authorize(grant.token(), &agent, call, &calm).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    let found = told(&denial);
    assert!(found.contains("`big` holds: `args.n` is 100; `big` asks the human whom"), "{found}");
    assert!(found.contains("acts for none; decided by `big`"), "{found}");
}

#[test]
fn a_forbid_on_a_whole_request_says_what_of_it_lies_where() {
    let forbid = Rule::forbid("low").tool("ping").arg("n", max(10)).when("env", eq("prod"));
    let of_none = Rule::forbid("of-none").tool("pong").resource_type(eq("file"));
    let pong = Rule::permit("pong").tool("pong").any_args().any_resource();
    let world = World::rules([pings("p"), pong, forbid, of_none]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let prod = Context::new().with("env", "prod");
    let denial = task.request(Scope::tool("ping").arg("n", max(5)), &prod).unwrap_err();
    assert_eq!(
        told(&denial),
        "forbidden (not_permitted): `agent-1` to hold `{\"args\":{\"n\":{\"max\":5}},\"tool\":\"ping\"}`: \
         `low` holds: `args.n` of all that is asked for lies in {\"max\":10}, `when.env` is \"prod\"; \
         decided by `low`"
    );
    let denial = task.request(Scope::tool("pong").any_args(), &prod).unwrap_err();
    let said =
        "`of-none` could not be told, and so acts: `resource.type` is absent, for what is asked";
    assert!(told(&denial).contains(said), "{}", told(&denial));
}

/// Of a rule that names tools by a pattern it is said which tool that was.
#[test]
fn a_forbid_of_tools_that_are_like_a_pattern_names_the_tool() {
    let forbid = |moment| Rule::forbid("drops").tool_like(glob("pi*")).on([moment]);
    let said = "`drops` holds: `what.tool` is `ping`; decided by";
    let at = |moment| {
        let world = World::rules([pings("p"), forbid(moment)]);
        let task = world.open(&world.agent("agent-1"));
        let asked = task.request(to_ping(), &here());
        let call = |grant: Grant| world.authorize(&grant, &ping()).unwrap_err();
        told(&asked.map_or_else(|denial| denial, call))
    };
    for moment in [Moment::Request, Moment::Call] {
        assert!(at(moment).contains(said), "{}", at(moment));
    }
}

#[test]
fn the_nearest_permit_has_the_fewest_unmet_conditions_and_all_are_listed() {
    let all = Rule::permit("a-three")
        .tool("ping")
        .arg("n", max(1))
        .when("env", eq("prod"))
        .when("risk", below(10));
    let two = Rule::permit("b-two").tool("ping").arg("n", max(5)).when("env", eq("prod"));
    let world = World::rules([all, two]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let denial = task.request(Scope::tool("ping").arg("n", max(9)), &here()).unwrap_err();
    let nearest = denial.nearest().unwrap();
    assert_eq!(nearest.rule(), "b-two");
    assert_eq!(
        nearest.obstacles().collect::<Vec<_>>(),
        [
            "`args.n`: what is asked for is not shown to lie within {\"max\":5}",
            "`when.env` is absent: expected {\"eq\":\"prod\"}",
        ]
    );
    assert!(nearest.example().is_some_and(|call| call.starts_with("{\"n\":")), "{nearest}");

    // The same of calls, what is not named included.
    let context = Context::new().with("env", "prod");
    let grant = task.request(Scope::tool("ping").arg("n", max(5)), &context).unwrap();
    let open = Rule::permit("c-open").tool("ping").arg("n", max(9)).when("risk", below(10));
    let mut stricter: Vec<Rule> = vec![open.on([Moment::Call])];
    stricter.push(Rule::permit("keep").tool("ping").arg("n", max(5)).on([Moment::Request]));
    world.broker.reload(&policy(stricter)).unwrap().finish();
    let call = Call::new("ping", json!({ "n": 5 })).unwrap();
    let denial = world.gate.authorize(grant.token(), &agent, call, &context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NoPermit);
    let nearest = denial.nearest().unwrap();
    assert_eq!(nearest.to_string(), "`c-open`: `when.risk` is absent: expected {\"below\":10}");
}

#[test]
fn a_permit_for_the_holder_is_nearer_than_one_for_others() {
    let others = Rule::permit("a-others").tool("ping").any_args().who_groups(has_any(["ops"]));
    let own = Rule::permit("b-own")
        .tool("ping")
        .any_args()
        .who_id(eq("agent-1"))
        .when("env", eq("prod"))
        .when("risk", below(10));
    let world = World::rules([others, own]);
    let agent = world.agent("agent-1");
    let denial = world.open(&agent).request(to_ping(), &here()).unwrap_err();
    let nearest = denial.nearest().unwrap();
    assert_eq!((nearest.rule(), nearest.obstacles().count()), ("b-own", 2));
    // Of a request for another, it is told for whom.
    let worker = world.agent("worker");
    let denial = world.open(&agent).request_for(&worker, to_ping(), &here()).unwrap_err();
    assert!(told(&denial).contains("`worker` to hold `"), "{}", told(&denial));
    assert!(denial.nearest().unwrap().to_string().contains("`who.groups`"));
}

#[test]
fn a_permit_that_is_silent_at_this_moment_says_how_it_would_speak() {
    let calls = pings("calls").on([Moment::Call]);
    let world = World::rules([calls]);
    let agent = world.agent("agent-1");
    let denial = world.open(&agent).request(to_ping(), &here()).unwrap_err();
    assert_eq!(
        denial.nearest().unwrap().to_string(),
        "`calls`: `on`: it speaks at [\"call\"], not at \"request\": add `on = [\"request\"]` \
         (here [\"request\", \"call\"])"
    );
}

#[test]
fn where_no_permit_speaks_of_delegating_it_is_said_what_to_add() {
    let world = World::rules([pings("p")]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let denial = task.delegate(&parent, &worker, to_ping(), &here()).unwrap_err();
    let told = told(&denial);
    assert!(told.contains("`planner` to delegate `"), "{told}");
    assert!(told.contains("not at \"delegate\": add `on = [\"delegate\"]`"), "{told}");
    // A permit that does, and does not cover this, is nearer.
    let hand_on = pings("hand-on").on([Moment::Delegate]).who_id(prefix("plan"));
    world.broker.reload(&policy([pings("p"), hand_on.when("env", eq("prod"))])).unwrap().finish();
    let denial = task.delegate(&parent, &worker, to_ping(), &here()).unwrap_err();
    let nearest = denial.nearest().unwrap().to_string();
    assert_eq!(nearest, "`hand-on`: `when.env` is absent: expected {\"eq\":\"prod\"}");
}

#[test]
fn a_child_wider_than_its_parent_is_told_of_the_argument_and_shown_a_call() {
    let everywhere = crate::world::EVERYWHERE;
    let world = World::rules([Rule::permit("p").tool("ping").any_args().on(everywhere)]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let scope = |n: i64| Scope::tool("ping").arg("n", max(n)).arg("to", prefix("a"));
    let parent = task.request(scope(5), &here()).unwrap();
    let delegate = |scope| task.delegate(&parent, &worker, scope, &here()).unwrap_err();

    let denial = delegate(scope(6));
    assert_eq!(denial.reason(), Reason::NotCovered);
    let wide = told(&denial);
    assert!(wide.contains(&format!("does not lie within the parent `{}`", parent.id())), "{wide}");
    assert!(wide.contains("`args.n`: what is asked for is not shown to lie within {\"max\":5}"));
    assert!(wide.contains("; it does not cover {\"n\":") && !wide.contains("`args.to`"), "{wide}");

    let more = told(&delegate(scope(5).arg("note", any())));
    assert!(more.contains("argument `note` is not named by it; it does not cover {"), "{more}");
    let open = told(&delegate(scope(5).other_args()));
    assert!(open.contains("leaves arguments or a resource open that it closes"), "{open}");
    let other = told(&delegate(Scope::tool("pong").any_args()));
    assert!(other.ends_with(": the parent does not name `pong`"), "{other}");
}

#[test]
fn an_expiry_says_which_limit_of_which_grant_was_reached() {
    let minute = Duration::from_secs(60);
    let everywhere = crate::world::EVERYWHERE;
    let rules = |ttl: u64| {
        [
            Rule::permit("own").tool("ping").any_args().ttl(seconds(ttl)).on(everywhere),
            Rule::permit("idle").tool("lies").any_args().idle(seconds(30)),
            Rule::permit("life").tool("lives").any_args().max_life(seconds(90)),
        ]
    };
    let world = World::with(policy(rules(120)), |builder| {
        builder.ceiling(10 * minute).default_ttl(5 * minute)
    });
    let agent = world.agent("agent-1");
    let why = |grant: &Grant, tool: &str| {
        let call = Call::new(tool, json!({})).unwrap();
        let denial = world.authorize(grant, &call).unwrap_err();
        assert_eq!(denial.reason(), Reason::Expired);
        told(&denial)
    };
    let scope = |tool: &str| Scope::tool(tool).any_args();

    let task = world.open(&agent);
    let own = task.request(scope("ping"), &here()).unwrap();
    let child = task.delegate(&own, &world.agent("worker"), scope("ping"), &here()).unwrap();
    let lies = task.request(scope("lies"), &here()).unwrap();
    let mut lives = task.request(scope("lives"), &here()).unwrap();
    world.pass(seconds(40));
    let idle = "reached its `idle` of 30s at 2026-01-01T00:00:30Z";
    assert!(why(&lies, "lies").ends_with(&format!("the grant `{}` {idle}", lies.id())));
    task.renew(&mut lives, &agent, &here()).unwrap();
    world.pass(seconds(50));
    let found = why(&lives, "lives");
    assert!(found.ends_with("reached its `max_life` of 90s at 2026-01-01T00:01:30Z"), "{found}");
    world.pass(seconds(30));
    for grant in [&own, &child] {
        // A child ends with its parent, whose limit it is.
        let found = why(grant, "ping");
        let said =
            format!("the grant `{}` reached its `ttl` of 2m at 2026-01-01T00:02:00Z", own.id());
        assert!(found.ends_with(&said), "{found}");
    }
    // Swept or not.
    world.broker.sweep(100);
    assert!(why(&own, "ping").ends_with("`ttl` of 2m at 2026-01-01T00:02:00Z"));
    let denial = task.request(to_ping(), &here()).map(|last| {
        world.pass(10 * minute);
        world.authorize(&last, &ping()).unwrap_err()
    });
    assert!(told(&denial.unwrap()).contains("reached its `ttl` of 2m"));
    let denial = task.request(to_ping(), &here()).unwrap_err();
    assert!(told(&denial).ends_with("the task reached its ceiling at 2026-01-01T00:10:00Z"));
}

/// What is explained is explained later, and of what was asked then.
#[test]
fn a_denial_is_explained_by_the_policy_that_denied() {
    let world = World::rules([pings("p"), Rule::forbid("never").tool("ping").on([Moment::Call])]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let denial = world.authorize(&grant, &ping()).unwrap_err();
    let copy = denial.clone();
    world.broker.reload(&policy([pings("p")])).unwrap().finish();
    task.complete();
    assert_eq!(
        told(&denial),
        "forbidden (not_permitted): `never` holds, for it has no condition; decided by `never`"
    );
    assert_eq!(denial, copy);
}

#[test]
fn what_is_out_of_scope_is_listed_whole_and_of_the_scope_that_comes_nearest() {
    let world = World::rules([Rule::permit("p").tool("ping").any_args()]);
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let scope = Scope::tool("ping").arg("a", max(1)).arg("b", max(1)).arg("c", max(1));
    let scope = scope.and_tool("ping").arg("a", max(5)).arg("b", any_of([eq("x"), contains("y")]));
    let grant = task.request(scope, &here()).unwrap();
    let call = Call::new("ping", json!({ "a": 9, "b": "z", "d": 1 })).unwrap();
    let denial = world.authorize(&grant, &call).unwrap_err();
    assert_eq!(
        told(&denial),
        "out_of_scope (out_of_scope): the grant: `args.a` is another value: 9 where {\"max\":5} is expected; \
         `args.b` is another value: \"z\" where {\"any\":[{\"contains\":\"y\"},{\"eq\":\"x\"}]} is expected; \
         argument `d` is not named by it"
    );
    let missing = Call::new("ping", json!({ "a": 1 })).unwrap();
    let denial = world.authorize(&grant, &missing).unwrap_err();
    assert!(told(&denial).contains("the grant: `args.b` is absent: expected"), "{}", told(&denial));
}
