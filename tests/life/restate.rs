//! Restating: what is attested of a subject changes, and what hangs from it ends.

use hallpass::audit::Event;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{below, eq, has_any, max, not};
use serde_json::json;

use crate::world::{EVERYWHERE, World, here, ping, ping_with, pings, policy, seconds, to_ping};

/// Permits pings to a low risk, and delegating them.
fn by_risk() -> Rule {
    pings("low-risk").who_attr("risk", below(50)).on(EVERYWHERE)
}

fn at_risk(id: &str, risk: i64) -> Assertion {
    Assertion::agent(id).attr("risk", risk)
}

#[test]
fn a_failed_check_ends_what_it_would_not_give_any_more_and_nothing_else() {
    let world = World::rules([by_risk(), pings("others").who_id(eq("b"))]);
    let (a, b) = (world.broker.assert_identity(at_risk("a", 10)).unwrap(), world.agent("b"));
    let (task, other) = (world.open(&a), world.open(&b));
    let grant = task.request(to_ping(), &here()).unwrap();
    let kept = other.request(to_ping(), &here()).unwrap();
    let running = world.start(&grant, &ping());

    let drift = world.control.restate(at_risk("a", 90)).unwrap().finish();
    let [drifted] = &drift.grants[..] else { panic!("{drift:?}") };
    assert_eq!((drifted.id, &*drifted.holder), (grant.id(), "a"));
    assert_eq!(drifted.running, [running.number()]);
    assert_eq!(drifted.why.reason(), Reason::NotCovered);
    assert_eq!(world.denied(&grant, &ping()), Reason::Drifted);
    assert!(!running.is_live());
    running.succeed();
    world.call(&kept, &ping()).unwrap();
    assert!(world.log.records().into_iter().any(|record| matches!(
        record.event,
        Event::Restated { ref who, ref attributes, .. }
            if who == "a" && attributes.as_deref() == Some(&["risk".into()])
    )));
}

/// Not scanned yet, and checked at first use: no call is permitted on what was true before.
#[test]
fn what_was_restated_holds_at_once_for_every_question() {
    let world = World::rules([by_risk()]);
    let a = world.broker.assert_identity(at_risk("a", 10)).unwrap();
    let task = world.open(&a);
    let grant = || task.request(to_ping(), &here()).unwrap();
    let (called, renewed, parent, listed, kept) = (grant(), grant(), grant(), grant(), grant());
    let handed_out = world.authorize(&kept, &ping()).unwrap();
    let scan = world.control.restate(at_risk("a", 90)).unwrap();

    assert_eq!(handed_out.start().unwrap_err().reason(), Reason::FactsChanged);
    assert_eq!(world.denied(&called, &ping()), Reason::Drifted);
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::NotCovered);
    // Whichever handle states it, and whatever it was attested with.
    let again = world.broker.assert_identity(at_risk("a", 1)).unwrap();
    assert_eq!(
        task.request_for(&again, to_ping(), &here()).unwrap_err().reason(),
        Reason::NotCovered
    );
    let mut renewed = renewed;
    assert_eq!(task.renew(&mut renewed, &again, &here()).unwrap_err().reason(), Reason::NotCovered);
    let b = world.broker.assert_identity(at_risk("b", 1)).unwrap();
    assert_eq!(
        task.delegate(&parent, &b, to_ping(), &here()).unwrap_err().reason(),
        Reason::Drifted
    );
    assert_eq!(
        world.gate.tools(listed.token(), &a, &here()).unwrap_err().reason(),
        Reason::Drifted
    );
    let rest: Vec<_> = scan.finish().grants.iter().map(|one| one.id).collect();
    assert_eq!(rest, [kept.id()], "the others had been used, and had ended by then");
}

/// A permit of somebody else starts as before: only those concerned authorize again.
#[test]
fn permits_of_others_start_in_spite_of_it() {
    let world = World::rules([pings("p")]);
    let (a, b) = (world.agent("a"), world.agent("b"));
    let (task, other) = (world.open(&a), world.open(&b));
    let grant = task.request(to_ping(), &here()).unwrap();
    let others = other.request(to_ping(), &here()).unwrap();
    let (own, stranger) =
        (world.authorize(&grant, &ping()).unwrap(), world.authorize(&others, &ping()).unwrap());
    let _scan = world.control.restate(at_risk("a", 90)).unwrap();
    assert_eq!(own.start().unwrap_err().reason(), Reason::FactsChanged);
    stranger.start().unwrap().succeed();
    // It would still be given, so it lives: another permit starts.
    world.call(&grant, &ping()).unwrap();
}

