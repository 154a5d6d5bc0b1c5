//! Rules: what is missing, misspelt, broken or contradictory denies.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hallpass::audit::Event;
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{eq, has_any};
use serde_json::json;

use crate::world::{HOUR, MINUTE, World, broad, call, plain, policy};

fn reviewed(per: Per) -> Rule {
    let owners = Reviewers::in_groups(has_any(["owners"]));
    Rule::ask("ask").tool("t").approval(ApprovalTerms::per(per).review(owners))
}

/// attack 37, attack 38: without a rule there is nothing, and next to an allowlist there is nothing
#[test]
fn what_no_rule_permits_is_denied() {
    let empty = World::new([]);
    let task = empty.open();
    let denial = task.request(Scope::tool("t"), &empty.context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    assert_eq!(empty.recorded_denial(), "not_covered");

    let world = World::new([broad()]);
    let (task, grant) = world.granted();
    let other = Call::new("u", json!({})).unwrap();
    assert_eq!(world.attempt(&grant, other), Err(Reason::OutOfScope));
    let both = Scope::tool("t").any_args().and_tool("u").any_args();
    let denial = task.request(both, &world.context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered, "one capability too many denies all of them");

    // A grant is worth nothing once no rule stands behind it.
    assert_eq!(world.attempt(&grant, plain()), Ok(()));
    world.broker.reload(&policy([broad().on([Moment::Request])])).unwrap();
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::NoPermit));
    world.broker.reload(&policy([])).unwrap();
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::Drifted));
}

