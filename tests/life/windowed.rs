//! Uses and budgets within a window.

use hallpass::policy::Moment;
use hallpass::prelude::*;
use serde_json::json;

use crate::world::{World, here, ping, ping_with, pings, policy, seconds, to_ping};

fn n(amount: i64) -> Call {
    ping_with(json!({ "n": amount }))
}

fn day() -> std::time::Duration {
    seconds(24 * 60 * 60)
}

fn span(task: &Task) -> Grant {
    task.request(to_ping(), &here()).unwrap()
}

/// What is spent at a moment counts until the window's length after it, wherever days begin.
#[test]
fn a_budget_of_a_day_slides_with_the_clock_and_goes_over_all_tasks_of_an_identity() {
    let world = World::rules([pings("p").budget_within("args.n", 150, day()).per_identity()]);
    let agent = world.agent("ana");
    let spend = |amount: i64| {
        let task = world.open(&agent);
        let answer = world.call(&span(&task), &n(amount));
        task.complete();
        answer.map_err(|denial| (denial.reason(), denial.retry_after()))
    };
    spend(100).unwrap();
    world.pass(seconds(3600));
    spend(50).unwrap();
    let wait = |hours: u64| Err((Reason::BudgetSpent, Some(seconds(hours * 3600))));
    assert_eq!(spend(1), wait(23));
    assert_eq!(spend(100), wait(23));
    assert_eq!(spend(101), wait(24), "for that the later one has to go, too");
    assert_eq!(spend(151), Err((Reason::BudgetSpent, None)), "it never fits");
    world.pass(seconds(23 * 3600 - 1));
    assert_eq!(spend(100), Err((Reason::BudgetSpent, Some(seconds(1)))));
    world.pass(seconds(1));
    spend(100).unwrap();
    assert_eq!(spend(1), wait(1));
    // Somebody else has their own.
    let other = world.agent("ben");
    let task = world.open(&other);
    world.call(&span(&task), &n(150)).unwrap();
}

#[test]
fn uses_within_a_window_come_back_with_time_and_where_the_tool_never_started() {
    let rule = pings("p").uses_within(2, seconds(60)).ttl(seconds(3000));
    let world = World::rules([rule]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = span(&task);
    drop(world.authorize(&grant, &ping()).unwrap());
    world.call(&grant, &ping()).unwrap();
    world.pass(seconds(20));
    world.call(&grant, &ping()).unwrap();
    let denial = world.authorize(&grant, &ping()).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::UsesSpent, Code::LimitReached));
    assert_eq!(denial.retry_after(), Some(seconds(40)));
    let told = denial.explain().to_string();
    assert!(told.contains("all 2 uses within 1m are spent"), "{told}");
    world.pass(seconds(40));
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    // A rule may keep what never started.
    let kept = World::rules([pings("p").uses_within(1, seconds(60)).no_refund()]);
    let agent = kept.agent("a");
    let task = kept.open(&agent);
    let grant = span(&task);
    drop(kept.authorize(&grant, &ping()).unwrap());
    assert_eq!(kept.denied(&grant, &ping()), Reason::UsesSpent);
    kept.pass(seconds(60));
    kept.call(&grant, &ping()).unwrap();
}