/// Requester, delegators and aliases are concerned as the holder is.
#[test]
fn everyone_concerned_is_seen_anew() {
    let holder = pings("holders").who_id(eq("worker"));
    let world = World::rules([holder, by_risk()]);
    let planner =
        world.broker.assert_identity(at_risk("planner", 10).alias("p@acme.test")).unwrap();
    let worker = world.agent("worker");
    let ends = |restated: &str| {
        let task = world.open(&planner);
        let asked_for = task.request_for(&worker, to_ping(), &here()).unwrap();
        let parent = task.request(to_ping(), &here()).unwrap();
        let child = task.delegate(&parent, &worker, to_ping(), &here()).unwrap();
        world.call(&asked_for, &ping()).unwrap();
        world.call(&child, &ping()).unwrap();
        let drift = world.control.restate(at_risk(restated, 90)).unwrap().finish();
        assert_eq!(drift.grants.len(), 2, "the child goes with its parent: {drift:?}");
        for grant in [&asked_for, &parent, &child] {
            assert!(world.authorize(grant, &ping()).is_err());
        }
        assert!(world.control.unrestate(restated).is_some());
    };
    ends("planner");
    ends("p@acme.test");
}

#[test]
fn what_is_listed_is_what_calls_are_permitted_by_the_facts_of_today() {
    let asked = pings("asked").on([Moment::Request]);
    let low_risk = pings("low-risk").who_attr("risk", below(50)).on([Moment::Call]);
    let world = World::rules([asked, low_risk]);
    let a = world.broker.assert_identity(at_risk("a", 10)).unwrap();
    let task = world.open(&a);
    let grant = task.request(to_ping(), &here()).unwrap();
    let listed = |risk| {
        let drift = world.control.restate(at_risk("a", risk)).unwrap().finish();
        assert!(drift.grants.is_empty(), "{drift:?}");
        world.gate.tools(grant.token(), &a, &here()).unwrap().len()
    };
    assert_eq!([10, 90, 10].map(listed), [1, 0, 1]);
}

/// What a delegator may not delegate any more ends with that, though the delegator keeps its own.
#[test]
fn a_child_goes_where_its_delegator_is_permitted_to_delegate_no_more() {
    let delegates = pings("low-risk").who_attr("risk", below(50)).on([Moment::Delegate]);
    let world = World::rules([pings("all"), delegates]);
    let task = world.open(&world.agent("planner"));
    let lead = world.broker.assert_identity(at_risk("lead", 10)).unwrap();
    let parent = task.request_for(&lead, to_ping(), &here()).unwrap();
    let child = task.delegate(&parent, &world.agent("worker"), to_ping(), &here()).unwrap();
    let drift = world.control.restate(at_risk("lead", 90)).unwrap().finish();
    assert_eq!(drift.grants.iter().map(|own| own.id).collect::<Vec<_>>(), [child.id()]);
    assert_eq!(world.denied(&child, &ping()), Reason::Drifted);
    world.call(&parent, &ping()).unwrap();
}

/// Of several names that one identity is known by, the one that was restated last counts.
#[test]
fn an_identity_is_seen_as_was_said_last_of_any_of_its_names() {
    for [one, other] in [["a", "a@acme.test"], ["a@acme.test", "a"]] {
        let world = World::rules([by_risk()]);
        let known_as_both = at_risk("a", 10).alias("a@acme.test");
        let task = world.open(&world.broker.assert_identity(known_as_both).unwrap());
        let asked = |restated, risk| {
            world.control.restate(at_risk(restated, risk)).unwrap().finish();
            task.request(to_ping(), &here()).map(drop).map_err(|denial| denial.reason())
        };
        assert_eq!(asked(one, 10), Ok(()));
        assert_eq!(asked(other, 90), Err(Reason::NotCovered));
        assert_eq!(asked(one, 10), Ok(()));
    }
}