/// attack 198: of what leads elsewhere than it says it can't be told whether a forbid means it, and so the forbid acts
#[test]
fn what_leads_elsewhere_than_it_says_does_not_get_past_a_forbid() {
    let forbid = |id: &str, argument: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\neffect = \"forbid\"\nwhat = {{ tool = \"t\", args = {{ {argument} }} }}\n"
        )
    };
    let mut text = "version = 1\n[[rule]]\nid = \"all\"\neffect = \"permit\"\nwhat = { tool = \"t\", args = \"any\" }\n".to_owned();
    text += &forbid("folder", r#"path = { under = "/etc" }"#);
    text += &forbid("network", r#"from = { cidr = ["10.0.0.0/8"] }"#);
    let mut elsewhere = vec![
        json!({ "path": "/etc/passwd" }),
        json!({ "path": "etc/passwd" }),
        json!({ "path": "../etc/passwd" }),
        json!({ "path": "/data/../etc/passwd" }),
        json!({ "path": ["/data/a", "../etc/passwd"] }),
        json!({ "from": "10.0.0.1" }),
        json!({ "from": "::ffff:10.0.0.1" }),
        json!({ "from": "64:ff9b::a00:1" }),
        json!({ "from": "2002:a00:1::" }),
    ];
    let mut as_said = vec![json!({ "path": "/data/a" }), json!({ "from": "192.0.2.1" })];
    if cfg!(feature = "url") {
        text += &forbid("host", r#"link = { url = { host = "internal.test" } }"#);
        text += &forbid("part", r#"page = { url = { host = "any", path = { under = "/v1" } } }"#);
        elsewhere.extend([
            json!({ "link": "https://internal.test/" }),
            json!({ "link": "blob:https://internal.test/1" }),
            json!({ "link": "//internal.test/" }),
            json!({ "page": "https://a.test/v1/x" }),
            json!({ "page": "https://a.test/v2/..;/v1/x" }),
        ]);
        as_said.extend([
            json!({ "link": "https://a.test/" }),
            json!({ "page": "https://a.test/v2/x" }),
        ]);
    }
    let world = World::of(Policy::from_toml(&text).unwrap(), |builder| builder);
    let (_task, grant) = world.granted();
    for args in elsewhere {
        let attempt = world.attempt(&grant, Call::new("t", args.clone()).unwrap());
        assert_eq!(attempt, Err(Reason::Forbidden), "{args}");
    }
    for args in as_said {
        let attempt = world.attempt(&grant, Call::new("t", args.clone()).unwrap());
        assert_eq!(attempt, Ok(()), "{args}");
    }
}

/// attack 39, attack 42, attack 43: a slip of the keyboard and a limit of nothing do not load
#[test]
fn what_cannot_be_meant_does_not_load() {
    let load =
        |rule: &str| Policy::from_toml(&format!("version = 1\n[[rule]]\nid = \"r\"\n{rule}"));
    let permit = "effect = \"permit\"\nwhat = { tool = \"t\", args = \"any\" }\n";
    load(&format!("{permit}grant = {{ ttl = \"5m\", uses = 1, rate = \"10/1m\" }}")).unwrap();
    let rows = [
        // misspelt
        "efect = \"permit\"\nwhat = { tool = \"t\", args = \"any\" }".to_owned(),
        "effect = \"allow\"\nwhat = { tool = \"t\", args = \"any\" }".to_owned(),
        "effect = \"Permit\"\nwhat = { tool = \"t\", args = \"any\" }".to_owned(),
        "effect = \"permit\"\nwhat = { tol = \"t\", args = \"any\" }".to_owned(),
        "effect = \"permit\"\nwhat = { tool = \"t\", args = \"Any\" }".to_owned(),
        "effect = \"permit\"\nwhat = { tool = \"t\", args = { x = { maximum = 1 } } }".to_owned(),
        "effect = \"permit\"\nwhat = { tool = \"t\", args = { x = { max = \"1\" } } }".to_owned(),
        "what = { tool = \"t\", args = \"any\" }".to_owned(),
        format!("{permit}whne = {{ env = \"prod\" }}"),
        format!("{permit}on = [\"calls\"]"),
        format!("{permit}grant = {{ usses = 1 }}"),
        // nothing, which never means unlimited
        format!("{permit}grant = {{ uses = 0 }}"),
        format!("{permit}grant = {{ uses = -1 }}"),
        format!("{permit}grant = {{ ttl = \"0s\" }}"),
        format!("{permit}grant = {{ max_life = \"0m\" }}"),
        format!("{permit}grant = {{ idle = \"0s\" }}"),
        format!("{permit}grant = {{ rate = \"0/1m\" }}"),
        format!("{permit}grant = {{ rate = \"1/0s\" }}"),
        format!("{permit}grant = {{ budget = {{ \"args.x\" = 0 }} }}"),
        "effect = \"ask\"\nwhat = { tool = \"t\" }\napproval = { review = [{ groups = { has_any = [\"o\"] }, count = 0 }] }".to_owned(),
        // windows
        format!("{permit}grant = {{ rate = \"10/5x\" }}"),
        format!("{permit}grant = {{ rate = \"10/-1s\" }}"),
        format!("{permit}grant = {{ rate = \"10/99999999999999999999h\" }}"),
        format!("{permit}grant = {{ rate = \"10/\" }}"),
        format!("{permit}grant = {{ rate = \"/1m\" }}"),
        format!("{permit}grant = {{ ttl = \"5x\" }}"),
        format!("{permit}grant = {{ ttl = \"-1s\" }}"),
        format!("{permit}grant = {{ ttl = \"1000000h\" }}"),
        format!("{permit}grant = {{ ttl = 300 }}"),
    ];
    for rule in &rows {
        let error = load(rule).map(|_| ()).expect_err(rule);
        assert!(error.position().is_some(), "{rule}: {error}");
    }
    // The builder refuses the same.
    let broken = [
        broad().uses(0),
        broad().ttl(std::time::Duration::ZERO),
        broad().max_life(std::time::Duration::ZERO),
        broad().idle(std::time::Duration::ZERO),
        broad().rate(0, MINUTE),
        broad().rate(1, std::time::Duration::ZERO),
        broad().budget("args.x", 0),
        broad().budget("args.x", -1),
        broad().budget("who.id", 1),
        broad().ttl(HOUR).max_life(MINUTE),
    ];
    for rule in broken {
        assert!(Policy::builder().rule(rule.clone()).build().is_err(), "{rule:?}");
    }
}

/// attack 46: a forbid is stronger than any number of permits, in any order
#[test]
fn a_forbid_beats_every_permit() {
    let permits = || [broad(), Rule::permit("z").any_tool().any_args()];
    let forbid = |id: &str| Rule::forbid(id).tool("t").arg("x", eq(1));
    let orders: [Vec<Rule>; 4] = [
        permits().into_iter().chain([forbid("f")]).collect(),
        [forbid("f")].into_iter().chain(permits()).collect(),
        [forbid("a")].into_iter().chain(permits()).chain([forbid("zz")]).collect(),
        [permits()[1].clone(), forbid("f"), permits()[0].clone()].into(),
    ];
    for rules in orders {
        let forbids: Vec<String> = rules
            .iter()
            .filter(|rule| rule.effect() == hallpass::policy::Effect::Forbid)
            .map(|rule| rule.id().to_owned())
            .collect();
        let world = World::new(rules);
        let (task, grant) = world.granted();
        assert_eq!(world.attempt(&grant, call(json!({ "x": 2 }))), Ok(()));
        let denial = world.authorize(&grant, call(json!({ "x": 1 }))).unwrap_err();
        assert_eq!(denial.reason(), Reason::Forbidden);
        assert_eq!(denial.rules().collect::<Vec<_>>(), forbids);
        let denial = task.request(Scope::tool("t").arg("x", eq(1)), &world.context).unwrap_err();
        assert_eq!(denial.reason(), Reason::Forbidden);
    }
    // Two rules of one name cannot hide one another.
    let twice = Policy::builder().rules([broad(), Rule::forbid("broad").tool("t")]).build();
    assert!(twice.is_err());
}

/// attack 47: a broad permit does not answer for the people who have to agree, and an ask gives
/// nothing by itself
#[test]
fn consent_is_required_beside_a_broad_permit() {
    let per_call = World::new([broad(), reviewed(Per::Call)]);
    let (_task, grant) = per_call.granted();
    let denial = per_call.authorize(&grant, plain()).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);
    assert_eq!(denial.rules().collect::<Vec<_>>(), ["ask"]);

    let per_task = World::new([broad(), reviewed(Per::Task)]);
    let denial =
        per_task.open().request(Scope::tool("t").any_args(), &per_task.context).unwrap_err();
    assert_eq!(denial.reason(), Reason::ApprovalRequired);

    let alone = World::new([reviewed(Per::Task)]);
    let denial = alone.open().request(Scope::tool("t").any_args(), &alone.context).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered, "an ask alone asks no one and gives nothing");

    let forbidden = World::new([broad(), reviewed(Per::Call), Rule::forbid("f").tool("t")]);
    let denial =
        forbidden.open().request(Scope::tool("t").any_args(), &forbidden.context).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden, "nor does it come before a forbid");
}

