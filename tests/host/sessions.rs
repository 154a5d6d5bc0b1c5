//! Sessions: what they ask for, when, and what they never ask for again.

use std::time::Duration;

use hallpass::clock::{Clock as _, Timestamp};
use hallpass::denial::Denial;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::testing::{FailingSink, ManualClock};
use hallpass::{BrokerBuilder, Halt, RunError, Running, assert_nothing_stands};
use serde_json::json;

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) broker: Broker,
    pub(crate) context: Context,
}

pub(crate) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl World {
    pub(crate) fn of(rule: Rule) -> World {
        World::with(rule, |builder| builder)
    }

    pub(crate) fn with(rule: Rule, set: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> World {
        let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
        let on = [Moment::Request, Moment::Call, Moment::Delegate];
        let rule = rule.tool("add").any_args().on(on);
        let policy = Policy::builder().rule(rule).build().unwrap();
        let broker = set(Broker::builder(policy).clock(clock.clone())).build().unwrap();
        World { clock, broker, context: Context::new() }
    }

    pub(crate) fn session(&self) -> Session {
        let agent = self.broker.assert_identity("agent-7").unwrap();
        self.broker.session(&agent, Purpose::new("sums"), wanted()).unwrap()
    }

    /// How many records of this kind there are.
    pub(crate) fn count(&self, kind: &str) -> usize {
        let log = self.broker.log().unwrap().snapshot();
        let kind = format!("\"kind\":\"{kind}\"");
        log.entries().filter(|entry| entry.line.contains(&kind)).count()
    }

    pub(crate) fn call(&self, session: &Session) -> Option<Reason> {
        let tool =
            |running: &Running| running.args().number("a").and_then(|n| n.to_i64()).ok_or("none");
        match session.call(add(), &self.context, tool) {
            Ok(receipt) => {
                assert_eq!(receipt.scrubbed(), 1);
                None
            }
            Err(RunError::Denied(denial)) => Some(denial.reason()),
            Err(error) => panic!("{error:?}"),
        }
    }
}

pub(crate) fn wanted() -> Scope {
    Scope::tool("add").any_args()
}

pub(crate) fn add() -> Call {
    Call::new("add", json!({ "a": 1 })).unwrap()
}

fn reason<T>(answer: Result<T, Denial>) -> Option<Reason> {
    answer.err().map(|denial| denial.reason())
}

#[test]
fn a_session_holds_nothing_until_its_first_call_and_nothing_after_its_end() {
    fn shared<T: Clone + Send + Sync + 'static>(of: &T) -> T {
        of.clone()
    }
    let world = World::of(Rule::permit("p"));
    let session = world.session();
    assert!(world.broker.standing().grants.is_empty());
    assert_eq!(world.call(&session), None);
    assert_eq!(world.call(&shared(&session)), None);
    assert_eq!(world.count("granted"), 1, "one grant serves all calls");
    assert_eq!(session.tools(&world.context).unwrap().len(), 1);
    let permit = session.authorize(add(), &world.context).unwrap();
    let clone = session.clone();
    let _ = session.end();
    assert_nothing_stands!(world.broker);
    assert_eq!(reason(permit.start()), Some(Reason::TaskOver));
    assert_eq!(world.call(&clone), Some(Reason::TaskOver), "for all clones");
    assert_eq!((world.count("opened"), world.count("granted")), (1, 1), "never opened anew");
}

#[test]
fn the_last_clone_that_is_dropped_ends_everything() {
    let world = World::of(Rule::permit("p"));
    let session = world.session();
    assert_eq!(world.call(&session), None);
    let clone = session.clone();
    drop(session);
    assert_eq!(world.call(&clone), None);
    drop(clone);
    assert_nothing_stands!(world.broker);
}

#[test]
fn it_renews_when_a_third_is_left_and_asks_again_after_the_end() {
    let world = World::of(Rule::permit("p").ttl(seconds(90)));
    let session = world.session();
    assert_eq!(world.call(&session), None);
    world.clock.advance(seconds(59));
    assert_eq!(world.call(&session), None);
    assert_eq!(world.count("granted"), 1);
    world.clock.advance(seconds(1));
    assert_eq!(world.call(&session), None);
    assert_eq!(world.count("granted"), 2, "renewed");
    assert_eq!(world.broker.standing().grants.len(), 1);
    world.clock.advance(seconds(90));
    assert_eq!(world.broker.standing().grants.len(), 0, "nothing acts between calls");
    assert_eq!(world.call(&session), None);
    assert_eq!(world.count("granted"), 3, "asked for again");
    // What was swept away because it was over was over, too.
    world.clock.advance(seconds(90));
    world.broker.sweep(100);
    assert_eq!(world.call(&session), None);
}

