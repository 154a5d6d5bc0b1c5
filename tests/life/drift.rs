//! Drift: what today's rules do not give any more is found after a reload, and ends.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as Cx, Poll, Waker};

use hallpass::audit::Event;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any, max};
use serde_json::json;

use crate::world::{EVERYWHERE, World, frozen, here, ping, pings, policy, seconds, to_ping};

#[test]
fn the_report_names_what_drifted_and_why() {
    let world = World::rules([
        Rule::permit("ping").tool("ping").any_args(),
        Rule::permit("pong").tool("pong").any_args(),
    ]);
    let (a, b) = (world.agent("a"), world.agent("b"));
    let (task, other) = (world.open(&a), world.open(&b));
    let pinging = task.request(to_ping(), &here()).unwrap();
    let ponging = other.request(Scope::tool("pong").any_args(), &here()).unwrap();
    let narrower = policy([
        Rule::permit("ping").tool("ping").arg("n", max(5)),
        Rule::permit("pong").tool("pong").any_args(),
    ]);
    let drift = world.broker.reload(&narrower).unwrap().finish();
    let [drifted] = &drift.grants[..] else { panic!("{drift:?}") };
    assert_eq!(drifted.id, pinging.id());
    assert_eq!((&*drifted.task, &*drifted.holder), (task.name(), "a"));
    assert_eq!(drifted.why.reason(), Reason::NotCovered);
    assert!(drifted.why.explain().to_string().contains("not_covered"), "{}", drifted.why.explain());
    assert!(world.log.records().into_iter().any(
        |record| matches!(record.event, Event::GrantEnded { ref why, .. } if why == "drifted")
    ));
    world.call(&ponging, &hallpass::testing::call("pong", json!({}))).unwrap();
}

#[test]
fn the_scan_goes_in_steps_and_can_be_awaited() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let tasks: Vec<_> = (0..200).map(|_| world.open(&agent)).collect();
    for task in &tasks {
        let _grant = task.request(to_ping(), &here()).unwrap();
    }
    let mut reload = world.broker.reload(&frozen()).unwrap();
    assert!(reload.scan(30));
    assert_eq!(reload.waiting(), 170);
    assert_eq!(world.broker.standing().grants.len(), 170);

    let mut finished = pin!(reload.finished());
    let mut cx = Cx::from_waker(Waker::noop());
    let mut polls = 1;
    let drift = loop {
        match finished.as_mut().poll(&mut cx) {
            Poll::Ready(drift) => break drift,
            Poll::Pending => polls += 1,
        }
    };
    assert!(polls > 1, "it lets others go on");
    assert_eq!(drift.grants.len(), 200);
    assert!(world.broker.standing().grants.is_empty());
    assert_eq!(world.broker.standing().tasks.len(), 200, "tasks go on");
}

#[test]
fn what_has_expired_or_hangs_from_what_drifts_is_not_named() {
    let rule = |id: &str| pings(id).on(EVERYWHERE).depth(3);
    let world = World::rules([rule("short").who_id(eq("a")).ttl(seconds(10)), rule("p")]);
    let [a, b] = ["a", "b"].map(|name| world.agent(name));
    let (first, second) = (world.open(&a), world.open(&b));
    let _past = first.request(to_ping(), &here()).unwrap();
    let root = second.request(to_ping(), &here()).unwrap();
    let child = second.delegate(&root, &a, to_ping(), &here()).unwrap();
    world.pass(seconds(10));
    assert_eq!(world.broker.stats().grants, 3, "nothing is swept");
    for drift in [world.broker.preview(&frozen()), world.broker.reload(&frozen()).unwrap().finish()]
    {
        assert_eq!(drift.grants.iter().map(|one| one.id).collect::<Vec<_>>(), [root.id()]);
    }
    assert_eq!(world.denied(&child, &ping()), Reason::Expired);
}

#[test]
fn calls_that_are_running_on_what_drifts_are_reported_and_recorded() {
    let world = World::rules([pings("p").on(EVERYWHERE), pings("other").who_id(eq("b"))]);
    let [a, b] = ["a", "b"].map(|name| world.agent(name));
    let (task, bystander) = (world.open(&a), world.open(&b));
    let root = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&root, &b, to_ping(), &here()).unwrap();
    let kept = bystander.request(to_ping(), &here()).unwrap();
    let running = [&root, &child, &kept].map(|grant| world.start(grant, &ping()));
    let [on_root, on_child, _] = [0, 1, 2].map(|at: usize| running[at].number());
    let unstarted = world.authorize(&root, &ping()).unwrap();

    let today = policy([pings("p").on(EVERYWHERE).who_id(eq("b"))]);
    let would = world.broker.preview(&today);
    let does = world.broker.reload(&today).unwrap().finish();
    assert_eq!(would, does);
    let [drifted] = &does.grants[..] else { panic!("{does:?}") };
    assert_eq!((drifted.id, &drifted.running[..]), (root.id(), &[on_root, on_child][..]));
    assert!(unstarted.start().is_err());
    assert!(world.log.records().into_iter().any(|record| matches!(
        record.event,
        Event::GrantEnded { ref running, .. } if running[..] == [on_root, on_child]
    )));
}

#[test]
fn what_drifts_with_one_above_is_not_reported_whatever_was_there_before() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let world = World::rules([pings("p").on(everywhere)]);
    let (a, b) = (world.agent("a"), world.agent("b"));
    let task = world.open(&a);
    let first = task.request(to_ping(), &here()).unwrap();
    let root = task.request(to_ping(), &here()).unwrap();
    // The child has the place in the table that was the first one's, before its parent.
    assert!(!task.revoke_grant(&first).is_empty());
    let _child = task.delegate(&root, &b, to_ping(), &here()).unwrap();
    let report = world.broker.reload(&frozen()).unwrap().finish();
    assert_eq!(report.grants.iter().map(|one| one.id).collect::<Vec<_>>(), [root.id()]);
}

#[test]
fn what_hangs_from_a_drifted_grant_ends_with_it() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let world = World::rules([pings("p").on(everywhere)]);
    let (a, b) = (world.agent("a"), world.agent("b"));
    let task = world.open(&a);
    let root = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&root, &b, to_ping(), &here()).unwrap();
    let mine =
        policy([pings("p").on(everywhere), Rule::forbid("not-a").tool("ping").who_id(eq("a"))]);
    let _scan = world.broker.reload(&mine).unwrap();
    assert_eq!(world.denied(&child, &ping()), Reason::Drifted);
    assert_eq!(world.denied(&root, &ping()), Reason::Drifted);
}

#[test]
fn a_drifted_identity_is_who_it_was_when_it_got_the_grant() {
    let world = World::rules([pings("p")]);
    let staff = world.broker.assert_identity(Assertion::agent("a").group("staff")).unwrap();
    let temp = world.agent("b");
    let task = world.open(&staff);
    let _kept = task.request(to_ping(), &here()).unwrap();
    let other = world.open(&temp);
    let _lost = other.request(to_ping(), &here()).unwrap();
    let drift =
        world.broker.reload(&policy([pings("p").who_groups(has_any(["staff"]))])).unwrap().finish();
    assert_eq!(drift.grants.iter().map(|one| &*one.holder).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_grant_renewed_or_asked_for_since_is_not_scanned_again() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let reload = world.broker.reload(&policy([pings("other-name")])).unwrap();
    task.renew(&mut grant, &agent, &here()).unwrap();
    assert_eq!(grant.rules().collect::<Vec<_>>(), ["other-name"]);
    assert!(reload.finish().grants.is_empty());
    world.call(&grant, &ping()).unwrap();
}
