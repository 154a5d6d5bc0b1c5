//! Facts that the broker asks the host for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::audit::Event;
use hallpass::context::ContextSource;
use hallpass::prelude::*;
use hallpass::scope::{below, eq};

use crate::world::{EVERYWHERE, World, here, ping, pings, policy, seconds, to_ping};

type Facts = Result<Context, Box<dyn std::error::Error + Send + Sync>>;

fn asking(
    rules: impl IntoIterator<Item = Rule>,
    within: Duration,
    source: impl ContextSource + 'static,
) -> World {
    World::with(policy(rules), |builder| builder.context_source(source, within))
}

fn knowing(facts: Context) -> impl ContextSource {
    move |_: &Identity, _: Option<&str>, _: Duration| -> Facts { Ok(facts.clone()) }
}

fn by_risk() -> Rule {
    pings("low-risk").when("risk", below(50)).on(EVERYWHERE)
}

#[test]
fn what_the_source_knows_holds_for_every_question_that_did_not_state_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    let source = move |who: &Identity, tool: Option<&str>, within: Duration| -> Facts {
        counting.fetch_add(1, Ordering::Relaxed);
        assert_eq!((who.subject().as_str(), within), ("a", seconds(1)));
        assert!(tool.is_none_or(|tool| tool == "ping"));
        Ok(Context::new().with("risk", 10))
    };
    let world = asking([by_risk()], seconds(1), source);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    task.renew(&mut grant, &agent, &here()).unwrap();
    let _child = task.delegate(&grant, &agent, to_ping(), &here()).unwrap();
    assert_eq!(world.gate.tools(grant.token(), &agent, &here()).unwrap().len(), 1);
    world.gate.check(grant.token(), &agent, &ping(), &here()).unwrap();
    world.call(&grant, &ping()).unwrap();
    let _trimmed = task.request_trimmed(to_ping(), &here()).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 7, "once for each question");
    assert_eq!(grant.context(), &here(), "a grant keeps what its caller stated");
}

#[test]
fn the_source_denies_what_it_knows_too_much_risk_of() {
    let world = asking([by_risk()], seconds(1), knowing(Context::new().with("risk", 90)));
    let task = world.open(&world.agent("a"));
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::NotCovered);
}

/// P10: where both say different things of one name, nothing is known of it: a permit does not apply,
/// and a forbid does.
#[test]
fn a_contradiction_is_unknown() {
    let stating = |risk: i64| Context::new().with("risk", risk).with("env", "prod");
    let source = || knowing(Context::new().with("risk", 20));
    let world = asking([by_risk()], seconds(1), source());
    let task = world.open(&world.agent("a"));
    assert!(task.request(to_ping(), &stating(20)).is_ok(), "both say the same");
    assert_eq!(task.request(to_ping(), &stating(10)).unwrap_err().reason(), Reason::NotCovered);

    let forbidden = Rule::forbid("at-100").tool("ping").when("risk", eq(100));
    let world = asking([pings("p"), forbidden], seconds(1), source());
    let task = world.open(&world.agent("a"));
    let grant = task.request(to_ping(), &stating(20)).unwrap();
    let denied = world.gate.authorize(&grant, grant.holder(), ping(), &stating(10));
    assert_eq!(denied.map(drop).unwrap_err().reason(), Reason::Forbidden);
    assert!(world.gate.authorize(&grant, grant.holder(), ping(), &stating(20)).is_ok());
}

/// attack 150: a source that fails, panics, is late or says what can't be said denies, and is recorded
#[test]
fn a_source_that_misbehaves_denies_and_is_recorded() {
    fn failing(_: &Identity, _: Option<&str>, _: Duration) -> Facts {
        Err("the service is down".into())
    }
    fn panicking(_: &Identity, _: Option<&str>, _: Duration) -> Facts {
        std::panic::resume_unwind(Box::new("a source"))
    }
    let reserved = || knowing(Context::new().with("seen", "nothing"));
    let worlds = [
        ("the service is down", asking([pings("p")], seconds(1), failing)),
        ("it panicked", asking([pings("p")], seconds(1), panicking)),
        ("`seen`", asking([pings("p")], seconds(1), reserved())),
    ];
    for (told, world) in worlds {
        let task = world.open(&world.agent("a"));
        let denial = task.request(to_ping(), &here()).unwrap_err();
        assert_eq!(
            (denial.reason(), denial.code()),
            (Reason::ContextUnavailable, Code::Unavailable)
        );
        assert!(denial.explain().to_string().contains(told), "{}", denial.explain());
        assert!(!denial.to_string().contains(told));
        let last = world.log.records().pop().unwrap().event;
        assert!(matches!(last, Event::Denied { reason, .. } if reason == "context_unavailable"));
        task.complete();
        assert!(world.broker.standing().is_empty());
    }
}

