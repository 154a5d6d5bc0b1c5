//! Sweeping: what is past its time is dead at once and removed later.

use std::time::Duration;

use hallpass::prelude::*;

use crate::world::{World, here, ping, pings, policy, seconds, to_ping};

#[test]
fn what_is_past_its_time_is_dead_before_it_is_swept() {
    let world = World::rules([pings("p").ttl(seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(60));
    assert!(world.broker.standing().grants.is_empty());
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
    let stats = world.broker.stats();
    assert_eq!((stats.grants, stats.sweep_debts), (1, 1));
    assert_eq!(world.broker.sweep(1), 1);
    let stats = world.broker.stats();
    assert_eq!((stats.tasks, stats.grants, stats.sweep_debts), (1, 0, 0));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
}

#[test]
fn a_task_that_was_leaked_ends_at_its_ceiling() {
    let world = World::with(policy([pings("p").ttl(seconds(600))]), |b| b.ceiling(seconds(100)));
    let agent = world.agent("a");
    let task = world.broker.open_named("leaked", &agent, Purpose::new("errand")).unwrap();
    let grant = task.request(to_ping(), &here()).unwrap();
    assert_eq!(grant.expires(), task.ceiling());
    std::mem::forget(task);
    world.pass(seconds(99));
    world.call(&grant, &ping()).unwrap();
    world.pass(seconds(1));
    assert!(world.broker.standing().is_empty());
    assert!(world.authorize(&grant, &ping()).is_err());
    // Its name is free again, swept or not.
    let again = world.broker.open_named("leaked", &agent, Purpose::new("errand")).unwrap();
    assert_eq!(world.broker.stats().tasks, 1);
    drop(again);
    assert!(world.kinds().contains(&"ended"));
}

/// attack 143, in small: a step looks at as many tasks as it was told, and a round leaves none out
#[test]
fn a_sweep_goes_in_steps_and_leaves_none_out() {
    let world = World::with(policy([pings("p")]), |b| b.ceiling(seconds(100)));
    let agent = world.agent("a");
    for n in 0..1000 {
        let task = world.open(&agent);
        // Many more generations than tasks: what is gone costs no round.
        if n % 10 == 0 {
            std::mem::forget(task);
        }
    }
    assert_eq!(world.broker.stats().tasks, 100);
    world.pass(seconds(100));
    assert_eq!(world.broker.stats().sweep_debts, 100);
    let mut steps = Vec::new();
    while world.broker.stats().tasks > 0 {
        steps.push(world.broker.sweep(7));
        assert!(steps.len() <= 20, "{steps:?}");
    }
    assert!(steps.iter().all(|swept| *swept <= 7), "{steps:?}");
    assert_eq!(steps.iter().sum::<usize>(), 100);
    assert_eq!(world.broker.sweep(usize::MAX), 0);
}

#[test]
fn opening_tasks_sweeps_more_than_it_opens() {
    let world = World::with(policy([pings("p")]), |b| b.ceiling(seconds(100)));
    let agent = world.agent("a");
    for _ in 0..500 {
        std::mem::forget(world.open(&agent));
    }
    world.pass(seconds(100));
    for _ in 0..400 {
        world.open(&agent).complete();
    }
    assert_eq!(world.broker.stats().tasks, 0);
}

#[test]
fn without_a_clock_nothing_is_swept_and_everything_is_listed() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let _grant = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(86_400));
    world.clock.fail();
    assert_eq!(world.broker.sweep(10), 0);
    assert_eq!(world.broker.standing().grants.len(), 1);
    world.clock.recover();
    assert_eq!(world.broker.sweep(10), 1);
    drop(task);
}

