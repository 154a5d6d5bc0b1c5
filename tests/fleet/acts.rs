//! Acts at every node.

use std::time::Duration;

use hallpass::fleet::ActError;
use hallpass::prelude::*;
use hallpass::{Halt, ReloadError};

use crate::world::{ALL, LEASE, READ, STEP, World};

#[test]
fn a_halt_at_one_node_is_final_at_all_when_it_is_done() {
    let world = World::of(3);
    let [here, there, _] = &world.nodes[..] else { unreachable!() };
    let (_task, grant) = there.grant("read").unwrap();
    let (kept, runs) =
        (there.permit(&grant, "read").unwrap(), there.permit(&grant, "read").unwrap());
    let runs = runs.start().unwrap();

    let act = here.fleet.halt(Halt::identity("agent-7").unwrap());
    assert_eq!(here.denied("read"), Some(Reason::Halted), "at once, where it was asked for");
    assert!(matches!(act.look(), Err(ActError::NotYet(_))));
    let (done, took) = world.finish(&act);
    assert_eq!((done.number, done.unheard.len()), (1, 0));
    assert_eq!(done.running, 1, "the node where a call ran has told");
    assert!(took <= LEASE / 3 + LEASE / 20 + 2 * STEP, "{took:?}");
    assert_eq!(kept.start().unwrap_err().reason(), Reason::Halted);
    assert!(world.nodes.iter().all(|node| node.denied("read") == Some(Reason::Halted)));
    drop(runs);

    let (done, _) = world.finish(&there.fleet.resume(&Halt::identity("agent-7").unwrap()));
    assert_eq!(done.number, 2);
    assert!(world.nodes.iter().all(|node| node.denied("read").is_none()));
}

#[test]
fn an_act_says_who_it_waits_for_and_returns_without_who_is_cut_off() {
    let world = World::of(3);
    world.nodes[2].link.cut(true);
    let (_task, grant) = world.nodes[2].grant("read").unwrap();
    let kept = world.nodes[2].permit(&grant, "read").unwrap();

    let act = world.nodes[0].fleet.halt(Halt::tool("read").unwrap());
    world.pass(LEASE / 2);
    let Err(ActError::NotYet(not_yet)) = act.look() else { panic!("{:?}", act.look()) };
    assert_eq!((not_yet.number, &*not_yet.waiting_for), (Some(1), &["n2".into()][..]));
    assert_eq!(act.look().unwrap_err().to_string(), "act 1 waits for `n2`");
    let (done, took) = world.finish(&act);
    assert_eq!(*done.unheard, ["n2".into()]);
    assert!(LEASE / 2 + took <= LEASE + LEASE / 10 + 2 * STEP, "{took:?}");
    assert_eq!(kept.start().unwrap_err().reason(), Reason::NoLease);

    // A dead node delays the acts of its first lease alone.
    world.pass(LEASE);
    let (_, took) = world.finish(&world.nodes[0].fleet.halt(Halt::tool("write").unwrap()));
    assert!(took <= LEASE / 3 + LEASE / 20 + 2 * STEP, "{took:?}");

    // It comes back as the same node, once it has applied what it has missed.
    world.nodes[2].link.cut(false);
    world.pass(LEASE);
    assert!(world.nodes[2].fleet.status().lease.is_some());
    assert_eq!(world.nodes[2].denied("read"), Some(Reason::Halted));
    assert_eq!(world.nodes[2].denied("list"), None);
}

#[test]
fn a_reload_is_in_force_everywhere_under_one_epoch_or_a_conflict() {
    let world = World::of(2);
    let (_task, grant) = world.nodes[1].grant("write").unwrap();
    let kept = world.nodes[1].permit(&grant, "write").unwrap();
    let first = world.nodes[0].fleet.reload(READ, 0).unwrap();
    let second = world.nodes[1].fleet.reload(ALL, 0).unwrap();
    world.pass(LEASE);
    let outcomes = [first.look(), second.look()];
    let (done, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), lost.len()), (1, 1));
    assert_eq!(lost[0], Err(ActError::Conflict { epoch: 1 }));
    assert!(world.nodes.iter().all(|node| node.fleet.epoch() == 1));

    let (done, _) = world.finish(&world.nodes[0].fleet.reload(READ, 1).unwrap());
    assert!(world.nodes.iter().all(|node| node.broker.epoch().0 == done.number));
    assert!(world.nodes.iter().all(|node| node.denied("write") == Some(Reason::NotCovered)));
    assert!(kept.start().is_err());
    assert!(world.nodes[0].fleet.reload("version = 2", 2).is_err());
}

#[test]
fn what_is_revoked_ends_at_every_node_and_a_task_at_its_own() {
    let world = World::of(2);
    let (task, grant) = world.nodes[1].grant("read").unwrap();
    let fleet = &world.nodes[0].fleet;
    world.finish(&fleet.revoke_tool("read").unwrap());
    assert_eq!(world.nodes[1].permit(&grant, "read").unwrap_err().reason(), Reason::Revoked);
    assert_eq!(world.nodes[1].denied("read"), None, "a revocation keeps no one out");

    let named =
        world.nodes[1].broker.open_named("nightly", &world.nodes[1].agent, Purpose::new("n"));
    let own = world.nodes[0].broker.open_named("nightly", &world.nodes[0].agent, Purpose::new("n"));
    let (named, own) = (named.unwrap(), own.unwrap());
    world.finish(&fleet.end_task("n1", "nightly").unwrap());
    assert!(named.request(Scope::tool("read"), &Context::new()).is_err());
    assert!(own.request(Scope::tool("read").any_args(), &Context::new()).is_ok(), "another node's");

    world.finish(&fleet.revoke_identity("agent-7").unwrap());
    let over = |task: &Task| task.request(Scope::tool("read").any_args(), &Context::new());
    assert_eq!(over(&task).unwrap_err().reason(), Reason::TaskOver);
    assert!(fleet.revoke_identity("SPIFFE://acme.test/a/").is_err());
    assert!(fleet.revoke_tool("a b").is_err() && fleet.end_task("n1", "a b").is_err());
}