/// attack 48: with rules swapped under a thousand calls, each is decided by one policy, the one that
/// its record names, and recorded while that policy was in force
#[test]
fn every_decision_is_by_one_epoch_and_says_which() {
    const THREADS: usize = 4;
    const CALLS: usize = 250;
    let (even, odd) = (policy([broad()]), policy([Rule::permit("other").tool("t").any_args()]));
    let world = World::of(even.clone(), |builder| builder);
    let (_task, grant) = world.granted();
    let (start, done) = (Barrier::new(THREADS + 1), AtomicBool::new(false));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..CALLS {
                        let permit = world.authorize(&grant, plain()).unwrap();
                        // Whether it still starts depends on the swaps; it never starts by halves.
                        let started = permit.run(|_| Ok::<_, ()>(()));
                        assert!(match started {
                            Ok(_) => true,
                            Err(hallpass::RunError::Denied(denial)) =>
                                denial.reason() == Reason::PolicyChanged,
                            Err(hallpass::RunError::Tool(_)) => false,
                        });
                    }
                })
            })
            .collect();
        let swapper = scope.spawn(|| {
            start.wait();
            // Once at least, even if it gets no turn before the last call.
            loop {
                world.broker.reload(&odd).unwrap();
                thread::yield_now();
                world.broker.reload(&even).unwrap();
                thread::yield_now();
                if done.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let callers: Vec<_> = callers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        swapper.join().unwrap();
        callers.into_iter().for_each(Result::unwrap);
    });
    let (mut in_force, mut permitted) = (None, 0);
    for event in world.events() {
        match event {
            Event::Reloaded { epoch, policy } => in_force = Some((epoch, policy)),
            Event::Permitted { rules, epoch, .. } => {
                permitted += 1;
                let by = if epoch % 2 == 1 { ("broad", &even) } else { ("other", &odd) };
                assert_eq!(rules, [by.0]);
                assert_eq!(in_force, Some((epoch, by.1.digest().to_string().into())));
            }
            _ => {}
        }
    }
    assert_eq!(permitted, THREADS * CALLS);
    assert!(world.broker.epoch().0 > 1, "there was at least one swap");
    assert!(world.verify().unwrap().without_outcome.is_empty());
}
