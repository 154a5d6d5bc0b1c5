//! Uses, rate, budget, idle time and total life.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::any;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{World, here, ping, ping_with, pings, policy, seconds, to_ping};

#[test]
fn a_use_of_a_call_that_ran_is_spent_whatever_its_outcome() {
    let world = World::rules([pings("p").uses(3)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.start(&grant, &ping()).succeed();
    world.start(&grant, &ping()).fail();
    drop(world.start(&grant, &ping()));
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

/// attack 140
#[test]
fn a_use_of_a_call_that_never_started_comes_back_exactly_once() {
    let world = World::rules([pings("p").uses(2)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let spent = world.authorize(&grant, &ping()).unwrap();
    let kept = world.authorize(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);

    drop(kept);
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);

    // This one lapses, is removed by the next call, and is dropped only then.
    world.pass(seconds(30));
    world.call(&grant, &ping()).unwrap();
    drop(spent);
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

/// attack 140
#[test]
fn a_use_comes_back_if_the_start_is_refused() {
    let world = World::rules([pings("p").uses(1)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let permit = world.authorize(&grant, &ping()).unwrap();
    world.control.halt(hallpass::Halt::Everything);
    assert_eq!(permit.start().unwrap_err().reason(), Reason::Halted);
    world.control.resume(&hallpass::Halt::Everything);
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

/// attack 140
#[test]
fn a_use_and_its_budget_come_back_if_the_log_refuses_the_permit() {
    let world = World::rules([pings("p").uses(1).budget("args.n", 10)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let call = ping_with(json!({ "n": 10 }));
    world.sink.fail_next(1);
    assert_eq!(world.denied(&grant, &call), Reason::LogRefused);
    world.call(&grant, &call).unwrap();
    assert_eq!(world.denied(&grant, &call), Reason::UsesSpent);
}

#[test]
fn a_rate_never_comes_back() {
    let world = World::rules([pings("p").rate(2, seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    drop(world.authorize(&grant, &ping()).unwrap());
    drop(world.authorize(&grant, &ping()).unwrap());
    assert_eq!(world.denied(&grant, &ping()), Reason::RateExceeded);
}

/// attack 86
#[test]
fn a_burst_across_a_windows_edge_is_no_double_burst() {
    let world = World::rules([pings("p").rate(3, seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(59));
    for _ in 0..3 {
        world.call(&grant, &ping()).unwrap();
    }
    world.pass(seconds(2));
    assert_eq!(world.denied(&grant, &ping()), Reason::RateExceeded);
    world.pass(seconds(57));
    assert_eq!(world.denied(&grant, &ping()), Reason::RateExceeded);
    world.pass(seconds(1));
    world.call(&grant, &ping()).unwrap();
}

proptest! {
    /// attack 86
    #[test]
    fn no_window_ever_holds_more_calls_than_the_rate(
        most in 1_u64..5,
        window in 1_u64..20,
        gaps in prop::collection::vec(0_u64..8, 1..60),
    ) {
        let world = World::rules([pings("p").rate(most, seconds(window)).ttl(seconds(3600))]);
        let agent = world.agent("a");
        let task = world.open(&agent);
        let grant = task.request(to_ping(), &here()).unwrap();
        let (mut now, mut made) = (0, Vec::new());
        for gap in gaps {
            now += gap;
            world.pass(seconds(gap));
            let within = made.iter().filter(|at| now - **at < window).count() as u64;
            let permitted = world.call(&grant, &ping()).is_ok();
            prop_assert_eq!(permitted, within < most, "at {}, after {:?}", now, made);
            if permitted {
                made.push(now);
            }
        }
    }
}

/// attack 87: each opens a task of its own. Delegates of one task share what that task may spend,
/// as the design has it.
#[test]
fn two_agents_under_one_rule_have_counters_of_their_own() {
    let world = World::rules([pings("p").uses(1).rate(1, seconds(60))]);
    let (ada, bob) = (world.agent("ada"), world.agent("bob"));
    let (hers, his) = (world.open(&ada), world.open(&bob));
    let her_grant = hers.request(to_ping(), &here()).unwrap();
    let his_grant = his.request(to_ping(), &here()).unwrap();
    world.call(&her_grant, &ping()).unwrap();
    world.call(&his_grant, &ping()).unwrap();
    assert_eq!(world.denied(&her_grant, &ping()), Reason::UsesSpent);
}

#[test]
fn asking_again_resets_nothing() {
    let rule = pings("p").uses(2).rate(100, seconds(60)).budget("args.n", 100);
    let world = World::rules([rule]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut first = task.request(to_ping(), &here()).unwrap();
    let call = ping_with(json!({ "n": 30 }));
    world.call(&first, &call).unwrap();
    world.call(&first, &call).unwrap();
    let second = task.request(to_ping(), &here()).unwrap();
    assert_eq!(world.denied(&second, &call), Reason::UsesSpent);
    task.renew(&mut first, &agent, &here()).unwrap();
    assert_eq!(world.denied(&first, &call), Reason::UsesSpent);
    assert!(!first.revoke().is_empty());
    let third = task.request(to_ping(), &here()).unwrap();
    assert_eq!(world.denied(&third, &call), Reason::UsesSpent);
}

#[test]
fn delegates_spend_what_the_task_has() {
    let rule = pings("p").on([Moment::Request, Moment::Call, Moment::Delegate]).uses(2);
    let world = World::rules([rule]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    world.call(&child, &ping()).unwrap();
    world.call(&parent, &ping()).unwrap();
    assert_eq!(world.denied(&child, &ping()), Reason::UsesSpent);
    assert_eq!(world.denied(&parent, &ping()), Reason::UsesSpent);
}

/// attack 139
#[test]
fn sixty_four_threads_get_exactly_as_many_uses_as_there_are() {
    let world = World::rules([pings("p").uses(40)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let (permitted, start) = (AtomicUsize::new(0), Barrier::new(64));
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (world, grant, permitted, start) = (&world, &grant, &permitted, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..4 {
                    match world.authorize(grant, &ping()) {
                        // Every other thread gives back what it got: these uses come round again.
                        Ok(permit) if thread % 2 == 0 => drop(permit),
                        Ok(permit) => {
                            permit.start().unwrap().succeed();
                            permitted.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(denial) => assert_eq!(denial.reason(), Reason::UsesSpent),
                    }
                }
            });
        }
    });
    let ran = permitted.into_inner();
    let rest = std::iter::from_fn(|| world.call(&grant, &ping()).ok()).count();
    assert_eq!(ran + rest, 40);
}

/// attack 154
#[test]
fn a_budget_counts_only_arguments_that_count() {
    let world = World::rules([pings("p").budget("args.n", 100)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    for args in [
        json!({}),
        json!({ "n": null }),
        json!({ "n": -1 }),
        json!({ "n": "10" }),
        json!({ "n": [10] }),
        json!({ "n": 101 }),
        json!({ "n": u64::MAX }),
    ] {
        assert_eq!(world.denied(&grant, &ping_with(args.clone())), Reason::BudgetSpent, "{args}");
    }
    world.call(&grant, &ping_with(json!({ "n": 99.5 }))).unwrap();
    assert_eq!(world.denied(&grant, &ping_with(json!({ "n": 0.75 }))), Reason::BudgetSpent);
    world.call(&grant, &ping_with(json!({ "n": 0.5 }))).unwrap();
    world.call(&grant, &ping_with(json!({ "n": 0 }))).unwrap();
    assert_eq!(world.denied(&grant, &ping_with(json!({ "n": 1e-20 }))), Reason::BudgetSpent);
}

/// attack 154
#[test]
fn a_sum_of_huge_amounts_does_not_wrap() {
    let huge = "99999999999999999999999999999999999998";
    let number: hallpass::value::Number = huge.parse().unwrap();
    let world = World::rules([pings("p").budget("args.n", number)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let call = Call::from_json("ping", &format!(r#"{{"n":{huge}}}"#)).unwrap();
    world.call(&grant, &call).unwrap();
    for _ in 0..3 {
        assert_eq!(world.denied(&grant, &call), Reason::BudgetSpent);
    }
}

#[test]
fn budget_of_a_call_that_never_started_comes_back() {
    let world = World::rules([pings("p").budget("args.n", 100)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let call = ping_with(json!({ "n": 70.3 }));
    drop(world.authorize(&grant, &call).unwrap());
    world.call(&grant, &call).unwrap();
    assert_eq!(world.denied(&grant, &call), Reason::BudgetSpent);
    world.call(&grant, &ping_with(json!({ "n": 29.7 }))).unwrap();
}

#[test]
fn a_denied_call_spends_nothing() {
    let world = World::rules([
        pings("counted").uses(1),
        Rule::permit("summed").tool("ping").any_args().budget("args.n", 5),
    ]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    assert_eq!(world.denied(&grant, &ping_with(json!({ "n": 6 }))), Reason::BudgetSpent);
    world.call(&grant, &ping_with(json!({ "n": 5 }))).unwrap();
}

#[test]
fn the_tightest_of_all_permits_that_cover_it_limits_a_grant() {
    let world = World::rules([pings("wide").uses(5), pings("narrow").uses(2)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.call(&grant, &ping()).unwrap();
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
}

#[test]
fn an_idle_grant_ends_and_a_used_one_does_not() {
    let world = World::rules([pings("p").idle(seconds(10)).ttl(seconds(100))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    for _ in 0..3 {
        world.pass(seconds(9));
        world.call(&grant, &ping()).unwrap();
    }
    world.pass(seconds(10));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
    assert!(world.broker.standing().grants.is_empty());
}

#[test]
fn denied_calls_keep_no_grant_from_idling() {
    let world = World::rules([Rule::permit("p").tool("ping").arg("n", any()).idle(seconds(10))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(Scope::tool("ping").arg("n", any()), &here()).unwrap();
    world.pass(seconds(9));
    assert_eq!(world.denied(&grant, &ping()), Reason::OutOfScope);
    world.pass(seconds(1));
    assert_eq!(world.denied(&grant, &ping_with(json!({ "n": 1 }))), Reason::Expired);
}

#[test]
fn a_reload_clamps_and_never_resets() {
    let world = World::rules([pings("p").uses(5).ttl(seconds(300))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.call(&grant, &ping()).unwrap();
    world.call(&grant, &ping()).unwrap();

    let tighter = policy([pings("p").uses(3).ttl(seconds(100))]);
    assert!(world.broker.reload(&tighter).unwrap().finish().grants.is_empty());
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);

    // More uses are for grants that are asked for from now on, and even these start where the
    // counter stands.
    let wider = policy([pings("p").uses(4).ttl(seconds(300))]);
    assert!(world.broker.reload(&wider).unwrap().finish().grants.is_empty());
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    let fresh = task.request(to_ping(), &here()).unwrap();
    world.call(&fresh, &ping()).unwrap();
    assert_eq!(world.denied(&fresh, &ping()), Reason::UsesSpent);
    world.pass(seconds(100));
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
}

#[test]
fn a_shorter_window_beside_a_longer_one_forgets_nothing_for_it() {
    let world = World::rules([pings("p").rate(2, seconds(60)).ttl(seconds(600))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let slow = task.request(to_ping(), &here()).unwrap();
    // The same rule with a shorter window, for grants asked for from now on.
    let bursty = policy([pings("p").rate(2, seconds(1)).ttl(seconds(600))]);
    assert!(world.broker.reload(&bursty).unwrap().finish().grants.is_empty());
    let fast = task.request(to_ping(), &here()).unwrap();
    for _ in 0..3 {
        world.call(&fast, &ping()).unwrap();
        world.pass(seconds(2));
    }
    assert_eq!(world.denied(&slow, &ping()), Reason::RateExceeded);
}

#[test]
fn a_rate_too_large_to_keep_is_a_load_error_that_says_why() {
    let load = |calls| Policy::builder().rule(pings("p").rate(calls, seconds(60))).build();
    assert!(load(10_000).is_ok());
    let error = load(10_001).unwrap_err().to_string();
    assert!(error.contains("10001") && error.contains("10000"), "{error}");
}
