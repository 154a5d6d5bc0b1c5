//! What each handle can do, and what it cannot.
//!
//! What does not even compile is shown where the types are: see the examples of `Task`, `Permit`,
//! `Identity`, `VerifiedToken` and of the broker's handles.

use std::time::Duration;

use hallpass::clock::{ManualClock, Timestamp};
use hallpass::prelude::*;
use hallpass::{Halt, Receipt, Running};
use serde_json::json;

fn policy() -> Policy {
    let read = Rule::permit("read").tool("read").any_args().uses(2);
    Policy::builder().rule(read).build().unwrap()
}

fn broker() -> Broker {
    Broker::new(policy()).unwrap()
}

fn read() -> Call {
    Call::new("read", json!({})).unwrap()
}

fn scope() -> Scope {
    Scope::tool("read").any_args()
}

fn granted(broker: &Broker) -> (Identity, Task, Grant) {
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("test")).unwrap();
    let grant = task.request(scope(), &Context::new()).unwrap();
    (agent, task, grant)
}

fn attempt(gate: &Gate, grant: &Grant, agent: &Identity) -> Result<(), Reason> {
    let answer = gate.authorize(grant.token(), agent, read(), &Context::new());
    answer.map(drop).map_err(|denial| denial.reason())
}

#[test]
fn every_handle_can_move_to_another_thread_and_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Broker>();
    shared::<Gate>();
    shared::<Control>();
    shared::<Task>();
    shared::<Grant>();
    shared::<Permit>();
    shared::<Running>();
    shared::<Receipt<()>>();
    shared::<Identity>();
    shared::<Token>();
    shared::<Denial>();
    shared::<Policy>();
}

/// A clone of a handle is the same power over the same state, not a copy of it.
#[test]
fn clones_share_one_state() {
    let broker = broker();
    let (agent, task, grant) = granted(&broker);
    let (gate, other) = (broker.gate(), broker.gate().clone());
    let _first = gate.authorize(grant.token(), &agent, read(), &Context::new()).unwrap();
    let _second = other.authorize(grant.token(), &agent, read(), &Context::new()).unwrap();
    assert_eq!(attempt(&gate, &grant, &agent), Err(Reason::UsesSpent));
    assert_eq!(attempt(&other, &grant, &agent), Err(Reason::UsesSpent));

    let control = broker.control();
    control.clone().halt(Halt::Everything);
    assert_eq!(control.halts(), [Halt::Everything]);
    assert_eq!(attempt(&other, &grant, &agent), Err(Reason::Halted));
    assert_eq!(broker.clone().standing(), broker.standing());
    task.complete();
    assert!(broker.clone().standing().is_empty());
}

/// The gate decides about what is presented to it; without a token that stands it gives nothing, and
/// with one it gives no more than the grant.
#[test]
fn a_gate_gives_nothing_by_itself() {
    let broker = broker();
    let gate = broker.gate();
    let agent = broker.assert_identity("agent-7").unwrap();
    let nothing = Token::from_text(String::new());
    let denial = gate.authorize(&nothing, &agent, read(), &Context::new()).unwrap_err();
    assert_eq!(denial.code(), Code::InvalidToken);
    assert!(broker.standing().is_empty());
    let (agent, _task, grant) = granted(&broker);
    let write = Call::new("write", json!({})).unwrap();
    let denial = gate.authorize(grant.token(), &agent, write, &Context::new()).unwrap_err();
    assert_eq!(denial.code(), Code::OutOfScope);
}