/// attack 150: late by the broker's clock, at a request and at a call
#[test]
fn a_source_that_is_late_denies_the_question_and_no_other() {
    let late = Arc::new(std::sync::Mutex::new(None::<hallpass::clock::ManualClock>));
    let slow = late.clone();
    let source = move |_: &Identity, _: Option<&str>, _: Duration| -> Facts {
        if let Some(clock) = &*slow.lock().unwrap() {
            clock.advance(seconds(1));
        }
        Ok(Context::new())
    };
    let world = asking([pings("p").ttl(seconds(600))], seconds(1), source);
    let agent = world.agent("a");
    let task = world.open(&agent);
    let mut grant = task.request(to_ping(), &here()).unwrap();
    let is_late = |late: &std::sync::Mutex<_>, clock| *late.lock().unwrap() = clock;
    is_late(&late, Some(world.clock.clone()));
    assert_eq!(world.denied(&grant, &ping()), Reason::ContextUnavailable);
    assert_eq!(
        world.gate.check(&grant, &agent, &ping(), &here()).map(drop).unwrap_err().reason(),
        Reason::ContextUnavailable
    );
    assert_eq!(task.request(to_ping(), &here()).unwrap_err().reason(), Reason::ContextUnavailable);
    is_late(&late, None);
    world.call(&grant, &ping()).unwrap();
    // Doubt ends a grant at its renewal, as any other does.
    is_late(&late, Some(world.clock.clone()));
    assert_eq!(
        task.renew(&mut grant, &agent, &here()).unwrap_err().reason(),
        Reason::ContextUnavailable
    );
    is_late(&late, None);
    assert_eq!(world.denied(&grant, &ping()), Reason::Revoked);
}

/// Facts of somebody are asked for on behalf of whom this broker attested, and of no one else.
#[test]
fn a_source_is_not_asked_for_an_identity_of_another_broker() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = asked.clone();
    let source = move |_: &Identity, _: Option<&str>, _: Duration| -> Facts {
        counting.fetch_add(1, Ordering::Relaxed);
        Ok(Context::new())
    };
    let world = asking([pings("p")], seconds(1), source);
    let task = world.open(&world.agent("a"));
    let grant = task.request(to_ping(), &here()).unwrap();
    let stranger = World::rules([pings("p")]).agent("a");
    let denied = world.gate.authorize(&grant, &stranger, ping(), &here()).map(drop).unwrap_err();
    assert_eq!(denied.reason(), Reason::ForeignIdentity);
    assert_eq!(
        task.request_for(&stranger, to_ping(), &here()).map(drop).unwrap_err().reason(),
        Reason::ForeignIdentity
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// attack 142: a source may ask its own broker
#[test]
fn a_source_that_asks_the_broker_waits_for_no_lock() {
    let broker: Arc<std::sync::OnceLock<Broker>> = Arc::default();
    let inside = broker.clone();
    let source = move |_: &Identity, _: Option<&str>, _: Duration| -> Facts {
        let standing = inside.get().map_or(0, |broker| broker.standing().tasks.len());
        Ok(Context::new().with("tasks", i64::try_from(standing)?))
    };
    let world = asking([pings("p").when("tasks", below(2))], seconds(1), source);
    broker.set(world.broker.clone()).unwrap();
    let agent = world.agent("a");
    let task = world.open(&agent);
    let grant = task.request(to_ping(), &here()).unwrap();
    world.call(&grant, &ping()).unwrap();
    let _other = world.open(&agent);
    assert_eq!(world.denied(&grant, &ping()), Reason::NoPermit);
}
