//! Rules: what is missing, misspelt, broken or contradictory denies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use hallpass::audit::Event;
use hallpass::clock::{Clock, ClockError, ManualClock, Reading};
use hallpass::policy::{ApprovalTerms, Moment, Per, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, above, all_of, any_of, below, eq, has_any, max, not, one_of, present, same_as,
};
use serde_json::json;

use crate::world::{HOUR, MINUTE, World, broad, call, plain, policy, start};

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

/// attack 40, attack 45: a forbid that cannot be decided forbids, and a permit that cannot be
/// decided permits nothing; what the host did not supply is not skipped
#[test]
fn what_cannot_be_told_denies() {
    let with = |value: serde_json::Value| {
        Context::new().with("risk", hallpass::value::Value::try_from(value).unwrap())
    };
    // context, what a permit `risk below 50` comes to, what a forbid `risk above 50` comes to
    let rows = [
        (with(json!(10)), Ok(()), Ok(())),
        (with(json!(50)), Err(Reason::NoPermit), Ok(())),
        (with(json!(90)), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (Context::new(), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!(null)), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!("10")), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!({})), Err(Reason::NoPermit), Err(Reason::Forbidden)),
        (with(json!(true)), Err(Reason::NoPermit), Err(Reason::Forbidden)),
    ];
    let permitting = World::new([
        broad().on([Moment::Request]),
        Rule::permit("p").tool("t").any_args().when("risk", below(50)).on([Moment::Call]),
    ]);
    let forbidding = World::new([
        broad(),
        Rule::forbid("f").tool("t").when("risk", above(50)).on([Moment::Call]),
    ]);
    let (_task, of_permit) = permitting.granted();
    let (_other, of_forbid) = forbidding.granted();
    for (context, permit, forbid) in rows {
        let asked = |world: &World, grant: &Grant| {
            let answer = world.gate.authorize(grant.token(), &world.agent, plain(), &context);
            answer.map(drop).map_err(|denial| denial.reason())
        };
        assert_eq!(asked(&permitting, &of_permit), permit, "permit: {context:?}");
        assert_eq!(asked(&forbidding, &of_forbid), forbid, "forbid: {context:?}");
    }
    // At request, too: nothing is granted on a fact that is missing.
    let world = World::new([broad().when("risk", below(50))]);
    let denial = world.open().request(Scope::tool("t").any_args(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::NotCovered);
    let world = World::new([broad(), Rule::forbid("f").when("risk", above(50))]);
    let denial = world.open().request(Scope::tool("t").any_args(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::Forbidden);
}

/// attack 40, attack 44: of who and why, too, what is absent or empty does not count as there
#[test]
fn an_attribute_that_is_absent_or_empty_denies() {
    let world = World::new([broad().who_attr("team", present()).ticket(present())]);
    let ask = |team: Option<&str>, ticket: Option<&str>| {
        let caller = Assertion::agent("a");
        let caller = team.into_iter().fold(caller, |caller, team| {
            caller.attr("team", hallpass::value::Value::Text(team.into()))
        });
        let caller = world.broker.assert_identity(caller).unwrap();
        let purpose =
            ticket.into_iter().fold(Purpose::new("test"), |purpose, ticket| purpose.ticket(ticket));
        let task = world.broker.open(&caller, purpose).map_err(|denial| denial.reason())?;
        let grant = task.request(Scope::tool("t").any_args(), &world.context);
        grant.map(drop).map_err(|denial| denial.reason())
    };
    assert_eq!(ask(Some("growth"), Some("T-1")), Ok(()));
    assert_eq!(ask(None, Some("T-1")), Err(Reason::NotCovered));
    assert_eq!(ask(Some(""), Some("T-1")), Err(Reason::NotCovered));
    assert_eq!(ask(Some("growth"), None), Err(Reason::NotCovered));
    assert_eq!(ask(Some("growth"), Some("")), Err(Reason::MalformedPurpose));
    assert_eq!(ask(Some("growth"), Some(" ")), Err(Reason::MalformedPurpose));
}

/// attack 41, attack 141: a clock that fails or panics denies, the denial is recorded, and the next
/// question is answered
#[test]
fn a_clock_that_fails_or_panics_denies_and_is_recorded() {
    #[derive(Clone)]
    struct Cursed(ManualClock, Arc<AtomicBool>);
    impl Clock for Cursed {
        fn read(&self) -> Result<Reading, ClockError> {
            assert!(!self.1.load(Ordering::SeqCst), "the clock panics");
            self.0.read()
        }
    }
    let cursed = Cursed(ManualClock::new(start()), Arc::default());
    let world = World::of(policy([broad()]), |builder| builder.clock(cursed.clone()));
    let (task, grant) = world.granted();
    let kept = world.authorize(&grant, plain()).unwrap();
    type Curse = fn(&Cursed, bool);
    let curses: [Curse; 2] = [
        |clock, on| clock.1.store(on, Ordering::SeqCst),
        |clock, on| if on { clock.0.fail() } else { clock.0.recover() },
    ];
    for curse in curses {
        curse(&cursed, true);
        let denials = [
            world.authorize(&grant, plain()).map(drop).unwrap_err(),
            task.request(Scope::tool("t").any_args(), &world.context).map(drop).unwrap_err(),
            world.broker.open(&world.agent, Purpose::new("test")).map(drop).unwrap_err(),
            world.gate.check(grant.token(), &world.agent, &plain(), &world.context).unwrap_err(),
            world.gate.give_up(grant.token(), &world.agent).unwrap_err(),
        ];
        for denial in denials {
            assert_eq!(denial.reason(), Reason::ClockUnreadable);
            assert_eq!(denial.code(), Code::Unavailable);
        }
        curse(&cursed, false);
        assert_eq!(world.run(&grant, plain()), Ok(()));
    }
    let unreadable = |event: &Event<'_>| matches!(event, Event::Denied { reason, .. } if reason == "clock_unreadable");
    let recorded = world.events().into_iter().filter(unreadable).count();
    assert_eq!(recorded, 8, "a call, a request, an opening and a giving up, twice");

    // A permit handed out before does not start, and an end goes through.
    curses[0](&cursed, true);
    assert_eq!(kept.start().unwrap_err().reason(), Reason::ClockUnreadable);
    task.complete();
    curses[0](&cursed, false);
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::TaskOver));
    assert!(world.verify().unwrap().without_outcome.is_empty());
}

