//! Limits that span tasks, counted over all nodes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::Halt;
use hallpass::clock::Clock;
use hallpass::fleet::{CounterKey, CounterRow, Store};
use hallpass::prelude::*;

use crate::world::{Counted, LEASE, Node, World};

const LIMITED: &str = r#"
    version = 1
    rule = [
        { id = "free", effect = "permit", what = { tool = "free", args = "any" }, grant = { uses = 20 } },
        { id = "few", effect = "permit", what = { tool = "few", args = "any" }, grant = { uses = 3, per = "identity" } },
        { id = "kept", effect = "permit", what = { tool = "kept", args = "any" }, grant = { uses = 3, per = "identity", refund = false } },
        { id = "many", effect = "permit", what = { tool = "many", args = "any" }, grant = { uses = 200, per = "identity" } },
        { id = "pay", effect = "permit", what = { tool = "pay", args = "any" }, grant = { budget = { "args.amount" = 10 }, per = "identity" } },
        { id = "slow", effect = "permit", what = { tool = "slow", args = "any" }, grant = { uses = "2/1h", per = "identity" } },
        { id = "rated", effect = "permit", what = { tool = "rated", args = "any" }, grant = { rate = "2/1h", per = "identity" } },
    ]
"#;

fn limited(nodes: usize) -> World {
    let world = World::of(nodes);
    world.finish(&world.nodes[0].fleet.reload(LIMITED, 0).unwrap());
    world
}

/// Why a fresh task can't call a tool, if it can't; and its wait, if there is one.
fn call(node: &Node, tool: &str, args: serde_json::Value) -> Result<(), Denial> {
    let (_task, grant) = node.grant(tool)?;
    let call = Call::new(tool, args).unwrap();
    let permit = node.broker.gate().authorize(&grant, &node.agent, call, &Context::new())?;
    permit.start()?.succeed();
    Ok(())
}

fn denied(node: &Node, tool: &str) -> Option<Reason> {
    call(node, tool, serde_json::json!({})).err().map(|denial| denial.reason())
}

#[test]
fn an_identity_is_counted_over_all_nodes() {
    let world = limited(3);
    let [first, second, third] = &world.nodes[..] else { panic!() };
    assert_eq!([first, second, first].map(|node| denied(node, "few")), [None; 3]);
    for node in [first, second, third] {
        assert_eq!(denied(node, "few"), Some(Reason::UsesSpent));
        let (_task, grant) = node.grant("few").unwrap();
        let few = Call::new("few", serde_json::json!({})).unwrap();
        let dry = node.broker.gate().check(grant.token(), &node.agent, &few, &Context::new());
        assert_eq!(dry.unwrap_err().reason(), Reason::UsesSpent);
    }
    let other = third.broker.assert_identity("agent-8").unwrap();
    let task = third.broker.open(&other, Purpose::new("errand")).unwrap();
    let grant = task.request(Scope::tool("few").any_args(), &Context::new()).unwrap();
    let few = Call::new("few", serde_json::json!({})).unwrap();
    assert!(third.broker.gate().authorize(&grant, &other, few, &Context::new()).is_ok());
}

#[test]
fn a_budget_and_a_window_are_counted_over_all_nodes() {
    let world = limited(2);
    let [first, second] = &world.nodes[..] else { panic!() };
    let pay = |node, amount: u64| call(node, "pay", serde_json::json!({ "amount": amount }));
    assert!(pay(first, 6).is_ok());
    assert_eq!(pay(second, 5).unwrap_err().reason(), Reason::BudgetSpent);
    assert!(pay(second, 4).is_ok());
    assert_eq!(pay(first, 1).unwrap_err().reason(), Reason::BudgetSpent);
    let hour = Duration::from_secs(3600);
    for (tool, spent) in [("slow", Reason::UsesSpent), ("rated", Reason::RateExceeded)] {
        assert_eq!([first, second].map(|node| denied(node, tool)), [None; 2]);
        let denial = call(second, tool, serde_json::json!({})).unwrap_err();
        assert_eq!((denial.reason(), denial.retry_after()), (spent, Some(hour)));
    }
    world.clock.advance(hour);
    world.pass(LEASE);
    for tool in ["slow", "rated"] {
        assert_eq!([second, first].map(|node| denied(node, tool)), [None; 2]);
    }
}