#[test]
fn delegates_and_grants_of_a_task_share_a_window() {
    let everywhere = [Moment::Request, Moment::Call, Moment::Delegate];
    let rule = pings("p").on(everywhere).depth(1).budget_within("args.n", 10, seconds(60));
    let world = World::rules([rule]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = span(&task);
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    world.call(&child, &n(6)).unwrap();
    assert_eq!(world.denied(&parent, &n(5)), Reason::BudgetSpent);
    assert_eq!(world.denied(&span(&task), &n(5)), Reason::BudgetSpent);
    world.call(&parent, &n(4)).unwrap();
}

/// attack 139
#[test]
fn a_reload_resets_nothing_and_holds_a_grant_to_both_windows() {
    let rule =
        |most, window| pings("p").ttl(seconds(3000)).budget_within("args.n", most, seconds(window));
    let world = World::rules([rule(10, 60)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = span(&task);
    world.call(&grant, &n(10)).unwrap();
    // More in more time: neither is the tighter.
    world.broker.reload(&policy([rule(15, 300)])).unwrap();
    assert_eq!(world.denied(&grant, &n(1)), Reason::BudgetSpent);
    world.pass(seconds(60));
    world.call(&grant, &n(5)).unwrap();
    assert_eq!(world.denied(&grant, &n(1)), Reason::BudgetSpent, "15 within five minutes");
    assert_eq!(world.denied(&span(&task), &n(1)), Reason::BudgetSpent);
    world.pass(seconds(240));
    world.call(&grant, &n(6)).unwrap();
    // From none to one: what was spent before counts as spent with the latest of it.
    let world = World::rules([pings("p").budget("args.n", 10)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    world.call(&span(&task), &n(7)).unwrap();
    world.pass(seconds(30));
    world.call(&span(&task), &n(3)).unwrap();
    world.broker.reload(&policy([rule(10, 60)])).unwrap();
    world.pass(seconds(59));
    let grant = span(&task);
    assert_eq!(world.denied(&grant, &n(1)), Reason::BudgetSpent);
    world.pass(seconds(1));
    world.call(&grant, &n(10)).unwrap();
    // And back: all that was spent counts.
    world.broker.reload(&policy([pings("p").budget("args.n", 21)])).unwrap();
    assert_eq!(world.denied(&span(&task), &n(2)), Reason::BudgetSpent);
    world.call(&span(&task), &n(1)).unwrap();
}

#[test]
fn a_counter_of_an_identity_is_kept_for_as_long_as_a_window_counts() {
    let world = World::rules([pings("p").budget_within("args.n", 5, day()).per_identity()]);
    let agent = world.agent("a");
    let spend = |amount: i64| {
        let task = world.open(&agent);
        world.call(&span(&task), &n(amount)).map_err(|denial| denial.reason())
    };
    spend(5).unwrap();
    // Others come and go, and what no grant holds is swept.
    for name in 0..300 {
        let other = world.agent(&format!("other-{name}"));
        let task = world.open(&other);
        world.call(&span(&task), &n(1)).unwrap();
        world.pass(seconds(60));
    }
    assert_eq!(spend(1), Err(Reason::BudgetSpent));
    world.pass(day());
    spend(5).unwrap();
}

#[test]
fn text_says_windows_as_rates_are_said() {
    let text = Policy::from_toml(
        r#"
        version = 1
        [[rule]]
        id = "p"
        effect = "permit"
        what = { tool = "ping", args = "any" }
        grant = { uses = "20/1h", budget = { "args.n" = "99.50/1d" } }
        "#,
    )
    .unwrap();
    let most: hallpass::value::Number = "99.5".parse().unwrap();
    let rule = pings("p").uses_within(20, seconds(3600)).budget_within("args.n", most, day());
    assert_eq!(text.digest(), policy([rule]).digest());
    for other in [
        pings("p").uses(20).budget_within("args.n", most, day()),
        pings("p").uses_within(20, seconds(3600)).budget("args.n", most),
        pings("p").uses_within(20, seconds(3601)).budget_within("args.n", most, day()),
        pings("p").uses_within(20, seconds(3600)).budget_within("args.n", most, day() * 2),
    ] {
        assert_ne!(text.digest(), policy([other]).digest());
    }
}

/// attack 139: what still counted at a reload that has a rule look back further counts on, also once the window it had
/// would have passed and no one holds a grant.
#[test]
fn a_reload_that_looks_back_further_forgets_nothing_that_still_counted() {
    let within = |window| pings("p").per_identity().uses_within(2, seconds(window));
    let rated = |window| pings("p").per_identity().rate(2, seconds(window));
    let budget = |window| pings("p").per_identity().budget_within("args.n", 2, seconds(window));
    let longer = [
        (within(60), within(3600)),
        (rated(60), rated(3600)),
        (budget(60), budget(3600)),
        (rated(60), within(3600)),
        (within(60), pings("p").per_identity().uses(2)),
    ];
    for (number, (before, after)) in longer.into_iter().enumerate() {
        let world = World::rules([before]);
        let agent = world.agent("a");
        let spend = || {
            let task = world.open(&agent);
            let asked = task.request(to_ping(), &here());
            asked.and_then(|grant| world.call(&grant, &n(1))).map_err(|denial| denial.reason())
        };
        assert_eq!([spend(), spend()], [Ok(()), Ok(())]);
        world.pass(seconds(30));
        world.broker.reload(&policy([after])).unwrap();
        world.pass(seconds(40));
        for _ in 0..100 {
            world.broker.sweep(1000);
        }
        assert!(spend().is_err(), "{number}");
    }
}

/// What no number takes in is not forgotten with a call that never started.
#[test]
fn a_sum_that_no_number_takes_in_is_not_taken_back_call_by_call() {
    let number = |text: &str| text.parse::<hallpass::value::Number>().unwrap();
    let most = number("90000000000000000000000000000000000000");
    let large = r#"{ "n": 80000000000000000000000000000000000000 }"#;
    let large = Call::from_json("ping", large).unwrap();
    let rule = pings("p").ttl(seconds(3000)).budget_within("args.n", most, seconds(60));
    let world = World::rules([rule]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = span(&task);
    world.call(&grant, &large).unwrap();
    for _ in 0..3 {
        world.pass(seconds(60));
        drop(world.authorize(&grant, &large).unwrap());
    }
    world.pass(seconds(60));
    world.broker.reload(&policy([pings("p").budget("args.n", most)])).unwrap();
    assert_eq!(world.denied(&span(&task), &large), Reason::BudgetSpent);
}

/// Of several windows that are full, the one that is full longest says when to come back.
#[test]
fn what_several_windows_withhold_comes_back_with_the_last_of_them() {
    let (soon, late) = (seconds(60), seconds(90));
    for (uses, budget, reason) in
        [(late, soon, Reason::UsesSpent), (soon, late, Reason::BudgetSpent)]
    {
        let rule = pings("p").uses_within(1, uses).budget_within("args.n", 10, budget);
        let world = World::rules([rule.ttl(seconds(600))]);
        let task = world.open(&world.agent("a"));
        let grant = span(&task);
        world.call(&grant, &n(10)).unwrap();
        let denial = world.authorize(&grant, &n(1)).unwrap_err();
        assert_eq!((denial.reason(), denial.retry_after()), (reason, Some(late)));
        // What never fits is later than any.
        let denial = world.authorize(&grant, &n(11)).unwrap_err();
        assert_eq!((denial.reason(), denial.retry_after()), (Reason::BudgetSpent, None));
        world.pass(soon);
        let denial = world.authorize(&grant, &n(1)).unwrap_err();
        assert_eq!((denial.reason(), denial.retry_after()), (reason, Some(late - soon)));
        world.pass(late - soon);
        world.call(&grant, &n(1)).unwrap();
    }
}
