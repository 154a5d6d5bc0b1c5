//! Calls at other nodes than their task's home: decided and recorded there, started here on a short leave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::Halt;
use hallpass::fleet::{Fleet, FleetError, MemoryStore, Transport, TransportError};
use hallpass::prelude::*;

use crate::wire::{AsyncWire, CALL, Wire, ready, ring};
use crate::world::{LEASE, STEP, World, secret};

#[test]
fn a_call_runs_at_another_node_and_its_home_decides_counts_and_records_it() {
    let (world, _wire) = World::calling();
    let (task, grant) = world.nodes[0].grant("read").unwrap();
    for n in 0..3 {
        let permit = world.call_at(1, &grant, "read").unwrap();
        assert_eq!((permit.home(), permit.tool()), (Some("n0"), "read"));
        assert!(permit.rules().eq(["all"]));
        let running = permit.start().unwrap();
        assert_eq!(running.args().to_json(), r#"{"n":12345678901234567890}"#);
        if n == 0 {
            running.fail()
        } else {
            running.succeed()
        }
        assert_eq!(world.nodes[1].fleet.deliver(), 0);
    }
    // Three uses were given, wherever they are spent.
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::UsesSpent);
    assert_eq!(world.call_at(0, &grant, "read").unwrap_err().reason(), Reason::UsesSpent);
    assert_eq!((world.count(0, r#""permitted""#), world.count(0, r#""outcome":"ok""#)), (3, 2));
    assert_eq!((world.count(0, r#""outcome":"error""#), world.count(1, r#""permitted""#)), (1, 0));
    assert!(world.nodes.iter().all(|node| node.broker.verify_log().is_ok()));
    assert_eq!(task.complete().running.len(), 0);
}

#[test]
fn the_gate_never_asks_and_says_where_to() {
    let (world, wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let denial = world.nodes[1].permit(&grant, "read").map(drop).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::Elsewhere, Code::Unavailable));
    assert_eq!((denial.elsewhere(), denial.to_string().contains("n0")), (Some("n0"), false));
    // Who does not hold it does not learn where its task is, neither here nor by asking.
    let node = &world.nodes[1];
    let other = node.broker.assert_identity("agent-8").unwrap();
    let call = || Call::new("read", serde_json::json!({})).unwrap();
    let denial = node
        .broker
        .gate()
        .authorize(&grant, &other, call(), &Context::new())
        .map(drop)
        .unwrap_err();
    assert_eq!((denial.reason(), denial.elsewhere()), (Reason::NotTheHolder, None));
    let denial = node.fleet.authorize(&grant, &other, call(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotTheHolder);
    assert_eq!(wire.sent(), 0);
}

#[test]
fn a_home_that_no_row_names_is_not_asked() {
    let (mut world, wire) = World::calling();
    let far = World::calling().0;
    let (_task, grant) = far.nodes[0].grant("read").unwrap();
    // Another fleet's node of another name, with the same keys.
    let stranger = Broker::builder(Policy::from_toml(crate::world::ALL).unwrap());
    let stranger =
        stranger.issuer("acme/n9").keys(ring()).clock(world.clock.clone()).build().unwrap();
    let agent = stranger.assert_identity("agent-7").unwrap();
    let task = stranger.open(&agent, Purpose::new("errand")).unwrap();
    let foreign = task.request(Scope::tool("read").any_args(), &Context::new()).unwrap();
    let denial = world.call_at(1, &foreign, "read").unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::ForeignToken, Code::InvalidToken));
    assert_eq!(wire.sent(), 0);
    // Of a home that does not know it.
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::UnknownGrant);
    // And of one that has left, or can't be reached.
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    wire.nodes.lock().unwrap().remove("at-n0");
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::Elsewhere);
    world.nodes[0].fleet.leave();
    world.pass(LEASE);
    world.finish(&world.nodes[1].fleet.halt(Halt::tool("other").unwrap()));
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::TaskOver);
    world.nodes[0].is_stopped = true;
}

#[test]
fn what_no_node_has_sealed_for_this_one_and_what_was_taken_before_is_denied_and_recorded() {
    let (mut world, wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    world.call_at(1, &grant, "read").unwrap().start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    let seen = wire.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 3, "hello, call, outcome");
    let mut refused = 0;
    let mut refuses = |world: &World, message: &[u8], what: &str| {
        assert_eq!(world.nodes[0].fleet.answer(message), [1, 5], "{what}");
        refused += 1;
        assert_eq!(world.count(0, r#""foreign_message""#), refused, "{what}");
    };
    // Again, out of their order, cut, and with a bit changed.
    for (message, answer) in &seen[1..] {
        refuses(&world, message, "replayed");
        refuses(&world, answer, "an answer to no question");
        refuses(&world, &message[..message.len() - 1], "cut");
    }
    let greeted = seen[0].0.clone();
    for at in 0..greeted.len() {
        let mut changed = greeted.clone();
        changed[at] ^= 1;
        refuses(&world, &changed, "a hello that was changed");
    }
    refuses(&world, b"", "nothing");
    refuses(&world, &[0; 400], "noise");
    let mut fresh = seen[1].0.clone();
    fresh[2 + 16 + 7] = 200;
    refuses(&world, &fresh, "another counter");
    // Since its home was started anew, what was said to it before says nothing.
    world.nodes[0].is_stopped = true;
    let again = world.add_calling("n0", &wire, &["n1"]);
    world.pass(3 * LEASE);
    assert!(world.nodes[again].fleet.status().lease.is_some());
    for (message, _) in &seen {
        assert_eq!(world.nodes[again].fleet.answer(message), [1, 5]);
    }
    assert_eq!(world.count(again, r#""foreign_message""#), 3);
    let uses = world.count(0, r#""permitted""#);
    assert_eq!(uses, 1, "nothing was permitted by any of it");
}

/// Who reads and writes between the nodes can hold calls up, and give none.
#[test]
fn an_answer_that_was_changed_or_is_another_questions_is_none() {
    let (world, wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    world.call_at(1, &grant, "read").unwrap().start().unwrap().succeed();
    let told = wire.seen.lock().unwrap()[1].1.clone();
    struct Liar(Wire, Vec<u8>, Arc<Mutex<Lie>>);
    impl Transport for Liar {
        fn send(&self, _: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
            let answer = self.0.carry(address, message)?;
            let is_sealed = answer[1] == 4;
            Ok(if is_sealed { (self.2.lock().unwrap())(answer, &self.1) } else { answer })
        }
    }
    let lie: Arc<Mutex<Lie>> = Arc::new(Mutex::new(|answer, _| answer));
    let mut liars =
        World { clock: world.clock.clone(), store: world.store.clone(), nodes: Vec::new() };
    liars.add_built(
        "n2",
        |broker| broker.issuer("acme/n2").keys(ring()),
        |fleet| fleet.answers_at("at-n2").transport(Liar(wire.clone(), told, lie.clone())),
    );
    world.pass_with(2 * LEASE, &liars);
    let lies: [(Lie, Reason); 5] = [
        (|answer, _| answer, Reason::ForeignIdentity),
        (|_, told| told.to_vec(), Reason::Elsewhere),
        (
            |mut answer, _| {
                let last = answer.len() - 1;
                answer[last] ^= 1;
                answer
            },
            Reason::Elsewhere,
        ),
        (
            |mut answer, _| {
                answer.pop();
                answer
            },
            Reason::Elsewhere,
        ),
        (|_, _| vec![1, 5], Reason::Elsewhere),
    ];
    for (own, reason) in lies {
        *lie.lock().unwrap() = own;
        assert_eq!(liars.call_at(0, &grant, "read").unwrap_err().reason(), reason);
    }
    assert!(liars.count(0, r#""foreign_message""#) >= 6, "each is recorded");
}

type Lie = fn(Vec<u8>, &[u8]) -> Vec<u8>;

#[test]
fn a_call_whose_answer_was_lost_is_decided_once() {
    let (world, wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    wire.loses.lock().unwrap().push(CALL);
    let permit = world.call_at(1, &grant, "read").unwrap();
    assert_eq!(wire.sent(), 4, "a hello and a call, twice");
    permit.start().unwrap().succeed();
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    assert_eq!((world.count(0, r#""permitted""#), world.count(0, r#""outcome":"ok""#)), (1, 1));

    // One that gets no answer at all is told not to start, and its use comes back.
    wire.loses.lock().unwrap().extend([CALL; 3]);
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::Elsewhere);
    assert_eq!(world.nodes[1].fleet.deliver(), 0);
    assert_eq!(world.count(0, r#""outcome":"abandoned""#), 1);
    for _ in 0..2 {
        world.call_at(1, &grant, "read").unwrap().start().unwrap().succeed();
    }
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::UsesSpent);
}

#[test]
fn a_leave_is_good_for_half_a_lease_from_before_it_was_asked_for() {
    for (passes, starts) in [(LEASE / 2 - STEP, true), (LEASE / 2, false)] {
        let (world, _wire) = World::calling();
        let (_task, grant) = world.nodes[0].grant("read").unwrap();
        let permit = world.call_at(1, &grant, "read").unwrap();
        world.pass(passes);
        let started = permit.start();
        assert_eq!(started.is_ok(), starts, "after {passes:?}");
        if let Err(denial) = started {
            assert_eq!(denial.reason(), Reason::PermitLapsed);
            assert_eq!(world.nodes[1].fleet.deliver(), 0);
            assert_eq!(world.count(0, r#""outcome":"abandoned""#), 1);
        }
    }
}

#[test]
fn what_was_permitted_before_an_act_was_applied_here_does_not_start() {
    let (mut world, _wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let permit = world.call_at(1, &grant, "read").unwrap();
    // The home is stopped, and knows nothing of it.
    world.nodes[0].is_stopped = true;
    let act = world.nodes[1].fleet.revoke_identity("agent-7").unwrap();
    world.pass(STEP);
    assert!(act.look().is_err(), "it waits for the home");
    assert_eq!(permit.start().map(drop).unwrap_err().reason(), Reason::PolicyChanged);
    // What is halted at this node does not start, numbered or not.
    world.nodes[0].is_stopped = false;
    world.pass(LEASE);
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let permit = world.call_at(1, &grant, "read").unwrap();
    world.nodes[1].link.cut(true);
    let _act = world.nodes[1].fleet.halt(Halt::tool("read").unwrap());
    assert_eq!(permit.start().map(drop).unwrap_err().reason(), Reason::Halted);
}

#[test]
fn a_node_without_a_lease_starts_nothing_of_another() {
    let (world, _wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let permit = world.call_at(1, &grant, "read").unwrap();
    world.nodes[1].fleet.leave();
    assert_eq!(permit.start().map(drop).unwrap_err().reason(), Reason::NoLease);
}

/// P11: from when it returns, no call of the task starts, wherever it was permitted.
#[test]
fn an_end_waits_for_the_leaves_that_are_out_and_for_no_others() {
    type End = fn(Task, Grant, &Broker, &Identity);
    let ends: [End; 7] = [
        |task, _, _, _| drop(task.complete()),
        |task, _, _, _| drop(task.fail("it did")),
        |task, _, _, _| drop(task.revoke()),
        |_task, grant, _, _| drop(grant.revoke()),
        |task, mut grant, _, agent| drop(task.renew(&mut grant, agent, &Context::new())),
        |_task, grant, broker, _| drop(broker.control().revoke_grant(grant.id())),
        |task, _, broker, _| drop(broker.control().revoke_task(task.name())),
    ];
    for (which, end) in ends.into_iter().enumerate() {
        let (world, _wire) = World::calling();
        // With none out it returns at once.
        let (task, grant) = world.nodes[0].grant("read").unwrap();
        end(task, grant, &world.nodes[0].broker, &world.nodes[0].agent);

        let (task, grant) = world.nodes[0].grant("read").unwrap();
        let permit = world.call_at(1, &grant, "read").unwrap();
        let (broker, agent) = (world.nodes[0].broker.clone(), world.nodes[0].agent.clone());
        let token = grant.token().expose().to_owned();
        std::thread::scope(|scope| {
            let ending = scope.spawn(move || end(task, grant, &broker, &agent));
            // It has taken effect at once, here.
            let call = || Call::new("read", serde_json::json!({})).unwrap();
            let gate = world.nodes[0].broker.gate();
            let agent = &world.nodes[0].agent;
            while gate.authorize(&token, agent, call(), &Context::new()).is_ok() {}
            assert!(!ending.is_finished(), "end {which} returned while a leave was out");
            // Where the call is started and done, the wait is over.
            permit.start().unwrap().succeed();
            assert_eq!(world.nodes[1].fleet.deliver(), 0);
            ending.join().unwrap();
        });
    }
}

#[test]
fn what_became_of_a_call_at_a_node_that_is_gone_is_not_known() {
    let (mut world, _wire) = World::calling();
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let running = world.call_at(1, &grant, "read").unwrap().start().unwrap();
    world.pass(2 * LEASE);
    // It may have started: its use is not given back while the node is there.
    assert_eq!(world.count(0, r#""outcome""#), 0);
    world.nodes[1].is_stopped = true;
    world.pass(Duration::from_secs(40));
    assert_eq!(world.count(0, r#""outcome":"unknown""#), 1);
    drop(running);
    assert!(world.nodes[0].broker.verify_log().is_ok());
    for _ in 0..2 {
        assert!(world.call_at(0, &grant, "read").unwrap().start().is_ok());
    }
    assert_eq!(world.call_at(0, &grant, "read").unwrap_err().reason(), Reason::UsesSpent);
}

#[test]
fn a_node_attests_only_whom_it_may() {
    let (mut world, wire) = (World::empty(), Wire::default());
    world.add_calling("n0", &wire, &[]);
    world.add_calling("n1", &wire, &[]);
    world.pass(2 * LEASE);
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    assert_eq!(world.call_at(1, &grant, "read").unwrap_err().reason(), Reason::ForeignIdentity);
    assert_eq!(world.count(0, r#""foreign_message""#), 1);
    assert_eq!(world.count(0, r#""permitted""#), 0);
}

#[test]
fn a_node_that_others_ask_is_named_by_its_issuer() {
    let broker = Broker::new(Policy::from_toml(crate::world::ALL).unwrap()).unwrap();
    let fleet = Fleet::builder("acme", "n0").answers_at("here");
    let error = fleet.join(&broker, &secret(0), MemoryStore::new()).unwrap_err();
    assert!(matches!(error, FleetError::Issuer { .. }));
    assert_eq!(
        error.to_string(),
        "the broker's issuer is `hallpass`, expected `acme/n0` of a node that other nodes ask"
    );
}

#[test]
fn a_host_that_is_asynchronous_asks_and_tells_as_one_that_blocks() {
    let (mut world, wire) = World::calling();
    world.add_built(
        "n2",
        |broker| broker.issuer("acme/n2").keys(ring()),
        |fleet| fleet.answers_at("at-n2").async_transport(AsyncWire(wire.clone())),
    );
    world.pass(2 * LEASE);
    let (_task, grant) = world.nodes[0].grant("read").unwrap();
    let node = &world.nodes[2];
    let call = || Call::new("read", serde_json::json!({})).unwrap();
    let context = Context::new();
    let denied = node.fleet.authorize(&grant, &node.agent, call(), &context);
    assert_eq!(denied.unwrap_err().reason(), Reason::Elsewhere, "its transport does not block");
    let asking = node.fleet.authorize_async(&grant, &node.agent, call(), &context);
    let denial = ready(asking).unwrap_err();
    assert_eq!(
        denial.reason(),
        Reason::ForeignIdentity,
        "it was asked, and `n2` may attest no one"
    );
    assert_eq!(ready(node.fleet.deliver_async()), 0);
}
