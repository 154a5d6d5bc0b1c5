//! What delegation will stand on: a planner that asks for a worker, and counters and history that
//! belong to the task, not to the holder of the grant.
//!
//! Attenuation and delegation proper (50 to 60, 63, 65) come with a later issue; these are the parts
//! of 61, 62, 64 and 153 that a request for another holder already shows.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any, max, one_of};
use serde_json::json;

use crate::world::{MINUTE, World, broad, call, plain, policy};

fn worker(world: &World) -> Identity {
    world.broker.assert_identity("worker").unwrap()
}

/// attack 62: neither gets by the other what it would not get itself
#[test]
fn asking_for_another_gives_what_both_would_get() {
    let small = Rule::permit("small").tool("t").arg("x", max(10)).who_id(eq("agent-7"));
    let large = Rule::permit("large").tool("t").arg("x", max(99)).who_id(eq("worker"));
    let world = World::new([small, large]);
    let (task, worker) = (world.open(), worker(&world));
    let ask = |x: i64| {
        let scope = Scope::tool("t").arg("x", max(x));
        task.request_for(&worker, scope, &world.context)
    };
    assert_eq!(ask(99).map(drop).unwrap_err().reason(), Reason::NotCovered);
    assert_eq!(ask(11).map(drop).unwrap_err().reason(), Reason::NotCovered);
    let grant = ask(10).unwrap();
    assert_eq!(grant.rules().collect::<Vec<_>>(), ["large", "small"]);

    let theirs = world.broker.open(&worker, Purpose::new("test")).unwrap();
    let scope = Scope::tool("t").arg("x", max(99));
    let other_way = theirs.request_for(&world.agent, scope, &world.context);
    assert_eq!(other_way.map(drop).unwrap_err().reason(), Reason::NotCovered);

    // The one who asked cannot use what it asked for.
    let answer =
        world.gate.authorize(grant.token(), &world.agent, call(json!({ "x": 1 })), &world.context);
    assert_eq!(answer.map(drop).unwrap_err().reason(), Reason::NotTheHolder);
}

/// attack 62: a forbid of either denies for both, and is asked again at each call of the holder
#[test]
fn a_forbid_of_either_denies() {
    for forbidden in ["agent-7", "worker"] {
        let world = World::new([broad(), Rule::forbid("f").who_id(eq(forbidden))]);
        let (task, worker) = (world.open(), worker(&world));
        let answer = task.request_for(&worker, Scope::tool("t").any_args(), &world.context);
        assert_eq!(answer.map(drop).unwrap_err().reason(), Reason::Forbidden, "{forbidden}");
    }
    let world = World::new([broad()]);
    let (task, worker) = (world.open(), worker(&world));
    let grant = task.request_for(&worker, Scope::tool("t").any_args(), &world.context).unwrap();
    let forbid = || Rule::forbid("f").who_id(eq("worker"));
    for (rule, expected) in
        [(forbid().on([Moment::Call]), Reason::Forbidden), (forbid(), Reason::Drifted)]
    {
        world.broker.reload(&policy([broad(), rule])).unwrap();
        let answer = world.gate.authorize(grant.token(), &worker, plain(), &world.context);
        assert_eq!(answer.map(drop).unwrap_err().reason(), expected);
    }
}

/// attack 61, attack 64: a task's counters are shared by all who hold a grant of it, and asking for
/// oneself again, or under an alias, gains nothing
#[test]
fn what_holders_spend_they_spend_together() {
    let world = World::new([broad().uses(3).budget("args.x", 30).rate(3, MINUTE)]);
    let (task, worker) = (world.open(), worker(&world));
    let scope = || Scope::tool("t").any_args();
    let same = world.broker.assert_identity(Assertion::agent("me-too").alias("agent-7")).unwrap();
    let holders = [&world.agent, &worker, &same];
    let grants = holders.map(|holder| task.request_for(holder, scope(), &world.context).unwrap());
    let ten = || call(json!({ "x": 10 }));
    for (grant, holder) in grants.iter().zip(holders) {
        let permit = world.gate.authorize(grant.token(), holder, ten(), &world.context).unwrap();
        permit.run(|_| Ok::<_, ()>(())).unwrap();
    }
    for (grant, holder) in grants.iter().zip(holders) {
        let answer = world.gate.authorize(grant.token(), holder, ten(), &world.context);
        assert_eq!(answer.map(drop).unwrap_err().reason(), Reason::UsesSpent);
    }
    let more = task.request_for(&world.agent, scope(), &world.context).unwrap();
    assert_eq!(world.attempt(&more, ten()), Err(Reason::UsesSpent));
}

/// attack 153: labels that any holder has seen count for the whole task, and no new grant clears them
#[test]
fn what_a_worker_has_seen_taints_the_task() {
    let built = Policy::builder()
        .tool(Tool::new("web.read").label("untrusted-input"))
        .tool(Tool::new("mail.send").label("egress"))
        .rule(Rule::permit("all").tool_like(one_of(["web.read", "mail.send"])).any_args())
        .rule(
            Rule::forbid("tainted").labels(has_any(["egress"])).seen(has_any(["untrusted-input"])),
        )
        .build()
        .unwrap();
    let world = World::of(built, |builder| builder);
    let worker = worker(&world);
    let scope = |tool: &str| Scope::tool(tool).any_args();
    let of = |tool: &str| Call::new(tool, json!({})).unwrap();
    let task = world.open();
    let mail = task.request(scope("mail.send"), &world.context).unwrap();
    let web = task.request_for(&worker, scope("web.read"), &world.context).unwrap();
    assert_eq!(world.attempt(&mail, of("mail.send")), Ok(()));

    // Reading taints from the permit on, even if the tool never starts: doubt denies.
    let permit =
        world.gate.authorize(web.token(), &worker, of("web.read"), &world.context).unwrap();
    assert_eq!(world.attempt(&mail, of("mail.send")), Err(Reason::Forbidden));
    drop(permit);
    assert_eq!(world.attempt(&mail, of("mail.send")), Err(Reason::Forbidden));
    let again = task.request(scope("mail.send"), &world.context).map(drop);
    assert_eq!(again.unwrap_err().reason(), Reason::Forbidden);
    assert!(!task.revoke_grant(&web).is_empty());
    assert_eq!(world.attempt(&mail, of("mail.send")), Err(Reason::Forbidden));

    // Another task has a history of its own.
    let other = world.open();
    let clean = other.request(scope("mail.send"), &world.context).unwrap();
    assert_eq!(world.attempt(&clean, of("mail.send")), Ok(()));
}

/// attack 55, for what exists: a grant for another does not outlive the task it hangs from
#[test]
fn a_grant_for_another_ends_with_the_task() {
    let world = World::of(policy([broad().ttl(5 * MINUTE)]), |builder| builder.ceiling(MINUTE));
    let (task, worker) = (world.open(), worker(&world));
    let grant = task.request_for(&worker, Scope::tool("t").any_args(), &world.context).unwrap();
    assert_eq!(grant.expires(), task.ceiling());
    task.complete();
    let answer = world.gate.authorize(grant.token(), &worker, plain(), &world.context);
    assert_eq!(answer.map(drop).unwrap_err().reason(), Reason::TaskOver);
    assert!(world.broker.standing().is_empty());
}