/// Who presents a token may be known by a name that the holder was not attested with.
#[test]
fn a_permit_does_not_start_once_another_name_of_its_caller_was_restated() {
    let world = World::rules([pings("p")]);
    let task = world.open(&world.agent("a"));
    let grant = task.request(to_ping(), &here()).unwrap();
    let caller = Assertion::agent("a").alias("a@acme.test");
    let caller = world.broker.assert_identity(caller).unwrap();
    let permit = || world.gate.authorize(&grant, &caller, ping(), &here()).unwrap();
    permit().start().unwrap().succeed();
    let before = permit();
    world.control.restate(at_risk("a@acme.test", 10)).unwrap().finish();
    assert_eq!(before.start().unwrap_err().reason(), Reason::FactsChanged);
    permit().start().unwrap().succeed();
}

#[test]
fn what_is_taken_back_is_seen_as_it_was_attested() {
    let world = World::rules([pings("p").who_groups(has_any(["ops"]))]);
    let a = world.broker.assert_identity(Assertion::agent("a").group("ops")).unwrap();
    let task = world.open(&a);
    let ask = || task.request(to_ping(), &here());
    assert!(ask().is_ok());
    world.control.restate(Assertion::agent("a").group("former-ops")).unwrap().finish();
    assert_eq!(ask().unwrap_err().reason(), Reason::NotCovered);
    assert!(world.control.unrestate("a").is_some());
    let grant = ask().unwrap();
    world.call(&grant, &ping()).unwrap();
    assert!(world.control.unrestate("a").is_none(), "there is none any more");
    assert!(world.control.unrestate("nobody").is_none());
}

/// P10: an assertion that says what can't be restated changes nothing.
#[test]
fn a_restatement_that_says_too_much_is_refused() {
    let world = World::rules([by_risk()]);
    let a = world.broker.assert_identity(at_risk("a", 10)).unwrap();
    let task = world.open(&a);
    let grant = task.request(to_ping(), &here()).unwrap();
    let at = hallpass::clock::Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap();
    for (facts, told) in [
        (at_risk("a", 90).alias("b"), "`aliases` can't be restated"),
        (at_risk("a", 90).acts_for("ada", Kind::Human), "`acts_for` can't be restated"),
        (at_risk("a", 90).until(at), "`until` can't be restated"),
        (at_risk("", 90), ""),
    ] {
        let error = world.control.restate(facts).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    world.call(&grant, &ping()).unwrap();
}

/// A reload after a restatement, and the other way round: both hold.
#[test]
fn reloads_and_restatements_hold_together() {
    let world = World::rules([by_risk()]);
    let a = world.broker.assert_identity(at_risk("a", 10)).unwrap();
    let task = world.open(&a);
    let grant = || task.request(Scope::tool("ping").arg("n", eq(4)), &here());
    let (one, two) = (grant().unwrap(), grant().unwrap());
    let four = || ping_with(json!({ "n": 4 }));
    let _ = world.control.restate(at_risk("a", 20)).unwrap();
    world.call(&one, &four()).unwrap();
    let narrower =
        Rule::permit("low-risk").tool("ping").arg("n", max(5)).who_attr("risk", below(15));
    let _ = world.broker.reload(&policy([narrower])).unwrap();
    assert_eq!(world.denied(&one, &four()), Reason::Drifted);
    let _ = world.control.restate(at_risk("a", 12)).unwrap();
    world.call(&two, &four()).unwrap();
    assert!(grant().is_ok());
}

/// A forbid on what was attested speaks of what was restated, at calls as well.
#[test]
fn a_forbid_on_a_suspended_subject_acts_at_once() {
    let suspended = Rule::forbid("suspended").who_attr("suspended", not(eq(false)));
    let world = World::rules([pings("p").ttl(seconds(600)), suspended]);
    let stated = |suspended: bool| Assertion::agent("a").attr("suspended", suspended);
    let a = world.broker.assert_identity(stated(false)).unwrap();
    let task = world.open(&a);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.call(&grant, &ping()).unwrap();
    let drift = world.control.restate(stated(true)).unwrap().finish();
    assert_eq!(drift.grants.len(), 1);
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::Forbidden);
}