/// A dry run answers as the gate does and leaves nothing behind.
#[test]
fn a_check_spends_nothing_and_records_nothing() {
    let broker = broker();
    let (agent, _task, grant) = granted(&broker);
    let gate = broker.gate();
    let before = (broker.standing(), broker.log().unwrap().len());
    for _ in 0..5 {
        let dry = gate.check(grant.token(), &agent, &read(), &Context::new()).unwrap();
        assert_eq!(dry.rules().collect::<Vec<_>>(), ["read"]);
        assert_eq!(format!("{dry:?}"), r#"["read"]"#);
        let write = Call::new("write", json!({})).unwrap();
        assert!(gate.check(grant.token(), &agent, &write, &Context::new()).is_err());
    }
    assert_eq!((broker.standing(), broker.log().unwrap().len()), before);
    let _first = gate.authorize(grant.token(), &agent, read(), &Context::new()).unwrap();
    let _second = gate.authorize(grant.token(), &agent, read(), &Context::new()).unwrap();
    let denial = gate.check(grant.token(), &agent, &read(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::UsesSpent, "and it sees what is spent");
}

/// Operators stop and end; letting go on gives no one what was ended.
#[test]
fn a_control_stops_and_gives_nothing() {
    let broker = broker();
    let (agent, task, grant) = granted(&broker);
    let (gate, control) = (broker.gate(), broker.control());
    control.halt(Halt::Everything);
    assert!(!control.revoke_grant(grant.id()).is_empty());
    assert!(control.resume(&Halt::Everything));
    assert_eq!(attempt(&gate, &grant, &agent), Err(Reason::Revoked));
    assert!(!control.revoke_task(task.name()).unwrap().is_empty());
    assert!(broker.standing().is_empty());
    assert_eq!(
        task.request(scope(), &Context::new()).map(drop).unwrap_err().reason(),
        Reason::TaskOver,
        "the handle of a task that was taken away asks for nothing more",
    );
}

/// A task's handle reaches the grants of its own task.
#[test]
fn a_task_ends_its_own_grants_only() {
    let broker = broker();
    let (agent, task, grant) = granted(&broker);
    let (other_agent, other, theirs) = granted(&broker);
    assert!(task.revoke_grant(&theirs).is_empty());
    task.complete();
    assert_eq!(attempt(&broker.gate(), &grant, &agent), Err(Reason::TaskOver));
    assert_eq!(attempt(&broker.gate(), &theirs, &other_agent), Ok(()));
    drop(other);
    assert!(broker.standing().is_empty());
}

/// What lives is what the task lives by: the other handles can be dropped as one likes.
#[test]
fn only_dropping_the_task_ends_something() {
    let broker = broker();
    let (agent, task, grant) = granted(&broker);
    let gate = broker.gate();
    let token = Token::from_text(grant.token().expose().to_owned());
    drop(grant);
    drop(broker.control());
    drop(broker.clone());
    let permit = gate.authorize(&token, &agent, read(), &Context::new()).unwrap();
    let control = broker.control();
    drop(broker);
    permit.run(|_| Ok::<_, ()>(())).unwrap();
    drop(task);
    let denial = gate.authorize(&token, &agent, read(), &Context::new()).unwrap_err();
    assert_eq!(denial.reason(), Reason::TaskOver);
    drop(control);
}

/// A task that is leaked instead of dropped ends at its ceiling, and so do its permits.
#[test]
fn a_leaked_task_ends_at_its_ceiling() {
    let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
    let clock = ManualClock::new(start);
    let minute = Duration::from_secs(60);
    let broker = Broker::builder(policy()).clock(clock.clone()).ceiling(minute).build().unwrap();
    let (agent, task, grant) = granted(&broker);
    std::mem::forget(task);
    let leaked = broker.gate().authorize(grant.token(), &agent, read(), &Context::new()).unwrap();
    std::mem::forget(leaked);
    clock.advance(minute - Duration::from_millis(1));
    assert!(!broker.standing().is_empty());
    clock.advance(Duration::from_millis(1));
    assert!(broker.standing().is_empty());
    assert_eq!(attempt(&broker.gate(), &grant, &agent), Err(Reason::Expired));
}

/// The tool gets what was decided about, whatever becomes of the values it was made from.
#[test]
fn a_permit_seals_the_call_that_was_decided_about() {
    let broker = Broker::new(
        Policy::builder().rule(Rule::permit("read").tool("read").any_args()).build().unwrap(),
    )
    .unwrap();
    let (agent, _task, grant) = granted(&broker);
    let asked = Call::new("read", json!({ "path": "/data/a" })).unwrap();
    let permit =
        broker.gate().authorize(grant.token(), &agent, asked.clone(), &Context::new()).unwrap();
    assert_eq!(permit.tool(), "read");
    let receipt = permit.run(|running| Ok::<_, ()>(running.call().clone())).unwrap();
    assert_eq!(receipt.raw(), asked);
}