/// attack 41, attack 141: a sink that panics denies what needs a record, and the next is answered
#[test]
fn a_sink_that_panics_denies() {
    let world = World::new([broad()]);
    let (task, grant) = world.granted();
    world.sink.panic_next();
    assert_eq!(world.attempt(&grant, plain()), Err(Reason::LogRefused));
    assert_eq!(world.run(&grant, plain()), Ok(()));
    world.sink.panic_next();
    let request = task.request(Scope::tool("t").any_args(), &world.context);
    assert_eq!(request.unwrap_err().reason(), Reason::LogRefused);
    assert_eq!(world.run(&grant, plain()), Ok(()));
    world.sink.panic_next();
    task.complete();
    assert!(world.broker.standing().is_empty());
    world.broker.flush();
    world.verify().unwrap();
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

/// attack 147: an unknown goes through `not`, `any` and `all` and comes out unknown, unless what is
/// known decides
#[test]
fn an_unknown_inside_a_combination_never_helps() {
    let broken = || below(50);
    let yes = || eq("yes");
    let no = || one_of(["no", "never"]);
    // Of the argument `x`, which is the text "yes": a number's bound on it is unknown.
    let rows: [(Constraint, bool, bool); 10] = [
        // constraint, whether a permit applies, whether a forbid applies
        (broken(), false, true),
        (not(broken()), false, true),
        (not(not(broken())), false, true),
        (any_of([broken(), no()]), false, true),
        (any_of([broken(), yes()]), true, true),
        (all_of([broken(), yes()]), false, true),
        (all_of([broken(), no()]), false, false),
        (not(all_of([broken(), yes()])), false, true),
        (not(any_of([broken(), no()])), false, true),
        (same_as("when.missing"), false, true),
    ];
    for (constraint, permits, forbids) in rows {
        let row = format!("{constraint:?}");
        let permitting = World::new([
            broad().on([Moment::Request]),
            Rule::permit("p").tool("t").arg("x", constraint.clone()).on([Moment::Call]),
        ]);
        let (_task, grant) = permitting.granted();
        let answer = permitting.attempt(&grant, call(json!({ "x": "yes" })));
        assert_eq!(answer.is_ok(), permits, "permit: {row}");
        let forbidding = World::new([broad(), Rule::forbid("f").tool("t").arg("x", constraint)]);
        let (_task, grant) = forbidding.granted();
        let answer = forbidding.attempt(&grant, call(json!({ "x": "yes" })));
        assert_eq!(answer == Err(Reason::Forbidden), forbids, "forbid: {row}");
    }
    // The same of an argument that is absent.
    let absent: [(Constraint, bool); 4] =
        [(max(5), false), (not(max(5)), true), (not(present()), true), (present(), false)];
    for (constraint, forbids) in absent {
        let row = format!("{constraint:?}");
        let world = World::new([broad(), Rule::forbid("f").tool("t").arg("x", constraint)]);
        let (_task, grant) = world.granted();
        assert_eq!(world.attempt(&grant, plain()) == Err(Reason::Forbidden), forbids, "{row}");
    }
}