/// attack 91: asking again is not a standing privilege.
#[test]
fn no_session_outlives_the_life_of_its_rule_or_the_ceiling_of_its_task() {
    let rule = Rule::permit("p").ttl(seconds(30)).max_life(seconds(100));
    for (rule, ceiling, life) in
        [(rule.clone(), 3600, 100), (Rule::permit("p"), 200, 200), (rule, 60, 60)]
    {
        let world = World::with(rule, |builder| builder.ceiling(seconds(ceiling)));
        let session = world.session();
        for step in 0..life / 10 {
            assert_eq!(world.call(&session), None, "at {step}");
            world.clock.advance(seconds(10));
        }
        let granted = world.count("granted");
        for _ in 0..3 {
            assert_eq!(world.call(&session), Some(Reason::Expired));
            world.clock.advance(seconds(10));
        }
        assert_eq!(world.count("granted"), granted);
        assert_eq!(world.broker.standing().grants.len(), 0);
    }
}

#[test]
fn what_a_renewal_can_give_no_time_is_not_renewed_again() {
    let world = World::of(Rule::permit("p").ttl(seconds(30)).max_life(seconds(40)));
    let session = world.session();
    for _ in 0..40 {
        assert_eq!(world.call(&session), None);
        world.clock.advance(seconds(1));
    }
    assert_eq!(world.count("granted"), 3, "given, renewed, and once in vain");
}

