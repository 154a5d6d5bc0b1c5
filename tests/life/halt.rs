//! Halts: the kill switch.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass::Halt;
use hallpass::audit::Event;
use hallpass::policy::Moment;
use hallpass::prelude::*;

use crate::world::{World, here, ping, pings, seconds, to_ping};

fn world() -> World {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    World::rules([
        pings("p").on(everywhere),
        Rule::permit("q").tool("pong").any_args().on(everywhere),
    ])
}

pub(crate) fn pong() -> Call {
    hallpass::testing::call("pong", serde_json::json!({}))
}

fn both() -> Scope {
    to_ping().and(Scope::tool("pong").any_args())
}

/// attack 103
#[test]
fn a_halt_over_everything_stops_everything_and_says_so() {
    let world = world();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(both(), &here()).unwrap();
    let handed_out = world.authorize(&grant, &ping()).unwrap();
    let running = world.start(&grant, &ping());

    let halted = world.control.halt(Halt::Everything);
    assert_eq!((halted.count(), &*halted.running), (0, &[running.number()][..]));
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    assert_eq!(handed_out.start().unwrap_err().code(), Code::Halted);
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::Halted);
    let opened = world.broker.open(&agent, Purpose::new("errand"));
    assert_eq!(opened.unwrap_err().reason(), Reason::Halted);
    assert!(world.gate.tools(grant.token(), &agent, &here()).unwrap().is_empty());
    let said = world.log.records().into_iter().any(
        |record| matches!(record.event, Event::Halted { ref what, .. } if what == "everything"),
    );
    assert!(said);

    // It ends nothing: the call that was running goes on, and resuming brings all back.
    running.succeed();
    assert_eq!(world.broker.standing().grants.len(), 1);
    assert!(world.control.resume(&Halt::Everything));
    assert!(!world.control.resume(&Halt::Everything));
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn a_halt_over_one_tool_leaves_the_others() {
    let world = world();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(both(), &here()).unwrap();
    world.control.halt(Halt::tool("ping").unwrap());
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.call(&grant, &pong()).unwrap();
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::Halted);
    let listed = world.gate.tools(grant.token(), &agent, &here()).unwrap();
    assert_eq!(listed.iter().map(|tool| tool.as_str()).collect::<Vec<_>>(), ["pong"]);
}

#[test]
fn a_halt_over_one_task_leaves_the_others() {
    let world = world();
    let agent = world.agent("a");
    let (task, other) = (world.open(&agent), world.open(&agent));
    let grant = task.request(to_ping(), &here()).unwrap();
    let others = other.request(to_ping(), &here()).unwrap();
    world.control.halt(Halt::task(task.name()).unwrap());
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.call(&others, &ping()).unwrap();
}

#[test]
fn a_halt_over_one_identity_stops_what_it_holds_requests_and_has_delegated() {
    let world = world();
    let [planner, worker, other] = ["planner", "worker", "other"].map(|name| world.agent(name));
    let (task, others) = (world.open(&planner), world.open(&other));
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    let unrelated = others.request_for(&worker, to_ping(), &here()).unwrap();
    let permit = world.authorize(&child, &ping()).unwrap();
    world.control.halt(Halt::identity("planner").unwrap());
    for grant in [&parent, &child] {
        assert_eq!(world.denied(grant, &ping()), Reason::Halted);
    }
    assert_eq!(permit.start().unwrap_err().reason(), Reason::Halted);
    world.call(&unrelated, &ping()).unwrap();
    world.control.resume(&Halt::identity("planner").unwrap());
    world.call(&child, &ping()).unwrap();

    world.control.halt(Halt::identity("worker").unwrap());
    for grant in [&child, &unrelated] {
        assert_eq!(world.denied(grant, &ping()), Reason::Halted);
    }
    world.call(&parent, &ping()).unwrap();
}

#[test]
fn a_delegator_that_did_not_open_the_task_takes_its_children_along_when_halted() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let world = World::rules([pings("p").on(everywhere).depth(3)]);
    let [opener, middle, leaf] = ["opener", "middle", "leaf"].map(|name| world.agent(name));
    let task = world.open(&opener);
    let root = task.request(to_ping(), &here()).unwrap();
    let passed_on = task.delegate(&root, &middle, to_ping(), &here()).unwrap();
    let last = task.delegate(&passed_on, &leaf, to_ping(), &here()).unwrap();
    let permit = world.authorize(&last, &ping()).unwrap();
    let running = world.start(&last, &ping());
    let halted = world.control.halt(Halt::identity("middle").unwrap());
    assert_eq!(halted.running, [running.number()]);
    assert_eq!(world.denied(&last, &ping()), Reason::Halted);
    assert_eq!(permit.start().unwrap_err().reason(), Reason::Halted);
    assert!(world.gate.tools(last.token(), &leaf, &here()).unwrap().is_empty());
    world.call(&root, &ping()).unwrap();
    running.succeed();
}