#[test]
fn what_never_starts_comes_back_once_where_no_rule_keeps_it() {
    let world = limited(2);
    let [first, second] = &world.nodes[..] else { panic!() };
    for tool in ["few", "kept"] {
        for _ in 0..3 {
            let (_task, grant) = first.grant(tool).unwrap();
            let permit = first.permit(&grant, tool).unwrap();
            drop(permit);
            if tool == "few" {
                continue;
            }
        }
    }
    // Of the same counter, the next charge tells it at once; at others it is known once it was told.
    assert_eq!(denied(first, "few"), None);
    assert_eq!(denied(first, "kept"), Some(Reason::UsesSpent));
    assert_eq!(denied(second, "kept"), Some(Reason::UsesSpent));
    let (_task, grant) = first.grant("few").unwrap();
    drop(first.permit(&grant, "few").unwrap());
    assert_eq!((first.fleet.give_back(), first.fleet.give_back()), (0, 0));
    assert_eq!(
        [second, second, second].map(|node| denied(node, "few")),
        [None, None, Some(Reason::UsesSpent)]
    );
}

/// Counted, not believed.
#[test]
fn rules_that_count_in_one_task_make_no_query() {
    let world = limited(1);
    let node = &world.nodes[0];
    let (_task, grant) = node.grant("free").unwrap();
    for _ in 0..10 {
        node.permit(&grant, "free").unwrap().start().unwrap().succeed();
    }
    let free = Call::new("free", serde_json::json!({})).unwrap();
    assert!(node.broker.gate().check(grant.token(), &node.agent, &free, &Context::new()).is_ok());
    node.fleet.give_back();
    assert_eq!(node.link.counts(), 0);
    // What this node denies by itself is not asked for.
    assert_eq!(denied(node, "other"), Some(Reason::NotCovered));
    assert_eq!((node.link.counts(), denied(node, "few"), node.link.counts()), (0, None, 1));
}

#[test]
fn three_nodes_with_eight_threads_each_spend_what_there_is_and_no_more_with_answers_lost() {
    let world = limited(3);
    let drawn = Arc::new(AtomicU64::new(1));
    for node in &world.nodes {
        let drawn = drawn.clone();
        node.link.on_count(move || {
            match drawn.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst) >> 61 {
                0 => Counted::NotReached,
                1 => Counted::Lost,
                _ => Counted::Well,
            }
        });
    }
    let started = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..24 {
            let (node, started) = (&world.nodes[thread % 3], &started);
            scope.spawn(move || {
                for turn in 0.. {
                    let (_task, grant) = node.grant("many").unwrap();
                    match node.permit(&grant, "many") {
                        Ok(permit) if (turn + thread) % 3 == 0 => drop(permit),
                        Ok(permit) => {
                            permit.start().unwrap().succeed();
                            started.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(denial) if denial.reason() == Reason::LimitUnknown => {}
                        Err(denial) => {
                            assert_eq!(denial.reason(), Reason::UsesSpent);
                            return;
                        }
                    }
                }
            });
        }
    });
    // What comes back is all told by now, and no more.
    for node in &world.nodes {
        while node.fleet.give_back() > 0 {}
        node.link.on_count(|| Counted::Well);
    }
    while denied(&world.nodes[0], "many").is_none() {
        started.fetch_add(1, Ordering::SeqCst);
    }
    assert_eq!(started.load(Ordering::SeqCst), 200);
}

#[test]
fn a_store_that_hangs_holds_up_nothing_that_does_not_need_it() {
    let world = limited(1);
    let node = &world.nodes[0];
    let (task, grant) = node.grant("free").unwrap();
    let ((hangs, is_hanging), (let_go, go_on)) = (channel(), channel::<()>());
    let go_on = Mutex::new(go_on);
    node.link.on_count(move || {
        hangs.send(()).unwrap();
        let _ = go_on.lock().unwrap().recv();
        Counted::NotReached
    });
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| denied(node, "few"));
        is_hanging.recv().unwrap();
        // Another call, a renewal, a halt and the end of a task.
        node.permit(&grant, "free").unwrap().start().unwrap().succeed();
        world.pass(2 * LEASE);
        node.permit(&grant, "free").unwrap().start().unwrap().succeed();
        world.finish(&node.fleet.halt(Halt::tool("other").unwrap()));
        task.complete();
        assert!(!asking.is_finished());
        drop(let_go);
        assert_eq!(asking.join().unwrap(), Some(Reason::LimitUnknown));
    });
}

