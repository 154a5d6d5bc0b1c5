//! Delegation: a child is never worth more than what it hangs from.

use std::sync::Barrier;

use hallpass::audit::Event;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{any, any_of, eq, glob, max, min, not, one_of};
use proptest::prelude::*;
use serde_json::json;

use crate::world::{EVERYWHERE, World, here, ping, ping_with, pings, policy, seconds, to_ping};

pub(crate) fn to_ping_where(n: hallpass::scope::Constraint) -> Scope {
    Scope::tool("ping").arg("n", n)
}

pub(crate) fn n(n: i64) -> Call {
    ping_with(json!({ "n": n }))
}

/// attack 51, attack 52: what a child compares with is a value, not text that is parsed: another blank, a
/// parenthesis, a quote or an operator in it make it another value, which lies outside its parent
#[test]
fn a_childs_literals_are_values_and_never_read_as_expressions() {
    let world = World::rules([pings("p").on(EVERYWHERE).depth(2)]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let of = |text: &str| to_ping_where(eq(text));
    let call = |text: &str| ping_with(json!({ "n": text }));
    for (literal, others) in [
        ("a b", &["a  b", " a b", "a b ", "a\tb", "a\nb", "a\u{a0}b", "ab", ""][..]),
        ("f(x)", &["f(x", "fx)", "(f(x))", "f (x)", "f(x) || true", "f(x) or 1", "f(*)"]),
        ("\"a\"", &["a", "\"a", "'a'", "\"a\" ", "\"a\" == \"a\"", "\\\"a\\\""]),
        ("a && b", &["a&&b", "a || b", "a", "b", "(a && b)"]),
        ("n == 1", &["n==1", "n == 1 ", "true", "1"]),
    ] {
        let parent = task.request(of(literal), &here()).unwrap();
        assert_eq!(world.call(&parent, &call(literal)), Ok(()));
        for other in others {
            // Said before: what a child asks for must lie within its parent.
            let refused = task.delegate(&parent, &worker, of(other), &here()).unwrap_err();
            assert_eq!(refused.reason(), Reason::NotCovered, "{other:?} of {literal:?}");
            // And enforced: a block with the other value, alone or next to the parent's, gains nothing.
            for block in [of(other), to_ping_where(one_of([literal, other]))] {
                let narrowed = parent.token().attenuate(&block, None).unwrap();
                let check = |text: &str| {
                    let answer = world.gate.check(&narrowed, &planner, &call(text), &here());
                    answer.map(drop).map_err(|denial| denial.reason())
                };
                assert_eq!(check(other), Err(Reason::OutOfScope), "{other:?} of {literal:?}");
                let kept = if block == of(other) { Err(Reason::OutOfScope) } else { Ok(()) };
                assert_eq!(check(literal), kept, "{literal:?} next to {other:?}");
            }
        }
        assert!(task.delegate(&parent, &worker, of(literal), &here()).is_ok());
    }
}

/// attack 54: a child names its scope and nothing else. Forbids, asks, rates and records apply to it
/// as they do to anyone.
#[test]
fn a_child_sheds_no_rule_and_no_limit() {
    let world = World::rules([
        pings("p").on(EVERYWHERE).rate(2, seconds(60)),
        Rule::forbid("not-13").tool("ping").arg("n", eq(13)),
    ]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    assert_eq!(world.denied(&child, &n(13)), Reason::Forbidden);
    world.call(&parent, &n(1)).unwrap();
    world.call(&child, &n(1)).unwrap();
    assert_eq!(world.denied(&child, &n(1)), Reason::RateExceeded);
    let permitted = world.log.records().into_iter().filter(|r| r.event.kind() == "permitted");
    assert_eq!(permitted.count(), 2);
}

/// attack 55
#[test]
fn a_child_does_not_outlive_its_parent() {
    let parents = Rule::permit("parent").who_id(eq("planner")).tool("ping").any_args();
    let childs = Rule::permit("child").who_id(eq("worker")).tool("ping").any_args();
    let world = World::rules([
        parents.on(EVERYWHERE).ttl(seconds(60)).idle(seconds(40)),
        childs.ttl(seconds(600)),
    ]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(30));
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    assert_eq!(child.expires(), parent.expires());
    // Its calls keep the parent from idling,
    world.call(&child, &ping()).unwrap();
    world.pass(seconds(29));
    world.call(&child, &ping()).unwrap();
    world.pass(seconds(1));
    assert_eq!(world.denied(&child, &ping()), Reason::Expired);
    let late = task.delegate(&parent, &worker, to_ping(), &here()).unwrap_err();
    assert_eq!(late.reason(), Reason::Expired);

    // and a parent that idles takes its child along, though the child has been made just now.
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(39));
    let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
    assert_eq!(world.broker.standing().grants.len(), 2);
    world.pass(seconds(1));
    assert_eq!(world.denied(&child, &ping()), Reason::Expired);
    assert!(world.broker.standing().grants.is_empty());
}

/// attack 56: depth is the broker's to count; it is not part of the token
#[test]
fn a_chain_is_as_deep_as_policy_says() {
    let chain = |rule: Rule| {
        let world = World::rules([rule]);
        let holders: Vec<_> = (0..7).map(|n| world.agent(&format!("agent-{n}"))).collect();
        let task = world.open(&holders[0]);
        let mut last = task.request(to_ping(), &here()).unwrap();
        for (hops, holder) in holders.iter().enumerate().skip(1) {
            match task.delegate(&last, holder, to_ping(), &here()) {
                Ok(child) => last = child,
                Err(denial) => {
                    assert_eq!(denial.reason(), Reason::NotCovered);
                    return hops - 1;
                }
            }
            world.call(&last, &ping()).unwrap();
        }
        holders.len()
    };
    assert_eq!(chain(pings("no-word-of-delegating")), 0);
    assert_eq!(chain(pings("no-word-of-depth").on(EVERYWHERE)), 1);
    assert_eq!(chain(pings("none").on(EVERYWHERE).depth(0)), 0);
    assert_eq!(chain(pings("three").on(EVERYWHERE).depth(3)), 3);
    assert_eq!(chain(pings("all").on(EVERYWHERE).depth(255)), 7);
}

/// attack 58: neither the way back to the first holder nor any other round gains uses or time
#[test]
fn a_cycle_gains_nothing() {
    let rule = pings("p").on(EVERYWHERE).depth(9).uses(2).ttl(seconds(60));
    let world = World::rules([rule]);
    let (a, b) = (world.agent("a"), world.agent("b"));
    let task = world.open(&a);
    let root = task.request(to_ping(), &here()).unwrap();
    world.call(&root, &ping()).unwrap();
    world.pass(seconds(50));
    let there = task.delegate(&root, &b, to_ping(), &here()).unwrap();
    let back = task.delegate(&there, &a, to_ping(), &here()).unwrap();
    assert_eq!(back.expires(), root.expires());
    world.call(&back, &ping()).unwrap();
    assert_eq!(world.denied(&back, &ping()), Reason::UsesSpent);
    assert!(!task.revoke_grant(&root).is_empty());
    assert_eq!(world.denied(&back, &ping()), Reason::Revoked);
}

/// attack 59
#[test]
fn a_second_hop_cannot_widen_what_the_first_narrowed() {
    let rule = Rule::permit("p").tool("ping").arg("n", any()).on(EVERYWHERE).depth(9);
    let world = World::rules([rule]);
    let agents: Vec<_> = (0..3).map(|n| world.agent(&format!("agent-{n}"))).collect();
    let task = world.open(&agents[0]);
    let root = task.request(to_ping_where(max(100)), &here()).unwrap();
    let narrow = task.delegate(&root, &agents[1], to_ping_where(max(10)), &here()).unwrap();
    for wide in [any(), max(11), max(100), not(eq(11)), any_of([eq(1), eq(50)])] {
        let denial = task.delegate(&narrow, &agents[2], to_ping_where(wide), &here()).unwrap_err();
        assert_eq!(denial.reason(), Reason::NotCovered);
    }
    let leaf = task.delegate(&narrow, &agents[2], to_ping_where(max(10)), &here()).unwrap();
    world.call(&leaf, &n(10)).unwrap();
    assert_eq!(world.denied(&leaf, &n(11)), Reason::OutOfScope);
}

/// attack 61
#[test]
fn children_together_have_no_more_uses_than_their_parent() {
    let parents = Rule::permit("parents").who_id(eq("planner")).tool("ping").any_args();
    let childs = Rule::permit("childs").who_id(glob("worker-*")).tool("ping").any_args();
    let world = World::rules([parents.on(EVERYWHERE).uses(5), childs.uses(100)]);
    let planner = world.agent("planner");
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let children: Vec<_> = (0..4)
        .map(|n| {
            let worker = world.agent(&format!("worker-{n}"));
            task.delegate(&parent, &worker, to_ping(), &here()).unwrap()
        })
        .collect();
    let calls = || children.iter().chain([&parent]).map(|grant| world.call(grant, &ping()));
    assert!(calls().all(|outcome| outcome.is_ok()));
    assert!(calls().all(|outcome| outcome.unwrap_err().reason() == Reason::UsesSpent));
}

/// attack 62
#[test]
fn a_more_powerful_holder_gets_only_what_its_delegator_has() {
    let small = Rule::permit("small").who_id(eq("planner")).tool("ping").arg("n", max(10));
    let big = Rule::permit("big").who_id(eq("boss")).tool("ping").arg("n", any());
    let world = World::rules([small.on(EVERYWHERE), big]);
    let (planner, boss) = (world.agent("planner"), world.agent("boss"));
    let task = world.open(&planner);
    let parent = task.request(to_ping_where(max(10)), &here()).unwrap();
    let wide = task.delegate(&parent, &boss, to_ping_where(max(11)), &here()).unwrap_err();
    assert_eq!(wide.reason(), Reason::NotCovered);
    let child = task.delegate(&parent, &boss, to_ping_where(max(10)), &here()).unwrap();
    assert_eq!(world.denied(&child, &n(11)), Reason::OutOfScope);
    world.call(&child, &n(10)).unwrap();
}

/// attack 62
#[test]
fn who_may_delegate_but_not_use_does_not_get_a_call_through() {
    let manager = Rule::permit("give").who_id(eq("manager")).tool("ping").any_args();
    let worker = Rule::permit("use").who_id(eq("worker")).tool("ping").any_args();
    let world = World::rules([manager.on([Moment::Request, Moment::Delegate]), worker]);
    let (manager, worker) = (world.agent("manager"), world.agent("worker"));
    let task = world.open(&manager);
    let held = task.request(to_ping(), &here()).unwrap();
    assert_eq!(world.denied(&held, &ping()), Reason::NoPermit);
    let child = task.delegate(&held, &worker, to_ping(), &here()).unwrap();
    world.call(&child, &ping()).unwrap();
    let back = task.delegate(&child, &manager, to_ping(), &here()).unwrap_err();
    assert_eq!(back.reason(), Reason::NotCovered, "the worker may use and not delegate");
}

#[test]
fn a_delegation_needs_a_permit_for_both_sides_and_for_all_above() {
    let giver = Rule::permit("give").who_id(one_of(["a", "b"])).tool("ping").any_args();
    let taker = Rule::permit("take").who_id(one_of(["b", "c"])).tool("ping").any_args();
    let world = World::rules([giver.on([Moment::Request, Moment::Delegate]).depth(5), taker]);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| world.agent(name));
    let task = world.open(&a);
    let root = task.request(to_ping(), &here()).unwrap();
    let refused = task.delegate(&root, &d, to_ping(), &here()).unwrap_err();
    assert_eq!(refused.reason(), Reason::NotCovered, "no rule permits d anything");
    let second = task.delegate(&root, &b, to_ping(), &here()).unwrap();
    let third = task.delegate(&second, &c, to_ping(), &here()).unwrap();
    world.call(&third, &ping()).unwrap();

    // Once a may no longer delegate, what b delegated is gone as well.
    let giver = Rule::permit("give").who_id(eq("b")).tool("ping").any_args();
    let taker = Rule::permit("take").who_id(one_of(["a", "b", "c"])).tool("ping").any_args();
    let today = policy([giver.on([Moment::Request, Moment::Delegate]).depth(5), taker]);
    let drift = world.broker.reload(&today).unwrap().finish();
    let ended: Vec<_> = drift.grants.iter().map(|one| &*one.holder).collect();
    assert!(ended.contains(&"b") && !ended.contains(&"a"), "{ended:?}");
    assert_eq!(world.denied(&third, &ping()), Reason::Drifted);
    world.call(&root, &ping()).unwrap();
}

