//! Reload: another policy at once, the scan little by little.

use std::sync::atomic::{AtomicU64, Ordering};

use hallpass::audit::{Event, GrantShortened};
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{any, below, eq, fields, has_any, not, same_as};
use serde_json::json;

use crate::world::{World, frozen, here, ping, ping_with, pings, policy, seconds, to_ping};

#[test]
fn the_swap_is_immediate_and_the_scan_need_not_be() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let handed_out = world.authorize(&grant, &ping()).unwrap();
    let reload = world.broker.reload(&frozen()).unwrap();
    assert_eq!((reload.epoch(), reload.waiting()), (2, 1));
    assert_eq!(world.broker.epoch(), (2, frozen().digest()));
    assert_eq!(handed_out.start().unwrap_err().reason(), Reason::PolicyChanged);
    // Not scanned yet, and checked at first use.
    assert_eq!(world.broker.standing().grants.len(), 1);
    assert_eq!(world.denied(&grant, &ping()), Reason::Drifted);
    assert!(world.broker.standing().grants.is_empty());
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::Forbidden);
    assert!(reload.finish().grants.is_empty(), "somebody else found it first");
}

#[test]
fn a_policy_that_says_the_same_is_no_new_epoch() {
    let world = World::rules([pings("p").uses(1), Rule::forbid("f").tool("pong")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let permit = world.authorize(&grant, &ping()).unwrap();
    let records = world.log.len();
    let same = policy([Rule::forbid("f").tool("pong"), pings("p").uses(1)]);
    let reload = world.broker.reload(&same).unwrap();
    assert_eq!((reload.epoch(), reload.waiting()), (1, 0));
    assert_eq!(world.log.len(), records);
    permit.start().unwrap().succeed();
}

/// P3: an ask that wants people to agree before a grant acts at the calls of those given before it,
/// and hides none of today's limits.
#[test]
fn a_reload_clamps_also_where_people_are_asked_before() {
    let world = World::rules([pings("p").uses(9)]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let owners = Reviewers::in_groups(has_any(["owners"]));
    let ask = Rule::ask("large").tool("ping").arg("size", eq("large"));
    let ask = ask.approval(ApprovalTerms::per(Per::Task).review(owners));
    let report = world.broker.reload(&policy([pings("p").uses(1), ask])).unwrap().finish();
    assert!(report.grants.is_empty());
    world.call(&grant, &ping()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::UsesSpent);
    let large = ping_with(json!({ "size": "large" }));
    assert_eq!(world.denied(&grant, &large), Reason::ApprovalRequired);
}

/// Each says so once, by the scan or by its use before the scan; asking what a policy would do says nothing.
#[test]
fn a_grant_that_ends_sooner_by_another_policy_has_a_record_that_says_so() {
    let world = World::rules([pings("p").ttl(seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grants = [(); 2].map(|()| task.request(to_ping(), &here()).unwrap());
    let shorter = policy([pings("p").ttl(seconds(20))]);
    let longer = policy([pings("p").ttl(seconds(90))]);
    let told = || {
        world.broker.flush();
        let records = world.log.records().into_iter();
        let told = records.filter_map(|record| match record.event {
            Event::GrantShortened(GrantShortened { grant, expires, epoch, .. }) => {
                Some((grant.into_owned(), expires, epoch))
            }
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    assert!(world.broker.preview(&shorter).grants.is_empty());
    assert!(world.broker.reload(&longer).unwrap().finish().grants.is_empty());
    assert_eq!(told(), []);
    let ends = world.broker.standing().grants[0].expires.checked_sub(seconds(40)).unwrap();
    let scan = world.broker.reload(&shorter).unwrap();
    world.call(&grants[1], &ping()).unwrap();
    assert_eq!(told(), [(grants[1].id().to_string(), ends, 3)]);
    assert!(scan.finish().grants.is_empty());
    world.call(&grants[1], &ping()).unwrap();
    let expected = [1, 0].map(|at| (grants[at].id().to_string(), ends, 3));
    assert_eq!(told(), expected);
    world.broker.verify(&world.log).unwrap();
    let stories = hallpass::audit::explain(&world.log.records(), task.name());
    assert!(stories[0].grants.iter().all(|own| own.expires == ends));
    assert!(stories[0].to_string().contains("was shortened, until "), "{}", stories[0]);
}

/// What gives a grant that many hops is not what lets it be delegated.
fn hops(reach: u8, below: u8) -> Policy {
    policy([pings("hold").depth(reach), pings("pass-on").on([Moment::Delegate]).depth(below)])
}

#[test]
fn what_is_limited_more_tightly_limits_what_hangs_from_it_whoever_asks_first() {
    let line = || {
        let world = World::new(hops(3, 3));
        let [a, b, c] = ["a", "b", "c"].map(|name| world.agent(name));
        let task = world.open(&a);
        let root = task.request(to_ping(), &here()).unwrap();
        let child = task.delegate(&root, &b, to_ping(), &here()).unwrap();
        let leaf = task.delegate(&child, &c, to_ping(), &here()).unwrap();
        (world, task, [root, child, leaf])
    };
    let ids = |drift: hallpass::Drift| drift.grants.iter().map(|one| one.id).collect::<Vec<_>>();
    let (world, _task, [_, _, leaf]) = line();
    assert_eq!(ids(world.broker.preview(&hops(1, 3))), [leaf.id()]);
    assert_eq!(ids(world.broker.reload(&hops(1, 3)).unwrap().finish()), [leaf.id()]);

    let (world, _task, [_, child, leaf]) = line();
    let _scan = world.broker.reload(&hops(1, 3)).unwrap();
    assert_eq!(world.denied(&leaf, &ping()), Reason::Drifted);
    world.call(&child, &ping()).unwrap();

    // Neither is it given, or given again, before the scan has come.
    let (world, task, [_, child, _]) = line();
    let _scan = world.broker.reload(&hops(1, 3)).unwrap();
    assert!(task.delegate(&child, &world.agent("c"), to_ping(), &here()).is_err());
    let (world, task, [_, _, mut leaf]) = line();
    let _scan = world.broker.reload(&hops(1, 3)).unwrap();
    assert!(task.renew(&mut leaf, &world.agent("c"), &here()).is_err());
}

#[test]
fn a_grant_that_was_past_its_time_before_the_reload_has_expired() {
    let world = World::rules([pings("p").idle(seconds(10)).ttl(seconds(60))]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.pass(seconds(10));
    let _scan = world.broker.reload(&frozen()).unwrap();
    assert_eq!(world.denied(&grant, &ping()), Reason::Expired);
}

#[test]
fn when_is_asked_at_the_calls_and_makes_nothing_drift() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    let careful = policy([pings("p").when("risk", below(50))]);
    assert!(world.broker.reload(&careful).unwrap().finish().grants.is_empty());
    assert_eq!(world.denied(&grant, &ping()), Reason::NoPermit);
    let calm = Context::new().with("risk", 10);
    let permit = world.gate.authorize(grant.token(), &agent, ping(), &calm).unwrap();
    permit.start().unwrap().succeed();
}

#[test]
fn what_is_compared_with_the_context_is_left_to_the_calls_too() {
    let other = || Rule::permit("other").tool("pong").any_args();
    let its_own = |state: &str| {
        let own = fields([("owner", same_as("when.user")), ("state", eq(state))]);
        let rule =
            Rule::permit("own").tool("ping").arg("x", own).arg("y", not(same_as("when.user")));
        rule.who_attr("team", same_as("when.team"))
    };
    let world = World::rules([its_own("open")]);
    let agent = Assertion::agent("a").attr("team", "red");
    let agent = world.broker.assert_identity(agent).unwrap();
    let now = Context::new().with("user", "ada").with("team", "red");
    let scope = || {
        let x = fields([("owner", eq("ada")), ("state", eq("open"))]);
        Scope::tool("ping").arg("x", x).arg("y", eq("bob"))
    };
    let task = world.open(&agent);
    let grant = task.request(scope(), &now).unwrap();
    assert!(
        world
            .broker
            .reload(&policy([its_own("open"), other()]))
            .unwrap()
            .finish()
            .grants
            .is_empty()
    );
    let call = ping_with(json!({ "x": { "owner": "ada", "state": "open" }, "y": "bob" }));
    let authorize = |now| world.gate.authorize(grant.token(), &agent, call.clone(), now);
    authorize(&now).unwrap().start().unwrap().succeed();
    let elsewhere = Context::new().with("user", "bob").with("team", "red");
    assert_eq!(authorize(&elsewhere).unwrap_err().reason(), Reason::NoPermit);

    // A guard that compares with it does not act before the calls either.
    let guards = [
        Rule::forbid("own-team").who_attr("team", same_as("when.team")).on([Moment::Request]),
        Rule::forbid("own-name").tool("ping").arg("y", same_as("when.user")).on([Moment::Request]),
    ];
    let guarded = guards.into_iter().chain([its_own("open")]);
    assert!(world.broker.reload(&policy(guarded)).unwrap().finish().grants.is_empty());

    // What the rest of the condition says is asked.
    let drift = world.broker.reload(&policy([its_own("shut")])).unwrap().finish();
    assert_eq!(drift.grants.iter().map(|one| one.id).collect::<Vec<_>>(), [grant.id()]);
}

/// attack 48
#[test]
fn every_decision_uses_one_epoch_and_the_log_says_which() {
    // Under odd epochs odd numbers pass, under even ones even numbers.
    let parity = |odd: bool| {
        let allowed: Vec<i64> = (0..10).filter(|n| (n % 2 == 1) == odd).collect();
        let rule = Rule::permit(if odd { "odd" } else { "even" });
        policy([
            rule.tool("ping").arg("n", hallpass::scope::one_of(allowed)).on([Moment::Call]),
            Rule::permit("request").tool("ping").arg("n", any()).on([Moment::Request]),
        ])
    };
    let world = World::new(parity(true));
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(Scope::tool("ping").arg("n", any()), &here()).unwrap();
    let made = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|thread| {
                let (world, grant, made) = (&world, &grant, &made);
                scope.spawn(move || {
                    for call in 0..250 {
                        let n = (thread + call) % 10;
                        if let Ok(permit) = world.authorize(grant, &ping_with(json!({ "n": n }))) {
                            let rule = if n % 2 == 1 { "odd" } else { "even" };
                            assert_eq!(permit.rules().collect::<Vec<_>>(), [rule]);
                            made.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        let mut odd = false;
        while callers.iter().any(|caller| !caller.is_finished()) {
            let _scan = world.broker.reload(&parity(odd)).unwrap();
            odd = !odd;
            std::thread::yield_now();
        }
    });
    assert!(made.into_inner() > 0);
    for record in world.log.records() {
        if let Event::Permitted { epoch, rules, .. } = record.event {
            let odd = epoch % 2 == 1;
            assert_eq!(rules, [if odd { "odd" } else { "even" }], "epoch {epoch}");
        }
    }
}

#[test]
fn nothing_starts_under_an_epoch_that_is_over() {
    let world = World::rules([pings("p")]);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            loop {
                match world.authorize(&grant, &ping()).and_then(|permit| permit.start()) {
                    Ok(running) => {
                        let number = running.number();
                        running.succeed();
                        let _ = number;
                    }
                    Err(denial) => return denial.reason(),
                }
            }
        });
        let _scan = world.broker.reload(&frozen()).unwrap();
        // From here on nothing is permitted: the log's next permit would be one too many.
        let at = world.log.len();
        let reason = caller.join().unwrap();
        assert!(matches!(reason, Reason::Drifted | Reason::PolicyChanged | Reason::Revoked));
        let late = world.log.records().split_off(at);
        let reloaded = world.log.records().iter().any(|r| r.event.kind() == "reloaded");
        assert!(reloaded && late.iter().all(|record| record.event.kind() != "permitted"));
    });
    world.pass(seconds(1));
}