/// How access is taken away, and what the session says then.
type TakenAway = (&'static str, fn(&World), Reason);

#[test]
fn what_was_taken_away_is_not_asked_for_again() {
    let take_away: [TakenAway; 4] = [
        (
            "revoked",
            |world| {
                let id = world.broker.standing().grants[0].id;
                assert_eq!(world.broker.control().revoke_grant(id).grants, 1);
            },
            Reason::Revoked,
        ),
        (
            "drifted",
            |world| {
                let none = Policy::builder().build().unwrap();
                let _ = world.broker.reload(&none).unwrap().finish();
                let all = Rule::permit("other").tool("add").any_args();
                let _ = world
                    .broker
                    .reload(&Policy::builder().rule(all).build().unwrap())
                    .unwrap()
                    .finish();
            },
            Reason::Drifted,
        ),
        (
            "its identity",
            |world| assert_eq!(world.broker.control().revoke_identity("agent-7").unwrap().tasks, 1),
            Reason::TaskOver,
        ),
        (
            "its task",
            |world| assert_eq!(world.broker.control().revoke_task("task-1").unwrap().tasks, 1),
            Reason::TaskOver,
        ),
    ];
    for (how, take_away, why) in take_away {
        let world = World::of(Rule::permit("p").ttl(seconds(90)));
        let session = world.session();
        assert_eq!(world.call(&session), None);
        take_away(&world);
        assert_eq!(world.call(&session), Some(why), "{how}");
        // Neither when a renewal would be due, nor when the grant would be over: the token says that it is.
        for _ in 0..3 {
            world.clock.advance(seconds(60));
            let answer = world.call(&session);
            assert!(answer == Some(why) || answer == Some(Reason::Expired), "{how}: {answer:?}");
        }
        assert_eq!(world.count("granted"), 1, "{how}");
        let log = world.broker.log().unwrap().snapshot();
        let mut lines = log.entries().map(|entry| entry.line);
        let asks = |line: &str| {
            ["request", "renew"]
                .iter()
                .any(|stage| line.contains(&format!("\"stage\":\"{stage}\"")))
        };
        assert!(!lines.any(asks), "{how}: nor renewed");
    }
}

#[test]
fn what_was_denied_or_halted_is_not_asked_for_again_and_counts_each_time() {
    let world = World::of(Rule::permit("p").when("env", eq("prod")));
    let session = world.session();
    assert_eq!(world.call(&session), Some(Reason::NotCovered));
    let prod = Context::new().with("env", "prod");
    assert_eq!(reason(session.authorize(add(), &prod)), Some(Reason::NotCovered));
    assert_eq!(reason(session.tools(&prod)), Some(Reason::NotCovered));
    assert_eq!((world.count("granted"), world.count("denied")), (0, 3));

    let world = World::of(Rule::permit("p").ttl(seconds(90)));
    let session = world.session();
    assert_eq!(world.call(&session), None);
    world.broker.control().halt(Halt::tool("add").unwrap());
    assert_eq!(world.call(&session), Some(Reason::Halted));
    world.broker.control().resume(&Halt::tool("add").unwrap());
    assert_eq!(world.call(&session), None, "nothing was asked for meanwhile");
    world.broker.control().halt(Halt::tool("add").unwrap());
    world.clock.advance(seconds(90));
    assert_eq!(world.call(&session), Some(Reason::Halted));
    world.broker.control().resume(&Halt::tool("add").unwrap());
    assert_eq!(world.call(&session), Some(Reason::Halted), "what it asked for was halted");
}

#[test]
fn what_could_not_be_decided_is_asked_again() {
    let sink = FailingSink::new(hallpass::audit::MemoryLog::new());
    let world = World::with(Rule::permit("p"), |builder| builder.log(sink.clone()));
    let session = world.session();
    sink.fail_next(1);
    assert_eq!(world.call(&session), Some(Reason::LogRefused));
    let twice = Context::new().with("env", 1).with("env", 1);
    assert_eq!(reason(session.authorize(add(), &twice)), Some(Reason::MalformedContext));
    assert_eq!(world.call(&session), None);
}

#[test]
fn it_acts_only_with_an_identity_that_is_good() {
    let world = World::of(Rule::permit("p").ttl(seconds(90)));
    let until = |after: u64| {
        let end = world.clock.read().unwrap().wall.checked_add(seconds(after)).unwrap();
        world.broker.assert_identity(Assertion::agent("agent-7").until(end)).unwrap()
    };
    let session = world.broker.session(&until(60), Purpose::new("sums"), wanted()).unwrap();
    assert_eq!(world.call(&session), None);
    world.clock.advance(seconds(60));
    assert_eq!(world.call(&session), Some(Reason::IdentityExpired));
    assert_eq!(world.count("granted"), 1, "neither renewed nor asked for");
    let other = world.broker.assert_identity("agent-8").unwrap();
    assert_eq!(reason(session.reattest(&other)), Some(Reason::NotTheHolder));
    session.reattest(&until(600)).unwrap();
    assert_eq!(world.call(&session), None);
    world.clock.advance(seconds(300));
    assert_eq!(world.call(&session), None, "asked for again as attested anew");
}

#[test]
fn what_is_delegated_is_a_session_that_ends_with_its_parent() {
    let world = World::of(Rule::permit("p").ttl(seconds(90)).max_life(seconds(900)));
    let worker = world.broker.assert_identity("worker").unwrap();
    let parent = world.session();
    let child = parent.delegate(&worker, wanted(), &world.context).unwrap();
    assert_eq!(world.call(&child), None);
    world.clock.advance(seconds(90));
    assert_eq!(world.call(&child), Some(Reason::Expired), "there is nothing to delegate");
    assert_eq!(world.call(&parent), None);
    let child = parent.delegate(&worker, wanted(), &world.context).unwrap();
    let second = parent.delegate(&worker, wanted(), &world.context).unwrap();
    let _ = second.end();
    assert_eq!(world.call(&second), Some(Reason::Revoked));
    assert_eq!(world.call(&child), None);
    assert_eq!(world.broker.standing().grants.len(), 2);
    world.clock.advance(seconds(70));
    assert_eq!(world.call(&parent), None);
    world.clock.advance(seconds(30));
    assert_eq!(world.call(&child), None, "delegated again from what was renewed");
    drop(second);
    drop(child);
    assert_eq!(world.broker.standing().grants.len(), 1, "the parent's own");
    let child = parent.delegate(&worker, wanted(), &world.context).unwrap();
    drop(parent);
    assert_nothing_stands!(world.broker);
    assert_eq!(world.call(&child), Some(Reason::TaskOver));
}

#[test]
fn what_is_no_call_is_denied_through_a_session_as_at_the_gate() {
    let world = World::of(Rule::permit("p"));
    let session = world.session();
    let json = |args: &str| session.authorize_json("add", args, None, &world.context).map(drop);
    assert_eq!(reason(json(r#"{"a":1}"#)), None);
    assert_eq!(reason(json(r#"{"a":1,"a":2}"#)), Some(Reason::MalformedCall));
    assert_eq!(world.count("denied"), 1);
}
