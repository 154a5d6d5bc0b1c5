//! Limits against many threads: exactly as many calls run as there are uses.

use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass::Running;
use hallpass::prelude::*;
use serde_json::json;

use crate::schedule::explore;
use crate::world::{World, here, ping, ping_with, pings, policy, seconds, to_ping};

/// Lets this many threads make one call each, with the grant of its turn; how many ran.
fn race(world: &World, grants: &[Grant], threads: usize, call: &Call, spent: Reason) -> usize {
    let ran = AtomicUsize::new(0);
    shuttle::thread::scope(|scope| {
        for thread in 0..threads {
            let (ran, grant) = (&ran, &grants[thread % grants.len()]);
            scope.spawn(move || match world.call(grant, call) {
                Ok(()) => {
                    ran.fetch_add(1, Ordering::SeqCst);
                }
                Err(denial) => assert_eq!(denial.reason(), spent),
            });
        }
    });
    ran.into_inner()
}

fn uses(schedules: usize, uses: usize, threads: usize) {
    let policy = policy([pings("p").uses(uses as u64)]);
    explore(schedules, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        let ran = race(&world, &[grant], threads, &ping(), Reason::UsesSpent);
        assert_eq!(ran, uses);
        world.records();
    });
}

#[test]
fn of_six_threads_exactly_as_many_run_as_there_are_uses() {
    uses(1000, 2, 6);
}

/// attack 139
#[test]
fn of_sixty_four_threads_exactly_as_many_run_as_there_are_uses() {
    uses(40, 9, 64);
}

#[test]
fn a_rate_lets_exactly_so_many_through() {
    let policy = policy([pings("p").rate(2, seconds(60))]);
    explore(800, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        assert_eq!(race(&world, &[grant], 4, &ping(), Reason::RateExceeded), 2);
        world.records();
    });
}

#[test]
fn a_budget_is_spent_to_its_last_whole_call_and_no_further() {
    let policy = policy([pings("p").budget("args.n", 10)]);
    explore(800, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        let call = ping_with(json!({ "n": 4 }));
        assert_eq!(race(&world, &[grant], 4, &call, Reason::BudgetSpent), 2);
        world.records();
    });
}

#[test]
fn grants_of_one_task_draw_on_one_counter() {
    let policy = policy([pings("p").uses(2)]);
    explore(800, move || {
        let world = World::new(&policy);
        let (task, first) = world.pinging();
        let second = task.request(to_ping(), &here()).unwrap();
        assert_eq!(race(&world, &[first, second], 4, &ping(), Reason::UsesSpent), 2);
        world.records();
    });
}

#[test]
fn tasks_of_one_identity_draw_on_one_counter_where_it_counts_per_identity() {
    let policy = policy([pings("p").uses(3).budget("args.n", 8).per_identity()]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (_first, one) = world.pinging();
        let (_second, other) = world.pinging();
        let call = ping_with(json!({ "n": 4 }));
        assert_eq!(race(&world, &[one, other], 4, &call, Reason::BudgetSpent), 2);
        world.records();
    });
}

/// Counters of two tasks are made at one moment, and calls draw on two of them each, from both sides:
/// taken in the wrong order, their locks would stop everything.
#[test]
fn calls_that_draw_on_the_same_counters_from_both_sides_do_not_stop_each_other() {
    let policy =
        policy([pings("first").uses(3).per_identity(), pings("second").uses(2).per_identity()]);
    explore(800, move || {
        let world = World::new(&policy);
        let (ada, bob) = (world.agent("ada"), world.agent("bob"));
        let ran = AtomicUsize::new(0);
        shuttle::thread::scope(|scope| {
            for (opener, holder) in [(&ada, &bob), (&bob, &ada)] {
                let (ran, world) = (&ran, &world);
                scope.spawn(move || {
                    let task = world.open(opener);
                    let grant = task.request_for(holder, to_ping(), &here()).unwrap();
                    for _ in 0..2 {
                        ran.fetch_add(
                            usize::from(world.call(&grant, &ping()).is_ok()),
                            Ordering::SeqCst,
                        );
                    }
                });
            }
        });
        assert_eq!(ran.into_inner(), 2);
        world.records();
    });
}

/// attack 140
#[test]
fn a_permit_that_is_dropped_gives_back_its_use_exactly_once() {
    let policy = policy([pings("p").uses(2)]);
    explore(1000, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        let ran = AtomicUsize::new(0);
        shuttle::thread::scope(|scope| {
            for thread in 0..3 {
                let (world, grant, ran) = (&world, &grant, &ran);
                scope.spawn(move || match world.authorize(grant, &ping()) {
                    Ok(permit) if thread == 0 => drop(permit),
                    Ok(permit) => {
                        permit.start().unwrap().succeed();
                        ran.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(denial) => assert_eq!(denial.reason(), Reason::UsesSpent),
                });
            }
        });
        let rest = std::iter::from_fn(|| world.call(&grant, &ping()).ok()).count();
        assert_eq!(ran.into_inner() + rest, 2);
        world.records();
    });
}

/// The permit lapses at the moment it starts: its use is spent by it, or by the next, never by both.
#[test]
fn a_permit_that_lapses_while_it_starts_spends_one_use_at_the_most() {
    let policy = policy([pings("p").uses(1)]);
    explore(1500, move || {
        let world = World::new(&policy);
        let (_task, grant) = world.pinging();
        let permit = world.authorize(&grant, &ping()).unwrap();
        let ran = shuttle::thread::scope(|scope| {
            let first = scope.spawn(|| permit.start().map(Running::succeed).is_ok());
            world.clock.advance(seconds(30));
            let second = world.call(&grant, &ping()).is_ok();
            [first.join().unwrap(), second]
        });
        assert_ne!(ran, [true; 2]);
        // Where neither ran, the use came back.
        assert_eq!(world.call(&grant, &ping()).is_ok(), ran == [false; 2]);
        world.records();
    });
}