#[test]
fn an_identity_is_halted_by_any_of_its_names_and_by_whom_it_acts_for() {
    let world = world();
    let agent = Assertion::agent("a").alias("a-too").acts_for("ada", Kind::Human);
    let agent = world.broker.assert_identity(agent).unwrap();
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    for name in ["a", "a-too", "ada"] {
        world.control.halt(Halt::identity(name).unwrap());
        assert_eq!(world.denied(&grant, &ping()), Reason::Halted, "{name}");
        world.control.resume(&Halt::identity(name).unwrap());
        world.call(&grant, &ping()).unwrap();
    }
}

#[test]
fn each_halt_is_resumed_by_itself() {
    let world = world();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.control.halt(Halt::tool("ping").unwrap());
    world.control.halt(Halt::identity("a").unwrap());
    world.control.resume(&Halt::tool("ping").unwrap());
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    assert_eq!(world.control.halts(), [Halt::identity("a").unwrap()]);
    world.control.resume(&Halt::identity("a").unwrap());
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn a_halt_holds_even_if_the_log_refuses_it() {
    let world = world();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.sink.fail_after(0);
    world.control.halt(Halt::Everything);
    assert_eq!((world.broker.record_debts(), world.broker.flush()), (1, 1));
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.sink.recover();
    assert_eq!(world.broker.flush(), 0);
}

#[test]
fn nothing_starts_after_a_halt_has_returned() {
    let world = world();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let (halted, start) = (AtomicBool::new(false), Barrier::new(5));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                loop {
                    let before = halted.load(Ordering::SeqCst);
                    let started =
                        world.authorize(&grant, &ping()).and_then(|permit| permit.start());
                    match started {
                        Ok(running) => {
                            assert!(!before, "started after the halt had returned");
                            running.succeed();
                        }
                        Err(denial) => {
                            assert_eq!(denial.reason(), Reason::Halted);
                            return;
                        }
                    }
                }
            });
        }
        start.wait();
        world.control.halt(Halt::identity("a").unwrap());
        halted.store(true, Ordering::SeqCst);
    });
}

#[test]
fn revoking_an_identity_ends_what_halting_it_stops() {
    // Who of the four acts for Ada: who opened the task, who delegates, who holds, who calls.
    for ada_s in 0..4 {
        let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
        let world = World::rules([pings("p").on(everywhere)]);
        let who = |at: usize, name: &str| {
            let own = Assertion::agent(name);
            let own = if at == ada_s { own.acts_for("ada", Kind::Human) } else { own };
            world.broker.assert_identity(own).unwrap()
        };
        let [opener, delegator, holder] =
            [(0, "opener"), (1, "delegator"), (2, "worker")].map(|(at, name)| who(at, name));
        let caller = who(3, "worker");
        let task = world.open(&opener);
        let parent = task.request_for(&delegator, to_ping(), &here()).unwrap();
        let child = task.delegate(&parent, &holder, to_ping(), &here()).unwrap();
        let bystander = world.agent("bystander");
        let others = world.open(&bystander);
        let kept = others.request(to_ping(), &here()).unwrap();
        let authorize = || world.gate.authorize(child.token(), &caller, ping(), &here());

        let permits = [authorize().unwrap(), authorize().unwrap()];
        let [halted, revoked] = permits;
        world.control.halt(Halt::identity("ada").unwrap());
        assert_eq!(halted.start().unwrap_err().reason(), Reason::Halted, "{ada_s}");
        world.control.resume(&Halt::identity("ada").unwrap());
        assert_eq!(world.control.revoke_identity("ada").unwrap().count(), 1, "{ada_s}");
        let ended = revoked.start().unwrap_err().reason();
        assert!(matches!(ended, Reason::TaskOver | Reason::Revoked), "{ada_s}: {ended}");
        assert_eq!(world.denied(&child, &ping()), ended);
        world.call(&kept, &ping()).unwrap();
    }
}

#[test]
fn a_key_that_is_retired_refuses_tokens_at_once_and_permits_are_for_a_halt() {
    let world = world();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let [first, second] = [(); 2].map(|()| world.authorize(&grant, &ping()).unwrap());
    let stolen = world.broker.active_key();
    let other = hallpass::key::SecretKey::generate().unwrap();
    world.broker.rotate_key(other, seconds(60)).unwrap();
    world.call(&grant, &ping()).unwrap();
    world.broker.retire_key(stolen).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UnknownKey);
    first.start().unwrap().succeed();
    world.control.halt(Halt::Everything);
    assert_eq!(second.start().unwrap_err().reason(), Reason::Halted);
}

#[test]
fn a_halt_over_a_task_stops_the_next_of_that_name_until_it_is_resumed() {
    let world = world();
    let agent = world.agent("a");
    let open = || world.broker.open_named("nightly", &agent, Purpose::new("errand"));
    let task = open().unwrap();
    world.control.halt(Halt::task("nightly").unwrap());
    task.fail("it was stopped");
    assert_eq!(open().map(drop).unwrap_err().reason(), Reason::Halted);
    assert_eq!(world.control.halts(), [Halt::task("nightly").unwrap()]);
    world.control.resume(&Halt::task("nightly").unwrap());
    open().unwrap().complete();
}
