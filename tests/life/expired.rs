//! What has expired stays so: it is not revoked, nor given up, nor renewed.

use hallpass::audit::Event;
use hallpass::prelude::*;

use std::time::Duration;

use crate::world::{EVERYWHERE, World, here, ping, pings, policy, seconds, to_ping};

fn minutes() -> World {
    let rule = Rule::permit("p").tool("ping").any_args().on(EVERYWHERE).ttl(seconds(60));
    World::rules([rule])
}

/// Why grants ended, as the log tells it.
fn ends(world: &World) -> Vec<String> {
    let records = world.log.records().into_iter();
    records
        .filter_map(|record| match record.event {
            Event::GrantEnded { why, .. } => Some(why.into_owned()),
            _ => None,
        })
        .collect()
}

#[test]
fn revoking_what_has_expired_says_so_swept_or_not() {
    for swept in [false, true] {
        let world = minutes();
        let agent = world.agent("agent-1");
        let task = world.open(&agent);
        let [one, two, three] = [(); 3].map(|()| task.request(to_ping(), &here()).unwrap());
        world.pass(seconds(300));
        assert_eq!(world.denied(&one, &ping()), Reason::Expired);
        assert!(world.broker.standing().grants.is_empty());
        if swept {
            assert_eq!(world.broker.sweep(100), 3);
        }
        let token = Token::from_text(one.token().expose().to_owned());
        assert!(world.control.revoke_grant(two.id()).is_empty(), "it ended four minutes ago");
        assert!(task.revoke_grant(&three).is_empty());
        assert!(one.revoke().is_empty());
        let denial = world.gate.authorize(&token, &agent, ping(), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::Expired, "and is not told to be revoked");
        assert_eq!(ends(&world), ["expired"; 3]);
        assert_eq!(world.control.revoke_identity("agent-1").unwrap().count(), 1, "the task alone");
    }
}

#[test]
fn what_a_tool_or_an_identity_held_and_has_expired_is_not_counted_as_revoked() {
    let world = minutes();
    let (agent, worker) = (world.agent("agent-1"), world.agent("worker"));
    let task = world.open(&agent);
    let old = task.request_for(&worker, to_ping(), &here()).unwrap();
    world.pass(seconds(60));
    let new = task.request_for(&worker, to_ping(), &here()).unwrap();
    let below = task.delegate(&new, &agent, to_ping(), &here()).unwrap();
    assert_eq!(world.control.revoke_identity("worker").unwrap().count(), 1);
    assert_eq!(ends(&world), ["expired", "revoked"]);
    assert_eq!(world.denied(&old, &ping()), Reason::Expired);
    assert_eq!(world.denied(&below, &ping()), Reason::Revoked);
    let last = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(60));
    assert_eq!(world.control.revoke_tool("ping").unwrap().count(), 0);
    assert_eq!(ends(&world), ["expired", "revoked", "expired"]);
    drop(last);
}

/// A child of what has expired has, too.
#[test]
fn what_hangs_from_what_has_expired_is_not_revoked_either() {
    let own = Rule::permit("own").tool("ping").any_args().on(EVERYWHERE).ttl(seconds(600));
    let world = World::rules([own.idle(seconds(60))]);
    let (agent, worker) = (world.agent("agent-1"), world.agent("worker"));
    let task = world.open(&agent);
    let parent = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(59));
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    world.pass(seconds(1));
    let told = world.authorize(&child, &ping()).unwrap_err().explain().to_string();
    assert!(told.contains(&format!("`{}` reached its `idle` of 1m", parent.id())), "{told}");
    assert!(child.revoke().is_empty());
    assert_eq!(ends(&world), ["expired"]);
}

#[test]
fn a_grant_is_given_up_with_its_newest_token_within_its_time() {
    let world = minutes();
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let old = Token::from_text(grant.token().expose().to_owned());
    task.renew(&mut grant, &agent, &here()).unwrap();
    let denial = world.gate.give_up(&old, &agent).unwrap_err();
    assert_eq!(denial.reason(), Reason::Superseded, "a token that is worth nothing ends nothing");
    world.call(&grant, &ping()).unwrap();
    world.gate.give_up(grant.token(), &agent).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::Revoked);
    assert_eq!(ends(&world), ["revoked"]);
}

/// One that a reload has cut short: its token says more than is left of it.
#[test]
fn what_was_cut_short_is_not_given_up_after_its_end() {
    let world = minutes();
    let agent = world.agent("agent-1");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let shorter = Rule::permit("p").tool("ping").any_args().ttl(seconds(10));
    world.broker.reload(&Policy::builder().rule(shorter).build().unwrap()).unwrap().finish();
    world.pass(seconds(10));
    let denial = world.gate.give_up(grant.token(), &agent).unwrap_err();
    assert_eq!(denial.reason(), Reason::Expired);
    assert!(denial.explain().to_string().contains("reached its `ttl` of 10s"));
    assert_eq!(ends(&world), ["expired"]);
}

/// Where two limits would end a grant, the one that comes first did; at the same moment, its time to live.
#[test]
fn an_expiry_says_the_limit_that_came_first() {
    let minute = seconds(60);
    let why = |idle: Duration, ttl: Duration, since: Duration| {
        let world = World::with(policy([pings("p").idle(idle).ttl(ttl)]), |builder| {
            builder.ceiling(10 * minute)
        });
        let task = world.open(&world.agent("agent-1"));
        world.pass(since);
        let grant = task.request(to_ping(), &here()).unwrap();
        world.pass(idle.max(ttl));
        let denial = world.authorize(&grant, &ping()).unwrap_err();
        assert_eq!(denial.reason(), Reason::Expired);
        denial.explain().to_string()
    };
    let now = seconds(0);
    assert!(why(minute, 2 * minute, now).contains("reached its `idle` of 1m at "));
    assert!(why(2 * minute, minute, now).contains("reached its `ttl` of 1m at "));
    assert!(why(minute, minute, now).contains("reached its `ttl` of 1m at "));
    let cut_short = why(5 * minute, 5 * minute, 8 * minute);
    let ceiling = "the task reached its ceiling at 2026-01-01T00:10:00Z";
    assert!(cut_short.contains(ceiling), "{cut_short}");
}
