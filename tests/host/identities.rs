//! Identities that end, and the handle that attests them.

use std::time::Duration;

use hallpass::clock::{Clock as _, Timestamp};
use hallpass::denial::Denial;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::testing::ManualClock;
use hallpass::{Running, assert_nothing_stands};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    clock: ManualClock,
    broker: Broker,
    context: Context,
}

fn world() -> World {
    let rules = [
        Rule::permit("all").tool("t").any_args(),
        Rule::permit("handing-on").on([Moment::Delegate]).tool("t").any_args(),
    ];
    let clock = ManualClock::new(Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let policy = Policy::builder().rules(rules).build().unwrap();
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    World { clock, broker, context: Context::new() }
}

impl World {
    /// Attested for the next ten seconds.
    fn briefly(&self, id: &str) -> Identity {
        let end = self.clock.read().unwrap().wall.checked_add(10 * SECOND).unwrap();
        self.broker.assert_identity(Assertion::agent(id).until(end)).unwrap()
    }
}

fn scope() -> Scope {
    Scope::tool("t").any_args()
}

fn call() -> Call {
    Call::new("t", json!({ "n": 1 })).unwrap()
}

fn reason<T>(answer: Result<T, Denial>) -> Option<Reason> {
    answer.err().map(|denial| denial.reason())
}

#[test]
fn an_identity_is_good_up_to_its_end_and_not_at_it() {
    let world = world();
    let agent = world.briefly("agent-7");
    let task = world.broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &world.context).unwrap();
    let gate = world.broker.gate();
    world.clock.advance(10 * SECOND - Duration::from_millis(1));
    assert_eq!(reason(gate.authorize(&grant, &agent, call(), &world.context)), None);
    world.clock.advance(Duration::from_millis(1));
    let denial = gate.authorize(&grant, &agent, call(), &world.context).unwrap_err();
    assert_eq!((denial.reason(), denial.code()), (Reason::IdentityExpired, Code::Expired));
    assert!(denial.explain().to_string().contains("attested until 2026-01-01T00:00:10"));
}

/// attack 81, of what vouches for the caller.
#[test]
fn nothing_is_asked_for_with_an_identity_past_its_end() {
    let world = world();
    let (gate, context) = (world.broker.gate(), &world.context);
    let agent = world.briefly("agent-7");
    let task = world.broker.open(&agent, Purpose::new("errand")).unwrap();
    let mut grant = task.request(scope(), context).unwrap();
    let mut other = task.request(scope(), context).unwrap();
    let fresh = world.broker.assert_identity("agent-7").unwrap();
    let worker = world.broker.assert_identity("worker").unwrap();
    let old_worker = world.briefly("worker");
    let permit = gate.authorize(&grant, &agent, call(), context).unwrap();
    world.clock.advance(10 * SECOND);

    let expired = Some(Reason::IdentityExpired);
    assert_eq!(reason(world.broker.open(&agent, Purpose::new("errand"))), expired);
    assert_eq!(reason(task.request(scope(), context)), expired, "the requester's own");
    assert_eq!(reason(task.request_trimmed(scope(), context)), expired);
    assert_eq!(reason(task.request_for(&old_worker, scope(), context)), expired, "the holder's");
    assert_eq!(reason(task.request_for(&worker, scope(), context)), expired, "the requester's");
    assert_eq!(
        reason(task.delegate(&grant, &worker, scope(), context)),
        expired,
        "the delegator's"
    );
    assert_eq!(reason(gate.authorize(&grant, &agent, call(), context)), expired);
    assert_eq!(reason(gate.check(&grant, &agent, &call(), context)), expired);
    assert_eq!(reason(gate.tools(&grant, &agent, context)), expired);
    assert_eq!(reason(gate.give_up(&grant, &agent)), expired);
    assert_eq!(reason::<Running>(permit.start()), expired, "between the permit and its start");
    assert_eq!(reason(task.checkpoint(&mut other, &agent, context)), expired);
    // The caller attested anew goes on with what it holds, and asks for more.
    assert_eq!(reason(gate.authorize(&grant, &fresh, call(), context)), None);
    assert_eq!(reason(task.request_for(&fresh, scope(), context)), None);
    assert_eq!(reason(task.renew(&mut grant, &fresh, context)), None);
    assert_eq!(reason(task.delegate(&grant, &worker, scope(), context)), None);
    assert_eq!(reason(task.renew(&mut grant, &agent, context)), expired);
    assert_eq!(reason(gate.check(&grant, &fresh, &call(), context)), Some(Reason::Revoked));
    task.complete();
    assert_nothing_stands!(world.broker);
}

#[test]
fn what_an_attestor_vouches_for_is_good_at_its_broker_alone() {
    let (here, elsewhere) = (world(), world());
    let agent = here.broker.attestor().clone().attest("agent-7").unwrap();
    let task = here.broker.open(&agent, Purpose::new("errand")).unwrap();
    let grant = task.request(scope(), &here.context).unwrap();
    let authorize =
        |who: &Identity| here.broker.gate().authorize(&grant, who, call(), &here.context);
    assert_eq!(reason(authorize(&agent.clone())), None);
    let foreign = elsewhere.broker.attestor().attest("agent-7").unwrap();
    assert_eq!(reason(authorize(&foreign)), Some(Reason::ForeignIdentity));
    assert!(here.broker.attestor().attest("").is_err());
}
