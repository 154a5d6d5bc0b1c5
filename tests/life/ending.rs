//! Every way in which a task or a grant ends.

use std::future::Future;
use std::task::{Context as Cx, Poll, Waker};
use std::time::Duration;

use hallpass::audit::{Event, How};
use hallpass::grant::GrantId;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use serde_json::json;

use crate::world::{World, here, ping, pings, seconds, to_ping};

pub(crate) fn family() -> World {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    World::rules([
        pings("p").on(everywhere).depth(8).ttl(seconds(600)),
        Rule::permit("q").tool("pong").any_args().on(everywhere),
    ])
}

pub(crate) fn how(world: &World) -> Option<How> {
    world.log.records().into_iter().find_map(|record| match record.event {
        Event::Ended { how, .. } => Some(how),
        _ => None,
    })
}

/// attack 94
#[test]
fn every_way_to_let_go_of_a_task_ends_it() {
    fn early(task: Task) -> Result<(), std::num::ParseIntError> {
        let _task = task;
        "x".parse::<u8>()?;
        Ok(())
    }
    let ways: [(How, fn(Task)); 7] = [
        (How::Completed, |task| drop(task.complete())),
        (How::Failed, |task| drop(task.fail("no answer"))),
        (How::Revoked, |task| drop(task.revoke())),
        (How::Dropped, drop),
        (How::Dropped, |task| early(task).unwrap_err().to_string().clear()),
        (How::Dropped, |task| {
            let thread = std::thread::spawn(move || {
                let _task = task;
                std::panic::resume_unwind(Box::new("the errand went wrong"));
            });
            thread.join().unwrap_err();
        }),
        (How::Dropped, |task| {
            let mut errand = Box::pin(async move {
                let _task = task;
                std::future::pending::<()>().await;
            });
            let polled = errand.as_mut().poll(&mut Cx::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Pending);
            drop(errand);
        }),
    ];
    for (expected, end) in ways {
        let world = family();
        let (planner, worker) = (world.agent("planner"), world.agent("worker"));
        let task = world.open(&planner);
        let parent = task.request(to_ping(), &here()).unwrap();
        let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
        let kept = world.authorize(&child, &ping()).unwrap();
        end(task);
        assert!(world.broker.standing().is_empty());
        assert_eq!(world.denied(&parent, &ping()), Reason::TaskOver);
        assert_eq!(world.denied(&child, &ping()), Reason::TaskOver);
        assert_eq!(kept.start().unwrap_err().reason(), Reason::TaskOver);
        assert_eq!(how(&world), Some(expected));
    }
}

#[test]
fn a_task_ends_once_and_its_first_end_stands() {
    let world = family();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let name = task.name().to_owned();
    assert!(!world.control.revoke_task(&name).unwrap().is_empty());
    assert!(world.control.revoke_task(&name).unwrap().is_empty());
    assert_eq!(task.complete().running, Vec::<u64>::new());
    let ends = world.kinds().into_iter().filter(|kind| *kind == "ended").count();
    assert_eq!((ends, how(&world)), (1, Some(How::Revoked)));
}