#[test]
fn permits_that_lapsed_are_swept_and_their_outcome_is_recorded() {
    let world = World::rules([pings("p").uses(1)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let kept = world.authorize(&grant, &ping()).unwrap();
    assert_eq!(world.broker.stats().permits, 1);
    world.pass(seconds(30));
    world.broker.sweep(1);
    assert_eq!(world.broker.stats().permits, 0);
    assert_eq!(kept.start().unwrap_err().reason(), Reason::PermitLapsed);
    world.call(&grant, &ping()).unwrap();
    let outcomes = world.kinds().into_iter().filter(|kind| *kind == "outcome").count();
    assert_eq!(outcomes, 2, "one for each permit");
}

#[test]
fn a_reaper_sweeps_until_it_is_dropped() {
    let world = World::with(policy([pings("p")]), |b| b.ceiling(seconds(100)));
    let agent = world.agent("a");
    for _ in 0..300 {
        std::mem::forget(world.open(&agent));
    }
    world.pass(seconds(100));
    let reaper = world.broker.start_reaper(Duration::from_micros(50)).unwrap();
    while world.broker.stats().tasks > 0 {
        std::thread::yield_now();
    }
    // Dropping it waits for the thread: afterwards no thread sweeps.
    drop(reaper);
    std::mem::forget(world.open(&agent));
    world.pass(seconds(100));
    assert_eq!(world.broker.stats().tasks, 1);
}

#[test]
fn a_reaper_keeps_no_broker_alive() {
    struct Gone(std::sync::mpsc::Sender<()>);
    impl hallpass::audit::Sink for Gone {
        fn open(&self) -> Result<Option<hallpass::audit::Tail>, hallpass::audit::SinkError> {
            Ok(None)
        }
        fn append(
            &self,
            batch: &[hallpass::audit::Entry<'_>],
        ) -> Result<hallpass::audit::Kept, hallpass::audit::SinkError> {
            Ok(hallpass::audit::Kept::now(batch.len()))
        }
    }
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (gone, is_gone) = std::sync::mpsc::channel();
    let broker = Broker::builder(policy([pings("p")])).log(Gone(gone)).build().unwrap();
    let reaper = broker.start_reaper(Duration::from_secs(3600)).unwrap();
    drop(broker);
    is_gone.recv().unwrap();
    drop(reaper);
}

#[test]
fn the_figures_add_up() {
    let world = World::rules([pings("p").uses(1)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());
    for _ in 0..3 {
        assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    }
    world.sink.fail_next(2);
    assert!(world.broker.open(&agent, Purpose::new("errand")).is_err());
    let stats = world.broker.stats();
    assert_eq!((stats.tasks, stats.grants, stats.permits), (1, 1, 1));
    assert_eq!(stats.denials, [(Reason::UsesSpent, 3), (Reason::LogRefused, 1)]);
    assert_eq!(stats.record_debts, world.broker.record_debts());
    running.succeed();
    task.complete();
    let stats = world.broker.stats();
    assert_eq!((stats.tasks, stats.grants, stats.permits, stats.sweep_debts), (0, 0, 0, 0));
}

#[test]
fn counters_of_identities_are_forgotten_once_they_hold_nothing() {
    let kept = |limits: fn(Rule) -> Rule, use_it: bool| {
        let world = World::rules([limits(pings("p")).per_identity()]);
        let call = crate::world::ping_with(serde_json::json!({ "n": 1 }));
        let after = |world: &World| {
            // One look at each identity.
            world.broker.sweep(usize::MAX);
            world.broker.stats().identity_counters
        };
        for n in 0..100 {
            let agent = world.agent(&format!("agent-{n}"));
            let task = world.open(&agent);
            let grant = task.request(to_ping(), &here()).unwrap();
            let permit = world.authorize(&grant, &call).unwrap();
            if use_it {
                permit.start().unwrap().succeed();
            } else {
                drop(permit);
            }
            task.complete();
        }
        let at_once = after(&world);
        world.pass(seconds(59));
        let nearly = after(&world);
        world.pass(seconds(1));
        (at_once, nearly, after(&world))
    };
    assert_eq!(kept(|rule| rule.rate(5, seconds(60)), true), (100, 100, 0));
    assert_eq!(kept(|rule| rule.rate(5, seconds(60)), false), (100, 100, 0), "it counts attempts");
    assert_eq!(kept(|rule| rule.uses(5), true), (100, 100, 100));
    assert_eq!(kept(|rule| rule.uses(5), false), (0, 0, 0), "all came back");
    assert_eq!(kept(|rule| rule.budget("args.n", 5), true), (100, 100, 100));
    assert_eq!(kept(|rule| rule.uses(5).rate(5, seconds(60)), true), (100, 100, 100));
    assert_eq!(kept(|rule| rule.uses(5).rate(5, seconds(60)), false), (100, 100, 0));
}

#[test]
fn what_a_counter_held_before_a_reload_is_kept_as_it_was() {
    let uses = || policy([pings("p").uses(2).per_identity()]);
    let rate = || policy([pings("p").rate(5, seconds(60)).per_identity()]);
    // Uses are spent before, or after, the rule limited a rate.
    for policies in [[uses(), rate()], [rate(), uses()]] {
        let [first, second] = policies;
        let world = World::new(first);
        let agent = world.agent("a");
        let call = || {
            let task = world.open(&agent);
            let grant = task.request(to_ping(), &here()).unwrap();
            let called = world.call(&grant, &ping());
            task.complete();
            called
        };
        call().unwrap();
        world.broker.reload(&second).unwrap().finish();
        call().unwrap();
        world.pass(seconds(60));
        world.broker.sweep(usize::MAX);
        assert_eq!(world.broker.stats().identity_counters, 1);
        world.broker.reload(&uses()).unwrap().finish();
        assert_eq!(call().unwrap_err().reason(), Reason::UsesSpent);
    }
}

#[test]
fn a_counter_that_a_live_grant_draws_on_is_not_forgotten() {
    let world = World::rules([pings("p").uses(1).per_identity().ttl(seconds(600))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grants = [(); 2].map(|()| task.request(to_ping(), &here()).unwrap());
    world.broker.sweep(usize::MAX);
    let other = world.open(&agent);
    let fresh = other.request(to_ping(), &here()).unwrap();
    world.call(&grants[0], &ping()).unwrap();
    assert_eq!(world.denied(&fresh, &ping()), Reason::UsesSpent);
}

#[test]
fn opening_tasks_and_the_reaper_forget_counters_too() {
    let rules = || [pings("p").rate(5, seconds(60)).per_identity()];
    let spend = |world: &World, name: &str| {
        let agent = world.agent(name);
        let task = world.open(&agent);
        world.call(&task.request(to_ping(), &here()).unwrap(), &ping()).unwrap();
        task.complete();
    };
    let world = World::rules(rules());
    spend(&world, "a");
    world.pass(seconds(60));
    let idle = world.agent("idle");
    for _ in 0..32 {
        world.open(&idle).complete();
    }
    assert_eq!(world.broker.stats().identity_counters, 0);

    let world = World::rules(rules());
    (0..1000).for_each(|n| spend(&world, &format!("agent-{n}")));
    world.pass(seconds(60));
    let _reaper = world.broker.start_reaper(Duration::from_millis(1)).unwrap();
    while world.broker.stats().identity_counters > 0 {
        std::thread::yield_now();
    }
}
