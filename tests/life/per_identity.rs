//! Limits that span all tasks of one identity.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass::prelude::*;
use serde_json::json;

use crate::world::{World, here, ping, ping_with, pings, policy, seconds, to_ping};

fn span(task: &Task) -> Grant {
    task.request(to_ping(), &here()).unwrap()
}

#[test]
fn a_rule_that_counts_per_identity_counts_over_all_its_tasks() {
    let rule = pings("p").uses(3).rate(100, seconds(60)).budget("args.n", 100).per_identity();
    let world = World::rules([rule]);
    let (ada, bob) = (world.agent("ada"), world.agent("bob"));
    let call = ping_with(json!({ "n": 10 }));
    for _ in 0..3 {
        let task = world.open(&ada);
        world.call(&span(&task), &call).unwrap();
        task.complete();
    }
    let task = world.open(&ada);
    assert_eq!(world.denied(&span(&task), &call), Reason::UsesSpent);
    let other = world.open(&bob);
    world.call(&span(&other), &call).unwrap();
}

#[test]
fn budget_and_rate_span_tasks_too_and_come_back_by_the_same_rules() {
    let rule = pings("p").rate(3, seconds(60)).budget("args.n", 100).per_identity();
    let world = World::rules([rule]);
    let agent = world.agent("a");
    let tasks = [world.open(&agent), world.open(&agent)];
    let [first, second] = [span(&tasks[0]), span(&tasks[1])];
    let n = |n: i64| ping_with(json!({ "n": n }));
    drop(world.authorize(&first, &n(100)).unwrap());
    world.call(&second, &n(60)).unwrap();
    assert_eq!(world.denied(&first, &n(41)), Reason::BudgetSpent);
    world.call(&first, &n(40)).unwrap();
    assert_eq!(world.denied(&second, &n(0)), Reason::RateExceeded, "the rate never comes back");
    world.pass(seconds(60));
    world.call(&second, &n(0)).unwrap();
}

#[test]
fn a_use_that_spans_tasks_comes_back_even_after_its_task_has_ended() {
    let world = World::rules([pings("p").uses(1).per_identity()]);
    let agent = world.agent("a");
    let (first, second) = (world.open(&agent), world.open(&agent));
    let permit = world.authorize(&span(&first), &ping()).unwrap();
    let grant = span(&second);
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    first.complete();
    assert!(permit.start().is_err());
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

#[test]
fn a_reload_resets_no_counter_that_spans_tasks() {
    let world = World::rules([pings("p").uses(3).per_identity()]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = span(&task);
    world.call(&grant, &ping()).unwrap();
    let _scan = world.broker.reload(&policy([pings("p").uses(2).per_identity()])).unwrap();
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    assert_eq!(world.denied(&span(&task), &ping()), Reason::UsesSpent);
    // Counted per task from now on: a grant from before keeps both limits.
    let _scan = world.broker.reload(&policy([pings("p").uses(2)])).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    world.call(&span(&task), &ping()).unwrap();
}

/// The rule counts whomever it permits: a planner does not multiply its own limit by its workers.
#[test]
fn who_asks_for_others_spends_of_its_own() {
    let world = World::rules([pings("p").uses(2).per_identity()]);
    let planner = world.agent("planner");
    let task = world.open(&planner);
    let ask = |name: &str| task.request_for(&world.agent(name), to_ping(), &here()).unwrap();
    world.call(&ask("w-1"), &ping()).unwrap();
    world.call(&ask("w-2"), &ping()).unwrap();
    assert_eq!(world.denied(&ask("w-3"), &ping()), Reason::UsesSpent);
    // A worker by itself has its own.
    let worker = world.agent("w-1");
    let own = world.open(&worker);
    world.call(&span(&own), &ping()).unwrap();
    assert_eq!(world.denied(&span(&own), &ping()), Reason::UsesSpent);
}

/// attack 139: over many tasks, with two counters a call, taken from both sides so that locks taken
/// in the wrong order would stop everything
#[test]
fn sixty_four_threads_over_many_tasks_get_exactly_as_many_uses_as_there_are() {
    let world = World::rules([
        pings("first").uses(100).per_identity(),
        pings("second").uses(90).per_identity(),
    ]);
    let (ada, bob) = (world.agent("ada"), world.agent("bob"));
    let (ran, start) = (AtomicUsize::new(0), Barrier::new(64));
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (world, ran, start) = (&world, &ran, &start);
            let (opener, holder) = if thread % 2 == 0 { (&ada, &bob) } else { (&bob, &ada) };
            scope.spawn(move || {
                let task = world.open(opener);
                let grant = task.request_for(holder, to_ping(), &here()).unwrap();
                start.wait();
                for _ in 0..4 {
                    match world.authorize(&grant, &ping()) {
                        Ok(permit) if thread % 4 < 2 => drop(permit),
                        Ok(permit) => {
                            permit.start().unwrap().succeed();
                            ran.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(denial) => assert_eq!(denial.reason(), Reason::UsesSpent),
                    }
                }
            });
        }
    });
    let task = world.open(&ada);
    let grant = task.request_for(&bob, to_ping(), &here()).unwrap();
    let rest = std::iter::from_fn(|| world.call(&grant, &ping()).ok()).count();
    assert_eq!(ran.into_inner() + rest, 90);
}