#[test]
fn a_forbid_speaks_to_delegating_too() {
    let world = World::rules([
        pings("p").on(EVERYWHERE),
        Rule::forbid("not-to-strangers").tool("ping").who_id(eq("stranger")),
    ]);
    let (planner, stranger) = (world.agent("planner"), world.agent("stranger"));
    let task = world.open(&planner);
    let parent = task.request(to_ping(), &here()).unwrap();
    let denial = task.delegate(&parent, &stranger, to_ping(), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
}

/// attack 63
#[test]
fn a_child_made_while_its_parent_is_revoked_is_dead_or_was_never_made() {
    for _ in 0..200 {
        let world = World::rules([pings("p").on(EVERYWHERE)]);
        let (planner, worker) = (world.agent("planner"), world.agent("worker"));
        let task = world.open(&planner);
        let parent = task.request(to_ping(), &here()).unwrap();
        let start = Barrier::new(2);
        let child = std::thread::scope(|scope| {
            let child = scope.spawn(|| {
                start.wait();
                task.delegate(&parent, &worker, to_ping(), &here())
            });
            start.wait();
            assert!(!task.revoke_grant(&parent).is_empty());
            child.join().unwrap()
        });
        match child {
            Ok(child) => assert_eq!(world.denied(&child, &ping()), Reason::Revoked),
            Err(denial) => assert_eq!(denial.reason(), Reason::Revoked),
        }
        assert!(world.broker.standing().grants.is_empty());
    }
}

/// attack 64
#[test]
fn delegating_to_oneself_gains_nothing_and_is_recorded() {
    let rule = pings("p").on(EVERYWHERE).uses(1);
    let world = World::rules([rule]);
    let a = world.broker.assert_identity(Assertion::agent("a").alias("a-too")).unwrap();
    let alias = world.broker.assert_identity(Assertion::agent("a-too").alias("a")).unwrap();
    let task = world.open(&a);
    let root = task.request(to_ping(), &here()).unwrap();
    let own = task.delegate(&root, &a, to_ping(), &here()).unwrap();
    let aliased = task.delegate(&root, &alias, to_ping(), &here()).unwrap();
    world.call(&own, &ping()).unwrap();
    for grant in [&root, &own, &aliased] {
        assert_eq!(world.denied(grant, &ping()), Reason::UsesSpent);
    }
    let children = world.log.records().into_iter().filter(
        |record| matches!(&record.event, Event::Granted { parent: Some(of), .. } if **of == root.id().to_string()),
    );
    assert_eq!(children.count(), 2);
    assert_eq!(
        world.control.revoke_identity("a-too").unwrap().count(),
        1,
        "the task, known by any of its names"
    );
    assert!(world.broker.standing().is_empty());
}

#[test]
fn a_parent_of_another_task_is_no_parent() {
    let world = World::rules([pings("p").on(EVERYWHERE)]);
    let (a, b) = (world.agent("a"), world.agent("b"));
    let (task, other) = (world.open(&a), world.open(&a));
    let parent = task.request(to_ping(), &here()).unwrap();
    let denial = other.delegate(&parent, &b, to_ping(), &here()).unwrap_err();
    assert_eq!(denial.reason(), Reason::UnknownGrant);
}

#[test]
fn a_planner_asks_for_a_worker_and_neither_gets_by_the_other_more_than_its_own() {
    let planners = Rule::permit("planners").who_id(eq("planner")).tool("ping").arg("n", max(10));
    let workers = Rule::permit("workers").who_id(eq("worker")).tool("ping").arg("n", min(5));
    let world = World::rules([planners, workers]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let ask = |n| task.request_for(&worker, to_ping_where(n), &here());
    assert_eq!(ask(max(10)).unwrap_err().reason(), Reason::NotCovered);
    assert_eq!(ask(min(5)).unwrap_err().reason(), Reason::NotCovered);
    let both = ask(min(5).and(max(10))).unwrap();
    world.call(&both, &n(7)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
}

#[test]
fn a_guard_on_who_asked_or_delegated_is_asked_when_something_is_given_and_not_at_calls() {
    let broad = || pings("p").on(EVERYWHERE);
    let guard = |n: i64| {
        let rule = Rule::forbid("not-the-planner").tool("ping");
        rule.who_id(eq("planner")).arg("n", max(n))
    };
    let world = World::rules([broad(), guard(5)]);
    let (planner, worker) = (world.agent("planner"), world.agent("worker"));
    let task = world.open(&planner);
    let own = task.request(to_ping(), &here()).unwrap();
    let asked = task.request_for(&worker, to_ping(), &here()).unwrap();
    let delegated = task.delegate(&own, &worker, to_ping(), &here()).unwrap();
    let call = ping_with(json!({ "n": 1 }));
    assert_eq!(world.denied(&own, &call), Reason::Forbidden);
    world.call(&asked, &call).unwrap();
    world.call(&delegated, &call).unwrap();
    // Where it contains what is asked for it speaks of all of them, and so it does after a reload.
    let small = || Scope::tool("ping").arg("n", one_of([1, 2]));
    assert!(task.request_for(&worker, small(), &here()).is_err());
    assert!(task.delegate(&own, &worker, small(), &here()).is_err());
    let all = Rule::forbid("not-the-planner").tool("ping").who_id(eq("planner"));
    world.broker.reload(&policy([broad(), all])).unwrap().finish();
    assert_eq!(world.denied(&asked, &call), Reason::Drifted);
    assert_eq!(world.denied(&delegated, &call), Reason::Drifted);
}