/// attack 99
#[test]
fn a_name_used_again_is_another_generation() {
    let world = family();
    let agent = world.agent("a");
    let open = || world.broker.open_named("nightly", &agent, Purpose::new("errand"));
    let first = open().unwrap();
    let old = first.request(to_ping(), &here()).unwrap();
    assert_eq!(open().unwrap_err().reason(), Reason::TaskNameTaken);
    first.complete();
    let second = open().unwrap();
    assert_eq!(world.denied(&old, &ping()), Reason::TaskOver);
    assert_eq!(second.name(), "nightly");
    // The old handle's end is not an end of the new one.
    let grant = second.request(to_ping(), &here()).unwrap();
    assert!(old.revoke().is_empty());
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn what_ends_with_one_above_is_not_counted_whatever_was_there_before() {
    let world = family();
    let (agent, worker) = (world.agent("a"), world.agent("b"));
    let task = world.open(&agent);
    let first = task.request(Scope::tool("pong").any_args(), &here()).unwrap();
    let root = task.request(to_ping(), &here()).unwrap();
    // The child has the place in the table that was the first one's, before its parent.
    assert!(!task.revoke_grant(&first).is_empty());
    let _child = task.delegate(&root, &worker, to_ping(), &here()).unwrap();
    assert_eq!(world.control.revoke_tool("ping").unwrap().count(), 1);
}

/// attack 100
#[test]
fn revoking_what_is_unknown_gone_or_a_strangers_says_no_more_than_no() {
    let (world, elsewhere) = (family(), family());
    let agent = world.agent("a");
    let stranger = elsewhere.agent("a");
    let foreign_task = elsewhere.open(&stranger);
    let foreign = foreign_task.request(to_ping(), &here()).unwrap();
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();

    assert!(!world.control.revoke_grant(grant.id()).is_empty());
    assert!(world.control.revoke_grant(grant.id()).is_empty());
    assert!(world.control.revoke_grant(foreign.id()).is_empty());
    assert!(world.control.revoke_grant(GrantId::from_bytes([7; 16])).is_empty());
    assert!(task.revoke_grant(&grant).is_empty());
    assert!(task.revoke_grant(&foreign).is_empty());
    assert_eq!(world.control.revoke_identity("nobody").unwrap().count(), 0);
    assert_eq!(world.control.revoke_tool("nothing").unwrap().count(), 0);

    // At the gate all of them look alike to an agent.
    let other = world.agent("b");
    let codes = [
        world.gate.give_up(grant.token(), &agent).unwrap_err().code(),
        world.gate.give_up(foreign.token(), &agent).unwrap_err().code(),
        world.gate.give_up(grant.token(), &other).unwrap_err().code(),
    ];
    assert_eq!(codes, [Code::InvalidToken; 3]);
    elsewhere.call(&foreign, &ping()).unwrap();
}

/// attack 97
#[test]
fn a_holder_can_give_its_grant_up() {
    let world = family();
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    world.gate.give_up(child.token(), &worker).unwrap();
    assert_eq!(world.denied(&child, &ping()), Reason::Revoked);
    world.call(&parent, &ping()).unwrap();
    // Under a halt, too: it takes away and gives nothing.
    world.control.halt(hallpass::Halt::Everything);
    world.gate.give_up(parent.token(), &planner).unwrap();
    assert!(world.broker.standing().grants.is_empty());
}

/// attack 95
#[test]
fn overlapping_grants_live_and_end_each_on_its_own() {
    let world = World::rules([pings("p").ttl(seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let first = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(30));
    let second = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(30));
    assert_eq!(world.denied(&first, &ping()), Reason::Expired);
    world.call(&second, &ping()).unwrap();
    // One begins at the very instant at which the other ends.
    world.pass(seconds(30));
    let third = task.request(to_ping(), &here()).unwrap();
    assert_eq!(world.denied(&second, &ping()), Reason::Expired);
    world.call(&third, &ping()).unwrap();
}

/// attack 96
#[test]
fn a_permit_handed_out_before_a_revoke_is_dead() {
    let ways: [fn(&World, &Task, &Grant); 8] = [
        |_, task, child| assert!(!task.revoke_grant(child).is_empty()),
        |world, _, _| assert_eq!(world.control.revoke_identity("worker").unwrap().count(), 1),
        |world, _, _| assert_eq!(world.control.revoke_identity("worker-alias").unwrap().count(), 1),
        |world, _, _| assert_eq!(world.control.revoke_identity("planner").unwrap().count(), 1),
        |world, _, _| assert_eq!(world.control.revoke_tool("ping").unwrap().count(), 1),
        |world, task, _| assert!(!world.control.revoke_task(task.name()).unwrap().is_empty()),
        |world, _, child| assert!(!world.control.revoke_grant(child.id()).is_empty()),
        |world, _, child| _ = world.gate.give_up(child.token(), child.holder()).unwrap(),
    ];
    for revoke in ways {
        let world = family();
        let planner = world.agent("planner");
        let worker = Assertion::agent("worker").alias("worker-alias");
        let worker = world.broker.assert_identity(worker).unwrap();
        let task = world.open(&planner);
        let parent = task.request(to_ping(), &here()).unwrap();
        let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
        let unused = task.request(Scope::tool("pong").any_args(), &here()).unwrap();
        let permit = world.authorize(&child, &ping()).unwrap();
        revoke(&world, &task, &child);
        let denial = permit.start().unwrap_err();
        assert_eq!(denial.code(), Code::InvalidToken, "{}", denial.explain());
        assert!(world.authorize(&child, &ping()).is_err());
        drop(unused);
    }
}

/// attack 101
#[test]
fn a_hundred_thousand_descendants_are_dead_at_once_and_put_away_little_by_little() {
    const CHILDREN: usize = 100_000;
    let world = family();
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let other = task.request(to_ping(), &here()).unwrap();
    let root = task.request(to_ping(), &here()).unwrap();
    let middle = task.delegate(&root, &worker, to_ping(), &here()).unwrap();
    let mut some = Vec::new();
    for n in 0..CHILDREN {
        let above = if n % 2 == 0 { &root } else { &middle };
        let child = task.delegate(above, &worker, to_ping(), &here());
        if n % 9_999 == 0 {
            some.push(child.unwrap());
        }
    }
    assert_eq!(world.broker.stats().grants, CHILDREN + 3);
    let permit = world.authorize(&some[3], &ping()).unwrap();
    let running = world.start(&some[4], &ping());

    assert!(!task.revoke_grant(&root).is_empty());
    for child in &some {
        let denial = world.authorize(child, &ping()).unwrap_err();
        assert_eq!(denial.code(), Code::InvalidToken);
    }
    assert!(permit.start().is_err());
    assert_eq!(world.broker.standing().grants.len(), 1, "the other one");
    let reported = world.log.records().into_iter().find_map(|record| match record.event {
        Event::GrantEnded { running, .. } => Some(running),
        _ => None,
    });
    assert_eq!(reported, Some(vec![running.number()]));
    running.succeed();

    assert!(world.broker.stats().sweep_debts > CHILDREN / 2);
    let mut steps = 0;
    loop {
        let swept = world.broker.sweep(1);
        assert!(swept <= 1024, "a step is short");
        steps += 1;
        if swept == 0 {
            break;
        }
    }
    assert_eq!(world.broker.stats().sweep_debts, 0);
    assert!(steps > 10, "it took {steps}");
    assert_eq!(world.broker.stats().grants, 1);
    world.call(&other, &ping()).unwrap();

    // The same for a task as a whole.
    task.complete();
    assert!(world.broker.standing().is_empty());
    assert_eq!(world.broker.stats().grants, 0);
}

#[test]
fn the_log_of_a_life_verifies() {
    let world = World::with(crate::world::policy([pings("p")]), |builder| builder);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.call(&grant, &Call::new("ping", json!({ "n": 1 })).unwrap()).unwrap();
    task.complete();
    assert_eq!(
        world.kinds(),
        ["log_started", "reloaded", "opened", "granted", "permitted", "outcome", "ended"]
    );
}

#[test]
fn what_the_log_keeps_of_a_name_and_of_a_failure_is_bounded() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let errand = || Purpose::new("errand");
    let longest = "n".repeat(255);
    world.broker.open_named(&longest, &agent, errand()).unwrap().complete();
    for name in ["", "a b", "caf\u{e9}", "x\ny", &"n".repeat(256), &"\u{e9}".repeat(1 << 20)] {
        let denial = world.broker.open_named(name, &agent, errand()).unwrap_err();
        assert_eq!(denial.reason(), Reason::MalformedPurpose);
        let told = denial.explain().to_string();
        let expected = ["visible ASCII characters", "expected at most 255"];
        assert!(expected.iter().any(|expected| told.contains(expected)), "{told}");
        assert!(told.len() < 512, "{}", told.len());
        let Event::Denied { task: Some(kept), .. } = world.log.records().pop().unwrap().event
        else {
            panic!("it is recorded")
        };
        assert!(kept.len() <= 255, "{}", kept.len());
        let cut = kept.strip_suffix('\u{2026}').filter(|_| name.len() > 255);
        assert!(name.starts_with(cut.unwrap_or(&kept)), "{kept}");
    }

    // Two bytes each: the last that is kept is whole.
    let long = "\u{e9}".repeat(5000);
    for (reason, kept) in [
        ("no answer", "no answer".to_owned()),
        (&long[..4096], long[..4096].to_owned()),
        (&long, format!("{}\u{2026}", &long[..4092])),
    ] {
        world.open(&agent).fail(reason);
        let Event::Ended { reason, .. } = world.log.records().pop().unwrap().event else {
            panic!("it is recorded")
        };
        assert_eq!(reason.as_deref(), Some(&*kept));
    }
}

/// Names that a host gives are its own, those that the broker would give among them.
#[test]
fn a_task_opens_whatever_other_tasks_are_called() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let next = world.open(&agent).generation() + 2;
    let errand = || Purpose::new("errand");
    let own = world.broker.open_named(&format!("task-{next}"), &agent, errand()).unwrap();
    let named = (0..3)
        .map(|n| world.broker.open_named(&format!("task-{}", next + 4 + n), &agent, errand()))
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let mut opened = Vec::new();
    for _ in 0..6 {
        let task = world.broker.open(&agent, errand()).unwrap();
        let grant = task.request(to_ping(), &here()).unwrap();
        world.call(&grant, &ping()).unwrap();
        opened.push(task);
    }
    let names: std::collections::BTreeSet<_> = opened.iter().map(Task::name).collect();
    assert_eq!(names.len(), 6);
    assert!(names.iter().all(|name| name.starts_with("task-")));
    assert_eq!(world.broker.standing().tasks.len(), 6 + named.len() + 1);
    let again = world.broker.open_named(own.name(), &agent, errand()).unwrap_err();
    assert_eq!(again.reason(), Reason::TaskNameTaken, "a given name is taken or not");
}

#[test]
fn a_reaper_that_would_never_rest_is_refused() {
    let world = World::rules([pings("p")]);
    let refused = world.broker.start_reaper(Duration::ZERO).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    assert!(refused.to_string().contains("the interval is zero"), "{refused}");
    drop(world.broker.start_reaper(Duration::from_millis(1)).unwrap());
}