#[test]
fn what_is_restated_is_seen_at_every_node() {
    let world = World::of(2);
    let policy = r#"
        version = 1
        rule = [{ id = "calm", effect = "permit", who = { attrs = { risk = { max = 50 } } }, what = { tool = "any", args = "any" } }]
    "#;
    world.finish(&world.nodes[0].fleet.reload(policy, 0).unwrap());
    assert_eq!(world.nodes[1].denied("read"), Some(Reason::NotCovered));
    let facts = Assertion::agent("agent-7").attr("risk", 10).group("g");
    world.finish(&world.nodes[0].fleet.restate(facts).unwrap());
    assert!(world.nodes.iter().all(|node| node.denied("read").is_none()));
    world.finish(&world.nodes[1].fleet.unrestate("agent-7"));
    assert!(world.nodes.iter().all(|node| node.denied("read") == Some(Reason::NotCovered)));
}

/// Nothing is stopped, or let go on, at one node alone.
#[test]
fn verbs_of_one_broker_speak_for_the_fleet_or_are_refused() {
    let world = World::of(2);
    let control = world.nodes[0].broker.control();
    let halt = Halt::tool("read").unwrap();
    let _ = control.halt(halt.clone());
    world.pass(LEASE);
    assert_eq!(world.nodes[1].denied("read"), Some(Reason::Halted));
    assert!(!control.resume(&halt) && control.halts() == [halt.clone()]);
    let policy = Policy::from_toml(READ).unwrap();
    assert!(matches!(world.nodes[0].broker.reload(&policy), Err(ReloadError::Fleet)));
    assert!(control.restate("agent-7").is_err() && control.unrestate("agent-7").is_none());

    world.finish(&world.nodes[1].fleet.resume(&halt));
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    control.revoke_identity("agent-7").unwrap();
    world.pass(LEASE);
    assert!(world.nodes[1].permit(&grant, "read").is_err());
    let (_task, grant) = world.nodes[1].grant("read").unwrap();
    control.revoke_tool("read").unwrap();
    world.pass(LEASE);
    assert!(world.nodes[1].permit(&grant, "read").is_err());
}

/// A halt that has no number yet comes after every entry that has one.
#[test]
fn a_resume_that_was_numbered_before_takes_no_later_halt_off() {
    let world = World::of(2);
    let halt = Halt::tool("read").unwrap();
    world.finish(&world.nodes[0].fleet.halt(halt.clone()));
    world.nodes[0].link.cut(true);
    let resumed = world.nodes[1].fleet.resume(&halt);
    world.pass(STEP);
    // Halted anew while the resume is under way.
    let again = world.nodes[0].fleet.halt(halt.clone());
    world.nodes[0].link.cut(false);
    while again.look().is_err() {
        world.pass(STEP);
        assert_eq!(world.nodes[0].denied("read"), Some(Reason::Halted));
    }
    assert!(resumed.look().is_ok());
    assert!(world.nodes.iter().all(|node| node.denied("read") == Some(Reason::Halted)));
    world.finish(&world.nodes[0].fleet.resume(&halt));
    assert!(world.nodes.iter().all(|node| node.denied("read").is_none()), "and this one does");
}

#[test]
fn an_act_whose_answer_was_lost_is_done_once() {
    let world = World::of(2);
    world.nodes[0].link.lose_answer();
    let (done, _) = world.finish(&world.nodes[0].fleet.halt(Halt::tool("read").unwrap()));
    assert_eq!((done.number, world.nodes[1].fleet.mark().number), (1, 1));
    world.nodes[0].link.lose_answer();
    let (done, _) = world.finish(&world.nodes[0].fleet.resume(&Halt::tool("read").unwrap()));
    world.pass(LEASE);
    assert_eq!((done.number, world.nodes[1].fleet.mark().number), (2, 2));
    assert_eq!(world.nodes[1].denied("read"), None);
}

#[test]
fn waiting_for_an_act_drives_the_node_and_ends_in_time() {
    let world = World::of(1);
    let done = world.nodes[0].fleet.halt(Halt::Everything).wait(Duration::from_secs(60)).unwrap();
    assert_eq!(done.number, 1);
    world.nodes[0].link.cut(true);
    let act = world.nodes[0].fleet.resume(&Halt::Everything);
    let Err(ActError::NotYet(not_yet)) = act.wait(Duration::ZERO) else { panic!() };
    assert_eq!((not_yet.number, not_yet.here.count()), (None, 0));
    let mut future = std::pin::pin!(act.done());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    world.nodes[0].link.cut(false);
    world.pass(LEASE);
    assert!(future.as_mut().poll(&mut context).is_ready());
}

/// Whichever handle they are asked by, acts of one node are numbered in the order in which they were asked for.
#[test]
fn a_halt_after_a_resume_stays_and_one_before_it_goes() {
    let world = World::of(2);
    let node = &world.nodes[0];
    let halt = || Halt::tool("read").unwrap();
    world.finish(&node.fleet.halt(halt()));
    let resumed = node.fleet.resume(&halt());
    node.broker.control().halt(halt());
    world.finish(&resumed);
    world.pass(LEASE);
    assert!(world.nodes.iter().all(|own| own.denied("read") == Some(Reason::Halted)));

    node.broker.control().halt(halt());
    world.finish(&node.fleet.resume(&halt()));
    world.pass(LEASE);
    assert!(world.nodes.iter().all(|own| own.denied("read").is_none()));
}
