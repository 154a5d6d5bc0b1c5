//! Halts: the kill switch.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass::Halt;
use hallpass::audit::Event;
use hallpass::clock::Clock as _;
use hallpass::policy::Moment;
use hallpass::prelude::*;

use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

fn world() -> World {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    World::rules([
        pings("p").on(everywhere),
        Rule::permit("q").tool("pong").any_args().on(everywhere),
    ])
}

fn pong() -> Call {
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
fn repeated_denials_halt_the_offender_and_nobody_else() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(3, seconds(60)));
    let (bad, good) = (world.agent("bad"), world.agent("good"));
    let (his, hers) = (world.open(&bad), world.open(&good));
    let probing = his.request(to_ping(), &here()).unwrap();
    let working = hers.request(to_ping(), &here()).unwrap();
    for _ in 0..2 {
        assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
        world.call(&probing, &ping()).unwrap();
    }
    // Two within the window; by the third, the first has left it.
    world.pass(seconds(60));
    assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
    assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
    world.call(&probing, &ping()).unwrap();
    assert_eq!(world.denied(&probing, &pong()), Reason::OutOfScope);
    assert_eq!(world.denied(&probing, &ping()), Reason::Halted);
    assert_eq!(world.control.halts(), [Halt::identity("bad").unwrap()]);
    world.call(&working, &ping()).unwrap();

    assert!(world.control.resume(&Halt::identity("bad").unwrap()));
    world.call(&probing, &ping()).unwrap();
}

/// attack 192
#[test]
fn a_halt_of_the_tripwire_lapses_where_the_host_says_so_and_an_operators_does_not() {
    let world = World::with(policy([pings("p")]), |b| {
        b.halt_after(2, seconds(60)).halts_lapse_after(seconds(30))
    });
    let bad = world.agent("bad");
    let task = world.open(&bad);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    let trip = || {
        for _ in 0..2 {
            assert_eq!(world.denied(&grant, &pong()), Reason::OutOfScope);
        }
        assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    };
    trip();
    assert_eq!(world.control.halts(), [Halt::identity("bad").unwrap()]);
    let halted = world.log.records().into_iter().find_map(|record| match record.event {
        Event::Halted { until, .. } => until.map(|until| until.since(record.at)),
        _ => None,
    });
    assert_eq!(halted, Some(seconds(30)), "the log says when it lapses");
    world.pass(seconds(29));
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.pass(seconds(1));
    assert_eq!(world.control.halts(), []);
    world.call(&grant, &ping()).unwrap();
    assert!(!world.control.resume(&Halt::identity("bad").unwrap()), "it is off");

    trip();
    world.control.halt(Halt::identity("bad").unwrap());
    world.pass(seconds(30));
    world.broker.sweep(100);
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted, "an operator's stays");
    assert!(world.control.resume(&Halt::identity("bad").unwrap()));
    world.call(&grant, &ping()).unwrap();
    trip();
    assert!(
        world.control.resume(&Halt::identity("bad").unwrap()),
        "one that would lapse can be resumed"
    );
    world.call(&grant, &ping()).unwrap();
    running.succeed();
    for length in [Duration::ZERO, Duration::from_micros(999), seconds(8 * 24 * 60 * 60)] {
        let builder = Broker::builder(policy([])).halts_lapse_after(length);
        assert!(builder.build().is_err(), "{length:?}");
    }
}

/// The log says when a halt lapses as it begins, and never of one that stays.
#[test]
fn a_tripwire_says_nothing_of_one_who_is_halted_for_longer() {
    let world = World::with(policy([pings("p")]), |b| {
        b.halt_after(1, seconds(60)).halts_lapse_after(seconds(30))
    });
    let start = world.clock.read().unwrap().wall;
    let bad = world.agent("bad");
    let task = world.open(&bad);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let before = Token::from_text(grant.token().expose().to_owned());
    task.renew(&mut grant, &bad, &here()).unwrap();
    let trip = || {
        let denial = world.gate.authorize(&before, &bad, ping(), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::Superseded, "asked before halts are");
    };
    let told = || {
        assert_eq!(world.broker.flush(), 0);
        let halts = world.log.records().into_iter().filter_map(|record| match record.event {
            Event::Halted { until, .. } => Some(until.map(|until| until.since(start))),
            _ => None,
        });
        halts.collect::<Vec<_>>()
    };
    trip();
    trip();
    assert_eq!(told(), [Some(seconds(30))], "the second says nothing that was not known");
    world.pass(seconds(10));
    trip();
    assert_eq!(told()[1..], [Some(seconds(40))]);
    world.control.halt(Halt::identity("bad").unwrap());
    trip();
    assert_eq!(told()[2..], [None]);
    world.pass(seconds(60));
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
}

/// An identity that opens tasks that are refused is denied, too.
#[test]
fn denied_opens_count_for_the_tripwire() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(3, seconds(60)));
    let bad = world.agent("bad");
    let task = world.broker.open_named("errand", &bad, Purpose::new("errand")).unwrap();
    let grant = task.request(to_ping(), &here()).unwrap();
    for purpose in [Purpose::new(""), Purpose::new("errand"), Purpose::new("a b")] {
        assert!(world.broker.open_named("errand", &bad, purpose).is_err());
    }
    assert_eq!(world.control.halts(), [Halt::identity("bad").unwrap()]);
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
}

#[test]
fn presenting_anothers_token_trips_for_the_one_who_presents_it() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(2, seconds(60)));
    let (thief, victim) = (world.agent("thief"), world.agent("victim"));
    let task = world.open(&victim);
    let grant = task.request(to_ping(), &here()).unwrap();
    for _ in 0..2 {
        let denial = world.gate.authorize(grant.token(), &thief, ping(), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotTheHolder);
    }
    assert_eq!(world.control.halts(), [Halt::identity("thief").unwrap()]);
    world.call(&grant, &ping()).unwrap();
}

#[test]
fn what_is_no_doing_of_the_asker_trips_nothing() {
    let world = World::with(policy([pings("p")]), |b| b.halt_after(1, seconds(60)));
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.sink.fail_next(1);
    assert_eq!(world.denied(&grant, &ping()), Reason::LogRefused);
    world.clock.fail();
    assert_eq!(world.denied(&grant, &ping()), Reason::ClockUnreadable);
    world.clock.recover();
    world.control.halt(Halt::Everything);
    assert_eq!(world.denied(&grant, &ping()), Reason::Halted);
    world.control.resume(&Halt::Everything);
    assert!(world.control.halts().is_empty());
    world.call(&grant, &ping()).unwrap();
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