#[test]
fn what_is_not_permitted_after_it_was_charged_comes_back() {
    let world = limited(1);
    let node = &world.nodes[0];
    let halt = || Halt::identity("agent-7").unwrap();
    let control = node.broker.control();
    node.link.on_count(move || {
        let _ = control.halt(halt());
        Counted::Well
    });
    let (_task, grant) = node.grant("few").unwrap();
    assert_eq!(node.permit(&grant, "few").unwrap_err().reason(), Reason::Halted);
    node.link.on_count(|| Counted::Well);
    world.pass(LEASE);
    world.finish(&node.fleet.resume(&halt()));
    assert_eq!([(); 3].map(|()| denied(node, "few")), [None; 3]);
    // The lease is looked at after the store has answered.
    let clock = world.clock.clone();
    node.link.on_count(move || {
        clock.advance(LEASE);
        Counted::Well
    });
    let (_task, grant) = node.grant("slow").unwrap();
    assert_eq!(node.permit(&grant, "slow").unwrap_err().reason(), Reason::NoLease);
}

#[test]
fn a_call_whose_limits_change_while_it_is_charged_is_charged_anew() {
    let world = limited(2);
    let (node, other) = (&world.nodes[0], &world.nodes[1]);
    let wider = LIMITED.replace("uses = 3,", "uses = 5,");
    let reload = other.fleet.reload(&wider, other.fleet.epoch()).unwrap();
    for _ in 0..3 {
        other.fleet.tend();
    }
    let fleet = node.fleet.clone();
    node.link.on_count(move || {
        // Another thread applies it while this one asks.
        fleet.tend();
        Counted::Well
    });
    world.clock.advance(LEASE / 2);
    let (_task, grant) = node.grant("few").unwrap();
    node.permit(&grant, "few").unwrap().start().unwrap().succeed();
    world.finish(&reload);
    assert_eq!([(); 5].map(|()| denied(node, "few")).iter().filter(|own| own.is_none()).count(), 4);
}

/// A presentation is good for one call, which is judged twice.
#[test]
fn a_presentation_is_taken_once_though_the_call_is_judged_again() {
    let world = limited(1);
    let node = &world.nodes[0];
    let (_task, grant) = node.grant("few").unwrap();
    let few = || Call::new("few", serde_json::json!({})).unwrap();
    let now = world.clock.read().unwrap().wall;
    let presented = grant.token().present(&few(), now).unwrap();
    let gate = node.broker.gate();
    assert!(gate.authorize(&presented, &node.agent, few(), &Context::new()).is_ok());
    let again = gate.authorize(&presented, &node.agent, few(), &Context::new());
    assert_eq!(again.unwrap_err().reason(), Reason::Replayed);
}

/// Who can write the database can stop the fleet, and give nothing: not even by moving counters.
#[test]
fn a_counter_that_no_member_wrote_permits_nothing() {
    let world = limited(1);
    let node = &world.nodes[0];
    assert_eq!(denied(node, "few"), None);
    let [few]: [CounterKey; 1] = node.link.last_keys().try_into().unwrap();
    assert_eq!(denied(node, "many"), None);
    let [many]: [CounterKey; 1] = node.link.last_keys().try_into().unwrap();
    let keep = std::cell::RefCell::new(Vec::new());
    let change = |keys: &[CounterKey], change: &mut dyn FnMut(&mut [CounterRow])| {
        world.store.count(keys, &mut |_, rows| change(rows)).unwrap();
    };
    change(&[few], &mut |rows| *keep.borrow_mut() = rows.to_vec());
    for at in [0, 5, keep.borrow()[0].bytes.len() - 1] {
        change(&[few], &mut |rows| rows[0].bytes[at] ^= 1);
        assert_eq!(denied(node, "few"), Some(Reason::LimitUnknown));
        change(&[few], &mut |rows| rows.clone_from_slice(&keep.borrow()));
    }
    change(&[many], &mut |rows| rows.clone_from_slice(&keep.borrow()));
    assert_eq!(denied(node, "many"), Some(Reason::LimitUnknown));
    assert_eq!(denied(node, "few"), None);
}
