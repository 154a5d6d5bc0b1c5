//! Halts: everything, or one identity, at once.

use hallpass::Halt;
use hallpass::audit::Event;
use hallpass::prelude::*;

use crate::world::{World, broad, plain};

/// attack 103: the kill switch denies from the next decision on, reports what runs, and the log says
/// why
#[test]
fn the_kill_switch_stops_everything_at_once() {
    let world = World::new([broad()]);
    let (task, grant) = world.granted();
    let running = world.authorize(&grant, plain()).unwrap().start().unwrap();
    let halted = world.control.halt(Halt::Everything);
    assert_eq!(halted.running, [running.number()]);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Halted));
    assert_eq!(world.recorded_denial(), "halted");
    let request = task.request(Scope::tool("t").any_args(), &world.context);
    assert_eq!(request.unwrap_err().reason(), Reason::Halted);
    let open = world.broker.open(&world.agent, Purpose::new("test"));
    assert_eq!(open.map(drop).unwrap_err().reason(), Reason::Halted);
    assert!(world.events().contains(&Event::Halted { what: "everything".into(), until: None }));
    running.succeed();

    assert!(world.control.resume(&Halt::Everything));
    assert!(!world.control.resume(&Halt::Everything));
    assert_eq!(world.run(&grant, plain()), Ok(()), "a halt ends nothing");
}

/// attack 103: a halt of one identity, task or tool stops that one, under every name it has
#[test]
fn a_halt_of_one_stops_that_one() {
    let rows = [
        (Halt::identity("agent-7").unwrap(), true),
        (Halt::identity("alias-7").unwrap(), true),
        (Halt::identity("ada").unwrap(), true),
        (Halt::identity("agent").unwrap(), false),
        (Halt::identity("agent-8").unwrap(), false),
        (Halt::task("errand").unwrap(), true),
        (Halt::task("errand2").unwrap(), false),
        (Halt::tool("t").unwrap(), true),
        (Halt::tool("T").unwrap(), false),
    ];
    for (halt, stops) in rows {
        let world = World::new([broad()]);
        let caller = Assertion::agent("agent-7").alias("alias-7").acts_for("ada", Kind::Human);
        let caller = world.broker.assert_identity(caller).unwrap();
        let task = world.broker.open_named("errand", &caller, Purpose::new("test")).unwrap();
        let grant = task.request(Scope::tool("t").any_args(), &world.context).unwrap();
        let authorize = || world.gate.authorize(grant.token(), &caller, plain(), &world.context);
        let kept = authorize().unwrap();
        world.control.halt(halt.clone());
        assert_eq!(authorize().is_err(), stops, "{halt}");
        assert_eq!(kept.start().map(drop).is_err(), stops, "{halt}");
    }
}

/// attack 103: holding or presenting under another name at another time is stopped all the same
#[test]
fn a_halt_reaches_the_holder_and_whoever_presents() {
    let with = |world: &World, human: &str, alias: &str| {
        let caller = Assertion::agent("agent-7").alias(alias).acts_for(human, Kind::Human);
        world.broker.assert_identity(caller).unwrap()
    };
    for halted in ["ada", "alias-then", "bob", "alias-now"] {
        let world = World::new([broad()]);
        let holder = with(&world, "ada", "alias-then");
        let presenter = with(&world, "bob", "alias-now");
        let task = world.open();
        let scope = Scope::tool("t").any_args();
        let grant = task.request_for(&holder, scope, &world.context).unwrap();
        let authorize = || world.gate.authorize(grant.token(), &presenter, plain(), &world.context);
        let running = authorize().unwrap().start().unwrap();
        let kept = authorize().unwrap();
        let found = world.control.halt(Halt::identity(halted).unwrap());
        assert_eq!(found.running, [running.number()], "{halted}");
        assert_eq!(authorize().map(drop).unwrap_err().reason(), Reason::Halted, "{halted}");
        assert_eq!(kept.start().unwrap_err().reason(), Reason::Halted, "{halted}");
        running.succeed();
    }
}

/// attack 103: a halt over somebody who delegated stops the calls of its delegates, too
#[test]
fn a_halt_over_a_delegator_stops_its_delegates() {
    let world = World::new([
        broad(),
        Rule::permit("hand-on").tool("t").any_args().on([hallpass::policy::Moment::Delegate]),
    ]);
    let worker = world.broker.assert_identity("worker-9").unwrap();
    let (task, grant) = world.granted();
    let child =
        task.delegate(&grant, &worker, Scope::tool("t").any_args(), &world.context).unwrap();
    let ask = || world.gate.authorize(child.token(), &worker, plain(), &world.context);
    let kept = ask().unwrap();
    let running = ask().unwrap().start().unwrap();
    let halted = world.control.halt(Halt::identity(world.agent.subject().as_str()).unwrap());
    assert_eq!(halted.running, [running.number()]);
    assert_eq!(ask().unwrap_err().reason(), Reason::Halted);
    assert_eq!(kept.start().unwrap_err().reason(), Reason::Halted);
    assert!(world.gate.tools(child.token(), &worker, &world.context).unwrap().is_empty());
    running.succeed();
    world.control.resume(&Halt::identity(world.agent.subject().as_str()).unwrap());
    assert!(ask().is_ok());
}
